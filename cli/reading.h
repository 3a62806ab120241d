/* What commands that read mail have in common: the settings of a run, and signals. */
#pragma once

#include "cli/command.h"
#include "ingest/run.h"

struct reading {
    struct domain_list *suffixes;
    struct trust_rules trust;
    struct writer_settings writer;
    struct run_settings settings;
};

/* From the configuration, which is lent; points into itself, so it is not to be moved. The first INT, TERM or
 * HUP asks the run to stop after its batch, the second one ends the program, and so do
 * four seconds after the first. */
void reading_init(struct reading *reading, const struct cli *cli);
void reading_clear(struct reading *reading);
/* The signal that came, or 0. */
int reading_stopped(void);
