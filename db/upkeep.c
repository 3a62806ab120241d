#include "db/upkeep.h"

#include "db/months.h"

/* ---- maintain ---- */

static gboolean move_months(struct db *db, struct upkeep_maintained *done, GError **error)
{
    struct db_result *stray =
        db_query(db, "looking for months without a partition",
                 "SELECT month, parent FROM dmarc_store.stray_months()", 0, NULL, error);
    gboolean ok = stray != NULL;
    for (guint i = 0; ok && i < db_rows(stray); i++) {
        const char *values[] = {db_value(stray, i, 0), db_value(stray, i, 1)};
        struct db_result *moved = db_query(db, "moving a month into a partition",
                                           "SELECT dmarc_store.move_month($1::date, $2)", 2, values, error);
        ok = moved != NULL;
        if (ok && db_int(moved, 0, 0)) {
            done->moved++;
            done->rows += db_int(moved, 0, 0);
        }
        db_result_free(moved);
    }
    db_result_free(stray);
    return ok;
}

static gboolean compact(struct db *db, gint64 *rows_r, GError **error)
{
    struct db_result *many = db_query(db, "looking for sums of many rows",
                                      "SELECT domain, month FROM dmarc_store.compactable()", 0, NULL, error);
    gboolean ok = many != NULL;
    for (guint i = 0; ok && i < db_rows(many); i++) {
        const char *values[] = {db_value(many, i, 0), db_value(many, i, 1)};
        struct db_result *went = db_query(db, "making one row of many",
                                          "SELECT dmarc_store.compact($1, $2::date)", 2, values, error);
        ok = went != NULL;
        *rows_r += ok ? db_int(went, 0, 0) : 0;
        db_result_free(went);
    }
    db_result_free(many);
    return ok;
}

gboolean upkeep_judge(struct db *db, const struct db_result *domains, gint64 *profiles, guint64 *changed,
                      GError **error)
{
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < db_rows(domains); i++) {
        const char *values[] = {db_value(domains, i, 0)};
        struct db_result *judged =
            db_query(db, "judging again", "SELECT dmarc_store.reclassify($1)", 1, values, error);
        gint64 n = judged ? db_int(judged, 0, 0) : 0;
        ok = judged != NULL;
        *profiles += n;
        *changed += n > 0;
        db_result_free(judged);
    }
    return ok;
}

/* Without a lock first: mostly there is nothing to do, and who has the lock keeps all ingesters waiting. */
static gboolean judge_again(struct db *db, gint64 *profiles_r, GError **error)
{
    guint64 changed = 0;
    struct db_result *domains =
        db_query(db, "looking for other classes",
                 "SELECT DISTINCT domain FROM dmarc_store.misjudged() WHERE wrong > 0 ORDER BY domain", 0,
                 NULL, error);
    gboolean ok = domains && upkeep_judge(db, domains, profiles_r, &changed, error);
    db_result_free(domains);
    return ok;
}

/* How many reports wait, and the partitions of their months: ingest has nothing to write there. -1: error. */
static gint64 prepare_fold(struct db *db, GError **error)
{
    struct db_result *months = db_query(
        db, "counting reports",
        "SELECT month, sum(reports)::bigint FROM dmarc_store.foldable(false) GROUP BY month", 0, NULL, error);
    gint64 all = months ? 0 : -1;
    for (guint i = 0; months && all >= 0 && i < db_rows(months); i++) {
        const char *values[] = {db_value(months, i, 0)};
        struct db_result *made =
            db_query(db, "making a partition", "SELECT dmarc_store.ensure_month($1::date, 'folded')", 1,
                     values, error);
        all = made ? all + db_int(months, i, 1) : -1;
        db_result_free(made);
    }
    db_result_free(months);
    return all;
}

gboolean upkeep_fold(struct db *db, upkeep_told told, gint64 *reports_r, GError **error)
{
    gint64 all = prepare_fold(db, error), some = 1;
    *reports_r = 0;
    while (all >= 0 && some) {
        struct db_result *folded =
            db_query(db, "folding addresses", "SELECT dmarc_store.fold_next()", 0, NULL, error);
        if (!folded)
            return FALSE;
        some = db_int(folded, 0, 0);
        *reports_r += some;
        told(*reports_r, MAX(all - *reports_r, 0), NULL);
        db_result_free(folded);
    }
    return all >= 0;
}

/* Whoever reads a table keeps us from it: then it is for the next time, as nobody shall wait behind us. So
 * it is with one that was pruned meanwhile. */
static gboolean give_back(struct db *db, double *bytes_r, GError **error)
{
    struct db_result *roomy =
        db_query(db, "looking for room that is free", "SELECT t FROM dmarc_store.roomy() t", 0, NULL, error);
    gboolean ok = roomy && db_run(db, "waiting for little", "SET lock_timeout = '1s'", error);
    for (guint i = 0; ok && i < db_rows(roomy); i++) {
        const char *values[] = {db_value(roomy, i, 0)};
        static const char size[] = "SELECT coalesce(pg_total_relation_size(to_regclass($1)), 0)";
        g_autofree char *sql = g_strdup_printf("VACUUM (FULL, ANALYZE) %s", values[0]);
        g_autoptr(GError) busy = NULL;
        struct db_result *before = db_query(db, "looking at a size", size, 1, values, error), *after = NULL;
        if (before && !db_run(db, "giving room back", sql, &busy) &&
            !g_strv_contains((const char *const[]){"55P03", "42P01", NULL}, db_sqlstate(db)))
            g_propagate_error(error, g_steal_pointer(&busy));
        else if (before)
            after = db_query(db, "looking at a size", size, 1, values, error);
        ok = after != NULL;
        *bytes_r += ok ? (double)MAX(db_int(before, 0, 0) - db_int(after, 0, 0), 0) : 0;
        db_result_free(before);
        db_result_free(after);
    }
    db_result_free(roomy);
    return ok && db_run(db, "waiting as before", "RESET lock_timeout", error);
}

gboolean upkeep_maintain(struct db *db, upkeep_told told, struct upkeep_maintained *done_r, GError **error)
{
    *done_r = (struct upkeep_maintained){0};
    return move_months(db, done_r, error) && months_make(db, 0, 2, &done_r->partitions, error) &&
           upkeep_fold(db, told, &done_r->reports, error) && compact(db, &done_r->compacted, error) &&
           judge_again(db, &done_r->profiles, error) && give_back(db, &done_r->bytes, error);
}

/* ---- prune ---- */

gboolean upkeep_prune_plan(struct db *db, const char *before, struct upkeep_pruned *plan_r, GError **error)
{
    const char *values[] = {before};
    struct db_result *plan = db_query(
        db, "planning", "SELECT months, reports, records, mails, bytes FROM dmarc_store.prune_plan($1::date)",
        1, values, error);
    *plan_r = (struct upkeep_pruned){0};
    if (!plan)
        return FALSE;
    plan_r->months = db_int(plan, 0, 0);
    plan_r->reports = db_int(plan, 0, 1);
    plan_r->records = db_int(plan, 0, 2);
    plan_r->mails = db_int(plan, 0, 3);
    plan_r->bytes = g_ascii_strtod(db_value(plan, 0, 4), NULL);
    db_result_free(plan);
    return TRUE;
}

static gboolean prune_months(struct db *db, const char *before, struct upkeep_pruned *gone, GError **error)
{
    const char *until[] = {before};
    struct db_result *months = db_query(
        db, "listing months", "SELECT m FROM dmarc_store.stored_months() m WHERE m < $1::date ORDER BY m", 1,
        until, error);
    gboolean ok = months != NULL;
    for (guint i = 0; ok && i < db_rows(months); i++) {
        const char *values[] = {db_value(months, i, 0)};
        struct db_result *month = db_query(
            db, "pruning a month", "SELECT reports, records, bytes FROM dmarc_store.prune_month($1::date)", 1,
            values, error);
        ok = month != NULL;
        if (ok) {
            gone->months++;
            gone->reports += db_int(month, 0, 0);
            gone->records += db_int(month, 0, 1);
            gone->bytes += g_ascii_strtod(db_value(month, 0, 2), NULL);
        }
        db_result_free(month);
    }
    db_result_free(months);
    return ok;
}

static gboolean prune_mails(struct db *db, const char *before, upkeep_told told, struct upkeep_pruned *gone,
                            GError **error)
{
    static const char sql[] = "SELECT sha256, id, looked_at, mails, bytes FROM"
                              " dmarc_store.prune_mails($1::date, $2::bytea, $3::bigint)";
    g_autofree char *sha256 = NULL, *id = NULL;
    struct db_result *count =
        db_query(db, "counting mails", "SELECT count(*) FROM dmarc_store.message", 0, NULL, error);
    gint64 all = count ? db_int(count, 0, 0) : 0, looked = 0;
    db_result_free(count);
    for (gboolean end = count == NULL; !end;) {
        const char *values[] = {before, sha256, id};
        struct db_result *piece = db_query(db, "pruning mails", sql, 3, values, error);
        if (!piece)
            return FALSE;
        end = !db_rows(piece);
        if (!end) {
            g_free(sha256);
            g_free(id);
            sha256 = g_strdup(db_value(piece, 0, 0));
            id = g_strdup(db_value(piece, 0, 1));
            looked += db_int(piece, 0, 2);
            gone->mails += db_int(piece, 0, 3);
            gone->bytes += g_ascii_strtod(db_value(piece, 0, 4), NULL);
        }
        db_result_free(piece);
        told(looked, MAX(all - looked, 0), NULL);
    }
    return count != NULL;
}

static gboolean prune_evidence(struct db *db, struct upkeep_pruned *gone, GError **error)
{
    g_autofree char *domain = NULL;
    for (gboolean end = FALSE; !end;) {
        const char *values[] = {domain};
        struct db_result *piece = db_query(
            db, "pruning evidence", "SELECT domain, evidence, profiles FROM dmarc_store.prune_evidence($1)",
            1, values, error);
        if (!piece)
            return FALSE;
        end = !db_rows(piece);
        if (!end) {
            g_free(domain);
            domain = g_strdup(db_value(piece, 0, 0));
            gone->evidence += db_int(piece, 0, 1);
            gone->profiles += db_int(piece, 0, 2);
        }
        db_result_free(piece);
    }
    return TRUE;
}

gboolean upkeep_prune(struct db *db, const char *before, upkeep_told told, struct upkeep_pruned *gone_r,
                      GError **error)
{
    const char *values[] = {before};
    *gone_r = (struct upkeep_pruned){0};
    if (!prune_months(db, before, gone_r, error))
        return FALSE;
    struct db_result *noted =
        db_query(db, "noting up to where was pruned",
                 "INSERT INTO dmarc_store.pruning (before) VALUES ($1::date) ON CONFLICT DO NOTHING", 1,
                 values, error);
    db_result_free(noted);
    return noted && prune_mails(db, before, told, gone_r, error) && prune_evidence(db, gone_r, error);
}
