#include "ingest/blob.h"

#include "db/unnamed.h"
#include "parser/error.h"
#include "parser/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_MEMORY (1024 * 1024)

struct blob {
    gint refs;
    GBytes *bytes;       /* or, when NULL: */
    int fd;              /* owned, unless there is a parent */
    struct blob *parent; /* owner of fd */
    gboolean scratch;    /* fd is one of the pool's, to be given back */
    guint64 offset, size;
};

/* Files that are there already, for a process that can open none. */
static struct {
    guint n;
    int fds[BLOB_SCRATCH_MAX];
    gboolean taken[BLOB_SCRATCH_MAX];
} pool;

void blob_use_scratch(const int *fds, guint n)
{
    pool.n = MIN(n, BLOB_SCRATCH_MAX);
    for (guint i = 0; i < pool.n; i++) {
        pool.fds[i] = fds[i];
        pool.taken[i] = FALSE;
    }
}

guint blob_scratch_in_use(void)
{
    guint taken = 0;
    for (guint i = 0; i < pool.n; i++)
        taken += pool.taken[i] ? 1 : 0;
    return taken;
}

/* An empty file of the pool. -1 with an error, which costs what it was wanted for and no more. */
static int scratch_take(GError **error)
{
    for (guint i = 0; i < pool.n; i++) {
        if (pool.taken[i])
            continue;
        pool.taken[i] = TRUE;
        return pool.fds[i];
    }
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "more than %u large parts inside of each other", pool.n);
    return -1;
}

/* Its bytes go at once, and the space that they took. */
static void scratch_give_back(int fd)
{
    for (guint i = 0; i < pool.n; i++)
        pool.taken[i] &= pool.fds[i] != fd || ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0;
}

static void close_file(int fd, gboolean scratch)
{
    if (scratch)
        scratch_give_back(fd);
    else if (fd >= 0)
        close(fd);
}

struct blob *blob_new_bytes(GBytes *bytes)
{
    struct blob *blob = g_new0(struct blob, 1);
    blob->refs = 1;
    blob->fd = -1;
    blob->bytes = g_bytes_ref(bytes);
    blob->size = g_bytes_get_size(bytes);
    return blob;
}

struct blob *blob_new_fd(int fd, guint64 offset, guint64 length, GError **error)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not keep a file open: %s", g_strerror(errno));
        return NULL;
    }
    struct blob *blob = g_new0(struct blob, 1);
    *blob = (struct blob){.refs = 1, .fd = own, .offset = offset, .size = length};
    return blob;
}

struct blob *blob_slice(struct blob *blob, guint64 offset, guint64 length)
{
    offset = MIN(offset, blob->size);
    length = MIN(length, blob->size - offset);
    if (blob->bytes) {
        g_autoptr(GBytes) bytes = g_bytes_new_from_bytes(blob->bytes, (gsize)offset, (gsize)length);
        return blob_new_bytes(bytes);
    }
    struct blob *slice = g_new0(struct blob, 1);
    *slice = (struct blob){
        .refs = 1, .fd = blob->fd, .parent = blob_ref(blob), .offset = blob->offset + offset, .size = length};
    return slice;
}

struct blob *blob_ref(struct blob *blob)
{
    g_atomic_int_inc(&blob->refs);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (!blob || !g_atomic_int_dec_and_test(&blob->refs))
        return;
    if (blob->bytes)
        g_bytes_unref(blob->bytes);
    if (blob->parent)
        blob_unref(blob->parent);
    else
        close_file(blob->fd, blob->scratch);
    g_free(blob);
}

guint64 blob_size(const struct blob *blob)
{
    return blob->size;
}

gssize blob_read(const struct blob *blob, guint64 offset, void *buf, gsize n, GError **error)
{
    if (offset >= blob->size || n == 0)
        return 0;
    n = (gsize)MIN((guint64)n, blob->size - offset);
    if (blob->bytes) {
        memcpy(buf, (const guint8 *)g_bytes_get_data(blob->bytes, NULL) + offset, n);
        return (gssize)n;
    }
    ssize_t got;
    do
        got = pread(blob->fd, buf, n, (off_t)(blob->offset + offset));
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return got;
    g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "could not read at byte %" G_GUINT64_FORMAT ": %s", offset,
                got < 0 ? g_strerror(errno) : "the file shrank while it was read");
    return -1;
}

GBytes *blob_bytes(const struct blob *blob)
{
    return blob->bytes;
}

int blob_fd(const struct blob *blob, guint64 *offset_r)
{
    if (!blob->bytes && offset_r)
        *offset_r = blob->offset;
    return blob->bytes ? -1 : blob->fd;
}

static gboolean add_file(const struct blob *blob, struct sha256 *sum, GError **error)
{
    guint8 buf[65536];
    gssize got;
    for (guint64 at = 0; (got = blob_read(blob, at, buf, sizeof buf, error)) > 0; at += (guint64)got)
        sha256_add(sum, buf, (gsize)got);
    return got == 0;
}

gboolean blob_sha256(const struct blob *blob, guint8 *digest, GError **error)
{
    struct sha256 *sum = sha256_new();
    gsize n = 0;
    const guint8 *data = blob->bytes ? g_bytes_get_data(blob->bytes, &n) : NULL;
    gboolean ok = TRUE;
    if (blob->bytes)
        sha256_add(sum, data, n);
    else
        ok = add_file(blob, sum, error);
    sha256_take(sum, digest);
    sha256_free(sum);
    return ok;
}

struct spool {
    guint64 limit, total;
    char *what;
    GByteArray *memory; /* all of it, or what is not yet in the file */
    int fd;
    gboolean scratch; /* fd is one of the pool's */
};

struct spool *spool_new(guint64 limit, const char *what)
{
    struct spool *spool = g_new0(struct spool, 1);
    spool->limit = limit;
    spool->what = g_strdup(what);
    spool->memory = g_byte_array_new();
    spool->fd = -1;
    return spool;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    close_file(spool->fd, spool->scratch);
    if (spool->memory)
        g_byte_array_unref(spool->memory);
    g_free(spool->what);
    g_free(spool);
}

/* Where the bytes of a spool go. -1 with an error. */
static int open_file(GError **error)
{
    if (pool.n)
        return scratch_take(error);
    const char *directory = g_get_tmp_dir();
    int fd = unnamed_open(directory);
    if (fd < 0)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not create a temporary file in %s: %s",
                    directory, g_strerror(errno));
    return fd;
}

static gboolean write_all(int fd, const guint8 *data, gsize n, GError **error)
{
    while (n) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EFBIG) {
            g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "larger than a temporary file may be");
            return FALSE;
        }
        if (done < 0) {
            g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write a temporary file in %s: %s",
                        g_get_tmp_dir(), g_strerror(errno));
            return FALSE;
        }
        data += done;
        n -= (gsize)done;
    }
    return TRUE;
}

static gboolean flush(struct spool *spool, GError **error)
{
    if (spool->fd < 0) {
        if ((spool->fd = open_file(error)) < 0)
            return FALSE;
        spool->scratch = pool.n > 0;
    }
    if (!write_all(spool->fd, spool->memory->data, spool->memory->len, error))
        return FALSE;
    g_byte_array_set_size(spool->memory, 0);
    return TRUE;
}

gboolean spool_add(struct spool *spool, const void *data, gsize n, GError **error)
{
    if (n > spool->limit - spool->total) {
        g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit %s: more than %" G_GUINT64_FORMAT " bytes",
                    spool->what, spool->limit);
        return FALSE;
    }
    spool->total += n;
    if (n <= SPOOL_MEMORY - spool->memory->len) {
        if (n)
            g_byte_array_append(spool->memory, data, (guint)n);
        return TRUE;
    }
    return flush(spool, error) && write_all(spool->fd, data, n, error);
}

struct blob *spool_finish(struct spool *spool, GError **error)
{
    struct blob *blob = NULL;
    if (spool->fd < 0) {
        g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&spool->memory));
        blob = blob_new_bytes(bytes);
    } else if (flush(spool, error)) {
        blob = g_new0(struct blob, 1);
        *blob = (struct blob){.refs = 1, .fd = spool->fd, .scratch = spool->scratch, .size = spool->total};
        spool->fd = -1;
        spool->scratch = FALSE;
    }
    spool_free(spool);
    return blob;
}
