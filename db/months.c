#include "db/months.h"

#include "db/batch.h"

struct months {
    GHashTable *asked; /* years times 12 and months */
};

struct months *months_new(void)
{
    struct months *months = g_new0(struct months, 1);
    months->asked = g_hash_table_new(NULL, NULL);
    return months;
}

void months_free(struct months *months)
{
    g_hash_table_unref(months->asked);
    g_free(months);
}

/* Days of reports whose months were not asked for yet, as an array; NULL when there are none. */
static char *new_months(struct months *months, const GArray *reports)
{
    GString *days = NULL;
    for (guint i = 0; i < reports->len; i++) {
        gint64 day = g_array_index(reports, struct batch_report, i).day;
        /* The rest, whatever it is, has no partition of its own, and a set of made-up months would grow. */
        if (day < 0 || day > 365 * 200)
            continue;
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(day * 86400);
        gint month = g_date_time_get_year(date) * 12 + g_date_time_get_month(date);
        if (!g_hash_table_add(months->asked, GINT_TO_POINTER(month)))
            continue;
        g_autofree char *text = g_date_time_format(date, "%Y-%m-%d");
        days = days ? g_string_append_c(days, ',') : g_string_new("{");
        g_string_append(days, text);
    }
    return days ? g_string_free(g_string_append_c(days, '}'), FALSE) : NULL;
}

/* Makes what is listed, month and table, one by one by a function of the database. How many were not there.
 */
static gboolean make_each(struct db *db, const struct db_result *months, const char *sql, gint64 *made_r,
                          GError **error)
{
    gboolean ok = TRUE;
    *made_r = 0;
    for (guint row = 0; ok && row < db_rows(months); row++) {
        const char *values[] = {db_value(months, row, 0), db_value(months, row, 1)};
        struct db_result *made = db_query(db, "making a partition", sql, 2, values, error);
        ok = made != NULL;
        *made_r += ok && *db_value(made, 0, 0) == 't';
        db_result_free(made);
    }
    return ok;
}

gboolean months_ensure(struct months *months, struct db *db, const GArray *reports, GError **error)
{
    g_autofree char *days = new_months(months, reports);
    const char *asked[] = {days};
    gint64 made;
    if (!days)
        return TRUE;
    struct db_result *missing =
        db_query(db, "looking for months without a partition",
                 "SELECT month, parent FROM dmarc_store.missing_months($1::date[])", 1, asked, error);
    gboolean ok =
        missing && make_each(db, missing, "SELECT dmarc_store.ensure_month($1::date, $2)", &made, error);
    db_result_free(missing);
    /* What was not done is asked for again. */
    if (!ok)
        g_hash_table_remove_all(months->asked);
    return ok;
}

gboolean months_make(struct db *db, int first, int last, gint64 *made_r, GError **error)
{
    g_autofree char *from = g_strdup_printf("%d", first), *to = g_strdup_printf("%d", last);
    const char *asked[] = {from, to};
    struct db_result *months = db_query(
        db, "listing partitions",
        "SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))::date, t FROM "
        "generate_series($1::int, $2::int) n, unnest(dmarc_store.month_tables()) t",
        2, asked, error);
    gboolean ok =
        months && make_each(db, months, "SELECT dmarc_store.make_month($1::date, $2)", made_r, error);
    db_result_free(months);
    return ok;
}
