/* A batch into the database, also when that refuses some of it. Internal to the writer.
 *
 * A batch is one transaction. When the database refuses the values (DB_REFUSED), the batch is halved until
 * each mail that is refused stands alone: a few transactions for each of them, not one for each mail of the
 * batch. The reports of such a mail are tried in the same way, in transactions that are taken back; those
 * that are refused go, and a document with the same path, outcome problem, code db_refused and the server's
 * words tells of each. What is left of the mail is written as ever. A mail that is refused with each of its
 * reports taken for itself, or without them, becomes one row of the ledger with that code, without its
 * documents. */
#pragma once

#include "db/batch.h"

/* Messages up to `end` are committed: may be called several times. */
typedef void (*refuse_written)(guint end, gpointer data);

/* Writes messages [first, end), in order. After an error those that were not told of are not written. */
gboolean refuse_write(struct batch *batch, struct db *db, guint first, guint end, refuse_written written,
                      gpointer data, GError **error);
