#include "cli/config_value.h"

#include "cli/nearest.h"
#include "parser/error.h"
#include "reports/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MOST (1024 * 1024)
#define SYSTEM_FILE "/etc/whosends/whosends.conf"
#define AT(member) G_STRUCT_OFFSET(struct config, member)
#define OF(member) G_STRUCT_OFFSET(struct account, member)
#define IMAP "imap"

const struct config_key config_keys[] = {
    {"whosends", "database", CONFIG_TEXT, AT(database),
     .meaning = "conninfo or URI of the PostgreSQL database; without it, a private cluster is used"},
    {"whosends", "data_directory", CONFIG_PATH, AT(data_directory),
     .meaning = "where the private cluster lives"},
    {"whosends", "database_wait", CONFIG_NUMBER, AT(database_wait), "60", "0 86400",
     .meaning = "seconds to wait for a database that goes away while mail is read"},
    {"whosends", "trusted_authserv_id", CONFIG_WORDS, AT(authserv_ids),
     .meaning = "names of one's own mail servers in Authentication-Results"},
    {"whosends", "domains", CONFIG_DOMAINS, AT(domains),
     .meaning = "our domains; reports about others are flagged"},
    {"whosends", "keep_subject", CONFIG_CHOICE, AT(keep_subject), "hashed", "hashed kept dropped",
     .meaning = "what is kept of the subject of a message that a failure report is about"},
    {"whosends", "keep_originals", CONFIG_CHOICE, AT(keep_originals), "reports", "reports problems none",
     .meaning = "whose original mails are kept in the database, to be read again"},
    {"whosends", "dns", CONFIG_CHOICE, AT(dns), "yes", "yes no",
     .meaning = "whether names asks name servers for reverse names"},
    {"whosends", "dns_servers", CONFIG_WORDS, AT(dns_servers),
     .meaning =
         "addresses of the resolvers to ask, with @PORT where it is not 53; none: those of the system"},
    {"whosends", "mmdb", CONFIG_WORDS, AT(mmdb),
     .meaning = "mmdb files with countries or autonomous systems"},
    {"whosends", "watch_timeout", CONFIG_NUMBER, AT(watch_timeout), "900", "5 86400",
     .meaning = "seconds without a sign of life after which ingest --watch starts a folder's process anew"},
    {"whosends", "workers", CONFIG_NUMBER, AT(workers), "0", "0 256",
     .meaning = "worker processes that decode mail at once; 0: as many as there are CPUs"},
    {"imap", "host", CONFIG_TEXT, OF(host), .own = TRUE, .meaning = "the mail server"},
    {"imap", "port", CONFIG_NUMBER, OF(port), "0", "0 65535",
     .meaning = "its port; 0: 993 for tls, 143 for starttls"},
    {"imap", "security", CONFIG_CHOICE, OF(security), "tls", "tls starttls",
     .meaning = "TLS from the first byte, or after STARTTLS, which is then required"},
    {"imap", "user", CONFIG_TEXT, OF(user), .own = TRUE, .meaning = "the login name"},
    {"imap", "password", CONFIG_SECRET, OF(password), .own = TRUE,
     .meaning = "the password, only in a file that nobody else may read"},
    {"imap", "password_file", CONFIG_PATH, OF(password_file), .own = TRUE,
     .meaning = "a file whose first line is the password, and that nobody else may read"},
    {"imap", "password_command", CONFIG_TEXT, OF(password_command), .own = TRUE,
     .meaning = "a shell command whose first line of output is the password"},
    {"imap", "auth", CONFIG_CHOICE, OF(auth), "password", "password xoauth2 oauthbearer",
     .meaning = "log in with a password, or with an access token (OAuth)"},
    {"imap", "token_command", CONFIG_TEXT, OF(token_command), .own = TRUE,
     .meaning = "a shell command whose first line of output is an access token"},
    {"imap", "token_url", CONFIG_TEXT, OF(token_url), .own = TRUE,
     .meaning = "https URL to fetch access tokens from"},
    {"imap", "client_id", CONFIG_TEXT, OF(client_id), .own = TRUE, .meaning = "who we are at token_url"},
    {"imap", "client_secret", CONFIG_SECRET, OF(client_secret), .own = TRUE,
     .meaning = "what proves it, only in a file that nobody else may read"},
    {"imap", "client_secret_file", CONFIG_PATH, OF(client_secret_file), .own = TRUE,
     .meaning = "a file whose first line is the client secret, and that nobody else may read"},
    {"imap", "client_secret_command", CONFIG_TEXT, OF(client_secret_command), .own = TRUE,
     .meaning = "a shell command whose first line of output is the client secret"},
    {"imap", "refresh_token", CONFIG_SECRET, OF(refresh_token), .own = TRUE,
     .meaning =
         "what a user let us have, only in a file that nobody else may read; it cannot be renewed here"},
    {"imap", "refresh_token_file", CONFIG_PATH, OF(refresh_token_file), .own = TRUE,
     .meaning =
         "a file that is the refresh token, that nobody else may read, and that a newer one is written to"},
    {"imap", "refresh_token_command", CONFIG_TEXT, OF(refresh_token_command), .own = TRUE,
     .meaning = "a shell command whose first line of output is the refresh token"},
    {"imap", "scope", CONFIG_TEXT, OF(scope), .meaning = "what an access token shall be good for"},
    {"imap", "proxy", CONFIG_TEXT, OF(proxy),
     .meaning = "socks5h://[USER@]HOST:PORT, socks5:// or http://, for the mail server and token_url"},
    {"imap", "proxy_password_file", CONFIG_PATH, OF(proxy_password_file), .own = TRUE,
     .meaning = "a file whose first line is the password for the proxy, and that nobody else may read"},
    {"imap", "ca_file", CONFIG_PATH, OF(ca_file), .meaning = "certificates to trust instead of the system's"},
    {"imap", "mailbox", CONFIG_FOLDERS, OF(folders), "INBOX",
     .meaning = "the folder that reports arrive in; several are separated by |"},
    {"imap", "after", CONFIG_CHOICE, OF(after), "move", "leave flag move delete",
     .meaning = "what becomes of mail that is in the ledger; with delete, all but reports is moved"},
    {"imap", "after_stored", CONFIG_CHOICE, OF(after_stored), NULL, "leave flag move delete",
     .meaning = "the same for mail with new reports alone"},
    {"imap", "after_duplicate", CONFIG_CHOICE, OF(after_duplicate), NULL, "leave flag move delete",
     .meaning = "the same for mail whose reports were there already"},
    {"imap", "after_no_report", CONFIG_CHOICE, OF(after_no_report), NULL, "leave flag move delete",
     .meaning = "the same for mail without a report"},
    {"imap", "after_problem", CONFIG_CHOICE, OF(after_problem), NULL, "leave flag move delete",
     .meaning = "the same for mail that is a problem"},
    {"imap", "processed", CONFIG_TEXT, OF(processed), "Processed", .meaning = "where mail is moved"},
    {"imap", "duplicates", CONFIG_TEXT, OF(duplicates),
     .meaning = "where mail is moved whose reports were there already, if not to processed"},
    {"imap", "no_reports", CONFIG_TEXT, OF(no_reports),
     .meaning = "where mail without a report is moved, if not to processed"},
    {"imap", "problems", CONFIG_TEXT, OF(problems), "Problems",
     .meaning = "where mail that is a problem is moved"},
    {"imap", "timeout", CONFIG_NUMBER, OF(timeout), "60", "1 3600",
     .meaning = "seconds to wait for the server"},
    {"imap", "batch", CONFIG_NUMBER, OF(batch), "500", "1 10000", .meaning = "mails asked for at once"},
    {"imap", "poll", CONFIG_NUMBER, OF(poll), "240", "1 1680",
     .meaning = "seconds between two looks of ingest --watch, and after which an IDLE is begun anew"},
    {.group = NULL},
};

G_STATIC_ASSERT(G_N_ELEMENTS(config_keys) == CONFIG_KEYS);

static gboolean set_limit(struct config *config, const struct limit_row *row, const char *value,
                          const struct place *place, GError **error)
{
    guint64 most = row->wide ? G_MAXINT64 : G_MAXUINT, size;
    if (!*value)
        return limits_set(&config->limits, row->name,
                          row->wide ? G_STRUCT_MEMBER(guint64, &limits_default, row->offset)
                                    : G_STRUCT_MEMBER(guint, &limits_default, row->offset));
    if (config_parse_size(value, most, &size))
        return limits_set(&config->limits, row->name, size);
    g_autofree char *safe = render_safe(value);
    return config_refuse(
        error, place,
        "cannot use '%s' for limits.%s (%s): it takes a number, with K, M or G, up to %" G_GUINT64_FORMAT,
        safe, row->name, place->name, most);
}

/* --- by name --- */

static const struct limit_row *find_limit(const char *name)
{
    const struct limit_row *row = limit_rows;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row->name ? row : NULL;
}

static GPtrArray *names_of(const char *group)
{
    GPtrArray *names = g_ptr_array_new();
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (strcmp(key->group, group) == 0)
            g_ptr_array_add(names, (gpointer)key->name);
    }
    for (const struct limit_row *row = limit_rows; row->name && strcmp(group, "limits") == 0; row++)
        g_ptr_array_add(names, (gpointer)row->name);
    g_ptr_array_add(names, NULL);
    return names;
}

static gboolean unknown_name(const char *group, const char *name, const struct place *place, GError **error)
{
    static const char *const groups[] = {"whosends", IMAP, "limits", NULL};
    g_autofree char *safe_group = render_safe(group), *safe = render_safe(name);
    const char *kind = g_str_has_prefix(group, IMAP " ") ? IMAP : group;
    if (!g_strv_contains(groups, kind)) {
        const char *near = nearest_word(group, groups);
        return config_refuse(error, place, "unknown group [%s] in %s\nhint: %s%s", safe_group, place->name,
                             near ? "did you mean "
                                  : "the groups are whosends, imap, imap and a name, and limits",
                             near ? near : "");
    }
    g_autoptr(GPtrArray) names = names_of(kind);
    const char *near = nearest_word(name, (const char *const *)names->pdata);
    for (guint i = 0; !near && groups[i]; i++) {
        g_autoptr(GPtrArray) others = names_of(groups[i]);
        if (g_strv_contains((const char *const *)others->pdata, name))
            return config_refuse(error, place,
                                 "unknown key '%s' in group [%s] of %s\nhint: it belongs into group [%s]",
                                 safe, safe_group, place->name, groups[i]);
    }
    return config_refuse(error, place, "unknown key '%s' in group [%s] of %s%s%s%s", safe, safe_group,
                         place->name, near ? "\nhint: did you mean '" : "", near ? near : "",
                         near ? "'?" : "");
}

/* --- accounts --- */

static const struct place nowhere = {.origin = ORIGIN_DEFAULT, .name = "default"};

static struct slot account_slot(struct account *account, const struct config_key *key)
{
    return (struct slot){.key = key, .group = IMAP, .base = account, .origins = account->origins};
}

static gboolean is_of_account(const struct config_key *key)
{
    return strcmp(key->group, IMAP) == 0;
}

static struct account *account_new(const char *name)
{
    struct account *account = g_new0(struct account, 1);
    account->name = g_strdup(name);
    for (const struct config_key *key = config_keys; key->group; key++) {
        struct slot slot = account_slot(account, key);
        if (is_of_account(key))
            config_value_set(&slot, "", &nowhere, NULL);
    }
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    for (const struct config_key *key = config_keys; key->group; key++) {
        struct slot slot = account_slot(account, key);
        if (is_of_account(key))
            config_value_clear(&slot);
    }
    g_free(account->name);
    g_free(account);
}

static void copy_key(struct account *to, const struct account *from, const struct config_key *key)
{
    struct slot slot = account_slot(to, key), other = account_slot((struct account *)from, key);
    config_value_copy(&slot, &other);
}

struct account *account_copy(const struct account *account)
{
    struct account *copy = account_new(account->name);
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (is_of_account(key))
            copy_key(copy, account, key);
    }
    return copy;
}

/* What an account does not say itself is as in [imap]. */
static void inherit(struct account *account, const struct account *imap)
{
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (is_of_account(key) && !key->own && account->origins[key - config_keys] == ORIGIN_DEFAULT)
            copy_key(account, imap, key);
    }
}

char *account_group(const struct account *account)
{
    return strcmp(account->name, IMAP) == 0 ? g_strdup(IMAP) : g_strconcat(IMAP " ", account->name, NULL);
}

gboolean account_is_bound(const struct account *account)
{
    gboolean bound = FALSE;
    for (const struct config_key *key = config_keys; key->group; key++) {
        gboolean proof = key->own && key->offset != OF(host) && key->offset != OF(user);
        bound = bound || (proof && G_STRUCT_MEMBER(char *, account, key->offset) &&
                          account->origins[key - config_keys] == ORIGIN_FILE);
    }
    return bound;
}

static gboolean is_account_name(const char *name)
{
    gsize length = strlen(name);
    return length > 0 && length <= 64 && strcmp(name, IMAP) != 0 &&
           strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_+@") == length;
}

static struct account *account_called(const struct config *config, const char *name)
{
    for (guint i = 0; i < config->accounts->len; i++) {
        struct account *account = config->accounts->pdata[i];
        if (strcmp(account->name, name) == 0)
            return account;
    }
    return NULL;
}

/* The account of a group; it is made when it is new. NULL with an error. */
static struct account *account_of_group(struct config *config, const char *group, const struct place *place,
                                        GError **error)
{
    if (strcmp(group, IMAP) == 0)
        return config->imap;
    g_autofree char *name = g_strstrip(g_strdup(group + strlen(IMAP)));
    struct account *account = account_called(config, name);
    if (account)
        return account;
    if (!is_account_name(name)) {
        g_autofree char *safe = render_safe(name);
        config_refuse(error, place,
                      "cannot use '%s' as the name of an account (%s): it takes letters, digits and .-_+@, "
                      "at most 64, and is not imap",
                      safe, place->name);
        return NULL;
    }
    if (config->accounts->len == CONFIG_ACCOUNTS) {
        config_refuse(error, place, "cannot use group [imap %s] of %s: there are more than %d accounts", name,
                      place->name, CONFIG_ACCOUNTS);
        return NULL;
    }
    account = account_new(name);
    g_ptr_array_add(config->accounts, account);
    return account;
}

static void finish_accounts(struct config *config)
{
    for (guint i = 0; i < config->accounts->len; i++)
        inherit(config->accounts->pdata[i], config->imap);
    if (!config->accounts->len || config->imap->user)
        g_ptr_array_insert(config->accounts, 0, config->imap);
}

const struct account *config_account(const struct config *config, const char *name, GError **error)
{
    const struct account *account = account_called(config, name);
    if (account)
        return account;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < config->accounts->len; i++)
        g_ptr_array_add(names, ((struct account *)config->accounts->pdata[i])->name);
    g_ptr_array_add(names, NULL);
    const char *near = nearest_word(name, (const char *const *)names->pdata);
    g_autofree char *safe = render_safe(name);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "unknown account '%s'\nhint: %s%s%s", safe,
                near ? "did you mean '" : "accounts are groups [imap NAME] of the configuration",
                near ? near : "", near ? "'?" : "");
    return NULL;
}

/* --- a key by its name --- */

static gboolean set_by_name(struct config *config, const char *group, const char *name, const char *value,
                            const struct place *place, GError **error)
{
    gboolean imap = strcmp(group, IMAP) == 0 || g_str_has_prefix(group, IMAP " ");
    struct account *account = imap ? account_of_group(config, group, place, error) : NULL;
    const struct limit_row *limit = strcmp(group, "limits") == 0 ? find_limit(name) : NULL;
    if (imap && !account)
        return FALSE;
    if (limit)
        return set_limit(config, limit, value, place, error);
    const struct slot slot = {.group = group,
                              .base = imap ? (void *)account : config,
                              .origins = imap ? account->origins : config->origins};
    for (const struct config_key *key = config_keys; key->group; key++) {
        struct slot found = slot;
        found.key = key;
        if (strcmp(key->group, imap ? IMAP : group) == 0 && strcmp(key->name, name) == 0)
            return config_value_set(&found, value, place, error);
    }
    return unknown_name(group, name, place, error);
}

/* One value from the command line: "GROUP.KEY=VALUE". The name of an account may hold dots, a key does not.
 */
static gboolean take_setting(struct config *config, const char *setting, GError **error)
{
    const struct place place = {.origin = ORIGIN_OPTION, .name = "--set"};
    const char *equals = strchr(setting, '=');
    const char *dot = equals ? memrchr(setting, '.', (gsize)(equals - setting)) : NULL;
    if (!dot) {
        g_autofree char *safe = g_strndup(setting, equals ? (gsize)(equals - setting) : strlen(setting));
        g_autofree char *name = render_safe(safe);
        return config_refuse(error, &place, "cannot read --set '%s': it takes GROUP.KEY=VALUE", name);
    }
    g_autofree char *group = g_strndup(setting, (gsize)(dot - setting));
    g_autofree char *name = g_strndup(dot + 1, (gsize)(equals - dot - 1));
    return set_by_name(config, group, name, equals + 1, &place, error);
}

/* --- the environment --- */

char *config_variable(const char *group, const char *name)
{
    gboolean ours = strcmp(group, "whosends") == 0;
    g_autofree char *joined =
        ours ? g_strconcat("whosends_", name, NULL) : g_strconcat("whosends_", group, "_", name, NULL);
    return g_ascii_strup(joined, -1);
}

static gboolean take_variable(struct config *config, const char *group, const char *name, char **environment,
                              GError **error)
{
    g_autofree char *variable = config_variable(group, name);
    const struct place place = {.origin = ORIGIN_ENVIRONMENT, .name = variable};
    const char *value = g_environ_getenv(environment, variable);
    return !value || !*value || set_by_name(config, group, name, value, &place, error);
}

static gboolean take_environment(struct config *config, char **environment, GError **error)
{
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (!take_variable(config, key->group, key->name, environment, error))
            return FALSE;
    }
    for (const struct limit_row *row = limit_rows; row->name; row++) {
        if (!take_variable(config, "limits", row->name, environment, error))
            return FALSE;
    }
    return TRUE;
}

/* --- the file --- */

/* The first line that can be no line of a key file; 0 when none is found. Its text is not shown: it may be a
 * secret. */
static guint strange_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean in_group = FALSE;
    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        if (!*line || *line == '#')
            continue;
        if (*line == '[' && g_str_has_suffix(line, "]"))
            in_group = TRUE;
        else if (!in_group || !strchr(line, '=') || *line == '=' || *line == '[')
            return i + 1;
    }
    return 0;
}

static gboolean read_whole(FILE *file, GString *text, GError **error, const char *name)
{
    char buf[4096];
    gsize n;
    while (text->len <= FILE_MOST && (n = fread(buf, 1, sizeof buf, file)) > 0)
        g_string_append_len(text, buf, (gssize)n);
    explicit_bzero(buf, sizeof buf);
    if (!ferror(file) && text->len <= FILE_MOST && !memchr(text->str, 0, text->len))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG, "cannot read %s: %s", name,
                ferror(file) ? g_strerror(errno) : "it is not a configuration file");
    return FALSE;
}

static gboolean take_groups(struct config *config, GKeyFile *keys, const struct place *place, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(keys, NULL);
    for (char **group = groups; *group; group++) {
        g_auto(GStrv) names = g_key_file_get_keys(keys, *group, NULL, NULL);
        if (g_str_has_prefix(*group, IMAP " ")) {
            if (!account_of_group(config, *group, place, error))
                return FALSE;
        } else if (!names || !names[0]) {
            g_autoptr(GPtrArray) known = names_of(*group);
            if (known->len == 1)
                return unknown_name(*group, "", place, error);
        }
        for (char **name = names; name && *name; name++) {
            char *value = g_key_file_get_value(keys, *group, *name, NULL);
            gboolean ok = set_by_name(config, *group, *name, g_strchomp(value), place, error);
            config_wipe(value);
            if (!ok)
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean take_text(struct config *config, const GString *text, const struct place *place,
                          GError **error)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_autoptr(GError) broken = NULL;
    guint line = strange_line(text->str);
    if (line)
        return config_refuse(
            error, place, "cannot understand line %u of %s\nhint: lines are 'key = value', below a '[group]'",
            line, place->name);
    if (text->len && !g_key_file_load_from_data(keys, text->str, text->len, G_KEY_FILE_NONE, &broken))
        return config_refuse(error, place, "cannot understand %s: it is not a key file", place->name);
    return take_groups(config, keys, place, error);
}

/* TRUE when it was taken, or is not there and need not be: then config->file stays NULL. */
static gboolean take_file(struct config *config, const char *path, gboolean needed, GError **error)
{
    g_autofree char *safe = render_safe(path), *name = g_strdup_printf("'%s'", safe);
    g_autofree char *directory = g_path_get_dirname(path);
    struct place place = {.origin = ORIGIN_FILE, .name = name, .directory = directory};
    struct stat st;
    FILE *file = fopen(path, "re");
    if (!file && !needed && (errno == ENOENT || errno == ENOTDIR))
        return TRUE;
    if (!file || fstat(fileno(file), &st) != 0) {
        config_refuse(error, &place, "cannot read %s: %s", name, g_strerror(errno));
        g_clear_pointer(&file, fclose);
        return FALSE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    place.readable = (st.st_mode & 077) != 0;
    gboolean ok = S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH)
                      ? config_refuse(error, &place,
                                      "cannot trust %s: others may write to it\nhint: chmod o-w it", name)
                      : read_whole(file, text, error, name) && take_text(config, text, &place, error);
    explicit_bzero(text->str, text->len);
    fclose(file);
    if (ok)
        config->file = g_strdup(path);
    return ok;
}

static gboolean take_files(struct config *config, const char *file, char **environment, GError **error)
{
    const char *named = file ? file : g_environ_getenv(environment, "WHOSENDS_CONFIG");
    if (named && *named)
        return take_file(config, named, TRUE, error);
    const char *xdg = g_environ_getenv(environment, "XDG_CONFIG_HOME");
    g_autofree char *users =
        xdg && g_path_is_absolute(xdg)
            ? g_build_filename(xdg, "whosends", "whosends.conf", NULL)
            : g_build_filename(g_get_home_dir(), ".config", "whosends", "whosends.conf", NULL);
    return take_file(config, users, FALSE, error) &&
           (config->file || take_file(config, SYSTEM_FILE, FALSE, error));
}

/* --- all of it --- */

gboolean config_load(struct config *config, const char *file, char **environment, char **settings,
                     GError **error)
{
    memset(config, 0, sizeof *config);
    config->limits = limits_default;
    config->imap = account_new(IMAP);
    config->accounts = g_ptr_array_new();
    for (const struct config_key *key = config_keys; key->group; key++) {
        const struct slot slot = {
            .key = key, .group = key->group, .base = config, .origins = config->origins};
        if (!is_of_account(key) && !config_value_set(&slot, "", &nowhere, error))
            return FALSE;
    }
    if (!take_files(config, file, environment, error) || !take_environment(config, environment, error))
        return FALSE;
    for (; settings && *settings; settings++) {
        if (!take_setting(config, *settings, error))
            return FALSE;
    }
    finish_accounts(config);
    return TRUE;
}

void config_clear(struct config *config)
{
    for (const struct config_key *key = config_keys; key->group; key++) {
        const struct slot slot = {.key = key, .base = config};
        if (!is_of_account(key))
            config_value_clear(&slot);
    }
    for (guint i = 0; config->accounts && i < config->accounts->len; i++) {
        if (config->accounts->pdata[i] != config->imap)
            account_free(config->accounts->pdata[i]);
    }
    g_clear_pointer(&config->accounts, g_ptr_array_unref);
    account_free(config->imap);
    g_free(config->file);
    memset(config, 0, sizeof *config);
}
