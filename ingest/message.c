#include "ingest/message.h"

#include "ingest/block.h"
#include "ingest/content.h"
#include "ingest/html_seen.h"
#include "ingest/label.h"
#include "ingest/line_ends.h"
#include "ingest/mbox.h"
#include "ingest/mime.h"
#include "ingest/transfer.h"
#include "ingest/wide_text.h"
#include "parser/error.h"

#include <string.h>

#define NAME_MAX_BYTES 255

struct walk {
    const struct limits *limits;
    message_part_func part;
    message_refusal_func refuse;
    void *self;
    guint *leaves;
};

/* One mail, the outer or a nested one. */
struct mail_view {
    struct blob *blob;               /* that leaves are cut from */
    guint64 shift;                   /* from a place in it to the one in the mail */
    const char *outer;               /* "part 2 / message / ", or "" */
    guint depth;                     /* mails and multiparts around it */
    gboolean found;                  /* a leaf that may hold a report */
    const struct message_head *head; /* of the mail */
    const struct mime_node *around;  /* the innermost multipart, or NULL */
    gboolean feedback;               /* in which a feedback report is */
    GArray *read; /* struct stretch of the mail: leaves of which no byte is looked at again */
};

struct stretch {
    guint64 start, end;
};

/* A leaf before its transfer encoding is undone. */
struct leaf {
    struct blob *raw;
    const char *encoding; /* as the header has it, or NULL */
    const char *number;   /* "part 2.1" */
    char *file_name;      /* owned, or NULL */
    const char *media_type;
    gboolean declared; /* by a header field */
    const char *note;
    gboolean final; /* not to be taken for a mail: it is the mail itself, or what a report is about */
    gboolean found; /* it was found in a text, and is not searched itself */
    gboolean read;  /* set by hand_out: its bytes, as they stand in the mail, are of no more use */
    const struct mime_node *node; /* or NULL */
};

/* Where a part is, for message_part_sample. */
struct place {
    struct walk *walk;
    struct mail_view *view;
    const struct mime_node *node;
};

static gboolean walk_mails(struct walk *walk, struct blob *content, const char *place, guint depth,
                           gboolean *found_r, GError **error);

/* Leaves. */

/* Undoes one transfer encoding. NULL with WS_ERROR_LIMIT or when bytes could not be read or written. */
static struct blob *undo(struct blob *raw, enum transfer encoding, guint64 limit, GError **error)
{
    switch (encoding) {
    case TRANSFER_BASE64:
        return transfer_base64(raw, limit, error);
    case TRANSFER_QUOTED:
        return mime_decode(raw, TRANSFER_QUOTED, limit, error);
    case TRANSFER_UU:
        return mime_decode(raw, TRANSFER_UU, limit, error);
    case TRANSFER_NONE:
        break;
    }
    if (blob_size(raw) <= limit)
        return blob_ref(raw);
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT,
                "limit attachment_size: more than %" G_GUINT64_FORMAT " bytes", limit);
    return NULL;
}

/* Undoes the transfer encoding, and base64 below another one. NULL as above. */
static struct blob *decode(struct leaf *leaf, const struct limits *limits, GError **error)
{
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(leaf->raw, 0, start, sizeof start, error);
    if (got < 0)
        return NULL;
    enum transfer encoding = transfer_true(leaf->encoding, start, (gsize)got, &leaf->note);
    leaf->read |= encoding != TRANSFER_NONE;
    struct blob *content = undo(leaf->raw, encoding, limits->attachment_size, error);
    if (!content || encoding == TRANSFER_NONE)
        return content;
    got = blob_read(content, 0, start, sizeof start, error);
    struct blob *outer = content;
    if (got < 0)
        content = NULL;
    else if (transfer_true(NULL, start, (gsize)got, &leaf->note) == TRANSFER_BASE64)
        content = transfer_base64(outer, limits->attachment_size, error);
    else
        return content;
    blob_unref(outer);
    return content;
}

static gboolean search_text(struct walk *walk, struct mail_view *view, const char *number,
                            struct blob *content, guint64 start, guint64 end, GError **error);

/* Text of any kind, also a multipart that has no parts, in which reports may stand between words. A failure
 * report's neighbours are a stranger's; and what says that it is XML is read as that. */
static gboolean is_searched(const struct mail_view *view, const struct leaf *leaf, enum content_kind kind)
{
    const char *type = leaf->media_type;
    const char *ending = leaf->file_name ? strrchr(leaf->file_name, '.') : NULL;
    return kind == CONTENT_OTHER && !leaf->found && !view->feedback &&
           content_claimed(type, leaf->file_name) != CONTENT_XML &&
           (!type || g_str_has_prefix(type, "text/") || g_str_has_prefix(type, "multipart/") ||
            g_str_has_prefix(type, "message/") || (ending && g_ascii_strcasecmp(ending, ".txt") == 0));
}

/* A text that there is no room for costs itself. Any other failure is handed on. */
static gboolean refuse_text(struct walk *walk, struct mail_view *view, const char *number,
                            const GError *failure, GError **error)
{
    if (!g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT)) {
        g_propagate_error(error, g_error_copy(failure));
        return FALSE;
    }
    g_autofree char *label = g_strconcat(view->outer, number ? number : "the text", NULL);
    view->found = TRUE;
    return walk->refuse(walk->self, label, "limit", failure->message, error);
}

/* The text of a leaf; and of HTML, in which nothing was found as it is written, what people see of it. */
static gboolean search_leaf(struct walk *walk, struct mail_view *view, const struct leaf *leaf,
                            struct blob *content, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct blob *narrow = wide_text_narrow(content, &failure);
    struct blob *text = narrow ? narrow : content;
    gboolean ok = !failure && search_text(walk, view, leaf->number, text, 0, blob_size(text), error);
    if (ok && !view->found && g_strcmp0(leaf->media_type, "text/html") == 0) {
        struct blob *seen = html_seen(text, &failure);
        ok = seen && search_text(walk, view, leaf->number, seen, 0, blob_size(seen), error);
        blob_unref(seen);
    }
    blob_unref(narrow);
    return failure ? refuse_text(walk, view, leaf->number, failure, error) : ok;
}

/* What is in a leaf that was handed out: a mail that came encoded or without a media type of its own, an
 * mbox, or reports in a text. */
static gboolean look_inside(struct walk *walk, struct mail_view *view, struct leaf *leaf, const char *place,
                            struct blob *content, enum content_kind kind, GError **error)
{
    if (kind == CONTENT_MAIL && !leaf->final && view->depth < walk->limits->message_depth) {
        leaf->read = TRUE;
        return walk_mails(walk, content, place, view->depth + 1, &view->found, error);
    }
    /* The one that XML is claimed of was read to its end. */
    leaf->read |= kind == CONTENT_OTHER && content_claimed(leaf->media_type, leaf->file_name) == CONTENT_XML;
    if (!is_searched(view, leaf, kind))
        return TRUE;
    leaf->read = TRUE;
    return search_leaf(walk, view, leaf, content, error);
}

static gboolean hand_out(struct walk *walk, struct mail_view *view, struct leaf *leaf, GError **error)
{
    g_autofree char *place = g_strconcat(view->outer, leaf->number, NULL);
    g_autofree char *label = label_join(place, leaf->file_name);
    g_autoptr(GError) failure = NULL;
    if (++*walk->leaves > walk->limits->message_parts) {
        g_autofree char *detail =
            g_strdup_printf("limit message_parts: more than %u parts", walk->limits->message_parts);
        view->found = TRUE;
        return *walk->leaves > walk->limits->message_parts + 1 ||
               walk->refuse(walk->self, label, "limit", detail, error);
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
    const struct place around = {walk, view, leaf->node};
    const struct message_part part = {.label = label,
                                      .file_name = leaf->file_name,
                                      .media_type = leaf->media_type,
                                      .declared = leaf->declared,
                                      .note = leaf->note,
                                      .content = content,
                                      .head = view->head,
                                      .in_words = leaf->found,
                                      .nested = *view->outer != '\0',
                                      .beside_feedback = view->feedback,
                                      .place = &around,
                                      .depth = view->depth,
                                      .leaves = walk->leaves};
    gboolean ok = got >= 0 && walk->part(walk->self, &part, error) &&
                  look_inside(walk, view, leaf, place, content, kind, error);
    blob_unref(content);
    return ok;
}

static void leaf_clear(struct leaf *leaf)
{
    blob_unref(leaf->raw);
    g_free(leaf->file_name);
}

static gboolean has_type(const struct mime_node *node, const char *const *types)
{
    return node->media_type && g_strv_contains(types, node->media_type);
}

static const char *const feedback_types[] = {"message/feedback-report", NULL};
/* A message or its header, as real reporters call it. */
static const char *const sample_types[] = {
    "text/rfc822-headers", "text/rfc822",    "text/rfc-822",           "text/rfc-822-headers",
    "message/rfc-822",     "message/rfc822", "message/rfc822-headers", NULL};

static struct leaf leaf_of(const struct mail_view *view, const struct mime_node *node, const char *number)
{
    const char *name = node->file_name;
    gboolean sample = view->feedback && has_type(node, sample_types);
    return (struct leaf){.raw = blob_slice(view->blob, node->start, node->end - node->start),
                         .encoding = node->encoding,
                         .number = number,
                         .file_name = name && *name && !sample ? label_safe(name, -1, NAME_MAX_BYTES) : NULL,
                         .media_type = node->media_type,
                         .declared = node->declared,
                         .note = node->whole ? "mime" : NULL,
                         .final = view->feedback || node->bare,
                         .node = node->whole ? NULL : node};
}

static gboolean walk_leaf(struct walk *walk, struct mail_view *view, const struct mime_node *node,
                          const char *number, GError **error)
{
    struct leaf leaf = leaf_of(view, node, number);
    gboolean ok = hand_out(walk, view, &leaf, error);
    const struct stretch stretch = {node->start + view->shift, node->end + view->shift};
    if (leaf.read)
        g_array_append_val(view->read, stretch);
    leaf_clear(&leaf);
    return ok;
}

/* What failure reports are about. */

/* A part that has a message or its header as text. NULL without an error when it has not. */
static GBytes *header_in(const struct place *place, const struct mime_node *node, gsize most, GError **error)
{
    struct leaf leaf = leaf_of(place->view, node, "");
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
    const struct mime_node *around = place ? place->view->around : NULL;
    const struct mime_node *first = around ? around->children : NULL;
    for (const struct mime_node *node = first; node; node = node->next) {
        if (node->kind == MIME_MESSAGE && node->origin)
            return mime_message_header(node, most);
    }
    static const char *const plain[] = {"text/plain", NULL};
    for (guint round = 0; round < 2; round++) {
        for (const struct mime_node *node = first; node; node = node->next) {
            if (node == place->node || node->kind != MIME_LEAF ||
                !has_type(node, round ? plain : sample_types))
                continue;
            GBytes *bytes = header_in(place, node, most, error);
            if (bytes || (error && *error))
                return bytes;
        }
    }
    return NULL;
}

/* Text in front of or behind the parts of a multipart: only looked at when it can be a report, or when there
 * is no part. */
static gboolean walk_face(struct walk *walk, struct mail_view *view, const struct mime_node *node,
                          const char *face, const char *number, gboolean alone, GError **error)
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
                        .encoding = alone ? node->encoding : NULL,
                        .number = number,
                        .media_type = alone ? node->media_type : NULL,
                        .declared = alone && node->declared,
                        .note = "mime"};
    gboolean ok = hand_out(walk, view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

static gboolean walk_object(struct walk *walk, struct mail_view *view, const struct mime_node *node,
                            const char *number, GError **error);

static gboolean walk_multipart(struct walk *walk, struct mail_view *view, const struct mime_node *multipart,
                               const char *number, GError **error)
{
    const struct mime_node *around = view->around;
    gboolean feedback = view->feedback, alone = !multipart->children, ok = TRUE;
    view->around = multipart;
    view->feedback = FALSE;
    for (const struct mime_node *node = multipart->children; node; node = node->next)
        view->feedback |= has_type(node, feedback_types);
    if (multipart->before || alone) {
        g_autofree char *before = g_strconcat(*number ? number : "part 0", alone ? "" : " (preamble)", NULL);
        ok = walk_face(walk, view, multipart, multipart->before, before, alone, error);
    }
    guint i = 0;
    for (const struct mime_node *node = multipart->children; ok && node; node = node->next) {
        g_autofree char *child =
            *number ? g_strdup_printf("%s.%u", number, ++i) : g_strdup_printf("part %u", ++i);
        ok = walk_object(walk, view, node, child, error);
    }
    if (ok && multipart->after) {
        g_autofree char *after = g_strconcat(*number ? number : "part 0", " (epilogue)", NULL);
        ok = walk_face(walk, view, multipart, multipart->after, after, FALSE, error);
    }
    view->around = around;
    view->feedback = feedback;
    return ok;
}

/* A message inside of this one. What a report is about is not looked into. */
static gboolean walk_message(struct walk *walk, struct mail_view *view, const struct mime_node *message,
                             const char *number, GError **error)
{
    struct mail_view outer = *view;
    if (view->feedback)
        return TRUE;
    g_autofree char *inner = g_strconcat(outer.outer, number, " / message / ", NULL);
    view->outer = inner;
    view->head = &message->head;
    view->around = NULL;
    gboolean ok = message->children ? walk_object(walk, view, message->children, "", error)
                                    : walk_face(walk, view, message, NULL, "part 1", TRUE, error);
    view->outer = outer.outer;
    view->head = outer.head;
    view->around = outer.around;
    return ok;
}

/* `number` is "" for the body of a mail itself. */
static gboolean walk_object(struct walk *walk, struct mail_view *view, const struct mime_node *node,
                            const char *number, GError **error)
{
    if (view->depth >= walk->limits->message_depth && !node->whole) {
        g_autofree char *label = g_strconcat(view->outer, *number ? number : "part 1", NULL);
        g_autofree char *detail = g_strdup_printf(
            "limit message_depth: more than %u parts inside of each other", walk->limits->message_depth);
        return walk->refuse(walk->self, label, "limit", detail, error);
    }
    const char *own = *number ? number : "part 1";
    gboolean ok = FALSE;
    view->depth += !node->whole;
    switch (node->kind) {
    case MIME_MULTIPART:
        ok = walk_multipart(walk, view, node, number, error);
        break;
    case MIME_MESSAGE:
        ok = walk_message(walk, view, node, own, error);
        break;
    case MIME_LEAF:
        ok = walk_leaf(walk, view, node, own, error);
        break;
    }
    view->depth -= !node->whole;
    return ok;
}

/* What is found by looking at lines. */

struct search {
    struct walk *walk;
    struct mail_view *view;
    const char *number; /* of the leaf with the text, or NULL */
};

static gboolean on_block(void *self, const struct block *block, GError **error)
{
    struct search *search = self;
    g_autofree char *what = g_strconcat(block->what, " in the text", NULL);
    g_autofree char *number =
        search->number ? g_strconcat(search->number, " / ", what, NULL) : g_strdup(what);
    struct leaf leaf = {.raw = block->raw,
                        .encoding = block->encoding,
                        .number = number,
                        .file_name = g_strdup(block->name),
                        .media_type = block->encoding ? NULL : "text/plain",
                        .note = "mime",
                        .found = TRUE};
    gboolean ok = hand_out(search->walk, search->view, &leaf, error);
    leaf_clear(&leaf);
    return ok;
}

static gboolean search_text(struct walk *walk, struct mail_view *view, const char *number, struct blob *text,
                            guint64 start, guint64 end, GError **error)
{
    struct search search = {walk, view, number};
    g_autoptr(GError) failure = NULL;
    return block_search(text, start, end, on_block, &search, &failure) ||
           refuse_text(walk, view, number, failure, error);
}

/* When MIME led to nothing: all of the mail but the leaves that were read. */
static gboolean search_rest(struct walk *walk, struct mail_view *view, struct blob *mail, guint64 from,
                            GError **error)
{
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < view->read->len; i++) {
        const struct stretch *stretch = &g_array_index(view->read, struct stretch, i);
        if (stretch->start > from)
            ok = search_text(walk, view, NULL, mail, from, stretch->start, error);
        from = MAX(from, stretch->end);
    }
    return ok && search_text(walk, view, NULL, mail, from, view->shift + blob_size(view->blob), error);
}

static gboolean walk_tree(struct walk *walk, struct mail_view *view, struct blob *mail,
                          const struct mime_tree *tree, GError **error)
{
    view->blob = tree->blob;
    view->shift = tree->shift;
    view->read = g_array_new(FALSE, FALSE, sizeof(struct stretch));
    gboolean ok = walk_object(walk, view, tree->root, "", error) &&
                  (view->found || search_rest(walk, view, mail, tree->header, error));
    g_array_unref(view->read);
    return ok;
}

static gboolean walk_mail(struct walk *walk, struct blob *mail, const char *outer, guint depth,
                          struct message_head *head_r, gboolean *found_r, GError **error)
{
    struct mime_tree tree;
    struct mail_view view = {.outer = outer, .depth = depth, .head = head_r ? head_r : &tree.head};
    g_autoptr(GError) failure = NULL;
    gboolean ok = TRUE;
    /* The leaf behind the last one that may be has told it. */
    if (*walk->leaves > walk->limits->message_parts)
        return TRUE;
    if (mime_plain_read(mail, walk->limits, &tree) ||
        mime_tree_read(mail, walk->limits, depth, &tree, &failure)) {
        if (head_r) {
            *head_r = tree.head;
            tree.head = (struct message_head){0};
        }
        g_autofree char *rest = g_strconcat(outer, "the rest", NULL);
        ok = walk_tree(walk, &view, mail, &tree, error) &&
             (!tree.limit || walk->refuse(walk->self, rest, "limit", tree.limit, error));
        mime_tree_clear(&tree);
    } else if (!head_r && g_error_matches(failure, WS_ERROR, WS_ERROR_LIMIT)) {
        /* A nested mail over a limit costs itself, not the mail around it. */
        g_autofree char *label = g_strconcat(outer, "header", NULL);
        view.found = TRUE;
        ok = walk->refuse(walk->self, label, "limit", failure->message, error);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
        ok = FALSE;
    }
    *found_r |= view.found;
    return ok;
}

/* A mail inside of another, or the mails of an mbox. */
static gboolean walk_mails(struct walk *walk, struct blob *content, const char *place, guint depth,
                           gboolean *found_r, GError **error)
{
    if (!mbox_is(content)) {
        g_autofree char *outer = g_strconcat(place, " / message / ", NULL);
        return walk_mail(walk, content, outer, depth, NULL, found_r, error);
    }
    struct mbox *mbox = mbox_open(content, TRUE, walk->limits->message_size);
    struct blob *mail = NULL;
    g_autoptr(GError) failure = NULL, refusal = NULL;
    gboolean ok = TRUE;
    for (guint i = 1;
         ok && *walk->leaves <= walk->limits->message_parts && mbox_next(mbox, &mail, &refusal, &failure);
         i++) {
        g_autofree char *label = g_strdup_printf("%s / message %u", place, i);
        g_autofree char *outer = g_strconcat(label, " / ", NULL);
        if (mail)
            ok = walk_mail(walk, mail, outer, depth, NULL, found_r, &failure);
        else if (g_error_matches(refusal, WS_ERROR, WS_ERROR_LIMIT))
            ok = walk->refuse(walk->self, label, "limit", refusal->message, &failure);
        else
            g_propagate_error(&failure, g_steal_pointer(&refusal));
        ok = ok && !failure;
        g_clear_error(&refusal);
        g_clear_pointer(&mail, blob_unref);
    }
    mbox_close(mbox);
    if (!failure)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
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
    return mime_decode_text(text);
}

gboolean message_walk(struct blob *mail, const struct limits *limits, struct message_head *head_r,
                      message_part_func part, message_refusal_func refuse, void *self, GError **error)
{
    guint leaves = 0;
    struct walk walk = {.limits = limits, .part = part, .refuse = refuse, .self = self, .leaves = &leaves};
    gboolean found = FALSE;
    *head_r = (struct message_head){0};
    struct blob *mended = check_size(mail, limits, error) ? line_ends_mend(mail, error) : NULL;
    gboolean ok = mended && walk_mail(&walk, mended, "", 0, head_r, &found, error);
    blob_unref(mended);
    return ok;
}

gboolean message_walk_inner(struct blob *mail, const struct message_part *around, const char *label,
                            const struct limits *limits, message_part_func part, message_refusal_func refuse,
                            void *self, GError **error)
{
    struct walk walk = {
        .limits = limits, .part = part, .refuse = refuse, .self = self, .leaves = around->leaves};
    gboolean found = FALSE;
    g_autoptr(GError) failure = NULL;
    if (!check_size(mail, limits, &failure))
        return refuse(self, label, "limit", failure->message, error);
    return walk_mails(&walk, mail, label, around->depth + 1, &found, error);
}
