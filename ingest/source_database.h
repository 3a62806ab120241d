/* Mails of the ledger whose originals are kept, to be read again: for a run whose writer has
 * settings->reread. Nothing is settled; each mail is read once, in the order of the SHA-256. */
#pragma once

#include "db/conn.h"
#include "ingest/source.h"

/* Which mails; NULL leaves out the condition. All are lent until source_close. */
struct reread_choice {
    const char *ref;   /* see dmarc.find_mail */
    const char *code;  /* of a problem */
    gboolean problems; /* only what has a problem */
    const char *domain;
    const char *since; /* ISO day */
};

/* How many mails there are, and how many of them cannot be read again because they are not kept. */
gboolean source_database_count(struct db *db, const struct reread_choice *choice, guint64 *mails_r,
                               guint64 *lost_r, GError **error);

/* Lends the connection, limits and choice; between two mails others may use the connection. */
struct source *source_open_database(struct db *db, const struct reread_choice *choice,
                                    const struct limits *limits);
