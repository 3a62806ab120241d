/* The configuration: one table of keys, read from a key file, the environment and the command line.
 *
 * Later wins: default, file, environment, option. Every key of every group is also the variable
 * WHOSENDS_<KEY> (group whosends) or WHOSENDS_<GROUP>_<KEY>, and the option --set GROUP.KEY=VALUE. Values are
 * taken as they stand, without quotes or escapes; an empty one is none. Refuses unknown groups and keys, and
 * values that make no sense, by name and place; a file that holds a secret and may be read by others; any
 * file that others may write. */
#pragma once

#include "parser/limits.h"

enum config_kind {
    CONFIG_TEXT,    /* char * */
    CONFIG_PATH,    /* char *; "~/" is the home directory, and in the file what is relative counts from the
                       file's place */
    CONFIG_CHOICE,  /* char *, one of the words of `range` */
    CONFIG_NUMBER,  /* guint, in the bounds of `range` */
    CONFIG_SECRET,  /* char *, from the file only */
    CONFIG_WORDS,   /* char **, separated by blanks or commas; NULL: none */
    CONFIG_DOMAINS, /* the same, of domains, normalised */
};

struct config_key {
    const char *group, *name;
    enum config_kind kind;
    gsize offset;        /* in struct config */
    const char *initial; /* as it would be written; NULL: none */
    const char *range;   /* "tls starttls", "1 65535" */
    const char *meaning;
};

extern const struct config_key config_keys[]; /* ends with group NULL; the keys of [limits] are limit_rows */
#define CONFIG_KEYS 20                        /* rows of config_keys, the last one included */

enum config_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_OPTION };

struct config {
    char *file; /* that was read, or NULL */
    char *database, *data_directory;
    char **authserv_ids, **domains;
    char *keep_subject;
    char *host, *security, *user, *password, *password_file, *password_command, *ca_file, *mailbox, *after;
    char *processed, *problems;
    guint port, timeout, batch;
    struct limits limits;
    enum config_origin origins[CONFIG_KEYS]; /* by the order of config_keys */
};

/* `file`: of --config, or NULL for WHOSENDS_CONFIG, the user's, the system's, in this order, the first that
 * is there. `environment` as of g_get_environ(), `settings` a list of GROUP.KEY=VALUE, may be NULL. Fails
 * with WS_ERROR_CONFIG, or WS_ERROR_USAGE for a setting. config_clear in any case. */
gboolean config_load(struct config *config, const char *file, char **environment, char **settings,
                     GError **error);
/* Wipes the secrets. */
void config_clear(struct config *config);

/* One value from the command line: "GROUP.KEY=VALUE". */
gboolean config_setting(struct config *config, const char *setting, GError **error);
/* Where the value of a member of struct config comes from, by its offset. */
enum config_origin config_origin_of(const struct config *config, gsize offset);

/* The name of a key's environment variable. Owned by the caller. */
char *config_variable(const char *group, const char *name);
/* Whether a libpq conninfo or URI holds a password. */
gboolean config_conninfo_secret(const char *conninfo);
