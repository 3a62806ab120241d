#include "cli/mailbox.h"

#include "cli/rules.h"
#include "db/place.h"
#include "ingest/secret.h"
#include "parser/error.h"

#include <string.h>

/* --- a URL --- */

gboolean mailbox_is_url(const char *argument)
{
    return g_str_has_prefix(argument, "imaps://") || g_str_has_prefix(argument, "imap://");
}

static gboolean refuse_url(GError **error, const char *why)
{
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "cannot use the mailbox URL: %s\nhint: imaps://USER@HOST/FOLDER", why);
    return FALSE;
}

static void replace(char **slot, const char *text)
{
    g_free(*slot);
    *slot = g_strdup(text);
}

static gboolean is_host(const struct account *account, const char *host)
{
    return account->host && g_ascii_strcasecmp(account->host, host) == 0;
}

/* The first account of that host, and of that user if there is one. */
static const struct account *account_for(const struct config *config, const char *host, const char *user)
{
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (is_host(account, host) && (!user || g_strcmp0(account->user, user) == 0))
            return account;
    }
    return config->imap;
}

/* The parts of a URL; all may be NULL. */
struct url {
    char *scheme, *user, *password, *host, *path, *query;
    int port;
};

static void url_clear(struct url *url)
{
    char *parts[] = {url->scheme, url->user, url->host, url->path, url->query};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        g_free(parts[i]);
    secret_free(url->password);
}

static struct account *take_url(const struct config *config, const struct url *url, GError **error)
{
    const struct account *like = account_for(config, url->host, url->user);
    if (like->host && !is_host(like, url->host) && account_is_bound(like)) {
        refuse_url(error, "the configured password or token is for another host");
        return NULL;
    }
    struct account *account = account_copy(like);
    replace(&account->host, url->host);
    replace(&account->security, strcmp(url->scheme, "imap") == 0 ? "starttls" : "tls");
    account->port = url->port > 0 ? (guint)url->port : 0;
    if (url->user)
        replace(&account->user, url->user);
    if (strlen(url->path) > 1) {
        g_strfreev(account->folders);
        account->folders = g_new0(char *, 2);
        account->folders[0] = g_strdup(url->path + 1);
    }
    return account;
}

struct account *mailbox_account_of_url(const struct config *config, const char *text, GError **error)
{
    struct account *account = NULL;
    struct url url = {.port = -1};
    gboolean ok = g_uri_split_with_user(text, G_URI_FLAGS_HAS_PASSWORD, &url.scheme, &url.user, &url.password,
                                        NULL, &url.host, &url.port, &url.path, &url.query, NULL, NULL);
    if (!ok || !url.host || !*url.host || url.query)
        refuse_url(error, "it is not of that form");
    else if (url.password)
        refuse_url(error, "it holds a password, which others could see");
    else
        account = take_url(config, &url, error);
    url_clear(&url);
    return account;
}

/* --- a folder --- */

static gboolean load_place(gpointer db, const char *mailbox, guint32 *uidvalidity, guint32 *uid,
                           GError **error)
{
    return place_load(db, mailbox, uidvalidity, uid, error);
}

static gboolean save_place(gpointer db, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error)
{
    return place_save(db, mailbox, uidvalidity, uid, error);
}

static gboolean lock_place(gpointer db, const char *name, gboolean *locked, GError **error)
{
    return place_lock(db, name, locked, error);
}

static gboolean unlock_place(gpointer db, const char *name, GError **error)
{
    return place_unlock(db, name, error);
}

struct mailbox *mailbox_open(struct login *login, struct db *db, const char *folder, const char *after,
                             GError **error)
{
    const struct account *account = login_account(login);
    struct mailbox *mailbox = g_new0(struct mailbox, 1);
    struct imap_settings settings = login_settings(login);
    mailbox->place = (struct imap_place){
        .load = load_place, .save = save_place, .lock = lock_place, .unlock = unlock_place, .data = db};
    settings.place = &mailbox->place;
    settings.mailbox = folder;
    if (rules_read(account, after, TRUE, &mailbox->rules, error))
        mailbox->source = source_open_imap(&settings, &mailbox->rules, login_limits(login), error);
    if (!mailbox->source)
        g_clear_pointer(&mailbox, g_free);
    return mailbox;
}

void mailbox_close(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    source_close(mailbox->source);
    g_free(mailbox);
}
