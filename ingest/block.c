#include "ingest/block.h"

#include "ingest/base64.h"
#include "ingest/lines.h"

#include <string.h>

#define BLOCKS_MAX 20 /* that are looked at */
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
        /* gzip, zip, "<?xml", "<feedback" */
        gboolean packed = starts(&line, "H4sI") || starts(&line, "UEsDB") || starts(&line, "PD94bWw") ||
                          starts(&line, "PGZlZWRiYWNr");
        if (!packed && (xml || !is_xml(&line)))
            continue;
        guint64 end = packed ? block_end(&lines, &line, &failure) : to;
        xml |= !packed;
        blocks++;
        if (failure)
            break;
        const struct block found = {blob_slice(text, line.offset, end - line.offset),
                                    packed ? "base64" : NULL};
        ok = block(self, &found, &failure);
    }
    lines_clear(&lines);
    if (!failure)
        return ok;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
