#include "db/others.h"

#include "db/copying.h"
#include "db/digest.h"
#include "db/pgcopy.h"
#include "db/rows_other.h"
#include "parser/sha256.h"

#include <string.h>

struct others {
    GArray *reports; /* struct other_report */
    struct row_spool *heads, *policies, *details;
    struct digest *digest;
    struct sha256 *sum; /* of subjects */
    GByteArray *scratch;
    struct other_report open; /* the TLS report that has begun */
    gboolean active;
    guint n_policies, n_details, detail; /* of it; the details of its last policy */
};

static void report_clear(gpointer report)
{
    g_free(((struct other_report *)report)->domain);
}

struct others *others_new(gsize memory)
{
    struct others *others = g_new0(struct others, 1);
    others->reports = g_array_new(FALSE, TRUE, sizeof(struct other_report));
    g_array_set_clear_func(others->reports, report_clear);
    others->heads = row_spool_new(memory / 4);
    others->policies = row_spool_new(memory / 4);
    others->details = row_spool_new(memory / 4);
    others->digest = digest_new();
    others->sum = sha256_new();
    others->scratch = g_byte_array_new();
    return others;
}

void others_free(struct others *others)
{
    if (!others)
        return;
    others_truncate(others, 0);
    g_array_unref(others->reports);
    row_spool_free(others->heads);
    row_spool_free(others->policies);
    row_spool_free(others->details);
    digest_free(others->digest);
    sha256_free(others->sum);
    g_byte_array_unref(others->scratch);
    g_free(others);
}

gsize others_bytes(const struct others *others)
{
    return others->reports->len * sizeof(struct other_report) + row_spool_size(others->heads) +
           row_spool_size(others->policies) + row_spool_size(others->details);
}

guint others_count(const struct others *others)
{
    return others->reports->len;
}

static struct other_report *at(struct others *others, guint i)
{
    return &g_array_index(others->reports, struct other_report, i);
}

const struct other_report *others_at(const struct others *others, guint i)
{
    return &g_array_index(others->reports, struct other_report, i);
}

struct other_report *others_change(struct others *others, guint i)
{
    return at(others, i);
}

static void forget_rows(struct others *others, const struct other_report *from)
{
    row_spool_truncate(others->heads, from->head.begin);
    row_spool_truncate(others->policies, from->policies.begin);
    row_spool_truncate(others->details, from->details.begin);
}

void others_truncate(struct others *others, guint n)
{
    if (others->active) {
        forget_rows(others, &others->open);
        report_clear(&others->open);
        others->active = FALSE;
    }
    if (others->reports->len > n) {
        forget_rows(others, at(others, n));
        g_array_set_size(others->reports, n);
    }
}

void others_remove(struct others *others, guint i)
{
    g_array_remove_index(others->reports, i);
}

/* ---- what is told ---- */

static void begin(struct others *others, enum other_kind kind, gint64 id, const char *domain, gint64 seconds)
{
    others_truncate(others, others->reports->len);
    others->open = (struct other_report){.kind = kind,
                                         .id = id,
                                         .domain = g_strdup(domain),
                                         .day = pgcopy_day(seconds),
                                         .head.begin = row_spool_size(others->heads),
                                         .policies.begin = row_spool_size(others->policies),
                                         .details.begin = row_spool_size(others->details)};
    others->active = TRUE;
    g_byte_array_set_size(others->scratch, 0);
}

static gboolean spool(struct others *others, struct row_spool *to, GError **error)
{
    gboolean ok = row_spool_add(to, others->scratch->data, others->scratch->len, error);
    g_byte_array_set_size(others->scratch, 0);
    return ok;
}

static void finish(struct others *others)
{
    others->open.head.end = row_spool_size(others->heads);
    others->open.policies.end = row_spool_size(others->policies);
    others->open.details.end = row_spool_size(others->details);
    g_array_append_val(others->reports, others->open);
    others->active = FALSE;
}

gboolean others_failure(struct others *others, gint64 id, const struct failure_report *report,
                        enum keep_subject keep, GError **error)
{
    guint8 hash[SHA256_BYTES];
    const char *subject = report->subject;
    begin(others, OTHER_FAILURE, id, report->domain, report->arrived);
    digest_failure(others->digest, report, others->open.key.hashes, others->open.key.hashes + DIGEST_BYTES);
    if (subject) {
        sha256_add(others->sum, subject, strlen(subject));
        sha256_take(others->sum, hash);
    }
    rows_failure(others->scratch, id, others->open.key.hashes, report, keep == SUBJECT_KEPT ? subject : NULL,
                 keep == SUBJECT_DROPPED || !subject ? NULL : hash);
    if (!spool(others, others->heads, error))
        return FALSE;
    finish(others);
    return TRUE;
}

gboolean others_tls_begin(struct others *others, gint64 id, const struct tls_head *head, GError **error)
{
    begin(others, OTHER_TLS, id, head->domain, head->begin);
    others->n_policies = others->n_details = others->detail = 0;
    digest_tls_begin(others->digest, head, others->open.key.hashes);
    rows_tls_head(others->scratch, id, others->open.key.hashes, head);
    return spool(others, others->heads, error);
}

gboolean others_tls_policy(struct others *others, const struct tls_policy *policy, GError **error)
{
    digest_tls_policy(others->digest, policy);
    others->detail = 0;
    rows_tls_policy(others->scratch, &others->open, ++others->n_policies, policy);
    return spool(others, others->policies, error);
}

gboolean others_tls_failure(struct others *others, const struct tls_failure *failure, GError **error)
{
    digest_tls_failure(others->digest, failure);
    others->n_details++;
    rows_tls_failure(others->scratch, &others->open, others->n_policies, ++others->detail, failure);
    return spool(others, others->details, error);
}

gboolean others_tls_end(struct others *others, guint n_warnings, const struct report_warning *warnings,
                        GError **error)
{
    guint8 *content = others->open.key.hashes + DIGEST_BYTES;
    digest_end(others->digest, content);
    rows_tls_tail(others->scratch, content, others->n_policies, others->n_details, n_warnings, warnings);
    if (!spool(others, others->heads, error))
        return FALSE;
    finish(others);
    return TRUE;
}

/* ---- into the database ---- */

/* One run of others_write. */
struct writing {
    struct others *others;
    struct copying copying;
    guint first, end;
    gboolean distributed;
    guint staged[OTHER_KINDS];
};

/* The documents of each mail, by identity. */
static GHashTable *documents_of(struct writing *w)
{
    GHashTable *documents = g_hash_table_new(digest_hash, digest_equal_in_mail);
    for (guint i = w->first; i < w->end; i++) {
        struct other_report *report = at(w->others, i);
        if (!report->in_words)
            g_hash_table_replace(documents, &report->key, report);
    }
    return documents;
}

/* Finds those that are in the transaction twice, and those that contradict an earlier one. The hashes of the
 * two kinds never meet. */
static void find_same(struct writing *w)
{
    g_autoptr(GHashTable) keys = g_hash_table_new(digest_hash, digest_equal_pair);
    g_autoptr(GHashTable) identities = g_hash_table_new(digest_hash, digest_equal);
    g_autoptr(GHashTable) documents = documents_of(w);
    for (guint i = w->first; i < w->end; i++) {
        struct other_report *report = at(w->others, i);
        gpointer earlier;
        report->fresh = FALSE;
        report->stored_id = report->settled;
        report->same_as = i;
        if (report->settled || (report->in_words && g_hash_table_contains(documents, &report->key)))
            continue;
        if (g_hash_table_lookup_extended(keys, &report->key, NULL, &earlier)) {
            report->same_as = GPOINTER_TO_UINT(earlier);
            continue;
        }
        report->collision = !g_hash_table_add(identities, &report->key);
        g_hash_table_insert(keys, &report->key, GUINT_TO_POINTER(i));
        w->staged[report->kind]++;
    }
    for (guint i = w->first; i < w->end; i++) {
        struct other_report *report = at(w->others, i);
        const struct other_report *document =
            report->in_words && !report->settled ? g_hash_table_lookup(documents, &report->key) : NULL;
        if (document)
            report->same_as = document->same_as;
    }
}

static gboolean stage(struct writing *w, enum other_kind kind, GError **error)
{
    if (!copying_begin(&w->copying, "staging other reports", rows_other_tables[kind].copy, error))
        return FALSE;
    for (guint i = w->first; i < w->end; i++) {
        const struct other_report *report = at(w->others, i);
        if (report->kind != kind || report->same_as != i || report->settled)
            continue;
        if (!copying_span(&w->copying, w->others->heads, report->head, error))
            return FALSE;
        if (kind == OTHER_TLS)
            rows_tls_end(w->copying.buffer, report->collision);
        if (!copying_more(&w->copying, error))
            return FALSE;
    }
    return copying_end(&w->copying, error);
}

/* Runs the INSERT that decides, and finds the rows that were there before. */
static gboolean decide(struct writing *w, enum other_kind kind, GError **error)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = w->first; i < w->end; i++)
        g_hash_table_insert(by_id, &at(w->others, i)->id, at(w->others, i));
    struct db *db = w->copying.db;
    if (w->distributed && kind == OTHER_TLS && !db_run(db, "gathering TLS reports", rows_tls_gather, error))
        return FALSE;
    struct db_result *result = db_query(db, "inserting other reports",
                                        rows_other_tables[kind].insert[w->distributed], 0, NULL, error);
    guint fresh = result ? db_rows(result) : 0;
    for (guint row = 0; row < fresh; row++) {
        gint64 id = db_int(result, row, 0);
        struct other_report *report = g_hash_table_lookup(by_id, &id);
        if (report)
            report->fresh = TRUE;
    }
    gboolean ok = result != NULL;
    db_result_free(result);
    if (!ok)
        return FALSE;
    result = db_query(db, "looking for known other reports", rows_other_tables[kind].known, 0, NULL, error);
    for (guint row = 0; result && row < db_rows(result); row++) {
        gint64 id = db_int(result, row, 0);
        struct other_report *report = g_hash_table_lookup(by_id, &id);
        if (report)
            report->stored_id = db_int(result, row, 1);
    }
    ok = result != NULL;
    db_result_free(result);
    return ok;
}

static gboolean copy_details(struct writing *w, gboolean policies, GError **error)
{
    struct others *others = w->others;
    if (!copying_begin(&w->copying, policies ? "copying TLS policies" : "copying TLS failures",
                       policies ? rows_tls_policy_copy : rows_tls_failure_copy, error))
        return FALSE;
    for (guint i = w->first; i < w->end; i++) {
        const struct other_report *report = at(others, i);
        if (report->fresh && !copying_span(&w->copying, policies ? others->policies : others->details,
                                           policies ? report->policies : report->details, error))
            return FALSE;
    }
    return copying_end(&w->copying, error);
}

gboolean others_write(struct others *others, struct db *db, guint first, guint end, gboolean distributed,
                      GError **error)
{
    struct writing w = {.others = others, .first = first, .end = end, .distributed = distributed};
    gboolean ok = TRUE;
    if (first == end)
        return TRUE;
    copying_init(&w.copying, db);
    find_same(&w);
    for (enum other_kind kind = 0; ok && kind < OTHER_KINDS; kind++)
        ok = !w.staged[kind] || (stage(&w, kind, error) && decide(&w, kind, error));
    if (w.staged[OTHER_TLS])
        ok = ok && copy_details(&w, TRUE, error) && copy_details(&w, FALSE, error);
    for (guint i = first; ok && i < end; i++)
        at(others, i)->stored_id = at(others, at(others, i)->same_as)->stored_id;
    copying_clear(&w.copying);
    return ok;
}
