/* What becomes of mails in an IMAP mailbox once their outcome is committed: collected, and carried out
 * between other commands.
 *
 * MOVE (RFC 6851) where the server has it and knows what is meant, else COPY, then \Deleted, then UID EXPUNGE
 * (RFC 4315); without UIDPLUS the mails stay marked \Deleted, which our searches leave out. Never EXPUNGE,
 * which would take mails that somebody else has marked. A folder that is missing is made and subscribed to,
 * once. A mail that has vanished meanwhile is no error.
 *
 * Mails are moved and deleted when it is our turn (ingest/imap_turn.h), and after a NOOP: from then on the
 * server knows in this session what others have taken away, and passes it over (RFC 9051 section 6.4.9).
 * Whose turn does not come gives up as after a refusal, and holds nothing else back.
 *
 * What the server refuses stays where it is: a set is tried again in halves, so that one mail that cannot be
 * moved keeps no other one back, and after a few refusals the folder is left alone. What was copied and may
 * not be deleted is not copied again, in this session or a later one: only the deletion is tried again. */
#pragma once

#include "ingest/imap_session.h"
#include "ingest/imap_turn.h"

struct imap_settle;

/* Mails that need nothing more: their rule was carried out, or there is none. */
typedef void (*imap_done_func)(gpointer data, const guint32 *uids, guint n);

/* `mailbox` and `turn` are lent. The names of the folders are made by now, so that a wrong one is known
 * before anything is fetched; a folder that is the mailbox itself is WS_ERROR_CONFIG. */
struct imap_settle *imap_settle_new(struct imap_session *session, const struct settle_rules *rules,
                                    const char *mailbox, struct imap_turn *turn, imap_done_func done,
                                    gpointer data, GError **error);
void imap_settle_free(struct imap_settle *settle);
/* Goes on in a new session on the same mailbox. `renumbered`: with other UIDs, so that what was collected is
 * forgotten. */
void imap_settle_rebind(struct imap_settle *settle, struct imap_session *session, gboolean renumbered);

/* What UID SEARCH has to ask for, so that mails which are done with are left out. Static. */
const char *imap_settle_criteria(const struct imap_settle *settle);

void imap_settle_add(struct imap_settle *settle, guint32 uid, enum outcome outcome);
/* Whether imap_settle_flush would have something to do. */
gboolean imap_settle_is_pending(const struct imap_settle *settle);
/* Carries out what was added; no other command may be under way. FALSE: the session is broken, the database
 * is away or the program is to stop, and all that is not known to be done is still pending. What the server
 * refused is kept for imap_settle_refused. */
gboolean imap_settle_flush(struct imap_settle *settle, GError **error);
/* Hands out the first refusal since the last call of this: FALSE with WS_ERROR_SOURCE; TRUE: there was none.
 */
gboolean imap_settle_refused(struct imap_settle *settle, GError **error);
/* What was refused may be tried once more. */
void imap_settle_again(struct imap_settle *settle);
