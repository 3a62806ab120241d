/* A mail as a tree of parts, without their contents: what the walk of ingest/message.h goes over.
 *
 * Two ways lead to it. mime_tree_read reads any mail with GMime, whatever it is like, behind a cheap scan of
 * lines, headers and boundaries (ingest/mail_scan.h). mime_plain_read cuts a mail that is written by the
 * book, as nearly all are, at a fraction of the price, and leaves every other one alone; what it makes is the
 * same tree.
 *
 * Only mime_tree.c knows GMime. It never calls g_mime_multipart_get_boundary and never writes a received part
 * back (an endless loop in GMime 3.2.13). */
#pragma once

#include "ingest/blob.h"
#include "ingest/message_head.h"
#include "ingest/transfer.h"
#include "parser/arena.h"
#include "parser/limits.h"

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

/* All texts are lent by the tree. */
struct mime_node {
    enum mime_kind kind;
    const char *media_type; /* lower case, harmless, or NULL */
    gboolean declared;      /* by a header field */
    const char *encoding;   /* Content-Transfer-Encoding as the header has it, or NULL */
    const char *file_name;  /* of a leaf, as the mail gives it, or NULL */
    guint64 start, end;     /* of a leaf, in the tree's blob */
    gboolean whole;         /* a leaf that is the body of a mail which is not to be looked into further */
    gboolean bare;          /* the same, and the mail has no header */
    /* Text in front of and behind the parts of a multipart; NULL when there is none, or none in which a
     * report could be. */
    const char *before, *after;
    struct mime_node *children; /* of a multipart; of a message its body, or NULL; not below message_depth */
    struct mime_node *next;     /* in the same multipart */
    struct message_head head;   /* of a message */
    void *origin;               /* for mime_message_header; NULL when there is no message in it */
};

struct mime_tree {
    struct blob *blob; /* that the leaves are stretches of; owned */
    guint64 header;    /* where the mail's header begins, in the mail */
    guint64 shift;     /* from a place in the blob to the same in the mail, modulo 2^64 */
    struct mime_node *root;
    struct message_head head;
    const char *limit;          /* what was passed behind the blob's end, and how; or NULL */
    struct arena arena;         /* has the nodes and texts */
    struct mime_origin *origin; /* what GMime made, or NULL */
};

/* `depth`: mails and multiparts around the mail. Of a mail in which a part passes a limit (message_parts,
 * message_depth, message_headers, header_line) the tree has what stands in front of that part. FALSE with
 * WS_ERROR_LIMIT when nothing does, or when the mail could not be read or written; the tree needs no clearing
 * then. */
gboolean mime_tree_read(struct blob *mail, const struct limits *limits, guint depth, struct mime_tree *tree,
                        GError **error);
/* FALSE when the mail is not plain or not small, or passes a limit; the tree needs no clearing then. */
gboolean mime_plain_read(struct blob *mail, const struct limits *limits, struct mime_tree *tree);
void mime_tree_clear(struct mime_tree *tree);

/* A new node, all zero, in the tree's arena. */
struct mime_node *mime_node_new(struct mime_tree *tree);

/* The header of a message inside of the mail, at most `most` bytes. Owned by the caller. */
GBytes *mime_message_header(const struct mime_node *message, gsize most);

/* Header fields, unfolded. The first two are owned by the caller. */
char *mime_decode_text(const char *text);  /* without the encoding of RFC 2047 */
char *mime_decode_id(const char *text);    /* of a Message-ID, without brackets; may be NULL */
gint64 mime_decode_date(const char *text); /* seconds, 0 when there is none */

/* Undoes quoted-printable or uuencode. NULL with WS_ERROR_LIMIT (attachment_size), or when bytes could not be
 * read or written. */
struct blob *mime_decode(struct blob *raw, enum transfer encoding, guint64 limit, GError **error);
