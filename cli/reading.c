#include "cli/reading.h"

#include "cli/progress.h"

#include <signal.h>
#include <string.h>
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

/* The first one asks the run to stop after its batch, which may take some seconds, the second one ends the
 * program. A connection that the other side closed is an error to handle and no reason to die. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction late = {.sa_handler = on_alarm};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static enum keep_subject subject_rule(const char *word)
{
    return strcmp(word, "kept") == 0      ? SUBJECT_KEPT
           : strcmp(word, "dropped") == 0 ? SUBJECT_DROPPED
                                          : SUBJECT_HASHED;
}

static enum keep_originals original_rule(const char *word)
{
    return strcmp(word, "none") == 0       ? KEEP_NONE
           : strcmp(word, "problems") == 0 ? KEEP_PROBLEMS
                                           : KEEP_REPORTS;
}

void reading_init(struct reading *reading, const struct cli *cli)
{
    const struct config *config = &cli->config;
    reading->suffixes = domain_list_new();
    reading->trust = (struct trust_rules){.authserv_ids = config->authserv_ids, .domains = config->domains};
    reading->writer = writer_defaults;
    reading->writer.trust = &reading->trust;
    reading->writer.suffixes = reading->suffixes;
    reading->writer.keep = original_rule(config->keep_originals);
    reading->writer.original_size = config->limits.original_size;
    reading->settings =
        (struct run_settings){.limits = &config->limits,
                              .writer = &reading->writer,
                              .suffixes = reading->suffixes,
                              .parser = aggregate_parser_new(&config->limits, reading->suffixes),
                              .now = cli->now,
                              .keep_subject = subject_rule(config->keep_subject),
                              .progress = progress_update,
                              .stop = &stop_signal,
                              .nursery = cli->nursery,
                              .workers = config->workers ? config->workers : g_get_num_processors()};
    if (cli->nursery)
        nursery_set_file_size(cli->nursery,
                              MAX(config->limits.message_size,
                                  MAX(config->limits.attachment_size, config->limits.unpacked_size)));
    catch_signals();
}

void reading_clear(struct reading *reading)
{
    aggregate_parser_free(reading->settings.parser);
    domain_list_free(reading->suffixes);
}

int reading_stopped(void)
{
    return stop_signal;
}
