#include "ingest/token.h"

#include "ingest/label.h"
#include "parser/error.h"
#include "parser/json_members.h"

#include <string.h>
#include <unistd.h>

enum { QUOTED_MAX = 300, MARGIN = 60 /* seconds before the end */, BODY_SIZE = 128 * 1024 };

struct token {
    const struct token_settings *settings;
    char *server;   /* of the URL, for messages */
    char *access;   /* NULL: none */
    char *refresh;  /* a newer one than where it is kept, or NULL */
    char *secret;   /* these two: what the last request was made with, to keep it out of messages */
    char *spent;    /* the refresh token */
    gint64 expires; /* monotonic microseconds; 0: unknown */
    gboolean kept;  /* the last one was handed out from memory */
};

static gboolean fail(GError **error, enum ws_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **error, enum ws_error code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, WS_ERROR, (int)code, message);
    return FALSE;
}

/* --- the settings --- */

static char *server_of(const char *url)
{
    char *host = NULL, *user = NULL;
    int port = -1;
    gboolean good = g_uri_split(url, G_URI_FLAGS_NONE, NULL, &user, &host, &port, NULL, NULL, NULL, NULL) &&
                    g_str_has_prefix(url, "https://") && host && *host && !user;
    g_autofree char *safe = good ? label_safe(host, -1, QUOTED_MAX) : NULL;
    g_free(host);
    g_free(user);
    return safe ? g_strdup_printf("token server '%s'", safe) : NULL;
}

static gboolean check_settings(const struct token_settings *settings, GError **error)
{
    const char *name = settings->name;
    if (settings->token.command && settings->url)
        return fail(error, WS_ERROR_CONFIG, "both %s.token_command and %s.token_url are set", name, name);
    if (settings->token.command)
        return TRUE;
    if (!settings->url)
        return fail(error, WS_ERROR_CONFIG,
                    "no token is configured for %s\nhint: set %s.token_command or %s.token_url, see "
                    "whosends.conf(5)",
                    name, name, name);
    if (!settings->client_id)
        return fail(error, WS_ERROR_CONFIG, "%s.client_id is not configured", name);
    if (!secret_is_set(&settings->client_secret) && !secret_is_set(&settings->refresh_token))
        return fail(error, WS_ERROR_CONFIG,
                    "no secret is configured for %s.token_url\nhint: set %s.refresh_token_file or "
                    "%s.client_secret_file, see whosends.conf(5)",
                    name, name, name);
    return TRUE;
}

struct token *token_new(const struct token_settings *settings, GError **error)
{
    if (!check_settings(settings, error))
        return NULL;
    char *server = settings->url ? server_of(settings->url) : NULL;
    if (settings->url && !server) {
        fail(error, WS_ERROR_CONFIG, "cannot use %s.token_url: it takes https://HOST/PATH", settings->name);
        return NULL;
    }
    struct token *token = g_new0(struct token, 1);
    token->settings = settings;
    token->server = server;
    return token;
}

static void forget(struct token *token)
{
    g_clear_pointer(&token->access, secret_free);
    g_clear_pointer(&token->secret, secret_free);
    g_clear_pointer(&token->spent, secret_free);
    token->kept = FALSE;
    token->expires = 0;
}

void token_free(struct token *token)
{
    if (!token)
        return;
    forget(token);
    secret_free(token->refresh);
    g_free(token->server);
    g_free(token);
}

/* --- the request --- */

static void add_field(GString *body, const char *name, const char *value)
{
    if (!value)
        return;
    char *escaped = g_uri_escape_string(value, NULL, FALSE);
    if (body->len)
        g_string_append_c(body, '&');
    g_string_append(g_string_append(g_string_append(body, name), "="), escaped);
    secret_free(escaped);
}

/* FALSE with an error; either may be nowhere. */
static gboolean get_secrets(struct token *token, GError **error)
{
    const struct token_settings *settings = token->settings;
    GError *broken = NULL;
    token->secret = secret_get(&settings->client_secret, &broken);
    if (!broken)
        token->spent =
            token->refresh ? g_strdup(token->refresh) : secret_get(&settings->refresh_token, &broken);
    if (!broken)
        return TRUE;
    g_propagate_error(error, broken);
    return FALSE;
}

/* To be wiped. Room for all of it from the beginning, so that no copy stays behind. */
static GString *request_body(const struct token *token)
{
    GString *body = g_string_sized_new(BODY_SIZE);
    add_field(body, "grant_type", token->spent ? "refresh_token" : "client_credentials");
    add_field(body, "client_id", token->settings->client_id);
    add_field(body, "client_secret", token->secret);
    add_field(body, "refresh_token", token->spent);
    add_field(body, "scope", token->settings->scope);
    return body;
}

/* --- the answer --- */

/* The server's words, unless they hold a secret. Owned by the caller. */
static char *quote(const struct token *token, const char *text)
{
    if ((token->secret && strstr(text, token->secret)) || (token->spent && strstr(text, token->spent)))
        return g_strdup("(...)");
    g_autofree char *safe = label_safe(text, -1, QUOTED_MAX);
    return g_strdup_printf("\"%s\"", safe);
}

static gboolean is_any(const char *word, const char *const *words)
{
    return g_strv_contains(words, word);
}

static const char *hint_for(const char *code)
{
    return strcmp(code, "invalid_client") == 0 || strcmp(code, "unauthorized_client") == 0
               ? "\nhint: check client_id and client_secret, and what the client may do"
           : strcmp(code, "invalid_grant") == 0
               ? "\nhint: the refresh token is spent or was taken back: get a new one"
           : strcmp(code, "invalid_scope") == 0 ? "\nhint: check scope"
                                                : "";
}

/* RFC 6749 section 5.2, or whatever a server says that is no token. */
static gboolean refuse_answer(const struct token *token, guint status, GHashTable *members, GError **error)
{
    static const char *const passing[] = {"temporarily_unavailable", "server_error", "slow_down", NULL};
    const char *code = members ? g_hash_table_lookup(members, "error") : NULL;
    const char *description = members ? g_hash_table_lookup(members, "error_description") : NULL;
    if (status >= 300 && status < 400)
        return fail(error, WS_ERROR_AUTH,
                    "cannot use %s: it sends the request elsewhere (status %u), which is not followed",
                    token->server, status);
    if (!code)
        return fail(error,
                    status >= 400 && status < 500 && status != 408 && status != 429 ? WS_ERROR_AUTH
                                                                                    : WS_ERROR_SOURCE,
                    "could not get a token for %s: %s answered with status %u", token->settings->name,
                    token->server, status);
    g_autofree char *reason = quote(token, code), *more = description ? quote(token, description) : NULL;
    if (status >= 500 || is_any(code, passing))
        return fail(error, WS_ERROR_SOURCE, "could not get a token for %s: %s says %s%s%s",
                    token->settings->name, token->server, reason, more ? ": " : "", more ? more : "");
    return fail(error, WS_ERROR_AUTH, "%s refused a token for %s: %s%s%s%s", token->server,
                token->settings->name, reason, more ? ": " : "", more ? more : "", hint_for(code));
}

/* RFC 6749 appendix A.12 and A.17: visible characters and spaces. */
static gboolean is_token(const char *text)
{
    const char *c = text;
    while (*c >= ' ' && *c <= '~')
        c++;
    return c != text && !*c;
}

/* The new refresh token: the old one may be worth nothing from now on. */
static void keep_refresh(struct token *token, const char *refresh)
{
    const struct secret_place *place = &token->settings->refresh_token;
    g_autoptr(GError) broken = NULL;
    if (!refresh || !is_token(refresh) || !token->spent || strcmp(refresh, token->spent) == 0)
        return;
    if (place->file && secret_replace(place->file, refresh, &broken)) {
        g_clear_pointer(&token->refresh, secret_free);
        return;
    }
    secret_free(token->refresh);
    token->refresh = g_strdup(refresh);
    g_warning("%s gave a new refresh token for %s, which is lost when this program ends: %s", token->server,
              token->settings->name,
              broken ? broken->message : "the old one is not from a file\nhint: set refresh_token_file");
}

/* RFC 6749 section 5.1. */
static gboolean take_members(struct token *token, GHashTable *members, GError **error)
{
    const char *access = g_hash_table_lookup(members, "access_token");
    const char *type = g_hash_table_lookup(members, "token_type");
    const char *expires = g_hash_table_lookup(members, "expires_in");
    guint64 seconds = 0;
    keep_refresh(token, g_hash_table_lookup(members, "refresh_token"));
    if (!access || !is_token(access) || (type && g_ascii_strcasecmp(type, "Bearer") != 0))
        return fail(error, WS_ERROR_SOURCE, "could not get a token for %s: there is none in the answer of %s",
                    token->settings->name, token->server);
    token->access = g_strdup(access);
    if (expires && g_ascii_string_to_unsigned(expires, 10, 0, G_MAXINT32, &seconds, NULL))
        token->expires =
            g_get_monotonic_time() + (gint64)(seconds - MIN(seconds / 10, MARGIN)) * G_USEC_PER_SEC;
    return TRUE;
}

static gboolean take_answer(struct token *token, const struct route_answer *answer, GError **error)
{
    g_autofree char *problem = NULL;
    GHashTable *members = json_members(answer->body, answer->length, &limits_default, &problem);
    gboolean ok = FALSE;
    if (answer->status != 200)
        refuse_answer(token, answer->status, members, error);
    else if (!members)
        fail(error, WS_ERROR_SOURCE, "could not get a token for %s: cannot read the answer of %s: %s",
             token->settings->name, token->server, problem);
    else
        ok = take_members(token, members, error);
    g_clear_pointer(&members, g_hash_table_unref);
    return ok;
}

static gboolean fetch(struct token *token, GError **error)
{
    const struct token_settings *settings = token->settings;
    int lock = settings->refresh_token.file ? secret_lock(settings->refresh_token.file) : -1;
    gboolean ok = get_secrets(token, error);
    if (ok) {
        struct route_answer *answer = g_new0(struct route_answer, 1);
        GString *body = request_body(token);
        ok = route_post(&settings->route, token->server, settings->url, body->str, answer, error) &&
             take_answer(token, answer, error);
        explicit_bzero(body->str, body->allocated_len);
        g_string_free(body, TRUE);
        explicit_bzero(answer, sizeof *answer);
        g_free(answer);
    }
    if (lock >= 0)
        close(lock);
    return ok;
}

const char *token_get(struct token *token, gboolean refused, GError **error)
{
    gboolean expired = token->expires && g_get_monotonic_time() >= token->expires;
    if (refused && token->access && !token->kept)
        return NULL;
    if (token->access && !refused && !expired && !token->settings->token.command) {
        token->kept = TRUE;
        return token->access;
    }
    forget(token);
    if (token->settings->token.command)
        token->access = secret_get(&token->settings->token, error);
    else
        fetch(token, error);
    return token->access;
}
