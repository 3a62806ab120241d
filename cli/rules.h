/* What becomes of mails: option --after and the keys after... of group imap, made into struct settle_rules.
 */
#pragma once

#include "cli/config.h"
#include "ingest/source.h"

/* For a mailbox: `word` (of --after) for all outcomes, or when it is NULL the account's. For paths
 * (`mailbox` FALSE) the account names only the folders, and without `word` all is left as it is. The
 * names of folders are lent from `account`. WS_ERROR_USAGE for a word that is none. */
gboolean rules_read(const struct account *account, const char *word, gboolean mailbox,
                    struct settle_rules *rules_r, GError **error);
