#include "ingest/wire_tables.h"

#include "ingest/wire.h"
#include "parser/error.h"

#define SEND_AT (64 * 1024) /* bytes that wait */

struct wire_writer {
    struct journal journal;
    struct report_sink reports;
    struct tls_sink tls;
    struct wire_out out;
    wire_send send;
    gpointer data;
    GError *broken; /* of a call that could not return it; nothing is told any more */
};

static gboolean send_all(struct wire_writer *writer)
{
    if (!writer->broken && writer->out.length)
        writer->send(writer->data, writer->out.data, writer->out.length, &writer->broken);
    writer->out.length = 0;
    return !writer->broken;
}

static void tell(struct wire_writer *writer, enum wire_frame kind, const struct wire_table *table,
                 const void *object)
{
    struct wire_out *out = &writer->out;
    if (writer->broken)
        return;
    gsize begin = wire_frame_begin(out);
    if (table && !wire_put(out, table, object)) {
        out->length = begin;
        g_set_error(&writer->broken, WS_ERROR, WS_ERROR_SYSTEM, "cannot tell %s of a %s: %s", out->field,
                    out->table, out->bad);
        return;
    }
    wire_frame_end(out, begin, kind);
    if (out->length >= SEND_AT)
        send_all(writer);
}

static gboolean told(struct wire_writer *writer, GError **error)
{
    if (!writer->broken)
        return TRUE;
    g_propagate_error(error, g_error_copy(writer->broken));
    return FALSE;
}

static gboolean tell_or_fail(struct wire_writer *writer, enum wire_frame kind, const struct wire_table *table,
                             const void *object, GError **error)
{
    tell(writer, kind, table, object);
    return told(writer, error);
}

static void brought_by(void *self, const struct mail_auth *auth)
{
    tell(self, FRAME_BROUGHT_BY, &wire_mail_auth, auth);
}

static gboolean report_begin(void *self, const struct report_head *head, GError **error)
{
    return tell_or_fail(self, FRAME_REPORT, &wire_report_head, head, error);
}

static gboolean report_record(void *self, const struct report_record *record, GError **error)
{
    return tell_or_fail(self, FRAME_RECORD, &wire_report_record, record, error);
}

static gboolean report_end(void *self, const struct report_tail *tail, GError **error)
{
    return tell_or_fail(self, FRAME_REPORT_END, &wire_report_tail, tail, error);
}

static void report_abandon(void *self)
{
    tell(self, FRAME_ABANDON, NULL, NULL);
}

static gboolean tls_begin(void *self, const struct tls_head *head, GError **error)
{
    return tell_or_fail(self, FRAME_TLS, &wire_tls_head, head, error);
}

static gboolean tls_policy(void *self, const struct tls_policy *policy, GError **error)
{
    return tell_or_fail(self, FRAME_TLS_POLICY, &wire_tls_policy, policy, error);
}

static gboolean tls_failure(void *self, const struct tls_failure *failure, GError **error)
{
    return tell_or_fail(self, FRAME_TLS_FAILURE, &wire_tls_failure, failure, error);
}

static gboolean tls_end(void *self, guint n_warnings, const struct report_warning *warnings, GError **error)
{
    const struct wire_tls_end end = {n_warnings, warnings};
    return tell_or_fail(self, FRAME_TLS_END, &wire_tls_end_table, &end, error);
}

static gboolean failure(void *self, const struct failure_report *report, GError **error)
{
    return tell_or_fail(self, FRAME_FAILURE, &wire_failure_report, report, error);
}

static gboolean document(void *self, const struct ledger_document *row, GError **error)
{
    return tell_or_fail(self, FRAME_DOCUMENT, &wire_ledger_document, row, error);
}

static void drop_reports(void *self)
{
    tell(self, FRAME_DROP, NULL, NULL);
}

static void warn(void *self, guint first, const char *code)
{
    const struct wire_warn warning = {first, code};
    tell(self, FRAME_WARN, &wire_warn_table, &warning);
}

static gboolean end(void *self, const struct mail_end *mail, GError **error)
{
    return tell_or_fail(self, FRAME_END, &wire_mail_end, mail, error);
}

struct wire_writer *wire_writer_new(wire_send send, gpointer data)
{
    struct wire_writer *writer = g_new0(struct wire_writer, 1);
    writer->send = send;
    writer->data = data;
    writer->reports = (struct report_sink){report_begin, report_record, report_end, report_abandon, writer};
    writer->tls = (struct tls_sink){tls_begin, tls_policy, tls_failure, tls_end, writer};
    writer->journal = (struct journal){.brought_by = brought_by,
                                       .reports = &writer->reports,
                                       .tls = &writer->tls,
                                       .failure = failure,
                                       .document = document,
                                       .drop_reports = drop_reports,
                                       .warn = warn,
                                       .end = end,
                                       .self = writer};
    return writer;
}

void wire_writer_free(struct wire_writer *writer)
{
    if (!writer)
        return;
    wire_out_clear(&writer->out);
    g_clear_error(&writer->broken);
    g_free(writer);
}

const struct journal *wire_writer_journal(struct wire_writer *writer)
{
    return &writer->journal;
}

void wire_writer_give_up(struct wire_writer *writer, const GError *reason)
{
    const struct wire_gave_up why = {g_error_matches(reason, WS_ERROR, WS_ERROR_INPUT), reason->message};
    /* A word that could not be told spoils this mail, not the next. */
    g_clear_error(&writer->broken);
    tell(writer, FRAME_GAVE_UP, &wire_gave_up_table, &why);
}

gboolean wire_writer_flush(struct wire_writer *writer, GError **error)
{
    send_all(writer);
    return told(writer, error);
}
