#include "reports/text.h"

#include <string.h>

struct csv {
    FILE *out;
    enum column_kind *kinds;
    guint n;
};

/* Quotes what needs it. Text that a spreadsheet would take for a formula gets a ' in front; a number never
 * does. */
static void write_cell(FILE *out, const char *value, gboolean text)
{
    g_autoptr(GString) cell = g_string_new(NULL);
    if (text && *value && strchr("=+-@\t\r", *value))
        g_string_append_c(cell, '\'');
    text_append_safe(cell, value, "\n\t", FALSE);
    if (!strpbrk(cell->str, ",\"\n\t") && cell->str[0] != ' ' && !g_str_has_suffix(cell->str, " ")) {
        fputs(cell->str, out);
        return;
    }
    fputc('"', out);
    for (const char *c = cell->str; *c; c++) {
        if (*c == '"')
            fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void write_value(FILE *out, const char *value, enum column_kind kind)
{
    g_autofree char *made = NULL;
    switch (kind) {
    case COLUMN_NUMBER:
    case COLUMN_NUMBER_OR_SHARE:
    case COLUMN_SIZE:
    case COLUMN_SHARE:
        write_cell(out, value, !text_is_number(value));
        break;
    case COLUMN_BOOL:
        write_cell(out, strcmp(value, "t") == 0 ? "true" : strcmp(value, "f") == 0 ? "false" : value, TRUE);
        break;
    case COLUMN_TIME:
        made = text_iso_time(value);
        write_cell(out, made, TRUE);
        break;
    case COLUMN_LIST:
    case COLUMN_TREND:
        made = text_list_joined(value, "; ");
        write_cell(out, made, TRUE);
        break;
    case COLUMN_TEXT:
    case COLUMN_ADDRESS:
        write_cell(out, value, TRUE);
        break;
    }
}

static gpointer csv_begin(FILE *out, const struct render_column *columns, guint n,
                          const struct render_style *style)
{
    (void)style;
    struct csv *csv = g_new0(struct csv, 1);
    csv->out = out;
    csv->n = n;
    csv->kinds = g_new0(enum column_kind, n);
    for (guint i = 0; i < n; i++) {
        csv->kinds[i] = columns[i].kind;
        if (i)
            fputc(',', out);
        write_cell(out, columns[i].name, TRUE);
    }
    fputc('\n', out);
    return csv;
}

static void csv_row(gpointer state, const char *const *values)
{
    struct csv *csv = state;
    for (guint i = 0; i < csv->n; i++) {
        if (i)
            fputc(',', csv->out);
        if (values[i])
            write_value(csv->out, values[i], csv->kinds[i]);
    }
    fputc('\n', csv->out);
}

static void csv_end(gpointer state, gboolean complete)
{
    (void)complete;
    struct csv *csv = state;
    g_free(csv->kinds);
    g_free(csv);
}

const struct renderer render_csv = {.name = "csv", .begin = csv_begin, .row = csv_row, .end = csv_end};
