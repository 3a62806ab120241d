#include "cli/stopping.h"

#include <stddef.h>
#include <unistd.h>

#define STOP_SECONDS 4

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
    alarm(STOP_SECONDS);
}

/* It waits for a server that does not answer. To be ended here is as good as to be killed, which is safe at
 * any time. */
static void on_alarm(int number)
{
    static const char message[] = "whosends: error: stopped by a signal, without waiting any longer\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written;
    (void)number;
    _exit(128 + stop_signal);
}

const volatile sig_atomic_t *stopping_begin(void)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction late = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    return &stop_signal;
}

int stopping_signal(void)
{
    return stop_signal;
}
