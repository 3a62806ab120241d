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

gboolean block_search(struct blob *mail, guint64 from, block_func block, void *self, GError **error)
{
    struct lines lines;
    struct line line;
    g_autoptr(GError) failure = NULL;
    gboolean ok = TRUE;
    lines_init(&lines, mail, from, blob_size(mail));
    for (guint blocks = 0; ok && blocks < BLOCKS_MAX && lines_next(&lines, &line, &failure);) {
        /* gzip, zip, "<?xml", "<feedback" */
        gboolean packed = starts(&line, "H4sI") || starts(&line, "UEsDB") || starts(&line, "PD94bWw") ||
                          starts(&line, "PGZlZWRiYWNr");
        if (!packed && !starts(&line, "<?xml") && !starts(&line, "<feedback"))
            continue;
        guint64 end = packed ? block_end(&lines, &line, &failure) : blob_size(mail);
        blocks++;
        ok = !failure && block(self, blob_slice(mail, line.offset, end - line.offset), packed, &failure);
        if (!packed)
            break;
    }
    lines_clear(&lines);
    if (!failure)
        return ok;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
