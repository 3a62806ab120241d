#include "cli/csv.h"

#include "parser/error.h"

#include <string.h>

void csv_begin(struct csv_reader *reader, const char *text)
{
    reader->at = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
    reader->line = 0;
    reader->next = 1;
}

static gboolean is_end(const char *at)
{
    return !*at || *at == '\n' || (at[0] == '\r' && at[1] == '\n');
}

/* Behind the line end. */
static void skip_end(struct csv_reader *reader)
{
    reader->at += *reader->at == '\r';
    reader->next += *reader->at == '\n';
    reader->at += *reader->at == '\n';
}

static gboolean read_quoted(struct csv_reader *reader, GString *cell)
{
    for (reader->at++; *reader->at; reader->at++) {
        if (*reader->at == '"' && *++reader->at != '"')
            return is_end(reader->at) || *reader->at == ',';
        reader->next += *reader->at == '\n';
        g_string_append_c(cell, *reader->at);
    }
    return FALSE;
}

static gboolean read_cell(struct csv_reader *reader, GString *cell)
{
    if (*reader->at == '"')
        return read_quoted(reader, cell);
    for (; !is_end(reader->at) && *reader->at != ','; reader->at++) {
        if (*reader->at == '"')
            return FALSE;
        g_string_append_c(cell, *reader->at);
    }
    return TRUE;
}

GPtrArray *csv_next(struct csv_reader *reader, GError **error)
{
    while (*reader->at && is_end(reader->at))
        skip_end(reader);
    if (!*reader->at)
        return NULL;
    reader->line = reader->next;
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
    for (;;) {
        g_autoptr(GString) cell = g_string_new(NULL);
        if (!read_cell(reader, cell)) {
            g_set_error_literal(error, WS_ERROR, WS_ERROR_DATA, "its quotes are not those of CSV");
            g_ptr_array_unref(cells);
            return NULL;
        }
        const char *text = cell->str;
        g_ptr_array_add(cells,
                        g_strdup(text[0] == '\'' && text[1] && strchr("=+-@", text[1]) ? text + 1 : text));
        if (*reader->at != ',')
            break;
        reader->at++;
    }
    skip_end(reader);
    return cells;
}
