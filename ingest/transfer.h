/* The transfer encoding of a part (RFC 2045 section 6): which one it is in truth, and base64 undone. */
#pragma once

#include "ingest/blob.h"

enum transfer { TRANSFER_NONE, TRANSFER_BASE64, TRANSFER_QUOTED, TRANSFER_UU };

/* The encoding to undo: what the header field says (which may be NULL), unless the first bytes prove that it
 * is not so; then *note_r becomes "cte". */
enum transfer transfer_true(const char *encoding, const guint8 *start, gsize n, const char **note_r);

/* Whether text that is not declared as base64 is nothing else, and something of use comes out. */
gboolean transfer_is_hidden(const guint8 *start, gsize n);

/* Leaves out what is no base64. NULL with WS_ERROR_LIMIT (attachment_size), or when bytes could not be read
 * or written. */
struct blob *transfer_base64(struct blob *raw, guint64 limit, GError **error);
