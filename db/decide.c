#include "db/decide.h"

#include "db/digest.h"
#include "db/first_records.h"
#include "db/rows.h"
#include "db/schema.h"

#include <string.h>

/* Any number will do, as long as every version of the program takes the same. */
#define LOCK "7710422"

static struct batch_report *report_at(const struct decision *d, guint i)
{
    return &g_array_index(d->batch->reports, struct batch_report, i);
}

/* The documents of each mail, by identity; the whole one of several. */
static GHashTable *documents_of(const struct decision *d)
{
    GHashTable *documents = g_hash_table_new(digest_hash, digest_equal_in_mail);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        const struct batch_report *other = g_hash_table_lookup(documents, &report->key);
        if (!report->in_words && (!other || (other->incomplete && !report->incomplete)))
            g_hash_table_replace(documents, &report->key, report);
    }
    return documents;
}

/* The document that a report gives way to which was found in a text; NULL for none. */
static const struct batch_report *document_for(GHashTable *documents, const struct batch_report *report)
{
    const struct batch_report *document =
        report->in_words ? g_hash_table_lookup(documents, &report->key) : NULL;
    return document && (!document->incomplete || report->incomplete) ? document : NULL;
}

/* Finds those that are there twice. The whole one of two stands for both; its trust is that of the first,
 * unless one of them came trusted. */
static void find_same(struct decision *d)
{
    g_autoptr(GHashTable) keys = g_hash_table_new(digest_hash, digest_equal_pair);
    g_autoptr(GHashTable) documents = documents_of(d);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        const struct batch_report *document = document_for(documents, report);
        gpointer earlier;
        report->fresh = report->collision = FALSE;
        report->stored_id = report->settled = 0;
        report->same_as = i;
        report->trust = report->brought;
        if (document) {
            report->same_as = (guint)(document - report_at(d, 0));
            continue;
        }
        if (!g_hash_table_lookup_extended(keys, &report->key, NULL, &earlier)) {
            g_hash_table_insert(keys, &report->key, GUINT_TO_POINTER(i));
            continue;
        }
        struct batch_report *other = report_at(d, GPOINTER_TO_UINT(earlier));
        enum trust trust = report->trust == TRUST_YES ? TRUST_YES : other->trust;
        if (other->incomplete && !report->incomplete) {
            other->same_as = i;
            g_hash_table_replace(keys, &report->key, GUINT_TO_POINTER(i));
        } else {
            report->same_as = GPOINTER_TO_UINT(earlier);
        }
        report_at(d, report->same_as)->trust = trust;
    }
}

static gboolean is_better(const struct batch_report *a, const struct batch_report *b)
{
    return b->incomplete && (!a->incomplete || a->n_records > b->n_records);
}

/* The best first, and of equals the first. */
static int by_worth(gconstpointer a, gconstpointer b)
{
    const struct batch_report *const *x = a, *const *y = b;
    return is_better(*x, *y) ? -1 : is_better(*y, *x) ? 1 : *x < *y ? -1 : 1;
}

static gboolean first_records(const struct decision *d, const struct batch_report *report, guint64 n,
                              char *hex_r, GError **error)
{
    return first_records_waiting(d->batch->records, report->records, n, hex_r, error);
}

/* Looks for the best of these that holds what an incomplete one does. */
static gboolean give_way(const struct decision *d, struct batch_report *report, const GPtrArray *copies,
                         GError **error)
{
    char own[SHA256_HEX] = "", other[SHA256_HEX];
    for (guint i = 0, looked = 0; i < copies->len && looked < RIVALS_MOST; i++) {
        const struct batch_report *copy = copies->pdata[i];
        if (!is_better(copy, report))
            return TRUE;
        if (copy->trust < report->trust || copy->n_records < report->n_records)
            continue;
        looked++;
        if ((!*own && !first_records(d, report, report->n_records, own, error)) ||
            !first_records(d, copy, report->n_records, other, error))
            return FALSE;
        if (strcmp(own, other) == 0) {
            report->same_as = (guint)(copy - report_at(d, 0));
            return TRUE;
        }
    }
    return TRUE;
}

/* The reports that stand for themselves, by identity: of those identities that have an incomplete one. */
static GHashTable *by_identity(const struct decision *d)
{
    GHashTable *identities =
        g_hash_table_new_full(digest_hash, digest_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        if (report->same_as == i && report->incomplete && !g_hash_table_contains(identities, &report->key))
            g_hash_table_insert(identities, &report->key, g_ptr_array_new());
    }
    for (guint i = d->first; g_hash_table_size(identities) && i < d->end; i++) {
        GPtrArray *copies = g_hash_table_lookup(identities, &report_at(d, i)->key);
        if (copies && report_at(d, i)->same_as == i)
            g_ptr_array_add(copies, report_at(d, i));
    }
    return identities;
}

/* Incomplete ones are the same as a better copy. */
static gboolean find_better(struct decision *d, GError **error)
{
    g_autoptr(GHashTable) identities = by_identity(d);
    GHashTableIter iter;
    gpointer copies;
    gboolean ok = TRUE;
    g_hash_table_iter_init(&iter, identities);
    while (ok && g_hash_table_iter_next(&iter, NULL, &copies)) {
        GPtrArray *list = copies;
        g_ptr_array_sort(list, by_worth);
        for (guint i = 0; ok && list->len > 1 && i < list->len; i++) {
            struct batch_report *report = list->pdata[i];
            ok = !report->incomplete || give_way(d, report, list, error);
        }
    }
    return ok;
}

gboolean decide_among(struct decision *d, GError **error)
{
    g_autoptr(GHashTable) identities = g_hash_table_new(digest_hash, digest_equal);
    if (d->first == d->end)
        return TRUE;
    find_same(d);
    if (!find_better(d, error))
        return FALSE;
    for (guint i = d->first; i < d->end; i++) {
        struct batch_report *report = report_at(d, i);
        while (report->same_as != report_at(d, report->same_as)->same_as)
            report->same_as = report_at(d, report->same_as)->same_as;
        if (report->same_as != i)
            continue;
        report->collision = !g_hash_table_add(identities, &report->key);
        d->incomplete = d->incomplete || report->incomplete;
        d->primaries++;
    }
    return TRUE;
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

/* Whether two reports begin with the same n records: one that waits, and a row, which may be of one that
 * waits, too, and then has no records yet. */
static gboolean is_same_beginning(const struct decision *d, GHashTable *by_id,
                                  const struct batch_report *report, const char *const place[3], guint64 n,
                                  gboolean *same_r, GError **error)
{
    char ours[SHA256_HEX], theirs[SHA256_HEX];
    const struct batch_report *other = report_by_id(by_id, g_ascii_strtoll(place[2], NULL, 10));
    gboolean ok = first_records(d, report, n, ours, error) &&
                  (other ? first_records(d, other, n, theirs, error)
                         : first_records_stored(d->db, place, n, theirs, error));
    *same_r = ok && strcmp(ours, theirs) == 0;
    return ok;
}

static gboolean drop(struct decision *d, GString *ids, GError **error)
{
    g_string_append_c(ids, '}');
    const char *const values[] = {ids->str};
    struct db_result *result = db_query(d->db, "dropping worse copies", rows_report_drop, 1, values, error);
    db_result_free(result);
    return result != NULL;
}

/* Takes incomplete ones that are there better already out of the staging table. */
static gboolean drop_worse(struct decision *d, GHashTable *by_id, GError **error)
{
    struct db_result *result = db_query(d->db, "looking for better copies",
                                        rows_report_better[d->batch->distributed], 0, NULL, error);
    g_autoptr(GString) ids = g_string_new("{");
    gboolean ok = result != NULL, same;
    for (guint row = 0; ok && row < db_rows(result); row++) {
        struct batch_report *report = report_by_id(by_id, db_int(result, row, 0));
        const char *place[] = {db_value(result, row, 1), db_value(result, row, 2), db_value(result, row, 3)};
        if (!report || report->stored_id)
            continue;
        ok = is_same_beginning(d, by_id, report, place, report->n_records, &same, error);
        if (!ok || !same)
            continue;
        report->stored_id = db_int(result, row, 3);
        d->primaries--;
        g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, ids->len > 1 ? "," : "", report->id);
    }
    db_result_free(result);
    return ok && (ids->len == 1 || drop(d, ids, error));
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

enum {
    CHANGE_ID = 2,
    CHANGE_REPLACED,
    CHANGE_TRUSTED,
    CHANGE_INCOMPLETE,
    CHANGE_UNDOUBTED,
    CHANGE_STAGED,
    CHANGE_RECORDS
};

/* Changes one row that is there. */
static gboolean change_row(struct decision *d, const struct db_result *changes, guint row, gboolean replaced,
                           GError **error)
{
    const char *values[5];
    for (guint i = 0; i < 3; i++)
        values[i] = db_value(changes, row, i);
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

/* Whether the staged copy holds what the row does whose place it would take. */
static gboolean may_replace(struct decision *d, GHashTable *by_id, const struct db_result *changes, guint row,
                            gboolean *may_r, GError **error)
{
    const struct batch_report *report = report_by_id(by_id, db_int(changes, row, CHANGE_STAGED));
    const char *place[] = {db_value(changes, row, 0), db_value(changes, row, 1), db_value(changes, row, 2)};
    *may_r = FALSE;
    return !report || is_same_beginning(d, by_id, report, place,
                                        (guint64)db_int(changes, row, CHANGE_RECORDS), may_r, error);
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
static gboolean change_known(struct decision *d, GHashTable *by_id, GError **error)
{
    struct db_result *changes = db_query(d->db, "looking for replaced reports",
                                         rows_report_changes[d->batch->distributed], 0, NULL, error);
    gboolean ok = changes != NULL, any = FALSE;
    gint64 gone = 0; /* the row that was replaced last: several copies may take its place */
    for (guint row = 0; ok && row < db_rows(changes); row++) {
        gboolean replaced = db_value(changes, row, CHANGE_REPLACED)[0] == 't', change = !replaced;
        if (replaced && db_int(changes, row, CHANGE_ID) != gone)
            ok = may_replace(d, by_id, changes, row, &change, error);
        if (!ok || !change)
            continue;
        ok = change_row(d, changes, row, replaced, error);
        any = TRUE;
        gone = replaced ? db_int(changes, row, CHANGE_ID) : gone;
    }
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
    return (!collision && !better) || change_known(d, by_id, error);
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
