#include "ingest/mbox.h"

#include "ingest/content.h"
#include "ingest/lines.h"
#include "parser/error.h"

#include <string.h>

#define IN_MEMORY ((guint64)1024 * 1024)

struct mbox {
    struct blob *body;
    guint64 most;
    struct lines lines;
    struct line from; /* the "From " line of the next mail; only offset and length are valid */
    gboolean have;    /* there is a next mail */
    gboolean begun;
    gboolean strict;
};

/* Where one mail lies, and whether a line of it was quoted. */
struct stretch {
    guint64 start, end;
    gboolean quoted;
};

/* Where the first separator is, or -1. */
static gssize first_from(const guint8 *start, gsize n)
{
    gsize bom = n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, at = bom;
    while (at < n && g_ascii_isspace(start[at]))
        at++;
    gboolean begins = at == bom || start[at - 1] == '\n';
    return begins && n - at >= 5 && memcmp(start + at, "From ", 5) == 0 ? (gssize)at : -1;
}

static gssize first_from_in(struct blob *body)
{
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(body, 0, start, sizeof start, NULL);
    return got > 0 ? first_from(start, (gsize)got) : -1;
}

gboolean mbox_starts(const guint8 *start, gsize n)
{
    return first_from(start, n) >= 0;
}

gboolean mbox_is(struct blob *body)
{
    return first_from_in(body) >= 0;
}

static gboolean is_from(const struct line *line)
{
    return line->n > 5 && memcmp(line->text, "From ", 5) == 0;
}

/* ">From ", ">>From ": a line of a body that an mbox writer quoted. */
static gboolean is_quoted_from(const struct line *line)
{
    gsize n = 0;
    while (n < line->n && line->text[n] == '>')
        n++;
    return n > 0 && line->n - n >= 5 && memcmp(line->text + n, "From ", 5) == 0;
}

/* "12:34", as every date of a separator has. */
static gboolean has_time(const struct line *line)
{
    for (gsize i = 1; i + 2 < line->n; i++) {
        if (line->text[i] == ':' && g_ascii_isdigit(line->text[i - 1]) &&
            g_ascii_isdigit(line->text[i + 1]) && g_ascii_isdigit(line->text[i + 2]))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_field(const struct line *line)
{
    gsize n = 0;
    while (n < line->n && line->text[n] > 32 && line->text[n] < 127 && line->text[n] != ':')
        n++;
    return n > 0 && n < line->n && line->text[n] == ':';
}

struct mbox *mbox_open(struct blob *body, gboolean strict, guint64 most)
{
    gssize from = first_from_in(body);
    struct mbox *mbox = g_new0(struct mbox, 1);
    mbox->strict = strict;
    mbox->body = blob_ref(body);
    mbox->most = most;
    lines_init(&mbox->lines, body, (guint64)MAX(from, 0), blob_size(body));
    return mbox;
}

void mbox_close(struct mbox *mbox)
{
    if (!mbox)
        return;
    lines_clear(&mbox->lines);
    blob_unref(mbox->body);
    g_free(mbox);
}

/* Reads on to the next separator: "From ", with a header field in the next line, and behind a blank line or
 * with a time in it, where strict with both. A line of prose that begins so is not mistaken for one. */
static gboolean find_end(struct mbox *mbox, struct stretch *stretch, GError **error)
{
    struct line line, candidate = {0};
    gboolean waiting = FALSE, blank = FALSE;
    mbox->have = FALSE;
    g_autoptr(GError) failure = NULL;
    while (lines_next(&mbox->lines, &line, &failure)) {
        if (waiting && is_field(&line)) {
            mbox->have = TRUE;
            mbox->from = candidate;
            stretch->end = candidate.offset;
            return TRUE;
        }
        waiting = is_from(&line) && (mbox->strict ? blank && has_time(&line) : blank || has_time(&line));
        if (waiting)
            candidate = (struct line){.offset = line.offset, .length = line.length};
        stretch->quoted |= is_quoted_from(&line);
        blank = line_is_blank(&line);
    }
    stretch->end = blob_size(mbox->body);
    if (!failure)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* The mail with one '>' less in front of each quoted line. */
static struct blob *unquote(struct mbox *mbox, const struct stretch *stretch, GError **error)
{
    struct spool *spool = spool_new(stretch->end - stretch->start, "message_size");
    struct lines lines;
    struct line line;
    guint8 buf[16384];
    g_autoptr(GError) failure = NULL;
    lines_init(&lines, mbox->body, stretch->start, stretch->end);
    while (!failure && lines_next(&lines, &line, &failure)) {
        guint64 at = line.offset + (is_quoted_from(&line) ? 1 : 0), end = line.offset + line.length;
        gssize got = 0;
        for (; at < end && !failure; at += (guint64)got) {
            got = blob_read(mbox->body, at, buf, (gsize)MIN(sizeof buf, end - at), &failure);
            if (got <= 0 || !spool_add(spool, buf, (gsize)got, &failure))
                break;
        }
    }
    lines_clear(&lines);
    if (!failure)
        return spool_finish(spool, error);
    spool_free(spool);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

static struct blob *copy_small(struct mbox *mbox, const struct stretch *stretch, GError **error)
{
    struct blob *slice = blob_slice(mbox->body, stretch->start, stretch->end - stretch->start);
    if (blob_bytes(slice) || blob_size(slice) > IN_MEMORY)
        return slice;
    struct spool *spool = spool_new(IN_MEMORY, "message_size");
    guint8 buf[16384];
    gssize got;
    for (guint64 at = 0; (got = blob_read(slice, at, buf, sizeof buf, error)) > 0; at += (guint64)got) {
        if (!spool_add(spool, buf, (gsize)got, error))
            got = -1;
        if (got < 0)
            break;
    }
    blob_unref(slice);
    if (got == 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}

gboolean mbox_next(struct mbox *mbox, struct blob **mail_r, GError **refusal_r, GError **error)
{
    struct stretch stretch = {0};
    g_autoptr(GError) failure = NULL;
    *mail_r = NULL;
    if (!mbox->begun) {
        struct line first;
        mbox->begun = TRUE;
        mbox->have = lines_next(&mbox->lines, &first, &failure);
        if (mbox->have)
            mbox->from = first;
    }
    if (failure || !mbox->have) {
        if (failure)
            g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    stretch.start = mbox->from.offset + mbox->from.length;
    if (!find_end(mbox, &stretch, error))
        return FALSE;
    guint64 size = stretch.end - stretch.start;
    if (size > mbox->most)
        g_set_error(&failure, WS_ERROR, WS_ERROR_LIMIT,
                    "limit message_size: more than %" G_GUINT64_FORMAT " bytes", mbox->most);
    else
        *mail_r = stretch.quoted ? unquote(mbox, &stretch, &failure) : copy_small(mbox, &stretch, &failure);
    if (failure && failure->code == WS_ERROR_SYSTEM) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (failure)
        g_propagate_error(refusal_r, g_steal_pointer(&failure));
    return TRUE;
}
