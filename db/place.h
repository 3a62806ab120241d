/* What ingesters of one mailbox share: how far it was read when its mails are left in it (table
 * dmarc_store.mailbox), and who of them changes it.
 *
 * How far it was read saves work and decides nothing: where it is missing or too low, mails are read once
 * more, and the ledger knows them. It must only never be too high. */
#pragma once

#include "db/conn.h"

/* 0 and 0 when nothing is known of that mailbox. */
gboolean place_load(struct db *db, const char *mailbox, guint32 *uidvalidity_r, guint32 *uid_r,
                    GError **error);
/* All mails up to this UID are in the ledger, committed. Never takes back what another ingester has saved for
 * the same UIDVALIDITY; another one replaces it. One statement, with a transaction of its own. */
gboolean place_save(struct db *db, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error);

/* An advisory lock of this session, by the hash of a name; two names of one hash are one lock. Never waits:
 * *locked_r FALSE when another session has it. The end of the session, whatever the reason, sets it free. Not
 * within a transaction: who holds it may wait for the locks of db/batch.h, who holds one of those never asks
 * for this. */
gboolean place_lock(struct db *db, const char *name, gboolean *locked_r, GError **error);
gboolean place_unlock(struct db *db, const char *name, GError **error);
