#include "reports/bar.h"

#include "reports/text.h"

#include <string.h>

static const struct {
    const char *word, *color, *shade, *plain;
} classes[BAR_PARTS] = {{"authorised", "\033[32m", "\xe2\x96\x88", "#"},
                        {"misconfigured", "\033[33m", "\xe2\x96\x93", "+"},
                        {"forwarded", "\033[36m", "\xe2\x96\x92", "-"},
                        {"unknown", "\033[31m", "\xe2\x96\x91", "."}};

const char *class_color(const char *class)
{
    for (guint i = 0; i < BAR_PARTS; i++)
        if (strcmp(class, classes[i].word) == 0)
            return classes[i].color;
    return NULL;
}

static int find(const struct render_column *columns, guint n, const char *name)
{
    for (guint i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

gboolean bar_plan(const struct render_column *columns, guint n, struct bar_plan *plan_r)
{
    plan_r->share = find(columns, n, "share");
    plan_r->class = find(columns, n, "class");
    plan_r->over_time = find(columns, n, "day") >= 0;
    plan_r->stacked = TRUE;
    for (guint i = 0; i < BAR_PARTS; i++) {
        plan_r->parts[i] = find(columns, n, classes[i].word);
        plan_r->stacked = plan_r->stacked && plan_r->parts[i] >= 0;
    }
    return plan_r->stacked || (plan_r->share >= 0 && plan_r->class >= 0);
}

struct bar bar_of(const struct bar_plan *plan, const char *const *values)
{
    struct bar bar = {.whole = 1};
    for (guint i = 0; i < BAR_PARTS; i++) {
        if (plan->stacked)
            bar.parts[i] = text_amount(values[plan->parts[i]]);
        else if (g_strcmp0(values[plan->class], classes[i].word) == 0)
            bar.parts[i] = text_amount(values[plan->share]);
    }
    if (plan->stacked)
        bar.whole = bar_sum(&bar);
    return bar;
}

double bar_sum(const struct bar *bar)
{
    double sum = 0;
    for (guint i = 0; i < BAR_PARTS; i++)
        sum += bar->parts[i];
    return sum;
}

/* Where a sum ends, of `width` characters. */
static guint end_of(double sum, double whole, guint width)
{
    return whole > 0 ? (guint)(MIN(sum / whole, 1) * width + 0.5) : 0;
}

guint bar_length(const struct bar *bar, double whole, guint width)
{
    return end_of(bar_sum(bar), whole, width);
}

/* Each part ends where what it comes to with those before it ends, so that no width is lost by rounding. */
void bar_write(FILE *out, const struct bar *bar, double whole, guint width, gboolean color)
{
    gboolean utf8 = g_get_charset(NULL);
    double sum = 0;
    guint at = 0;
    for (guint i = 0; i < BAR_PARTS; i++) {
        sum += bar->parts[i];
        guint end = end_of(sum, whole, width);
        gboolean painted = end > at && color;
        if (painted)
            fputs(classes[i].color, out);
        for (; at < end; at++)
            fputs(utf8 ? classes[i].shade : classes[i].plain, out);
        if (painted)
            fputs("\033[0m", out);
    }
}

void bar_legend(FILE *out, guint width, gboolean color)
{
    gboolean utf8 = g_get_charset(NULL);
    guint at = 0;
    for (guint i = 0; i < BAR_PARTS; i++) {
        guint takes = 2 + (guint)strlen(classes[i].word);
        gboolean fits = at + 2 + takes <= width;
        fprintf(out, "%s%s%s%s %s",
                !i     ? ""
                : fits ? "  "
                       : "\n",
                color ? classes[i].color : "", utf8 ? classes[i].shade : classes[i].plain,
                color ? "\033[0m" : "", classes[i].word);
        at = i && fits ? at + 2 + takes : takes;
    }
    fputc('\n', out);
}
