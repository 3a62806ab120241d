/* Takes the place of parser/step.c in build/tests/whosends_fault.
 *
 *   WHOSENDS_FAULT=NAME:N:ACTION   at the N-th time that step NAME is reached; * is every name
 *       kill segv stop exit sleep (2 s)   what the process does to itself
 *       cut-database cut-mail             shuts the unix or the TCP sockets down, after what was sent had
 * time to be worked on WHOSENDS_STEPS=FILE            appends the name of each step, one a line
 */
#include "parser/step.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
            continue;
        if (family == AF_UNIX ? peer.ss_family != AF_UNIX : peer.ss_family == AF_UNIX)
            continue;
        shutdown(fd, SHUT_RDWR);
        /* What had come already could still be read. */
        while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
            ;
    }
}

static void act(const char *action)
{
    int saved = errno;
    if (strcmp(action, "kill") == 0)
        kill(getpid(), SIGKILL);
    else if (strcmp(action, "segv") == 0)
        kill(getpid(), SIGSEGV);
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

void step(const char *name)
{
    static guint64 reached;
    const char *fault = getenv("WHOSENDS_FAULT"), *steps = getenv("WHOSENDS_STEPS");
    size_t length = strspn(name, LETTERS);
    while (length && name[length - 1] == ' ')
        length--;
    if (steps)
        note(steps, name, length);
    if (!fault)
        return;
    size_t wanted = strcspn(fault, ":");
    char *action;
    guint64 at = g_ascii_strtoull(fault + wanted + 1, &action, 10);
    if ((strncmp(fault, "*:", 2) == 0 || (wanted == length && strncmp(fault, name, length) == 0)) &&
        ++reached == at)
        act(action + 1);
}
