#include "ingest/nursery_int.h"

#include "ingest/fdpass.h"
#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GREETING_MS 30000
#define ANSWER_SECONDS 10 /* that the nursery takes at most; it forks and waits in milliseconds */
#define SOCKET_BYTES (256 * 1024)
#define HINT "\nhint: --no-confine reads mails without this protection"

struct nursery {
    pid_t pid;
    int control;
    guint64 file_size;
    char *described; /* NULL until there was a worker */
};

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not %s: %s", what, g_strerror(errno));
    return FALSE;
}

struct nursery *nursery_start(const struct nursery_work *work, GError **error)
{
    int ends[2];
    static const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(error, "open a socket for the workers");
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0)
        nursery_live(work, ends[1], parent);
    if (pid < 0)
        fail(error, "fork the nursery of the workers");
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return NULL;
    }
    (void)setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct nursery *nursery = g_new0(struct nursery, 1);
    *nursery = (struct nursery){.pid = pid, .control = ends[0], .file_size = (guint64)1 << 30};
    return nursery;
}

void nursery_set_file_size(struct nursery *nursery, guint64 bytes)
{
    nursery->file_size = bytes;
}

pid_t nursery_pid(const struct nursery *nursery)
{
    return nursery->pid;
}

const char *nursery_describe(const struct nursery *nursery)
{
    return nursery->described;
}

/* FALSE when the nursery is gone, or stopped. Nothing is asked of it any more then: a late answer would be
 * taken for that to another question. */
static gboolean hear(const struct nursery *nursery, struct nursery_answer *answer_r)
{
    ssize_t got;
    do
        got = recv(nursery->control, answer_r, sizeof *answer_r, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof *answer_r)
        shutdown(nursery->control, SHUT_RDWR);
    return got == sizeof *answer_r;
}

/* A stream socket pair, whose first end is the parent's. */
static gboolean open_pair(int *ends, GError **error)
{
    static const int size = SOCKET_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(error, "open a socket for a worker");
    for (guint i = 0; i < 2; i++)
        (void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* less will do, too */
    return TRUE;
}

/* FALSE when the worker died, or says nothing in time. */
static gboolean read_greeting(int socket, struct nursery_greeting *greeting_r)
{
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    gint64 until = g_get_monotonic_time() + GREETING_MS * (gint64)1000;
    for (gsize have = 0; have < sizeof *greeting_r;) {
        gint64 left = (until - g_get_monotonic_time()) / 1000;
        int ready = poll(&wait, 1, (int)MAX(left, 0));
        ssize_t got = ready > 0 ? recv(socket, (char *)greeting_r + have, sizeof *greeting_r - have, 0) : -1;
        if (ready == 0 || got == 0 || (got < 0 && errno != EINTR))
            return FALSE;
        have += got > 0 ? (gsize)got : 0;
    }
    greeting_r->text[sizeof greeting_r->text - 1] = '\0';
    return TRUE;
}

static gboolean greet(struct nursery *nursery, struct worker_process *worker, GError **error)
{
    struct nursery_greeting greeting;
    const char *hint = nursery->described ? "" : HINT;
    gboolean heard = read_greeting(worker->socket, &greeting);
    if (heard && greeting.ok && fcntl(worker->socket, F_SETFL, O_NONBLOCK) == 0) {
        if (!nursery->described)
            nursery->described = g_strdup(greeting.text);
        return TRUE;
    }
    g_autofree char *end = nursery_end(nursery, worker, NULL);
    if (heard)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not confine a worker: %s%s", greeting.text,
                    hint);
    else
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not start a confined worker: %s%s", end, hint);
    return FALSE;
}

gboolean nursery_worker(struct nursery *nursery, gboolean light, struct worker_process *worker_r,
                        GError **error)
{
    const struct nursery_request request = {
        .op = NURSERY_FORK, .check = !nursery->described, .light = light, .file_size = nursery->file_size};
    struct nursery_answer answer = {.pid = -1};
    int ends[2];
    *worker_r = (struct worker_process){.pid = -1, .socket = -1};
    if (!open_pair(ends, error))
        return FALSE;
    gboolean sent = fdpass_send(nursery->control, ends[1], &request, sizeof request, NULL) > 0;
    close(ends[1]);
    if (!sent || !hear(nursery, &answer))
        g_set_error_literal(error, WS_ERROR, WS_ERROR_SYSTEM,
                            "could not start a worker: the nursery of the workers is gone");
    else if (answer.pid < 0)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not start a worker: could not %s", answer.text);
    if (answer.pid < 0) {
        close(ends[0]);
        return FALSE;
    }
    *worker_r = (struct worker_process){.pid = answer.pid, .socket = ends[0]};
    return greet(nursery, worker_r, error);
}

/* --- ends --- */

static const struct {
    int signal;
    const char *meaning;
} signals[] = {
    {SIGSYS, "a forbidden system call"},
    {SIGSEGV, "a crash"},
    {SIGBUS, "a crash"},
    {SIGILL, "a crash"},
    {SIGFPE, "a crash"},
    {SIGABRT, "it gave up, which can be for want of memory"},
    {SIGTRAP, "it gave up, which can be for want of memory"},
    {SIGKILL, "by the system for want of memory, or by somebody"},
};

static char *describe_end(int status, gboolean killed)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return g_strdup("ended by itself");
    if (WIFEXITED(status) && WEXITSTATUS(status) == NURSERY_NO_MEMORY)
        return g_strdup("ran out of memory");
    if (WIFEXITED(status))
        return g_strdup_printf("ended by itself with status %d", WEXITSTATUS(status));
    int number = WTERMSIG(status);
    if (killed && number == SIGKILL)
        return g_strdup("stopped by whosends");
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        if (signals[i].signal == number)
            return g_strdup_printf("killed by signal %d (%s)", number, signals[i].meaning);
    }
    return g_strdup_printf("killed by signal %d", number);
}

char *nursery_end(struct nursery *nursery, struct worker_process *worker, int *status_r)
{
    const struct nursery_request request = {.op = NURSERY_END, .pid = worker->pid};
    struct nursery_answer answer = {0};
    gboolean ok = send(nursery->control, &request, sizeof request, MSG_NOSIGNAL) == sizeof request &&
                  hear(nursery, &answer);
    if (worker->socket >= 0)
        close(worker->socket);
    *worker = (struct worker_process){.pid = -1, .socket = -1};
    if (status_r)
        *status_r = ok ? answer.status : 0;
    return ok ? describe_end(answer.status, answer.killed)
              : g_strdup("ended with the nursery of the workers");
}

guint64 nursery_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (guint64)used.tv_sec * G_USEC_PER_SEC + (guint64)used.tv_nsec / 1000;
}

void nursery_stop(struct nursery *nursery)
{
    if (!nursery)
        return;
    close(nursery->control);
    kill(nursery->pid, SIGKILL); /* it may be stopped; there is nothing that it leaves behind */
    while (waitpid(nursery->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_free(nursery->described);
    g_free(nursery);
}
