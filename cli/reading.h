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

/* From the configuration, which is lent; points into itself, so it is not to be moved. A signal asks the run
 * to stop after its batch, see cli/stopping.h. */
void reading_init(struct reading *reading, const struct cli *cli);
void reading_clear(struct reading *reading);
