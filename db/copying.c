#include "db/copying.h"

#include "db/pgcopy.h"

#define PIECE (128u * 1024)

void copying_init(struct copying *copying, struct db *db)
{
    copying->db = db;
    copying->buffer = g_byte_array_sized_new(PIECE * 2);
}

void copying_clear(struct copying *copying)
{
    g_byte_array_unref(copying->buffer);
}

gboolean copying_begin(struct copying *copying, const char *name, const char *sql, GError **error)
{
    g_byte_array_set_size(copying->buffer, 0);
    pgcopy_header(copying->buffer);
    return db_copy_begin(copying->db, name, sql, error);
}

gboolean copying_more(struct copying *copying, GError **error)
{
    if (copying->buffer->len < PIECE)
        return TRUE;
    gboolean ok = db_copy_put(copying->db, copying->buffer->data, copying->buffer->len, error);
    g_byte_array_set_size(copying->buffer, 0);
    return ok;
}

gboolean copying_span(struct copying *copying, const struct row_spool *spool, struct spool_span span,
                      GError **error)
{
    GByteArray *buffer = copying->buffer;
    while (span.begin < span.end) {
        guint at = buffer->len, want = (guint)MIN(span.end - span.begin, PIECE);
        g_byte_array_set_size(buffer, at + want);
        gssize got = row_spool_read(spool, span.begin, buffer->data + at, want, error);
        if (got <= 0)
            return FALSE;
        g_byte_array_set_size(buffer, at + (guint)got);
        span.begin += (guint64)got;
        if (!copying_more(copying, error))
            return FALSE;
    }
    return TRUE;
}

gboolean copying_end(struct copying *copying, GError **error)
{
    pgcopy_trailer(copying->buffer);
    return db_copy_put(copying->db, copying->buffer->data, copying->buffer->len, error) &&
           db_copy_end(copying->db, NULL, error);
}
