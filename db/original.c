#include "db/original.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zlib.h>

#define PIECE 65536
#define SLICE (512 * 1024) /* packed bytes asked for in one query */
/* Mails are base64 of packed reports: more effort finds nothing more. */
#define LEVEL 1
#define TABLES ISAL_DEF_LVL1_SMALL /* larger ones pack no better */

struct packer {
    struct isal_zstream stream;
    guint8 in[PIECE], out[PIECE], tables[TABLES];
};

struct packer *packer_new(void)
{
    return g_new0(struct packer, 1);
}

void packer_free(struct packer *packer)
{
    g_free(packer);
}

/* Not by isal_deflate_reset(): of version 2.30 at least, what comes then has no header. */
static void begin(struct packer *packer)
{
    isal_deflate_init(&packer->stream);
    packer->stream.level = LEVEL;
    packer->stream.level_buf = packer->tables;
    packer->stream.level_buf_size = TABLES;
    packer->stream.gzip_flag = IGZIP_ZLIB;
}

/* Takes what was read through the stream. FALSE: past the limit. */
static gboolean pack_piece(struct packer *packer, gsize n, guint end, guint64 most, GByteArray *out)
{
    struct isal_zstream *stream = &packer->stream;
    stream->next_in = packer->in;
    stream->avail_in = (uint32_t)n;
    stream->end_of_stream = n == 0;
    do {
        stream->next_out = packer->out;
        stream->avail_out = PIECE;
        int status = isal_deflate(stream);
        if (status != COMP_OK)
            g_error("ISA-L: %d", status); /* only for settings that make no sense */
        g_byte_array_append(out, packer->out, PIECE - stream->avail_out);
        if (out->len - end > most)
            return FALSE;
    } while (!stream->avail_out);
    return TRUE;
}

gboolean packer_pack(struct packer *packer, const struct mail_bytes *bytes, guint64 most, GByteArray *out,
                     gboolean *large_r, GError **error)
{
    guint end = out->len;
    guint64 offset = 0;
    gssize got;
    *large_r = FALSE;
    begin(packer);
    do {
        got = bytes->read(bytes->self, offset, packer->in, PIECE, error);
        if (got < 0)
            break;
        offset += (guint64)got;
        *large_r = !pack_piece(packer, (gsize)got, end, most, out);
    } while (got && !*large_r);
    if (got < 0 || *large_r)
        g_byte_array_set_size(out, end);
    return got >= 0;
}

/* ---- and back ---- */

struct unpacking {
    z_stream stream;
    int state; /* of the last inflate */
    original_sink sink;
    gpointer self;
    guint8 out[PIECE];
};

static gboolean damaged(const char *sha256, const char *why, GError **error)
{
    g_set_error(error, WS_ERROR, WS_ERROR_DATA, "the original of mail %.12s in the database is damaged: %s",
                sha256, why);
    return FALSE;
}

/* The text form of a bytea, "\x...", in its own place. */
static gsize decode_hex(char *text)
{
    gsize n = 0;
    for (const char *at = text + 2; at[0] && at[1]; at += 2)
        text[n++] = (char)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
    return n;
}

static gboolean unpack_slice(struct unpacking *u, const char *sha256, char *slice, gsize n, GError **error)
{
    z_stream *stream = &u->stream;
    stream->next_in = (Bytef *)slice;
    stream->avail_in = (uInt)n;
    do {
        stream->next_out = u->out;
        stream->avail_out = PIECE;
        u->state = inflate(stream, Z_NO_FLUSH);
        /* Z_BUF_ERROR: it wants the next slice. */
        if (u->state != Z_OK && u->state != Z_STREAM_END && u->state != Z_BUF_ERROR)
            return damaged(sha256, stream->msg ? stream->msg : "it cannot be unpacked", error);
        if (!u->sink(u->self, u->out, PIECE - stream->avail_out, error))
            return FALSE;
    } while (u->state == Z_OK && (stream->avail_in || !stream->avail_out));
    return TRUE;
}

/* All slices. *found_r as original_read. */
static gboolean unpack_all(struct unpacking *u, struct db *db, const char *sha256, gboolean *found_r,
                           GError **error)
{
    static const char sql[] = "SELECT substring(data FROM $2::int FOR " G_STRINGIFY(
        SLICE) "), length(data) FROM dmarc_store.original WHERE mail_sha256 = decode($1, 'hex')";
    gint64 length = 1;
    *found_r = FALSE;
    for (gint64 at = 1; at <= length; at += SLICE) {
        char from[24];
        g_snprintf(from, sizeof from, "%" G_GINT64_FORMAT, at);
        const char *values[] = {sha256, from};
        struct db_result *result = db_query(db, "reading an original", sql, 2, values, error);
        if (!result)
            return FALSE;
        gboolean here = db_rows(result) > 0;
        length = here ? db_int(result, 0, 1) : 0;
        g_autofree char *slice = here ? g_strdup(db_value(result, 0, 0)) : NULL;
        db_result_free(result);
        if (!here)
            return !*found_r || damaged(sha256, "it was taken away while it was read", error);
        *found_r = TRUE;
        if (!unpack_slice(u, sha256, slice, decode_hex(slice), error))
            return FALSE;
    }
    return u->state == Z_STREAM_END || damaged(sha256, "it breaks off", error);
}

gboolean original_read(struct db *db, const char *sha256, original_sink sink, gpointer self,
                       gboolean *found_r, GError **error)
{
    struct unpacking *u = g_new0(struct unpacking, 1);
    u->sink = sink;
    u->self = self;
    gboolean ok = inflateInit(&u->stream) == Z_OK || damaged(sha256, "zlib has no memory", error);
    ok = ok && unpack_all(u, db, sha256, found_r, error);
    inflateEnd(&u->stream);
    g_free(u);
    return ok;
}
