#include "cli/reading.h"

#include "cli/progress.h"
#include "cli/stopping.h"

#include <signal.h>
#include <string.h>

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
                              .stop = stopping_begin(),
                              .nursery = cli->nursery,
                              .workers = config->workers ? config->workers : g_get_num_processors()};
    if (cli->nursery)
        nursery_set_file_size(cli->nursery,
                              MAX(config->limits.message_size,
                                  MAX(config->limits.attachment_size, config->limits.unpacked_size)));
    /* A connection that the other side closed is an error to handle and no reason to die. */
    signal(SIGPIPE, SIG_IGN);
}

void reading_clear(struct reading *reading)
{
    aggregate_parser_free(reading->settings.parser);
    domain_list_free(reading->suffixes);
}
