/* The run loop: all mails of one source through the journey and into the database, settled after COMMIT.
 *
 * At least once, plus the identity of the report, gives exactly once: a mail is settled only when its rows
 * are committed; when the run dies in between, the next one finds the mail in the ledger and only settles it.
 */
#pragma once

#include "db/writer.h"
#include "ingest/source.h"
#include "parser/domain.h"

#include <signal.h>

struct nursery;

struct run_settings {
    const struct limits *limits;
    const struct writer_settings *writer;
    const struct domain_list *suffixes;
    struct aggregate_parser *parser; /* with these limits and suffixes; serves the whole run */
    gint64 now;                      /* seconds, for the warning about odd dates */
    enum keep_subject keep_subject;  /* of messages that failure reports are about */
    /* Called now and then with the number of mails done and how many are to come (-1: unknown). May be NULL.
     */
    void (*progress)(gint64 done, gint64 remaining, gpointer data);
    gpointer progress_data;
    const volatile sig_atomic_t *stop; /* when it becomes nonzero, the run commits what it has and ends */
    struct nursery *nursery;           /* mails are decoded by its workers; NULL: in this process */
    guint workers;                     /* how many at once */
    gboolean light;                    /* they begin with one that is quick to start, for a mail or two */
};

/* mails == stored + duplicate + no_report + problem + resumed */
struct run_totals {
    guint64 mails;
    guint64 by_outcome[4]; /* by enum outcome */
    guint64 resumed;       /* were in the ledger already, at the same place: settled, not counted */
    guint64 problems; /* mails with something in them that could not be read, whatever their outcome is */
    guint64 bytes;
};

/* All mails of one source; the totals are added to. FALSE when the source or the database failed, or on a
 * stop (WS_ERROR_INTERRUPTED): what was committed until then is settled and counted. */
gboolean ingest_run(struct db *db, struct source *source, const struct run_settings *settings,
                    struct run_totals *totals, GError **error);
