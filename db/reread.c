#include "db/reread.h"

#include "db/digest.h"
#include "db/others.h"
#include "db/rows.h"
#include "db/rows_other.h"
#include "parser/sha256.h"

#include <string.h>

enum act {
    ACT_NEW,     /* the ledger has nothing like it of this mail */
    ACT_KNOWN,   /* the same is there */
    ACT_COMPARE, /* the same report is there, by this mail: what we make of it may be different */
    ACT_REPLACE, /* another is there, and gives way */
    ACT_LEAVE,   /* another is there, and stays */
};

/* A report of the new reading. */
struct item {
    struct batch_report *report; /* one of the two */
    struct other_report *other;
    const char *path;
    char day[24];
    int old; /* row of `old`, -1 for none */
    enum act act;
    char *ingested_at; /* of the row that gave way */
};

struct rereading {
    struct batch *batch;
    struct db *db;
    struct batch_message *message;
    char sha256[SHA256_HEX], number[24];
    struct db_result *old; /* reports that the ledger has of the mail */
    gboolean *taken;       /* by row of `old`: it has its successor */
    gboolean *pruned;      /* by row of `old` */
    GArray *items;
    struct reread_result result;
    gboolean gone;
};

enum {
    OLD_PATH,
    OLD_KIND,
    OLD_OUTCOME,
    OLD_DOMAIN,
    OLD_DAY,
    OLD_REPORT,
    OLD_KEY,
    OLD_INCOMPLETE,
    OLD_REPLACED
};

static struct item *item_at(const struct rereading *again, guint i)
{
    return &g_array_index(again->items, struct item, i);
}

static void item_clear(gpointer item)
{
    g_free(((struct item *)item)->ingested_at);
}

static const guint8 *key_of(const struct item *item)
{
    return item->report ? item->report->key.hashes : item->other->key.hashes;
}

static const char *domain_of(const struct item *item)
{
    return item->report ? item->report->domain : item->other->domain;
}

static gboolean old_is(const struct rereading *again, const struct item *item, guint column)
{
    return *db_value(again->old, (guint)item->old, column) == 't';
}

static gboolean is_owner(const struct rereading *again, const struct item *item)
{
    return strcmp(db_value(again->old, (guint)item->old, OLD_OUTCOME), outcome_words[OUTCOME_STORED]) == 0;
}

/* The first `bytes` of the key, in hexadecimal, against what the ledger has. */
static gboolean key_is(const struct rereading *again, guint row, const guint8 *key, guint bytes)
{
    const char *hex = db_value(again->old, row, OLD_KEY);
    for (guint i = 0; hex && i < bytes; i++)
        if (g_ascii_xdigit_value(hex[i * 2]) << 4 != (key[i] & 0xf0) ||
            g_ascii_xdigit_value(hex[i * 2 + 1]) != (key[i] & 0x0f))
            return FALSE;
    return hex != NULL;
}

/* ---- which is which ---- */

static void add_item(struct rereading *again, struct item item)
{
    gint64 days = item.report ? item.report->day : item.other->day;
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(days * 86400);
    g_snprintf(item.day, sizeof item.day, "%04d-%02d-%02d", date ? g_date_time_get_year(date) : 1970,
               date ? g_date_time_get_month(date) : 1, date ? g_date_time_get_day_of_month(date) : 1);
    g_array_append_val(again->items, item);
}

static void add_items(struct rereading *again)
{
    const struct batch_message *message = again->message;
    for (guint i = 0; i < message->n_documents; i++) {
        const struct batch_document *document =
            &g_array_index(again->batch->documents, struct batch_document, message->first_document + i);
        struct item item = {.path = document->path, .old = -1};
        for (guint r = 0; r < document->n_reports; r++) {
            item.report =
                &g_array_index(again->batch->reports, struct batch_report, document->first_report + r);
            item.report->pruned = FALSE;
            add_item(again, item);
        }
        item.report = NULL;
        for (guint r = 0; r < document->n_others; r++) {
            item.other = others_change(again->batch->others, document->first_other + r);
            item.other->settled = 0;
            add_item(again, item);
        }
    }
}

static gboolean is_kind(const struct rereading *again, guint row, const struct item *item)
{
    const char *kind = db_value(again->old, row, OLD_KIND);
    return strcmp(kind, item->report ? "aggregate" : item->other->kind == OTHER_TLS ? "tls" : "failure") == 0;
}

/* Copies in a mail have one row of a report between them: each has to find its own document. */
enum likeness { LIKE_BOTH, LIKE_KEY, LIKE_IDENTITY, LIKE_PATH, LIKENESSES };

/* Of one that was pruned only the document is left. */
static gboolean is_like_document(const struct rereading *again, guint row, const struct item *item,
                                 enum likeness likeness)
{
    return likeness > LIKE_KEY && strcmp(db_value(again->old, row, OLD_PATH), item->path) == 0 &&
           (likeness == LIKE_PATH || (strcmp(db_value(again->old, row, OLD_DOMAIN), domain_of(item)) == 0 &&
                                      strcmp(db_value(again->old, row, OLD_DAY), item->day) == 0));
}

static gboolean is_like(const struct rereading *again, guint row, const struct item *item,
                        enum likeness likeness)
{
    if (!is_kind(again, row, item))
        return FALSE;
    if (again->pruned[row])
        return is_like_document(again, row, item, likeness);
    /* What was whole must not become less. */
    if (likeness > LIKE_KEY && item->report && item->report->incomplete &&
        *db_value(again->old, row, OLD_INCOMPLETE) == 'f')
        return FALSE;
    gboolean path = strcmp(db_value(again->old, row, OLD_PATH), item->path) == 0;
    return likeness <= LIKE_KEY
               ? key_is(again, row, key_of(item), 2 * DIGEST_BYTES) && (likeness == LIKE_KEY || path)
           : likeness == LIKE_IDENTITY ? key_is(again, row, key_of(item), DIGEST_BYTES)
                                       : path;
}

/* Finds the old one of each, the surest first. FALSE when an old one is left over. */
static gboolean match(struct rereading *again)
{
    guint rows = db_rows(again->old), left = rows;
    for (enum likeness likeness = 0; left && likeness < LIKENESSES; likeness++) {
        for (guint i = 0; i < again->items->len; i++) {
            struct item *item = item_at(again, i);
            for (guint row = 0; item->old < 0 && row < rows; row++) {
                if (again->taken[row] || !is_like(again, row, item, likeness))
                    continue;
                again->taken[row] = TRUE;
                item->old = (int)row;
                item->act = likeness <= LIKE_KEY ? ACT_KNOWN : ACT_REPLACE;
                left--;
            }
        }
    }
    return !left;
}

/* Finds the old ones that are gone because they were pruned. */
static gboolean find_pruned(struct rereading *again, GError **error)
{
    static const char sql[] = "SELECT coalesce($1::date < max(before), false) FROM dmarc_store.pruning";
    gboolean ok = TRUE;
    for (guint row = 0; ok && row < db_rows(again->old); row++) {
        const char *day = db_value(again->old, row, OLD_DAY);
        if (db_value(again->old, row, OLD_KEY))
            continue;
        struct db_result *result =
            db_query(again->db, "asking whether a report was pruned", sql, 1, &day, error);
        again->pruned[row] = result && *db_value(result, 0, 0) == 't';
        ok = result != NULL;
        db_result_free(result);
    }
    return ok;
}

/* It stays a duplicate of the old one. */
static void settle(const struct rereading *again, struct item *item)
{
    gint64 id = db_int(again->old, (guint)item->old, OLD_REPORT);
    item->act = ACT_LEAVE;
    if (item->report)
        item->report->settled = item->report->stored_id = id;
    else
        item->other->settled = id;
}

/* The document says of one that was pruned what it did. */
static gboolean settle_pruned(const struct rereading *again, struct item *item, GError **error)
{
    const char *domain = db_value(again->old, (guint)item->old, OLD_DOMAIN);
    const char *day = db_value(again->old, (guint)item->old, OLD_DAY);
    struct db_result *days =
        db_query(again->db, "counting days", "SELECT $1::date - date '1970-01-01'", 1, &day, error);
    if (!days)
        return FALSE;
    settle(again, item);
    if (item->report) {
        item->report->pruned = TRUE;
        item->report->domain = batch_text(again->batch, domain, G_MAXSIZE);
        item->report->day = db_int(days, 0, 0);
    } else {
        g_free(item->other->domain);
        item->other->domain = g_strdup(domain);
        item->other->day = db_int(days, 0, 0);
    }
    db_result_free(days);
    return TRUE;
}

/* Whether the mail that stored the old one is kept, so that reading it again will tell. */
static gboolean owner_is_kept(const struct rereading *again, const struct item *item, gboolean *kept_r,
                              GError **error)
{
    static const char sql[] =
        "SELECT 1 FROM dmarc_store.document d JOIN dmarc_store.original o ON o.mail_sha256 = d.mail_sha256"
        " WHERE d.report = $3::bigint AND d.domain = $1 AND d.day = $2::date AND d.outcome = 'stored' LIMIT "
        "1";
    const char *values[3];
    for (guint i = 0; i < 3; i++)
        values[i] = db_value(again->old, (guint)item->old, OLD_DOMAIN + i);
    struct db_result *result = db_query(again->db, "looking for the first mail", sql, 3, values, error);
    *kept_r = result && db_rows(result) > 0;
    db_result_free(result);
    return result != NULL;
}

static gboolean decide_act(const struct rereading *again, struct item *item, GError **error)
{
    gboolean kept = FALSE;
    if (item->old < 0)
        return TRUE;
    if (again->pruned[item->old])
        return settle_pruned(again, item, error);
    if (item->act == ACT_KNOWN && !old_is(again, item, OLD_REPLACED)) {
        if (item->report && is_owner(again, item))
            item->act = ACT_COMPARE;
        return TRUE;
    }
    if (item->act == ACT_REPLACE && !is_owner(again, item) && !owner_is_kept(again, item, &kept, error))
        return FALSE;
    if (kept || old_is(again, item, OLD_REPLACED))
        settle(again, item);
    return TRUE;
}

/* Fetches, in a distributed database, what is to be asked about the mail, or about an old report. */
static gboolean gather(struct rereading *again, const char *begin, const char *const sql[2], guint n,
                       const char *const *values, GError **error)
{
    gboolean ok = db_run(again->db, "gathering what is read again", begin, error);
    for (guint i = 0; ok && i < 2; i++) {
        struct db_result *result =
            db_query(again->db, "gathering what is read again", sql[i], n, values, error);
        ok = result != NULL;
        db_result_free(result);
    }
    return ok;
}

static gboolean gather_mail(struct rereading *again, GError **error)
{
    const char *values[] = {again->sha256, again->number};
    return !again->batch->distributed ||
           gather(again, rows_reread_gather_begin, rows_reread_gather_mail, 2, values, error);
}

static gboolean look_at_mail(struct rereading *again, GError **error)
{
    static const char sql[] =
        "SELECT outcome FROM dmarc_store.message WHERE sha256 = decode($1, 'hex') AND id = $2::bigint";
    const char *values[] = {again->sha256, again->number};
    struct db_result *mail = db_query(again->db, "looking at a mail again", sql, 2, values, error);
    if (!mail)
        return FALSE;
    again->gone = !db_rows(mail);
    again->result.before = again->result.after = OUTCOME_NO_REPORT;
    for (int i = 0; !again->gone && i < 4; i++)
        if (strcmp(db_value(mail, 0, 0), outcome_words[i]) == 0)
            again->result.before = again->result.after = (enum outcome)i;
    db_result_free(mail);
    gboolean distributed = again->batch->distributed;
    if (!gather_mail(again, error) ||
        (distributed && !db_run(again->db, "gathering old reports", rows_reread_gather_old, error)))
        return FALSE;
    again->old =
        db_query(again->db, "looking at reports again", rows_reread_old[distributed], 2, values, error);
    return again->old != NULL;
}

struct rereading *rereading_new(struct batch *batch, struct db *db, guint number, GError **error)
{
    struct rereading *again = g_new0(struct rereading, 1);
    again->batch = batch;
    again->db = db;
    again->message = &g_array_index(batch->messages, struct batch_message, number);
    again->items = g_array_new(FALSE, FALSE, sizeof(struct item));
    g_array_set_clear_func(again->items, item_clear);
    again->result.mail = again->message->id;
    sha256_hex(again->message->ledger.sha256, again->sha256);
    g_snprintf(again->number, sizeof again->number, "%" G_GINT64_FORMAT, again->message->id);
    gboolean ok = look_at_mail(again, error);
    if (ok) {
        again->taken = g_new0(gboolean, db_rows(again->old) + 1);
        again->pruned = g_new0(gboolean, db_rows(again->old) + 1);
        add_items(again);
        ok = find_pruned(again, error);
    }
    if (ok && !match(again))
        again->result.end = REREAD_WORSE;
    for (guint i = 0; ok && !rereading_is_left(again) && i < again->items->len; i++)
        ok = decide_act(again, item_at(again, i), error);
    if (ok)
        return again;
    rereading_free(again);
    return NULL;
}

void rereading_free(struct rereading *again)
{
    if (!again)
        return;
    db_result_free(again->old);
    g_array_unref(again->items);
    g_free(again->taken);
    g_free(again->pruned);
    g_free(again);
}

gboolean rereading_is_left(const struct rereading *again)
{
    return again->gone || again->result.end == REREAD_WORSE;
}

/* ---- the reports ---- */

static void old_place(const struct rereading *again, const struct item *item, const char **values)
{
    for (guint i = 0; i < 3; i++)
        values[i] = db_value(again->old, (guint)item->old, OLD_DOMAIN + i);
}

static gboolean compare(struct rereading *again, struct item *item, GError **error)
{
    char id[24];
    const char *values[4];
    old_place(again, item, values);
    g_snprintf(id, sizeof id, "%" G_GINT64_FORMAT, item->report->id);
    values[3] = id;
    gboolean distributed = again->batch->distributed;
    if (distributed &&
        !gather(again, rows_reread_gather_evidence, rows_reread_gather_report, 3, values, error))
        return FALSE;
    struct db_result *result =
        db_query(again->db, "comparing a report", rows_reread_differs[distributed], 4, values, error);
    if (result)
        item->act = db_rows(result) && *db_value(result, 0, 0) == 't' ? ACT_REPLACE : ACT_KNOWN;
    db_result_free(result);
    return result != NULL;
}

/* Runs one statement about the old row. */
static gboolean run(struct rereading *again, const char *sql, guint n, const char *const *values,
                    GError **error)
{
    struct db_result *result = db_query(again->db, "changing a report", sql, n, values, error);
    db_result_free(result);
    return result != NULL;
}

static gboolean take_away(struct rereading *again, struct item *item, GError **error)
{
    char id[24] = "";
    const char *values[4];
    gboolean ok = TRUE;
    old_place(again, item, values);
    for (guint i = 0; ok && item->other && i < G_N_ELEMENTS(rows_reread_tls); i++)
        ok = run(again, rows_reread_tls[i], 3, values, error);
    if (item->report) {
        g_snprintf(id, sizeof id, "%" G_GINT64_FORMAT, item->report->id);
        values[3] = id;
        ok = run(again, rows_reread_inherit, 4, values, error) &&
             run(again, rows_report_uncount, 3, values, error);
    }
    if (!ok)
        return FALSE;
    struct db_result *gone =
        db_query(again->db, "taking away a report",
                 item->report ? rows_reread_delete : rows_reread_tls_delete, 3, values, error);
    if (gone && db_rows(gone))
        item->ingested_at = g_strdup(db_value(gone, 0, 0));
    db_result_free(gone);
    return gone != NULL;
}

gboolean rereading_make_room(struct rereading *again, GError **error)
{
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < again->items->len; i++) {
        struct item *item = item_at(again, i);
        if (item->act == ACT_COMPARE)
            ok = compare(again, item, error);
        if (ok && item->act == ACT_REPLACE)
            ok = take_away(again, item, error);
    }
    return ok;
}

static gint64 stored_id(const struct item *item)
{
    return item->report ? item->report->stored_id : item->other->stored_id;
}

static gboolean point(struct rereading *again, const struct item *item, GError **error)
{
    static const char documents[] =
        "UPDATE dmarc_store.document SET domain = $4, day = $5::date, report = $6::bigint"
        " WHERE report = $3::bigint AND domain = $1 AND day = $2::date";
    char id[24];
    const char *values[7];
    old_place(again, item, values);
    g_snprintf(id, sizeof id, "%" G_GINT64_FORMAT, stored_id(item));
    values[3] = domain_of(item);
    values[4] = item->day;
    values[5] = id;
    if (!stored_id(item) || !run(again, documents, 6, values, error))
        return stored_id(item) == 0;
    if (!item->ingested_at || !(item->report ? item->report->fresh : item->other->fresh))
        return TRUE;
    const char *came[] = {values[3], item->day, id, item->ingested_at};
    return run(again, item->report ? rows_reread_came : rows_reread_tls_came, 4, came, error);
}

gboolean rereading_point(struct rereading *again, GError **error)
{
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < again->items->len; i++) {
        struct item *item = item_at(again, i);
        gboolean *fresh = item->report ? &item->report->fresh : &item->other->fresh;
        if (item->act == ACT_REPLACE)
            ok = point(again, item, error);
        again->result.changed += item->act == ACT_REPLACE;
        again->result.fresh += item->act == ACT_NEW && *fresh;
        again->result.same += item->act == ACT_KNOWN || item->act == ACT_LEAVE;
        if (item->act != ACT_NEW)
            *fresh = is_owner(again, item);
    }
    return ok;
}

/* ---- mail and documents ---- */

static gboolean is_different(struct rereading *again, gboolean *different_r, GError **error)
{
    const char *values[] = {again->sha256, again->number};
    if (!gather_mail(again, error))
        return FALSE;
    struct db_result *result = db_query(
        again->db, "comparing a mail", rows_reread_mail_differs[again->batch->distributed], 2, values, error);
    *different_r = again->result.changed || again->result.fresh || (result && *db_value(result, 0, 0) == 't');
    db_result_free(result);
    return result != NULL;
}

/* Puts what was known into the history. */
static gboolean note_history(struct rereading *again, GError **error)
{
    const char *values[] = {again->sha256, again->number, again->batch->reread->command, NULL};
    struct db_result *next =
        db_query(again->db, "counting how often a mail was read", rows_reread_ordinal, 2, values, error);
    values[3] = next ? db_value(next, 0, 0) : NULL;
    gboolean ok = next && run(again, rows_reread_history[again->batch->distributed], 4, values, error);
    db_result_free(next);
    return ok;
}

gboolean rereading_finish(struct rereading *again, GError **error)
{
    const char *values[] = {again->sha256, again->number};
    gboolean different;
    again->result.after = again->message->outcome;
    if (!is_different(again, &different, error))
        return FALSE;
    if (!different)
        return TRUE;
    again->result.end = REREAD_CHANGED;
    if (!note_history(again, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(rows_reread_mail); i++)
        if (!run(again, rows_reread_mail[i], 2, values, error))
            return FALSE;
    /* It has turned out to hold mail of others. */
    if (again->message->original == ORIGINAL_PRIVATE)
        return run(again, rows_reread_forget, 1, values, error) &&
               run(again, rows_reread_private, 1, values, error);
    return TRUE;
}

struct reread_result rereading_result(const struct rereading *again)
{
    return again->result;
}
