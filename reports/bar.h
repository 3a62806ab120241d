/* Bars of a table on a terminal, at the end of each line: a share in the colour of its class, or the four
 * classes one behind the other. Only where there is room beside all columns, so a pipe never sees one. */
#pragma once

#include "reports/render.h"

#define BAR_PARTS 4

/* Which columns a table's bars are made of. */
struct bar_plan {
    int share, class;            /* columns, or -1 */
    int parts[BAR_PARTS];        /* of the classes; all are there, or it is not stacked */
    gboolean stacked, over_time; /* over_time: all lines have one scale */
};

struct bar {
    double parts[BAR_PARTS]; /* what each class has; of a share, all is in that of its class */
    double whole;            /* what the width stands for, unless it is over time */
};

/* FALSE when bars make no sense for these columns. */
gboolean bar_plan(const struct render_column *columns, guint n, struct bar_plan *plan_r);
struct bar bar_of(const struct bar_plan *plan, const char *const *values);
double bar_sum(const struct bar *bar);
/* Characters that bar_write writes. */
guint bar_length(const struct bar *bar, double whole, guint width);
/* Writes it, `width` characters at most, as part of `whole`; none behind its end. Classes differ by shade,
 * and by colour where that is wanted. */
void bar_write(FILE *out, const struct bar *bar, double whole, guint width, gboolean color);
/* A line that says which shade is which class. */
void bar_legend(FILE *out, guint width, gboolean color);

/* The escape sequence of a class; NULL for any other word. */
const char *class_color(const char *class);
