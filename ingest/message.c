#include "ingest/message.h"

#include "ingest/block.h"
#include "ingest/content.h"
#include "ingest/label.h"
#include "ingest/mail_scan.h"
#include "ingest/transfer.h"
#include "parser/domain.h"
#include "parser/error.h"

#include <gmime/gmime.h>
#include <string.h>

#define HEAD_MAX 1000
#define NAME_MAX_BYTES 255
#define CHUNK 16384

struct walk {
    const struct limits *limits;
    message_part_func part;
    message_refusal_func refuse;
    void *self;
    GMimeParserOptions *options;
    guint *leaves;
};

/* One mail, the outer or a nested one. */
struct mail_view {
    struct blob *blob;               /* that windows are cut from */
    guint64 base;                    /* the stream's position of the blob's first byte */
    const char *outer;               /* "part 2 / message / ", or "" */
    guint depth;                     /* mails and multiparts around it */
    gboolean found;                  /* a leaf that may hold a report */
    const struct message_head *head; /* of the mail */
    GMimeMultipart *around;          /* the innermost multipart, or NULL */
    gboolean feedback;               /* in which a feedback report is */
};

/* A leaf before its transfer encoding is undone. */
struct leaf {
    struct blob *raw;
    const char *encoding; /* as the header has it, or NULL */
    const char *number;   /* "part 2.1" */
    char *file_name;      /* owned, or NULL */
    char *media_type;     /* owned, or NULL */
    gboolean declared;    /* by a header field */
    const char *note;
    gboolean final;      /* not to be taken for a mail: it is the mail itself, or what a report is about */
    GMimeObject *object; /* lent, or NULL */
};

/* Where a part is, for message_part_sample. */
struct place {
    struct walk *walk;
    struct mail_view *view;
    GMimeObject *object;
};

static gboolean walk_mail(struct walk *walk, struct blob *mail, const char *outer, guint depth,
                          struct message_head *head_r, gboolean *found_r, GError **error);
static void fill_head(GMimeMessage *message, struct message_head *head);

void message_head_clear(struct message_head *head)
{
    g_free(head->message_id);
    g_free(head->from);
    g_free(head->from_domain);
    g_free(head->subject);
    g_strfreev(head->authres);
    *head = (struct message_head){0};
}

/* Transfer encodings. */

static struct blob *decode_filtered(struct blob *raw, GMimeContentEncoding encoding, guint64 limit,
                                    GError **error)
{
    struct spool *spool = spool_new(limit, "attachment_size");
    GMimeFilter *filter = g_mime_filter_basic_new(encoding, FALSE);
    char in[CHUNK + 64]; /* a filter may write before what it is given */
    char *out;
    size_t n, space;
    gssize got;
    gboolean ok = TRUE;
    for (guint64 at = 0; ok && (got = blob_read(raw, at, in + 64, CHUNK, error)) != 0; at += (guint64)got) {
        if (got < 0) {
            ok = FALSE;
            break;
        }
        g_mime_filter_filter(filter, in + 64, (gsize)got, 64, &out, &n, &space);
        ok = spool_add(spool, out, n, error);
    }
    if (ok) {
        g_mime_filter_complete(filter, in + 64, 0, 64, &out, &n, &space);
        ok = spool_add(spool, out, n, error);
    }
    g_object_unref(filter);
    if (ok)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}

/* Undoes the transfer encoding. NULL with WS_ERROR_LIMIT or when bytes could not be read or written. */
static struct blob *decode(struct leaf *leaf, const struct limits *limits, GError **error)
{
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(leaf->raw, 0, start, sizeof start, error);
    if (got < 0)
        return NULL;
    switch (transfer_true(leaf->encoding, start, (gsize)got, &leaf->note)) {
    case TRANSFER_BASE64:
        return transfer_base64(leaf->raw, limits->attachment_size, error);
    case TRANSFER_QUOTED:
        return decode_filtered(leaf->raw, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE, limits->attachment_size,
                               error);
    case TRANSFER_UU:
        return decode_filtered(leaf->raw, GMIME_CONTENT_ENCODING_UUENCODE, limits->attachment_size, error);
    case TRANSFER_NONE:
        break;
    }
    if (blob_size(leaf->raw) <= limits->attachment_size)
        return blob_ref(leaf->raw);
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT,
                "limit attachment_size: more than %" G_GUINT64_FORMAT " bytes", limits->attachment_size);
    return NULL;
}

/* Leaves. */

static gboolean hand_out(struct walk *walk, struct mail_view *view, struct leaf *leaf, GError **error)
{
    g_autofree char *place = g_strconcat(view->outer, leaf->number, NULL);
    g_autofree char *label = label_join(place, leaf->file_name);
    g_autoptr(GError) failure = NULL;
    if (++*walk->leaves > walk->limits->message_parts) {
        g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit message_parts: more than %u parts",
                    walk->limits->message_parts);
        return FALSE;
    }
    struct blob *content = decode(leaf, walk->limits, &failure);
    if (!content) {
        if (!g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        view->found = TRUE;
        return walk->refuse(walk->self, label, "limit", failure->message, error);
    }
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(content, 0, start, sizeof start, error);
    enum content_kind kind = got < 0 ? CONTENT_OTHER : content_sniff(start, (gsize)got, NULL);
    view->found |= content_is_candidate(kind) || kind == CONTENT_FEEDBACK || view->feedback;
    const struct place around = {walk, view, leaf->object};
    const struct message_part part = {.label = label,
                                      .file_name = leaf->file_name,
                                      .media_type = leaf->media_type,
                                      .declared = leaf->declared,
                                      .note = leaf->note,
                                      .content = content,
                                      .head = view->head,
                                      .beside_feedback = view->feedback,
                                      .place = &around,
                                      .depth = view->depth,
                                      .leaves = walk->leaves};
    gboolean ok = got >= 0 && walk->part(walk->self, &part, error);
    /* A mail that came encoded, or without a media type of its own. */
    if (ok && kind == CONTENT_MAIL && !leaf->final && view->depth < walk->limits->message_depth) {
        g_autofree char *outer = g_strconcat(place, " / message / ", NULL);
        ok = walk_mail(walk, content, outer, view->depth + 1, NULL, &view->found, error);
    }
    blob_unref(content);
    return ok;
}

static void leaf_clear(struct leaf *leaf)
{
    blob_unref(leaf->raw);
    g_free(leaf->file_name);
    g_free(leaf->media_type);
}

/* Of several fields GMime takes the last, and we the first. NULL when there is none. Owned by the caller. */
static GMimeContentType *first_type(GMimeObject *object)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(object);
    for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(headers, i);
        if (g_ascii_strcasecmp(g_mime_header_get_name(header), "Content-Type") == 0)
            return g_mime_content_type_parse(NULL, g_mime_header_get_value(header));
    }
    return NULL;
}

static char *media_type_of(GMimeObject *object)
{
    g_autoptr(GObject) first = (GObject *)first_type(object);
    GMimeContentType *type = first ? (GMimeContentType *)first : g_mime_object_get_content_type(object);
    const char *media = type ? g_mime_content_type_get_media_type(type) : NULL;
    const char *sub = type ? g_mime_content_type_get_media_subtype(type) : NULL;
    if (!media || !sub)
        return NULL;
    g_autofree char *whole = g_strconcat(media, "/", sub, NULL);
    g_autofree char *lower = g_ascii_strdown(whole, -1);
    return label_safe(lower, -1, NAME_MAX_BYTES);
}

static gboolean is_declared(GMimeObject *object)
{
    return g_mime_object_get_header(object, "Content-Type") != NULL;
}

static gboolean has_type(GMimeObject *object, const char *const *types)
{
    g_autofree char *type = media_type_of(object);
    return type && g_strv_contains(types, type);
}

static const char *const feedback_types[] = {"message/feedback-report", NULL};
/* A message or its header, as real reporters call it. */
static const char *const sample_types[] = {
    "text/rfc822-headers", "text/rfc822",    "text/rfc-822",           "text/rfc-822-headers",
    "message/rfc-822",     "message/rfc822", "message/rfc822-headers", NULL};

static struct leaf leaf_of(const struct mail_view *view, GMimePart *part, const char *number)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    const char *name = g_mime_part_get_filename(part);
    guint64 start = 0, end = 0;
    if (stream && stream->bound_start >= (gint64)view->base) {
        start = (guint64)stream->bound_start - view->base;
        end = stream->bound_end < stream->bound_start ? start + blob_size(view->blob)
                                                      : (guint64)stream->bound_end - view->base;
    }
    gboolean sample = view->feedback && has_type((GMimeObject *)part, sample_types);
    return (struct leaf){.raw = blob_slice(view->blob, start, end - start),
                         .encoding =
                             g_mime_object_get_header((GMimeObject *)part, "Content-Transfer-Encoding"),
                         .number = number,
                         .file_name = name && *name && !sample ? label_safe(name, -1, NAME_MAX_BYTES) : NULL,
                         .media_type = media_type_of((GMimeObject *)part),
                         .declared = is_declared((GMimeObject *)part),
                         .final = view->feedback,
                         .object = (GMimeObject *)part};
}

static gboolean walk_part(struct walk *walk, struct mail_view *view, GMimePart *part, const char *number,
                          GError **error)
{
    struct leaf leaf = leaf_of(view, part, number);
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

/* What failure reports are about. */

static GBytes *header_of(GMimeMessage *message, gsize most)
{
    GMimeHeaderList *fields = g_mime_object_get_header_list((GMimeObject *)message);
    int count = g_mime_header_list_get_count(fields);
    GString *text = g_string_new(NULL);
    for (int i = 0; i < count && text->len < most; i++) {
        GMimeHeader *field = g_mime_header_list_get_header_at(fields, i);
        const char *value = g_mime_header_get_raw_value(field);
        gsize n = value ? strlen(value) : 0;
        while (n && (value[n - 1] == '\n' || value[n - 1] == '\r'))
            n--;
        g_string_append_printf(text, "%s:%.*s\n", g_mime_header_get_name(field), (int)MIN(n, most),
                               value ? value : "");
    }
    g_string_truncate(text, MIN(text->len, most));
    return g_string_free_to_bytes(text);
}

/* A part that has a message or its header as text. NULL without an error when it has not. */
static GBytes *header_in(const struct place *place, GMimePart *part, gsize most, GError **error)
{
    struct leaf leaf = leaf_of(place->view, part, "");
    g_autoptr(GError) failure = NULL;
    struct blob *content = decode(&leaf, place->walk->limits, &failure);
    GBytes *bytes = NULL;
    leaf_clear(&leaf);
    if (content) {
        gsize n = (gsize)MIN(blob_size(content), most);
        guint8 *text = g_malloc(n + 1);
        gssize got = blob_read(content, 0, text, n, &failure);
        if (got > 0 && content_sniff(text, (gsize)got, NULL) == CONTENT_MAIL)
            bytes = g_bytes_new(text, (gsize)got);
        g_free(text);
        blob_unref(content);
    }
    if (failure && !g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT))
        g_propagate_error(error, g_steal_pointer(&failure));
    return bytes;
}

GBytes *message_part_sample(const struct message_part *part, gsize most, GError **error)
{
    const struct place *place = part->place;
    GMimeMultipart *around = place ? place->view->around : NULL;
    int count = around ? g_mime_multipart_get_count(around) : 0;
    for (int i = 0; i < count; i++) {
        GMimeObject *object = g_mime_multipart_get_part(around, i);
        GMimeMessage *message = GMIME_IS_MESSAGE_PART(object)
                                    ? g_mime_message_part_get_message((GMimeMessagePart *)object)
                                    : NULL;
        if (message)
            return header_of(message, most);
    }
    static const char *const plain[] = {"text/plain", NULL};
    for (guint round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++) {
            GMimeObject *object = g_mime_multipart_get_part(around, i);
            if (object == place->object || !GMIME_IS_PART(object) ||
                !has_type(object, round ? plain : sample_types))
                continue;
            GBytes *bytes = header_in(place, (GMimePart *)object, most, error);
            if (bytes || (error && *error))
                return bytes;
        }
    }
    return NULL;
}

/* Text in front of or behind the parts of a multipart: only looked at when it can be a report, or when there
 * is no part. */
static gboolean walk_face(struct walk *walk, struct mail_view *view, GMimeObject *multipart, const char *face,
                          const char *number, gboolean alone, GError **error)
{
    if (!face && !alone)
        return TRUE;
    gsize n = face ? strlen(face) : 0;
    enum content_kind kind = content_sniff((const guint8 *)(face ? face : ""), n, NULL);
    if (!alone && !content_is_candidate(kind) &&
        !transfer_is_hidden((const guint8 *)face, MIN(n, CONTENT_SNIFF)))
        return TRUE;
    g_autoptr(GBytes) bytes = g_bytes_new(face, n);
    struct leaf leaf = {.raw = blob_new_bytes(bytes),
                        .encoding =
                            alone ? g_mime_object_get_header(multipart, "Content-Transfer-Encoding") : NULL,
                        .number = number,
                        .media_type = alone ? media_type_of(multipart) : NULL,
                        .declared = alone && is_declared(multipart),
                        .note = "mime"};
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

static gboolean walk_object(struct walk *walk, struct mail_view *view, GMimeObject *object,
                            const char *number, GError **error);

static gboolean walk_multipart(struct walk *walk, struct mail_view *view, GMimeMultipart *multipart,
                               const char *number, GError **error)
{
    int count = g_mime_multipart_get_count(multipart);
    GMimeMultipart *around = view->around;
    gboolean feedback = view->feedback, ok = TRUE;
    view->around = multipart;
    view->feedback = FALSE;
    for (int i = 0; i < count; i++)
        view->feedback |= has_type(g_mime_multipart_get_part(multipart, i), feedback_types);
    g_autofree char *before = g_strconcat(*number ? number : "part 0", count ? " (preamble)" : "", NULL);
    g_autofree char *after = g_strconcat(*number ? number : "part 0", " (epilogue)", NULL);
    ok = walk_face(walk, view, (GMimeObject *)multipart, g_mime_multipart_get_prologue(multipart), before,
                   count == 0, error);
    for (int i = 0; ok && i < count; i++) {
        g_autofree char *child =
            *number ? g_strdup_printf("%s.%d", number, i + 1) : g_strdup_printf("part %d", i + 1);
        ok = walk_object(walk, view, g_mime_multipart_get_part(multipart, i), child, error);
    }
    ok = ok && walk_face(walk, view, (GMimeObject *)multipart, g_mime_multipart_get_epilogue(multipart),
                         after, FALSE, error);
    view->around = around;
    view->feedback = feedback;
    return ok;
}

/* A message inside of this one. What a report is about is not looked into. */
static gboolean walk_message(struct walk *walk, struct mail_view *view, GMimeMessagePart *part,
                             const char *number, GError **error)
{
    GMimeMessage *message = g_mime_message_part_get_message(part);
    GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
    struct message_head head = {0};
    struct mail_view outer = *view;
    g_autofree char *inner = g_strconcat(outer.outer, number, " / message / ", NULL);
    if (view->feedback)
        return TRUE;
    if (message)
        fill_head(message, &head);
    view->outer = inner;
    view->head = &head;
    view->around = NULL;
    gboolean ok = body ? walk_object(walk, view, body, "", error)
                       : walk_face(walk, view, (GMimeObject *)part, NULL, "part 1", TRUE, error);
    view->outer = outer.outer;
    view->head = outer.head;
    view->around = outer.around;
    message_head_clear(&head);
    return ok;
}

/* `number` is "" for the body of a mail itself. */
static gboolean walk_object(struct walk *walk, struct mail_view *view, GMimeObject *object,
                            const char *number, GError **error)
{
    if (view->depth >= walk->limits->message_depth) {
        g_autofree char *label = g_strconcat(view->outer, *number ? number : "part 1", NULL);
        g_autofree char *detail = g_strdup_printf(
            "limit message_depth: more than %u parts inside of each other", walk->limits->message_depth);
        return walk->refuse(walk->self, label, "limit", detail, error);
    }
    gboolean ok = TRUE;
    view->depth++;
    if (GMIME_IS_MULTIPART(object)) {
        ok = walk_multipart(walk, view, (GMimeMultipart *)object, number, error);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        ok = walk_message(walk, view, (GMimeMessagePart *)object, *number ? number : "part 1", error);
    } else if (GMIME_IS_PART(object)) {
        ok = walk_part(walk, view, (GMimePart *)object, *number ? number : "part 1", error);
    }
    view->depth--;
    return ok;
}

/* What is found by looking at lines, when MIME led to nothing. */

struct rescue {
    struct walk *walk;
    struct mail_view *view;
};

static gboolean on_block(void *self, struct blob *raw, gboolean packed, GError **error)
{
    struct rescue *rescue = self;
    struct leaf leaf = {.raw = raw,
                        .encoding = packed ? "base64" : NULL,
                        .number = packed ? "base64 in the text" : "XML in the text",
                        .note = "mime"};
    gboolean ok = hand_out(rescue->walk, rescue->view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

/* Headers. */

static char *head_text(const char *text)
{
    return text && *text ? label_safe(text, -1, HEAD_MAX) : NULL;
}

static void fill_head(GMimeMessage *message, struct message_head *head)
{
    GDateTime *date = g_mime_message_get_date(message);
    InternetAddressList *from = g_mime_message_get_from(message);
    head->message_id = head_text(g_mime_message_get_message_id(message));
    head->subject = head_text(g_mime_message_get_subject(message));
    head->from = head_text(g_mime_object_get_header((GMimeObject *)message, "From"));
    head->date = date ? g_date_time_to_unix(date) : 0;
    int count = from ? internet_address_list_length(from) : 0;
    for (int i = 0; i < count && !head->from_domain; i++) {
        InternetAddress *address = internet_address_list_get_address(from, i);
        if (!INTERNET_ADDRESS_IS_MAILBOX(address))
            continue;
        const char *addr = internet_address_mailbox_get_addr((InternetAddressMailbox *)address);
        const char *at = addr ? strrchr(addr, '@') : NULL;
        if (!at || !at[1])
            continue;
        gboolean good = FALSE;
        g_autofree char *domain = domain_normalise(at, &good);
        if (good)
            head->from_domain = head_text(domain);
    }
}

/* One mail through GMime. */

static GMimeMessage *parse(struct walk *walk, GMimeStream *stream)
{
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_persist_stream(parser, TRUE);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, walk->options);
    g_object_unref(parser);
    return message;
}

/* A stream over memory that somebody else owns: *array_r is to be stolen from and freed when the stream is
 * gone. */
static GMimeStream *stream_over(const char *data, gsize n, GByteArray **array_r)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    *array_r = g_byte_array_new_take((guint8 *)(gpointer)data, n);
    g_mime_stream_mem_set_byte_array((GMimeStreamMem *)stream, *array_r);
    g_mime_stream_mem_set_owner((GMimeStreamMem *)stream, FALSE);
    return stream;
}

/* The fields of use and the body: of a mail in memory, since GMime spends most of its time on headers, and of
 * any mail with a header that it might stumble on. NULL with an error. */
static struct blob *slim(struct blob *mail, const struct mail_scan *scan, GError **error)
{
    struct spool *spool = spool_new(G_MAXUINT64, "message_size");
    gboolean ok = spool_add(spool, scan->head->str, scan->head->len, error);
    GBytes *memory = blob_bytes(mail);
    if (memory) {
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(memory, &size);
        ok = ok && spool_add(spool, data + scan->body, size - (gsize)scan->body, error);
    } else {
        guint8 buf[CHUNK];
        gssize got = 0;
        for (guint64 at = scan->body; ok && (got = blob_read(mail, at, buf, sizeof buf, error)) > 0;
             at += (guint64)got)
            ok = spool_add(spool, buf, (gsize)got, error);
        ok = ok && got == 0;
    }
    if (ok)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}

/* What a mail is parsed from; all of it is freed together, after the message. */
struct input {
    GMimeStream *stream;
    GByteArray *array; /* lends its bytes from head or view */
    struct blob *view; /* what windows are cut from */
    guint64 base;
};

static gboolean input_open(struct input *input, struct blob *mail, const struct mail_scan *scan,
                           GError **error)
{
    *input = (struct input){0};
    if (!scan->walkable) {
        input->stream = stream_over(scan->head->str, scan->head->len, &input->array);
        input->view = blob_ref(mail);
        return TRUE;
    }
    gboolean as_it_is = !blob_bytes(mail) && !scan->odd;
    input->view = as_it_is ? blob_ref(mail) : slim(mail, scan, error);
    if (!input->view)
        return FALSE;
    GBytes *memory = blob_bytes(input->view);
    if (memory) {
        gsize n = 0;
        const char *data = g_bytes_get_data(memory, &n);
        input->stream = stream_over(data, n, &input->array);
    } else {
        int fd = blob_fd(input->view, &input->base);
        guint64 start = input->base + (as_it_is ? scan->header : 0);
        guint64 end = input->base + blob_size(input->view);
        input->stream = g_mime_stream_fs_new_with_bounds(fd, (gint64)start, (gint64)end);
        g_mime_stream_fs_set_owner((GMimeStreamFs *)input->stream, FALSE);
    }
    return TRUE;
}

static void input_close(struct input *input)
{
    g_object_unref(input->stream);
    if (input->array) {
        g_byte_array_steal(input->array, NULL);
        g_byte_array_unref(input->array);
    }
    blob_unref(input->view);
}

/* A body that GMime is not to see, or that has no header: one leaf. */
static gboolean walk_whole(struct walk *walk, struct mail_view *view, const struct mail_scan *scan,
                           GMimeObject *object, GError **error)
{
    struct leaf leaf = {.raw = blob_slice(view->blob, scan->body, blob_size(view->blob)),
                        .encoding =
                            object ? g_mime_object_get_header(object, "Content-Transfer-Encoding") : NULL,
                        .number = "part 1",
                        .media_type = object ? media_type_of(object) : NULL,
                        .declared = object && is_declared(object),
                        .note = "mime",
                        .final = scan->body == scan->header};
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

static gboolean walk_scanned(struct walk *walk, struct blob *mail, const struct mail_scan *scan,
                             struct mail_view *view, struct message_head *head_r, GError **error)
{
    struct input input;
    if (!input_open(&input, mail, scan, error))
        return FALSE;
    view->blob = input.view;
    view->base = input.base;
    GMimeMessage *message = parse(walk, input.stream);
    GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
    if (message)
        fill_head(message, head_r);
    g_ptr_array_add(scan->authres, NULL);
    head_r->authres = g_strdupv((char **)scan->authres->pdata);
    gboolean ok = scan->walkable && body ? walk_object(walk, view, body, "", error)
                                         : walk_whole(walk, view, scan, body, error);
    g_clear_object(&message);
    input_close(&input);
    return ok;
}

static gboolean walk_mail(struct walk *walk, struct blob *mail, const char *outer, guint depth,
                          struct message_head *head_r, gboolean *found_r, GError **error)
{
    struct mail_scan scan;
    struct message_head own = {0};
    struct mail_view view = {.outer = outer, .depth = depth, .head = head_r ? head_r : &own};
    g_autoptr(GError) failure = NULL;
    gboolean ok = mail_scan(mail, walk->limits, &scan, &failure);
    if (ok) {
        ok = walk_scanned(walk, mail, &scan, &view, head_r ? head_r : &own, error);
        if (ok && !view.found)
            ok = block_search(mail, scan.header, on_block, &(struct rescue){walk, &view}, error);
    } else if (!head_r && g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT)) {
        /* A nested mail over a limit costs itself, not the mail around it. */
        g_autofree char *label = g_strconcat(outer, "header", NULL);
        view.found = TRUE;
        ok = walk->refuse(walk->self, label, "limit", failure->message, error);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    *found_r |= view.found;
    message_head_clear(&own);
    mail_scan_clear(&scan);
    return ok;
}

static gpointer set_up(gpointer unused)
{
    (void)unused;
    static const char *charsets[] = {"utf-8", "windows-1252", NULL};
    g_mime_init();
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, charsets);
    return options;
}

static GMimeParserOptions *options(void)
{
    static GOnce once = G_ONCE_INIT;
    return g_once(&once, set_up, NULL);
}

/* FALSE with an error: the limit. */
static gboolean check_size(struct blob *mail, const struct limits *limits, GError **error)
{
    if (blob_size(mail) <= limits->message_size)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit message_size: more than %" G_GUINT64_FORMAT " bytes",
                limits->message_size);
    return FALSE;
}

char *message_decode_text(const char *text)
{
    return g_mime_utils_header_decode_text(options(), text);
}

gboolean message_walk(struct blob *mail, const struct limits *limits, struct message_head *head_r,
                      message_part_func part, message_refusal_func refuse, void *self, GError **error)
{
    guint leaves = 0;
    struct walk walk = {.limits = limits,
                        .part = part,
                        .refuse = refuse,
                        .self = self,
                        .options = options(),
                        .leaves = &leaves};
    gboolean found = FALSE;
    *head_r = (struct message_head){0};
    return check_size(mail, limits, error) && walk_mail(&walk, mail, "", 0, head_r, &found, error);
}

gboolean message_walk_inner(struct blob *mail, const struct message_part *around, const char *label,
                            const struct limits *limits, message_part_func part, message_refusal_func refuse,
                            void *self, GError **error)
{
    struct walk walk = {.limits = limits,
                        .part = part,
                        .refuse = refuse,
                        .self = self,
                        .options = options(),
                        .leaves = around->leaves};
    gboolean found = FALSE;
    g_autofree char *outer = g_strconcat(label, " / message / ", NULL);
    g_autoptr(GError) failure = NULL;
    if (!check_size(mail, limits, &failure))
        return refuse(self, label, "limit", failure->message, error);
    return walk_mail(&walk, mail, outer, around->depth + 1, NULL, &found, error);
}
