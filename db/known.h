/* Which mails the ledger knows. Internal to the writer. */
#pragma once

#include "db/conn.h"

/* As writer_known; `since` as of struct writer_settings. `distributed`: the tables are on many nodes. */
gboolean known_mails(struct db *db, gboolean distributed, guint n, const guint8 *const *sha256,
                     const char *const *sources, const gboolean *identities, const char *since,
                     int *outcomes_r, gboolean *resumed_r, GError **error);
