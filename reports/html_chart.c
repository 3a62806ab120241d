#include "reports/html_chart.h"

#include "reports/html_page.h"
#include "reports/html_text.h"
#include "reports/text.h"

#include <string.h>

/* Pixels; what is across is in thousandths of the width, whatever that is. */
#define TOP 8
#define HEIGHT 208
#define WIDTH 1000
#define MOST_TICKS 7
#define LABEL_LEAST 22.0 /* the height that a name in its area wants */

struct stack {
    const struct db_result *points;
    guint n;
    double *upto; /* of each point: what the classes come to, up to and with each */
    double most;  /* of any point */
    guint at_most;
    double scale; /* what the height stands for */
    double grid;
};

static double upto(const struct stack *stack, guint point, int class)
{
    return class < 0 ? 0 : stack->upto[point * HTML_CLASSES + (guint) class];
}

/* 1, 2 or 5 times a power of ten, so that some three lines lie below the highest point. */
static double nice_step(double most)
{
    double rough = most / 3.5, power = 1;
    while (power * 10 <= rough)
        power *= 10;
    double step = rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10;
    return MAX(step * power, 1);
}

static void measure(struct stack *stack, const struct db_result *points)
{
    stack->points = points;
    stack->n = db_rows(points);
    stack->upto = g_new0(double, stack->n *HTML_CLASSES + 1);
    for (guint i = 0; i < stack->n; i++) {
        double sum = 0;
        for (guint c = 0; c < HTML_CLASSES; c++) {
            sum += text_amount(html_value(points, i, html_classes[c]));
            stack->upto[i * HTML_CLASSES + c] = sum;
        }
        if (sum > stack->most) {
            stack->most = sum;
            stack->at_most = i;
        }
    }
    stack->grid = nice_step(MAX(stack->most, 1));
    stack->scale = MAX(stack->most, 1) * 1.02;
}

/* Where a point begins; it is as wide as all others. */
static double x_of(const struct stack *stack, guint point)
{
    return (double)point / stack->n * WIDTH;
}

static double y_of(const struct stack *stack, double amount)
{
    return HEIGHT * (1 - amount / stack->scale);
}

static gboolean has_any(const struct stack *stack, int class)
{
    for (guint i = 0; i < stack->n; i++)
        if (upto(stack, i, class) > upto(stack, i, class - 1))
            return TRUE;
    return FALSE;
}

/* From the ground up to the top of a class, with a step for each day, since nobody knows what was between
 * them. The classes below are drawn over it. */
static void put_area(FILE *out, const struct stack *stack, int class)
{
    double last = -1;
    fprintf(out, "<path class=\"area\" fill=\"url(#p-%s)\" d=\"M0,%d", html_classes[class], HEIGHT);
    for (guint i = 0; i < stack->n; i++) {
        double y = y_of(stack, upto(stack, i, class));
        if (y >= last && y <= last)
            continue;
        fputc('H', out);
        html_coordinate(out, x_of(stack, i));
        fputc('V', out);
        html_coordinate(out, y);
        last = y;
    }
    fprintf(out, "H%dV%dZ\"/>\n", WIDTH, HEIGHT);
}

static void put_areas(FILE *out, const struct stack *stack)
{
    fprintf(out,
            "<svg y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "preserveAspectRatio=\"none\">\n",
            TOP, HEIGHT, WIDTH, HEIGHT);
    for (int class = HTML_CLASSES - 1; class >= 0; class --)
        if (has_any(stack, class))
            put_area(out, stack, class);
    fputs("</svg>\n", out);
}

static void put_grid(FILE *out, const struct stack *stack)
{
    for (double amount = 0; amount <= stack->scale; amount += stack->grid) {
        g_autofree char *label = html_compact(amount);
        double y = TOP + y_of(stack, amount);
        fprintf(out, "<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"", amount > 0 ? "grid" : "ground");
        html_coordinate(out, y);
        fputs("\" y2=\"", out);
        html_coordinate(out, y);
        fputs("\"/><text class=\"scale\" x=\"-8\" dy=\"0.35em\" y=\"", out);
        html_coordinate(out, y);
        fprintf(out, "\">%s</text>\n", label);
    }
}

/* Whether a day and a month might be of more years than one: weeks or more are a step, and the years differ.
 */
static gboolean is_years(const struct stack *stack)
{
    const char *first = html_value(stack->points, 0, "day");
    return g_strcmp0(html_value(stack->points, 0, "step"), "1") != 0 &&
           strncmp(first, html_value(stack->points, stack->n - 1, "day"), 4) != 0;
}

static void put_day(FILE *out, const struct stack *stack, guint point, const char *classes)
{
    g_autofree char *day = html_day(html_value(stack->points, point, "day"), is_years(stack));
    double left = x_of(stack, point), right = x_of(stack, point + 1);
    double x = strstr(classes, "start") ? left : strstr(classes, "end") ? right : (left + right) / 2;
    fprintf(out, "<text class=\"day%s\" y=\"%d\" x=\"", classes, TOP + HEIGHT + 20);
    html_coordinate(out, x / WIDTH * 100);
    fputs("%\">", out);
    html_text(out, day);
    fputs("</text>\n", out);
}

/* The same number of points lies between days that are written, but for the last, so that nobody sees a gap
 * where there is none. A phone leaves out some, never the ends. */
static void put_days(FILE *out, const struct stack *stack)
{
    guint step = (stack->n - 1 + MOST_TICKS - 2) / (MOST_TICKS - 1), end = stack->n - 1;
    guint ticks = (end + step / 2) / step;       /* without the last; none is nearer to it than half a step */
    gboolean narrow = stack->n > 2 * MOST_TICKS; /* points, so that a day at an end would stand out */
    for (guint i = 0; i < ticks; i++)
        put_day(out, stack, i * step,
                narrow && i == 0                  ? " start"
                : i % 2 || i + 1 >= MAX(ticks, 2) ? " odd"
                                                  : "");
    put_day(out, stack, end, narrow ? " end" : "");
}

/* The top of a class at a place. */
static double level(const struct stack *stack, double x, int class)
{
    return upto(stack, MIN((guint)(x / WIDTH * stack->n), stack->n - 1), class);
}

/* How high an area is over the width of a word, from *top_r down. */
static double room(const struct stack *stack, double x, int class, double *top_r)
{
    double top = 0, bottom = HEIGHT;
    for (double beside = -60; beside <= 60; beside += 20) {
        top = MAX(top, y_of(stack, level(stack, x + beside, class)));
        bottom = MIN(bottom, y_of(stack, level(stack, x + beside, class - 1)));
    }
    *top_r = top;
    return bottom - top;
}

/* The name of a class in its own area, as near to the middle as there is room enough. */
static void put_name(FILE *out, const struct stack *stack, int class)
{
    double best = 0, best_x = 0, best_y = 0;
    for (double x = 80; x <= WIDTH - 80; x += 10) {
        double top, high = room(stack, x, class, &top);
        double worth = MIN(high, 2 * LABEL_LEAST) - ABS(x - WIDTH / 2.0) / WIDTH;
        if (high >= LABEL_LEAST && worth > best) {
            best = worth;
            best_x = x;
            best_y = top + high / 2;
        }
    }
    if (best <= 0)
        return;
    fputs("<text class=\"name\" dy=\"0.35em\" x=\"", out);
    html_coordinate(out, best_x / WIDTH * 100);
    fputs("%\" y=\"", out);
    html_coordinate(out, TOP + best_y);
    fprintf(out, "\">%s</text>\n", html_classes[class]);
}

/* What somebody hears instead of seeing it. */
static void put_description(FILE *out, const struct stack *stack)
{
    const char *first = html_value(stack->points, 0, "day");
    const char *last = html_value(stack->points, stack->n - 1, "day");
    const char *high = html_value(stack->points, stack->at_most, "messages");
    const char *step = html_value(stack->points, 0, "step");
    g_autofree char *number = html_number(high ? high : "0");
    fprintf(out, "<title>Messages by class, %s to %s</title>\n<desc>Stacked areas, a step for ", first, last);
    if (g_strcmp0(step, "1") == 0)
        fputs("each day", out);
    else
        fprintf(out, "every %s days", step);
    fprintf(out, ". The most is %s messages, at %s. The table below has the same figures.</desc>\n", number,
            html_value(stack->points, stack->at_most, "day"));
}

void html_chart_classes(FILE *out, const struct db_result *points)
{
    struct stack stack = {.points = NULL};
    if (db_rows(points) == 0)
        return;
    if (db_rows(points) == 1) {
        html_mix(out, points, 0, 28);
        return;
    }
    measure(&stack, points);
    fprintf(out, "<svg class=\"chart\" role=\"img\" width=\"100%%\" height=\"%d\">\n", TOP + HEIGHT + 28);
    put_description(out, &stack);
    put_areas(out, &stack);
    put_grid(out, &stack);
    put_days(out, &stack);
    for (int class = 0; class < HTML_CLASSES; class ++)
        put_name(out, &stack, class);
    fputs("</svg>\n", out);
    g_free(stack.upto);
}

/* The word of a policy as one of the three that have a colour. */
static const char *policy_word(const char *p)
{
    return g_strcmp0(p, "reject") == 0 ? "reject" : g_strcmp0(p, "quarantine") == 0 ? "quarantine" : "none";
}

void html_chart_policies(FILE *out, const struct db_result *policies)
{
    guint n = db_rows(policies);
    double span = n ? MAX(text_amount(html_value(policies, 0, "days")), 1) : 1;
    fputs("<svg class=\"band\" role=\"img\" width=\"100%\" height=\"30\">\n<title>The policy over "
          "time</title>\n<desc>A band with a part for each policy; the table below has the same.</desc>\n",
          out);
    for (guint i = 0; i < n; i++) {
        const char *p = html_value(policies, i, "p");
        double from = text_amount(html_value(policies, i, "from_day")) / span * 100;
        double width = MAX(text_amount(html_value(policies, i, "for_days")) / span * 100, 0.3);
        fputs("<svg height=\"30\" x=\"", out); /* which cuts off what does not fit into it */
        html_coordinate(out, from);
        fputs("%\" width=\"", out);
        html_coordinate(out, width);
        fprintf(out,
                "%%\"><rect class=\"p-%s\" width=\"100%%\" height=\"30\"/>"
                "<text x=\"8\" y=\"15\" dy=\"0.35em\">",
                policy_word(p));
        html_text(out, p ? p : "");
        fputs("</text></svg>\n", out);
    }
    fputs("</svg>\n", out);
}
