#include "ingest/block.h"

#include "ingest/base64.h"
#include "ingest/label.h"
#include "ingest/lines.h"

#include <string.h>

#define BLOCKS_MAX 20 /* that are looked at */
#define NAME_MAX_BYTES 255
#define BLOCK_LINE 16 /* a line of a block has at least so many characters, unless it is the last */

static gboolean starts(const struct line *line, const char *text)
{
    gsize n = strlen(text);
    return line->n >= n && memcmp(line->text, text, n) == 0;
}

static gboolean is_block_line(const struct line *line)
{
    for (gsize i = 0; i < line->n; i++) {
        if (!base64_is_character((guint8)line->text[i]) && !g_ascii_isspace(line->text[i]) &&
            line->text[i] != '=')
            return FALSE;
    }
    return TRUE;
}

/* The stretch from the line that begins a block to its last line. */
static guint64 block_end(struct lines *lines, const struct line *first, GError **error)
{
    struct line line;
    guint64 end = first->offset + first->length;
    while (lines_next(lines, &line, error) && is_block_line(&line)) {
        end = line.offset + line.length;
        if (line.n && line.n < BLOCK_LINE)
            break;
    }
    return end;
}

/* A declaration, or the first tag of a report, maybe with a prefix: "<?xml version", "<r:feedback>". Mailers
 * of Microsoft write "<?xml:namespace" into HTML. */
static gboolean is_xml(const struct line *line)
{
    gsize at = 0;
    while (at < line->n && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    struct line rest = {.text = line->text + at, .n = line->n - at};
    if (starts(&rest, "<?xml"))
        return rest.n > strlen("<?xml") && g_ascii_isspace(rest.text[strlen("<?xml")]);
    if (!starts(&rest, "<"))
        return FALSE;
    gsize n = 1;
    while (n < rest.n && (g_ascii_isalnum(rest.text[n]) || strchr("-_.:", rest.text[n])))
        n++;
    const char *colon = memrchr(rest.text, ':', n);
    const char *name = colon ? colon + 1 : rest.text + 1;
    return n - (gsize)(name - rest.text) == strlen("feedback") &&
           memcmp(name, "feedback", strlen("feedback")) == 0 &&
           (n == rest.n || strchr(" \t\r>/", rest.text[n]));
}

/* The name behind "begin 644 ", made harmless, or NULL. Owned by the caller. */
static char *begun_name(const struct line *line)
{
    gsize at = strlen("begin ");
    if (!starts(line, "begin "))
        return NULL;
    while (at < line->n && line->text[at] >= '0' && line->text[at] <= '7')
        at++;
    gsize digits = at - strlen("begin ");
    if (digits < 3 || digits > 4 || at + 1 >= line->n || line->text[at] != ' ')
        return NULL;
    return label_safe(line->text + at + 1, (gssize)(line->n - at - 1), NAME_MAX_BYTES);
}

/* Whether it has as many characters as its first one says, and maybe a check sum; some leave out those that
 * hold nothing. */
static gboolean is_uu_line(const struct line *line)
{
    if (line->n == 0 || line->text[0] < ' ' || line->text[0] > '`')
        return FALSE;
    gsize bytes = (gsize)(line->text[0] - ' ') & 63, whole = (bytes + 2) / 3 * 4;
    gsize needed = (bytes * 4 + 2) / 3;
    return line->n - 1 >= needed && line->n - 1 <= whole + 2;
}

/* The end of a uuencoded file, behind its "end"; or `from` when no line of one follows. */
static guint64 uu_end(struct lines *lines, guint64 from, GError **error)
{
    struct line line;
    guint64 end = from;
    while (lines_next(lines, &line, error)) {
        gboolean last = starts(&line, "end") && line.n == 3;
        if (!last && !is_uu_line(&line))
            break;
        end = line.offset + line.length;
        if (last)
            break;
    }
    return end;
}

static gboolean is_packed(const struct line *line)
{
    /* gzip, zip, "<?xml", "<feedback" */
    return starts(line, "H4sI") || starts(line, "UEsDB") || starts(line, "PD94bWw") ||
           starts(line, "PGZlZWRiYWNr");
}

gboolean block_search(struct blob *text, guint64 from, guint64 to, block_func block, void *self,
                      GError **error)
{
    struct lines lines;
    struct line line;
    g_autoptr(GError) failure = NULL;
    gboolean ok = TRUE, xml = FALSE;
    to = MIN(to, blob_size(text));
    lines_init(&lines, text, from, to);
    for (guint blocks = 0; ok && blocks < BLOCKS_MAX && lines_next(&lines, &line, &failure);) {
        guint64 start = line.offset, begun = line.offset + line.length, end = to;
        gboolean packed = is_packed(&line), is_first_xml = !packed && !xml && is_xml(&line);
        g_autofree char *name = packed || is_first_xml ? NULL : begun_name(&line);
        if (!packed && !is_first_xml && !name)
            continue;
        if (packed)
            end = block_end(&lines, &line, &failure);
        else if (name)
            end = uu_end(&lines, begun, &failure);
        if (failure)
            break;
        /* The line that ended it may begin another. */
        if (packed || name)
            lines.at = end;
        if (name && end == begun)
            continue;
        xml |= is_first_xml;
        blocks++;
        const struct block found = {.raw = blob_slice(text, start, end - start),
                                    .encoding = packed ? "base64"
                                                : name ? "x-uuencode"
                                                       : NULL,
                                    .name = name};
        ok = block(self, &found, &failure);
    }
    lines_clear(&lines);
    if (!failure)
        return ok;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
