/* The IMAP password: from the configuration, a file, a command, or a systemd credential named imap_password.
 */
#pragma once

#include "cli/config.h"

/* The first line; `user` and `host` are for the message. Owned by the caller, who gives it to password_free.
 * WS_ERROR_CONFIG when there is none, more than one place for it, or a file that others may read. */
char *password_get(const struct config *config, const char *user, const char *host, GError **error);
/* Wipes and frees. */
void password_free(char *password);
