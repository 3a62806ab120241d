#include "ingest/journal_writer.h"

static void brought_by(void *self, const struct mail_auth *auth)
{
    struct journal_writer *to = self;
    to->row.auth_result = auth_words[auth->result];
    to->row.auth_domain = auth->domain;
    writer_brought_by(to->writer, auth);
}

static gboolean failure(void *self, const struct failure_report *report, GError **error)
{
    struct journal_writer *to = self;
    return writer_failure(to->writer, report, to->keep, error);
}

static gboolean document(void *self, const struct ledger_document *row, GError **error)
{
    struct journal_writer *to = self;
    (void)error;
    writer_document(to->writer, row);
    return TRUE;
}

static void drop_reports(void *self)
{
    struct journal_writer *to = self;
    writer_drop_reports(to->writer);
}

/* The writer leaves out documents only at the end of a mail that has too many: the numbers are the same. */
static void warn(void *self, guint first, const char *code)
{
    struct journal_writer *to = self;
    writer_warn(to->writer, first, code);
}

static gboolean end(void *self, const struct mail_end *mail, GError **error)
{
    struct journal_writer *to = self;
    struct ledger_message row = to->row;
    row.message_id = mail->message_id;
    row.mail_from = mail->mail_from;
    row.from_domain = mail->from_domain;
    row.subject = mail->subject;
    row.date = mail->date;
    row.code = mail->code;
    row.detail = mail->detail;
    return writer_message_end(to->writer, &row, error);
}

gboolean journal_writer_begin(struct journal_writer *to, struct writer *writer, enum keep_subject keep,
                              const struct ledger_message *row, GError **error)
{
    to->journal = (struct journal){.brought_by = brought_by,
                                   .reports = writer_sink(writer),
                                   .tls = writer_tls_sink(writer),
                                   .failure = failure,
                                   .document = document,
                                   .drop_reports = drop_reports,
                                   .warn = warn,
                                   .end = end,
                                   .self = to};
    to->writer = writer;
    to->keep = keep;
    to->row = *row;
    (void)error;
    writer_message_begin(writer);
    return TRUE;
}
