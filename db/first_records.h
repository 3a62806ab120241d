/* What the first records of a report are, as a hash: whether a report begins with all that another one holds.
 *
 * Of each record address, count and evidence are compared, which is all that is stored of it; not the heads.
 * A hash is good for as long as a transaction: it is stored nowhere. Internal to the writer. */
#pragma once

#include "db/conn.h"
#include "db/spool.h"
#include "parser/sha256.h"

/* Of a report that waits: `records` are its rows of dmarc_store.observed. When it has fewer than n records,
 * the hash is that of no report that has n. */
gboolean first_records_waiting(const struct row_spool *spool, struct spool_span records, guint64 n,
                               char hex_r[SHA256_HEX], GError **error);

/* Of one that is stored: its domain, day and id. */
gboolean first_records_stored(struct db *db, const char *const place[3], guint64 n, char hex_r[SHA256_HEX],
                              GError **error);
