/* Tables of a page: a caption, headings with a scope, each in a box of its own. On a phone each row becomes a
 * card, with the headings beside the values; what is mere figures scrolls instead, by keyboard, too. */
#pragma once

#include "db/conn.h"

#include <stdio.h>

enum html_kind {
    HTML_NAME, /* what a stranger wrote */
    HTML_WORD, /* a word of ours or of the standard */
    HTML_CLASS,
    HTML_NUMBER,
    HTML_SHARE,
    HTML_BAR, /* a share with a bar in the colour of the row's class */
    HTML_DAY,
    HTML_LIST,
};

struct html_column {
    const char *name, *title; /* of the result, for people; NULL ends the columns */
    enum html_kind kind;
};

struct html_table {
    const char *id, *caption; /* the caption is plain text of ours */
    const struct html_column *columns;
    gboolean figures;
};

void html_table_begin(FILE *out, const struct html_table *table);
void html_table_row(FILE *out, const struct html_table *table, const struct db_result *result, guint row);
void html_table_end(FILE *out);
/* All rows of a result. */
void html_table(FILE *out, const struct html_table *table, const struct db_result *result);
