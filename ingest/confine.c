#include "ingest/confine.h"

#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not %s: %s", what, g_strerror(errno));
    return FALSE;
}

void confine_namespaces(void)
{
    static const int kinds[] = {CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWIPC};
    for (guint i = 0; geteuid() == 0 && i < G_N_ELEMENTS(kinds); i++)
        (void)unshare(kinds[i]);
}

/* --- who it is --- */

static gboolean drop_rights(const struct confine_rules *rules, GError **error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (geteuid() == 0) {
        if (setgroups(0, NULL) != 0 || setresgid(rules->gid, rules->gid, rules->gid) != 0 ||
            setresuid(rules->uid, rules->uid, rules->uid) != 0)
            return fail(error, "become another user than root");
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0 || fail(error, "give up capabilities");
}

/* After the change of the user, which undoes both. */
static gboolean tie(const struct confine_rules *rules, GError **error)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(error, "be tied to the parent");
    if (getppid() == rules->parent)
        return TRUE;
    errno = ESRCH;
    return fail(error, "find the parent");
}

static gboolean limit(const struct confine_rules *rules, GError **error)
{
    const struct {
        guint resource;
        rlim_t value;
    } limits[] = {{RLIMIT_CORE, 0},
                  {RLIMIT_NPROC, 0},
                  {RLIMIT_NOFILE, rules->descriptors + rules->files},
                  {RLIMIT_FSIZE, rules->file_size},
                  {RLIMIT_MEMLOCK, 0},
                  {RLIMIT_MSGQUEUE, 0},
                  {RLIMIT_AS, CONFINE_SANITIZED ? RLIM_INFINITY : rules->memory}};
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        struct rlimit now, then = {limits[i].value, limits[i].value};
        if (getrlimit(limits[i].resource, &now) != 0)
            return fail(error, "read a resource limit");
        then.rlim_cur = then.rlim_max = MIN(now.rlim_max, limits[i].value);
        if (setrlimit(limits[i].resource, &then) != 0)
            return fail(error, "set a resource limit");
    }
    return TRUE;
}

/* --- Landlock (Documentation/userspace-api/landlock.rst) --- */

/* The header of the build machine may be older than the kernel: this is the whole of ABI 6. */
struct landlock_rules {
    guint64 handled_access_fs, handled_access_net, scoped;
};

/* Everything that the ABI knows is forbidden, by naming it and allowing nothing. */
static const struct {
    int abi;
    gsize size; /* of the rules as that ABI knows them */
    struct landlock_rules denied;
} landlock_abis[] = {
    {1, offsetof(struct landlock_rules, handled_access_net), {.handled_access_fs = 0x1fff}},
    {2, offsetof(struct landlock_rules, handled_access_net), {.handled_access_fs = 0x3fff}},
    {3, offsetof(struct landlock_rules, handled_access_net), {.handled_access_fs = 0x7fff}},
    {4, offsetof(struct landlock_rules, scoped), {0x7fff, 0x3, 0}},
    {5, offsetof(struct landlock_rules, scoped), {0xffff, 0x3, 0}},
    {6, sizeof(struct landlock_rules), {0xffff, 0x3, 0x3}},
};

/* The version in force; 0 where there is none, or where it is not to be had. */
static int landlock(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (abi < 1)
        return 0;
    guint known = (guint)MIN(abi, (long)G_N_ELEMENTS(landlock_abis)) - 1;
    int fd =
        (int)syscall(SYS_landlock_create_ruleset, &landlock_abis[known].denied, landlock_abis[known].size, 0);
    if (fd < 0)
        return 0;
    gboolean ok = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return ok ? landlock_abis[known].abi : 0;
}

/* --- seccomp --- */

/* Whatever their arguments are: they only touch what the process has already. */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fstat),
    SCMP_SYS(fstat64), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    /* of sockets, that it has one of */
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
    /* memory */
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    /* the C library's own housekeeping */
    SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(sched_yield),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(sysinfo), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* What libraries try and can do without: an encoding's table, a time zone, a host name. */
static const int refused[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),   SCMP_SYS(openat2),    SCMP_SYS(stat),
    SCMP_SYS(stat64),     SCMP_SYS(lstat),    SCMP_SYS(lstat64),    SCMP_SYS(newfstatat),
    SCMP_SYS(fstatat64),  SCMP_SYS(statx),    SCMP_SYS(access),     SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd)};

static int add_plain(scmp_filter_ctx filter, gboolean no_open)
{
    int status = 0;
    for (guint i = 0; status == 0 && i < G_N_ELEMENTS(allowed); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (guint i = 0; status == 0 && !no_open && i < G_N_ELEMENTS(refused); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
    return status;
}

/* Calls of which only some uses are harmless; the others kill. */
static int add_conditional(scmp_filter_ctx filter)
{
    const struct {
        guint32 action;
        int call;
        struct scmp_arg_cmp when;
    } rules[] = {
        {SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(mmap2), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(sendto), SCMP_A4(SCMP_CMP_EQ, 0, 0)}, /* without an address */
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
        {SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)}, /* abort() */
        {SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), SCMP_A0(SCMP_CMP_GE, 0, 0)},
    };
    int status = 0;
    for (guint i = 0; status == 0 && i < G_N_ELEMENTS(rules); i++)
        status = seccomp_rule_add(filter, rules[i].action, rules[i].call, 1, rules[i].when);
    return status;
}

static gboolean filter_calls(gboolean no_open, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int status = filter ? 0 : -ENOMEM;
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (status == 0)
        status = add_plain(filter, no_open);
    if (status == 0)
        status = add_conditional(filter);
    if (status == 0)
        status = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    errno = -status;
    return status == 0 || fail(error, "filter system calls (seccomp)");
}

gboolean confine_self(const struct confine_rules *rules, int *landlock_r, GError **error)
{
    closefrom((int)rules->descriptors);
    if (!drop_rights(rules, error) || !tie(rules, error) || !limit(rules, error))
        return FALSE;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "renounce new privileges");
    *landlock_r = landlock();
    return filter_calls(rules->no_open, error);
}
