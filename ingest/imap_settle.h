/* What becomes of mails in an IMAP mailbox once their outcome is committed: collected, and carried out
 * between other commands.
 *
 * MOVE (RFC 6851) where the server has it, else COPY, then \Deleted, then UID EXPUNGE (RFC 4315); without
 * UIDPLUS the mails stay marked \Deleted, which our searches leave out. Never EXPUNGE, which would take mails
 * that somebody else has marked. A folder that is missing is made and subscribed to, once. A mail that has
 * vanished meanwhile is no error. */
#pragma once

#include "ingest/imap_session.h"

struct imap_settle;

/* Both are lent. The names of the folders are made by now, so that a wrong one is known before anything is
 * fetched; a folder that is the mailbox itself is WS_ERROR_CONFIG. */
struct imap_settle *imap_settle_new(struct imap_session *session, const struct settle_rules *rules,
                                    const char *mailbox, GError **error);
void imap_settle_free(struct imap_settle *settle);

/* What UID SEARCH has to ask for, so that mails which are done with are left out. Static. */
const char *imap_settle_criteria(const struct imap_settle *settle);

void imap_settle_add(struct imap_settle *settle, guint32 uid, enum outcome outcome);
gboolean imap_settle_is_pending(const struct imap_settle *settle);
/* Carries out what was added; no other command may be under way. After a failure nothing more is tried in
 * this session, and nothing is pending: the next one finds the mails where they are. */
gboolean imap_settle_flush(struct imap_settle *settle, GError **error);
