/* Access tokens for the login to a mailbox (OAuth 2.0, RFC 6749): printed by a command, or fetched from a
 * token URL with a refresh token (section 6) or, where there is none, with client credentials (section 4.4).
 *
 * A fetched token is kept in memory until a little before it expires, or until the mail server refuses it.
 * Only https. When the answer brings another refresh token, it is written to the file that the old one came
 * from, by a new file that takes its place, so that it is never half there; the file is locked meanwhile, so
 * that two programs do not spend the same one. A refresh token that came from elsewhere cannot be replaced:
 * that is a warning, and the new one serves as long as this program runs. Nothing secret gets into a message.
 */
#pragma once

#include "ingest/route.h"
#include "ingest/secret.h"

struct token_settings {
    const char *name;          /* for messages: the group of the account, "imap archive" */
    struct secret_place token; /* only its command is used; all below is for when there is none */
    const char *url, *client_id, *scope;
    struct secret_place client_secret, refresh_token;
    struct route route;
};

struct token;

/* Asks for nothing yet. All of `settings` is lent until token_free. WS_ERROR_CONFIG when something is missing
 * or makes no sense together. */
struct token *token_new(const struct token_settings *settings, GError **error);
/* Wipes it; may be NULL. */
void token_free(struct token *token);

/* A token, lent until the next call. `refused`: the last one was refused by the mail server, which can be
 * because it had been kept too long; then a new one is fetched, or NULL comes without an error when the last
 * one was new. WS_ERROR_AUTH when the token server refuses, WS_ERROR_CONFIG when a secret cannot be had, else
 * WS_ERROR_SOURCE. */
const char *token_get(struct token *token, gboolean refused, GError **error);
