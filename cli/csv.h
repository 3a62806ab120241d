/* Reads CSV (RFC 4180) out of memory: one record after the other, with the line that it begins in. Line ends
 * may be CRLF or LF, cells quoted, with line ends in them; empty lines are passed over. What is put before a
 * cell so that no spreadsheet takes it for a formula, see reports/render_csv.c, is taken away again. */
#pragma once

#include <glib.h>

struct csv_reader {
    const char *at;
    guint line; /* of the record that csv_next read last, from 1 */
    guint next; /* line that `at` is in */
};

/* The text is UTF-8 and stays the caller's, until the last record was read. A byte order mark is passed over.
 */
void csv_begin(struct csv_reader *reader, const char *text);
/* The cells of the next record, owned by the caller, as strings that it frees. NULL at the end, or with
 * WS_ERROR_DATA for a quote that is never closed, or one where none can be. */
GPtrArray *csv_next(struct csv_reader *reader, GError **error);
