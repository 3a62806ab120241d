#include "ingest/transfer.h"

#include "ingest/base64.h"
#include "ingest/content.h"

#include <string.h>

#define CHUNK 16384
#define IN_MEMORY (1024 * 1024) /* decoded in one go up to here */

static enum transfer transfer_of(const char *encoding)
{
    if (!encoding)
        return TRANSFER_NONE;
    while (g_ascii_isspace(*encoding) || *encoding == '"')
        encoding++;
    if (g_ascii_strncasecmp(encoding, "base64", 6) == 0)
        return TRANSFER_BASE64;
    if (g_ascii_strncasecmp(encoding, "quoted-printable", 16) == 0)
        return TRANSFER_QUOTED;
    if (g_ascii_strncasecmp(encoding, "x-uu", 4) == 0 || g_ascii_strncasecmp(encoding, "uu", 2) == 0)
        return TRANSFER_UU;
    return TRANSFER_NONE;
}

/* Whether text that is not declared as base64 is nothing else, and something of use comes out. */
gboolean transfer_is_hidden(const guint8 *start, gsize n)
{
    guint8 out[BASE64_SPACE(CONTENT_SNIFF)];
    struct base64 state = {0};
    for (gsize i = 0; i < n; i++) {
        if (!base64_is_character(start[i]) && !g_ascii_isspace(start[i]) && start[i] != '=')
            return FALSE;
    }
    return content_is_candidate(content_sniff(out, base64_decode(&state, start, n, out), NULL));
}

/* The encoding to undo: what is declared, unless the first bytes prove that it is not so. */
enum transfer transfer_true(const char *encoding, const guint8 *start, gsize n, const char **note_r)
{
    enum transfer declared = transfer_of(encoding), real = declared;
    enum content_kind kind = content_sniff(start, n, NULL);
    gboolean binary = kind == CONTENT_GZIP || kind == CONTENT_ZIP;
    if (declared == TRANSFER_NONE && kind == CONTENT_OTHER && transfer_is_hidden(start, n))
        real = TRANSFER_BASE64;
    else if (declared != TRANSFER_NONE && binary && (start[0] == 0x1f || start[0] == 'P'))
        real = TRANSFER_NONE;
    else if (declared == TRANSFER_BASE64 && kind == CONTENT_XML)
        real = TRANSFER_NONE;
    if (real != declared)
        *note_r = "cte";
    return real;
}

struct blob *transfer_base64(struct blob *raw, guint64 limit, GError **error)
{
    guint64 size = blob_size(raw);
    struct base64 state = {0};
    GBytes *memory = blob_bytes(raw);
    if (memory && BASE64_SPACE(size) <= MIN(IN_MEMORY, limit)) {
        guint8 *out = g_malloc(BASE64_SPACE(size));
        gsize n = base64_decode(&state, g_bytes_get_data(memory, NULL), (gsize)size, out);
        n += base64_finish(&state, out + n);
        g_autoptr(GBytes) bytes = g_bytes_new_take(out, n);
        return blob_new_bytes(bytes);
    }
    struct spool *spool = spool_new(limit, "attachment_size");
    guint8 in[CHUNK], out[BASE64_SPACE(CHUNK)];
    gssize got;
    for (guint64 at = 0; (got = blob_read(raw, at, in, sizeof in, error)) > 0; at += (guint64)got) {
        if (!spool_add(spool, out, base64_decode(&state, in, (gsize)got, out), error)) {
            spool_free(spool);
            return NULL;
        }
    }
    if (got < 0 || !spool_add(spool, out, base64_finish(&state, out), error)) {
        spool_free(spool);
        return NULL;
    }
    return spool_finish(spool, error);
}
