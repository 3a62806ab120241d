#include "ingest/gunzip.h"

#include "parser/error.h"

#include <isa-l/igzip_lib.h>
#include <string.h>

#define CHUNK (64 * 1024)

struct gunzip {
    struct inflate_state state;
    struct blob *blob;
    guint64 at;    /* next byte of the blob */
    guint8 *buf;   /* NULL when the blob is in memory */
    gboolean done; /* the last member ended */
    gboolean next; /* a member that is not the first began, and nothing came out of it yet */
    int damage;    /* what isal_inflate said, or 0 */
};

struct gunzip *gunzip_new(struct blob *blob)
{
    guint8 first = 0;
    /* Broken codes look back behind the start, where else would be what was in memory before. */
    struct gunzip *gunzip = g_malloc0(sizeof *gunzip);
    isal_inflate_init(&gunzip->state);
    blob_read(blob, 0, &first, 1, NULL);
    gunzip->state.crc_flag = first == 0x1f ? ISAL_GZIP : ISAL_ZLIB;
    gunzip->state.next_in = NULL;
    gunzip->blob = blob;
    gunzip->at = 0;
    gunzip->buf = NULL;
    gunzip->done = FALSE;
    gunzip->next = FALSE;
    gunzip->damage = 0;
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    g_free(gunzip->buf);
    g_free(gunzip);
}

/* More packed bytes; 0 when there are none. */
static gssize more_bytes(struct gunzip *gunzip, GError **error)
{
    gsize left = (gsize)MIN(blob_size(gunzip->blob) - gunzip->at, (guint64)1 << 30);
    GBytes *bytes = blob_bytes(gunzip->blob);
    if (bytes) {
        /* It is not written to, but wanted so. */
        gunzip->state.next_in =
            (guint8 *)(guintptr)((const guint8 *)g_bytes_get_data(bytes, NULL) + gunzip->at);
    } else {
        if (!gunzip->buf)
            gunzip->buf = g_malloc(CHUNK);
        gssize got = blob_read(gunzip->blob, gunzip->at, gunzip->buf, MIN(left, CHUNK), error);
        if (got < 0)
            return -1;
        left = (gsize)got;
        gunzip->state.next_in = gunzip->buf;
    }
    gunzip->state.avail_in = (guint32)left;
    gunzip->at += left;
    return (gssize)left;
}

/* Whether another gzip member follows; what does not look like one is junk and ignored. */
static gboolean next_member(struct gunzip *gunzip)
{
    static const guint8 magic[] = {0x1f, 0x8b, 0x08};
    guint8 start[sizeof magic];
    guint64 next = gunzip->at - gunzip->state.avail_in;
    if (blob_read(gunzip->blob, next, start, sizeof start, NULL) != sizeof start ||
        memcmp(start, magic, sizeof magic) != 0)
        return FALSE;
    isal_inflate_reset(&gunzip->state);
    gunzip->state.crc_flag = ISAL_GZIP;
    gunzip->next = TRUE;
    return TRUE;
}

static gssize fail(int damage, GError **error)
{
    const char *reason = damage == ISAL_INVALID_BLOCK        ? "an invalid block"
                         : damage == ISAL_INVALID_SYMBOL     ? "an invalid symbol"
                         : damage == ISAL_INVALID_LOOKBACK   ? "an invalid distance"
                         : damage == ISAL_INVALID_WRAPPER    ? "an invalid header"
                         : damage == ISAL_UNSUPPORTED_METHOD ? "an unknown compression method"
                         : damage == ISAL_NEED_DICT          ? "a dictionary is missing"
                                                             : "senseless";
    if (damage == ISAL_INCORRECT_CHECKSUM)
        g_set_error(error, WS_ERROR, WS_ERROR_CHECKSUM,
                    "the gzip data are damaged: wrong check sum (CRC) or length");
    else
        g_set_error(error, WS_ERROR, WS_ERROR_DATA, "the gzip data are damaged: %s", reason);
    return -1;
}

gssize gunzip_read(struct gunzip *gunzip, void *buf, gsize n, GError **error)
{
    struct inflate_state *state = &gunzip->state;
    const guint32 space = (guint32)MIN(n, (gsize)1 << 30);
    state->next_out = buf;
    state->avail_out = space;
    while (!gunzip->done && !gunzip->damage && state->avail_out == space) {
        /* What it has read it may not have given out yet: so it is asked first, and fed when it has nothing.
         */
        int status = isal_inflate(state);
        gunzip->next = gunzip->next && state->avail_out == space;
        if (status != ISAL_DECOMP_OK && status != ISAL_END_INPUT && status != ISAL_OUT_OVERFLOW) {
            gunzip->damage = status;
            gunzip->done = gunzip->next; /* junk that began like one */
        } else if (state->block_state == ISAL_BLOCK_FINISH) {
            gunzip->done = !next_member(gunzip);
        } else if (state->avail_out == space && state->avail_in == 0) {
            gssize more = more_bytes(gunzip, error);
            if (more < 0)
                return -1;
            if (more > 0)
                continue;
            g_set_error(error, WS_ERROR, WS_ERROR_TRUNCATED,
                        "the gzip data break off after %" G_GUINT64_FORMAT " bytes", blob_size(gunzip->blob));
            return -1;
        }
    }
    if (gunzip->damage && !gunzip->done && state->avail_out == space)
        return fail(gunzip->damage, error);
    return (gssize)(space - state->avail_out);
}

guint64 gunzip_taken(const struct gunzip *gunzip)
{
    return gunzip->at - gunzip->state.avail_in;
}
