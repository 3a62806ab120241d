#include "reports/text.h"

#include <string.h>

struct json {
    FILE *out;
    char **names;
    enum column_kind *kinds;
    guint n;
    guint64 rows;
};

static void write_unit(FILE *out, guint unit)
{
    fprintf(out, "\\u%04x", unit);
}

static void write_char(FILE *out, gunichar c)
{
    char bytes[6];
    if (c == '"' || c == '\\') {
        fprintf(out, "\\%c", (int)c);
    } else if (!text_is_harmful(c)) {
        fwrite(bytes, 1, (gsize)g_unichar_to_utf8(c, bytes), out);
    } else if (c < 0x10000) {
        write_unit(out, c);
    } else {
        write_unit(out, 0xD800 + ((c - 0x10000) >> 10));
        write_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
}

/* Bytes that are no UTF-8 become U+FFFD, because JSON has no other way. */
static void write_string(FILE *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    fputc('"', out);
    for (const char *at = valid; *at; at = g_utf8_next_char(at))
        write_char(out, g_utf8_get_char(at));
    fputc('"', out);
}

static void write_list(FILE *out, const char *value, gboolean numbers)
{
    g_autoptr(GPtrArray) list = text_list(value);
    fputc('[', out);
    for (guint i = 0; i < list->len; i++) {
        if (i)
            fputs(", ", out);
        if (!list->pdata[i])
            fputs("null", out);
        else if (numbers && text_is_number(list->pdata[i]))
            fputs(list->pdata[i], out);
        else
            write_string(out, list->pdata[i]);
    }
    fputc(']', out);
}

void json_value(FILE *out, const char *value, enum column_kind kind)
{
    g_autofree char *time = NULL;
    if (!value)
        fputs("null", out);
    else if (render_is_figure(kind) && text_is_number(value))
        fputs(value, out);
    else if (kind == COLUMN_BOOL && (strcmp(value, "t") == 0 || strcmp(value, "f") == 0))
        fputs(*value == 't' ? "true" : "false", out);
    else if (kind == COLUMN_LIST || kind == COLUMN_TREND)
        write_list(out, value, kind == COLUMN_TREND);
    else if (kind == COLUMN_TIME)
        write_string(out, time = text_iso_time(value));
    else
        write_string(out, value);
}

static gpointer json_begin(FILE *out, const struct render_column *columns, guint n,
                           const struct render_style *style)
{
    (void)style;
    struct json *json = g_new0(struct json, 1);
    json->out = out;
    json->n = n;
    json->names = g_new0(char *, n + 1);
    json->kinds = g_new0(enum column_kind, n);
    for (guint i = 0; i < n; i++) {
        json->names[i] = g_strdup(columns[i].name);
        json->kinds[i] = columns[i].kind;
    }
    fputc('[', out);
    return json;
}

static void json_row(gpointer state, const char *const *values)
{
    struct json *json = state;
    fputs(json->rows++ ? ",\n{" : "\n{", json->out);
    for (guint i = 0; i < json->n; i++) {
        if (i)
            fputs(", ", json->out);
        write_string(json->out, json->names[i]);
        fputs(": ", json->out);
        json_value(json->out, values[i], json->kinds[i]);
    }
    fputc('}', json->out);
}

static void json_end(gpointer state, gboolean complete)
{
    struct json *json = state;
    if (complete)
        fputs(json->rows ? "\n]\n" : "]\n", json->out);
    g_strfreev(json->names);
    g_free(json->kinds);
    g_free(json);
}

const struct renderer render_json = {.name = "json", .begin = json_begin, .row = json_row, .end = json_end};
