#include "ingest/journey.h"

#include "ingest/failure_mail.h"
#include "ingest/journal_writer.h"
#include "ingest/label.h"
#include "ingest/message.h"
#include "ingest/unpack.h"
#include "parser/aggregate.h"
#include "parser/sha256.h"
#include "parser/step.h"
#include "parser/tls.h"

#include <string.h>

#define WARNINGS_MAX 6
#define START 4096 /* bytes of a document that tell what it may be */

/* The part that is being looked at. */
struct part {
    const struct message_part *message; /* lent */
    gboolean packed;                    /* in an archive */
    gboolean words;                     /* a failure report in words */
    guint reports, others;              /* documents of it that are reports, and those that are none */
    const char *warnings[WARNINGS_MAX]; /* codes of what it pretended to be, ended by NULL */
};

struct journey {
    const struct journal *journal;
    const struct run_settings *settings;
    struct message_head head;
    struct mail_auth auth;
    gboolean auth_known;
    guint64 budget; /* what is left of limits->unpacked_total */
    struct part part;
    guint documents; /* that were told */
    gboolean in_packed_mail;
    gboolean hide_subject; /* it may be that of a message which a failure report is about */
};

/* Counts and hashes what passes, and turns the end of a truncated archive into an end: what came out before
 * it is as good as it was, and the parser knows whether the document was whole. */
struct meter {
    struct byte_reader inner;
    struct sha256 *sum;
    gint64 size;
    GError *truncated;
    char start[START + 1]; /* the first bytes, with a NUL behind them */
};

static gssize meter_read(void *self, void *buf, gsize n, GError **error)
{
    struct meter *meter = self;
    if (meter->truncated)
        return 0;
    g_autoptr(GError) inner_error = NULL;
    gssize got = meter->inner.read(meter->inner.self, buf, n, &inner_error);
    if (got > 0) {
        sha256_add(meter->sum, buf, (gsize)got);
        if (meter->size < START)
            memcpy(meter->start + meter->size, buf, (gsize)MIN(got, START - meter->size));
        meter->size += got;
        return got;
    }
    if (got < 0 && g_error_matches(inner_error, WS_ERROR, WS_ERROR_TRUNCATED)) {
        meter->truncated = g_steal_pointer(&inner_error);
        return 0;
    }
    if (inner_error)
        g_propagate_error(error, g_steal_pointer(&inner_error));
    return got;
}

static void meter_clear(struct meter *meter)
{
    sha256_free(meter->sum);
    g_clear_error(&meter->truncated);
}

/* Reads what is left, so that size, hash and check sums speak of the whole document. */
static gboolean meter_drain(struct meter *meter, GError **error)
{
    char buf[16384];
    gssize got;
    while ((got = meter_read(meter, buf, sizeof buf, error)) > 0)
        ;
    return got == 0;
}

static void warn(const char **warnings, const char *code)
{
    guint n = g_strv_length((char **)warnings);
    if (n < WARNINGS_MAX - 1)
        warnings[n] = code;
}

static gboolean spoils_document(const GError *error)
{
    return error->domain == WS_ERROR && ws_error_spoils(error) == WS_SPOILS_DOCUMENT;
}

static gboolean tell_document(struct journey *journey, const struct ledger_document *row, GError **error)
{
    struct ledger_document document = *row;
    document.in_words = journey->part.message && journey->part.message->in_words;
    journey->documents++;
    return journey->journal->document(journey->journal->self, &document, error);
}

/* The one row for the ledger, with the size and hash that the meter has seen. */
static gboolean write_document(struct journey *journey, const struct meter *meter,
                               const struct ledger_document *row, GError **error)
{
    guint8 digest[SHA256_BYTES];
    sha256_take(meter->sum, digest);
    struct ledger_document document = *row;
    const char *warnings[WARNINGS_MAX];
    memcpy(warnings, journey->part.warnings, sizeof warnings);
    if (meter->truncated && g_strcmp0(row->code, "truncated") != 0)
        warn(warnings, "truncated");
    if (row->outcome != OUTCOME_NO_REPORT)
        document.warnings = warnings;
    journey->part.reports += row->outcome == OUTCOME_STORED;
    journey->part.others += row->outcome == OUTCOME_NO_REPORT;
    document.size = meter->size;
    document.sha256 = digest;
    return tell_document(journey, &document, error);
}

/* A text part that only looks like markup is the mail's prose, not a damaged report. */
static gboolean is_prose(const struct journey *journey, const char *code)
{
    const struct message_part *message = journey->part.message;
    const char *media_type = message->media_type;
    return !journey->part.packed && media_type &&
           content_claimed(NULL, message->file_name) == CONTENT_OTHER &&
           (g_str_equal(media_type, "text/html") || g_str_equal(media_type, "text/plain")) &&
           (g_str_equal(code, "no_root") || g_str_equal(code, "doctype"));
}

/* A drawing (SVG) is XML, too. */
static gboolean is_image(const struct journey *journey, const struct unpacked *document, const char *code)
{
    const struct message_part *message = journey->part.message;
    const char *name = document->name ? document->name : message->file_name;
    const char *ending = name ? strrchr(name, '.') : NULL;
    return (g_str_equal(code, "no_root") || g_str_equal(code, "doctype")) &&
           ((message->media_type && g_str_has_prefix(message->media_type, "image/")) ||
            (ending && g_ascii_strcasecmp(ending, ".svg") == 0));
}

/* The mail that the part came in. */
static const struct message_head *head_of(const struct journey *journey)
{
    const struct message_head *head = journey->part.message->head;
    return head ? head : &journey->head;
}

/* The part says so, or the mail does by a field that only mails with such reports have. */
static gboolean claims_tls(const struct journey *journey)
{
    const char *media_type = journey->part.message->media_type;
    return (media_type && g_str_has_prefix(media_type, "application/tlsrpt")) || head_of(journey)->tls_domain;
}

/* RFC 8460 section 4.4 names these keys; a report has them in its first kilobytes. */
static gboolean is_tls_report(const struct journey *journey, const struct meter *meter)
{
    return claims_tls(journey) || strstr(meter->start, "\"organization-name\"") ||
           strstr(meter->start, "\"policies\"") || strstr(meter->start, "\"report-id\"");
}

static const char *kind_of(const struct journey *journey, enum content_kind kind)
{
    const char *media_type = journey->part.message->media_type;
    if (kind == CONTENT_EMPTY)
        return "empty";
    return media_type && g_str_has_prefix(media_type, "text/") ? "text" : "other";
}

/* What a document that is none of what can be recognised says that it were. */
static enum content_kind claimed_kind(const struct journey *journey, const struct unpacked *document)
{
    const struct message_part *message = journey->part.message;
    gboolean quoted =
        document->kind == CONTENT_EMPTY && message->nested; /* a bounce may quote headers alone */
    if ((document->kind != CONTENT_OTHER && document->kind != CONTENT_EMPTY) || document->office || quoted)
        return CONTENT_OTHER;
    return journey->part.packed ? content_claimed(NULL, document->name)
                                : content_claimed(message->media_type, message->file_name);
}

/* A report in an archive with words in front of it, such as a warning of the program that wrote it; outside
 * of archives, texts are searched. A text that only speaks of the element has no other one behind it. */
static gboolean is_behind_words(const struct journey *journey, const struct unpacked *document)
{
    static const char tag[] = "<feedback";
    const guint8 *end = document->start + document->start_n, *at = NULL;
    if (journey->part.packed && document->kind == CONTENT_OTHER)
        at = memmem(document->start, document->start_n, tag, strlen(tag));
    at = at ? memchr(at, '>', (gsize)(end - at)) : NULL;
    while (at && ++at < end && g_ascii_isspace(*at))
        ;
    return at && at < end && *at == '<';
}

/* What a document is taken for, as the ledger calls it; NULL when it can be no report. */
static const char *report_kind(const struct journey *journey, const struct unpacked *document)
{
    const char *media_type = journey->part.message->media_type;
    enum content_kind kind = document->kind, claimed = claimed_kind(journey, document);
    if (kind == CONTENT_XML || claimed == CONTENT_XML || is_behind_words(journey, document))
        return "aggregate";
    if (kind == CONTENT_JSON || (claimed == CONTENT_JSON && claims_tls(journey)))
        return "tls";
    if (kind == CONTENT_FEEDBACK ||
        (!journey->part.packed &&
         (journey->part.words || g_strcmp0(media_type, "message/feedback-report") == 0)))
        return "failure";
    return NULL;
}

/* What the mail that a report came in knows of it; the one around it only what that one does not say. */
static struct report_hints hints_of(const struct journey *journey, const struct unpacked *document)
{
    const struct message_part *message = journey->part.message;
    const struct message_head *outer = &journey->head, *head = head_of(journey);
    return (struct report_hints){.file_name = label_better_name(document->name, message->file_name),
                                 .from_domain = head->from_domain ? head->from_domain : outer->from_domain,
                                 .tls_domain = head->tls_domain,
                                 .date = head->date ? head->date : outer->date,
                                 .now = journey->settings->now};
}

static enum parse_status parse(struct journey *journey, const struct unpacked *document, const char *kind,
                               struct meter *meter, struct parse_outcome *outcome, GError **error)
{
    const struct run_settings *settings = journey->settings;
    const struct message_part *message = journey->part.message;
    const struct byte_reader reader = {meter_read, meter};
    const struct report_hints hints = hints_of(journey, document);
    if (g_str_equal(kind, "tls"))
        return tls_parse(reader, settings->limits, &hints, journey->journal->tls, outcome, error);
    if (g_str_equal(kind, "failure")) {
        journey->hide_subject = settings->keep_subject != SUBJECT_KEPT;
        return failure_mail_read(journey->journal, settings->limits, message, journey->part.words, reader,
                                 outcome, error);
    }
    return aggregate_parse(settings->parser, reader, &hints, journey->journal->reports, outcome, error);
}

/* A piece of a report, or something like one, that a text shows: it does not have all of what says who
 * reports when and about whom. What was encoded has no media type, and is no example. */
static gboolean is_piece(const struct journey *journey, const struct unpacked *document,
                         const struct meter *meter)
{
    const struct message_part *message = journey->part.message;
    gboolean shown = message->in_words && message->media_type && !journey->part.packed;
    if (!shown && !is_behind_words(journey, document))
        return FALSE;
    return document->kind == CONTENT_JSON
               ? !strstr(meter->start, "\"date-range\"") || !strstr(meter->start, "\"policies\"")
               : !strstr(meter->start, "report_metadata") || !strstr(meter->start, "policy_published");
}

/* What is refused without being a problem: prose, pieces in it, JSON of another kind, complaints about mail.
 */
static gboolean is_no_report(const struct journey *journey, const struct unpacked *document,
                             const struct meter *meter, const struct parse_outcome *outcome,
                             struct ledger_document *row)
{
    gboolean complaint = g_str_equal(outcome->code, "feedback_type"),
             other = is_prose(journey, outcome->code) || is_image(journey, document, outcome->code) ||
                     (document->kind == CONTENT_JSON && !is_tls_report(journey, meter)),
             told = complaint || !other;
    if (!complaint && !other && (g_str_equal(outcome->code, "limit") || !is_piece(journey, document, meter)))
        return FALSE;
    row->kind = complaint ? "feedback" : kind_of(journey, document->kind);
    row->code = told ? outcome->code : NULL;
    row->detail = told ? outcome->detail : NULL;
    row->outcome = OUTCOME_NO_REPORT;
    return TRUE;
}

static gboolean look_at_report(struct journey *journey, const struct unpacked *document, const char *kind,
                               struct meter *meter, GError **error)
{
    struct ledger_document row = {.path = document->label, .kind = kind, .outcome = OUTCOME_STORED};
    struct parse_outcome outcome = {0};
    g_autoptr(GError) failure = NULL;
    step("parsing a document");
    enum parse_status status = parse(journey, document, kind, meter, &outcome, &failure);
    step("a document was parsed");
    if (status != PARSE_FAILED && !meter_drain(meter, &failure))
        status = PARSE_FAILED;
    gboolean ok = TRUE;
    if (status == PARSE_FAILED && !spoils_document(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        ok = FALSE;
    } else if (status == PARSE_FAILED) {
        row.outcome = OUTCOME_PROBLEM;
        row.code = unpack_code(failure);
        row.detail = failure->message;
        /* What a wrong check sum is found behind is not to be believed, however well it reads. */
        if (!g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT))
            journey->journal->drop_reports(journey->journal->self);
    } else if (status != PARSE_OK &&
               !(status == PARSE_REFUSED && is_no_report(journey, document, meter, &outcome, &row))) {
        row.outcome = OUTCOME_PROBLEM;
        row.code = outcome.code;
        row.detail = outcome.detail;
    }
    if (ok)
        ok = write_document(journey, meter, &row, error);
    parse_outcome_clear(&outcome);
    return ok;
}

/* Something that can be no report: recorded and left alone, unless it says that it were what reports come as.
 */
static gboolean look_at_other(struct journey *journey, const struct unpacked *document, struct meter *meter,
                              GError **error)
{
    g_autoptr(GError) failure = NULL;
    meter_drain(meter, &failure);
    if (failure && !spoils_document(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    struct ledger_document row = {.path = document->label,
                                  .kind = kind_of(journey, document->kind),
                                  .outcome = failure ? OUTCOME_PROBLEM : OUTCOME_NO_REPORT,
                                  .code = failure ? unpack_code(failure) : NULL,
                                  .detail = failure ? failure->message : NULL};
    enum content_kind claimed = claimed_kind(journey, document);
    if (!failure && (claimed == CONTENT_GZIP || claimed == CONTENT_ZIP)) {
        row.kind = "archive";
        row.outcome = OUTCOME_PROBLEM;
        row.code = "archive";
        row.detail = claimed == CONTENT_GZIP ? "it calls itself gzip, and is none"
                                             : "it calls itself zip, and is none";
    }
    return write_document(journey, meter, &row, error);
}

static gboolean on_part(void *self, const struct message_part *part, GError **error);

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    struct journey *journey = self;
    /* Yahoo's placeholder attachments of spring 2023 say that there was nothing to report. */
    gboolean harmless = g_str_equal(code, "yahoo_unused");
    const struct ledger_document row = {.path = label,
                                        .kind = "archive",
                                        .size = -1,
                                        .outcome = harmless ? OUTCOME_NO_REPORT : OUTCOME_PROBLEM,
                                        .code = code,
                                        .detail = detail,
                                        .warnings = harmless ? NULL : journey->part.warnings};
    return tell_document(journey, &row, error);
}

/* All of a document. NULL with an error. */
static struct blob *keep_document(struct meter *meter, guint64 most, GError **error)
{
    char buf[16384];
    gssize got;
    struct spool *spool = spool_new(most, "message_size");
    while ((got = meter_read(meter, buf, sizeof buf, error)) > 0 && spool_add(spool, buf, (gsize)got, error))
        ;
    if (got == 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}

/* A mail that somebody packed. One in an archive in such a mail again is what no person sends. */
static gboolean look_at_mail(struct journey *journey, const struct unpacked *document, struct meter *meter,
                             GError **error)
{
    const struct limits *limits = journey->settings->limits;
    if (journey->in_packed_mail)
        return on_refusal(journey, document->label, "nesting",
                          "a mail in an archive, in a mail that came out of an archive itself", error);
    g_autoptr(GError) failure = NULL;
    struct blob *mail = keep_document(meter, limits->message_size, &failure);
    if (failure && !spoils_document(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    const struct ledger_document row = {.path = document->label,
                                        .kind = "other",
                                        .outcome = mail ? OUTCOME_NO_REPORT : OUTCOME_PROBLEM,
                                        .code = mail ? NULL : unpack_code(failure),
                                        .detail = mail ? NULL : failure->message};
    gboolean ok = write_document(journey, meter, &row, error);
    if (ok && mail) {
        journey->part.others--;
        journey->in_packed_mail = TRUE;
        ok = message_walk_inner(mail, journey->part.message, document->label, limits, on_part, on_refusal,
                                journey, error);
        journey->in_packed_mail = FALSE;
    }
    blob_unref(mail);
    return ok;
}

static gboolean on_document(void *self, const struct unpacked *document, GError **error)
{
    struct journey *journey = self;
    struct meter meter = {.inner = document->reader, .sum = sha256_new()};
    gboolean ok;
    const char *report = report_kind(journey, document);
    if (report)
        ok = look_at_report(journey, document, report, &meter, error);
    else if (document->kind == CONTENT_MAIL && journey->part.packed)
        ok = look_at_mail(journey, document, &meter, error);
    else
        ok = look_at_other(journey, document, &meter, error);
    meter_clear(&meter);
    return ok;
}

/* What the part pretends to be, against its first bytes. */
static struct part know_part(const struct message_part *message)
{
    struct part part = {.message = message};
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(message->content, 0, start, sizeof start, NULL);
    enum content_kind kind = got > 0 ? content_sniff(start, (gsize)got, NULL) : CONTENT_EMPTY;
    part.packed = kind == CONTENT_GZIP || kind == CONTENT_ZIP;
    part.words = kind == CONTENT_OTHER && failure_mail_is_words(message);
    if (message->note)
        warn(part.warnings, message->note);
    if (message->declared && message->media_type && content_belies_type(kind, message->media_type))
        warn(part.warnings, "ctype");
    if (message->file_name && content_belies_name(kind, message->file_name))
        warn(part.warnings, "ext");
    return part;
}

/* Once the header is known: what our own mail server says of it. */
static void look_at_auth(struct journey *journey)
{
    const struct writer_settings *settings = journey->settings->writer;
    if (journey->auth_known)
        return;
    journey->auth_known = TRUE;
    if (settings->trust)
        mail_auth_read(&journey->auth, journey->head.authres, journey->head.from_domain, settings->trust,
                       settings->suffixes);
    journey->journal->brought_by(journey->journal->self, &journey->auth);
}

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct journey *journey = self;
    look_at_auth(journey);
    struct part outer = journey->part;
    guint first = journey->documents;
    journey->part = know_part(part);
    gboolean ok = unpack_walk(part->content, part->label, part->file_name, journey->settings->limits,
                              &journey->budget, on_document, on_refusal, journey, error);
    if (ok && journey->part.packed && journey->part.reports && journey->part.others)
        journey->journal->warn(journey->journal->self, first, "zip_extra");
    journey->part = outer;
    return ok;
}

/* A file named by the user may be a report itself: by its content, or one that is none of what can be
 * recognised, and calls itself so. */
static gboolean is_bare(const struct mail *mail)
{
    guint8 start[CONTENT_SNIFF];
    gssize got = mail->may_be_bare ? blob_read(mail->body, 0, start, sizeof start, NULL) : -1;
    if (got < 0)
        return FALSE;
    enum content_kind kind = content_sniff(start, (gsize)got, NULL);
    if (kind == CONTENT_OTHER || kind == CONTENT_EMPTY)
        return mail->name && content_claimed(NULL, mail->name) != CONTENT_OTHER;
    return kind != CONTENT_MAIL;
}

static gboolean walk(struct journey *journey, const struct mail *mail, GError **error)
{
    if (!is_bare(mail))
        return message_walk(mail->body, journey->settings->limits, &journey->head, on_part, on_refusal,
                            journey, error);
    const char *name = mail->name ? mail->name : "file";
    guint leaves = 1;
    const struct message_part part = {
        .label = name, .file_name = name, .content = mail->body, .leaves = &leaves};
    return on_part(journey, &part, error);
}

static gssize read_body(const void *body, guint64 offset, void *buf, gsize n, GError **error)
{
    return blob_read(body, offset, buf, n, error);
}

struct ledger_message journey_row(const struct mail *mail, const guint8 *sha256)
{
    return (struct ledger_message){.sha256 = sha256,
                                   .source = mail->ref,
                                   .identity = mail->ref_is_identity,
                                   .size = mail->body ? blob_size(mail->body) : 0,
                                   .row = mail->row,
                                   .original = {mail->body ? read_body : NULL, mail->body},
                                   .token = GSIZE_TO_POINTER((gsize)mail->token)};
}

static struct mail_end end_of(const struct journey *journey)
{
    const struct message_head *head = &journey->head;
    return (struct mail_end){.message_id = head->message_id,
                             .mail_from = head->from,
                             .from_domain = head->from_domain,
                             .subject = journey->hide_subject ? NULL : head->subject,
                             .date = head->date};
}

gboolean journey_tell(const struct journal *journal, const struct mail *mail,
                      const struct run_settings *settings, GError **error)
{
    struct journey journey = {
        .journal = journal, .settings = settings, .budget = settings->limits->unpacked_total};
    g_autoptr(GError) failure = NULL;
    gboolean ok = !mail->body || walk(&journey, mail, &failure) || spoils_document(failure);
    if (!ok) {
        g_propagate_error(error, g_steal_pointer(&failure));
    } else {
        look_at_auth(&journey);
        struct mail_end end = end_of(&journey);
        end.code = mail->body ? NULL : mail->refusal_code;
        end.detail = mail->body ? NULL : mail->refusal;
        if (failure) {
            end.code = g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT) ? "limit" : "mime";
            end.detail = failure->message;
        }
        ok = journal->end(journal->self, &end, error);
    }
    message_head_clear(&journey.head);
    mail_auth_clear(&journey.auth);
    return ok;
}

gboolean journey_mail(struct writer *writer, const struct mail *mail, const guint8 *sha256,
                      const struct run_settings *settings, GError **error)
{
    struct journal_writer to;
    const struct ledger_message row = journey_row(mail, sha256);
    return journal_writer_begin(&to, writer, settings->keep_subject, &row, error) &&
           journey_tell(&to.journal, mail, settings, error);
}
