#include "ingest/nursery_int.h"

#include "db/unnamed.h"
#include "ingest/blob.h"
#include "ingest/confine.h"
#include "ingest/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((guint64)512 * 1024 * 1024)
#define FILES 64 /* descriptors of mails that a worker may hold, and duplicates */

enum {
    FD_OWN = 3,
    FD_HIGH = 100
}; /* the socket, behind the standard ones; free numbers while they are moved */

extern char **environ;

struct nursery_process {
    const struct nursery_work *work;
    gpointer prepared;
    gboolean completed;
    int control;
    pid_t pid;
    char *directory; /* of scratch files */
    uid_t uid;       /* of workers, when this is root */
    gid_t gid;
};

/* What the environment says may be a password. Nothing that is told of a mail depends on the local time,
 * whose table a worker could not read. */
static void wipe_environment(void)
{
    for (char **entry = environ; entry && *entry; entry++)
        memset(*entry, 0, strlen(*entry));
    clearenv();
    setenv("TZ", "UTC0", 1);
}

/* Only the control socket, standard error, and /dev/null for the other two. */
static gboolean keep_only(struct nursery_process *self)
{
    int high = fcntl(self->control, F_DUPFD_CLOEXEC, FD_HIGH);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    gboolean ok = high >= 0 && nothing >= 0;
    for (int fd = 0; ok && fd < FD_OWN; fd++)
        ok = (fd == STDERR_FILENO && fcntl(fd, F_GETFD) >= 0) || dup2(nothing, fd) == fd;
    ok = ok && dup2(high, FD_OWN) == FD_OWN;
    self->control = FD_OWN;
    closefrom(FD_OWN + 1);
    return ok;
}

/* A signal to the whole group of processes is for the parent, which ends us when it is done. */
static void leave_signals_to_parent(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};
    sigset_t none;
    sigemptyset(&none);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        signal(numbers[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void find_nobody(struct nursery_process *self)
{
    const struct passwd *nobody = getpwnam("nobody");
    self->uid = nobody ? nobody->pw_uid : 65534;
    self->gid = nobody ? nobody->pw_gid : 65534;
}

/* --- the worker --- */

/* GLib gives up when there is no memory, and says so. */
static void on_log(const char *domain G_GNUC_UNUSED, GLogLevelFlags level, const char *message,
                   gpointer data G_GNUC_UNUSED)
{
    if ((level & G_LOG_LEVEL_ERROR) && strstr(message, "failed to allocate"))
        _exit(NURSERY_NO_MEMORY);
}

/* The socket and the scratch files get the first numbers behind the standard ones. */
static gboolean lay_out(int socket, int *scratch, int n)
{
    int high = fcntl(socket, F_DUPFD_CLOEXEC, FD_HIGH);
    gboolean ok = high >= 0;
    for (int i = 0; ok && i < n; i++)
        ok = (scratch[i] = fcntl(scratch[i], F_DUPFD_CLOEXEC, FD_HIGH)) >= 0;
    ok = ok && dup2(high, FD_OWN) == FD_OWN;
    for (int i = 0; ok && i < n; i++)
        ok = (scratch[i] = dup2(scratch[i], FD_OWN + 1 + i)) >= 0;
    /* No terminal for strangers to write to; but a sanitizer must be heard. */
    return ok && (CONFINE_SANITIZED || dup2(STDIN_FILENO, STDERR_FILENO) >= 0);
}

static int scratch_files(const struct nursery_request *request)
{
    return request->light ? 0 : NURSERY_SCRATCH;
}

static gboolean confine(const struct nursery_process *self, const struct nursery_request *request,
                        struct nursery_greeting *greeting)
{
    const struct confine_rules rules = {.uid = self->uid,
                                        .gid = self->gid,
                                        .parent = self->pid,
                                        .descriptors = FD_OWN + 1 + (guint)scratch_files(request),
                                        .files = FILES,
                                        .memory = MEMORY,
                                        .no_open = request->light,
                                        .file_size = request->file_size};
    g_autoptr(GError) error = NULL;
    int landlock = 0;
    gboolean ok = confine_self(&rules, &landlock, &error);
    if (ok && request->check && self->work->check)
        ok = self->work->check(self->prepared, request->light, &error);
    if (ok)
        g_snprintf(greeting->text, sizeof greeting->text, "seccomp, Landlock %d, user %u", landlock,
                   geteuid());
    else
        g_strlcpy(greeting->text, error->message, sizeof greeting->text);
    return ok;
}

static G_NORETURN void work(const struct nursery_process *self, const struct nursery_request *request,
                            int socket, int *scratch)
{
    struct nursery_greeting greeting = {.text = "could not arrange its descriptors"};
    prctl(PR_SET_NAME, "whosends-worker", 0, 0, 0);
    g_log_set_default_handler(on_log, NULL);
    greeting.ok = lay_out(socket, scratch, scratch_files(request)) && confine(self, request, &greeting);
    if (send(FD_OWN, &greeting, sizeof greeting, MSG_NOSIGNAL) != sizeof greeting || !greeting.ok)
        _exit(1);
    _exit(self->work->serve(self->prepared, FD_OWN, scratch, (guint)scratch_files(request)));
}

/* --- the nursery --- */

static void say_failure(struct nursery_answer *answer, const char *what)
{
    answer->pid = -1;
    g_snprintf(answer->text, sizeof answer->text, "%s: %s", what, g_strerror(errno));
}

static void fork_worker(const struct nursery_process *self, const struct nursery_request *request, int socket,
                        struct nursery_answer *answer)
{
    int scratch[NURSERY_SCRATCH];
    int have = 0, wanted = scratch_files(request);
    while (have < wanted && (scratch[have] = unnamed_open(self->directory)) >= 0)
        have++;
    if (have < wanted) {
        g_autofree char *what = g_strdup_printf("create a temporary file in %.60s", self->directory);
        say_failure(answer, what);
    } else if ((answer->pid = fork()) == 0) {
        work(self, request, socket, scratch);
    } else if (answer->pid < 0) {
        say_failure(answer, "fork");
    }
    for (int i = 0; i < have; i++)
        close(scratch[i]);
}

/* A worker that is not waited for keeps its number, so that nobody else is ever killed. */
static void end_worker(pid_t pid, struct nursery_answer *answer)
{
    pid_t gone = waitpid(pid, &answer->status, WNOHANG);
    if (gone == 0) {
        answer->killed = TRUE;
        kill(pid, SIGKILL);
        while ((gone = waitpid(pid, &answer->status, 0)) < 0 && errno == EINTR)
            ;
    }
    if (gone < 0)
        answer->status = 0;
}

/* FALSE when the parent is gone. */
static gboolean answer_one(struct nursery_process *self)
{
    struct nursery_request request;
    struct nursery_answer answer = {0};
    int socket;
    gssize got = fdpass_receive(self->control, &request, sizeof request, &socket, NULL);
    if (got != sizeof request)
        return FALSE;
    if (request.op == NURSERY_FORK && !request.light && !self->completed) {
        self->completed = TRUE;
        if (self->work->complete)
            self->work->complete(self->prepared);
    }
    if (request.op == NURSERY_FORK)
        fork_worker(self, &request, socket, &answer);
    else
        end_worker(request.pid, &answer);
    if (socket >= 0)
        close(socket);
    return send(self->control, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

void nursery_live(const struct nursery_work *work, int control, pid_t parent)
{
    struct nursery_process self = {
        .work = work, .control = control, .pid = getpid(), .directory = g_strdup(g_get_tmp_dir())};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NAME, "whosends-nurse", 0, 0, 0);
    leave_signals_to_parent();
    wipe_environment();
    if (!keep_only(&self))
        _exit(1);
    find_nobody(&self);
    self.prepared = work->prepare ? work->prepare() : NULL;
    confine_namespaces();
    while (answer_one(&self))
        ;
    _exit(0);
}
