#include "parser/tag_guard.h"

#include <string.h>

static const char comment[] = "!--", cdata[] = "![CDATA[";

/* One byte behind '<': collects what tells the kinds of markup apart. */
static void open_step(struct tag_guard *guard, char c)
{
    guard->start[guard->length++] = c;
    gsize n = (gsize)guard->length;
    gboolean maybe = strncmp(guard->start, comment, n) == 0 || strncmp(guard->start, cdata, n) == 0;
    guard->matched = 0;
    if (n == 1 && c == '?')
        guard->place = TAG_PI;
    else if (n == strlen(comment) && memcmp(guard->start, comment, n) == 0)
        guard->place = TAG_COMMENT;
    else if (n == strlen(cdata) && memcmp(guard->start, cdata, n) == 0)
        guard->place = TAG_CDATA;
    else if (c == '>')
        guard->place = TAG_TEXT;
    else if (!maybe)
        guard->place = c == '"' || c == '\'' ? TAG_QUOTED : TAG_INSIDE;
    if (guard->place == TAG_QUOTED)
        guard->quote = c;
}

/* Runs to the '>' that ends the tag. Returns the bytes used. */
static gsize inside_step(struct tag_guard *guard, const char *bytes, gsize n)
{
    gsize i = 0;
    if (guard->place == TAG_INSIDE) {
        while (i < n && bytes[i] != '>' && bytes[i] != '"' && bytes[i] != '\'')
            i++;
        if (i < n) {
            guard->place = bytes[i] == '>' ? TAG_TEXT : TAG_QUOTED;
            guard->quote = bytes[i++];
        }
    } else {
        const char *close = memchr(bytes, guard->quote, n);
        i = close != NULL ? (gsize)(close - bytes) + 1 : n;
        if (close != NULL)
            guard->place = TAG_INSIDE;
    }
    guard->length += i;
    return i;
}

/* Runs to `end` ("-->", "]]>", "?>"); a run of its first byte may be longer than in `end`. */
static gsize until_step(struct tag_guard *guard, const char *bytes, gsize n, const char *end)
{
    guint last = (guint)strlen(end) - 1;
    for (gsize i = 0; i < n; i++) {
        if (bytes[i] == '>' && guard->matched == last) {
            guard->place = TAG_TEXT;
            return i + 1;
        }
        if (bytes[i] == end[0])
            guard->matched = MIN(guard->matched + 1, last);
        else
            guard->matched = 0;
    }
    return n;
}

/* Behind the last byte that gives a '<' or '>' another meaning: nearly all of a report has none. */
static const char *behind_specials(const char *bytes, gsize n)
{
    static const char specials[] = {'"', '\'', '!', '?'};
    const char *rest = bytes, *end = bytes + n;
    for (gsize i = 0; i < sizeof specials; i++) {
        const char *last = memrchr(rest, specials[i], (gsize)(end - rest));
        if (last != NULL)
            rest = last + 1;
    }
    return rest;
}

/* A piece without specials, no longer than a tag may be, whose last byte is no '<': only a tag that reaches
 * over its beginning can be too long, and only its last '<' and '>' tell where it ends. */
static gboolean pass_simple(struct tag_guard *guard, const char *bytes, gsize n)
{
    if (guard->place == TAG_INSIDE) {
        const char *close = memchr(bytes, '>', n);
        guard->length += close != NULL ? (gsize)(close - bytes) + 1 : n;
        if (guard->length > guard->limit)
            return FALSE;
        if (close == NULL)
            return TRUE;
    }
    const char *close = memrchr(bytes, '>', n);
    const char *rest = close != NULL ? close + 1 : bytes;
    const char *open = memchr(rest, '<', n - (gsize)(rest - bytes));
    guard->place = open != NULL ? TAG_INSIDE : TAG_TEXT;
    guard->length = open != NULL ? n - (gsize)(open - bytes) - 1 : 0;
    return TRUE;
}

/* Takes one step in what needs a closer look. Returns the bytes used. */
static gsize step(struct tag_guard *guard, const char *bytes, gsize n)
{
    switch (guard->place) {
    case TAG_OPEN:
        open_step(guard, *bytes);
        return 1;
    case TAG_INSIDE:
    case TAG_QUOTED:
        return inside_step(guard, bytes, n);
    case TAG_COMMENT:
        return until_step(guard, bytes, n, "-->");
    case TAG_CDATA:
        return until_step(guard, bytes, n, "]]>");
    case TAG_PI:
        return until_step(guard, bytes, n, "?>");
    case TAG_TEXT:
        break;
    }
    const char *open = memchr(bytes, '<', n);
    if (open == NULL)
        return n;
    gsize used = (gsize)(open - bytes) + 1;
    /* Nearly all are plain tags, which need no second look at how they start. */
    gboolean plain = used < n && (g_ascii_isalpha(bytes[used]) || bytes[used] == '/');
    guard->place = plain ? TAG_INSIDE : TAG_OPEN;
    guard->length = 0;
    return used;
}

gboolean tag_guard_pass(struct tag_guard *guard, const char *bytes, gsize n)
{
    const char *end = bytes + n, *simple = behind_specials(bytes, n);
    while (bytes < end) {
        gsize rest = (gsize)(end - bytes), most = rest - (end[-1] == '<');
        gboolean between = guard->place == TAG_TEXT || guard->place == TAG_INSIDE;
        if (between && bytes >= simple && most > 0 && most <= guard->limit) {
            if (!pass_simple(guard, bytes, most))
                return FALSE;
            bytes += most;
            continue;
        }
        gboolean inside = guard->place == TAG_INSIDE || guard->place == TAG_QUOTED;
        bytes += step(guard, bytes, rest);
        if (inside && guard->length > guard->limit)
            return FALSE;
    }
    return TRUE;
}
