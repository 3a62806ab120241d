/* The mails of an mbox (RFC 4155), one after the other, with one '>' less in front of each quoted line. */
#pragma once

#include "ingest/blob.h"

/* Whether a file that starts so is an mbox: "From " at the start of a line behind a BOM and blank lines. */
gboolean mbox_starts(const guint8 *start, gsize n);
gboolean mbox_is(struct blob *body);

struct mbox;
/* Takes a reference to the body. `strict`: most likely one mail that a transport gave its From_ line and no
 * quotes, or one of which nobody says that it is an mbox, so that only what cannot be prose parts it. `most`:
 * bytes of a mail, the limit message_size. */
struct mbox *mbox_open(struct blob *body, gboolean strict, guint64 most);
/* TRUE and a mail, which the caller owns, or NULL and why it cannot be had (WS_ERROR_LIMIT, WS_ERROR_INPUT).
 * FALSE at the end, or with an error: WS_ERROR_INPUT, or WS_ERROR_SYSTEM. */
gboolean mbox_next(struct mbox *mbox, struct blob **mail_r, GError **refusal_r, GError **error);
void mbox_close(struct mbox *mbox);
