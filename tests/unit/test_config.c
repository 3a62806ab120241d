#include "cli/config.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>

static char *directory;

static char *write_file(const char *name, const char *text, guint mode)
{
    char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, (mode_t)mode), ==, 0);
    return path;
}

static gboolean load(struct config *config, const char *text, guint mode, const char *variable,
                     const char *setting, GError **error)
{
    g_autofree char *path = text ? write_file("test.conf", text, mode) : NULL;
    g_autofree char *nowhere = g_strconcat("XDG_CONFIG_HOME=", directory, NULL);
    char *environment[] = {nowhere, (char *)variable, NULL};
    char *settings[] = {(char *)setting, NULL};
    return config_load(config, path, environment, settings, error);
}

static void test_defaults(void)
{
    struct config config;
    g_autoptr(GError) error = NULL;
    load(&config, "", 0644, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(config.database);
    g_assert_null(config.imap->host);
    g_assert_cmpstr(config.imap->security, ==, "tls");
    g_assert_cmpstr(config.imap->folders[0], ==, "INBOX");
    g_assert_null(config.imap->folders[1]);
    g_assert_cmpuint(config.accounts->len, ==, 1);
    g_assert_true(config.accounts->pdata[0] == config.imap);
    g_assert_cmpstr(config.imap->after, ==, "move");
    g_assert_cmpstr(config.imap->processed, ==, "Processed");
    g_assert_cmpstr(config.imap->problems, ==, "Problems");
    g_assert_cmpuint(config.imap->port, ==, 0);
    g_assert_cmpuint(config.imap->timeout, ==, 60);
    g_assert_cmpuint(config.imap->batch, ==, 500);
    g_assert_true(memcmp(&config.limits, &limits_default, sizeof limits_default) == 0);
    config_clear(&config);
}

/* Later wins, and an empty value is none. */
static void test_order(void)
{
    static const struct {
        const char *file, *variable, *setting, *host;
    } cases[] = {
        {"[imap]\nhost = file\n", NULL, NULL, "file"},
        {"[imap]\nhost=file\n", "WHOSENDS_IMAP_HOST=variable", NULL, "variable"},
        {"[imap]\nhost = file\n", "WHOSENDS_IMAP_HOST=", NULL, "file"},
        {"[imap]\nhost = file\n", "WHOSENDS_IMAP_HOST=variable", "imap.host=option", "option"},
        {"[imap]\nhost = file\n", NULL, "imap.host=", NULL},
        {"# a comment\n\n[imap]\nhost =   spaces around   \n[whosends]\n", NULL, NULL, "spaces around"},
        {"[imap]\r\nhost = carriage\r\n", NULL, NULL, "carriage"},
        {"[imap]\nhost = with = sign # and no comment \\n \"\n", NULL, NULL,
         "with = sign # and no comment \\n \""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct config config;
        g_autoptr(GError) error = NULL;
        load(&config, cases[i].file, 0600, cases[i].variable, cases[i].setting, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(config.imap->host, ==, cases[i].host);
        config_clear(&config);
    }
}

static gboolean is_list(const struct config_key *key)
{
    return key->kind == CONFIG_WORDS || key->kind == CONFIG_DOMAINS || key->kind == CONFIG_FOLDERS;
}

/* Every key of the table: as a variable and as a setting. */
static void test_every_key(void)
{
    for (const struct config_key *key = config_keys; key->group; key++) {
        const char *value = key->kind == CONFIG_NUMBER   ? "77"
                            : key->kind == CONFIG_CHOICE ? strrchr(key->range, ' ') + 1
                            : is_list(key)               ? "a.example"
                                                         : "/text";
        g_autofree char *variable = config_variable(key->group, key->name);
        g_autofree char *in_variable = g_strconcat(variable, "=", value, NULL);
        g_autofree char *in_setting = g_strconcat(key->group, ".", key->name, "=", value, NULL);
        for (guint way = 0; way < 2; way++) {
            struct config config;
            g_autoptr(GError) error = NULL;
            load(&config, "", 0600, way ? NULL : in_variable, way ? in_setting : NULL, &error);
            if (key->kind == CONFIG_SECRET) {
                const int code = way ? WS_ERROR_USAGE : WS_ERROR_CONFIG;
                g_assert_error(error, WS_ERROR, code);
                g_assert_null(strstr(error->message, "/text"));
            } else {
                g_assert_no_error(error);
                const gboolean imap = strcmp(key->group, "imap") == 0;
                const void *base = imap ? (void *)config.imap : &config;
                const enum config_origin *origins = imap ? config.imap->origins : config.origins;
                if (key->kind == CONFIG_NUMBER)
                    g_assert_cmpuint(G_STRUCT_MEMBER(guint, base, key->offset), ==, 77);
                else if (is_list(key))
                    g_assert_cmpstr(G_STRUCT_MEMBER(char **, base, key->offset)[0], ==, value);
                else
                    g_assert_cmpstr(G_STRUCT_MEMBER(char *, base, key->offset), ==, value);
                g_assert_cmpint(origins[key - config_keys], ==, way ? ORIGIN_OPTION : ORIGIN_ENVIRONMENT);
            }
            config_clear(&config);
        }
    }
}

/* Lists: blanks and commas, what is no domain, and nothing at all. */
static void test_lists(void)
{
    static const struct {
        const char *setting, *domains, *ids;
    } cases[] = {
        {"whosends.domains=a.example, B.Example.,,\tm\xc3\xbc.example",
         "a.example b.example xn--m-eha.example", NULL},
        {"whosends.domains= , ", NULL, NULL},
        {"whosends.domains=", NULL, NULL},
        {"whosends.trusted_authserv_id=MX.example mx2", NULL, "MX.example mx2"},
        {"whosends.domains=a.example,b@,(c)", "refused", NULL},
        {"whosends.domains=a..example", "refused", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct config config;
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].setting);
        gboolean ok = load(&config, "", 0600, NULL, cases[i].setting, &error);
        if (g_strcmp0(cases[i].domains, "refused") == 0) {
            g_assert_false(ok);
            g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
        } else {
            g_assert_no_error(error);
            g_autofree char *domains = config.domains ? g_strjoinv(" ", config.domains) : NULL;
            g_autofree char *ids = config.authserv_ids ? g_strjoinv(" ", config.authserv_ids) : NULL;
            g_assert_cmpstr(domains, ==, cases[i].domains);
            g_assert_cmpstr(ids, ==, cases[i].ids);
        }
        config_clear(&config);
    }
}

static void test_every_limit(void)
{
    for (const struct limit_row *row = limit_rows; row->name; row++) {
        g_autofree char *text = g_strdup_printf("[limits]\n%s = 3k\n", row->name);
        struct config config;
        g_autoptr(GError) error = NULL;
        load(&config, text, 0644, NULL, NULL, &error);
        g_assert_no_error(error);
        guint64 value = row->wide ? G_STRUCT_MEMBER(guint64, &config.limits, row->offset)
                                  : G_STRUCT_MEMBER(guint, &config.limits, row->offset);
        g_assert_cmpuint(value, ==, 3072);
        config_clear(&config);
    }
}

static const struct {
    const char *file, *variable, *setting;
    guint mode;
    int code;
    const char *names;
} bad[] = {
    {"[imap]\nhots = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "did you mean 'host'?"},
    {"[imapp]\nhost = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "did you mean imap"},
    {"[other]\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "unknown group [other]"},
    {"[whosends]\nhost = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "it belongs into group [imap]"},
    {"[limits]\nmesage_size = 1\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "did you mean 'message_size'?"},
    {"[imap a b]\nhost = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG,
     "cannot use 'a b' as the name of an account"},
    {"[imap imap]\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "and is not imap"},
    {"[imap b]\nhots = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "unknown key 'hots' in group [imap b]"},
    {"[imap b]\nport = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "imap b.port"},
    {"[imap b]\npassword = secretword\n", NULL, NULL, 0640, WS_ERROR_CONFIG, "imap b.password"},
    {"", NULL, "imap b.password=secretword", 0600, WS_ERROR_USAGE, "imap b.password_file"},
    {"", NULL, "imap .host=x", 0600, WS_ERROR_USAGE, "cannot use '' as the name"},
    {"host = x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "line 1"},
    {"[imap]\n\nsecretword\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "line 3"},
    {"[imap]\nport = 70000\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "imap.port"},
    {"[imap]\nport = -1\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "imap.port"},
    {"[imap]\nport = 99x\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "from 0 to 65535"},
    {"[imap]\nafter = mvoe\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "did you mean 'move'?"},
    {"[imap]\nsecurity = none\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "tls, starttls"},
    {"[imap]\nuser = \xff\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "UTF-8"},
    {"[limits]\nrecords = 1T\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "limits.records"},
    {"[limits]\nrecords = 18446744073709551615\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "limits.records"},
    {"[limits]\nxml_depth = 4G\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "limits.xml_depth"},
    {"[limits]\nxml_depth = K\n", NULL, NULL, 0600, WS_ERROR_CONFIG, "limits.xml_depth"},
    {"[imap]\npassword = secretword\n", NULL, NULL, 0640, WS_ERROR_CONFIG, "chmod 600"},
    {"[imap]\npassword = secretword\n", NULL, NULL, 0604, WS_ERROR_CONFIG, "chmod 600"},
    {"[whosends]\ndatabase = host=db password=secretword\n", NULL, NULL, 0644, WS_ERROR_CONFIG, "chmod 600"},
    {"[whosends]\ndatabase = postgresql://me:secretword@db/dmarc\n", NULL, NULL, 0644, WS_ERROR_CONFIG,
     "chmod"},
    {"", NULL, NULL, 0646, WS_ERROR_CONFIG, "others may write"},
    {"", "WHOSENDS_IMAP_PORT=x", NULL, 0600, WS_ERROR_CONFIG, "WHOSENDS_IMAP_PORT"},
    {"", NULL, "imap.port=x", 0600, WS_ERROR_USAGE, "imap.port"},
    {"", NULL, "imap.prot=1", 0600, WS_ERROR_USAGE, "did you mean 'port'?"},
    {"", NULL, "port=1", 0600, WS_ERROR_USAGE, "GROUP.KEY=VALUE"},
    {"", NULL, "imap.host", 0600, WS_ERROR_USAGE, "GROUP.KEY=VALUE"},
    {"", NULL, "imap.password=secretword", 0600, WS_ERROR_USAGE, "others could see it"},
};

static void test_bad(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct config config;
        g_autoptr(GError) error = NULL;
        g_assert_false(load(&config, bad[i].file, bad[i].mode, bad[i].variable, bad[i].setting, &error));
        g_assert_error(error, WS_ERROR, bad[i].code);
        if (!strstr(error->message, bad[i].names))
            g_error("'%s' does not hold '%s'", error->message, bad[i].names);
        g_assert_null(strstr(error->message, "secretword"));
        config_clear(&config);
    }
}

static void test_files(void)
{
    g_autofree char *users = g_build_filename(directory, "xdg", "whosends", NULL);
    g_autofree char *file = g_build_filename(users, "whosends.conf", NULL);
    g_autofree char *other = write_file("other.conf", "[imap]\nhost = other\nca_file = own/ca.pem\n", 0644);
    g_autofree char *variable = g_strconcat("WHOSENDS_CONFIG=", other, NULL);
    g_autofree char *xdg = g_strdup_printf("XDG_CONFIG_HOME=%s/xdg", directory);
    g_autofree char *ca = g_build_filename(directory, "own", "ca.pem", NULL);
    g_assert_cmpint(g_mkdir_with_parents(users, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "[imap]\nhost = user\n", -1, NULL));
    char *with_variable[] = {xdg, variable, NULL}, *without[] = {xdg, NULL};
    struct config config;
    g_assert_true(config_load(&config, NULL, without, NULL, NULL));
    g_assert_cmpstr(config.imap->host, ==, "user");
    g_assert_cmpstr(config.file, ==, file);
    config_clear(&config);
    g_assert_true(config_load(&config, NULL, with_variable, NULL, NULL));
    g_assert_cmpstr(config.imap->host, ==, "other");
    g_assert_cmpstr(config.imap->ca_file, ==, ca);
    config_clear(&config);
    g_assert_true(config_load(&config, file, with_variable, NULL, NULL));
    g_assert_cmpstr(config.imap->host, ==, "user");
    config_clear(&config);
    g_autoptr(GError) error = NULL;
    g_assert_false(config_load(&config, "/nowhere/whosends.conf", without, NULL, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_CONFIG);
    config_clear(&config);
    g_remove(file);
}

static void test_conninfo(void)
{
    static const struct {
        const char *conninfo;
        gboolean secret;
    } cases[] = {
        {"dbname=dmarc", FALSE},
        {"host=/run user=me passfile=/x/password", FALSE},
        {"password=x", TRUE},
        {"host=a password = x", TRUE},
        {"sslpassword='x'", TRUE},
        {"postgresql://me@db/dmarc", FALSE},
        {"postgresql://db:5432/dmarc", FALSE},
        {"postgresql://me@db:5432/dmarc", FALSE},
        {"postgresql://db:5432/dmarc?application_name=a@b", FALSE},
        {"postgresql://me:x@db/dmarc", TRUE},
        {"postgres://me:x@db", TRUE},
        {"postgresql://db/dmarc?password=x", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(config_conninfo_secret(cases[i].conninfo), ==, cases[i].secret);
}

/* Accounts: what they have from [imap], what not, and which there are. */
static void test_accounts(void)
{
    static const char text[] = "[imap]\n"
                               "host = a.example\npassword = first\nuser = me\ntimeout = 5\n"
                               "ca_file = /ca\nmailbox = INBOX | Reports/2024, old|\n"
                               "[imap second@b.example]\n"
                               "host = b.example\ntimeout =\nmailbox = Other\n"
                               "[imap third]\n";
    struct config config;
    g_autoptr(GError) error = NULL;
    load(&config, text, 0600, "WHOSENDS_IMAP_AFTER=flag", "imap second@b.example.batch=7", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(config.accounts->len, ==, 3);
    const struct account *first = config_account(&config, "imap", NULL),
                         *second = config_account(&config, "second@b.example", NULL),
                         *third = config_account(&config, "third", NULL);
    g_assert_true(first == config.imap && first == config.accounts->pdata[0]);
    g_assert_true(second == config.accounts->pdata[1] && third == config.accounts->pdata[2]);
    g_assert_cmpstr(first->folders[0], ==, "INBOX");
    g_assert_cmpstr(first->folders[1], ==, "Reports/2024, old");
    g_assert_null(first->folders[2]);
    g_assert_cmpstr(second->host, ==, "b.example");
    g_assert_cmpstr(second->ca_file, ==, "/ca");
    g_assert_cmpstr(second->after, ==, "flag");
    g_assert_cmpstr(second->folders[0], ==, "Other");
    g_assert_cmpuint(second->timeout, ==, 60);
    g_assert_cmpuint(second->batch, ==, 7);
    g_assert_null(second->user);
    g_assert_null(second->password);
    g_assert_null(third->host);
    g_assert_cmpuint(third->timeout, ==, 5);
    g_assert_cmpuint(third->batch, ==, 500);
    g_assert_cmpstr(third->folders[1], ==, "Reports/2024, old");
    g_assert_true(account_is_bound(first));
    g_assert_false(account_is_bound(second));
    g_assert_null(config_account(&config, "thirt", &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "did you mean 'third'"));
    config_clear(&config);
}

/* Each key: whether an account has it from [imap]. What it has not binds [imap] to its host, unless it is
 * the host or the user. */
static void test_own(void)
{
    static const char *const secrets[] = {"password",
                                          "password_file",
                                          "password_command",
                                          "token_command",
                                          "token_url",
                                          "client_id",
                                          "client_secret",
                                          "client_secret_file",
                                          "client_secret_command",
                                          "refresh_token",
                                          "refresh_token_file",
                                          "refresh_token_command",
                                          "proxy_password_file",
                                          NULL};
    int found = 0;
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (strcmp(key->group, "imap") != 0)
            continue;
        const gboolean secret = g_strv_contains(secrets, key->name);
        const gboolean own = secret || strcmp(key->name, "host") == 0 || strcmp(key->name, "user") == 0;
        const char *value = key->kind == CONFIG_NUMBER   ? "77"
                            : key->kind == CONFIG_CHOICE ? strrchr(key->range, ' ') + 1
                                                         : "/text";
        g_autofree char *text = g_strdup_printf("[imap]\n%s = %s\n[imap other]\n", key->name, value);
        struct config config;
        g_autoptr(GError) error = NULL;
        load(&config, text, 0600, NULL, NULL, &error);
        g_assert_no_error(error);
        const struct account *other = config_account(&config, "other", NULL);
        g_test_message("%s", key->name);
        g_assert_cmpint(config.imap->origins[key - config_keys], ==, ORIGIN_FILE);
        g_assert_cmpint(other->origins[key - config_keys], ==, own ? ORIGIN_DEFAULT : ORIGIN_FILE);
        if (own)
            g_assert_null(G_STRUCT_MEMBER(char *, other, key->offset));
        g_assert_cmpint(account_is_bound(config.imap), ==, secret);
        g_assert_false(account_is_bound(other));
        found += secret;
        config_clear(&config);
    }
    g_assert_cmpint(found, ==, G_N_ELEMENTS(secrets) - 1);
}

/* [imap] without a user is what the others have in common, and nothing to read. */
static void test_common(void)
{
    struct config config;
    load(&config, "[imap]\nsecurity = starttls\n[imap b]\nuser = me\n", 0600, NULL, NULL, NULL);
    g_assert_cmpuint(config.accounts->len, ==, 1);
    struct account *copy = account_copy(config.accounts->pdata[0]);
    config_clear(&config);
    g_assert_cmpstr(copy->name, ==, "b");
    g_assert_cmpstr(copy->security, ==, "starttls");
    g_assert_cmpstr(copy->user, ==, "me");
    account_free(copy);
}

static void remove_directory(void)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *below = g_build_filename(path, "whosends", NULL);
        g_rmdir(below);
        g_remove(path);
    }
    g_rmdir(directory);
    g_free(directory);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    directory = g_dir_make_tmp("whosends-config-XXXXXX", NULL);
    g_assert_nonnull(directory);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/order", test_order);
    g_test_add_func("/config/every-key", test_every_key);
    g_test_add_func("/config/every-limit", test_every_limit);
    g_test_add_func("/config/lists", test_lists);
    g_test_add_func("/config/bad", test_bad);
    g_test_add_func("/config/files", test_files);
    g_test_add_func("/config/conninfo", test_conninfo);
    g_test_add_func("/config/accounts", test_accounts);
    g_test_add_func("/config/own", test_own);
    g_test_add_func("/config/common", test_common);
    int status = g_test_run();
    remove_directory();
    return status;
}
