/* A run of bytes that can be read at any place: in memory, or a stretch of an open file. Mails, spooled
 * literals and attachments are blobs, so that a mail of 100 MB costs no memory. */
#pragma once

#include <glib.h>

struct blob;

/* Takes a reference to the bytes. */
struct blob *blob_new_bytes(GBytes *bytes);
/* A stretch of a file; dup()s the descriptor (which must be seekable). */
struct blob *blob_new_fd(int fd, guint64 offset, guint64 length, GError **error);
/* A stretch of a blob, cut to what there is, which keeps the blob alive. Copies nothing. */
struct blob *blob_slice(struct blob *blob, guint64 offset, guint64 length);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);

guint64 blob_size(const struct blob *blob);
/* Up to n bytes from offset; 0 at the end; -1 with an error (WS_ERROR_INPUT: the file shrank or cannot be
 * read). Does not move any position (pread). */
gssize blob_read(const struct blob *blob, guint64 offset, void *buf, gsize n, GError **error);
/* The memory, when it is in memory; else NULL. Lent. */
GBytes *blob_bytes(const struct blob *blob);
/* The descriptor and the offset of its first byte, when it is a file; else -1. Lent. */
int blob_fd(const struct blob *blob, guint64 *offset_r);
/* SHA-256 over all of it into digest[32]. */
gboolean blob_sha256(const struct blob *blob, guint8 *digest, GError **error);

/* Collects bytes of unknown number: in memory up to 1 MiB, from there in an unlinked temporary file in
 * $TMPDIR, or in a scratch file. Past `limit` spool_add fails with WS_ERROR_LIMIT, naming `what`, the limit's
 * name; a full disk is WS_ERROR_SYSTEM. */
struct spool;
struct spool *spool_new(guint64 limit, const char *what);
gboolean spool_add(struct spool *spool, const void *data, gsize n, GError **error);
/* Frees the spool in any case. */
struct blob *spool_finish(struct spool *spool, GError **error);
void spool_free(struct spool *spool);

enum { BLOB_SCRATCH_MAX = 32 };

/* From now on spools write to these empty files (n at most BLOB_SCRATCH_MAX, lent for ever) and create none.
 * One is taken when a spool leaves memory, and emptied and given back when the last blob on it is freed; when
 * all are taken, spool_add fails with WS_ERROR_LIMIT. For processes that may not open files; only with one
 * thread. 0 goes back to $TMPDIR. */
void blob_use_scratch(const int *fds, guint n);
/* How many of them are taken. */
guint blob_scratch_in_use(void);
