/* The life of a report: records wait until the head is complete, then everything is pushed in order. */
#include "parser/aggregate_int.h"

#include "parser/error.h"

#include <string.h>

/* Memory for records that wait for their head, besides their number. */
enum { HELD_BYTES = 16 * 1024 * 1024 };

void report_open(struct reader *reader, const char *namespace_uri)
{
    reader->state = REPORT_OPEN;
    reader->feedback_seen = TRUE;
    reader->begun = reader->incomplete = reader->in_record = FALSE;
    memset(reader->head_text, 0, sizeof reader->head_text);
    g_free(reader->namespace_uri);
    reader->namespace_uri = g_strdup(namespace_uri);
    reader->head_seen = reader->head_done = 0;
    reader->head_high = 0;
    reader->records_seen = reader->records_out = reader->addresses_out = 0;
    g_string_truncate(reader->head_extensions, 0);
    reader->extension_element = FALSE;
    g_checksum_reset(reader->id);
    g_ptr_array_set_size(reader->head_raw, 0);
    g_ptr_array_set_size(reader->held, 0);
    arena_reset(&reader->head_arena);
    arena_reset(&reader->record_arena);
    warnings_reset(&reader->warnings);
}

void report_abandon(struct reader *reader)
{
    if (reader->begun)
        reader->sink->abandon(reader->sink->self);
    reader->begun = FALSE;
    reader->state = reader->state == REPORT_OPEN ? REPORT_REFUSED : REPORT_NONE;
}

void report_refuse(struct reader *reader, enum code code, const char *format, ...)
{
    if (reader->code == NULL) {
        va_list arguments;
        va_start(arguments, format);
        reader->code = code_rows[code].code;
        reader->detail = g_strdup_vprintf(format, arguments);
        va_end(arguments);
    }
    report_abandon(reader);
}

static gboolean metadata_and_policy_came(const struct reader *reader)
{
    guint both = 1u << NODE_METADATA | 1u << NODE_POLICY;
    return (reader->head_done & both) == both;
}

static gboolean has_text(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Nothing that is still to come can change the head. */
static gboolean head_ready(struct reader *reader, const struct raw_record *record)
{
    return metadata_and_policy_came(reader) && has_text(reader->head_text[HEAD_REPORT_ID]) &&
           (head_names_domain(reader) || record_names_domain(reader, record));
}

/* The first record that can stand in for the policy domain. */
static const struct raw_record *first_with_from(struct reader *reader)
{
    for (guint i = 0; i < reader->held->len; i++) {
        const struct raw_record *record = g_ptr_array_index(reader->held, i);
        if (record_names_domain(reader, record))
            return record;
    }
    return NULL;
}

/* Pushes the head and the records that waited for it. */
static gboolean begin(struct reader *reader)
{
    if (!head_build(reader, first_with_from(reader)))
        return FALSE;
    if (!reader->sink->begin(reader->sink->self, &reader->head, &reader->error))
        return FALSE;
    reader->begun = TRUE;
    for (guint i = 0; i < reader->held->len; i++)
        if (!record_push(reader, g_ptr_array_index(reader->held, i)))
            return FALSE;
    g_ptr_array_set_size(reader->held, 0);
    arena_reset(&reader->record_arena);
    return TRUE;
}

gboolean report_record_open(struct reader *reader)
{
    reader->in_record = TRUE;
    reader->record = (struct raw_record){0};
    reader->cut_from_of = NULL;
    if (++reader->records_seen <= reader->limits->records)
        return TRUE;
    report_refuse(reader, CODE_LIMIT,
                  "the report has more records than allowed (records, %" G_GUINT64_FORMAT ")",
                  reader->limits->records);
    return FALSE;
}

static gboolean hold(struct reader *reader)
{
    struct raw_record *copy = arena_alloc(&reader->record_arena, sizeof *copy);
    *copy = reader->record;
    g_ptr_array_add(reader->held, copy);
    if (head_ready(reader, copy))
        return begin(reader) || reader->error == NULL;
    if (reader->held->len <= reader->limits->head_wait && arena_size(&reader->record_arena) <= HELD_BYTES)
        return TRUE;
    if (metadata_and_policy_came(reader))
        return begin(reader) || reader->error == NULL;
    report_refuse(reader, CODE_LIMIT,
                  "more than head_wait (%u) records come before the policy and the metadata",
                  reader->limits->head_wait);
    return FALSE;
}

gboolean report_record_close(struct reader *reader)
{
    gboolean ok = TRUE;
    reader->in_record = FALSE;
    if (reader->state != REPORT_OPEN)
        return TRUE;
    if (reader->record.damaged)
        warnings_add(&reader->warnings, CODE_DAMAGED_ROW, NULL, NULL);
    else if (reader->begun)
        ok = record_push(reader, &reader->record);
    else
        ok = hold(reader);
    if (reader->held->len == 0)
        arena_reset(&reader->record_arena);
    return ok;
}

/* A repaired report counts only when enough of it was there: its metadata, and a record with an address. */
static gboolean repair_was_worth_it(const struct reader *reader)
{
    return reader->warnings.count[CODE_XML_RECOVER] == 0 ||
           ((reader->head_done & 1u << NODE_METADATA) != 0 && reader->addresses_out > 0);
}

/* All that will come has come. TRUE also when the report had to be refused. */
static gboolean complete(struct reader *reader)
{
    if (!reader->begun && !begin(reader))
        return reader->error == NULL;
    if (reader->records_seen == 0)
        warnings_add(&reader->warnings, CODE_NO_RECORDS, NULL, NULL);
    if (!repair_was_worth_it(reader))
        report_refuse(reader, CODE_XML,
                      "the document is not well-formed, and too little of it could be repaired");
    return TRUE;
}

gboolean report_close(struct reader *reader)
{
    reader->closed++;
    gboolean ok = reader->state != REPORT_OPEN || complete(reader);
    reader->state = reader->state == REPORT_OPEN && ok ? REPORT_CLOSED : REPORT_NONE;
    return ok;
}

gboolean report_break_off(struct reader *reader)
{
    if (reader->state != REPORT_OPEN)
        return TRUE;
    reader->incomplete = TRUE;
    warnings_add(&reader->warnings, CODE_TRUNCATED, NULL, NULL);
    if (reader->records_out == 0 && reader->held->len == 0) {
        report_refuse(reader, CODE_TRUNCATED, "the document breaks off before its first whole record ends");
        reader->state = REPORT_NONE;
        return TRUE;
    }
    return report_close(reader);
}

gboolean report_settle(struct reader *reader)
{
    if (reader->state != REPORT_CLOSED)
        return TRUE;
    if (*reader->lead && reader->reports == 0)
        warnings_add(&reader->warnings, CODE_XML_LEAD, NULL, NULL);
    if (*reader->bad_charset)
        warnings_add(&reader->warnings, CODE_ENCODING, NULL, NULL);
    if (reader->incomplete && reader->warnings.count[CODE_TRUNCATED] == 0)
        warnings_add(&reader->warnings, CODE_TRUNCATED, NULL, NULL);
    struct report_warning rows[CODE_LAST];
    struct report_tail tail = {
        .records_seen = reader->records_seen,
        .incomplete = reader->incomplete,
        .n_warnings = warnings_rows(&reader->warnings, rows),
        .warnings = rows,
    };
    reader->state = REPORT_NONE;
    reader->begun = FALSE;
    if (!reader->sink->end(reader->sink->self, &tail, &reader->error))
        return FALSE;
    reader->reports++;
    return TRUE;
}
