/* A journal that is written into the database, by db/writer.h. */
#pragma once

#include "ingest/journal.h"

/* Filled by journal_writer_begin; not to be moved while a mail is told. */
struct journal_writer {
    struct journal journal; /* to be told */
    struct writer *writer;
    enum keep_subject keep;
    struct ledger_message row;
};

/* Begins a mail: `row` is what the ledger has of it before it is looked into; its texts are lent until the
 * end. What was told of a mail that did not come to its end is forgotten. */
gboolean journal_writer_begin(struct journal_writer *to, struct writer *writer, enum keep_subject keep,
                              const struct ledger_message *row, GError **error);
