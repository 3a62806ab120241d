#include "cli/names.h"

#include "cli/progress.h"
#include "cli/stopping.h"
#include "db/upkeep.h"
#include "dns/network.h"
#include "dns/reverse.h"
#include "parser/error.h"

#include <string.h>

#define DAYS 90
#define FLUSH 1000      /* answers that are written at once */
#define NETWORK_DAYS 30 /* for so long a network is believed */

/* Columns of rows on their way into the database, as array literals. */
struct columns {
    guint n, rows;
    GString *column[5];
};

static void columns_init(struct columns *columns, guint n)
{
    columns->n = n;
    columns->rows = 0;
    for (guint i = 0; i < n; i++)
        columns->column[i] = g_string_new("{");
}

static void columns_clear(struct columns *columns)
{
    for (guint i = 0; i < columns->n; i++)
        g_string_free(columns->column[i], TRUE);
}

static void columns_add(struct columns *columns, const char *const *values)
{
    for (guint i = 0; i < columns->n; i++) {
        GString *text = columns->column[i];
        if (columns->rows)
            g_string_append_c(text, ',');
        if (!values[i]) {
            g_string_append(text, "NULL");
            continue;
        }
        g_string_append_c(text, '"');
        for (const char *c = values[i]; *c; c++) {
            if (*c == '"' || *c == '\\')
                g_string_append_c(text, '\\');
            g_string_append_c(text, *c);
        }
        g_string_append_c(text, '"');
    }
    columns->rows++;
}

/* Hands them to a function of the database, and begins anew. `last` is one argument more, or NULL. */
static struct db_result *columns_hand(struct columns *columns, struct db *db, const char *name,
                                      const char *sql, const char *last, GError **error)
{
    const char *values[6];
    for (guint i = 0; i < columns->n; i++)
        values[i] = g_string_append_c(columns->column[i], '}')->str;
    values[columns->n] = last;
    struct db_result *result = db_query(db, name, sql, columns->n + (last ? 1 : 0), values, error);
    for (guint i = 0; i < columns->n; i++)
        g_string_assign(columns->column[i], "{");
    columns->rows = 0;
    return result;
}

/* The same where there are any, and what the function says is not needed. */
static gboolean columns_flush(struct columns *columns, struct db *db, const char *name, const char *sql,
                              const char *last, GError **error)
{
    if (!columns->rows)
        return TRUE;
    struct db_result *result = columns_hand(columns, db, name, sql, last, error);
    db_result_free(result);
    return result != NULL;
}

struct lookup {
    struct db *db;
    struct names_totals *totals;
    struct db_result *wanted; /* address, whether its name is asked for */
    guint at;
    struct columns found;
    gint64 done;
    const volatile sig_atomic_t *stop;
};

static const char names_sql[] =
    "SELECT dmarc_store.take_names($1::inet[], $2::text[], $3::text[], $4::timestamptz[])";
static const char networks_sql[] = "SELECT dmarc_store.take_networks($1::inet[], $2::cidr[], $3::text[],"
                                   " $4::bigint[], $5::text[], $6::timestamptz)";

static gboolean next_address(gpointer data, const char **address_r, GError **error)
{
    struct lookup *lookup = data;
    (void)error;
    while (lookup->at < db_rows(lookup->wanted)) {
        guint row = lookup->at++;
        if (db_value(lookup->wanted, row, 1)[0] != 't')
            continue;
        *address_r = db_value(lookup->wanted, row, 0);
        return TRUE;
    }
    return FALSE;
}

static gboolean take_answer(gpointer data, const struct reverse_answer *answer, GError **error)
{
    struct lookup *lookup = data;
    struct names_totals *totals = lookup->totals;
    guint64 *const count[REVERSE_STATUSES] = {[REVERSE_CONFIRMED] = &totals->confirmed,
                                              [REVERSE_UNCONFIRMED] = &totals->unconfirmed,
                                              [REVERSE_NONE] = &totals->none,
                                              [REVERSE_FAILED] = &totals->failed};
    g_autoptr(GDateTime) expires = g_date_time_new_from_unix_utc(answer->expires);
    g_autofree char *until = g_date_time_format_iso8601(expires);
    const char *const row[] = {answer->address, reverse_status_name(answer->status), answer->name, until};
    totals->asked++;
    (*count[answer->status])++;
    columns_add(&lookup->found, row);
    lookup->done++;
    progress_update(lookup->done, (gint64)db_rows(lookup->wanted) - lookup->done, NULL);
    return lookup->found.rows < FLUSH ||
           columns_flush(&lookup->found, lookup->db, "keeping reverse names", names_sql, NULL, error);
}

/* What is known is kept, however it ended: `ok`, or with an error that counts. */
static gboolean keep_rest(struct lookup *lookup, const char *name, const char *sql, const char *last,
                          gboolean ok, GError **error)
{
    gboolean kept = columns_flush(&lookup->found, lookup->db, name, sql, last, ok ? error : NULL);
    columns_clear(&lookup->found);
    return ok && kept;
}

static gboolean look_up_names(struct lookup *lookup, const struct config *config, GError **error)
{
    static const struct reverse_verbs verbs = {.next = next_address, .answer = take_answer};
    struct reverse_settings settings = reverse_settings_default;
    struct reverse_totals totals;
    settings.resolvers = (const char *const *)config->dns_servers;
    settings.stop = lookup->stop;
    columns_init(&lookup->found, 4);
    gboolean ok = reverse_run(&settings, &verbs, lookup, &totals, error);
    lookup->totals->silent = ok && totals.silent;
    lookup->totals->late = ok && totals.late;
    return keep_rest(lookup, "keeping reverse names", names_sql, NULL, ok, error);
}

/* --- CNAMEs --- */

/* Mail whose name rests on what was found is judged anew. */
static gboolean keep_cnames(struct lookup *lookup, GError **error)
{
    if (!lookup->found.rows)
        return TRUE;
    struct db_result *domains = columns_hand(
        &lookup->found, lookup->db, "keeping CNAMEs",
        "SELECT dmarc_store.take_cnames($1::text[], $2::text[], $3::text[], $4::timestamptz[])", NULL, error);
    gint64 profiles = 0;
    gboolean ok = domains && upkeep_judge(lookup->db, domains, &profiles, &lookup->totals->judged, error);
    db_result_free(domains);
    return ok;
}

static gboolean next_name(gpointer data, const char **name_r, GError **error)
{
    struct lookup *lookup = data;
    (void)error;
    if (lookup->at == db_rows(lookup->wanted))
        return FALSE;
    *name_r = db_value(lookup->wanted, lookup->at++, 0);
    return TRUE;
}

static gboolean take_cname(gpointer data, const struct reverse_answer *answer, GError **error)
{
    struct lookup *lookup = data;
    g_autoptr(GDateTime) expires = g_date_time_new_from_unix_utc(answer->expires);
    g_autofree char *until = g_date_time_format_iso8601(expires);
    const char *status = answer->status == REVERSE_CONFIRMED ? "found" : reverse_status_name(answer->status);
    const char *const row[] = {answer->address, status, answer->name, until};
    lookup->totals->cnames++;
    lookup->totals->pointing += answer->status == REVERSE_CONFIRMED;
    columns_add(&lookup->found, row);
    lookup->done++;
    progress_update(lookup->done, (gint64)db_rows(lookup->wanted) - lookup->done, NULL);
    return lookup->found.rows < FLUSH || keep_cnames(lookup, error);
}

static gboolean look_up_cnames(struct lookup *lookup, const struct config *config, const char *since,
                               const char *limit, GError **error)
{
    static const struct reverse_verbs verbs = {.next = next_name, .answer = take_cname};
    struct reverse_settings settings = reverse_settings_default;
    struct reverse_totals totals;
    const char *values[] = {since, limit};
    settings.resolvers = (const char *const *)config->dns_servers;
    settings.stop = lookup->stop;
    settings.cnames = TRUE;
    settings.least_ttl = settings.none_ttl;
    lookup->at = 0;
    lookup->done = 0;
    db_result_free(lookup->wanted);
    lookup->wanted =
        db_query(lookup->db, "looking for names to ask about",
                 "SELECT * FROM dmarc_store.cnames_to_ask($1::date, $2::bigint)", 2, values, error);
    if (!lookup->wanted)
        return FALSE;
    columns_init(&lookup->found, 4);
    gboolean ok = reverse_run(&settings, &verbs, lookup, &totals, error);
    gboolean kept = keep_cnames(lookup, ok ? error : NULL);
    columns_clear(&lookup->found);
    lookup->totals->silent |= ok && totals.silent;
    lookup->totals->late |= ok && totals.late;
    return ok && kept;
}

/* --- networks --- */

static gboolean find_network(struct lookup *lookup, struct networks *networks, const char *address,
                             GError **error)
{
    struct network network;
    GError *reason = NULL;
    char number[16];
    if (*lookup->stop) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_INTERRUPTED,
                            "could not look up all networks: interrupted");
        return FALSE;
    }
    networks_find(networks, address, &network, &reason);
    if (reason) {
        g_propagate_error(error, reason);
        return FALSE;
    }
    g_snprintf(number, sizeof number, "%u", network.as_number);
    const char *const values[] = {
        address, *network.prefix ? network.prefix : NULL, *network.country ? network.country : NULL,
        network.as_number ? number : NULL, *network.as_name ? network.as_name : NULL};
    columns_add(&lookup->found, values);
    lookup->totals->networks++;
    return TRUE;
}

static gboolean look_up_networks(struct lookup *lookup, const struct config *config, GError **error)
{
    static const char keeping[] = "keeping networks";
    struct networks *networks = networks_open((const char *const *)config->mmdb, error);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    gboolean ok = networks != NULL;
    columns_init(&lookup->found, 5);
    for (guint row = 0; ok && row < db_rows(lookup->wanted); row++)
        ok = find_network(lookup, networks, db_value(lookup->wanted, row, 0), error) &&
             (lookup->found.rows < FLUSH ||
              columns_flush(&lookup->found, lookup->db, keeping, networks_sql, time, error));
    networks_close(networks);
    return keep_rest(lookup, keeping, networks_sql, time, ok, error);
}

gboolean names_look_up(struct db *db, const struct config *config, gboolean dns, guint64 most,
                       struct names_totals *totals_r, GError **error)
{
    struct lookup lookup = {.db = db, .totals = totals_r, .stop = stopping_begin()};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) first = g_date_time_add_days(now, -DAYS);
    g_autoptr(GDateTime) old = g_date_time_add_days(now, -NETWORK_DAYS);
    g_autofree char *since = g_date_time_format(first, "%Y-%m-%d");
    g_autofree char *before = config->mmdb ? g_date_time_format_iso8601(old) : NULL;
    g_autofree char *limit = g_strdup_printf("%" G_GUINT64_FORMAT, most);
    const char *values[] = {since, dns ? "true" : "false", before, limit};
    memset(totals_r, 0, sizeof *totals_r);
    lookup.wanted =
        db_query(db, "looking for addresses to ask about",
                 "SELECT host(source_ip), ask_name FROM dmarc_store.addresses_to_ask($1::date, $2::boolean,"
                 " $3::timestamptz, $4::bigint)",
                 4, values, error);
    gboolean ok = lookup.wanted != NULL && (!config->mmdb || look_up_networks(&lookup, config, error)) &&
                  (!dns || (look_up_names(&lookup, config, error) &&
                            (totals_r->silent || look_up_cnames(&lookup, config, since, limit, error))));
    db_result_free(lookup.wanted);
    progress_hide();
    return ok;
}
