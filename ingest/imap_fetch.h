/* The mails of the selected mailbox: found by UID SEARCH, and fetched with BODY.PEEK[] in batches bounded by
 * number and size, one after the other while the batch still comes in.
 *
 * A mail is looked for in the answers by its UID, whatever their order, and is one only when its bytes are
 * all there. One that the server announces and does not hand out, or that the session broke at, is asked for
 * again alone, so that it keeps no other one back; after that it is passed over, and imap_fetch_refused
 * tells. One that has vanished before it was fetched is nothing to tell of. */
#pragma once

#include "ingest/imap_session.h"

struct imap_fetch;

/* `found` gets ascending UIDs of mails, `gone` those that have vanished. */
typedef void (*imap_uids_func)(gpointer data, const guint32 *uids, guint n);

/* Mails over `message_size` bytes are refused; `batch`: mails in one FETCH; 0: 500. */
struct imap_fetch *imap_fetch_new(guint64 message_size, guint batch, imap_uids_func found,
                                  imap_uids_func gone, gpointer data);
void imap_fetch_free(struct imap_fetch *fetch);
/* The session to go on in, which is lent; the one before has broken, or there was none. */
void imap_fetch_rebind(struct imap_fetch *fetch, struct imap_session *session);
/* Forgets all mails, and looks for those with UIDs over `uid` from now on. */
void imap_fetch_start(struct imap_fetch *fetch, guint32 uid);

/* Searches for mails that no search has brought yet. *any_r: there are some. */
gboolean imap_fetch_search(struct imap_fetch *fetch, const char *criteria, gboolean *any_r, GError **error);
/* Whether mails are known that were not handed out yet, and how many. */
guint imap_fetch_remaining(const struct imap_fetch *fetch);
/* Whether a FETCH is under way, so that no other command may be sent. */
gboolean imap_fetch_is_busy(const struct imap_fetch *fetch);

/* One step: 1 and a mail, its token being its UID and its ref not set; 0 none yet; -1 an error. */
int imap_fetch_step(struct imap_fetch *fetch, struct mail *mail, GError **error);
/* Reads over what is under way; what was not handed out will be asked for again. */
gboolean imap_fetch_pause(struct imap_fetch *fetch, GError **error);
/* Hands out the first reason why a mail was passed over since the last call: FALSE with WS_ERROR_SOURCE;
 * TRUE: none was. */
gboolean imap_fetch_refused(struct imap_fetch *fetch, GError **error);
