/* How far a mailbox was read whose mails are left in it: table dmarc.mailbox.
 *
 * It saves work and decides nothing: where it is missing or too low, mails are read once more, and the ledger
 * knows them. It must only never be too high. */
#pragma once

#include "db/conn.h"

/* 0 and 0 when nothing is known of that mailbox. */
gboolean place_load(struct db *db, const char *mailbox, guint32 *uidvalidity_r, guint32 *uid_r,
                    GError **error);
/* All mails up to this UID are in the ledger, committed. Never takes back what another ingester has saved for
 * the same UIDVALIDITY; another one replaces it. One statement, with a transaction of its own. */
gboolean place_save(struct db *db, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error);
