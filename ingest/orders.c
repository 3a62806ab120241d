#include "ingest/orders.h"

#include "ingest/wire_fields.h"
#include "parser/error.h"

#include <stddef.h>
#include <string.h>

#define HEAD_MOST (1024 * 1024)          /* of an order without the bytes of the mail */
#define INLINE_MOST (256 * 1024 * 1024L) /* bytes of a mail in memory */
#define LIST_MOST 10000

enum order { ORDER_SETTINGS = 1, ORDER_MAIL };

struct settings_order {
    struct limits limits;
    gint64 now;
    int keep_subject;
    gboolean trusts, has_ids;
    raw_words ids;
};

#define AT(type, member)                                                                                     \
    .name = #member, .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)

static const struct wire_field settings_fields[] = {
    {AT(settings_order, limits), .kind = FIELD_RAW},
    {AT(settings_order, now), .kind = FIELD_LONG, .least = G_MININT64, .most = G_MAXINT64},
    {AT(settings_order, keep_subject), .kind = FIELD_INT, .least = SUBJECT_HASHED, .most = SUBJECT_DROPPED},
    {AT(settings_order, trusts), .kind = FIELD_BOOL},
    {AT(settings_order, has_ids), .kind = FIELD_BOOL},
    {AT(settings_order, ids), .kind = FIELD_LIST, .list = BOUND_RAW_LIST, .bound = BOUND_TEXT},
};
static const struct wire_table settings_table = {"settings", sizeof(struct settings_order), settings_fields,
                                                 G_N_ELEMENTS(settings_fields)};

static const struct wire_field mail_fields[] = {
    {AT(orders_mail, name), .kind = FIELD_BYTES, .bound = BOUND_TEXT},
    {AT(orders_mail, may_be_bare), .kind = FIELD_BOOL},
    {AT(orders_mail, in_file), .kind = FIELD_BOOL},
    {AT(orders_mail, offset), .kind = FIELD_LONG, .least = 0, .most = G_MAXINT64},
    {AT(orders_mail, size), .kind = FIELD_LONG, .least = 0, .most = G_MAXINT64},
};
static const struct wire_table mail_table = {"mail", sizeof(struct orders_mail), mail_fields,
                                             G_N_ELEMENTS(mail_fields)};

static void add(GByteArray *out, enum order kind, const struct wire_table *table, const void *object)
{
    struct wire_out frame = {0};
    gsize begin = wire_frame_begin(&frame);
    wire_put(&frame, table, object); /* it has no words that could be unknown */
    wire_frame_end(&frame, begin, kind);
    g_byte_array_append(out, frame.data, (guint)frame.length);
    wire_out_clear(&frame);
}

void orders_add_settings(GByteArray *out, const struct run_settings *settings)
{
    const struct trust_rules *trust = settings->writer->trust;
    const struct settings_order order = {.limits = *settings->limits,
                                         .now = settings->now,
                                         .keep_subject = (int)settings->keep_subject,
                                         .trusts = trust != NULL,
                                         .has_ids = trust && trust->authserv_ids,
                                         .ids = trust ? (raw_words)trust->authserv_ids : NULL};
    add(out, ORDER_SETTINGS, &settings_table, &order);
}

int orders_add_mail(GByteArray *out, const struct mail *mail)
{
    guint64 offset = 0;
    GBytes *bytes = blob_bytes(mail->body);
    const int fd = bytes ? -1 : blob_fd(mail->body, &offset);
    const struct orders_mail order = {.name = mail->name,
                                      .may_be_bare = mail->may_be_bare,
                                      .in_file = !bytes,
                                      .offset = offset,
                                      .size = blob_size(mail->body)};
    add(out, ORDER_MAIL, &mail_table, &order);
    if (bytes)
        g_byte_array_append(out, g_bytes_get_data(bytes, NULL), (guint)g_bytes_get_size(bytes));
    return fd;
}

void orders_settings_clear(struct orders_settings *settings)
{
    aggregate_parser_free(settings->run.parser);
    g_strfreev(settings->trust.authserv_ids);
    *settings = (struct orders_settings){0};
}

static void keep_settings(struct orders_settings *settings, const struct settings_order *order,
                          const struct domain_list *suffixes)
{
    orders_settings_clear(settings);
    settings->limits = order->limits;
    settings->writer = writer_defaults;
    if (order->has_ids)
        settings->trust.authserv_ids = g_strdupv((char **)(gpointer)order->ids);
    settings->writer.trust = order->trusts ? &settings->trust : NULL;
    settings->writer.suffixes = suffixes;
    settings->run = (struct run_settings){.limits = &settings->limits,
                                          .writer = &settings->writer,
                                          .suffixes = suffixes,
                                          .parser = aggregate_parser_new(&settings->limits, suffixes),
                                          .now = order->now,
                                          .keep_subject = (enum keep_subject)order->keep_subject};
}

static gboolean broken(GError **error, const char *words)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "the order to a worker is broken: %s", words);
    return FALSE;
}

static gboolean get(struct wire_in *in, const struct wire_table *table, void *object, GError **error)
{
    if (!wire_get(in, table, object))
        return broken(error, in->bad);
    return in->at == in->end || broken(error, "more bytes than fields");
}

static enum orders_status take(const struct wire_head *head, const guint8 *bytes, gsize n, gsize *used_r,
                               struct orders_settings *settings, const struct domain_list *suffixes,
                               struct orders_mail *mail_r, GError **error)
{
    static const gsize bounds[BOUND_LAST] = {[BOUND_TEXT] = HEAD_MOST, [BOUND_RAW_LIST] = LIST_MOST};
    struct arena arena = {0};
    struct wire_in in = {.at = bytes, .end = bytes + head->length, .arena = &arena, .bounds = bounds};
    struct settings_order order;
    enum orders_status status = ORDERS_BROKEN;
    if (head->kind == ORDER_SETTINGS && get(&in, &settings_table, &order, error)) {
        keep_settings(settings, &order, suffixes);
        status = ORDERS_SETTINGS;
    } else if (head->kind == ORDER_MAIL && get(&in, &mail_table, mail_r, error)) {
        gsize size = mail_r->in_file ? 0 : mail_r->size;
        mail_r->bytes = in.end;
        if (!settings->run.limits || size > INLINE_MOST)
            broken(error, size > INLINE_MOST ? "the mail is too large" : "a mail before the settings");
        else
            status = n - head->length < size ? ORDERS_MORE : ORDERS_MAIL;
        *used_r += size;
    } else if (head->kind != ORDER_SETTINGS && head->kind != ORDER_MAIL) {
        broken(error, "of an unknown kind");
    }
    *used_r += sizeof *head + head->length;
    arena_clear(&arena);
    return status;
}

enum orders_status orders_take(const guint8 *bytes, gsize n, gsize *used_r, struct orders_settings *settings,
                               const struct domain_list *suffixes, struct orders_mail *mail_r, GError **error)
{
    struct wire_head head;
    enum orders_status status = ORDERS_MORE;
    *used_r = 0;
    if (n < sizeof head)
        return ORDERS_MORE;
    memcpy(&head, bytes, sizeof head);
    if (head.length > HEAD_MOST) {
        broken(error, "longer than it can be");
        return ORDERS_BROKEN;
    }
    if (n - sizeof head >= head.length)
        status = take(&head, bytes + sizeof head, n - sizeof head, used_r, settings, suffixes, mail_r, error);
    if (status == ORDERS_MORE)
        *used_r = 0;
    return status;
}
