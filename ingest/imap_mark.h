/* How far a mailbox is done with: the highest UID below which every mail that was found needs nothing more.
 */
#pragma once

#include <glib.h>

struct imap_mark;

/* All up to and with `uid` is done with. */
struct imap_mark *imap_mark_new(guint32 uid);
void imap_mark_free(struct imap_mark *mark);
/* Mails that were found: ascending, and higher than all before. */
void imap_mark_found(struct imap_mark *mark, const guint32 *uids, guint n);
/* These are done with, in any order; others than those found are passed over. */
void imap_mark_done(struct imap_mark *mark, const guint32 *uids, guint n);
guint32 imap_mark_uid(const struct imap_mark *mark);
