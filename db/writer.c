#include "db/writer.h"

#include "db/batch.h"
#include "db/digest.h"
#include "db/ids.h"
#include "db/known.h"
#include "db/months.h"
#include "db/others.h"
#include "db/pack.h"
#include "db/pgcopy.h"
#include "db/refuse.h"
#include "db/rows.h"
#include "db/rows_other.h"

#include <string.h>

#define MESSAGE_ROWS 10000 /* reports and documents of one mail */
#define PATH_BYTES 1000
#define DETAIL_BYTES 2000

const struct writer_settings writer_defaults = {
    .batch_messages = 500,
    .batch_bytes = 8 * 1024 * 1024,
    .spill_records = 20000,
    .tally_evidence = 65536,
    .original_size = 8 * 1024 * 1024,
};

/* The report that is on its way through the sink. */
struct open_report {
    gboolean active, skip; /* skip: past MESSAGE_ROWS */
    struct batch_report entry;
    struct report_totals totals;
    guint8 content[DIGEST_BYTES];
};

struct writer {
    struct db *db;
    const struct writer_settings *settings;
    writer_settled settled;
    gpointer data;
    struct batch *batch;
    guint64 problems;      /* settled with one */
    guint done;            /* messages of the batch that are committed and settled */
    guint prepared;        /* db_session that has the staging tables */
    guint prepared_others; /* and those of failure reports and TLS reports, which are rare */
    guint placed;          /* db_session in which it is known where the tables are */
    struct months *months;
    struct ids report_ids, message_ids;
    struct report_sink sink;
    struct tls_sink tls_sink;
    gboolean tls_skip; /* the TLS report on its way is past MESSAGE_ROWS */
    struct digest *digest;
    struct tally *tally; /* of the open report */
    struct pack *pack;   /* records of it */
    struct profiler *profiler;
    GByteArray *scratch, *packed;
    struct packer *packer;
    struct open_report report;
    /* the message that is being put together: where its parts begin */
    guint first_document, first_report, pending_report, first_other, pending_other;
    const char *domain;           /* the last one: reports of a mail mostly share it */
    const struct mail_auth *auth; /* of the mail; NULL: nothing is known */
    gboolean over;                /* MESSAGE_ROWS was passed */
    GError *leaving;              /* its rows find no room: it is not written */
    GError *left;                 /* why the first one was not */
};

static gboolean sink_begin(void *self, const struct report_head *head, GError **error);
static gboolean sink_record(void *self, const struct report_record *record, GError **error);
static gboolean sink_end(void *self, const struct report_tail *tail, GError **error);
static void sink_abandon(void *self);
static gboolean tls_begin(void *self, const struct tls_head *head, GError **error);
static gboolean tls_policy(void *self, const struct tls_policy *policy, GError **error);
static gboolean tls_failure(void *self, const struct tls_failure *failure, GError **error);
static gboolean tls_end(void *self, guint n_warnings, const struct report_warning *warnings, GError **error);

struct writer *writer_new(struct db *db, const struct writer_settings *settings, writer_settled settled,
                          gpointer data)
{
    struct writer *writer = g_new0(struct writer, 1);
    writer->db = db;
    writer->settings = settings;
    writer->settled = settled;
    writer->data = data;
    writer->batch = batch_new(settings->batch_bytes);
    writer->batch->reread = settings->reread;
    writer->months = months_new();
    ids_init(&writer->report_ids, "SELECT nextval('dmarc_store.report_no') FROM generate_series(1, $1::int)");
    ids_init(&writer->message_ids,
             "SELECT nextval('dmarc_store.message_id') FROM generate_series(1, $1::int)");
    writer->sink = (struct report_sink){sink_begin, sink_record, sink_end, sink_abandon, writer};
    writer->tls_sink = (struct tls_sink){tls_begin, tls_policy, tls_failure, tls_end, writer};
    writer->digest = digest_new();
    writer->tally = tally_new(settings->tally_evidence);
    writer->pack = pack_new();
    writer->profiler = profiler_new();
    writer->scratch = g_byte_array_new();
    writer->packed = g_byte_array_new();
    writer->packer = packer_new();
    return writer;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    g_clear_error(&writer->leaving);
    g_clear_error(&writer->left);
    batch_free(writer->batch);
    months_free(writer->months);
    ids_clear(&writer->report_ids);
    ids_clear(&writer->message_ids);
    digest_free(writer->digest);
    tally_free(writer->tally);
    pack_free(writer->pack);
    profiler_free(writer->profiler);
    g_byte_array_unref(writer->scratch);
    g_byte_array_unref(writer->packed);
    packer_free(writer->packer);
    g_free(writer);
}

/* ---- the sink ---- */

const struct report_sink *writer_sink(struct writer *writer)
{
    return &writer->sink;
}

/* Takes the rows of the open report away again. */
static void drop_report(struct writer *writer)
{
    const struct batch_report *entry = &writer->report.entry;
    if (writer->report.active && !writer->report.skip) {
        row_spool_truncate(writer->batch->heads, entry->head.begin);
        row_spool_truncate(writer->batch->evidence, entry->evidence.begin);
        row_spool_truncate(writer->batch->records, entry->records.begin);
        row_spool_truncate(writer->batch->sums, entry->sums.begin);
    }
    writer->report.active = FALSE;
}

static gboolean message_is_full(const struct writer *writer)
{
    guint reports = writer->batch->reports->len - writer->first_report;
    guint documents = writer->batch->documents->len - writer->first_document;
    guint others = others_count(writer->batch->others) - writer->first_other;
    return writer->leaving || reports + documents + others >= MESSAGE_ROWS;
}

/* Of an error while rows were put aside. TRUE: they find no room, so the mail is left where it is, and
 * whatever else is told of it goes by. */
static gboolean leave(struct writer *writer, GError **error)
{
    if (!error || !g_error_matches(*error, WS_ERROR, WS_ERROR_SYSTEM))
        return FALSE;
    GError *reason = g_steal_pointer(error);
    writer_message_begin(writer);
    writer->leaving = reason;
    writer->report.skip = writer->tls_skip = TRUE;
    return TRUE;
}

static void look_at_trust(struct writer *writer, const struct report_head *head)
{
    const struct writer_settings *settings = writer->settings;
    struct batch_report *entry = &writer->report.entry;
    entry->brought = writer->auth && settings->trust
                         ? trust_of(writer->auth, head->reporter, settings->suffixes)
                         : TRUST_UNKNOWN;
    entry->foreign = settings->trust && trust_is_foreign(settings->trust, head->domain);
}

static gboolean sink_begin(void *self, const struct report_head *head, GError **error)
{
    struct writer *writer = self;
    struct batch *batch = writer->batch;
    struct open_report *report = &writer->report;
    drop_report(writer);
    memset(&report->entry, 0, sizeof report->entry);
    memset(&report->totals, 0, sizeof report->totals);
    report->skip = message_is_full(writer);
    report->active = TRUE;
    writer->over = writer->over || report->skip;
    if (report->skip)
        return TRUE;
    report->entry.head.begin = row_spool_size(batch->heads);
    report->entry.evidence.begin = row_spool_size(batch->evidence);
    report->entry.records.begin = row_spool_size(batch->records);
    report->entry.sums.begin = row_spool_size(batch->sums);
    if (!ids_take(&writer->report_ids, writer->db, &report->entry.id, error))
        return FALSE;
    if (g_strcmp0(writer->domain, head->domain) != 0)
        writer->domain = batch_text(batch, head->domain, G_MAXSIZE);
    report->entry.domain = writer->domain;
    report->entry.day = pgcopy_day(head->begin);
    look_at_trust(writer, head);
    digest_begin(writer->digest, head, report->entry.key.hashes);
    tally_clear(writer->tally);
    pack_clear(writer->pack, 1);
    g_byte_array_set_size(writer->scratch, 0);
    rows_report_head(writer->scratch, report->entry.id, report->entry.key.hashes, head);
    return row_spool_add(batch->heads, writer->scratch->data, writer->scratch->len, error) ||
           leave(writer, error);
}

/* The records that have gathered, as a row. */
static gboolean end_pack(struct writer *writer, GError **error)
{
    const struct batch_report *entry = &writer->report.entry;
    gboolean ok = TRUE;
    if (!pack_is_empty(writer->pack)) {
        g_byte_array_set_size(writer->scratch, 0);
        rows_observed(writer->scratch, entry->domain, entry->day, entry->id, writer->pack);
        ok = row_spool_add(writer->batch->records, writer->scratch->data, writer->scratch->len, error);
    }
    pack_clear(writer->pack, writer->report.totals.records + 1);
    return ok;
}

static gboolean end_tally(struct writer *writer, GError **error)
{
    g_byte_array_set_size(writer->scratch, 0);
    for (guint i = 0; i < tally_length(writer->tally); i++)
        rows_sum(writer->scratch, writer->report.entry.id, tally_at(writer->tally, i));
    tally_clear(writer->tally);
    return row_spool_add(writer->batch->sums, writer->scratch->data, writer->scratch->len, error);
}

/* What is new in this report goes to the evidence. */
static struct tally_evidence *learn_evidence(struct writer *writer, const guint8 *hash,
                                             const struct report_record *record, GError **error)
{
    static const guint8 frame[EVIDENCE_FRAME];
    GByteArray *out = writer->scratch;
    if (tally_is_full(writer->tally) && !end_tally(writer, error))
        return NULL;
    const struct profile *profile = profiler_look(writer->profiler, writer->report.entry.domain, record);
    g_byte_array_set_size(out, 0);
    g_byte_array_append(out, frame, sizeof frame);
    rows_evidence(out, writer->report.entry.domain, hash, record, profile);
    guint32 length = out->len - EVIDENCE_FRAME;
    memcpy(out->data, hash, DIGEST_BYTES);
    memcpy(out->data + DIGEST_BYTES, &length, sizeof length);
    return row_spool_add(writer->batch->evidence, out->data, out->len, error)
               ? tally_learn(writer->tally, hash, profile->hash, record->disposition)
               : NULL;
}

static void add_totals(struct report_totals *totals, const struct report_record *record)
{
    totals->records++;
    message_sum_add(&totals->messages, record->message_count);
    if (record->dkim_aligned)
        message_sum_add(&totals->dkim_aligned, record->message_count);
    if (record->spf_aligned)
        message_sum_add(&totals->spf_aligned, record->message_count);
    if (record->disagree)
        message_sum_add(&totals->disagree, record->message_count);
}

static gboolean sink_record(void *self, const struct report_record *record, GError **error)
{
    struct writer *writer = self;
    struct open_report *report = &writer->report;
    guint8 hash[DIGEST_BYTES];
    if (report->skip)
        return TRUE;
    digest_record(writer->digest, record, hash);
    struct tally_evidence *evidence = tally_find(writer->tally, hash);
    if ((!evidence && !(evidence = learn_evidence(writer, hash, record, error))) ||
        (pack_is_full(writer->pack, record) && !end_pack(writer, error)))
        return leave(writer, error);
    pack_add(writer->pack, record, evidence);
    tally_count(writer->tally, evidence, record->message_count);
    add_totals(&report->totals, record);
    guint64 n = report->totals.records;
    if (n <= writer->settings->spill_records || n % 1024)
        return TRUE;
    return (row_spool_to_file(writer->batch->records, error) &&
            row_spool_to_file(writer->batch->evidence, error)) ||
           leave(writer, error);
}

static gboolean sink_end(void *self, const struct report_tail *tail, GError **error)
{
    struct writer *writer = self;
    struct batch *batch = writer->batch;
    struct open_report *report = &writer->report;
    if (report->skip) {
        report->active = FALSE;
        return TRUE;
    }
    if (!end_pack(writer, error) || !end_tally(writer, error))
        return leave(writer, error);
    report->totals.content = report->content;
    digest_end(writer->digest, report->content);
    memcpy(report->entry.key.hashes + DIGEST_BYTES, report->content, DIGEST_BYTES);
    g_byte_array_set_size(writer->scratch, 0);
    rows_report_tail(writer->scratch, &report->totals, tail);
    if (!row_spool_add(batch->heads, writer->scratch->data, writer->scratch->len, error))
        return leave(writer, error);
    report->entry.head.end = row_spool_size(batch->heads);
    report->entry.evidence.end = row_spool_size(batch->evidence);
    report->entry.records.end = row_spool_size(batch->records);
    report->entry.sums.end = row_spool_size(batch->sums);
    report->entry.n_records = report->totals.records;
    report->entry.incomplete = tail->incomplete;
    g_array_append_val(batch->reports, report->entry);
    report->active = FALSE;
    return TRUE;
}

static void sink_abandon(void *self)
{
    drop_report(self);
}

/* ---- the other kinds ---- */

gboolean writer_failure(struct writer *writer, const struct failure_report *report, enum keep_subject keep,
                        GError **error)
{
    gint64 id;
    if (message_is_full(writer)) {
        writer->over = TRUE;
        return TRUE;
    }
    return (ids_take(&writer->report_ids, writer->db, &id, error) &&
            others_failure(writer->batch->others, id, report, keep, error)) ||
           leave(writer, error);
}

const struct tls_sink *writer_tls_sink(struct writer *writer)
{
    return &writer->tls_sink;
}

static gboolean tls_begin(void *self, const struct tls_head *head, GError **error)
{
    struct writer *writer = self;
    gint64 id;
    writer->tls_skip = message_is_full(writer);
    writer->over = writer->over || writer->tls_skip;
    return writer->tls_skip ||
           (ids_take(&writer->report_ids, writer->db, &id, error) &&
            others_tls_begin(writer->batch->others, id, head, error)) ||
           leave(writer, error);
}

static gboolean tls_policy(void *self, const struct tls_policy *policy, GError **error)
{
    struct writer *writer = self;
    return writer->tls_skip || others_tls_policy(writer->batch->others, policy, error) ||
           leave(writer, error);
}

static gboolean tls_failure(void *self, const struct tls_failure *failure, GError **error)
{
    struct writer *writer = self;
    return writer->tls_skip || others_tls_failure(writer->batch->others, failure, error) ||
           leave(writer, error);
}

static gboolean tls_end(void *self, guint n_warnings, const struct report_warning *warnings, GError **error)
{
    struct writer *writer = self;
    return writer->tls_skip || others_tls_end(writer->batch->others, n_warnings, warnings, error) ||
           leave(writer, error);
}

/* ---- messages ---- */

/* Takes the rows of these reports and of the open one away again. */
static void drop_reports_from(struct writer *writer, guint first, guint first_other)
{
    drop_report(writer);
    others_truncate(writer->batch->others, first_other);
    if (writer->batch->reports->len <= first)
        return;
    const struct batch_report *report = &g_array_index(writer->batch->reports, struct batch_report, first);
    row_spool_truncate(writer->batch->heads, report->head.begin);
    row_spool_truncate(writer->batch->evidence, report->evidence.begin);
    row_spool_truncate(writer->batch->records, report->records.begin);
    row_spool_truncate(writer->batch->sums, report->sums.begin);
    g_array_set_size(writer->batch->reports, first);
}

void writer_drop_reports(struct writer *writer)
{
    drop_reports_from(writer, writer->pending_report, writer->pending_other);
}

void writer_message_begin(struct writer *writer)
{
    /* What a message left that did not end. */
    drop_reports_from(writer, writer->first_report, writer->first_other);
    g_array_set_size(writer->batch->documents, writer->first_document);
    writer->pending_report = writer->first_report;
    writer->pending_other = writer->first_other;
    writer->over = FALSE;
    writer->auth = NULL;
    g_clear_error(&writer->leaving);
}

void writer_brought_by(struct writer *writer, const struct mail_auth *auth)
{
    writer->auth = auth;
}

static const char *keep_warnings(struct batch *batch, const char *const *warnings)
{
    if (!warnings || !*warnings)
        return NULL;
    g_autofree char *joined = g_strjoinv(" ", (char **)warnings);
    return batch_text(batch, joined, PATH_BYTES);
}

guint writer_documents(const struct writer *writer)
{
    return writer->batch->documents->len - writer->first_document;
}

void writer_warn(struct writer *writer, guint first, const char *code)
{
    GArray *documents = writer->batch->documents;
    for (guint i = writer->first_document + first; i < documents->len; i++) {
        struct batch_document *document = &g_array_index(documents, struct batch_document, i);
        const char *const both[] = {document->warnings ? document->warnings : code,
                                    document->warnings ? code : NULL, NULL};
        if (document->n_reports + document->n_others)
            document->warnings = keep_warnings(writer->batch, both);
    }
}

void writer_document(struct writer *writer, const struct ledger_document *document)
{
    struct batch *batch = writer->batch;
    drop_report(writer);
    guint others = others_count(batch->others);
    if (message_is_full(writer) && batch->reports->len == writer->pending_report &&
        others == writer->pending_other) {
        writer->over = TRUE;
        return;
    }
    struct batch_document entry = {
        .path = batch_text(batch, document->path, PATH_BYTES),
        .kind = batch_text(batch, document->kind, PATH_BYTES),
        .code = batch_text(batch, document->code, PATH_BYTES),
        .detail = batch_text(batch, document->detail, DETAIL_BYTES),
        .warnings = keep_warnings(batch, document->warnings),
        .size = document->size,
        .sha256 = batch_sha256(batch, document->sha256),
        .outcome = document->outcome,
        .in_words = document->in_words,
        .first_report = writer->pending_report,
        .n_reports = batch->reports->len - writer->pending_report,
        .first_other = writer->pending_other,
        .n_others = others - writer->pending_other,
    };
    writer->pending_report = batch->reports->len;
    writer->pending_other = others;
    batch_add_document(batch, &entry);
}

/* A copy of the caller's struct in which the texts are the batch's. */
static struct ledger_message keep_message(struct batch *batch, const struct ledger_message *message)
{
    struct ledger_message kept = *message;
    kept.sha256 = batch_sha256(batch, message->sha256);
    kept.source = batch_text(batch, message->source, G_MAXSIZE);
    kept.message_id = batch_text(batch, message->message_id, DETAIL_BYTES);
    kept.mail_from = batch_text(batch, message->mail_from, DETAIL_BYTES);
    kept.from_domain = batch_text(batch, message->from_domain, DETAIL_BYTES);
    kept.subject = batch_text(batch, message->subject, DETAIL_BYTES);
    kept.code = batch_text(batch, message->code, PATH_BYTES);
    kept.detail = batch_text(batch, message->detail, DETAIL_BYTES);
    kept.auth_result = batch_text(batch, message->auth_result, PATH_BYTES);
    kept.auth_domain = batch_text(batch, message->auth_domain, PATH_BYTES);
    return kept;
}

/* A failure report holds somebody's mail, and so does a complaint about spam, read or not. */
static gboolean is_private(const struct writer *writer)
{
    for (guint i = writer->first_document; i < writer->batch->documents->len; i++) {
        const char *kind = g_array_index(writer->batch->documents, struct batch_document, i).kind;
        if (g_strcmp0(kind, "failure") == 0 || g_strcmp0(kind, "feedback") == 0)
            return TRUE;
    }
    return FALSE;
}

/* Whether the settings want the original of the message that ends; a duplicate shows itself only later. */
static gboolean is_wanted(const struct writer *writer, const struct ledger_message *message)
{
    const struct batch *batch = writer->batch;
    gboolean problem = message->code || writer->over,
             report = batch->reports->len > writer->first_report ||
                      others_count(batch->others) > writer->first_other;
    for (guint i = writer->first_document; i < batch->documents->len; i++)
        problem =
            problem || g_array_index(batch->documents, struct batch_document, i).outcome == OUTCOME_PROBLEM;
    return writer->settings->keep == KEEP_REPORTS ? problem || report
                                                  : writer->settings->keep == KEEP_PROBLEMS && problem;
}

static gboolean keep_original(struct writer *writer, struct batch_message *entry, GError **error)
{
    struct batch *batch = writer->batch;
    const struct ledger_message *message = &entry->ledger;
    gboolean large, wanted = message->row || is_wanted(writer, message);
    if (!message->original.read || entry->bare || !wanted)
        return TRUE;
    if (is_private(writer)) {
        entry->original = ORIGINAL_PRIVATE;
        return TRUE;
    }
    if (message->row)
        return TRUE;
    g_byte_array_set_size(writer->packed, 0);
    if (!packer_pack(writer->packer, &message->original, writer->settings->original_size, writer->packed,
                     &large, error))
        return FALSE;
    entry->original = large ? ORIGINAL_LARGE : ORIGINAL_KEPT;
    if (large)
        return TRUE;
    entry->packed.begin = row_spool_size(batch->originals);
    g_byte_array_set_size(writer->scratch, 0);
    rows_original(writer->scratch, message->sha256, message->size, writer->packed);
    gboolean ok = row_spool_add(batch->originals, writer->scratch->data, writer->scratch->len, error);
    entry->packed.end = row_spool_size(batch->originals);
    return ok;
}

static gboolean add_message(struct writer *writer, const struct ledger_message *message, gboolean bare,
                            GError **error)
{
    struct batch *batch = writer->batch;
    /* It is left: with the mails before it their rows go, so that those behind it find the room. */
    if (writer->leaving) {
        if (!writer->left)
            writer->left = g_steal_pointer(&writer->leaving);
        return writer_flush(writer, error);
    }
    struct batch_message entry = {
        .first_document = writer->first_document,
        .n_documents = batch->documents->len - writer->first_document,
        .first_report = writer->first_report,
        .n_reports = batch->reports->len - writer->first_report,
        .first_other = writer->first_other,
        .n_others = others_count(batch->others) - writer->first_other,
        .bare = bare,
    };
    entry.id = message->row;
    if (!entry.id && !ids_take(&writer->message_ids, writer->db, &entry.id, error))
        return FALSE;
    entry.ledger = keep_message(batch, message);
    if (writer->over && !entry.ledger.code) {
        entry.ledger.code = "limit";
        entry.ledger.detail = "more than " G_STRINGIFY(MESSAGE_ROWS) " reports and documents in one mail";
    }
    if (!keep_original(writer, &entry, error))
        return leave(writer, error) && add_message(writer, message, bare, error);
    entry.wanted = entry.original;
    g_array_append_val(batch->messages, entry);
    writer->first_document = batch->documents->len;
    writer->first_report = writer->pending_report = batch->reports->len;
    writer->first_other = writer->pending_other = others_count(batch->others);
    if (batch->messages->len < writer->settings->batch_messages &&
        batch_bytes(batch) < writer->settings->batch_bytes)
        return TRUE;
    return writer_flush(writer, error);
}

gboolean writer_message_end(struct writer *writer, const struct ledger_message *message, GError **error)
{
    drop_report(writer);
    if (writer->batch->reports->len > writer->pending_report ||
        others_count(writer->batch->others) > writer->pending_other) {
        /* Reports that no document was named for must not be without a way back to their mail. */
        struct ledger_document rest = {
            .path = "", .kind = "aggregate", .size = -1, .outcome = OUTCOME_STORED};
        writer_document(writer, &rest);
    }
    batch_forgive_words(writer->batch, writer->first_document);
    return add_message(writer, message, FALSE, error);
}

gboolean writer_message_duplicate(struct writer *writer, const struct ledger_message *message, GError **error)
{
    writer_message_begin(writer);
    return add_message(writer, message, TRUE, error);
}

void writer_reset(struct writer *writer)
{
    writer->report.active = FALSE;
    batch_clear(writer->batch);
    writer->done = writer->first_document = writer->first_report = writer->pending_report = 0;
    writer->first_other = writer->pending_other = 0;
    writer->domain = NULL;
    writer->auth = NULL;
    writer->over = FALSE;
    g_clear_error(&writer->leaving);
}

/* ---- into the database ---- */

/* Whether the tables are on many nodes; then, tables for what is fetched from there. */
static gboolean look_where(struct writer *writer, GError **error)
{
    if (writer->placed == db_session(writer->db))
        return TRUE;
    struct db_result *result = db_query(writer->db, "asking whether the database is distributed",
                                        "SELECT dmarc_store.is_distributed()::int", 0, NULL, error);
    writer->batch->distributed = result && db_int(result, 0, 0);
    gboolean ok = result != NULL;
    db_result_free(result);
    ok = ok && (!writer->batch->distributed ||
                (db_run(writer->db, "making tables for what is fetched", rows_gathering, error) &&
                 db_run(writer->db, "making tables for what is fetched", rows_other_gathering, error) &&
                 (!writer->settings->reread || db_run(writer->db, "making tables for what is fetched again",
                                                      rows_reread_gathering, error))));
    if (ok)
        writer->placed = db_session(writer->db);
    return ok;
}

static gboolean prepare(struct writer *writer, GError **error)
{
    if (writer->prepared != db_session(writer->db)) {
        if (!db_run(writer->db, "making the staging tables", rows_staging, error))
            return FALSE;
        if (writer->settings->reread &&
            (!db_run(writer->db, "making the staging tables of mails", rows_mail_staging, error) ||
             !db_run(writer->db, "making the staging tables of what is read again", rows_reread_staging,
                     error)))
            return FALSE;
        if (!look_where(writer, error))
            return FALSE;
        writer->prepared = db_session(writer->db);
    }
    if (writer->prepared_others != db_session(writer->db) && others_count(writer->batch->others)) {
        if (!db_run(writer->db, "making the other staging tables", rows_other_staging, error))
            return FALSE;
        writer->prepared_others = db_session(writer->db);
    }
    return months_ensure(writer->months, writer->db, writer->batch->reports, error);
}

static void settle(guint end, gpointer data)
{
    struct writer *writer = data;
    for (; writer->done < end; writer->done++) {
        const struct batch_message *message =
            &g_array_index(writer->batch->messages, struct batch_message, writer->done);
        writer->problems += message->problem ? 1 : 0;
        if (writer->settled)
            writer->settled(message->ledger.token, message->outcome, writer->data);
    }
}

guint64 writer_problems(const struct writer *writer)
{
    return writer->problems;
}

gboolean writer_flush(struct writer *writer, GError **error)
{
    guint n = writer->batch->messages->len;
    if (writer->done < n && (!prepare(writer, error) || !refuse_write(writer->batch, writer->db, writer->done,
                                                                      n, settle, writer, error)))
        return FALSE;
    writer_reset(writer);
    return TRUE;
}

gboolean writer_left(struct writer *writer, GError **error)
{
    if (!writer->left)
        return FALSE;
    g_propagate_error(error, g_steal_pointer(&writer->left));
    return TRUE;
}

gboolean writer_known(struct writer *writer, guint n, const guint8 *const *sha256, const char *const *sources,
                      const gboolean *identities, int *outcomes_r, gboolean *resumed_r, GError **error)
{
    for (guint i = 0; writer->settings->reread && i < n; i++) {
        outcomes_r[i] = -1;
        resumed_r[i] = FALSE;
    }
    return writer->settings->reread ||
           (look_where(writer, error) &&
            known_mails(writer->db, writer->batch->distributed, n, sha256, sources, identities,
                        writer->settings->since, outcomes_r, resumed_r, error));
}
