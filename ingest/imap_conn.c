#include "ingest/imap_conn.h"

#include "ingest/label.h"
#include "parser/error.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum {
    BYTES_PER_SECOND = 4096,
    QUOTED_MAX = 200,
    STOP_USEC = 2 * G_USEC_PER_SEC /* for what is under way when the program is to end */
};

struct imap_conn {
    CURL *curl;
    curl_socket_t socket;
    char *name;
    char *secret;     /* only to keep it out of messages */
    gboolean denied;  /* the login was refused */
    gint64 timeout;   /* microseconds without progress */
    gint64 left;      /* microseconds that this command may still wait */
    int stop_fd;      /* 0: none */
    gint64 stop_at;   /* monotonic: when a stop gives up on the server; 0 while there is none */
    guint8 ahead[64]; /* read while waiting for anything to come, */
    gsize ahead_n;    /* and so much of it */
    GString *refusal; /* the last NO, BAD or BYE during the login */
    char curl_says[CURL_ERROR_SIZE];
};

char *imap_conn_quote(const struct imap_conn *conn, const char *text)
{
    if (conn->secret && conn->secret[0] && strstr(text, conn->secret))
        return g_strdup("(...)");
    g_autofree char *safe = label_safe(text, -1, QUOTED_MAX);
    return g_strdup_printf("\"%s\"", safe);
}

/* libcurl hands every line of the server here while it logs in. */
static size_t on_line(char *data, size_t size, size_t n, void *self)
{
    struct imap_conn *conn = self;
    g_autofree char *line = g_strchomp(g_strndup(data, size * n));
    const char *status = strchr(line, ' ');
    if (status && (g_str_has_prefix(status, " NO") || g_str_has_prefix(status, " BAD") ||
                   g_str_has_prefix(status, " BYE")))
        g_string_assign(conn->refusal, status + 1);
    return size * n;
}

gboolean imap_stop_wanted(int stop_fd, gint64 milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * 1000;
    struct pollfd pollfd = {.fd = stop_fd ? stop_fd : -1, .events = POLLIN};
    for (;;) {
        gint64 left = MAX(0, end - g_get_monotonic_time());
        int ready = poll(&pollfd, 1, (int)MIN(G_MAXINT, (left + 999) / 1000));
        if (ready > 0 || !left)
            return ready > 0;
    }
}

/* libcurl asks here, about once a second while nothing happens, whether it is to go on with the login. */
static int on_progress(void *self, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    const struct imap_conn *conn = self;
    (void)total, (void)now, (void)up_total, (void)up_now;
    return imap_stop_wanted(conn->stop_fd, 0);
}

/* Sets one option; what this program relies on must not be missing in a libcurl. */
#define SET(option, value) (code = code ? code : curl_easy_setopt(conn->curl, option, value))

static CURLcode set_login(struct imap_conn *conn, const struct imap_settings *settings)
{
    static const char *const options[] = {[IMAP_AUTH_PASSWORD] = "AUTH=PLAIN;AUTH=LOGIN",
                                          [IMAP_AUTH_XOAUTH2] = "AUTH=XOAUTH2",
                                          [IMAP_AUTH_OAUTHBEARER] = "AUTH=OAUTHBEARER"};
    CURLcode code = CURLE_OK;
    SET(CURLOPT_USERNAME, settings->user);
    SET(CURLOPT_LOGIN_OPTIONS, options[settings->auth]);
    if (settings->auth == IMAP_AUTH_PASSWORD)
        SET(CURLOPT_PASSWORD, conn->secret);
    else
        SET(CURLOPT_XOAUTH2_BEARER, conn->secret);
    return code;
}

static CURLcode set_options(struct imap_conn *conn, const char *url)
{
    CURLcode code = CURLE_OK;
    long seconds = (long)(conn->timeout / G_USEC_PER_SEC);
    SET(CURLOPT_ERRORBUFFER, conn->curl_says);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "imap,imaps");
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds);
    SET(CURLOPT_TIMEOUT, 5 * seconds);
    SET(CURLOPT_HEADERFUNCTION, on_line);
    SET(CURLOPT_HEADERDATA, conn);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, conn);
    return code;
}

static void set_login_error(const struct imap_conn *conn, const struct imap_settings *settings,
                            const char *reason, GError **error)
{
    /* RFC 5530: the password could not even be looked at. */
    if (strstr(conn->refusal->str, "[UNAVAILABLE]"))
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not log in to %s as '%s': %s", conn->name,
                    settings->user, reason);
    else
        g_set_error(error, WS_ERROR, WS_ERROR_AUTH, "%s refused the login as '%s': %s; %s", conn->name,
                    settings->user, reason,
                    settings->auth == IMAP_AUTH_PASSWORD
                        ? "check user and password, and whether the server wants an application password"
                        : "check the user, the scope of the token, and whether it may read this mailbox");
}

static void set_connect_error(const struct imap_conn *conn, const struct imap_settings *settings,
                              CURLcode code, GError **error)
{
    const char *curl_says = conn->curl_says[0] ? conn->curl_says : curl_easy_strerror(code);
    g_autofree char *reason = imap_conn_quote(conn, conn->refusal->len ? conn->refusal->str : curl_says);
    switch (code) {
    case CURLE_LOGIN_DENIED:
        set_login_error(conn, settings, reason, error);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        g_set_error(error, WS_ERROR, WS_ERROR_AUTH,
                    "the certificate of %s is not trusted: %s; check the host name and the file with the CA "
                    "certificates",
                    conn->name, reason);
        break;
    case CURLE_USE_SSL_FAILED:
        g_set_error(error, WS_ERROR, WS_ERROR_AUTH,
                    "%s does not do STARTTLS: %s; no password is sent without TLS, try TLS on port 993",
                    conn->name, reason);
        break;
    case CURLE_ABORTED_BY_CALLBACK:
        g_set_error(error, WS_ERROR, WS_ERROR_INTERRUPTED, "stopped while connecting to %s", conn->name);
        break;
    default:
        if (route_proxy_refused(conn->curl))
            g_set_error(error, WS_ERROR, WS_ERROR_AUTH, "the proxy on the way to %s refused the login: %s",
                        conn->name, reason);
        else
            g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not connect to %s: %s", conn->name, reason);
    }
}

static gboolean connect_and_login(struct imap_conn *conn, const struct imap_settings *settings,
                                  GError **error)
{
    /* A host name must not bring its own path, port or user into the URL. */
    if (!settings->host[0] || strpbrk(settings->host, "/@?#%[]\\\"<> \t\r\n")) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG, "'%s' cannot be the name of an IMAP server",
                    settings->host);
        return FALSE;
    }
    gboolean is_ipv6 = strchr(settings->host, ':') != NULL;
    guint port = settings->port ? settings->port : settings->starttls ? 143 : 993;
    conn->name = g_strdup_printf(is_ipv6 ? "[%s]:%u" : "%s:%u", settings->host, port);
    g_autofree char *url = g_strdup_printf("%s://%s/", settings->starttls ? "imap" : "imaps", conn->name);
    CURLcode code = set_options(conn, url);
    if (!code)
        code = set_login(conn, settings);
    if (!code)
        code = curl_easy_perform(conn->curl);
    if (!code)
        code = curl_easy_getinfo(conn->curl, CURLINFO_ACTIVESOCKET, &conn->socket);
    conn->denied = code == CURLE_LOGIN_DENIED;
    if (code)
        set_connect_error(conn, settings, code, error);
    return code == CURLE_OK;
}

/* One attempt. *denied_r: the login was refused. */
static struct imap_conn *try_open(const struct imap_settings *settings, const char *secret,
                                  gboolean *denied_r, GError **error)
{
    struct imap_conn *conn = g_new0(struct imap_conn, 1);
    conn->refusal = g_string_new(NULL);
    conn->secret = g_strdup(secret ? secret : "");
    conn->stop_fd = settings->stop_fd;
    conn->timeout = (gint64)(settings->timeout ? settings->timeout : 60) * G_USEC_PER_SEC;
    const struct route route = {.ca_file = settings->ca_file,
                                .proxy = settings->proxy,
                                .proxy_password = settings->proxy_password,
                                .timeout = settings->timeout};
    conn->curl = route_handle(&route, error);
    if (conn->curl && connect_and_login(conn, settings, error))
        return conn;
    *denied_r = conn->denied;
    imap_conn_close(conn);
    return NULL;
}

struct imap_conn *imap_conn_open(const struct imap_settings *settings, GError **error)
{
    gboolean denied = FALSE;
    if (settings->auth == IMAP_AUTH_PASSWORD)
        return try_open(settings, settings->password, &denied, error);
    const char *token = token_get(settings->token, FALSE, error);
    if (!token)
        return NULL;
    GError *refusal = NULL;
    struct imap_conn *conn = try_open(settings, token, &denied, &refusal);
    if (denied && (token = token_get(settings->token, TRUE, NULL))) {
        g_clear_error(&refusal);
        conn = try_open(settings, token, &denied, &refusal);
    }
    if (refusal)
        g_propagate_error(error, refusal);
    return conn;
}

void imap_conn_close(struct imap_conn *conn)
{
    if (!conn)
        return;
    if (conn->curl)
        curl_easy_cleanup(conn->curl);
    g_string_free(conn->refusal, TRUE);
    secret_free(conn->secret);
    g_free(conn->name);
    g_free(conn);
}

const char *imap_conn_name(const struct imap_conn *conn)
{
    return conn->name;
}

void imap_conn_allow(struct imap_conn *conn, guint seconds)
{
    conn->left = (gint64)seconds * G_USEC_PER_SEC;
}

/* A stop leaves what is under way a little time, once. */
static void note_stop(struct imap_conn *conn)
{
    if (!conn->stop_at)
        conn->stop_at = g_get_monotonic_time() + STOP_USEC;
}

/* Until the socket is ready or `usec` are over: 1 ready, 0 not, -1 an error. A stop is noted. */
static int poll_socket(struct imap_conn *conn, short events, gint64 usec, gboolean until_stop, GError **error)
{
    gint64 end = g_get_monotonic_time() + usec;
    for (;;) {
        gint64 now = g_get_monotonic_time();
        gint64 left = MAX(0, (conn->stop_at ? MIN(end, conn->stop_at) : end) - now);
        struct pollfd polled[] = {
            {.fd = conn->socket, .events = events},
            {.fd = conn->stop_fd && !conn->stop_at ? conn->stop_fd : -1, .events = POLLIN},
        };
        int ready = poll(polled, G_N_ELEMENTS(polled), (int)MIN(G_MAXINT, (left + 999) / 1000));
        if (ready < 0 && errno != EINTR) {
            g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not wait for %s: %s", conn->name,
                        g_strerror(errno));
            return -1;
        }
        if (ready > 0 && polled[1].revents)
            note_stop(conn);
        if (ready > 0 && polled[0].revents)
            return 1;
        if (!left || (until_stop && conn->stop_at))
            return 0;
    }
}

/* Until the socket is ready, or for as long as the deadlines allow. */
static gboolean wait_for(struct imap_conn *conn, short events, GError **error)
{
    gint64 start = g_get_monotonic_time();
    gint64 allowed = MIN(conn->timeout, conn->left);
    int ready = poll_socket(conn, events, allowed, FALSE, error);
    conn->left -= g_get_monotonic_time() - start;
    if (ready)
        return ready > 0;
    if (conn->stop_at)
        g_set_error(error, WS_ERROR, WS_ERROR_INTERRUPTED, "stopped while waiting for %s", conn->name);
    else if (allowed < conn->timeout)
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "%s is too slow", conn->name);
    else
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "%s gave no answer in %" G_GINT64_FORMAT " seconds",
                    conn->name, conn->timeout / G_USEC_PER_SEC);
    return FALSE;
}

static void set_broken(const struct imap_conn *conn, CURLcode code, GError **error)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "the connection to %s broke: %s", conn->name,
                curl_easy_strerror(code));
}

gboolean imap_conn_write(struct imap_conn *conn, const char *data, gsize n, GError **error)
{
    while (n) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(conn->curl, data, n, &sent);
        if (code == CURLE_AGAIN) {
            if (!wait_for(conn, POLLOUT, error))
                return FALSE;
        } else if (code) {
            set_broken(conn, code, error);
            return FALSE;
        }
        data += sent;
        n -= sent;
    }
    return TRUE;
}

/* 1: *got_r bytes, 0: none at the moment, -1 an error. Asked before the socket is: TLS may hold bytes that
 * poll does not know of. */
static int receive(struct imap_conn *conn, void *buf, gsize n, size_t *got_r, GError **error)
{
    CURLcode code = curl_easy_recv(conn->curl, buf, n, got_r);
    if (code && code != CURLE_AGAIN)
        set_broken(conn, code, error);
    return code == CURLE_OK ? 1 : code == CURLE_AGAIN ? 0 : -1;
}

gssize imap_conn_read(void *self, void *buf, gsize n, GError **error)
{
    struct imap_conn *conn = self;
    if (conn->ahead_n) {
        gsize taken = MIN(n, conn->ahead_n);
        memcpy(buf, conn->ahead, taken);
        memmove(conn->ahead, conn->ahead + taken, conn->ahead_n - taken);
        conn->ahead_n -= taken;
        return (gssize)taken;
    }
    for (;;) {
        size_t got = 0;
        int received = receive(conn, buf, n, &got, error);
        if (received > 0) {
            conn->left += (gint64)got * G_USEC_PER_SEC / BYTES_PER_SECOND;
            return (gssize)got;
        }
        if (received < 0 || !wait_for(conn, POLLIN, error))
            return -1;
    }
}

gboolean imap_conn_wait(struct imap_conn *conn, gint64 usec, enum wait_result *result, GError **error)
{
    gint64 end = g_get_monotonic_time() + usec;
    for (;;) {
        size_t got = 0;
        int received = conn->ahead_n ? 1 : receive(conn, conn->ahead, sizeof conn->ahead, &got, error);
        conn->ahead_n += got;
        /* The end of the connection is for imap_conn_read to tell. */
        if (received < 0)
            return FALSE;
        if (received) {
            *result = WAIT_NEWS;
            return TRUE;
        }
        gint64 left = end - g_get_monotonic_time();
        int ready = poll_socket(conn, POLLIN, MAX(0, left), TRUE, error);
        if (ready > 0)
            continue;
        *result = conn->stop_at ? WAIT_STOPPED : WAIT_TIMEOUT;
        return ready == 0;
    }
}
