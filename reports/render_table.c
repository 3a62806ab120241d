#include "reports/bar.h"
#include "reports/text.h"

#include <string.h>

/* Rows that are looked at before the first one is printed: they decide how wide the columns are. */
#define MEASURED_ROWS 1000
/* What a column of text keeps when the terminal is narrow. */
#define LEAST_WIDTH 16
#define GAP 2
/* Characters of a bar; where there is not so much room beside the columns, there is none. */
#define BAR_LEAST 10
#define BAR_MOST 40
/* What a bar leaves to a text: it only shows once more what stands in the row. */
#define BESIDE_BAR 28
/* Lines of a row, and how wide a text may be where there is no terminal: strangers decide how long it is. */
#define MOST_LINES 8
#define MOST_WIDTH 300

struct column {
    char *name;  /* with spaces for underscores */
    gsize split; /* where the name goes on in the second line; 0: one line */
    enum column_kind kind;
    gboolean is_class;
    guint drop;
    gboolean needed;
    gboolean sparse;
    gboolean whole;
    gboolean dropped;
    guint width;
    guint ease, least;
};

struct row {
    struct bar bar;
    char *cells[]; /* NULL behind the last */
};

struct table {
    FILE *out;
    struct column *columns;
    guint n;
    const struct render_style *style;
    GPtrArray *measured; /* of struct row; NULL when the widths are settled */
    gboolean list;
    guint64 printed;
    gboolean barred; /* bars make sense */
    struct bar_plan plan;
    guint bar;   /* characters; 0: no bars */
    double most; /* that a bar over time stands for */
};

static void free_row(gpointer data)
{
    struct row *row = data;
    for (char **cell = row->cells; *cell; cell++)
        g_free(*cell);
    g_free(row);
}

static gboolean may_shrink(const struct column *column)
{
    return (column->kind == COLUMN_TEXT && !column->is_class) || column->kind == COLUMN_LIST;
}

/* "2026-11-21 23:49" is enough for people. */
static char *short_time(const char *value)
{
    if (strlen(value) >= 19 && value[10] == ' ' && value[13] == ':' && value[16] == ':')
        return g_strndup(value, 16);
    return g_strdup(value);
}

static char *make_cell(const char *value, enum column_kind kind)
{
    g_autofree char *made = NULL;
    if (!value)
        return g_strdup("");
    if (kind == COLUMN_SHARE || (kind == COLUMN_NUMBER_OR_SHARE && strchr(value, '.')))
        made = text_percent(value);
    else if (kind == COLUMN_SIZE)
        made = text_size(value);
    else if (render_is_figure(kind))
        made = text_group_number(value);
    else if (kind == COLUMN_TIME)
        made = short_time(value);
    else if (kind == COLUMN_BOOL)
        made = g_strdup(strcmp(value, "t") == 0 ? "yes" : strcmp(value, "f") == 0 ? "no" : value);
    else if (kind == COLUMN_LIST)
        made = text_list_joined(value, ", ");
    else if (kind == COLUMN_TREND)
        made = text_trend(value);
    return render_safe(made ? made : value);
}

static void put_spaces(FILE *out, guint n)
{
    static const char blanks[] = "                                                                ";
    for (guint take; n; n -= take) {
        take = MIN(n, sizeof blanks - 1);
        fwrite(blanks, 1, take, out);
    }
}

static const char *cell_color(const struct table *table, const struct column *column, const char *cell)
{
    return table->style->color && column->is_class ? class_color(cell) : NULL;
}

static void put_colored(FILE *out, const char *text, const char *color)
{
    if (color)
        fputs(color, out);
    fputs(text, out);
    if (color)
        fputs("\033[0m", out);
}

static guint column_room(const struct table *table, const struct column *column)
{
    return table->style->width ? column->width : MOST_WIDTH;
}

/* Whether a cell takes one line as it is. */
static gboolean fits_whole(const struct table *table, const struct column *column, const char *cell)
{
    return !may_shrink(column) || text_width(cell) <= column_room(table, column);
}

/* A text in the lines of `width` columns that it takes; `cut`: in one, and no more. */
static GPtrArray *lines_of(const char *text, guint width, gboolean cut)
{
    gboolean fits = text_width(text) <= width;
    GPtrArray *lines = text_lines(text, fits || cut ? 0 : width, TRUE);
    char **last = (char **)&lines->pdata[MIN(lines->len, MOST_LINES) - 1];
    if (lines->len > MOST_LINES) {
        char *longer = g_strconcat(*last, " ", lines->pdata[MOST_LINES], NULL);
        g_free(*last);
        *last = longer;
        g_ptr_array_set_size(lines, MOST_LINES);
    }
    char *fitted = fits ? g_strdup(*last) : text_fit(*last, width);
    g_free(*last);
    *last = fitted;
    return lines;
}

static GPtrArray *cell_lines(const struct table *table, const struct column *column, const char *cell)
{
    return lines_of(cell, may_shrink(column) ? column_room(table, column) : G_MAXUINT, !column->whole);
}

/* Cells side by side, and a bar behind all of them. Nothing is padded behind the last one that holds
 * anything. */
static void put_line(struct table *table, char *const *cells, const struct bar *bar)
{
    guint last = table->n, owed = 0;
    gboolean first = TRUE;
    double whole = bar && table->plan.over_time ? table->most : bar ? bar->whole : 0;
    gboolean drawn = bar && bar_length(bar, whole, table->bar) > 0;
    while (!drawn && last && (!*cells[last - 1] || table->columns[last - 1].dropped))
        last--;
    for (guint i = 0; i < last; i++) {
        const struct column *column = &table->columns[i];
        if (column->dropped)
            continue;
        const char *text = cells[i];
        guint width = text_width(text), pad = column->width > width ? column->width - width : 0;
        put_spaces(table->out, owed + (first ? 0 : GAP) + (render_is_figure(column->kind) ? pad : 0));
        put_colored(table->out, text, cell_color(table, column, text));
        owed = render_is_figure(column->kind) ? 0 : pad;
        first = FALSE;
    }
    if (drawn) {
        put_spaces(table->out, owed + GAP);
        bar_write(table->out, bar, whole, table->bar, table->style->color);
    }
    fputc('\n', table->out);
}

/* One column a line, for rows that are wider than the terminal. */
static void put_list(struct table *table, char *const *cells)
{
    guint widest = 0;
    for (guint i = 0; i < table->n; i++)
        widest = MAX(widest, text_width(table->columns[i].name));
    guint names = widest + GAP, whole = table->style->width;
    guint room = !whole ? MOST_WIDTH : whole > names + LEAST_WIDTH ? whole - names : LEAST_WIDTH;
    if (table->printed++)
        fputc('\n', table->out);
    for (guint i = 0; i < table->n; i++) {
        if (!*cells[i])
            continue;
        g_autoptr(GPtrArray) lines = lines_of(cells[i], room, FALSE);
        fputs(table->columns[i].name, table->out);
        put_spaces(table->out, names - text_width(table->columns[i].name));
        for (guint l = 0; l < lines->len; l++) {
            put_spaces(table->out, l ? names : 0);
            put_colored(table->out, lines->pdata[l], cell_color(table, &table->columns[i], cells[i]));
            fputc('\n', table->out);
        }
    }
}

/* The bar is behind the first line. */
static void put_lines(struct table *table, const struct row *row)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autofree char **line = g_new0(char *, table->n + 1);
    guint most = 1;
    for (guint i = 0; i < table->n; i++) {
        g_ptr_array_add(cells, cell_lines(table, &table->columns[i], row->cells[i]));
        if (!table->columns[i].dropped)
            most = MAX(most, ((GPtrArray *)cells->pdata[i])->len);
    }
    for (guint l = 0; l < most; l++) {
        for (guint i = 0; i < table->n; i++) {
            const GPtrArray *lines = cells->pdata[i];
            line[i] = l < lines->len ? lines->pdata[l] : "";
        }
        put_line(table, line, l ? NULL : &row->bar);
    }
}

/* Mostly they do, and nothing has to be cut up. */
static gboolean all_fit(const struct table *table, const struct row *row)
{
    for (guint i = 0; i < table->n; i++)
        if (!table->columns[i].dropped && !fits_whole(table, &table->columns[i], row->cells[i]))
            return FALSE;
    return TRUE;
}

static void put_row(struct table *table, const struct row *row)
{
    if (table->list)
        put_list(table, row->cells);
    else if (all_fit(table, row))
        put_line(table, row->cells, &row->bar);
    else
        put_lines(table, row);
}

/* A name that is wider than what stands below it takes two lines. */
static void place_name(struct column *column)
{
    char *space = strchr(column->name, ' ');
    guint whole = text_width(column->name);
    if (space && whole > column->width) {
        column->split = (gsize)(space - column->name);
        whole = MAX((guint)column->split, text_width(space + 1));
    }
    column->width = MAX(column->width, whole);
}

/* What a line takes when its texts are as narrow as they may become, with or without ease, but no narrower
 * than `keep`. */
static guint line_width(const struct table *table, gboolean ease, guint keep)
{
    guint total = 0;
    for (guint i = 0; i < table->n; i++) {
        const struct column *column = &table->columns[i];
        guint least = MAX(ease ? column->ease : column->least, keep);
        guint width = may_shrink(column) ? MIN(column->width, least) : column->width;
        if (!column->dropped)
            total += (total ? GAP : 0) + width;
    }
    return total;
}

/* Leaves out the columns that may be, until what is left can be made to fit into `width` with ease. */
static void drop_columns(struct table *table, guint width)
{
    for (guint rank = 1; rank <= table->n + 1; rank++)
        for (guint i = 0; i < table->n; i++)
            if (table->columns[i].drop == rank && line_width(table, !table->columns[i].needed, 0) > width)
                table->columns[i].dropped = TRUE;
}

/* Takes from the widest text until the line is no wider. FALSE when it cannot. */
static gboolean shrink(struct table *table, guint width)
{
    for (guint total = line_width(table, FALSE, G_MAXUINT); total > width; total--) {
        struct column *widest = NULL;
        for (guint i = 0; i < table->n; i++) {
            struct column *column = &table->columns[i];
            if (!column->dropped && may_shrink(column) && column->width > column->least &&
                (!widest || column->width > widest->width))
                widest = column;
        }
        if (!widest)
            return FALSE;
        widest->width--;
    }
    return TRUE;
}

/* Makes the lines as wide as the terminal at most. Texts give way to a bar; columns go for its sake where it
 * is about a time, and tells what they do. */
static gboolean fit(struct table *table)
{
    guint width = table->style->width;
    if (table->barred && table->plan.over_time && width > GAP + BAR_LEAST)
        drop_columns(table, width - GAP - BAR_LEAST);
    if (table->barred && line_width(table, TRUE, BESIDE_BAR) + GAP + BAR_LEAST <= width) {
        shrink(table, width - GAP - BAR_LEAST);
        table->bar = MIN(width - line_width(table, FALSE, G_MAXUINT) - GAP, BAR_MOST);
        return TRUE;
    }
    drop_columns(table, width);
    return shrink(table, width);
}

static void put_header(struct table *table)
{
    char **first = g_new0(char *, table->n + 1), **second = g_new0(char *, table->n + 1);
    gboolean two = FALSE;
    for (guint i = 0; i < table->n; i++) {
        const struct column *column = &table->columns[i];
        two = two || (column->split && !column->dropped);
        first[i] = column->split ? g_strndup(column->name, column->split) : g_strdup("");
        second[i] = g_strdup(column->split ? column->name + column->split + 1 : column->name);
    }
    if (table->style->color)
        fputs("\033[1m", table->out);
    if (two)
        put_line(table, first, NULL);
    put_line(table, second, NULL);
    if (table->style->color)
        fputs("\033[0m", table->out);
    g_strfreev(first);
    g_strfreev(second);
}

/* The widths are known now: prints what was held back. */
static void settle(struct table *table)
{
    for (guint r = 0; r < table->measured->len; r++) {
        const struct row *row = table->measured->pdata[r];
        for (guint i = 0; i < table->n; i++)
            table->columns[i].width =
                MAX(table->columns[i].width,
                    MIN(text_width(row->cells[i]), may_shrink(&table->columns[i]) ? MOST_WIDTH : G_MAXUINT));
        table->most = MAX(table->most, bar_sum(&row->bar));
    }
    for (guint i = 0; i < table->n; i++) {
        struct column *column = &table->columns[i];
        column->dropped = column->dropped || (column->sparse && !column->width);
        place_name(column);
    }
    table->list = table->style->list || (table->style->width && !fit(table)); /* which shows all again */
    if (!table->list)
        put_header(table);
    for (guint r = 0; r < table->measured->len; r++)
        put_row(table, table->measured->pdata[r]);
    g_ptr_array_unref(table->measured);
    table->measured = NULL;
}

static gpointer table_begin(FILE *out, const struct render_column *columns, guint n,
                            const struct render_style *style)
{
    struct table *table = g_new0(struct table, 1);
    table->out = out;
    table->n = n;
    table->style = style;
    table->columns = g_new0(struct column, n);
    for (guint i = 0; i < n; i++) {
        struct column *column = &table->columns[i];
        column->name = render_safe(columns[i].name);
        g_strdelimit(column->name, "_", ' ');
        column->kind = columns[i].kind;
        column->drop = columns[i].drop;
        column->needed = columns[i].needed;
        column->sparse = columns[i].sparse;
        column->whole = columns[i].whole;
        column->least = columns[i].least ? columns[i].least : LEAST_WIDTH;
        column->ease = MAX(columns[i].ease, column->least);
        column->dropped = column->kind == COLUMN_TREND && !style->width;
        column->is_class = strcmp(columns[i].name, "class") == 0;
    }
    table->barred = bar_plan(columns, n, &table->plan);
    table->measured = g_ptr_array_new_with_free_func(free_row);
    return table;
}

static void table_row(gpointer state, const char *const *values)
{
    struct table *table = state;
    struct row *row = g_malloc0(sizeof *row + (table->n + 1) * sizeof *row->cells);
    for (guint i = 0; i < table->n; i++)
        row->cells[i] = make_cell(values[i], table->columns[i].kind);
    if (table->barred)
        row->bar = bar_of(&table->plan, values);
    if (!table->measured) {
        put_row(table, row);
        free_row(row);
        return;
    }
    g_ptr_array_add(table->measured, row);
    if (table->measured->len == MEASURED_ROWS)
        settle(table);
}

static void table_end(gpointer state, gboolean complete)
{
    (void)complete; /* the error that follows says it */
    struct table *table = state;
    if (table->measured)
        settle(table);
    if (table->bar && table->plan.stacked) {
        fputc('\n', table->out);
        bar_legend(table->out, table->style->width, table->style->color);
    }
    for (guint i = 0; i < table->n; i++)
        g_free(table->columns[i].name);
    g_free(table->columns);
    g_free(table);
}

const struct renderer render_table = {
    .name = "table", .begin = table_begin, .row = table_row, .end = table_end};
