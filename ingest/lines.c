#include "ingest/lines.h"

#include <string.h>

#define WINDOW 65536

void lines_init(struct lines *lines, struct blob *blob, guint64 offset, guint64 end)
{
    GBytes *bytes = blob_bytes(blob);
    *lines = (struct lines){.blob = blob, .at = offset, .end = MIN(end, blob_size(blob))};
    if (bytes)
        lines->memory = g_bytes_get_data(bytes, NULL);
}

void lines_clear(struct lines *lines)
{
    g_clear_pointer(&lines->window, g_free);
}

static void set_text(struct line *line, const guint8 *start, gsize n)
{
    if (n && start[n - 1] == '\n')
        n--;
    if (n && start[n - 1] == '\r')
        n--;
    line->text = (const char *)start;
    line->n = n;
}

/* Reads the window anew, from `offset` on. */
static gboolean fill(struct lines *lines, guint64 offset, GError **error)
{
    if (!lines->window)
        lines->window = g_malloc(WINDOW);
    lines->window_at = offset;
    lines->window_n = 0;
    while (lines->window_n < WINDOW && offset < lines->end) {
        gssize got = blob_read(lines->blob, offset, lines->window + lines->window_n,
                               (gsize)MIN(WINDOW - lines->window_n, lines->end - offset), error);
        if (got < 0)
            return FALSE;
        if (got == 0)
            break;
        lines->window_n += (gsize)got;
        offset += (guint64)got;
    }
    return TRUE;
}

/* Where a line that fills the whole window ends. */
static gboolean find_end(const struct lines *lines, guint64 from, guint64 *end_r, GError **error)
{
    guint8 buf[16384];
    while (from < lines->end) {
        gssize got = blob_read(lines->blob, from, buf, (gsize)MIN(sizeof buf, lines->end - from), error);
        if (got < 0)
            return FALSE;
        if (got == 0)
            break;
        const guint8 *found = memchr(buf, '\n', (gsize)got);
        if (found) {
            *end_r = from + (guint64)(found - buf) + 1;
            return TRUE;
        }
        from += (guint64)got;
    }
    *end_r = from;
    return TRUE;
}

static gboolean next_in_window(struct lines *lines, struct line *line, GError **error)
{
    for (gboolean fresh = FALSE;; fresh = TRUE) {
        guint64 window_end = lines->window_at + lines->window_n;
        if (lines->window && lines->at >= lines->window_at && lines->at < window_end) {
            const guint8 *start = lines->window + (lines->at - lines->window_at);
            gsize have = (gsize)(window_end - lines->at);
            const guint8 *found = memchr(start, '\n', have);
            if (found || window_end == lines->end) {
                line->length = found ? (guint64)(found - start) + 1 : have;
                set_text(line, start, (gsize)line->length);
                return TRUE;
            }
        }
        if (fresh)
            break;
        if (!fill(lines, lines->at, error))
            return FALSE;
        if (!lines->window_n) {
            lines->at = lines->end;
            return FALSE;
        }
    }
    guint64 end = 0;
    if (!find_end(lines, lines->window_at + lines->window_n, &end, error))
        return FALSE;
    line->length = end - lines->at;
    line->text = (const char *)lines->window;
    line->n = LINE_TEXT;
    return TRUE;
}

gboolean lines_next(struct lines *lines, struct line *line, GError **error)
{
    if (lines->at >= lines->end)
        return FALSE;
    line->offset = lines->at;
    if (lines->memory) {
        const guint8 *start = lines->memory + lines->at;
        gsize left = (gsize)(lines->end - lines->at);
        const guint8 *found = memchr(start, '\n', left);
        line->length = found ? (guint64)(found - start) + 1 : left;
        set_text(line, start, (gsize)line->length);
    } else if (!next_in_window(lines, line, error)) {
        return FALSE;
    }
    lines->at += line->length;
    return TRUE;
}

gboolean line_is_blank(const struct line *line)
{
    for (gsize i = 0; i < line->n; i++) {
        if (line->text[i] != ' ' && line->text[i] != '\t' && line->text[i] != '\r')
            return FALSE;
    }
    return TRUE;
}
