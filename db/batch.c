#include "db/batch.h"

#include "db/copying.h"
#include "db/decide.h"
#include "db/digest.h"
#include "db/others.h"
#include "db/reread.h"
#include "db/rows.h"
#include "parser/sha256.h"
#include "parser/step.h"

#include <string.h>

struct batch *batch_new(gsize memory)
{
    struct batch *batch = g_new0(struct batch, 1);
    batch->messages = g_array_new(FALSE, TRUE, sizeof(struct batch_message));
    batch->documents = g_array_new(FALSE, TRUE, sizeof(struct batch_document));
    batch->reports = g_array_new(FALSE, TRUE, sizeof(struct batch_report));
    batch->texts = g_string_chunk_new(4096);
    batch->others = others_new(memory / 4);
    batch->heads = row_spool_new(memory / 4);
    batch->evidence = row_spool_new(memory / 2);
    batch->records = row_spool_new(memory / 2);
    batch->sums = row_spool_new(memory / 4);
    batch->originals = row_spool_new(memory / 2);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    g_array_unref(batch->messages);
    g_array_unref(batch->documents);
    g_array_unref(batch->reports);
    g_string_chunk_free(batch->texts);
    others_free(batch->others);
    row_spool_free(batch->heads);
    row_spool_free(batch->evidence);
    row_spool_free(batch->records);
    row_spool_free(batch->sums);
    row_spool_free(batch->originals);
    g_free(batch);
}

void batch_clear(struct batch *batch)
{
    g_array_set_size(batch->messages, 0);
    g_array_set_size(batch->documents, 0);
    g_array_set_size(batch->reports, 0);
    g_string_chunk_clear(batch->texts);
    others_truncate(batch->others, 0);
    batch->text_bytes = 0;
    row_spool_truncate(batch->heads, 0);
    row_spool_truncate(batch->evidence, 0);
    row_spool_truncate(batch->records, 0);
    row_spool_truncate(batch->sums, 0);
    row_spool_truncate(batch->originals, 0);
}

gsize batch_bytes(const struct batch *batch)
{
    return batch->text_bytes + others_bytes(batch->others) +
           batch->messages->len * sizeof(struct batch_message) +
           batch->documents->len * sizeof(struct batch_document) +
           batch->reports->len * sizeof(struct batch_report) + row_spool_size(batch->heads) +
           row_spool_size(batch->evidence) + row_spool_size(batch->records) + row_spool_size(batch->sums) +
           row_spool_size(batch->originals);
}

const char *batch_text(struct batch *batch, const char *text, gsize most)
{
    if (!text)
        return NULL;
    const char *bad;
    if (g_utf8_validate(text, -1, &bad) && (gsize)(bad - text) <= most) {
        batch->text_bytes += (gsize)(bad - text) + 1;
        return g_string_chunk_insert(batch->texts, text);
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    gsize n = strlen(valid);
    if (n > most) {
        n = most;
        while (n && ((guint8)valid[n] & 0xc0) == 0x80)
            n--;
    }
    batch->text_bytes += n + 1;
    return g_string_chunk_insert_len(batch->texts, valid, (gssize)n);
}

const guint8 *batch_sha256(struct batch *batch, const guint8 *sha256)
{
    batch->text_bytes += 33;
    return sha256 ? (const guint8 *)g_string_chunk_insert_len(batch->texts, (const char *)sha256, 32) : NULL;
}

void batch_add_document(struct batch *batch, const struct batch_document *document)
{
    struct batch_document added = *document;
    if (added.outcome == OUTCOME_STORED && !added.n_reports && !added.n_others)
        added.outcome = OUTCOME_NO_REPORT;
    for (guint i = 0; i < added.n_reports; i++) {
        struct batch_report *report =
            &g_array_index(batch->reports, struct batch_report, added.first_report + i);
        report->in_words = added.in_words;
        report->key.mail = batch->messages->len;
    }
    for (guint i = 0; i < added.n_others; i++) {
        struct other_report *other = others_change(batch->others, added.first_other + i);
        other->in_words = added.in_words;
        other->key.mail = batch->messages->len;
    }
    g_array_append_val(batch->documents, added);
}

void batch_forgive_words(struct batch *batch, guint first_document)
{
    gboolean told = FALSE;
    for (guint i = first_document; i < batch->documents->len; i++) {
        const struct batch_document *document = &g_array_index(batch->documents, struct batch_document, i);
        told = told || (!document->in_words && document->n_reports + document->n_others > 0);
    }
    for (guint i = first_document; told && i < batch->documents->len; i++) {
        struct batch_document *document = &g_array_index(batch->documents, struct batch_document, i);
        if (document->in_words && document->n_reports + document->n_others == 0)
            document->outcome = OUTCOME_NO_REPORT;
    }
}

/* One run of batch_write. */
struct writing {
    struct batch *batch;
    struct copying copying;
    guint first, end; /* messages */
    struct decision reports;
    struct rereading *again; /* NULL: the mails are new */
    gboolean as_new;         /* reports and evidence that are known are taken away first */
};

static struct batch_message *message_at(const struct writing *w, guint i)
{
    return &g_array_index(w->batch->messages, struct batch_message, i);
}

static struct batch_report *report_at(const struct writing *w, guint i)
{
    return &g_array_index(w->batch->reports, struct batch_report, i);
}

static gboolean stage_reports(struct writing *w, GError **error)
{
    if (!copying_begin(&w->copying, "staging reports", rows_report_copy, error))
        return FALSE;
    for (guint i = w->reports.first; i < w->reports.end; i++) {
        const struct batch_report *report = report_at(w, i);
        if (report->same_as != i || report->settled)
            continue;
        rows_report_begin(w->copying.buffer);
        if (!copying_span(&w->copying, w->batch->heads, report->head, error))
            return FALSE;
        rows_report_end(w->copying.buffer, report);
        if (!copying_more(&w->copying, error))
            return FALSE;
    }
    return copying_end(&w->copying, error);
}

/* The evidence of one new report that did not go in with an earlier one. */
static gboolean stage_evidence_of(struct writing *w, const struct batch_report *report,
                                  struct digest_set *seen, GError **error)
{
    guint8 frame[EVIDENCE_FRAME];
    guint32 length;
    for (guint64 at = report->evidence.begin; at < report->evidence.end;) {
        /* A frame may lie across the border between file and memory. */
        for (guint have = 0; have < sizeof frame;) {
            gssize got =
                row_spool_read(w->batch->evidence, at + have, frame + have, sizeof frame - have, error);
            if (got <= 0)
                return FALSE;
            have += (guint)got;
        }
        memcpy(&length, frame + DIGEST_BYTES, sizeof length);
        at += sizeof frame;
        struct spool_span row = {at, at + length};
        if (digest_set_add(seen, frame) && !copying_span(&w->copying, w->batch->evidence, row, error))
            return FALSE;
        at += length;
    }
    return TRUE;
}

/* Of new reports, or of all but those that were pruned. */
static gboolean is_asked(const struct batch_report *report, gboolean all)
{
    return report->fresh || (all && !report->pruned);
}

static gboolean stage_evidence(struct writing *w, gboolean all, GError **error)
{
    struct digest_set *seen = digest_set_new();
    gboolean ok = copying_begin(&w->copying, "staging evidence", rows_evidence_copy, error);
    for (guint i = w->reports.first; ok && i < w->reports.end; i++)
        if (is_asked(report_at(w, i), all))
            ok = stage_evidence_of(w, report_at(w, i), seen, error);
    digest_set_free(seen);
    return ok && copying_end(&w->copying, error);
}

/* What one of their spans holds. */
static gboolean copy_spans(struct writing *w, gboolean all, const char *name, const char *sql,
                           const struct row_spool *spool, gsize span, GError **error)
{
    if (!copying_begin(&w->copying, name, sql, error))
        return FALSE;
    for (guint i = w->reports.first; i < w->reports.end; i++)
        if (is_asked(report_at(w, i), all) &&
            !copying_span(&w->copying, spool,
                          G_STRUCT_MEMBER(struct spool_span, report_at(w, i), (glong)span), error))
            return FALSE;
    return copying_end(&w->copying, error);
}

static gboolean copy_records(struct writing *w, gboolean all, const char *sql, GError **error)
{
    return copy_spans(w, all, "copying records", sql, w->batch->records,
                      offsetof(struct batch_report, records), error);
}

static gboolean stage_sums(struct writing *w, GError **error)
{
    return copy_spans(w, FALSE, "staging sums", rows_sum_copy, w->batch->sums,
                      offsetof(struct batch_report, sums), error);
}

static void find_stored(struct writing *w)
{
    for (guint i = w->reports.first; i < w->reports.end; i++)
        if (!report_at(w, i)->settled)
            report_at(w, i)->stored_id = report_at(w, report_at(w, i)->same_as)->stored_id;
}

static gboolean write_reports(struct writing *w, GError **error)
{
    if (!w->reports.primaries)
        return TRUE;
    if (!stage_reports(w, error) ||
        (w->as_new && !db_run(w->copying.db, "taking away known reports", rows_try_reports, error)) ||
        !decide_stored(&w->reports, error))
        return FALSE;
    find_stored(w);
    return !w->reports.fresh ||
           (stage_evidence(w, FALSE, error) &&
            (!w->as_new || db_run(w->copying.db, "taking away known evidence", rows_try_evidence, error)) &&
            db_run(w->copying.db, "inserting profiles", rows_profile_insert, error) &&
            db_run(w->copying.db, "inserting evidence", rows_evidence_insert, error) &&
            copy_records(w, FALSE, rows_observed_copy, error) && stage_sums(w, error));
}

/* Everything is staged, to be compared with what is there. */
static gboolean write_reports_again(struct writing *w, GError **error)
{
    struct db *db = w->copying.db;
    if (w->reports.primaries && (!stage_reports(w, error) || !stage_evidence(w, TRUE, error) ||
                                 !copy_records(w, TRUE, rows_reread_observed_copy, error)))
        return FALSE;
    if (!rereading_make_room(w->again, error))
        return FALSE;
    if (!w->reports.primaries)
        return TRUE;
    if (!db_run(db, "inserting profiles", rows_profile_insert, error) ||
        !db_run(db, "changing evidence", rows_reread_evidence, error) ||
        !db_run(db, "changing profiles", rows_reread_profiles, error) || !decide_stored(&w->reports, error))
        return FALSE;
    find_stored(w);
    return (!w->reports.fresh ||
            (db_run(db, "inserting evidence", rows_evidence_insert, error) &&
             decide_fresh(&w->reports, "inserting records", rows_reread_observed_insert, error) &&
             stage_sums(w, error))) &&
           decide_sums(&w->reports, error);
}

/* stored if anything is new, else problem if anything is one, else duplicate if anything is, else no_report.
 */
static enum outcome outcome_of(const struct writing *w, const struct batch_message *message)
{
    gboolean problem = message->ledger.code != NULL,
             duplicate = message->bare || message->n_reports + message->n_others > 0;
    for (guint i = 0; i < message->n_reports; i++)
        if (report_at(w, message->first_report + i)->fresh)
            return OUTCOME_STORED;
    for (guint i = 0; i < message->n_others; i++)
        if (others_at(w->batch->others, message->first_other + i)->fresh)
            return OUTCOME_STORED;
    for (guint i = 0; i < message->n_documents; i++) {
        enum outcome outcome =
            g_array_index(w->batch->documents, struct batch_document, message->first_document + i).outcome;
        problem = problem || outcome == OUTCOME_PROBLEM;
        duplicate = duplicate || outcome == OUTCOME_DUPLICATE;
    }
    return problem ? OUTCOME_PROBLEM : duplicate ? OUTCOME_DUPLICATE : OUTCOME_NO_REPORT;
}

static gboolean has_problem(const struct writing *w, const struct batch_message *message)
{
    gboolean problem = message->ledger.code != NULL;
    for (guint i = 0; i < message->n_documents; i++)
        problem =
            problem ||
            g_array_index(w->batch->documents, struct batch_document, message->first_document + i).outcome ==
                OUTCOME_PROBLEM;
    return problem;
}

/* Nothing but duplicates is kept already, in the mail that came first. */
static gboolean wants_original(const struct batch_message *message)
{
    return message->outcome == OUTCOME_STORED || message->problem;
}

static void put_other(struct writing *w, const struct batch_message *message, guint ordinal,
                      const struct batch_document *document, guint i)
{
    const struct other_report *other = others_at(w->batch->others, i);
    const struct batch_report report = {
        .domain = other->domain, .day = other->day, .stored_id = other->stored_id, .fresh = other->fresh};
    rows_document(w->copying.buffer, message, ordinal, document, &report);
}

/* A row a report, and one for what else there is to say. */
static void put_documents(struct writing *w, const struct batch_message *message)
{
    guint ordinal = 0;
    for (guint i = 0; i < message->n_documents; i++) {
        const struct batch_document *document =
            &g_array_index(w->batch->documents, struct batch_document, message->first_document + i);
        for (guint r = 0; r < document->n_reports; r++)
            rows_document(w->copying.buffer, message, ++ordinal, document,
                          report_at(w, document->first_report + r));
        for (guint r = 0; r < document->n_others; r++)
            put_other(w, message, ++ordinal, document, document->first_other + r);
        if (!(document->n_reports + document->n_others) || document->outcome == OUTCOME_PROBLEM)
            rows_document(w->copying.buffer, message, ++ordinal, document, NULL);
    }
}

/* Of mails in `written`; NULL: of all. */
static gboolean write_documents(struct writing *w, GHashTable *written, const char *sql, GError **error)
{
    if (!copying_begin(&w->copying, "copying documents", sql, error))
        return FALSE;
    for (guint i = w->first; i < w->end; i++) {
        const struct batch_message *message = message_at(w, i);
        if (message->n_documents && (!written || g_hash_table_contains(written, &message->id)))
            put_documents(w, message);
        if (!copying_more(&w->copying, error))
            return FALSE;
    }
    return copying_end(&w->copying, error);
}

static void settle_messages(struct writing *w)
{
    for (guint i = w->first; i < w->end; i++) {
        struct batch_message *message = message_at(w, i);
        message->outcome = outcome_of(w, message);
        message->problem = has_problem(w, message);
        if (message->original == ORIGINAL_KEPT && !wants_original(message))
            message->original = ORIGINAL_NONE;
    }
}

/* Of the same mail twice the first one is new. */
static int by_key(gconstpointer a, gconstpointer b)
{
    const struct batch_message *const *x = a, *const *y = b;
    int order = memcmp((*x)->ledger.sha256, (*y)->ledger.sha256, 32);
    if (order == 0)
        order = strcmp((*x)->ledger.source, (*y)->ledger.source);
    return order != 0 ? order : *x < *y ? -1 : 1;
}

/* In the order that everybody writes them in. */
static GPtrArray *sorted_messages(const struct writing *w)
{
    GPtrArray *messages = g_ptr_array_sized_new(w->end - w->first);
    for (guint i = w->first; i < w->end; i++)
        g_ptr_array_add(messages, message_at(w, i));
    g_ptr_array_sort(messages, by_key);
    return messages;
}

static gboolean copy_messages(struct writing *w, const GPtrArray *messages, gboolean staged, GError **error)
{
    if (!copying_begin(&w->copying, "copying mails", rows_message_copy[staged], error))
        return FALSE;
    for (guint i = 0; i < messages->len; i++) {
        rows_message(w->copying.buffer, messages->pdata[i]);
        if (!copying_more(&w->copying, error))
            return FALSE;
    }
    return copying_end(&w->copying, error);
}

/* Each once, whoever has it. */
static gboolean copy_originals(struct writing *w, const GPtrArray *messages, gboolean staged, GError **error)
{
    const struct batch_message *before = NULL;
    for (guint i = 0; i < messages->len; i++) {
        const struct batch_message *message = messages->pdata[i];
        if (message->original != ORIGINAL_KEPT ||
            (before && memcmp(before->ledger.sha256, message->ledger.sha256, 32) == 0))
            continue;
        if ((!before &&
             !copying_begin(&w->copying, "copying originals", rows_original_copy[staged], error)) ||
            !copying_span(&w->copying, w->batch->originals, message->packed, error))
            return FALSE;
        before = message;
    }
    return !before || copying_end(&w->copying, error);
}

/* Of a problem that is read once more the original is there: *taken_r is TRUE when it is so with one. Nobody
 * is to find an error in the server's log for that. */
static gboolean look_for_originals(struct writing *w, const GPtrArray *messages, gboolean *taken_r,
                                   GError **error)
{
    g_autoptr(GString) hashes = g_string_new(NULL);
    for (guint i = 0; i < messages->len; i++) {
        const struct batch_message *message = messages->pdata[i];
        char hex[SHA256_HEX];
        if (!message->problem || message->original != ORIGINAL_KEPT)
            continue;
        sha256_hex(message->ledger.sha256, hex);
        g_string_append_printf(hashes, "%s%s", hashes->len ? "," : "", hex);
    }
    if (!hashes->len)
        return TRUE;
    const char *values[] = {hashes->str};
    struct db_result *result =
        db_query(w->copying.db, "looking for originals", rows_original_known, 1, values, error);
    *taken_r = result && db_rows(result);
    db_result_free(result);
    return result != NULL;
}

/* Nearly always nobody has them. *taken_r is TRUE when somebody has one: then nothing was done. */
static gboolean copy_mails(struct writing *w, const GPtrArray *messages, gboolean *taken_r, GError **error)
{
    struct db *db = w->copying.db;
    g_autoptr(GError) failure = NULL;
    if (!db_run(db, "before mails are copied", "SAVEPOINT mails", error))
        return FALSE;
    if (copy_messages(w, messages, FALSE, &failure) && copy_originals(w, messages, FALSE, &failure))
        return db_run(db, "after mails were copied", "RELEASE SAVEPOINT mails", error);
    *taken_r = strcmp(db_sqlstate(db), "23505") == 0;
    if (*taken_r)
        return db_run(db, "taking back mails that are there", "ROLLBACK TO SAVEPOINT mails", error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* A mail whose row somebody else wrote while it was read here. What is in it is there, too, unless it was
 * read in another way: what is new is not stored then, as nothing would say where it came from, and the mail
 * is looked up again. */
static gboolean all_written(struct writing *w, GHashTable *written, GError **error)
{
    for (guint i = w->first; i < w->end; i++) {
        const struct batch_message *message = message_at(w, i);
        if (message->outcome != OUTCOME_STORED || g_hash_table_contains(written, &message->id))
            continue;
        g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN,
                    "inserting mails: %s was read by somebody else meanwhile, who found something else in it",
                    message->ledger.source);
        return FALSE;
    }
    return TRUE;
}

/* `written` gets the ids of those that were not there. */
static gboolean insert_mails(struct writing *w, const GPtrArray *messages, GHashTable *written,
                             GError **error)
{
    struct db *db = w->copying.db;
    if (!db_run(db, "making the staging tables of mails", rows_mail_staging, error) ||
        !copy_messages(w, messages, TRUE, error))
        return FALSE;
    struct db_result *result = db_query(db, "inserting mails", rows_message_insert, 0, NULL, error);
    if (!result)
        return FALSE;
    for (guint row = 0; row < db_rows(result); row++) {
        gint64 id = db_int(result, row, 0);
        g_hash_table_add(written, g_memdup2(&id, sizeof id));
    }
    db_result_free(result);
    return all_written(w, written, error) && copy_originals(w, messages, TRUE, error) &&
           db_run(db, "inserting originals", rows_original_insert, error);
}

static gboolean write_messages(struct writing *w, GError **error)
{
    g_autoptr(GHashTable) written = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    gboolean some = w->batch->distributed;
    settle_messages(w);
    g_autoptr(GPtrArray) messages = sorted_messages(w);
    return (some || look_for_originals(w, messages, &some, error)) &&
           (some || copy_mails(w, messages, &some, error)) &&
           (!some || insert_mails(w, messages, written, error)) &&
           write_documents(w, some ? written : NULL, rows_document_copy, error);
}

/* The one mail that was read again. */
static gboolean stage_message(struct writing *w, GError **error)
{
    settle_messages(w);
    g_autoptr(GPtrArray) messages = sorted_messages(w);
    return copy_messages(w, messages, TRUE, error);
}

/* One mail that the ledger has. */
static gboolean write_again(struct writing *w, guint first_other, guint end_other, GError **error)
{
    struct db *db = w->copying.db;
    const struct reread *reread = w->batch->reread;
    if (!(w->again = rereading_new(w->batch, db, w->first, error)))
        return FALSE;
    gboolean left = rereading_is_left(w->again);
    if (!left &&
        !(write_reports_again(w, error) &&
          others_write(w->batch->others, db, first_other, end_other, w->batch->distributed, error) &&
          rereading_point(w->again, error) && stage_message(w, error) &&
          write_documents(w, NULL, rows_reread_document_copy, error) && rereading_finish(w->again, error)))
        return FALSE;
    struct reread_result result = rereading_result(w->again);
    result.problem = has_problem(w, message_at(w, w->first));
    gboolean write = result.end == REREAD_CHANGED && !reread->dry_run;
    message_at(w, w->first)->outcome = result.after;
    if (!db_run(db, "ending a mail that was read again", write ? "COMMIT" : "ROLLBACK", error))
        return FALSE;
    if (reread->told)
        reread->told(&result, reread->data);
    return TRUE;
}

static gboolean write_new(struct writing *w, guint first_other, guint end_other, GError **error)
{
    return write_reports(w, error) &&
           others_write(w->batch->others, w->copying.db, first_other, end_other, w->batch->distributed,
                        error) &&
           write_messages(w, error) && decide_sums(&w->reports, error) &&
           db_run(w->copying.db, "committing a batch", "COMMIT", error);
}

gboolean batch_write(struct batch *batch, struct db *db, guint first, guint end, GError **error)
{
    struct writing w = {.batch = batch, .first = first, .end = end, .reports = {.batch = batch, .db = db}};
    w.reports.first = message_at(&w, first)->first_report;
    w.reports.end = message_at(&w, end - 1)->first_report + message_at(&w, end - 1)->n_reports;
    guint first_other = message_at(&w, first)->first_other;
    guint end_other = message_at(&w, end - 1)->first_other + message_at(&w, end - 1)->n_others;
    for (guint i = first; i < end; i++)
        message_at(&w, i)->original = message_at(&w, i)->wanted;
    step("a batch is full");
    copying_init(&w.copying, db);
    w.reports.alone = batch->reread != NULL;
    gboolean ok = decide_among(&w.reports, error) && decide_begin(&w.reports, error) &&
                  (batch->reread ? write_again : write_new)(&w, first_other, end_other, error);
    if (!ok && db_alive(db))
        db_run(db, "rolling back a batch", "ROLLBACK", NULL);
    step("committed");
    decide_clear(&w.reports);
    rereading_free(w.again);
    copying_clear(&w.copying);
    return ok;
}

gboolean batch_try(struct batch *batch, struct db *db, guint first_report, guint end_report,
                   guint first_other, guint end_other, GError **error)
{
    struct writing w = {.batch = batch, .as_new = batch->reread != NULL};
    w.reports = (struct decision){
        .batch = batch, .db = db, .first = first_report, .end = end_report, .alone = batch->reread != NULL};
    copying_init(&w.copying, db);
    gboolean ok = decide_among(&w.reports, error) && decide_begin(&w.reports, error) &&
                  write_reports(&w, error) &&
                  others_write(batch->others, db, first_other, end_other, batch->distributed, error) &&
                  decide_sums(&w.reports, error);
    if (db_alive(db))
        db_run(db, "taking back what was tried", "ROLLBACK", NULL);
    decide_clear(&w.reports);
    copying_clear(&w.copying);
    return ok;
}
