#include "cli/login.h"

#include "parser/error.h"
#include "reports/render.h"

#include <string.h>

gboolean login_is_complete(const struct account *account, GError **error)
{
    g_autofree char *group = account_group(account);
    if (account->host && account->user)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                "%s.%s is not configured\nhint: see whosends.conf(5) for the mailbox", group,
                account->host ? "user" : "host");
    return FALSE;
}

struct login {
    const struct config *config;
    const struct account *account;
    char *group; /* for messages */
    enum imap_auth auth;
    char *password, *proxy_password;
    GPtrArray *names; /* that the places below point to */
    struct token_settings settings;
    struct token *token;
    int stop_fd; /* 0: none */
};

/* A string that lives as long as the login. Takes it. */
static const char *hold(struct login *login, char *text)
{
    g_ptr_array_add(login->names, text);
    return text;
}

/* Names a secret in messages, and its systemd credential: "imap_password", of another account
 * "imap_password_NAME". */
static struct secret_place place_of(struct login *login, const char *key)
{
    const char *name = login->account->name;
    gboolean first = strcmp(name, "imap") == 0;
    return (struct secret_place){
        .name = hold(login, g_strconcat(login->group, ".", key, NULL)),
        .credential = hold(login, g_strconcat("imap_", key, first ? "" : "_", first ? "" : name, NULL))};
}

static gboolean get_password(struct login *login, GError **error)
{
    const struct account *account = login->account;
    struct secret_place place = place_of(login, "password");
    place.text = account->password;
    place.file = account->password_file;
    place.command = account->password_command;
    GError *broken = NULL;
    login->password = secret_get(&place, &broken);
    if (!login->password && !broken) {
        g_autofree char *user = render_safe(account->user), *host = render_safe(account->host);
        g_autofree char *hint = account->token_url || account->token_command
                                    ? g_strconcat(login->group, ".auth to xoauth2 or oauthbearer", NULL)
                                    : g_strdup_printf("%s_file or %s_command", place.name, place.name);
        g_set_error(&broken, WS_ERROR, WS_ERROR_CONFIG,
                    "no password is configured for '%s' at '%s'\n"
                    "hint: set %s, see whosends.conf(5)",
                    user, host, hint);
    }
    if (broken)
        g_propagate_error(error, broken);
    return login->password != NULL;
}

static gboolean get_proxy(struct login *login, GError **error)
{
    const struct account *account = login->account;
    struct secret_place place = place_of(login, "proxy_password");
    place.file = account->proxy_password_file;
    /* What it is is not shown: it may hold a password. */
    if (account->proxy && !route_is_proxy(account->proxy)) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot use %s.proxy: it is not of the form socks5h://[USER@]HOST:PORT\n"
                    "hint: socks5h, socks5 or http; a password belongs into proxy_password_file",
                    login->group);
        return FALSE;
    }
    if (!account->proxy || !route_proxy_has_user(account->proxy))
        return TRUE;
    GError *broken = NULL;
    login->proxy_password = secret_get(&place, &broken);
    if (!login->proxy_password && !broken)
        g_set_error(&broken, WS_ERROR, WS_ERROR_CONFIG,
                    "%s.proxy names a user, and %s_file is not configured", login->group, place.name);
    if (broken)
        g_propagate_error(error, broken);
    return login->proxy_password != NULL;
}

static gboolean get_token(struct login *login, GError **error)
{
    const struct account *account = login->account;
    struct token_settings *settings = &login->settings;
    if (account->password || account->password_file || account->password_command) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "a password is configured for %s, and %s.auth = %s takes none", login->group,
                    login->group, account->auth);
        return FALSE;
    }
    settings->name = login->group;
    settings->url = account->token_url;
    settings->client_id = account->client_id;
    settings->scope = account->scope;
    settings->token = (struct secret_place){.name = hold(login, g_strconcat(login->group, ".token", NULL)),
                                            .command = account->token_command};
    settings->client_secret = place_of(login, "client_secret");
    settings->client_secret.text = account->client_secret;
    settings->client_secret.file = account->client_secret_file;
    settings->client_secret.command = account->client_secret_command;
    settings->refresh_token = place_of(login, "refresh_token");
    settings->refresh_token.text = account->refresh_token;
    settings->refresh_token.file = account->refresh_token_file;
    settings->refresh_token.command = account->refresh_token_command;
    settings->route = (struct route){.ca_file = account->ca_file,
                                     .proxy = account->proxy,
                                     .proxy_password = login->proxy_password,
                                     .timeout = account->timeout};
    login->token = token_new(settings, error);
    return login->token != NULL;
}

struct login *login_open(const struct config *config, const struct account *account, GError **error)
{
    if (!login_is_complete(account, error))
        return NULL;
    struct login *login = g_new0(struct login, 1);
    login->config = config;
    login->account = account;
    login->group = account_group(account);
    login->names = g_ptr_array_new_with_free_func(g_free);
    login->auth = strcmp(account->auth, "xoauth2") == 0       ? IMAP_AUTH_XOAUTH2
                  : strcmp(account->auth, "oauthbearer") == 0 ? IMAP_AUTH_OAUTHBEARER
                                                              : IMAP_AUTH_PASSWORD;
    if (get_proxy(login, error) &&
        (login->auth == IMAP_AUTH_PASSWORD ? get_password(login, error) : get_token(login, error)))
        return login;
    login_close(login);
    return NULL;
}

void login_close(struct login *login)
{
    if (!login)
        return;
    token_free(login->token);
    secret_free(login->password);
    secret_free(login->proxy_password);
    g_ptr_array_unref(login->names);
    g_free(login->group);
    g_free(login);
}

const struct account *login_account(const struct login *login)
{
    return login->account;
}

const struct limits *login_limits(const struct login *login)
{
    return &login->config->limits;
}

void login_stop_by(struct login *login, int fd)
{
    login->stop_fd = fd;
}

struct imap_settings login_settings(const struct login *login)
{
    const struct account *account = login->account;
    return (struct imap_settings){.host = account->host,
                                  .port = account->port,
                                  .starttls = strcmp(account->security, "starttls") == 0,
                                  .user = account->user,
                                  .auth = login->auth,
                                  .password = login->password,
                                  .token = login->token,
                                  .proxy = account->proxy,
                                  .proxy_password = login->proxy_password,
                                  .ca_file = account->ca_file,
                                  .timeout = account->timeout,
                                  .batch = account->batch,
                                  .renew = account->poll,
                                  .stop_fd = login->stop_fd};
}
