/* Rows on their way into a COPY: gathered to pieces that are worth sending. Internal to the writer. */
#pragma once

#include "db/conn.h"
#include "db/spool.h"

struct copying {
    struct db *db;
    GByteArray *buffer; /* rows are appended here, then copying_more is called */
};

void copying_init(struct copying *copying, struct db *db);
void copying_clear(struct copying *copying);

gboolean copying_begin(struct copying *copying, const char *name, const char *sql, GError **error);
/* Sends what has gathered, when that is worth it. */
gboolean copying_more(struct copying *copying, GError **error);
/* A stretch of a spool, behind what has gathered. */
gboolean copying_span(struct copying *copying, const struct row_spool *spool, struct spool_span span,
                      GError **error);
gboolean copying_end(struct copying *copying, GError **error);
