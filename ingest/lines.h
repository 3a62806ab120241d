/* The lines of a stretch of a blob, one after the other, in constant memory: what the scan of a mail and the
 * splitting of an mbox need. A line ends with LF or CR LF, or with the stretch. */
#pragma once

#include "ingest/blob.h"

#define LINE_TEXT 4096 /* at least so many bytes of a line can be looked at */
#define LINE_END 2     /* at most so many bytes end a line; they stand behind its text */

struct line {
    guint64 offset;   /* in the blob */
    guint64 length;   /* with its end */
    const char *text; /* its first bytes, without its end; lent until the next call; not NUL-terminated */
    gsize n;          /* how many: all of them, or at least LINE_TEXT */
};

struct lines {
    struct blob *blob; /* lent */
    guint64 at, end;
    const guint8 *memory; /* the whole blob, or NULL */
    guint8 *window;       /* bytes from window_at on */
    guint64 window_at;
    gsize window_n;
};

/* From offset to end (exclusive; cut to the blob's size). */
void lines_init(struct lines *lines, struct blob *blob, guint64 offset, guint64 end);
void lines_clear(struct lines *lines);
/* TRUE and a line; FALSE at the end, or with an error when the blob cannot be read. */
gboolean lines_next(struct lines *lines, struct line *line, GError **error);
/* Whether it holds nothing but blanks. */
gboolean line_is_blank(const struct line *line);
