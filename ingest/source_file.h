/* What the file sources share: a file as a mail, a Maildir's messages, and where they go when their outcome
 * is known. Only ingest/source*.c include it. */
#pragma once

#include "ingest/source.h"

/* A file as it stands in a report of ours: "kind:PATH" with harmless text. Owned by the caller. */
char *file_ref(const char *kind, const char *path);

/* Opens a regular file for reading. `follow`: a symbolic link and a pipe are fine, too (named by the user).
 * -1 with *error NULL when the file is gone, or is no file; -1 with WS_ERROR_SYSTEM when descriptors or
 * memory ran out. The mail's refusal is set when it cannot be opened. */
int file_open(const char *path, gboolean follow, struct mail *mail, GError **error);

/* The bytes of the open descriptor as a blob: in memory when small, spooled when it is a pipe, else lent from
 * the file. NULL with an error: WS_ERROR_LIMIT when it is too large for what it is (a mail, a bare report, an
 * mbox). */
struct blob *file_body(int fd, const struct limits *limits, GError **error);

/* Marks the mail as one that could not be had. Takes the error. */
void mail_refuse(struct mail *mail, GError *error);

/* A directory with cur/ and new/. */
gboolean maildir_is(const char *directory);
/* "maildir:DIR/UNIQUE": the flags and the subfolder change while it stays the same mail. Owned by the caller.
 */
char *maildir_ref(const char *path);
/* Where a message is now, whatever its flags are; NULL when it is gone. Owned by the caller. */
char *maildir_find(const char *path);
/* What becomes of a message or a file: TRUE also when it is gone. WS_ERROR_SOURCE when it could not be done.
 */
gboolean maildir_settle(const char *path, const struct settle_rules *rules, enum outcome outcome,
                        GError **error);
gboolean file_settle(const char *path, const struct settle_rules *rules, enum outcome outcome,
                     GError **error);
/* Renames without ever replacing: a number is put behind the name when it is taken. To another file system it
 * is copied, and taken away when the copy is on the disk there. */
gboolean file_move(const char *path, const char *directory, const char *name, GError **error);
