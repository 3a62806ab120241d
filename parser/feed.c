#include "parser/feed.h"

#include "parser/error.h"

#include <string.h>

enum {
    CHUNK = 64 * 1024,
    WINDOW = 128 * 1024, /* kept behind the place of reading when the document is too long to be kept */
    HEAD = 1024,         /* the XML declaration ends before */
    KEPT = 4 * WINDOW,   /* memory that waits for the next document */
    RUN = 4096,          /* bytes beyond ASCII that are looked at together */
};

gunichar feed_windows_1252(guint8 byte)
{
    static const guint16 high[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                     0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                     0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                     0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    return byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
}

/* Room for n more bytes, giving up what nobody will ask for again. */
static void make_room(struct feed *feed, gsize n)
{
    if (feed->length + n <= feed->room)
        return;
    guint64 keep = feed->mark;
    if (feed->base + feed->length + n - keep > feed->limits->xml_repair + CHUNK)
        keep = feed->given > WINDOW ? MAX(keep, feed->given - WINDOW) : keep;
    gsize drop = keep > feed->base ? (gsize)MIN(keep - feed->base, feed->length) : 0;
    if (drop > feed->length / 2) {
        memmove(feed->data, feed->data + drop, feed->length - drop);
        feed->length -= drop;
        feed->base += drop;
        /* A stream through a small window stays in the processor's cache. */
        if (feed->room > KEPT && feed->length + n <= KEPT) {
            feed->room = KEPT;
            feed->data = g_realloc(feed->data, feed->room);
        }
    }
    if (feed->length + n > feed->room) {
        feed->room = MAX(feed->room * 2, feed->length + n);
        feed->data = g_realloc(feed->data, feed->room);
    }
}

static void put_bytes(struct feed *feed, const void *bytes, gsize n)
{
    if (n == 0)
        return;
    make_room(feed, n);
    memcpy(feed->data + feed->length, bytes, n);
    feed->length += n;
}

static void put_char(struct feed *feed, gunichar c)
{
    char utf8[6];
    put_bytes(feed, utf8, (gsize)g_unichar_to_utf8(c, utf8));
}

static void take_raw(struct feed *feed, gsize n)
{
    memmove(feed->raw, feed->raw + n, feed->raw_length - n);
    feed->raw_length -= n;
}

/* Declared to be of one byte a character. Where all that stands together beyond ASCII reads as UTF-8, it is
 * that: a German ue is no A with a tilde and a quarter. */
static gboolean translate_single(struct feed *feed, gboolean last)
{
    gsize i = 0;
    while (i < feed->raw_length) {
        const char *at = (const char *)feed->raw + i;
        gsize n = 0;
        while (i + n < feed->raw_length && feed->raw[i + n] < 0x80)
            n++;
        put_bytes(feed, at, n);
        i += n;
        at += n;
        for (n = 0; i + n < feed->raw_length && n < RUN && feed->raw[i + n] >= 0x80;)
            n++;
        /* More of it may come. */
        if (n == 0 || (i + n == feed->raw_length && n < RUN && !last))
            break;
        const char *end;
        gboolean whole = g_utf8_validate_len(at, n, &end), cut = n == RUN && at + n - end < 4;
        if (whole || cut) {
            feed->bad_charset = TRUE;
            n = (gsize)(end - at);
            put_bytes(feed, at, n);
        }
        for (gsize k = 0; k < n && !whole && !cut; k++) {
            gunichar c = feed->high[feed->raw[i + k] - 0x80];
            feed->bad_charset = feed->bad_charset || c == 0xfffd;
            put_char(feed, c);
        }
        i += n;
    }
    take_raw(feed, i);
    return TRUE;
}

static gboolean translate_utf16(struct feed *feed, gsize high)
{
    gsize i = 0;
    for (; i + 2 <= feed->raw_length; i += 2) {
        gunichar c = (gunichar)(feed->raw[i + high] << 8 | feed->raw[i + 1 - high]);
        if (c >= 0xd800 && c < 0xdc00) {
            if (i + 4 > feed->raw_length)
                break;
            gunichar d = (gunichar)(feed->raw[i + 2 + high] << 8 | feed->raw[i + 3 - high]);
            if (d >= 0xdc00 && d < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00);
                i += 2;
            }
        }
        if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
            feed->bad_charset = TRUE;
        }
        put_char(feed, c);
    }
    take_raw(feed, i);
    return TRUE;
}

static gboolean translate_utf16_le(struct feed *feed, gboolean last G_GNUC_UNUSED)
{
    return translate_utf16(feed, 1);
}

static gboolean translate_utf16_be(struct feed *feed, gboolean last G_GNUC_UNUSED)
{
    return translate_utf16(feed, 0);
}

static gboolean translate_iconv(struct feed *feed, gboolean last)
{
    char out[4096];
    while (feed->raw_length > 0) {
        gchar *from = (gchar *)feed->raw, *to = out;
        gsize from_left = feed->raw_length, to_left = sizeof out;
        gsize status = g_iconv(feed->iconv, &from, &from_left, &to, &to_left);
        int why = errno;
        put_bytes(feed, out, sizeof out - to_left);
        take_raw(feed, feed->raw_length - from_left);
        if (status != (gsize)-1 || why == E2BIG)
            continue;
        if (why == EINVAL && !last)
            return TRUE;
        feed->bad_charset = TRUE;
        put_char(feed, 0xfffd);
        take_raw(feed, 1);
    }
    return TRUE;
}

static gboolean translate_nothing(struct feed *feed, gboolean last G_GNUC_UNUSED)
{
    put_bytes(feed, feed->raw, feed->raw_length);
    feed->raw_length = 0;
    return TRUE;
}

static gboolean is_blank(guint8 c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of encoding="" in the XML declaration that the raw bytes begin with, or NULL. */
static char *declared_charset(const guint8 *raw, gsize n)
{
    if (n < 6 || memcmp(raw, "<?xml", 5) != 0 || !is_blank(raw[5]))
        return NULL;
    g_autofree char *text = g_strndup((const char *)raw, MIN(n, (gsize)HEAD));
    char *end = strstr(text, "?>");
    char *found = strstr(text, "encoding");
    if (end == NULL || found == NULL || found > end)
        return NULL;
    *end = '\0';
    char *value = strpbrk(found, "\"'");
    char *close = value != NULL ? strchr(value + 1, *value) : NULL;
    return close != NULL ? g_strndup(value + 1, (gsize)(close - value - 1)) : NULL;
}

/* Whether it may be the name of an encoding (XML 1.0 section 4.3.3): iconv would look away from bytes that
 * are in none. UTF-7 hides what it says from everybody who does not expect it. */
static gboolean is_encoding(const char *name)
{
    static const char *const hidden[] = {"utf-7", "utf7", "utf-7-imap", "unicode-1-1-utf-7", "csutf7", NULL};
    return g_ascii_isalpha(*name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-:") == strlen(name) &&
           !g_strv_contains(hidden, name);
}

/* Whether the text comes out of iconv as it is. */
static gboolean keeps(GIConv iconv, const char *text)
{
    g_iconv(iconv, NULL, NULL, NULL, NULL);
    g_autofree char *out = g_convert_with_iconv(text, -1, iconv, NULL, NULL, NULL);
    return g_strcmp0(out, text) == 0;
}

/* Fills feed->high. FALSE when there are characters of several bytes, or states. */
static gboolean is_single(struct feed *feed, GIConv iconv)
{
    if (!keeps(iconv, "<?xml ~{\033$B\016"))
        return FALSE;
    for (guint byte = 0x80; byte < 0x100; byte++) {
        char in[] = {(char)byte}, out[8], *from = in, *to = out;
        gsize from_left = sizeof in, to_left = sizeof out;
        gboolean ok = g_iconv(iconv, &from, &from_left, &to, &to_left) != (gsize)-1;
        if ((!ok && errno != EILSEQ) || (ok && to == out))
            return FALSE;
        feed->high[byte - 0x80] = ok ? g_utf8_get_char_validated(out, to - out) : 0xfffd;
    }
    return TRUE;
}

static void choose_declared(struct feed *feed)
{
    static const char *const utf8[] = {"utf-8", "utf8", "us-ascii", "ascii", NULL};
    static const char *const latin[] = {"iso-8859-1", "iso8859-1", "iso_8859-1",   "latin1", "latin-1",
                                        "l1",         "ibm819",    "windows-1252", "cp1252", NULL};
    g_autofree char *declared = declared_charset(feed->raw, feed->raw_length);
    g_autofree char *name = declared != NULL ? g_ascii_strdown(declared, -1) : NULL;
    feed->translate = translate_nothing;
    if (name == NULL || g_strv_contains(utf8, name))
        return;
    if (g_strv_contains(latin, name)) {
        for (guint byte = 0x80; byte < 0x100; byte++)
            feed->high[byte - 0x80] = feed_windows_1252((guint8)byte);
        feed->translate = translate_single;
        return;
    }
    /* UTF-16 and UTF-32 would not have let us read their own name as ASCII. */
    gboolean wide = g_str_has_prefix(name, "utf-16") || g_str_has_prefix(name, "utf-32") ||
                    g_strrstr(name, "ucs") != NULL;
    GIConv iconv = wide || !is_encoding(name) ? (GIConv)-1 : g_iconv_open("UTF-8", name);
    if (iconv == (GIConv)-1) {
        feed->bad_charset = TRUE;
        return;
    }
    feed->iconv = iconv;
    /* We have read its name as ASCII. */
    feed->bad_charset = !keeps(iconv, "<?xml");
    if (!feed->bad_charset)
        feed->translate = is_single(feed, iconv) ? translate_single : translate_iconv;
}

/* One call of the source: up to CHUNK bytes. -1 with feed->error. */
static gssize read_source(struct feed *feed, guint8 *bytes, gsize n)
{
    if (g_get_monotonic_time() >= feed->deadline) {
        feed->late = TRUE;
        g_set_error(&feed->error, WS_ERROR, WS_ERROR_LIMIT,
                    "reading the document took longer than report_seconds (%u)",
                    feed->limits->report_seconds);
        return -1;
    }
    gssize got = feed->source.read(feed->source.self, bytes, n, &feed->error);
    feed->ended = got == 0;
    return got;
}

static gboolean read_raw(struct feed *feed)
{
    gssize n = read_source(feed, feed->raw + feed->raw_length, CHUNK - feed->raw_length);
    if (n < 0)
        return FALSE;
    feed->raw_length += (gsize)n;
    return TRUE;
}

/* What needs no translation is read to where it stays. */
static gboolean read_plain(struct feed *feed)
{
    make_room(feed, CHUNK);
    gssize n = read_source(feed, feed->data + feed->length, CHUNK);
    if (n < 0)
        return FALSE;
    feed->length += (gsize)n;
    return TRUE;
}

/* UTF-16 by its BOM, or by the NULs beside the ASCII that a document begins with; else NULL. */
static feed_translation utf16_order(const struct feed *feed)
{
    const guint8 *raw = feed->raw;
    if (feed->raw_length < 2)
        return NULL;
    gboolean four = feed->raw_length >= 4;
    if ((raw[0] == 0xff && raw[1] == 0xfe) ||
        (raw[1] == 0 && (raw[0] == '<' || is_blank(raw[0])) && (!four || raw[3] == 0)))
        return translate_utf16_le;
    if ((raw[0] == 0xfe && raw[1] == 0xff) ||
        (raw[0] == 0 && (raw[1] == '<' || is_blank(raw[1])) && (!four || raw[2] == 0)))
        return translate_utf16_be;
    return NULL;
}

/* How many bytes stand before the document: BOMs, white space and control characters. All but BOMs count. */
static gsize lead_length(const guint8 *data, gsize n, gboolean *lead_r)
{
    gsize at = 0;
    for (;;) {
        if (n - at >= 3 && memcmp(data + at, "\xef\xbb\xbf", 3) == 0) {
            at += 3;
        } else if (at < n && data[at] <= ' ') {
            at++;
            *lead_r = TRUE;
        } else {
            return at;
        }
    }
}

/* Fills the first bytes, takes off what stands before the document, and chooses the translation. */
static gboolean begin(struct feed *feed)
{
    gboolean lead = FALSE;
    do {
        if (!read_raw(feed))
            return FALSE;
    } while (!feed->ended && feed->raw_length < HEAD);
    feed_translation wide = utf16_order(feed);
    do {
        if (wide)
            wide(feed, feed->ended);
        guint8 *data = wide ? feed->data : feed->raw;
        gsize *length = wide ? &feed->length : &feed->raw_length;
        gsize n = lead_length(data, *length, &lead);
        memmove(data, data + n, *length - n);
        *length -= n;
        if (*length >= HEAD || feed->ended)
            break;
    } while (read_raw(feed));
    if (feed->error != NULL)
        return FALSE;
    const guint8 *data = wide ? feed->data : feed->raw;
    feed->lead = lead && (wide ? feed->length : feed->raw_length) >= 5 && memcmp(data, "<?xml", 5) == 0;
    if (wide)
        feed->translate = wide;
    else
        choose_declared(feed);
    return wide != NULL || feed->translate(feed, feed->ended);
}

static gboolean read_more(struct feed *feed)
{
    if (feed->translate == NULL)
        return begin(feed);
    if (feed->translate == translate_nothing)
        return read_plain(feed);
    return read_raw(feed) && feed->translate(feed, feed->ended);
}

/* More translated bytes. FALSE at the end or with an error. */
static gboolean fill(struct feed *feed)
{
    guint64 before = feed->base + feed->length;
    while (feed->error == NULL && !feed->ended && feed->base + feed->length == before)
        if (!read_more(feed))
            return FALSE;
    return feed->base + feed->length > before;
}

void feed_init(struct feed *feed, const struct limits *limits)
{
    *feed = (struct feed){.limits = limits, .raw = g_malloc(CHUNK)};
}

void feed_start(struct feed *feed, struct byte_reader source)
{
    feed->source = source;
    feed->deadline = g_get_monotonic_time() + (gint64)feed->limits->report_seconds * G_USEC_PER_SEC;
}

void feed_forget(struct feed *feed)
{
    g_clear_error(&feed->error);
    if (feed->iconv != NULL)
        g_iconv_close(feed->iconv);
    if (feed->room > KEPT) {
        g_clear_pointer(&feed->data, g_free);
        feed->room = 0;
    }
    *feed = (struct feed){.limits = feed->limits, .raw = feed->raw, .data = feed->data, .room = feed->room};
}

void feed_clear(struct feed *feed)
{
    feed_forget(feed);
    g_free(feed->data);
    g_free(feed->raw);
    *feed = (struct feed){0};
}

gssize feed_read(struct feed *feed, void *buf, gsize n)
{
    if (feed->given == feed->base + feed->length && !fill(feed))
        return feed->error != NULL ? -1 : 0;
    gsize at = (gsize)(feed->given - feed->base);
    gsize take = MIN(n, feed->length - at);
    memcpy(buf, feed->data + at, take);
    feed->given += take;
    return (gssize)take;
}

int feed_at(struct feed *feed, guint64 offset)
{
    while (offset >= feed->base + feed->length) {
        feed->given = feed->base + feed->length;
        if (!fill(feed))
            return -1;
    }
    return offset >= feed->base ? feed->data[offset - feed->base] : -1;
}

gboolean feed_go(struct feed *feed, guint64 offset)
{
    if (offset < feed->base || offset > feed->base + feed->length)
        return FALSE;
    feed->given = feed->mark = offset;
    return TRUE;
}

gboolean feed_rest(struct feed *feed, guint64 offset, const guint8 **data_r, gsize *length_r)
{
    while (feed->base <= offset && feed->base + feed->length - offset <= feed->limits->xml_repair) {
        if (fill(feed))
            continue;
        if (feed->error != NULL)
            return FALSE;
        *data_r = feed->data + (offset - feed->base);
        *length_r = (gsize)(feed->base + feed->length - offset);
        return TRUE;
    }
    return FALSE;
}

gboolean feed_breaks_off(struct feed *feed, guint64 offset)
{
    for (; feed->error == NULL; offset++) {
        int c = feed_at(feed, offset);
        if (c < 0)
            return feed->ended;
        if (c == '<')
            return FALSE;
    }
    return FALSE;
}

guint64 feed_end(const struct feed *feed)
{
    return feed->base + feed->length;
}
