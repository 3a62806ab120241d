#include "ingest/wire_check.h"

#include "ingest/label.h"
#include "ingest/wire.h"
#include "parser/error.h"

#include <string.h>

#define KEEP_ROOM (128 * 1024)            /* of the piece of a frame that waits */
#define FRAME_MOST (1024 * 1024 * 1024UL) /* whatever the limits are */

/* Where in the answer we are, as bits of what a frame may follow. */
enum place { PLACE_MAIL = 1, PLACE_REPORT = 2, PLACE_TLS = 4, PLACE_TLS_POLICY = 8 };

struct wire_reader {
    const struct limits *limits;
    const struct domain_list *suffixes;
    gsize bounds[BOUND_LAST], frame_most;
    const struct journal *journal;
    struct arena arena;  /* of one frame */
    struct names *names; /* of a report, mostly */
    GByteArray *piece;   /* of a frame that is not whole */
    enum place place;
    gboolean brought, adkim_strict, aspf_strict;
    struct mail_auth auth;
    guint64 heard;              /* bytes of the answer */
    guint64 records;            /* of the open report */
    guint64 reports, documents; /* reports since the document before */
};

union object {
    struct mail_auth auth;
    struct report_head head;
    struct report_record record;
    struct report_tail tail;
    struct tls_head tls_head;
    struct tls_policy tls_policy;
    struct tls_failure tls_failure;
    struct wire_tls_end tls_end;
    struct failure_report failure;
    struct ledger_document document;
    struct wire_warn warn;
    struct mail_end end;
    struct wire_gave_up gave_up;
};

static enum wire_status lie(GError **error, const char *what, const char *words)
{
    g_set_error(error, WS_ERROR, WS_ERROR_DATA, "the answer of a worker cannot be believed: %s: %s", what,
                words);
    return WIRE_LIE;
}

static enum wire_status more(gboolean ok)
{
    return ok ? WIRE_MORE : WIRE_FAILED;
}

/* ---- frames ---- */

static enum wire_status on_brought_by(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong = reader->brought ? "said twice" : wire_check_auth(&object->auth);
    if (wrong)
        return lie(error, "brought_by", wrong);
    reader->brought = TRUE;
    reader->auth.result = object->auth.result;
    reader->auth.domain = g_strdup(object->auth.domain);
    reader->journal->brought_by(reader->journal->self, &reader->auth);
    return WIRE_MORE;
}

static enum wire_status on_report(struct wire_reader *reader, const union object *object, GError **error)
{
    const struct report_head *head = &object->head;
    const char *wrong = reader->brought ? wire_check_head(head) : "who brought it was not said";
    if (wrong)
        return lie(error, "report", wrong);
    reader->place = PLACE_REPORT;
    reader->records = 0;
    reader->adkim_strict = g_strcmp0(head->adkim, "s") == 0;
    reader->aspf_strict = g_strcmp0(head->aspf, "s") == 0;
    return more(reader->journal->reports->begin(reader->journal->reports->self, head, error));
}

static enum wire_status on_record(struct wire_reader *reader, const union object *object, GError **error)
{
    const struct report_record *record = &object->record;
    const char *wrong =
        ++reader->records > reader->limits->records
            ? "more of them than a report can have"
            : wire_check_record(record, reader->names, reader->adkim_strict, reader->aspf_strict);
    names_forget(reader->names);
    if (wrong)
        return lie(error, "record", wrong);
    return more(reader->journal->reports->record(reader->journal->reports->self, record, error));
}

static enum wire_status on_report_end(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong = wire_check_tail(&object->tail, reader->records, reader->limits);
    if (wrong)
        return lie(error, "end of the report", wrong);
    reader->place = PLACE_MAIL;
    reader->reports++;
    return more(reader->journal->reports->end(reader->journal->reports->self, &object->tail, error));
}

static enum wire_status on_abandon(struct wire_reader *reader, const union object *object G_GNUC_UNUSED,
                                   GError **error G_GNUC_UNUSED)
{
    reader->place = PLACE_MAIL;
    reader->journal->reports->abandon(reader->journal->reports->self);
    return WIRE_MORE;
}

static enum wire_status on_tls(struct wire_reader *reader, const union object *object, GError **error)
{
    const struct tls_head *head = &object->tls_head;
    if (!reader->brought || head->begin > head->end)
        return lie(error, "TLS report",
                   reader->brought ? "it ends before it begins" : "who brought it was not said");
    reader->place = PLACE_TLS;
    return more(reader->journal->tls->begin(reader->journal->tls->self, head, error));
}

static enum wire_status on_tls_policy(struct wire_reader *reader, const union object *object, GError **error)
{
    reader->place = PLACE_TLS_POLICY;
    return more(reader->journal->tls->policy(reader->journal->tls->self, &object->tls_policy, error));
}

static enum wire_status on_tls_failure(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong = wire_check_tls_failure(&object->tls_failure);
    if (wrong)
        return lie(error, "TLS failure", wrong);
    return more(reader->journal->tls->failure(reader->journal->tls->self, &object->tls_failure, error));
}

static enum wire_status on_tls_end(struct wire_reader *reader, const union object *object, GError **error)
{
    const struct wire_tls_end *end = &object->tls_end;
    const char *wrong = wire_check_warnings(end->n_warnings, end->warnings);
    if (wrong)
        return lie(error, "end of the TLS report", wrong);
    reader->place = PLACE_MAIL;
    reader->reports++;
    return more(reader->journal->tls->end(reader->journal->tls->self, end->n_warnings, end->warnings, error));
}

static enum wire_status on_failure(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong =
        reader->brought ? wire_check_failure(&object->failure) : "who brought it was not said";
    if (wrong)
        return lie(error, "failure report", wrong);
    reader->reports++;
    return more(reader->journal->failure(reader->journal->self, &object->failure, error));
}

static enum wire_status on_document(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong = wire_check_document(&object->document, reader->reports);
    if (wrong)
        return lie(error, "document", wrong);
    reader->reports = 0;
    reader->documents++;
    return more(reader->journal->document(reader->journal->self, &object->document, error));
}

static enum wire_status on_drop(struct wire_reader *reader, const union object *object G_GNUC_UNUSED,
                                GError **error G_GNUC_UNUSED)
{
    reader->reports = 0;
    reader->journal->drop_reports(reader->journal->self);
    return WIRE_MORE;
}

static enum wire_status on_warn(struct wire_reader *reader, const union object *object, GError **error)
{
    if (object->warn.first > reader->documents)
        return lie(error, "later warning", "about a document that was not told");
    reader->journal->warn(reader->journal->self, object->warn.first, object->warn.code);
    return WIRE_MORE;
}

static enum wire_status on_end(struct wire_reader *reader, const union object *object, GError **error)
{
    const char *wrong = !reader->brought  ? "who brought it was not said"
                        : reader->reports ? "reports without a document"
                                          : wire_check_end(&object->end, &reader->auth, reader->suffixes);
    if (wrong)
        return lie(error, "end of the mail", wrong);
    return reader->journal->end(reader->journal->self, &object->end, error) ? WIRE_MAIL_END : WIRE_FAILED;
}

static enum wire_status on_gave_up(struct wire_reader *reader G_GNUC_UNUSED, const union object *object,
                                   GError **error)
{
    g_autofree char *safe = label_safe(object->gave_up.message, -1, 1000);
    g_set_error(error, WS_ERROR, object->gave_up.unread ? WS_ERROR_INPUT : WS_ERROR_SYSTEM, "%s", safe);
    return WIRE_GAVE_UP;
}

static const struct {
    const struct wire_table *table;
    guint places;
    enum wire_status (*tell)(struct wire_reader *reader, const union object *object, GError **error);
} frames[FRAME_LAST] = {
    [FRAME_BROUGHT_BY] = {&wire_mail_auth, PLACE_MAIL, on_brought_by},
    [FRAME_REPORT] = {&wire_report_head, PLACE_MAIL, on_report},
    [FRAME_RECORD] = {&wire_report_record, PLACE_REPORT, on_record},
    [FRAME_REPORT_END] = {&wire_report_tail, PLACE_REPORT, on_report_end},
    [FRAME_ABANDON] = {NULL, PLACE_REPORT, on_abandon},
    [FRAME_TLS] = {&wire_tls_head, PLACE_MAIL, on_tls},
    [FRAME_TLS_POLICY] = {&wire_tls_policy, PLACE_TLS | PLACE_TLS_POLICY, on_tls_policy},
    [FRAME_TLS_FAILURE] = {&wire_tls_failure, PLACE_TLS_POLICY, on_tls_failure},
    [FRAME_TLS_END] = {&wire_tls_end_table, PLACE_TLS | PLACE_TLS_POLICY, on_tls_end},
    [FRAME_FAILURE] = {&wire_failure_report, PLACE_MAIL, on_failure},
    [FRAME_DOCUMENT] = {&wire_ledger_document, PLACE_MAIL, on_document},
    [FRAME_DROP] = {NULL, PLACE_MAIL, on_drop},
    [FRAME_WARN] = {&wire_warn_table, PLACE_MAIL, on_warn},
    [FRAME_END] = {&wire_mail_end, PLACE_MAIL, on_end},
    [FRAME_GAVE_UP] = {&wire_gave_up_table, PLACE_MAIL | PLACE_REPORT | PLACE_TLS | PLACE_TLS_POLICY,
                       on_gave_up},
};

/* A record with all the results and reasons it can have, or a TLS policy, each with texts as long as they can
 * be. */
static gsize frame_most(const struct limits *limits)
{
    gsize text = MAX((gsize)limits->text_length, limits->prose_length) + 64;
    gsize most = 512 * 1024 + 256 * text + (gsize)limits->auth_results * (12 * text + 4 * 4096);
    return MIN(most, FRAME_MOST);
}

static const char *head_wrong(const struct wire_head *head, gsize most)
{
    if (!head->kind || head->kind >= FRAME_LAST)
        return "of an unknown kind";
    return head->length > most ? "longer than it can be" : NULL;
}

static enum wire_status tell_frame(struct wire_reader *reader, guint32 kind, const guint8 *bytes, gsize n,
                                   GError **error)
{
    union object object;
    const struct wire_table *table = frames[kind].table;
    struct wire_in in = {.at = bytes, .end = bytes + n, .arena = &reader->arena, .bounds = reader->bounds};
    if (!(frames[kind].places & reader->place))
        return lie(error, table ? table->name : "frame", "out of its place");
    arena_reset(&reader->arena);
    if (table && !wire_get(&in, table, &object)) {
        g_autofree char *what = g_strdup_printf("%s of a %s", in.field, in.table);
        return lie(error, what, in.bad);
    }
    if (in.at != in.end)
        return lie(error, table ? table->name : "frame", "more bytes than it has fields");
    return frames[kind].tell(reader, &object, error);
}

/* ---- bytes ---- */

/* Adds to the piece until it has `wanted` bytes. */
static gboolean fill(GByteArray *piece, gsize wanted, const guint8 **at, const guint8 *end)
{
    gsize take = MIN(wanted - piece->len, (gsize)(end - *at));
    g_byte_array_append(piece, *at, (guint)take);
    *at += take;
    return piece->len == wanted;
}

/* The next frame out of the bytes, or out of a piece that waited for its rest. */
static enum wire_status next_frame(struct wire_reader *reader, const guint8 **at, const guint8 *end,
                                   GError **error)
{
    struct wire_head head;
    GByteArray *piece = reader->piece;
    gsize left = (gsize)(end - *at);
    gboolean waits = piece->len > 0;
    if (waits || left < sizeof head) {
        if (piece->len < sizeof head && !fill(piece, sizeof head, at, end))
            return WIRE_MORE;
        memcpy(&head, piece->data, sizeof head);
    } else {
        memcpy(&head, *at, sizeof head);
    }
    const char *wrong = head_wrong(&head, reader->frame_most);
    if (wrong)
        return lie(error, "frame", wrong);
    gsize whole = sizeof head + head.length;
    if (!waits && left >= whole) {
        const guint8 *frame = *at + sizeof head;
        *at += whole;
        return tell_frame(reader, head.kind, frame, head.length, error);
    }
    if (!fill(piece, whole, at, end))
        return WIRE_MORE;
    enum wire_status status = tell_frame(reader, head.kind, piece->data + sizeof head, head.length, error);
    if (piece->len > KEEP_ROOM) {
        g_byte_array_unref(piece);
        reader->piece = g_byte_array_new();
    } else {
        g_byte_array_set_size(piece, 0);
    }
    return status;
}

/* What is told of a mail is some times as long as what was in it, and a little for each mail. */
static guint64 answer_most(const struct limits *limits)
{
    return 8 * (MIN(limits->unpacked_total, G_MAXINT64 / 32) + MIN(limits->message_size, G_MAXINT64 / 32)) +
           64 * 1024 * 1024;
}

enum wire_status wire_reader_feed(struct wire_reader *reader, const void *bytes, gsize n, gsize *used_r,
                                  GError **error)
{
    const guint8 *at = bytes, *end = at + n;
    enum wire_status status = WIRE_MORE;
    while (at < end && status == WIRE_MORE)
        status = next_frame(reader, &at, end, error);
    *used_r = (gsize)(at - (const guint8 *)bytes);
    reader->heard += *used_r;
    if (status == WIRE_MORE && reader->heard > answer_most(reader->limits))
        return lie(error, "answer", "it is longer than any that a mail can have");
    return status;
}

enum wire_status wire_find_end(const struct limits *limits, const void *bytes, gsize n, gsize *at)
{
    const gsize most = frame_most(limits);
    struct wire_head head;
    while (*at < n && n - *at >= sizeof head) {
        memcpy(&head, (const guint8 *)bytes + *at, sizeof head);
        if (head_wrong(&head, most))
            return WIRE_LIE;
        if (n - *at - sizeof head < head.length)
            return WIRE_MORE;
        *at += sizeof head + head.length;
        if (head.kind == FRAME_END || head.kind == FRAME_GAVE_UP)
            return WIRE_MAIL_END;
    }
    return WIRE_MORE;
}

struct wire_reader *wire_reader_new(const struct limits *limits, const struct domain_list *suffixes)
{
    struct wire_reader *reader = g_new0(struct wire_reader, 1);
    reader->limits = limits;
    reader->suffixes = suffixes;
    reader->frame_most = frame_most(limits);
    wire_bounds(limits, reader->bounds);
    reader->names = names_new(suffixes);
    reader->piece = g_byte_array_new();
    return reader;
}

void wire_reader_free(struct wire_reader *reader)
{
    if (!reader)
        return;
    arena_clear(&reader->arena);
    names_free(reader->names);
    g_byte_array_unref(reader->piece);
    mail_auth_clear(&reader->auth);
    g_free(reader);
}

void wire_reader_begin(struct wire_reader *reader, const struct journal *journal)
{
    mail_auth_clear(&reader->auth);
    g_byte_array_set_size(reader->piece, 0);
    reader->journal = journal;
    reader->place = PLACE_MAIL;
    reader->brought = FALSE;
    reader->heard = reader->records = reader->reports = reader->documents = 0;
}
