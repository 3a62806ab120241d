#include "ingest/message.h"

#include "ingest/base64.h"
#include "ingest/content.h"
#include "ingest/label.h"
#include "ingest/lines.h"
#include "ingest/mail_scan.h"
#include "parser/domain.h"
#include "parser/error.h"

#include <gmime/gmime.h>
#include <string.h>

#define HEAD_MAX 1000
#define NAME_MAX_BYTES 255
#define CHUNK 16384
#define IN_MEMORY (1024 * 1024) /* decoded in one go up to here */
#define BLOCKS_MAX 20           /* base64 blocks that are looked for in a mail without leaves of use */
#define BLOCK_LINE 16           /* a line of a block has at least so many characters, unless it is the last */

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
    struct blob *blob; /* that windows are cut from */
    guint64 base;      /* the stream's position of the blob's first byte */
    const char *outer; /* "part 2 / message / ", or "" */
    guint depth;       /* mails and multiparts around it */
    gboolean found;    /* a leaf that may hold a report */
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
    gboolean final; /* not to be taken for a mail: it is the mail itself */
};

static gboolean walk_mail(struct walk *walk, struct blob *mail, const char *outer, guint depth,
                          struct message_head *head_r, gboolean *found_r, GError **error);

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

enum transfer { TRANSFER_NONE, TRANSFER_BASE64, TRANSFER_QUOTED, TRANSFER_UU };

static enum transfer transfer_of(const char *encoding)
{
    if (!encoding)
        return TRANSFER_NONE;
    while (g_ascii_isspace(*encoding) || *encoding == '"')
        encoding++;
    if (g_ascii_strncasecmp(encoding, "base64", 6) == 0)
        return TRANSFER_BASE64;
    if (g_ascii_strncasecmp(encoding, "quoted-printable", 16) == 0)
        return TRANSFER_QUOTED;
    if (g_ascii_strncasecmp(encoding, "x-uu", 4) == 0 || g_ascii_strncasecmp(encoding, "uu", 2) == 0)
        return TRANSFER_UU;
    return TRANSFER_NONE;
}

/* Whether text that is not declared as base64 is nothing else, and something of use comes out. */
static gboolean is_hidden_base64(const guint8 *start, gsize n)
{
    guint8 out[BASE64_SPACE(CONTENT_SNIFF)];
    struct base64 state = {0};
    for (gsize i = 0; i < n; i++) {
        if (!base64_is_character(start[i]) && !g_ascii_isspace(start[i]) && start[i] != '=')
            return FALSE;
    }
    return content_is_candidate(content_sniff(out, base64_decode(&state, start, n, out), NULL));
}

/* The encoding to undo: what is declared, unless the first bytes prove that it is not so. */
static enum transfer true_transfer(struct leaf *leaf, const guint8 *start, gsize n)
{
    enum transfer declared = transfer_of(leaf->encoding), real = declared;
    enum content_kind kind = content_sniff(start, n, NULL);
    gboolean binary = kind == CONTENT_GZIP || kind == CONTENT_ZIP;
    if (declared == TRANSFER_NONE && kind == CONTENT_OTHER && is_hidden_base64(start, n))
        real = TRANSFER_BASE64;
    else if (declared != TRANSFER_NONE && binary && (start[0] == 0x1f || start[0] == 'P'))
        real = TRANSFER_NONE;
    else if (declared == TRANSFER_BASE64 && kind == CONTENT_XML)
        real = TRANSFER_NONE;
    if (real != declared)
        leaf->note = "cte";
    return real;
}

static struct blob *decode_base64(struct blob *raw, guint64 limit, GError **error)
{
    guint64 size = blob_size(raw);
    struct base64 state = {0};
    GBytes *memory = blob_bytes(raw);
    if (memory && BASE64_SPACE(size) <= MIN(IN_MEMORY, limit)) {
        guint8 *out = g_malloc(BASE64_SPACE(size));
        gsize n = base64_decode(&state, g_bytes_get_data(memory, NULL), (gsize)size, out);
        n += base64_finish(&state, out + n);
        g_autoptr(GBytes) bytes = g_bytes_new_take(out, n);
        return blob_new_bytes(bytes);
    }
    struct spool *spool = spool_new(limit, "attachment_size");
    guint8 in[CHUNK], out[BASE64_SPACE(CHUNK)];
    gssize got;
    for (guint64 at = 0; (got = blob_read(raw, at, in, sizeof in, error)) > 0; at += (guint64)got) {
        if (!spool_add(spool, out, base64_decode(&state, in, (gsize)got, out), error)) {
            spool_free(spool);
            return NULL;
        }
    }
    if (got < 0 || !spool_add(spool, out, base64_finish(&state, out), error)) {
        spool_free(spool);
        return NULL;
    }
    return spool_finish(spool, error);
}

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
    switch (true_transfer(leaf, start, (gsize)got)) {
    case TRANSFER_BASE64:
        return decode_base64(leaf->raw, limits->attachment_size, error);
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
    view->found |= content_is_candidate(kind);
    const struct message_part part = {.label = label,
                                      .file_name = leaf->file_name,
                                      .media_type = leaf->media_type,
                                      .declared = leaf->declared,
                                      .note = leaf->note,
                                      .content = content,
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

static gboolean walk_part(struct walk *walk, struct mail_view *view, GMimePart *part, const char *number,
                          GError **error)
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
    struct leaf leaf = {.raw = blob_slice(view->blob, start, end - start),
                        .encoding =
                            g_mime_object_get_header((GMimeObject *)part, "Content-Transfer-Encoding"),
                        .number = number,
                        .file_name = name && *name ? label_safe(name, -1, NAME_MAX_BYTES) : NULL,
                        .media_type = media_type_of((GMimeObject *)part),
                        .declared = is_declared((GMimeObject *)part)};
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
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
        !is_hidden_base64((const guint8 *)face, MIN(n, CONTENT_SNIFF)))
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
    g_autofree char *before = g_strconcat(*number ? number : "part 0", count ? " (preamble)" : "", NULL);
    g_autofree char *after = g_strconcat(*number ? number : "part 0", " (epilogue)", NULL);
    if (!walk_face(walk, view, (GMimeObject *)multipart, g_mime_multipart_get_prologue(multipart), before,
                   count == 0, error))
        return FALSE;
    for (int i = 0; i < count; i++) {
        g_autofree char *child =
            *number ? g_strdup_printf("%s.%d", number, i + 1) : g_strdup_printf("part %d", i + 1);
        if (!walk_object(walk, view, g_mime_multipart_get_part(multipart, i), child, error))
            return FALSE;
    }
    return walk_face(walk, view, (GMimeObject *)multipart, g_mime_multipart_get_epilogue(multipart), after,
                     FALSE, error);
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
        GMimeMessage *message = g_mime_message_part_get_message((GMimeMessagePart *)object);
        GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
        const char *outer = view->outer;
        g_autofree char *inner = g_strconcat(outer, *number ? number : "part 1", " / message / ", NULL);
        view->outer = inner;
        ok = body ? walk_object(walk, view, body, "", error)
                  : walk_face(walk, view, object, NULL, "part 1", TRUE, error);
        view->outer = outer;
    } else if (GMIME_IS_PART(object)) {
        ok = walk_part(walk, view, (GMimePart *)object, *number ? number : "part 1", error);
    }
    view->depth--;
    return ok;
}

/* What is found by looking at lines, when MIME led to nothing. */

static gboolean starts(const struct line *line, const char *text)
{
    gsize n = strlen(text);
    return line->n >= n && memcmp(line->text, text, n) == 0;
}

static gboolean is_block_line(const struct line *line)
{
    for (gsize i = 0; i < line->n; i++) {
        if (!base64_is_character((guint8)line->text[i]) && !g_ascii_isspace(line->text[i]) &&
            line->text[i] != '=')
            return FALSE;
    }
    return TRUE;
}

/* The stretch from the line that begins a block to its last line. */
static guint64 block_end(struct lines *lines, const struct line *first, GError **error)
{
    struct line line;
    guint64 end = first->offset + first->length;
    while (lines_next(lines, &line, error) && is_block_line(&line)) {
        end = line.offset + line.length;
        if (line.n && line.n < BLOCK_LINE)
            break;
    }
    return end;
}

static gboolean hand_out_block(struct walk *walk, struct mail_view *view, struct blob *raw, gboolean packed,
                               GError **error)
{
    struct leaf leaf = {.raw = raw,
                        .encoding = packed ? "base64" : NULL,
                        .number = packed ? "base64 in the text" : "XML in the text",
                        .note = "mime"};
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

static gboolean rescue(struct walk *walk, struct mail_view *view, struct blob *mail, guint64 from,
                       GError **error)
{
    struct lines lines;
    struct line line;
    g_autoptr(GError) failure = NULL;
    gboolean ok = TRUE;
    lines_init(&lines, mail, from, blob_size(mail));
    for (guint blocks = 0; ok && blocks < BLOCKS_MAX && lines_next(&lines, &line, &failure);) {
        /* gzip, zip, "<?xml", "<feedback" */
        gboolean packed = starts(&line, "H4sI") || starts(&line, "UEsDB") || starts(&line, "PD94bWw") ||
                          starts(&line, "PGZlZWRiYWNr");
        if (!packed && !starts(&line, "<?xml") && !starts(&line, "<feedback"))
            continue;
        guint64 end = packed ? block_end(&lines, &line, &failure) : blob_size(mail);
        blocks++;
        ok = !failure &&
             hand_out_block(walk, view, blob_slice(mail, line.offset, end - line.offset), packed, &failure);
        if (!packed)
            break;
    }
    lines_clear(&lines);
    if (!failure)
        return ok;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
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
    if (message && head_r)
        fill_head(message, head_r);
    if (head_r) {
        g_ptr_array_add(scan->authres, NULL);
        head_r->authres = g_strdupv((char **)scan->authres->pdata);
    }
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
    struct mail_view view = {.outer = outer, .depth = depth};
    g_autoptr(GError) failure = NULL;
    gboolean ok = mail_scan(mail, walk->limits, &scan, &failure);
    if (ok) {
        ok = walk_scanned(walk, mail, &scan, &view, head_r, error);
        if (ok && !view.found)
            ok = rescue(walk, &view, mail, scan.header, error);
    } else if (!head_r && g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT)) {
        /* A nested mail over a limit costs itself, not the mail around it. */
        g_autofree char *label = g_strconcat(outer, "header", NULL);
        view.found = TRUE;
        ok = walk->refuse(walk->self, label, "limit", failure->message, error);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    *found_r |= view.found;
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
