#include "ingest/wide_text.h"

#include <string.h>

#define CHUNK 16384
#define ASCII_UNITS 4 /* so many units that are ASCII tell UTF-16 that has no BOM */

enum order { NOT_WIDE, LITTLE, BIG };

static enum order order_of(const guint8 *start, gsize n)
{
    if (n < 2 * ASCII_UNITS)
        return NOT_WIDE;
    /* The first is UTF-32's, too. */
    if (memcmp(start, "\xff\xfe", 2) == 0)
        return start[2] || start[3] ? LITTLE : NOT_WIDE;
    if (memcmp(start, "\xfe\xff", 2) == 0)
        return BIG;
    guint little = 0, big = 0;
    for (gsize i = 0; i < 2 * ASCII_UNITS; i += 2) {
        little += start[i] && start[i] < 0x80 && !start[i + 1];
        big += !start[i] && start[i + 1] && start[i + 1] < 0x80;
    }
    return little == ASCII_UNITS ? LITTLE : big == ASCII_UNITS ? BIG : NOT_WIDE;
}

static gunichar unit_at(const guint8 *bytes, enum order order)
{
    return order == BIG ? (gunichar)bytes[0] << 8 | bytes[1] : (gunichar)bytes[1] << 8 | bytes[0];
}

/* One chunk, of which the last bytes may be the beginning of a character, unless it is the last one: returns
 * how many were used. Halves of pairs become U+FFFD. */
static gsize narrow_chunk(const guint8 *bytes, gsize n, enum order order, gboolean last, GString *out)
{
    gsize i = 0;
    for (; i + 2 <= n; i += 2) {
        gunichar c = unit_at(bytes + i, order);
        if (c >= 0xd800 && c < 0xdc00) {
            if (i + 4 > n && !last)
                break;
            gunichar low = i + 4 <= n ? unit_at(bytes + i + 2, order) : 0;
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if (c < 0x80)
            g_string_append_c(out, (char)c);
        else if (c != 0xfeff || i > 0)
            g_string_append_unichar(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return i;
}

struct blob *wide_text_narrow(struct blob *text, GError **error)
{
    guint8 bytes[CHUNK];
    gssize got = blob_read(text, 0, bytes, sizeof bytes, error);
    enum order order = got > 0 ? order_of(bytes, (gsize)got) : NOT_WIDE;
    if (order == NOT_WIDE)
        return NULL;
    g_autoptr(GString) out = g_string_sized_new(CHUNK);
    struct spool *spool = spool_new(G_MAXUINT64, "message_size");
    gboolean ok = TRUE;
    for (guint64 at = 0; ok && got > 1;) {
        g_string_truncate(out, 0);
        at += narrow_chunk(bytes, (gsize)got, order, at + (guint64)got == blob_size(text), out);
        ok = spool_add(spool, out->str, out->len, error);
        got = ok ? blob_read(text, at, bytes, sizeof bytes, error) : 0;
    }
    if (ok && got >= 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}
