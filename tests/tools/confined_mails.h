/* All that a mail holds, as lines: its head, then each document with its kind, size and hash, and what the
 * parser of its kind makes of it. */
#pragma once

#include "ingest/failure_mail.h"
#include "ingest/message.h"
#include "ingest/unpack.h"
#include "parser/sha256.h"
#include "parser/tls.h"

#include <string.h>
#include <unistd.h>

struct reading {
    struct aggregate_parser *parser;
    guint64 budget;
    GString *out;
    guint most_scratch;
    const struct message_part *part; /* that is unpacked */
    gboolean packed;                 /* it is an archive */
    struct sha256 *sum;              /* of the document that is read */
    guint64 size;
    struct byte_reader inner;
};

static gboolean on_begin(void *self, const struct report_head *head, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, "  report %s / %s / %s / %" G_GINT64_FORMAT "\n",
                           head->org_name, head->report_id, head->domain, head->begin);
    return TRUE;
}

static gboolean on_record(void *self, const struct report_record *record, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, "  record %" G_GINT64_FORMAT " %s %d%d\n",
                           record->message_count, record->header_from, record->dkim_aligned,
                           record->spf_aligned);
    return TRUE;
}

static gboolean on_end(void *self, const struct report_tail *tail, GError **error G_GNUC_UNUSED)
{
    for (guint i = 0; i < tail->n_warnings; i++)
        g_string_append_printf(((struct reading *)self)->out, "  warning %s %u\n", tail->warnings[i].code,
                               tail->warnings[i].count);
    return TRUE;
}

static void on_abandon(void *self)
{
    g_string_append(((struct reading *)self)->out, "  abandoned\n");
}

static gboolean on_tls_begin(void *self, const struct tls_head *head, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, "  TLS report %s / %s\n", head->reporter,
                           head->domain);
    return TRUE;
}

static gboolean on_tls_policy(void *self, const struct tls_policy *policy, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, "  policy %s %" G_GINT64_FORMAT "\n", policy->type,
                           policy->successes);
    return TRUE;
}

static gboolean on_tls_failure(void *self, const struct tls_failure *failure, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, "  failure %s %" G_GINT64_FORMAT "\n",
                           failure->result_type, failure->sessions);
    return TRUE;
}

static gboolean on_tls_end(void *self G_GNUC_UNUSED, guint n G_GNUC_UNUSED,
                           const struct report_warning *warnings G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gssize read_counted(void *self, void *buf, gsize n, GError **error)
{
    struct reading *reading = self;
    gssize got = reading->inner.read(reading->inner.self, buf, n, error);
    if (got > 0) {
        sha256_add(reading->sum, buf, (gsize)got);
        reading->size += (guint64)got;
    }
    return got;
}

/* A failure report is its text: enough to see that no byte of it is lost. */
static enum parse_status parse_failure(struct byte_reader reader, GString *out, GError **error)
{
    char text[65536];
    gsize have = 0;
    gssize got;
    while (have < sizeof text && (got = reader.read(reader.self, text + have, sizeof text - have, error)) > 0)
        have += (gsize)got;
    struct failure failure = {0};
    struct parse_outcome outcome = {0};
    const struct failure_source source = {.text = text, .length = have, .decode = message_decode_text};
    enum parse_status status = failure_parse(&source, &limits_default, &failure, &outcome);
    g_string_append_printf(out, "  failure report %s %s\n",
                           status == PARSE_OK ? failure.report.domain : outcome.code,
                           failure.report.subject ? failure.report.subject : "");
    parse_outcome_clear(&outcome);
    failure_clear(&failure);
    return status;
}

static gboolean on_part(void *self, const struct message_part *part, GError **error);
static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error);

/* A mail in an archive. */
static gboolean on_packed_mail(struct reading *reading, const struct unpacked *document, GError **error)
{
    char buf[16384];
    gssize got;
    struct spool *spool = spool_new(limits_default.message_size, "message_size");
    while ((got = document->reader.read(document->reader.self, buf, sizeof buf, error)) > 0 &&
           spool_add(spool, buf, (gsize)got, error))
        ;
    struct blob *mail = spool_finish(spool, NULL);
    gboolean ok = got == 0 && message_walk_inner(mail, reading->part, document->label, &limits_default,
                                                 on_part, on_refusal, reading, error);
    blob_unref(mail);
    return ok;
}

static gboolean on_document(void *self, const struct unpacked *document, GError **error)
{
    struct reading *reading = self;
    if (document->kind == CONTENT_MAIL && reading->packed)
        return on_packed_mail(reading, document, error);
    const struct report_hints hints = {.file_name = document->name};
    const struct report_sink sink = {on_begin, on_record, on_end, on_abandon, reading};
    const struct tls_sink tls = {on_tls_begin, on_tls_policy, on_tls_failure, on_tls_end, reading};
    const struct byte_reader reader = {read_counted, reading};
    struct parse_outcome outcome = {0};
    g_autoptr(GError) failure = NULL;
    guint8 digest[SHA256_BYTES], rest[4096];
    reading->inner = document->reader;
    reading->sum = sha256_new();
    reading->size = 0;
    reading->most_scratch = MAX(reading->most_scratch, blob_scratch_in_use());
    if (document->kind == CONTENT_JSON)
        tls_parse(reader, &limits_default, &hints, &tls, &outcome, &failure);
    else if (document->kind == CONTENT_XML)
        aggregate_parse(reading->parser, reader, &hints, &sink, &outcome, &failure);
    else if (document->kind == CONTENT_FEEDBACK)
        parse_failure(reader, reading->out, &failure);
    while (!failure && reader.read(reader.self, rest, sizeof rest, &failure) > 0)
        ;
    sha256_take(reading->sum, digest);
    sha256_free(reading->sum);
    g_string_append_printf(reading->out,
                           " %s: kind %d, %" G_GUINT64_FORMAT " bytes %02x%02x%02x%02x %s %s %s\n",
                           document->label, (int)document->kind, reading->size, digest[0], digest[1],
                           digest[2], digest[3], outcome.code ? outcome.code : "",
                           outcome.detail ? outcome.detail : "", failure ? failure->message : "");
    parse_outcome_clear(&outcome);
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct reading *)self)->out, " %s: %s, %s\n", label, code, detail);
    return TRUE;
}

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct reading *reading = self;
    const struct message_part *around = reading->part;
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(part->content, 0, start, sizeof start, NULL);
    enum content_kind kind = content_sniff(start, (gsize)MAX(got, 0), NULL);
    gboolean packed = reading->packed;
    reading->part = part;
    reading->packed = kind == CONTENT_GZIP || kind == CONTENT_ZIP;
    gboolean ok = unpack_walk(part->content, part->label, part->file_name, &limits_default, &reading->budget,
                              on_document, on_refusal, reading, error);
    reading->part = around;
    reading->packed = packed;
    return ok;
}

/* Takes the descriptor. Small mails are read into memory, as they are when they come over a socket. */
static struct blob *mail_of(int fd, GError **error)
{
    off_t size = lseek(fd, 0, SEEK_END);
    struct blob *blob = NULL;
    if (size > 1024 * 1024) {
        blob = blob_new_fd(fd, 0, (guint64)size, error);
    } else {
        guint8 *data = g_malloc((gsize)MAX(size, 0) + 1);
        ssize_t got = pread(fd, data, (gsize)MAX(size, 0), 0);
        g_autoptr(GBytes) bytes = g_bytes_new_take(data, (gsize)MAX(got, 0));
        blob = blob_new_bytes(bytes);
    }
    close(fd);
    return blob;
}

static char *read_mail(const struct domain_list *suffixes, int fd)
{
    struct aggregate_parser *parser = aggregate_parser_new(&limits_default, suffixes);
    struct reading reading = {
        .parser = parser, .budget = limits_default.unpacked_total, .out = g_string_new(NULL)};
    struct message_head head = {0};
    g_autoptr(GError) error = NULL;
    struct blob *mail = mail_of(fd, &error);
    guint8 digest[SHA256_BYTES];
    if (mail && blob_sha256(mail, digest, &error))
        message_walk(mail, &limits_default, &head, on_part, on_refusal, &reading, &error);
    g_string_append_printf(reading.out, " mail %s from %s id %s: %s", head.subject ? head.subject : "",
                           head.from_domain ? head.from_domain : "", head.message_id ? head.message_id : "",
                           error ? error->message : "read");
    if (reading.most_scratch)
        g_string_append_printf(reading.out, "\n scratch %u, then %u", reading.most_scratch,
                               blob_scratch_in_use());
    message_head_clear(&head);
    blob_unref(mail);
    aggregate_parser_free(parser);
    return g_string_free(reading.out, FALSE);
}
