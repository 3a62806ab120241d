#include "cli/config.h"

#include "cli/nearest.h"
#include "parser/domain.h"
#include "parser/error.h"
#include "reports/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MOST (1024 * 1024)
#define SYSTEM_FILE "/etc/whosends/whosends.conf"
#define AT(member) G_STRUCT_OFFSET(struct config, member)

const struct config_key config_keys[] = {
    {"whosends", "database", CONFIG_TEXT, AT(database), NULL, NULL,
     "conninfo or URI of the PostgreSQL database; without it, a private cluster is used"},
    {"whosends", "data_directory", CONFIG_PATH, AT(data_directory), NULL, NULL,
     "where the private cluster lives"},
    {"whosends", "trusted_authserv_id", CONFIG_WORDS, AT(authserv_ids), NULL, NULL,
     "names of one's own mail servers in Authentication-Results"},
    {"whosends", "domains", CONFIG_DOMAINS, AT(domains), NULL, NULL,
     "our domains; reports about others are flagged"},
    {"whosends", "keep_subject", CONFIG_CHOICE, AT(keep_subject), "hashed", "hashed kept dropped",
     "what is kept of the subject of a message that a failure report is about"},
    {"imap", "host", CONFIG_TEXT, AT(host), NULL, NULL, "the mail server"},
    {"imap", "port", CONFIG_NUMBER, AT(port), "0", "0 65535", "its port; 0: 993 for tls, 143 for starttls"},
    {"imap", "security", CONFIG_CHOICE, AT(security), "tls", "tls starttls",
     "TLS from the first byte, or after STARTTLS, which is then required"},
    {"imap", "user", CONFIG_TEXT, AT(user), NULL, NULL, "the login name"},
    {"imap", "password", CONFIG_SECRET, AT(password), NULL, NULL,
     "the password, only in a file that nobody else may read"},
    {"imap", "password_file", CONFIG_PATH, AT(password_file), NULL, NULL,
     "a file whose first line is the password, and that nobody else may read"},
    {"imap", "password_command", CONFIG_TEXT, AT(password_command), NULL, NULL,
     "a shell command whose first line of output is the password"},
    {"imap", "ca_file", CONFIG_PATH, AT(ca_file), NULL, NULL,
     "certificates to trust instead of the system's"},
    {"imap", "mailbox", CONFIG_TEXT, AT(mailbox), "INBOX", NULL, "the folder that reports arrive in"},
    {"imap", "after", CONFIG_CHOICE, AT(after), "move", "leave flag move delete",
     "what becomes of mail that is in the ledger"},
    {"imap", "processed", CONFIG_TEXT, AT(processed), "Processed", NULL, "where mail is moved"},
    {"imap", "problems", CONFIG_TEXT, AT(problems), "Problems", NULL,
     "where mail that is a problem is moved"},
    {"imap", "timeout", CONFIG_NUMBER, AT(timeout), "60", "1 3600", "seconds to wait for the server"},
    {"imap", "batch", CONFIG_NUMBER, AT(batch), "500", "1 10000", "mails asked for at once"},
    {NULL, NULL, CONFIG_TEXT, 0, NULL, NULL, NULL},
};

G_STATIC_ASSERT(G_N_ELEMENTS(config_keys) == CONFIG_KEYS);

/* Where a value stands: for messages, and for what it may be. */
struct place {
    enum config_origin origin;
    const char *name;      /* "'/etc/whosends/whosends.conf'", "WHOSENDS_IMAP_HOST", "--set" */
    const char *directory; /* of the file, else NULL */
    gboolean readable;     /* the file may be read by others */
};

static gboolean refuse(GError **error, const struct place *place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean refuse(GError **error, const struct place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, WS_ERROR, place->origin == ORIGIN_OPTION ? WS_ERROR_USAGE : WS_ERROR_CONFIG,
                        message);
    return FALSE;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

gboolean config_conninfo_secret(const char *conninfo)
{
    for (const char *at = strstr(conninfo, "password"); at; at = strstr(at + 1, "password")) {
        const char *after = at + strlen("password");
        if (after[strspn(after, " \t")] == '=')
            return TRUE;
    }
    const char *authority = strstr(conninfo, "://");
    if (!authority ||
        (!g_str_has_prefix(conninfo, "postgres://") && !g_str_has_prefix(conninfo, "postgresql://")))
        return FALSE;
    authority += 3;
    gsize length = strcspn(authority, "/?#");
    const char *user_end = memchr(authority, '@', length);
    const char *colon = memchr(authority, ':', length);
    return user_end && colon && colon < user_end;
}

/* --- one value --- */

static char *resolve_path(const char *value, const struct place *place)
{
    if (g_str_has_prefix(value, "~/"))
        return g_build_filename(g_get_home_dir(), value + 2, NULL);
    if (place->directory && !g_path_is_absolute(value))
        return g_build_filename(place->directory, value, NULL);
    return g_strdup(value);
}

static gboolean set_number(const struct config_key *key, const char *value, guint *number_r,
                           const struct place *place, GError **error)
{
    g_auto(GStrv) bounds = g_strsplit(key->range, " ", 2);
    guint64 least = g_ascii_strtoull(bounds[0], NULL, 10), most = g_ascii_strtoull(bounds[1], NULL, 10),
            number;
    if (!g_ascii_string_to_unsigned(value, 10, least, most, &number, NULL)) {
        g_autofree char *safe = render_safe(value);
        return refuse(error, place, "cannot use '%s' for %s.%s (%s): it takes a number from %s to %s", safe,
                      key->group, key->name, place->name, bounds[0], bounds[1]);
    }
    *number_r = (guint)number;
    return TRUE;
}

static gboolean check_choice(const struct config_key *key, const char *value, const struct place *place,
                             GError **error)
{
    g_auto(GStrv) words = g_strsplit(key->range, " ", -1);
    if (g_strv_contains((const char *const *)words, value))
        return TRUE;
    g_autofree char *safe = render_safe(value);
    const char *near = nearest_word(value, (const char *const *)words);
    g_autofree char *list = g_strjoinv(", ", words);
    return refuse(error, place, "cannot use '%s' for %s.%s (%s): it takes one of %s%s%s%s", safe, key->group,
                  key->name, place->name, list, near ? "\nhint: did you mean '" : "", near ? near : "",
                  near ? "'?" : "");
}

static gboolean check_secret(const struct config_key *key, const char *value, const struct place *place,
                             GError **error)
{
    gboolean secret =
        key->kind == CONFIG_SECRET || (key->offset == AT(database) && config_conninfo_secret(value));
    if (key->kind == CONFIG_SECRET && place->origin != ORIGIN_FILE)
        return refuse(error, place,
                      "cannot take %s.%s from %s: others could see it\nhint: use %s.password_file or "
                      "%s.password_command",
                      key->group, key->name, place->name, key->group, key->group);
    if (secret && place->readable)
        return refuse(
            error, place,
            "cannot use %s.%s: %s holds a password and may be read by others\nhint: chmod 600 it, or "
            "put the password into a file of its own",
            key->group, key->name, place->name);
    return TRUE;
}

/* Splits a list; *words_r is NULL for an empty one. */
static gboolean set_words(const struct config_key *key, const char *value, char ***words_r,
                          const struct place *place, GError **error)
{
    g_auto(GStrv) parts = g_strsplit_set(value ? value : "", " \t,", -1);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    guint n = 0;
    for (char **part = parts; *part; part++) {
        gboolean good = TRUE;
        if (!**part)
            continue;
        g_autofree char *word =
            key->kind == CONFIG_DOMAINS ? domain_normalise(*part, &good) : g_strdup(*part);
        if (!good || !*word) {
            g_autofree char *safe = render_safe(*part);
            return refuse(error, place, "cannot use '%s' for %s.%s (%s): it cannot be a domain", safe,
                          key->group, key->name, place->name);
        }
        g_strv_builder_add(words, word);
        n++;
    }
    g_strfreev(*words_r);
    *words_r = n ? g_strv_builder_end(words) : NULL;
    return TRUE;
}

static gboolean set_key(struct config *config, const struct config_key *key, const char *value,
                        const struct place *place, GError **error)
{
    if (!*value)
        value = key->initial;
    char *text = NULL;
    if (value && !g_utf8_validate(value, -1, NULL))
        return refuse(error, place, "cannot use the value of %s.%s (%s): it is not UTF-8", key->group,
                      key->name, place->name);
    if (key->kind == CONFIG_NUMBER) {
        if (!set_number(key, value, G_STRUCT_MEMBER_P(config, key->offset), place, error))
            return FALSE;
    } else if (key->kind == CONFIG_WORDS || key->kind == CONFIG_DOMAINS) {
        if (!set_words(key, value, G_STRUCT_MEMBER_P(config, key->offset), place, error))
            return FALSE;
    } else {
        if (value && (!check_secret(key, value, place, error) ||
                      (key->kind == CONFIG_CHOICE && !check_choice(key, value, place, error))))
            return FALSE;
        if (value)
            text = key->kind == CONFIG_PATH ? resolve_path(value, place) : g_strdup(value);
        char **slot = G_STRUCT_MEMBER_P(config, key->offset);
        wipe(*slot);
        *slot = text;
    }
    config->origins[key - config_keys] = place->origin;
    return TRUE;
}

/* Digits, and K, M or G for powers of 1024. */
static gboolean parse_size(const char *value, guint64 most, guint64 *size_r)
{
    static const char units[] = "KMG";
    gsize length = strlen(value);
    const char *unit = length ? strchr(units, g_ascii_toupper(value[length - 1])) : NULL;
    guint shift = unit ? 10 * (guint)(unit - units + 1) : 0;
    g_autofree char *digits = g_strndup(value, unit ? length - 1 : length);
    if (!g_ascii_string_to_unsigned(digits, 10, 0, most >> shift, size_r, NULL))
        return FALSE;
    *size_r <<= shift;
    return TRUE;
}

static gboolean set_limit(struct config *config, const struct limit_row *row, const char *value,
                          const struct place *place, GError **error)
{
    guint64 most = row->wide ? G_MAXINT64 : G_MAXUINT, size;
    if (!*value)
        return limits_set(&config->limits, row->name,
                          row->wide ? G_STRUCT_MEMBER(guint64, &limits_default, row->offset)
                                    : G_STRUCT_MEMBER(guint, &limits_default, row->offset));
    if (parse_size(value, most, &size))
        return limits_set(&config->limits, row->name, size);
    g_autofree char *safe = render_safe(value);
    return refuse(
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
    static const char *const groups[] = {"whosends", "imap", "limits", NULL};
    g_autofree char *safe_group = render_safe(group), *safe = render_safe(name);
    if (!g_strv_contains(groups, group)) {
        const char *near = nearest_word(group, groups);
        return refuse(error, place, "unknown group [%s] in %s\nhint: %s%s", safe_group, place->name,
                      near ? "did you mean " : "the groups are whosends, imap and limits", near ? near : "");
    }
    g_autoptr(GPtrArray) names = names_of(group);
    const char *near = nearest_word(name, (const char *const *)names->pdata);
    for (guint i = 0; !near && groups[i]; i++) {
        g_autoptr(GPtrArray) others = names_of(groups[i]);
        if (g_strv_contains((const char *const *)others->pdata, name))
            return refuse(error, place,
                          "unknown key '%s' in group [%s] of %s\nhint: it belongs into group [%s]", safe,
                          safe_group, place->name, groups[i]);
    }
    return refuse(error, place, "unknown key '%s' in group [%s] of %s%s%s%s", safe, safe_group, place->name,
                  near ? "\nhint: did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static gboolean set_by_name(struct config *config, const char *group, const char *name, const char *value,
                            const struct place *place, GError **error)
{
    const struct limit_row *limit = strcmp(group, "limits") == 0 ? find_limit(name) : NULL;
    if (limit)
        return set_limit(config, limit, value, place, error);
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (strcmp(key->group, group) == 0 && strcmp(key->name, name) == 0)
            return set_key(config, key, value, place, error);
    }
    return unknown_name(group, name, place, error);
}

gboolean config_setting(struct config *config, const char *setting, GError **error)
{
    const struct place place = {.origin = ORIGIN_OPTION, .name = "--set"};
    const char *equals = strchr(setting, '=');
    const char *dot = equals ? memchr(setting, '.', (gsize)(equals - setting)) : NULL;
    if (!dot) {
        g_autofree char *safe = g_strndup(setting, equals ? (gsize)(equals - setting) : strlen(setting));
        g_autofree char *name = render_safe(safe);
        return refuse(error, &place, "cannot read --set '%s': it takes GROUP.KEY=VALUE", name);
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
        if (!names || !names[0]) {
            g_autoptr(GPtrArray) known = names_of(*group);
            if (known->len == 1)
                return unknown_name(*group, "", place, error);
        }
        for (char **name = names; name && *name; name++) {
            char *value = g_key_file_get_value(keys, *group, *name, NULL);
            gboolean ok = set_by_name(config, *group, *name, g_strchomp(value), place, error);
            wipe(value);
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
        return refuse(error, place,
                      "cannot understand line %u of %s\nhint: lines are 'key = value', below a '[group]'",
                      line, place->name);
    if (text->len && !g_key_file_load_from_data(keys, text->str, text->len, G_KEY_FILE_NONE, &broken))
        return refuse(error, place, "cannot understand %s: it is not a key file", place->name);
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
        refuse(error, &place, "cannot read %s: %s", name, g_strerror(errno));
        g_clear_pointer(&file, fclose);
        return FALSE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    place.readable = (st.st_mode & 077) != 0;
    gboolean ok =
        S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH)
            ? refuse(error, &place, "cannot trust %s: others may write to it\nhint: chmod o-w it", name)
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
    const struct place nowhere = {.origin = ORIGIN_DEFAULT, .name = "default"};
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (!set_key(config, key, "", &nowhere, error))
            return FALSE;
    }
    if (!take_files(config, file, environment, error) || !take_environment(config, environment, error))
        return FALSE;
    for (; settings && *settings; settings++) {
        if (!config_setting(config, *settings, error))
            return FALSE;
    }
    return TRUE;
}

void config_clear(struct config *config)
{
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (key->kind == CONFIG_WORDS || key->kind == CONFIG_DOMAINS)
            g_strfreev(G_STRUCT_MEMBER(char **, config, key->offset));
        else if (key->kind != CONFIG_NUMBER)
            wipe(G_STRUCT_MEMBER(char *, config, key->offset));
    }
    g_free(config->file);
    memset(config, 0, sizeof *config);
}

enum config_origin config_origin_of(const struct config *config, gsize offset)
{
    for (guint i = 0; config_keys[i].group; i++) {
        if (config_keys[i].offset == offset)
            return config->origins[i];
    }
    return ORIGIN_DEFAULT;
}
