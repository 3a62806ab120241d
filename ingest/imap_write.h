/* Pieces of IMAP commands. */
#pragma once

#include <glib.h>

/* Bytes of a set in one command: servers take lines of 8,192 bytes (RFC 7162 section 4). */
enum { IMAP_SET_MAX = 7000 };

/* A GCompareFunc over guint32. */
gint imap_uid_compare(gconstpointer a, gconstpointer b);

/* Ascending UIDs as a set ("3:7,9", RFC 9051 section 9), each UID of it really one of those given, in at most
 * `max_bytes` bytes. *taken_r: how many it holds, at least one. Owned by the caller. */
char *imap_uid_set(const guint32 *uids, guint n, gsize max_bytes, guint *taken_r);

/* In double quotes, with what is special in them escaped. The text must not hold control characters. Owned by
 * the caller. */
char *imap_quote(const char *text);
