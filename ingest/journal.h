/* What the journey of one mail tells: the seam between decoding and storing.
 *
 * In this process it is told to the database writer (ingest/journal_writer.h); from a worker process it goes
 * as frames over a socket (ingest/wire.h) and is told again on the other side.
 *
 * Of one mail, in this order: brought_by once, before the first report and before the end; the reports of a
 * document, then the document; end. Everything is lent for the length of the call, but auth, which lives
 * until the end. Calls that return a gboolean return FALSE with an error that spoils more than this mail, and
 * nothing more is told then. */
#pragma once

#include "db/writer.h"

/* What is known of a mail when all of it was looked at. All texts may be NULL. */
struct mail_end {
    const char *message_id, *mail_from, *from_domain, *subject;
    gint64 date;               /* seconds, 0: none */
    const char *code, *detail; /* why the mail as a whole is a problem; else NULL */
};

struct journal {
    /* Who brought the mail. */
    void (*brought_by)(void *self, const struct mail_auth *auth);
    const struct report_sink *reports;
    const struct tls_sink *tls;
    gboolean (*failure)(void *self, const struct failure_report *report, GError **error);
    /* Closes a document: the reports since the one before are its own. */
    gboolean (*document)(void *self, const struct ledger_document *document, GError **error);
    /* Forgets the reports since the document before. */
    void (*drop_reports)(void *self);
    /* One more warning for those documents of the mail, from number `first` on, that have reports. They are
     * counted as they were told, from 0. */
    void (*warn)(void *self, guint first, const char *code);
    gboolean (*end)(void *self, const struct mail_end *end, GError **error);
    void *self;
};
