/* A mail to its leaves.
 *
 * Looks at every leaf of the MIME tree, at the message itself when it is no multipart, into nested
 * message/rfc822, and into every mail of a leaf that is an mbox; decides nothing by names or media types. The
 * tree comes from ingest/mime.h.
 *
 * Tolerates what deviations C24 to C29 and C34 list: base64 with junk, the wrong transfer encoding,
 * multiparts without end or parts, text before the header; and lines that end in CR alone. A message beside a
 * message/feedback-report is what the report is about, a stranger's: nothing in it is handed out, and neither
 * is the name of its file. Every text is searched, decoded, for uuencoded files, base64 blocks of a gzip or
 * zip and for the start of an XML document or of a TLS report, also where an answer quotes them, and HTML as
 * people see it; and when nothing in the mail can hold a report, so is what belongs to no leaf. */
#pragma once

#include "ingest/blob.h"
#include "ingest/message_head.h"
#include "parser/limits.h"

/* A leaf, lent for one call. */
struct message_part {
    const char *label;      /* "part 2 / report.zip": for the ledger and messages, made harmless */
    const char *file_name;  /* as the mail gives it, made harmless, or NULL */
    const char *media_type; /* lower case, or NULL */
    gboolean declared;      /* the media type stands in the mail; else it is what RFC 2045 5.2 says of none */
    const char *note;       /* static code of what had to be mended to get it: cte, mime; or NULL */
    struct blob *content;   /* transfer encoding undone; lent: blob_ref to keep */
    const struct message_head *head; /* of the mail that it is in, which may be a nested one */
    gboolean in_words;               /* it was found in a text of the mail, maybe a copy or a piece */
    gboolean nested;                 /* in a mail inside of the mail, of which only the header may be there */
    gboolean beside_feedback;        /* a feedback report is in the same multipart */
    const void *place;               /* for message_part_sample */
    guint depth;                     /* mails and multiparts around it */
    guint *leaves;                   /* of the whole mail so far, for message_walk_inner */
};

/* The header of the message that a failure report is about: of the first message/rfc822 beside the part in
 * its multipart, or of the first text of that kind. At most `most` bytes. NULL without an error when there is
 * none. Owned by the caller. Only during the call that the part is lent for. */
GBytes *message_part_sample(const struct message_part *part, gsize most, GError **error);

/* A header field's text without the encoding of RFC 2047. Owned by the caller. */
char *message_decode_text(const char *text);

/* Return FALSE with an error to stop the walk (the sink's fault). */
typedef gboolean (*message_part_func)(void *self, const struct message_part *part, GError **error);
/* A part that could not be had (over a limit): code ("limit") and detail for the ledger. */
typedef gboolean (*message_refusal_func)(void *self, const char *label, const char *code, const char *detail,
                                         GError **error);

/* Walks the mail. TRUE when every leaf was handed out or refused, or all that stand behind the one that
 * passes a limit were refused together; FALSE with the callback's error, with WS_ERROR_DATA or WS_ERROR_LIMIT
 * when the mail as a whole is refused, or with WS_ERROR_INPUT or WS_ERROR_SYSTEM when its bytes or a
 * temporary file failed. *head_r is filled as far as possible in any case, before the first leaf is handed
 * out. */
gboolean message_walk(struct blob *mail, const struct limits *limits, struct message_head *head_r,
                      message_part_func part, message_refusal_func refuse, void *self, GError **error);

/* The same for a mail, or an mbox, that came out of an archive in `part`, and is called `label`: its leaves
 * are counted and its depth is bounded together with those of the mail around it. Over a limit as a whole it
 * is refused through the callback. */
gboolean message_walk_inner(struct blob *mail, const struct message_part *around, const char *label,
                            const struct limits *limits, message_part_func part, message_refusal_func refuse,
                            void *self, GError **error);
