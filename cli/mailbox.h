/* From the configuration to an open mailbox: the account of a URL, and a folder of an account as a source. */
#pragma once

#include "cli/login.h"
#include "db/conn.h"
#include "ingest/imap.h"

/* "imaps://..." or "imap://..." */
gboolean mailbox_is_url(const char *argument);
/* The account of the configuration that a URL is for (by host and user; else [imap]), with what the URL says
 * instead: imaps://USER@HOST[:PORT]/FOLDER. Owned by the caller, who gives it to account_free. NULL with
 * WS_ERROR_USAGE: no such URL, one with a password, or another host than the one that the configured secret
 * is for. */
struct account *mailbox_account_of_url(const struct config *config, const char *url, GError **error);

/* An open folder of an account. */
struct mailbox {
    struct source *source;
    struct settle_rules rules;
    struct imap_place place;
};

/* `after` is instead of the account's; NULL: the account's. `login` is lent until mailbox_close, and so is
 * `db`, which keeps how far a folder was read whose mails are left. Errors as of source_open_imap. */
struct mailbox *mailbox_open(struct login *login, struct db *db, const char *folder, const char *after,
                             GError **error);
/* May be NULL. */
void mailbox_close(struct mailbox *mailbox);
