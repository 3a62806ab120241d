/* A mail by both ways of ingest/mime.h, written down so that they can be compared. */
#pragma once

#include "ingest/content.h"
#include "ingest/mime.h"

#include <string.h>

/* Text beside parts counts only when the walk would look at it. */
static inline void same_tree_face(GString *out, const char *what, const char *face, gboolean alone)
{
    gsize n = face ? strlen(face) : 0;
    if (face && (alone || content_is_candidate(content_sniff((const guint8 *)face, n, NULL)) ||
                 transfer_is_hidden((const guint8 *)face, MIN(n, CONTENT_SNIFF))))
        g_string_append_printf(out, " %s \"%s\"", what, face);
}

static inline void same_tree_head(GString *out, const struct message_head *head)
{
    g_string_append_printf(
        out, "id \"%s\" from \"%s\" domain \"%s\" subject \"%s\" tls \"%s\" date %" G_GINT64_FORMAT "\n",
        head->message_id, head->from, head->from_domain, head->subject, head->tls_domain, head->date);
    for (char **field = head->authres; field && *field; field++)
        g_string_append_printf(out, "authres \"%s\"\n", *field);
}

static inline void same_tree_node(GString *out, const struct mime_tree *tree, const struct mime_node *node,
                                  guint level)
{
    for (; node; node = node->next) {
        g_string_append_printf(out, "%*s%d %s%s encoding \"%s\" name \"%s\"%s%s", (int)level * 2, "",
                               node->kind, node->media_type, node->declared ? "" : " (none)", node->encoding,
                               node->file_name, node->whole ? " whole" : "", node->bare ? " bare" : "");
        same_tree_face(out, "before", node->before, !node->children);
        same_tree_face(out, "after", node->after, FALSE);
        if (node->kind == MIME_LEAF) {
            struct blob *slice = blob_slice(tree->blob, node->start, node->end - node->start);
            guint8 sum[32] = {0};
            gboolean ok = blob_sha256(slice, sum, NULL);
            g_string_append_printf(out, " %" G_GUINT64_FORMAT " bytes %d ", blob_size(slice), ok);
            for (gsize i = 0; i < sizeof sum; i++)
                g_string_append_printf(out, "%02x", sum[i]);
            blob_unref(slice);
        }
        g_string_append_c(out, '\n');
        same_tree_node(out, tree, node->children, level + 1);
    }
}

static inline char *same_tree_describe(struct mime_tree *tree)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "header at %" G_GUINT64_FORMAT "\n", tree->header);
    same_tree_head(out, &tree->head);
    same_tree_node(out, tree, tree->root, 0);
    return g_string_free(out, FALSE);
}

/* FALSE when the mail is not plain. Otherwise both descriptions, to be freed; the second is the error when
 * GMime's way refuses the mail. */
static inline gboolean same_tree_both(struct blob *mail, const struct limits *limits, char **plain_r,
                                      char **gmime_r)
{
    struct mime_tree tree;
    GError *error = NULL;
    if (!mime_plain_read(mail, limits, &tree))
        return FALSE;
    *plain_r = same_tree_describe(&tree);
    mime_tree_clear(&tree);
    if (mime_tree_read(mail, limits, 0, &tree, &error)) {
        *gmime_r = same_tree_describe(&tree);
        mime_tree_clear(&tree);
    } else {
        *gmime_r = g_strdup(error->message);
        g_error_free(error);
    }
    return TRUE;
}
