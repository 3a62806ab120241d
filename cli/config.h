/* The configuration: one table of keys, read from a key file, the environment and the command line.
 *
 * Later wins: default, file, environment, option. Every key of the groups [whosends], [imap] and [limits] is
 * also the variable WHOSENDS_<KEY> (group whosends) or WHOSENDS_<GROUP>_<KEY>, and every key is the option
 * --set GROUP.KEY=VALUE. Values are taken as they stand, without quotes or escapes; an empty one is none.
 * Refuses unknown groups and keys, and values that make no sense, by name and place; a file that holds a
 * secret and may be read by others; any file that others may write.
 *
 * A group [imap NAME] is an account more, in the file or by --set 'imap NAME.KEY=VALUE'; variables could not
 * tell its name from a key. A key that it does not give counts as in [imap], but for those that say who
 * somebody is and prove it: a secret goes to nobody but the host and the user that it was written beside. */
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
    CONFIG_FOLDERS, /* the same, of folders of a mailbox, separated by "|"; never NULL */
};

struct config_key {
    const char *group, *name;
    enum config_kind kind;
    gsize offset;        /* in struct account for group imap, else in struct config */
    const char *initial; /* as it would be written; NULL: none */
    const char *range;   /* "tls starttls", "1 65535" */
    gboolean own;        /* who somebody is, or what proves it: an account does not have it from [imap] */
    const char *meaning;
};

extern const struct config_key config_keys[]; /* ends with group NULL; the keys of [limits] are limit_rows */
#define CONFIG_KEYS 47                        /* rows of config_keys, the last one included */

enum config_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_OPTION };

/* A mailbox and how to get at it. */
struct account {
    char *name; /* of [imap NAME]; "imap" for [imap] */
    char *host, *security, *user, *password, *password_file, *password_command, *ca_file;
    char *auth, *token_command, *token_url, *scope, *client_id;
    char *client_secret, *client_secret_file, *client_secret_command;
    char *refresh_token, *refresh_token_file, *refresh_token_command;
    char *proxy, *proxy_password_file;
    char **folders;
    char *after;
    char *after_stored, *after_duplicate, *after_no_report, *after_problem; /* NULL: as `after` says */
    char *processed, *problems;
    char *duplicates, *no_reports; /* NULL: processed */
    guint port, timeout, batch, poll;
    enum config_origin origins[CONFIG_KEYS]; /* by the order of config_keys */
};

#define CONFIG_ACCOUNTS 200 /* at most */

struct config {
    char *file; /* that was read, or NULL */
    char *database, *data_directory;
    char **authserv_ids, **domains;
    char *keep_subject, *keep_originals;
    char *dns;
    char **dns_servers, **mmdb;
    guint database_wait, watch_timeout;
    guint workers; /* 0: as many as there are CPUs */
    struct limits limits;
    struct account *imap; /* [imap]; NULL when config_load failed early */
    /* struct account, what "whosends ingest" reads: [imap] first, unless it has no user and only serves the
     * others, which come in the order of the file. */
    GPtrArray *accounts;
    enum config_origin origins[CONFIG_KEYS]; /* by the order of config_keys */
};

/* `file`: of --config, or NULL for WHOSENDS_CONFIG, the user's, the system's, in this order, the first that
 * is there. `environment` as of g_get_environ(), `settings` a list of GROUP.KEY=VALUE, may be NULL. Fails
 * with WS_ERROR_CONFIG, or WS_ERROR_USAGE for a setting. config_clear in any case. */
gboolean config_load(struct config *config, const char *file, char **environment, char **settings,
                     GError **error);
/* Wipes the secrets. */
void config_clear(struct config *config);

/* The account of that name; WS_ERROR_USAGE, naming the nearest, when there is none. */
const struct account *config_account(const struct config *config, const char *name, GError **error);
/* The group that an account is written in: "imap archive". Owned by the caller. */
char *account_group(const struct account *account);
/* Owned by the caller, who gives it to account_free. */
struct account *account_copy(const struct account *account);
/* Wipes the secrets. */
void account_free(struct account *account);
/* Whether anything that proves who the user is, or that such is had from, stands in the configuration file:
 * then it is for the host that stands there alone. */
gboolean account_is_bound(const struct account *account);

/* The name of a key's environment variable. Owned by the caller. */
char *config_variable(const char *group, const char *name);
/* Whether a libpq conninfo or URI holds a password. */
gboolean config_conninfo_secret(const char *conninfo);
