#include "cli/period.h"

#include "parser/error.h"
#include "reports/render.h"

#include <string.h>

/* Further back than any report; keeps the arithmetic away from the ends of the calendar. */
#define LAST_MOST 10000
#define YEAR_LEAST 1970
#define YEAR_MOST 9998

static gboolean refuse(GError **error, const char *option, const char *text, const char *why)
{
    g_autofree char *safe = render_safe(text);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot read --%s '%s': %s", option, safe, why);
    return FALSE;
}

/* Strictly YYYY-MM-DD. */
static gboolean parse_day(const char *option, const char *text, GDate *day_r, GError **error)
{
    static const char shape[] = "dddd-dd-dd";
    gboolean ok = strlen(text) == strlen(shape);
    for (guint i = 0; ok && shape[i]; i++)
        ok = shape[i] == 'd' ? g_ascii_isdigit(text[i]) : text[i] == shape[i];
    if (!ok)
        return refuse(error, option, text, "a day looks like 2026-07-31");
    guint year = (guint)g_ascii_strtoull(text, NULL, 10);
    guint month = (guint)g_ascii_strtoull(text + 5, NULL, 10);
    guint day = (guint)g_ascii_strtoull(text + 8, NULL, 10);
    if (year < YEAR_LEAST || year > YEAR_MOST ||
        !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
        return refuse(error, option, text, "there is no such day in the years 1970 to 9998");
    g_date_clear(day_r, 1);
    g_date_set_dmy(day_r, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    return TRUE;
}

/* Moves *day back by "30d", "4w", "6m" or "1y". */
static gboolean go_back(const char *option, const char *last, GDate *day, GError **error)
{
    gsize digits = strspn(last, "0123456789");
    char unit = last[digits];
    if (!digits || digits > 5 || !unit || last[digits + 1])
        return refuse(error, option, last, "a number and d, w, m or y, such as 30d");
    guint n = (guint)g_ascii_strtoull(last, NULL, 10);
    guint32 span = n * (unit == 'w' ? 7 : unit == 'm' ? 31 : unit == 'y' ? 366 : 1);
    if (!strchr("dwmy", unit))
        return refuse(error, option, last,
                      unit == 'h' ? "reports are of whole days" : "the units are d, w, m and y");
    if (!n || n > LAST_MOST || span >= g_date_get_julian(day) - 366)
        return refuse(error, option, last, "out of range");
    if (unit == 'm')
        g_date_subtract_months(day, n);
    else if (unit == 'y')
        g_date_subtract_years(day, n);
    else
        g_date_subtract_days(day, span);
    return TRUE;
}

static void set_today(GDate *day, gint64 now)
{
    g_date_set_julian(day, (guint32)(now / 86400 + 719163));
}

static void print_day(char *out, gsize n, const GDate *day)
{
    g_snprintf(out, (gulong)n, "%04u-%02u-%02u", (guint)g_date_get_year(day) % 10000u,
               (guint)g_date_get_month(day) % 100u, (guint)g_date_get_day(day) % 100u);
}

gboolean period_parse(const char *last, const char *since, const char *until, gint64 now,
                      struct period *period_r, GError **error)
{
    GDate from, to;
    g_date_clear(&from, 1);
    g_date_clear(&to, 1);
    memset(period_r, 0, sizeof *period_r);
    if (last && since)
        return refuse(error, "last", last, "it excludes --since");
    if ((since && !parse_day("since", since, &from, error)) ||
        (until && !parse_day("until", until, &to, error)))
        return FALSE;
    if (since && until && g_date_compare(&from, &to) > 0)
        return refuse(error, "until", until, "it lies before --since");
    if (until)
        g_date_add_days(&to, 1);
    if (last) {
        from = to;
        if (!until)
            set_today(&from, now);
        if (!go_back("last", last, &from, error))
            return FALSE;
    }
    if (g_date_valid(&from))
        print_day(period_r->since, sizeof period_r->since, &from);
    if (until)
        print_day(period_r->until, sizeof period_r->until, &to);
    return TRUE;
}

gboolean period_cut(const char *keep, const char *before, gint64 now, char day_r[11], GError **error)
{
    GDate today, day;
    g_date_clear(&today, 1);
    set_today(&today, now);
    day = today;
    if (keep ? !go_back("keep", keep, &day, error) : !parse_day("before", before, &day, error))
        return FALSE;
    if (g_date_compare(&day, &today) > 0)
        return refuse(error, "before", before, "it lies in the future");
    g_date_set_day(&day, 1);
    print_day(day_r, 11, &day);
    return TRUE;
}
