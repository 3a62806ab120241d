/* A journal that writes down what it is told, field by field, as lines of text that tests compare. */
#pragma once

#include "ingest/wire_tables.h"
#include "parser/error.h"

#include <string.h>

struct recorder {
    struct journal journal;
    struct report_sink reports;
    struct tls_sink tls;
    GString *text;
    guint calls, fail_at; /* the n-th call fails; 0: none */
    guint records;
};

static inline void record_struct(GString *text, const struct wire_table *table, const void *object);

static inline void record_text(GString *text, const char *value)
{
    g_string_append_printf(text, value ? " \"%s\"" : " -", value);
}

static inline void record_bytes(GString *text, const guint8 *bytes, gsize n)
{
    g_string_append_c(text, ' ');
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
}

static inline void record_field(GString *text, const struct wire_field *field, const guint8 *object)
{
    const guint8 *at = object + field->offset;
    const void *pointer = NULL;
    guint n = 0;
    if (field->size == sizeof pointer)
        memcpy(&pointer, at, sizeof pointer);
    memcpy(&n, object + field->count, sizeof n);
    g_string_append_printf(text, " %s", field->name);
    switch ((enum field_kind)field->kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_LOWER:
    case FIELD_NAME:
    case FIELD_DOMAIN:
    case FIELD_WORD:
    case FIELD_CODE:
        record_text(text, pointer);
        break;
    case FIELD_SUM:
        record_bytes(text, pointer, pointer ? 32 : 0);
        break;
    case FIELD_LIST:
    case FIELD_WORDS:
    case FIELD_CODES:
        for (const char *const *item = pointer; item && *item; item++)
            record_text(text, *item);
        break;
    case FIELD_ROWS:
        for (guint i = 0; i < n; i++)
            record_struct(text, field->rows, (const guint8 *)pointer + i * field->rows->size);
        break;
    case FIELD_TEXTS:
    case FIELD_NAMES:
        for (guint i = 0; i < n; i++)
            record_text(text, ((const char *const *)pointer)[i]);
        break;
    case FIELD_STRUCT:
        record_struct(text, field->rows, at);
        break;
    default:
        record_bytes(text, at, field->size);
    }
}

static inline void record_struct(GString *text, const struct wire_table *table, const void *object)
{
    g_string_append_printf(text, " {%s:", table->name);
    for (guint i = 0; i < table->n; i++)
        record_field(text, &table->fields[i], object);
    g_string_append_c(text, '}');
}

static inline gboolean record_call(struct recorder *to, const struct wire_table *table, const void *object,
                                   GError **error)
{
    if (++to->calls == to->fail_at) {
        g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "the journal broke");
        return FALSE;
    }
    record_struct(to->text, table, object);
    g_string_append_c(to->text, '\n');
    return TRUE;
}

static inline void record_brought_by(void *self, const struct mail_auth *auth)
{
    record_call(self, &wire_mail_auth, auth, NULL);
}

static inline gboolean record_begin(void *self, const struct report_head *head, GError **error)
{
    return record_call(self, &wire_report_head, head, error);
}

static inline gboolean record_record(void *self, const struct report_record *record, GError **error)
{
    ((struct recorder *)self)->records++;
    return record_call(self, &wire_report_record, record, error);
}

static inline gboolean record_end(void *self, const struct report_tail *tail, GError **error)
{
    return record_call(self, &wire_report_tail, tail, error);
}

static inline void record_abandon(void *self)
{
    g_string_append(((struct recorder *)self)->text, " abandon\n");
}

static inline gboolean record_tls_begin(void *self, const struct tls_head *head, GError **error)
{
    return record_call(self, &wire_tls_head, head, error);
}

static inline gboolean record_tls_policy(void *self, const struct tls_policy *policy, GError **error)
{
    return record_call(self, &wire_tls_policy, policy, error);
}

static inline gboolean record_tls_failure(void *self, const struct tls_failure *failure, GError **error)
{
    return record_call(self, &wire_tls_failure, failure, error);
}

static inline gboolean record_tls_end(void *self, guint n, const struct report_warning *warnings,
                                      GError **error)
{
    const struct wire_tls_end end = {n, warnings};
    return record_call(self, &wire_tls_end_table, &end, error);
}

static inline gboolean record_failure(void *self, const struct failure_report *report, GError **error)
{
    return record_call(self, &wire_failure_report, report, error);
}

static inline gboolean record_document(void *self, const struct ledger_document *document, GError **error)
{
    return record_call(self, &wire_ledger_document, document, error);
}

static inline void record_drop(void *self)
{
    g_string_append(((struct recorder *)self)->text, " drop\n");
}

static inline void record_warn(void *self, guint first, const char *code)
{
    const struct wire_warn warn = {first, code};
    record_call(self, &wire_warn_table, &warn, NULL);
}

static inline gboolean record_mail_end(void *self, const struct mail_end *end, GError **error)
{
    return record_call(self, &wire_mail_end, end, error);
}

/* Not to be moved; the text is the caller's to free. */
static inline void recorder_init(struct recorder *to)
{
    *to = (struct recorder){.text = g_string_new(NULL)};
    to->reports = (struct report_sink){record_begin, record_record, record_end, record_abandon, to};
    to->tls = (struct tls_sink){record_tls_begin, record_tls_policy, record_tls_failure, record_tls_end, to};
    to->journal = (struct journal){.brought_by = record_brought_by,
                                   .reports = &to->reports,
                                   .tls = &to->tls,
                                   .failure = record_failure,
                                   .document = record_document,
                                   .drop_reports = record_drop,
                                   .warn = record_warn,
                                   .end = record_mail_end,
                                   .self = to};
}
