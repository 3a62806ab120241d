#include "db/spool.h"

#include "db/unnamed.h"
#include "parser/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct row_spool {
    GByteArray *tail; /* the bytes from `filed` on */
    gsize memory;
    int fd;
    guint64 filed;
};

struct row_spool *row_spool_new(gsize memory)
{
    struct row_spool *spool = g_new0(struct row_spool, 1);
    spool->tail = g_byte_array_new();
    spool->memory = memory;
    spool->fd = -1;
    return spool;
}

void row_spool_free(struct row_spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    g_byte_array_unref(spool->tail);
    g_free(spool);
}

guint64 row_spool_size(const struct row_spool *spool)
{
    return spool->filed + spool->tail->len;
}

static gboolean set_error(const char *what, GError **error)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not %s a temporary file in %s: %s", what,
                g_get_tmp_dir(), g_strerror(errno));
    return FALSE;
}

static gboolean open_file(struct row_spool *spool, GError **error)
{
    spool->fd = unnamed_open(g_get_tmp_dir());
    return spool->fd >= 0 || set_error("make", error);
}

/* What lies behind the end is written over, and until then in the way of others. */
static void give_back(const struct row_spool *spool)
{
    if (ftruncate(spool->fd, (off_t)spool->filed) < 0)
        g_debug("could not shorten a temporary file: %s", g_strerror(errno));
}

gboolean row_spool_to_file(struct row_spool *spool, GError **error)
{
    if (spool->fd < 0 && !open_file(spool, error))
        return FALSE;
    for (guint done = 0; done < spool->tail->len;) {
        ssize_t n = pwrite(spool->fd, spool->tail->data + done, spool->tail->len - done,
                           (off_t)(spool->filed + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            set_error("write", error);
            give_back(spool);
            return FALSE;
        }
        done += (guint)n;
    }
    spool->filed += spool->tail->len;
    g_byte_array_set_size(spool->tail, 0);
    return TRUE;
}

gboolean row_spool_add(struct row_spool *spool, const void *data, gsize n, GError **error)
{
    if (spool->tail->len + n > spool->memory && !row_spool_to_file(spool, error))
        return FALSE;
    g_byte_array_append(spool->tail, data, (guint)n);
    return TRUE;
}

gssize row_spool_read(const struct row_spool *spool, guint64 offset, void *buf, gsize n, GError **error)
{
    if (offset >= spool->filed) {
        n = (gsize)MIN(n, row_spool_size(spool) - MIN(offset, row_spool_size(spool)));
        if (n)
            memcpy(buf, spool->tail->data + (offset - spool->filed), n);
        return (gssize)n;
    }
    n = (gsize)MIN(n, spool->filed - offset);
    ssize_t got;
    do
        got = pread(spool->fd, buf, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        if (!got)
            errno = EIO;
        set_error("read", error);
        return -1;
    }
    return got;
}

void row_spool_truncate(struct row_spool *spool, guint64 size)
{
    if (size >= spool->filed) {
        g_byte_array_set_size(spool->tail, (guint)(size - spool->filed));
        return;
    }
    g_byte_array_set_size(spool->tail, 0);
    spool->filed = size;
    give_back(spool);
}
