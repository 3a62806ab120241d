#include "db/decide.h"

#include "db/digest.h"
#include "db/rows.h"
#include "db/schema.h"

#include <string.h>

/* Any number will do, as long as every version of the program takes the same. */
#define LOCK "7710422"

static struct batch_report *report_at(const struct decision *d, guint i)
{
    return &g_array_index(d->batch->reports, struct batch_report, i);
}

/* Finds those that are there twice. The whole one of two stands for both; its trust is that of the first,
 * unless one of them came trusted. */
static void find_same(struct decision *d)
{
    g_autoptr(GHashTable) keys = g_hash_table_new(digest_hash, digest_equal_pair);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        gpointer earlier;
        report->fresh = report->collision = FALSE;
        report->stored_id = report->settled = 0;
        report->same_as = i;
        report->trust = report->brought;
        if (!g_hash_table_lookup_extended(keys, report->key, NULL, &earlier)) {
            g_hash_table_insert(keys, report->key, GUINT_TO_POINTER(i));
            continue;
        }
        struct batch_report *other = report_at(d, GPOINTER_TO_UINT(earlier));
        enum trust trust = report->trust == TRUST_YES ? TRUST_YES : other->trust;
        if (other->incomplete && !report->incomplete) {
            other->same_as = i;
            g_hash_table_replace(keys, report->key, GUINT_TO_POINTER(i));
        } else {
            report->same_as = GPOINTER_TO_UINT(earlier);
        }
        report_at(d, report->same_as)->trust = trust;
    }
}

/* The best copies of one identity: of those that are at least so trusted, by enum trust. */
struct best {
    const struct batch_report *copy[TRUST_YES + 1];
};

static gboolean is_better(const struct batch_report *a, const struct batch_report *b)
{
    return !b || (b->incomplete && (!a->incomplete || a->n_records > b->n_records));
}

/* Incomplete ones are the same as a better copy. */
static void find_better(struct decision *d)
{
    g_autoptr(GHashTable) identities = g_hash_table_new_full(digest_hash, digest_equal, NULL, g_free);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        if (report->same_as != i)
            continue;
        struct best *best = g_hash_table_lookup(identities, report->key);
        if (!best)
            g_hash_table_insert(identities, report->key, best = g_new0(struct best, 1));
        for (enum trust trust = TRUST_NO; trust <= report->trust; trust++)
            if (is_better(report, best->copy[trust]))
                best->copy[trust] = report;
    }
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        const struct best *best = g_hash_table_lookup(identities, report->key);
        const struct batch_report *copy = best->copy[report->trust];
        if (report->same_as == i && copy != report && is_better(copy, report))
            report->same_as = (guint)(copy - report_at(d, 0));
    }
}

void decide_among(struct decision *d)
{
    g_autoptr(GHashTable) identities = g_hash_table_new(digest_hash, digest_equal);
    if (d->first == d->end)
        return;
    find_same(d);
    find_better(d);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        /* A chain has three members at most: a copy, the one that stands for it, a better one. */
        for (guint step = 0; step < 2; step++)
            report->same_as = report_at(d, report->same_as)->same_as;
        if (report->same_as != i)
            continue;
        report->collision = !g_hash_table_add(identities, report->key);
        d->incomplete = d->incomplete || report->incomplete;
        d->primaries++;
    }
}

gboolean decide_begin(const struct decision *d, GError **error)
{
    /* The isolation is said because what waits for a lock must see what was committed meanwhile: that the
     * schema is another one, for example, and then this program may not write any more. */
#define BEGIN "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock_shared(" SCHEMA_WRITERS ")"
#define VERSION "; SELECT max(version) FROM dmarc.schema_version"
    static const char begin[] = BEGIN VERSION,
                      shared[] = BEGIN ", pg_advisory_xact_lock_shared(" LOCK ")" VERSION,
                      alone[] = BEGIN ", pg_advisory_xact_lock(" LOCK ")" VERSION,
                      far_shared[] = BEGIN ", dmarc_store.share()" VERSION,
                      far_alone[] = BEGIN ", dmarc_store.alone()" VERSION;
    gboolean far = d->batch->distributed;
    struct db_result *result = db_script(d->db, "beginning a batch",
                                         d->alone || d->incomplete ? (far ? far_alone : alone)
                                         : d->primaries            ? (far ? far_shared : shared)
                                                                   : begin,
                                         error);
    gboolean known = result && schema_is_known((int)db_int(result, 0, 0), error);
    db_result_free(result);
    return known;
}

/* The report with this id of ours; NULL for none. */
static struct batch_report *report_by_id(GHashTable *by_id, gint64 id)
{
    return g_hash_table_lookup(by_id, &id);
}

/* Fetches what the statements that follow ask for, where it is on other nodes. */
static gboolean gather(struct decision *d, GError **error)
{
    return !d->batch->distributed || db_run(d->db, "gathering reports", rows_report_gather, error);
}

/* Takes incomplete ones that are there better already out of the staging table. */
static gboolean drop_worse(struct decision *d, GHashTable *by_id, GError **error)
{
    struct db_result *result = db_query(d->db, "looking for better copies",
                                        rows_report_better[d->batch->distributed], 0, NULL, error);
    for (guint row = 0; result && row < db_rows(result); row++) {
        struct batch_report *report = report_by_id(by_id, db_int(result, row, 0));
        if (!report)
            continue;
        report->stored_id = db_int(result, row, 1);
        d->primaries--;
    }
    gboolean any = result && db_rows(result) > 0;
    db_result_free(result);
    return result &&
           (!any || db_run(d->db, "dropping worse copies", rows_report_drop[d->batch->distributed], error));
}

/* Runs the INSERT that decides. */
static gboolean insert_new(struct decision *d, GHashTable *by_id, gboolean *collision_r, GError **error)
{
    struct db_result *result =
        db_query(d->db, "inserting reports", rows_report_insert[d->batch->distributed], 0, NULL, error);
    for (guint row = 0; result && row < db_rows(result); row++) {
        struct batch_report *report = report_by_id(by_id, db_int(result, row, 0));
        if (!report)
            continue;
        report->fresh = TRUE;
        report->stored_id = report->id;
        *collision_r = *collision_r || db_value(result, row, 1)[0] == 't';
        d->fresh++;
    }
    db_result_free(result);
    return result != NULL;
}

/* Finds the rows that were there before, and whether a copy is better than its row. */
static gboolean find_known(struct decision *d, GHashTable *by_id, gboolean *better_r, GError **error)
{
    struct db_result *result = db_query(d->db, "looking for known reports",
                                        rows_report_known[d->batch->distributed], 0, NULL, error);
    for (guint row = 0; result && row < db_rows(result); row++) {
        struct batch_report *report = report_by_id(by_id, db_int(result, row, 0));
        const char *better = db_value(result, row, 2);
        if (report)
            report->stored_id = db_int(result, row, 1);
        *better_r = *better_r || (better && better[0] == 't');
    }
    db_result_free(result);
    return result != NULL;
}

/* A report whose sums change at the end: domain, day, id. */
struct late {
    char *place[3];
    const char *sql;
};

static void late_free(gpointer data)
{
    struct late *late = data;
    for (guint i = 0; i < G_N_ELEMENTS(late->place); i++)
        g_free(late->place[i]);
    g_free(late);
}

static void later(struct decision *d, const char *const *place, const char *sql)
{
    struct late *late = g_new0(struct late, 1);
    for (guint i = 0; i < G_N_ELEMENTS(late->place); i++)
        late->place[i] = g_strdup(place[i]);
    late->sql = sql;
    if (!d->late)
        d->late = g_ptr_array_new_with_free_func(late_free);
    g_ptr_array_add(d->late, late);
}

enum { CHANGE_REPLACED = 3, CHANGE_TRUSTED, CHANGE_INCOMPLETE, CHANGE_UNDOUBTED };

/* Changes one row that is there. */
static gboolean change_row(struct decision *d, const struct db_result *changes, guint row, GError **error)
{
    const char *values[5];
    for (guint i = 0; i < 3; i++)
        values[i] = db_value(changes, row, i);
    gboolean replaced = db_value(changes, row, CHANGE_REPLACED)[0] == 't';
    values[3] = db_value(changes, row, CHANGE_TRUSTED);
    values[4] = db_value(changes, row, CHANGE_INCOMPLETE);
    struct db_result *result =
        replaced ? db_query(d->db, "replacing a report", rows_report_replace, 3, values, error)
                 : db_query(d->db, "bettering a report", rows_report_improve, 5, values, error);
    if (replaced && result && db_affected(result) > 0)
        later(d, values, rows_report_uncount);
    if (!replaced && db_value(changes, row, CHANGE_UNDOUBTED)[0] == 't')
        later(d, values, rows_report_undoubt);
    db_result_free(result);
    return result != NULL;
}

/* New reports whose rivals are all gone. */
static gboolean unflag(struct decision *d, GError **error)
{
    if (!gather(d, error))
        return FALSE;
    struct db_result *rows = db_query(d->db, "looking for reports without rivals",
                                      rows_report_flagged[d->batch->distributed], 0, NULL, error);
    gboolean ok = rows != NULL;
    for (guint row = 0; ok && row < db_rows(rows); row++) {
        const char *values[] = {db_value(rows, row, 0), db_value(rows, row, 1), db_value(rows, row, 2)};
        struct db_result *result =
            db_query(d->db, "unflagging a report", rows_report_unflag, 3, values, error);
        ok = result != NULL;
        db_result_free(result);
    }
    db_result_free(rows);
    return ok;
}

/* What the new copies mean for the rows that are there, and for their own flags. */
static gboolean change_known(struct decision *d, GError **error)
{
    struct db_result *changes = db_query(d->db, "looking for replaced reports",
                                         rows_report_changes[d->batch->distributed], 0, NULL, error);
    gboolean ok = changes != NULL;
    for (guint row = 0; ok && row < db_rows(changes); row++)
        ok = change_row(d, changes, row, error);
    gboolean any = ok && db_rows(changes) > 0;
    db_result_free(changes);
    return ok && (!any || unflag(d, error));
}

gboolean decide_stored(struct decision *d, GError **error)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    gboolean collision = FALSE, better = FALSE;
    for (guint i = d->first; i < d->end; i++)
        g_hash_table_insert(by_id, &report_at(d, i)->id, report_at(d, i));
    if (!gather(d, error) || (d->incomplete && !drop_worse(d, by_id, error)) ||
        !insert_new(d, by_id, &collision, error))
        return FALSE;
    gboolean old = d->fresh < d->primaries;
    if ((old || collision) && !gather(d, error))
        return FALSE;
    if (old && !find_known(d, by_id, &better, error))
        return FALSE;
    return (!collision && !better) || change_known(d, error);
}

gboolean decide_fresh(const struct decision *d, const char *name, const char *sql, GError **error)
{
    g_autoptr(GString) ids = g_string_new("{");
    for (guint i = d->first; i < d->end; i++)
        if (report_at(d, i)->fresh)
            g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, ids->len > 1 ? "," : "", report_at(d, i)->id);
    g_string_append_c(ids, '}');
    const char *const values[] = {ids->str};
    struct db_result *result = db_query(d->db, name, sql, 1, values, error);
    db_result_free(result);
    return result != NULL;
}

gboolean decide_sums(struct decision *d, GError **error)
{
    gboolean ok = !d->fresh || decide_fresh(d, "adding to the sums", rows_report_count, error);
    for (guint i = 0; ok && d->late && i < d->late->len; i++) {
        const struct late *late = d->late->pdata[i];
        struct db_result *result =
            db_query(d->db, "taking from the sums", late->sql, 3, (const char *const *)late->place, error);
        ok = result != NULL;
        db_result_free(result);
    }
    return ok;
}

void decide_clear(struct decision *d)
{
    g_clear_pointer(&d->late, g_ptr_array_unref);
}
