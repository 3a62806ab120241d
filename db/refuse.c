#include "db/refuse.h"

#include "db/others.h"

#define CODE "db_refused"
#define DETAIL_BYTES 2000

/* A report of a mail, of whatever kind: those of the first kind come first. */
struct bad_report {
    guint number;
    char *reason;
};

struct refusing {
    struct batch *batch;
    struct db *db;
    refuse_written written;
    gpointer data;
    guint refused; /* attempts that were */
    GArray *bad;   /* struct bad_report of the mail that is looked at, in ascending order */
};

static void bad_report_clear(gpointer bad)
{
    g_free(((struct bad_report *)bad)->reason);
}

static struct batch_message *message_at(const struct refusing *r, guint i)
{
    return &g_array_index(r->batch->messages, struct batch_message, i);
}

static struct batch_document *document_at(const struct refusing *r, guint i)
{
    return &g_array_index(r->batch->documents, struct batch_document, i);
}

/* Of an attempt that failed: TRUE when the values were refused. Else hands the error on. */
static gboolean is_refused(struct refusing *r, GError *reason, GError **error)
{
    r->refused++;
    if (g_error_matches(reason, WS_ERROR, WS_ERROR_DB_REFUSED))
        return TRUE;
    g_propagate_error(error, reason);
    return FALSE;
}

/* ---- which reports of a mail ---- */

static gboolean try_reports(const struct refusing *r, const struct batch_message *message, guint first,
                            guint end, GError **error)
{
    guint n = message->n_reports;
    return batch_try(r->batch, r->db, message->first_report + MIN(first, n),
                     message->first_report + MIN(end, n), message->first_other + MAX(first, n) - n,
                     message->first_other + MAX(end, n) - n, error);
}

/* `suspect`: one of them is known to be refused. */
static gboolean find_bad(struct refusing *r, const struct batch_message *message, guint first, guint end,
                         gboolean suspect, GError **error)
{
    GError *reason = NULL;
    if (!suspect || end - first == 1) {
        if (try_reports(r, message, first, end, &reason))
            return TRUE;
        if (!is_refused(r, reason, error))
            return FALSE;
        if (end - first == 1) {
            struct bad_report bad = {first, g_strdup(reason->message)};
            g_array_append_val(r->bad, bad);
        }
        g_error_free(reason);
        if (end - first == 1)
            return TRUE;
    }
    guint middle = first + (end - first) / 2, before = r->refused;
    return find_bad(r, message, first, middle, FALSE, error) &&
           find_bad(r, message, middle, end, r->refused == before, error);
}

/* ---- what becomes of them ---- */

/* The document of the mail that has this report. */
static guint document_of(const struct refusing *r, const struct batch_message *message, guint report,
                         gboolean other)
{
    guint i = message->first_document, end = i + message->n_documents;
    for (; i < end; i++) {
        const struct batch_document *document = document_at(r, i);
        guint first = other ? document->first_other : document->first_report;
        guint n = other ? document->n_others : document->n_reports;
        if (report >= first && report < first + n)
            break;
    }
    return i;
}

/* Counts one less in all that comes behind a report. */
static void close_gap(struct refusing *r, guint report, gboolean other)
{
    for (guint i = 0; i < r->batch->documents->len; i++) {
        guint *first = other ? &document_at(r, i)->first_other : &document_at(r, i)->first_report;
        *first -= *first > report ? 1 : 0;
    }
    for (guint i = 0; i < r->batch->messages->len; i++) {
        guint *first = other ? &message_at(r, i)->first_other : &message_at(r, i)->first_report;
        *first -= *first > report ? 1 : 0;
    }
}

/* Says it in the document itself when nothing else is in there, else in one behind it. */
static void say_it(struct refusing *r, guint message, guint i, const char *reason)
{
    struct batch_document *document = document_at(r, i), said = *document;
    said.outcome = OUTCOME_PROBLEM;
    said.code = CODE;
    said.detail = batch_text(r->batch, reason, DETAIL_BYTES);
    said.n_reports = said.n_others = 0;
    if (document->outcome != OUTCOME_PROBLEM && !document->n_reports && !document->n_others) {
        *document = said;
        return;
    }
    g_array_insert_val(r->batch->documents, i + 1, said);
    message_at(r, message)->n_documents++;
    for (guint m = message + 1; m < r->batch->messages->len; m++)
        message_at(r, m)->first_document++;
}

static void take_out(struct refusing *r, guint number, const struct bad_report *bad)
{
    struct batch_message *message = message_at(r, number);
    gboolean other = bad->number >= message->n_reports;
    guint report =
        other ? message->first_other + bad->number - message->n_reports : message->first_report + bad->number;
    guint i = document_of(r, message, report, other);
    g_return_if_fail(i < message->first_document + message->n_documents);
    if (other) {
        others_remove(r->batch->others, report);
        document_at(r, i)->n_others--;
        message->n_others--;
    } else {
        g_array_remove_index(r->batch->reports, report);
        document_at(r, i)->n_reports--;
        message->n_reports--;
    }
    close_gap(r, report, other);
    say_it(r, number, i, bad->reason);
}

/* One row that says so is what is left of the mail, the second time without its header. */
static void refuse_mail(struct refusing *r, guint i, const GError *reason, gboolean bare)
{
    struct batch_message *message = message_at(r, i);
    message->n_documents = message->n_reports = message->n_others = 0;
    message->ledger.code = CODE;
    message->ledger.detail = batch_text(r->batch, reason->message, DETAIL_BYTES);
    if (bare) {
        message->ledger.message_id = message->ledger.mail_from = message->ledger.from_domain = NULL;
        message->ledger.subject = message->ledger.auth_result = message->ledger.auth_domain = NULL;
        message->ledger.date = 0;
    }
}

/* ---- mails ---- */

/* Takes the reports out of a mail that are refused each for itself. FALSE with an error. */
static gboolean take_bad_out(struct refusing *r, guint i, const GError *reason, GError **error)
{
    const struct batch_message *message = message_at(r, i);
    guint n = message->n_reports + message->n_others;
    g_array_set_size(r->bad, 0);
    if (n == 1) {
        struct bad_report only = {0, g_strdup(reason->message)};
        g_array_append_val(r->bad, only);
    } else if (n && !find_bad(r, message, 0, n, TRUE, error)) {
        return FALSE;
    }
    for (guint b = r->bad->len; b-- > 0;)
        take_out(r, i, &g_array_index(r->bad, struct bad_report, b));
    return TRUE;
}

/* A mail that was refused alone: less of it, until it is taken. Takes the reason. */
static gboolean write_less(struct refusing *r, guint i, GError *reason, GError **error)
{
    enum { WITHOUT_BAD, WITHOUT_DOCUMENTS, WITHOUT_HEADER } less;
    gboolean ok = take_bad_out(r, i, reason, error);
    for (less = r->bad->len ? WITHOUT_BAD : WITHOUT_DOCUMENTS; ok; less++) {
        if (less != WITHOUT_BAD)
            refuse_mail(r, i, reason, less == WITHOUT_HEADER);
        g_clear_error(&reason);
        if (batch_write(r->batch, r->db, i, i + 1, &reason))
            return TRUE;
        if (less == WITHOUT_HEADER || !g_error_matches(reason, WS_ERROR, WS_ERROR_DB_REFUSED)) {
            g_propagate_error(error, reason);
            return FALSE;
        }
    }
    g_error_free(reason);
    return FALSE;
}

/* `suspect`: one of them is known to be refused. */
static gboolean write_range(struct refusing *r, guint first, guint end, gboolean suspect, GError **error)
{
    GError *reason = NULL;
    if (!suspect || end - first == 1) {
        gboolean done = batch_write(r->batch, r->db, first, end, &reason);
        if (!done && !is_refused(r, reason, error))
            return FALSE;
        if (!done && end - first == 1 && !write_less(r, first, reason, error))
            return FALSE;
        if (done || end - first == 1) {
            r->written(end, r->data);
            return TRUE;
        }
        g_error_free(reason);
    }
    guint middle = first + (end - first) / 2, before = r->refused;
    return write_range(r, first, middle, FALSE, error) &&
           write_range(r, middle, end, r->refused == before, error);
}

gboolean refuse_write(struct batch *batch, struct db *db, guint first, guint end, refuse_written written,
                      gpointer data, GError **error)
{
    struct refusing r = {.batch = batch,
                         .db = db,
                         .written = written,
                         .data = data,
                         .bad = g_array_new(FALSE, FALSE, sizeof(struct bad_report))};
    g_array_set_clear_func(r.bad, bad_report_clear);
    gboolean ok = write_range(&r, first, end, FALSE, error);
    g_array_unref(r.bad);
    return ok;
}
