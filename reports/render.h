/* Renderers: table, CSV, JSON. A const struct of three verbs each. Everything a stranger wrote is made
 * harmless here, in the way of the format: control, bidi and zero-width characters are escaped in tables and
 * CSV, where CSV keeps line feed and tab inside of quotes; formula cells of CSV get a leading '; JSON escapes
 * them all as \uNNNN.
 *
 * Values are what PostgreSQL prints with DateStyle ISO and TimeZone UTC. Times leave CSV and JSON as ISO
 * 8601, shares as fractions, lists as "a; b" and as arrays. Lines of CSV end with a line feed alone, as of
 * every tool here; else it is RFC 4180. Refuses nothing: a value that is not of its column's kind is taken
 * for text. */
#pragma once

#include <glib.h>
#include <stdio.h>

enum column_kind {
    COLUMN_TEXT,
    COLUMN_ADDRESS, /* text that makes no sense when it is shortened */
    COLUMN_NUMBER,
    COLUMN_TIME,
    COLUMN_BOOL,
    COLUMN_SHARE,
    COLUMN_NUMBER_OR_SHARE, /* whichever the row is about: a share has a point */
    COLUMN_LIST,
    COLUMN_SIZE,  /* bytes; a table has MB */
    COLUMN_TREND, /* numbers of equal parts of a time, the latest last: a table draws them where it is wide
                     enough, and never in a pipe */
};

struct render_column {
    const char *name;
    enum column_kind kind;
    guint drop;      /* 0: always shown; else left out of tables that are too wide, 1 first */
    gboolean needed; /* left out only where texts cannot be made to fit, not for their ease */
    gboolean sparse; /* left out of tables where none of the rows that one looks at first has a value */
    gboolean whole;  /* text that goes on in lines of its own where a table is narrow, instead of being cut */
    guint ease;      /* columns of a terminal that text keeps before others are left out; 0: `least` */
    guint least;     /* and what it keeps in any case, or the table becomes a list; 0: 16 */
};

struct render_style {
    gboolean color;
    guint
        width; /* of the terminal; 0: as wide as it gets. A table that cannot be made to fit becomes a list */
    gboolean list; /* a table writes each column on a line of its own */
};

struct renderer {
    const char *name;
    /* Columns are copied, style is lent until end. */
    gpointer (*begin)(FILE *out, const struct render_column *columns, guint n,
                      const struct render_style *style);
    void (*row)(gpointer state, const char *const *values); /* NULL is SQL NULL */
    void (*end)(gpointer state,
                gboolean complete); /* frees state; what is not complete is left visibly broken off */
};

extern const struct renderer render_table, render_csv, render_json;

/* Whether it is one number, or should be. */
gboolean render_is_figure(enum column_kind kind);

/* Writes a value as render_json does: null, a number, true or false, a string or a list of these. */
void json_value(FILE *out, const char *value, enum column_kind kind);

/* Text for a terminal or log: control characters, C1 and bytes that are no UTF-8 become \xNN, bidi,
 * zero-width and other format characters \u{NNNN}, and so does all that is no ASCII where the locale is not
 * UTF-8. Owned by the caller. */
char *render_safe(const char *text);
