#include "ingest/label.h"

#include <string.h>

#define INNER_MAX 200

/* C0, DEL, C1, zero-width and joiners, bidi marks, embeddings and isolates, separators of lines, the BOM,
 * tags. */
static gboolean is_harmful(gunichar c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* How many bytes at the start are printable ASCII, as nearly all are. */
static gsize plain_length(const char *text, gsize most)
{
    gsize n = 0;
    while (n < most && text[n] >= ' ' && text[n] < 0x7f)
        n++;
    return n;
}

char *label_safe(const char *text, gssize n, gsize max)
{
    gsize left = n < 0 ? strlen(text) : (gsize)n;
    GString *out = g_string_sized_new(MIN(left, max) + 1);
    while (left) {
        gsize plain = plain_length(text, MIN(left, max - out->len));
        g_string_append_len(out, text, (gssize)plain);
        text += plain;
        left -= plain;
        if (!left)
            break;
        gunichar c = g_utf8_get_char_validated(text, (gssize)left);
        char piece[16];
        gsize used = 1;
        int length;
        if (c == (gunichar)-1 || c == (gunichar)-2 || c == 0) {
            length = g_snprintf(piece, sizeof piece, "\\x%02x", (guint8)*text);
        } else {
            used = (gsize)(g_utf8_next_char(text) - text);
            if (c == '\t')
                length = g_snprintf(piece, sizeof piece, " ");
            else if (is_harmful(c))
                length = g_snprintf(piece, sizeof piece, c < 0x100 ? "\\x%02x" : "\\u{%04x}", c);
            else
                length = g_unichar_to_utf8(c, piece);
        }
        if (out->len + (gsize)length > max)
            break;
        g_string_append_len(out, piece, length);
        text += used;
        left -= used;
    }
    return g_string_free(out, FALSE);
}

const char *label_better_name(const char *name, const char *other)
{
    return name && (!other || strchr(name, '!') || !strchr(other, '!')) ? name : other;
}

char *label_join(const char *outer, const char *inner)
{
    if (!inner || !*inner)
        return g_strdup(outer);
    g_autofree char *safe = label_safe(inner, -1, INNER_MAX);
    return g_strconcat(outer, " / ", safe, NULL);
}
