/* A secret (password, token) from where it is kept: the configuration itself, a file, a command, or a systemd
 * credential. It is the first line there; in memory it is wiped when it is freed. */
#pragma once

#include <glib.h>

/* Where it may be; what is NULL is not looked at. */
struct secret_place {
    const char *name;       /* for messages: "imap.password"; the two below are NAME_file and NAME_command */
    const char *text;       /* the secret itself */
    const char *file;       /* path; refused when others than its owner may read or write it */
    const char *command;    /* for /bin/sh */
    const char *credential; /* in $CREDENTIALS_DIRECTORY, used when the other three are not set */
};

/* Whether it is in one of the places. */
gboolean secret_is_set(const struct secret_place *place);
/* Owned by the caller, who gives it to secret_free. NULL without an error when it is nowhere; WS_ERROR_CONFIG
 * when more than one of text, file and command is set, or it cannot be had from there. */
char *secret_get(const struct secret_place *place, GError **error);
/* Wipes and frees. */
void secret_free(char *secret);

/* Opens the file of a secret and locks it against others who do so, until the descriptor is closed. -1 when
 * it cannot be opened, and without a word: secret_get tells why. */
int secret_lock(const char *path);
/* Puts a new secret into a file that holds an old one, by a new file of the same mode and owner that takes
 * its place after it is on the disk. FALSE with WS_ERROR_SYSTEM: then the old one is still there. */
gboolean secret_replace(const char *path, const char *secret, GError **error);
