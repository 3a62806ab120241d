/* What an account logs in with: its password, or where its tokens come from, and the way to the server. */
#pragma once

#include "cli/config.h"
#include "ingest/imap.h"

/* Whether host and user are known; else WS_ERROR_CONFIG. */
gboolean login_is_complete(const struct account *account, GError **error);

/* The secrets of an account, for all of its folders and connections and for as long as it is read. */
struct login;

/* Both are lent until login_close. WS_ERROR_CONFIG when the account is not complete, keys of it make no sense
 * together, or its password cannot be had; a token is asked for when a mailbox is opened. */
struct login *login_open(const struct config *config, const struct account *account, GError **error);
/* Wipes the secrets; may be NULL. */
void login_close(struct login *login);

/* What it was opened with. */
const struct account *login_account(const struct login *login);
const struct limits *login_limits(const struct login *login);
/* A descriptor that becomes readable when the program is to end, for all connections from now on. */
void login_stop_by(struct login *login, int fd);
/* All but the folder; what is in it is lent until login_close. */
struct imap_settings login_settings(const struct login *login);
