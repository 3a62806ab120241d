/* Bytes that wait for the database: appended at the end, read at any place. The newest are in memory, the
 * rest is in an unlinked temporary file ($TMPDIR), so that a report of ten million records costs no memory.
 */
#pragma once

#include <glib.h>

struct spool_span {
    guint64 begin, end;
};

struct row_spool;

/* Up to `memory` bytes stay in memory. */
struct row_spool *row_spool_new(gsize memory);
void row_spool_free(struct row_spool *spool);
guint64 row_spool_size(const struct row_spool *spool);
/* Fails with WS_ERROR_SYSTEM. */
gboolean row_spool_add(struct row_spool *spool, const void *data, gsize n, GError **error);
/* Moves what is in memory to the file. */
gboolean row_spool_to_file(struct row_spool *spool, GError **error);
/* Up to n bytes from offset; 0 at the end, -1 with an error. */
gssize row_spool_read(const struct row_spool *spool, guint64 offset, void *buf, gsize n, GError **error);
/* Forgets everything from `size` on. */
void row_spool_truncate(struct row_spool *spool, guint64 size);
