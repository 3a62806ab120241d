#include "ingest/mime.h"

#include "ingest/label.h"
#include "ingest/mail_scan.h"

#include <gmime/gmime.h>
#include <string.h>

#define MEDIA_TYPE_MAX 255
#define CHUNK 16384

/* What a mail is parsed from, and what GMime made of it; all of it is freed together. */
struct mime_origin {
    GMimeMessage *message;
    GMimeStream *stream;
    GByteArray *array; /* lends its bytes from head or the tree's blob */
    GString *head;
};

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

/* Transfer encodings. */

struct blob *mime_decode(struct blob *raw, enum transfer encoding, guint64 limit, GError **error)
{
    options();
    struct spool *spool = spool_new(limit, "attachment_size");
    GMimeFilter *filter =
        g_mime_filter_basic_new(encoding == TRANSFER_QUOTED ? GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE
                                                            : GMIME_CONTENT_ENCODING_UUENCODE,
                                FALSE);
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

/* Header fields. */

char *mime_decode_text(const char *text)
{
    return g_mime_utils_header_decode_text(options(), text);
}

char *mime_decode_id(const char *text)
{
    options();
    return g_mime_utils_decode_message_id(text);
}

gint64 mime_decode_date(const char *text)
{
    options();
    GDateTime *date = g_mime_utils_header_decode_date(text);
    gint64 seconds = date ? g_date_time_to_unix(date) : 0;
    if (date)
        g_date_time_unref(date);
    return seconds;
}

/* The domain of the first address that has one. */
static char *domain_of(InternetAddressList *from)
{
    int count = from ? internet_address_list_length(from) : 0;
    char *domain = NULL;
    for (int i = 0; i < count && !domain; i++) {
        InternetAddress *address = internet_address_list_get_address(from, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(address))
            domain =
                message_head_domain(internet_address_mailbox_get_addr((InternetAddressMailbox *)address));
    }
    return domain;
}

static void fill_head(GMimeMessage *message, struct message_head *head)
{
    GDateTime *date = g_mime_message_get_date(message);
    head->message_id = message_head_text(g_mime_message_get_message_id(message));
    head->subject = message_head_text(g_mime_message_get_subject(message));
    head->from = message_head_text(g_mime_object_get_header((GMimeObject *)message, "From"));
    head->tls_domain =
        message_head_name(g_mime_object_get_header((GMimeObject *)message, "TLS-Report-Domain"));
    head->date = date ? g_date_time_to_unix(date) : 0;
    head->from_domain = domain_of(g_mime_message_get_from(message));
}

/* GMime's objects to nodes. */

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

static const char *media_type_of(struct mime_tree *tree, GMimeObject *object)
{
    g_autoptr(GObject) first = (GObject *)first_type(object);
    GMimeContentType *type = first ? (GMimeContentType *)first : g_mime_object_get_content_type(object);
    const char *media = type ? g_mime_content_type_get_media_type(type) : NULL;
    const char *sub = type ? g_mime_content_type_get_media_subtype(type) : NULL;
    if (!media || !sub)
        return NULL;
    g_autofree char *whole = g_strconcat(media, "/", sub, NULL);
    g_autofree char *lower = g_ascii_strdown(whole, -1);
    g_autofree char *safe = label_safe(lower, -1, MEDIA_TYPE_MAX);
    return arena_text(&tree->arena, safe, strlen(safe));
}

/* What nodes are made from. */
struct maker {
    struct mime_tree *tree;
    guint depth_max;
    guint64 base; /* the stream's position of the blob's first byte */
};

static struct mime_node *node_of(struct mime_tree *tree, GMimeObject *object)
{
    struct mime_node *node = mime_node_new(tree);
    node->media_type = media_type_of(tree, object);
    node->declared = g_mime_object_get_header(object, "Content-Type") != NULL;
    node->encoding = g_mime_object_get_header(object, "Content-Transfer-Encoding");
    return node;
}

static void make_leaf(const struct maker *maker, struct mime_node *node, GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    node->kind = MIME_LEAF;
    node->file_name = label_better_name(g_mime_part_get_filename(part),
                                        g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "name"));
    if (stream && stream->bound_start >= (gint64)maker->base) {
        node->start = (guint64)stream->bound_start - maker->base;
        node->end = stream->bound_end < stream->bound_start ? node->start + blob_size(maker->tree->blob)
                                                            : (guint64)stream->bound_end - maker->base;
    }
}

/* `depth`: mails and multiparts around the object. What lies too deep is not gone into: the walk refuses it.
 */
static struct mime_node *make_node(const struct maker *maker, GMimeObject *object, guint depth)
{
    struct mime_node *node = node_of(maker->tree, object);
    gboolean deep = depth >= maker->depth_max;
    if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multipart = (GMimeMultipart *)object;
        int count = deep ? 0 : g_mime_multipart_get_count(multipart);
        struct mime_node **at = &node->children;
        node->kind = MIME_MULTIPART;
        node->before = g_mime_multipart_get_prologue(multipart);
        node->after = g_mime_multipart_get_epilogue(multipart);
        for (int i = 0; i < count; i++, at = &(*at)->next)
            *at = make_node(maker, g_mime_multipart_get_part(multipart, i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *message = g_mime_message_part_get_message((GMimeMessagePart *)object);
        GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
        node->kind = MIME_MESSAGE;
        node->origin = message;
        if (message && !deep)
            fill_head(message, &node->head);
        if (body && !deep)
            node->children = make_node(maker, body, depth + 1);
    } else if (GMIME_IS_PART(object)) {
        make_leaf(maker, node, (GMimePart *)object);
    }
    return node;
}

/* A body that GMime is not to see, or that has no header: one leaf. */
static struct mime_node *make_whole(struct mime_tree *tree, const struct mail_scan *scan, GMimeObject *object)
{
    struct mime_node *node = object ? node_of(tree, object) : mime_node_new(tree);
    node->kind = MIME_LEAF;
    node->start = scan->body;
    node->end = blob_size(tree->blob);
    node->whole = TRUE;
    node->bare = scan->body == scan->header;
    return node;
}

GBytes *mime_message_header(const struct mime_node *message, gsize most)
{
    GMimeHeaderList *fields = g_mime_object_get_header_list((GMimeObject *)message->origin);
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

/* One mail through GMime. */

static GMimeMessage *parse(GMimeStream *stream)
{
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_persist_stream(parser, TRUE);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, options());
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

/* Opens the stream and the tree's blob; *base_r is the stream's position of the blob's first byte. */
static gboolean open_input(struct mime_tree *tree, struct blob *mail, struct mail_scan *scan, guint64 *base_r,
                           GError **error)
{
    struct mime_origin *origin = tree->origin;
    *base_r = 0;
    if (!scan->walkable) {
        origin->head = g_steal_pointer(&scan->head);
        origin->stream = stream_over(origin->head->str, origin->head->len, &origin->array);
        tree->blob = blob_ref(mail);
        return TRUE;
    }
    gboolean as_it_is = !blob_bytes(mail) && !scan->odd;
    tree->blob = as_it_is ? blob_ref(mail) : slim(mail, scan, error);
    if (!tree->blob)
        return FALSE;
    tree->shift = as_it_is ? 0 : scan->body - scan->head->len;
    GBytes *memory = blob_bytes(tree->blob);
    if (memory) {
        gsize n = 0;
        const char *data = g_bytes_get_data(memory, &n);
        origin->stream = stream_over(data, n, &origin->array);
    } else {
        int fd = blob_fd(tree->blob, base_r);
        guint64 start = *base_r + (as_it_is ? scan->header : 0);
        guint64 end = *base_r + blob_size(tree->blob);
        origin->stream = g_mime_stream_fs_new_with_bounds(fd, (gint64)start, (gint64)end);
        g_mime_stream_fs_set_owner((GMimeStreamFs *)origin->stream, FALSE);
    }
    return TRUE;
}

static void origin_free(struct mime_origin *origin)
{
    g_clear_object(&origin->message);
    g_clear_object(&origin->stream);
    if (origin->array) {
        g_byte_array_steal(origin->array, NULL);
        g_byte_array_unref(origin->array);
    }
    if (origin->head)
        g_string_free(origin->head, TRUE);
    g_free(origin);
}

struct mime_node *mime_node_new(struct mime_tree *tree)
{
    struct mime_node *node = arena_alloc(&tree->arena, sizeof *node);
    *node = (struct mime_node){0};
    return node;
}

static void clear_heads(struct mime_node *node)
{
    for (; node; node = node->next) {
        message_head_clear(&node->head);
        clear_heads(node->children);
    }
}

void mime_tree_clear(struct mime_tree *tree)
{
    clear_heads(tree->root);
    message_head_clear(&tree->head);
    if (tree->origin)
        origin_free(tree->origin);
    blob_unref(tree->blob);
    arena_clear(&tree->arena);
    *tree = (struct mime_tree){0};
}

gboolean mime_tree_read(struct blob *mail, const struct limits *limits, guint depth, struct mime_tree *tree,
                        GError **error)
{
    struct mail_scan scan;
    struct maker maker = {.tree = tree, .depth_max = limits->message_depth};
    *tree = (struct mime_tree){.origin = g_new0(struct mime_origin, 1)};
    gboolean ok = mail_scan(mail, limits, &scan, error);
    if (ok) {
        struct blob *part = scan.limit ? blob_slice(mail, 0, scan.cut) : blob_ref(mail);
        ok = open_input(tree, part, &scan, &maker.base, error);
        blob_unref(part);
    }
    if (ok) {
        GMimeMessage *message = tree->origin->message = parse(tree->origin->stream);
        GMimeObject *body = message ? g_mime_message_get_mime_part(message) : NULL;
        tree->header = scan.header;
        tree->limit =
            scan.limit ? arena_text(&tree->arena, scan.limit->message, strlen(scan.limit->message)) : NULL;
        if (message)
            fill_head(message, &tree->head);
        g_ptr_array_add(scan.authres, NULL);
        tree->head.authres = g_strdupv((char **)scan.authres->pdata);
        tree->root = scan.walkable && body ? make_node(&maker, body, depth) : make_whole(tree, &scan, body);
    } else {
        mime_tree_clear(tree);
    }
    mail_scan_clear(&scan);
    return ok;
}
