/* Renderers: table, CSV, JSON. A const struct of three verbs each. Everything a stranger wrote is made harmless here, in
 * the way of the format: control, bidi and zero-width characters for the terminal, quoting and formula cells for CSV,
 * escapes for JSON. */
#pragma once

#include <glib.h>
#include <stdio.h>

enum column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_TIME, COLUMN_BOOL, COLUMN_SHARE, COLUMN_LIST };

struct render_column {
    const char *name;
    enum column_kind kind;
};

struct render_style {
    gboolean color;
    guint width; /* 0: as wide as it gets */
};

struct renderer {
    const char *name;
    gpointer (*begin)(FILE *out, const struct render_column *columns, guint n, const struct render_style *style);
    void (*row)(gpointer state, const char *const *values); /* NULL is SQL NULL */
    void (*end)(gpointer state);                            /* frees state */
};

extern const struct renderer render_table, render_csv, render_json;

/* Text for a terminal or log: control characters, C1, bidi and zero-width become \xNN or \u{NNNN}. Owned by the caller. */
char *render_safe(const char *text);
