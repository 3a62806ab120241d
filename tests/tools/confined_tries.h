/* What a worker is told to try. Each returns the error number that it got, 0 when it was allowed to. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int of(long result)
{
    return result < 0 ? errno : 0;
}

static int try_file(const char *word)
{
    struct stat status;
    if (g_str_equal(word, "open"))
        return of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    if (g_str_equal(word, "environ"))
        return of(open("/proc/self/environ", O_RDONLY | O_CLOEXEC));
    if (g_str_equal(word, "create"))
        return of(open("/tmp/whosends-confined", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (g_str_equal(word, "stat"))
        return of(stat("/etc/passwd", &status));
    if (g_str_equal(word, "unlink"))
        return of(unlink("/tmp/whosends-confined"));
    if (g_str_equal(word, "chdir"))
        return of(chdir("/tmp"));
    return -1;
}

static int try_network(const char *word)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    char *const arguments[] = {NULL};
    if (g_str_equal(word, "socket"))
        return of(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (g_str_equal(word, "connect"))
        return of(connect(3, (struct sockaddr *)&name, sizeof name));
    if (g_str_equal(word, "sendto"))
        return of(sendto(3, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&name, sizeof name));
    if (g_str_equal(word, "sendmsg"))
        return of(sendmsg(3, &(struct msghdr){0}, MSG_NOSIGNAL));
    if (g_str_equal(word, "exec"))
        return of(execv("/bin/true", arguments));
    return -1;
}

static int try_process(const char *word)
{
    if (g_str_equal(word, "fork"))
        return of(fork());
    if (g_str_equal(word, "clone3"))
        return of(syscall(SYS_clone3, NULL, 0));
    if (g_str_equal(word, "kill"))
        return of(kill(getppid(), SIGKILL));
    if (g_str_equal(word, "tgkill"))
        return of(syscall(SYS_tgkill, 1, 1, SIGKILL));
    if (g_str_equal(word, "ptrace"))
        return of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    if (g_str_equal(word, "prctl"))
        return of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    if (g_str_equal(word, "setrlimit"))
        return of(setrlimit(RLIMIT_AS, &(struct rlimit){0, 0}));
    if (g_str_equal(word, "setuid"))
        return of(setuid(0));
    if (g_str_equal(word, "unshare"))
        return of(unshare(CLONE_NEWUSER));
    if (g_str_equal(word, "io_uring"))
        return of(syscall(SYS_io_uring_setup, 1, NULL));
    if (g_str_equal(word, "bpf"))
        return of(syscall(SYS_bpf, 0, NULL, 0));
    return -1;
}

static int try_memory(const char *word)
{
    if (g_str_equal(word, "exec_map"))
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                   ? errno
                   : 0;
    if (g_str_equal(word, "exec_protect")) {
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    }
    if (g_str_equal(word, "malloc")) {
        /* gcc 16 leaves out memory that nobody looks at. */
        void *volatile memory = malloc((gsize)1 << 30);
        return memory ? 0 : errno;
    }
    if (g_str_equal(word, "g_malloc"))
        return g_malloc((gsize)1 << 30) ? 0 : errno;
    if (g_str_equal(word, "crash"))
        return *(volatile char *)NULL;
    if (g_str_equal(word, "abort"))
        abort();
    return -1;
}

/* What it may do, within bounds. */
static int try_scratch(const char *word, int scratch)
{
    if (g_str_equal(word, "write"))
        return of(pwrite(scratch, "x", 1, 0));
    if (g_str_equal(word, "write_far"))
        return of(pwrite(scratch, "x", 1, (off_t)1 << 31));
    if (g_str_equal(word, "cut_far"))
        return of(ftruncate(scratch, (off_t)1 << 31));
    if (g_str_equal(word, "descriptors")) {
        int status = 0;
        for (int i = 0; i < 1000 && status == 0; i++)
            status = of(fcntl(scratch, F_DUPFD_CLOEXEC, 3));
        return status;
    }
    if (g_str_equal(word, "terminal"))
        return isatty(0) ? 0 : errno;
    if (g_str_equal(word, "spin"))
        for (volatile int forever = 1; forever;)
            ;
    return -1;
}

/* Who it is, and whether the environment is gone. */
static char *try_self(void)
{
    extern char **environ;
    return g_strdup_printf("uid %u gid %u environment %s", geteuid(), getegid(),
                           environ && *environ ? *environ : "empty");
}

static char *try_word(const char *word, int scratch)
{
    if (g_str_equal(word, "self"))
        return try_self();
    int status = try_file(word);
    status = status < 0 ? try_network(word) : status;
    status = status < 0 ? try_process(word) : status;
    status = status < 0 ? try_memory(word) : status;
    status = status < 0 ? try_scratch(word, scratch) : status;
    return g_strdup(status < 0 ? "no such word" : status ? strerrorname_np(status) : "allowed");
}
