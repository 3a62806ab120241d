/* Takes the place of parser/step.c in build/tests/whosends_fault.
 *
 *   WHOSENDS_FAULT=NAME:N:ACTION   at the N-th time that a process reaches step NAME; * is every name, in the
 *                                  first process alone and not in its workers
 *       kill segv spin stop exit sleep (2 s)   what the process does to itself; to kill is
 *                                         forbidden to workers
 *       cut-database cut-mail             shuts the unix or the TCP sockets down, after what was sent had
 * time to be worked on WHOSENDS_STEPS=FILE            appends the name of each step of the first process
 */
#include "parser/step.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LETTERS " -ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void wait_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* The other side has what was sent before, and none of its answer comes back. */
static void cut(int family)
{
    char answer[4096];
    wait_ms(100);
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage peer = {0};
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
            continue;
        /* Those of the workers are unix sockets, too, without a name. */
        if ((peer.ss_family == AF_UNIX) != (family == AF_UNIX) ||
            (family == AF_UNIX && !strstr(((struct sockaddr_un *)&peer)->sun_path, "PGSQL")))
            continue;
        shutdown(fd, SHUT_RDWR);
        /* What had come already could still be read. */
        while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
            ;
    }
}

static int *volatile nowhere;

static void act(const char *action)
{
    int saved = errno;
    if (strcmp(action, "kill") == 0)
        kill(getpid(), SIGKILL);
    else if (strcmp(action, "segv") == 0)
        *(volatile int *)nowhere = 1;
    else if (strcmp(action, "spin") == 0)
        for (;;)
            ;
    else if (strcmp(action, "stop") == 0)
        kill(getpid(), SIGSTOP);
    else if (strcmp(action, "exit") == 0)
        _exit(70);
    else if (strcmp(action, "sleep") == 0)
        wait_ms(2000);
    else if (strcmp(action, "cut-database") == 0)
        cut(AF_UNIX);
    else if (strcmp(action, "cut-mail") == 0)
        cut(AF_INET);
    else
        abort();
    errno = saved;
}

static void note(const char *path, const char *name, size_t length)
{
    char line[128];
    int saved = errno, fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0 && length < sizeof line) {
        memcpy(line, name, length);
        line[length] = '\n';
        if (write(fd, line, length + 1) < 0)
            abort();
    }
    if (fd >= 0)
        close(fd);
    errno = saved;
}

static pid_t first;
static char *fault, *steps;

/* Workers have no environment. */
static void __attribute__((constructor)) remember(void)
{
    first = getpid();
    fault = g_strdup(getenv("WHOSENDS_FAULT"));
    steps = g_strdup(getenv("WHOSENDS_STEPS"));
}

static int is_meant(const char *name, size_t length)
{
    return (strncmp(fault, "*:", 2) == 0 && getpid() == first) ||
           (strcspn(fault, ":") == length && strncmp(fault, name, length) == 0);
}

void step(const char *name)
{
    static guint64 reached;
    size_t length = strspn(name, LETTERS);
    while (length && name[length - 1] == ' ')
        length--;
    if (steps && getpid() == first)
        note(steps, name, length);
    if (!fault)
        return;
    char *action;
    guint64 at = g_ascii_strtoull(fault + strcspn(fault, ":") + 1, &action, 10);
    if (is_meant(name, length) && ++reached == at)
        act(action + 1);
}
