#include "ingest/mutf7.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The bits of UTF-16 that do not fill a base64 digit yet. */
struct shift {
    guint32 bits;
    guint n;
};

static void put_unit(GString *out, struct shift *shift, guint unit)
{
    shift->bits = shift->bits << 16 | unit;
    shift->n += 16;
    while (shift->n >= 6) {
        shift->n -= 6;
        g_string_append_c(out, alphabet[shift->bits >> shift->n & 63]);
    }
    shift->bits &= (1u << shift->n) - 1;
}

static void put_char(GString *out, struct shift *shift, gunichar c)
{
    if (c >= 0x10000) {
        put_unit(out, shift, 0xD800u + ((c - 0x10000) >> 10));
        put_unit(out, shift, 0xDC00u + ((c - 0x10000) & 0x3FF));
    } else {
        put_unit(out, shift, c);
    }
}

static void end_shift(GString *out, struct shift *shift)
{
    if (shift->n)
        g_string_append_c(out, alphabet[shift->bits << (6 - shift->n) & 63]);
    g_string_append_c(out, '-');
    *shift = (struct shift){0};
}

char *mutf7_encode(const char *name)
{
    if (!g_utf8_validate(name, -1, NULL))
        return NULL;
    GString *out = g_string_new(NULL);
    struct shift shift = {0};
    gboolean shifted = FALSE;
    for (const char *at = name; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        gboolean plain = c >= 0x20 && c <= 0x7e;
        if (plain && shifted)
            end_shift(out, &shift);
        else if (!plain && !shifted)
            g_string_append_c(out, '&');
        shifted = !plain;
        if (!plain)
            put_char(out, &shift, c);
        else if (c == '&')
            g_string_append(out, "&-");
        else
            g_string_append_c(out, (char)c);
    }
    if (shifted)
        end_shift(out, &shift);
    return g_string_free(out, FALSE);
}
