#include "ingest/route.h"

#include "ingest/label.h"
#include "parser/error.h"

#include <curl/curl.h>
#include <string.h>

enum { TIMEOUT = 60, QUOTED_MAX = 200 };

/* A proxy in its parts. */
struct proxy {
    char *scheme, *user, *password, *host, *path, *query, *fragment;
    int port;
};

static void proxy_clear(struct proxy *proxy)
{
    if (proxy->password)
        explicit_bzero(proxy->password, strlen(proxy->password));
    char *parts[] = {proxy->scheme, proxy->user,  proxy->password, proxy->host,
                     proxy->path,   proxy->query, proxy->fragment};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        g_free(parts[i]);
}

/* To be cleared in any case. */
static gboolean split_proxy(const char *text, struct proxy *proxy_r)
{
    static const char *const schemes[] = {"socks5h", "socks5", "http", NULL};
    *proxy_r = (struct proxy){.port = -1};
    return g_uri_split_with_user(text, G_URI_FLAGS_HAS_PASSWORD, &proxy_r->scheme, &proxy_r->user,
                                 &proxy_r->password, NULL, &proxy_r->host, &proxy_r->port, &proxy_r->path,
                                 &proxy_r->query, &proxy_r->fragment, NULL) &&
           proxy_r->scheme && g_strv_contains(schemes, proxy_r->scheme) && proxy_r->host && *proxy_r->host &&
           !strpbrk(proxy_r->host, " /@?#%\\") && proxy_r->port > 0 && !proxy_r->password &&
           (!*proxy_r->path || strcmp(proxy_r->path, "/") == 0) && !proxy_r->query && !proxy_r->fragment;
}

gboolean route_is_proxy(const char *text)
{
    struct proxy proxy;
    gboolean good = split_proxy(text, &proxy);
    proxy_clear(&proxy);
    return good;
}

gboolean route_proxy_has_user(const char *text)
{
    struct proxy proxy;
    gboolean has = split_proxy(text, &proxy) && proxy.user;
    proxy_clear(&proxy);
    return has;
}

/* Sets one option; what this program relies on must not be missing in a libcurl. */
#define SET(option, value) (code = code ? code : curl_easy_setopt(curl, option, value))

static CURLcode set_proxy(CURL *curl, const struct route *route)
{
    struct proxy proxy;
    CURLcode code = CURLE_OK;
    gboolean good = split_proxy(route->proxy, &proxy);
    if (good) {
        gboolean is_ipv6 = strchr(proxy.host, ':') != NULL;
        g_autofree char *url =
            g_strdup_printf(is_ipv6 ? "%s://[%s]:%d" : "%s://%s:%d", proxy.scheme, proxy.host, proxy.port);
        SET(CURLOPT_PROXY, url);
        SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
        /* Else the proxy could speak in the server's name before the tunnel is there. */
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
        if (proxy.user) {
            SET(CURLOPT_PROXYUSERNAME, proxy.user);
            SET(CURLOPT_PROXYPASSWORD, route->proxy_password ? route->proxy_password : "");
        }
    }
    proxy_clear(&proxy);
    return good ? code : CURLE_URL_MALFORMAT;
}

static CURLcode set_options(CURL *curl, const struct route *route)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (route->ca_file) {
        /* This one instead of the system's, not besides. */
        SET(CURLOPT_CAINFO, route->ca_file);
        SET(CURLOPT_CAPATH, (char *)NULL);
    }
    SET(CURLOPT_CONNECTTIMEOUT, (long)(route->timeout ? route->timeout : TIMEOUT));
    return code ? code : route->proxy ? set_proxy(curl, route) : CURLE_OK;
}

static gpointer init_once(gpointer data)
{
    (void)data;
    return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

void *route_handle(const struct route *route, GError **error)
{
    static GOnce once = G_ONCE_INIT;
    CURL *curl = g_once(&once, init_once, NULL) ? curl_easy_init() : NULL;
    CURLcode code = curl ? set_options(curl, route) : CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        return curl;
    if (curl)
        curl_easy_cleanup(curl);
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not start libcurl: %s", curl_easy_strerror(code));
    return NULL;
}

gboolean route_proxy_refused(void *handle)
{
    long connect = 0, proxy = CURLPX_OK;
    curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &connect);
    curl_easy_getinfo(handle, CURLINFO_PROXY_ERROR, &proxy);
    return connect == 407 || proxy == CURLPX_USER_REJECTED || proxy == CURLPX_NO_AUTH;
}

/* --- POST --- */

static size_t on_body(char *data, size_t size, size_t n, void *self)
{
    struct route_answer *answer = self;
    n *= size;
    if (n > ROUTE_ANSWER_MAX - answer->length)
        return 0;
    memcpy(answer->body + answer->length, data, n);
    answer->length += n;
    return n;
}

static CURLcode set_post(CURL *curl, const struct route *route, const char *url, const char *body,
                         struct route_answer *answer)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    SET(CURLOPT_POSTFIELDS, body);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, answer);
    SET(CURLOPT_TIMEOUT, (long)(route->timeout ? route->timeout : TIMEOUT));
    return code;
}

static void set_post_error(CURL *curl, CURLcode code, const char *says, const char *name, GError **error)
{
    g_autofree char *reason = label_safe(*says ? says : curl_easy_strerror(code), -1, QUOTED_MAX);
    if (route_proxy_refused(curl))
        g_set_error(error, WS_ERROR, WS_ERROR_AUTH, "the proxy on the way to %s refused the login: %s", name,
                    reason);
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
             code == CURLE_SSL_ISSUER_ERROR)
        g_set_error(error, WS_ERROR, WS_ERROR_AUTH, "the certificate of %s is not trusted: %s", name, reason);
    else if (code == CURLE_WRITE_ERROR)
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not read the answer of %s: more than %d bytes",
                    name, ROUTE_ANSWER_MAX);
    else
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not ask %s: %s", name, reason);
}

gboolean route_post(const struct route *route, const char *name, const char *url, const char *body,
                    struct route_answer *answer_r, GError **error)
{
    char says[CURL_ERROR_SIZE] = "";
    CURL *curl = route_handle(route, error);
    answer_r->status = 0;
    answer_r->length = 0;
    if (!curl)
        return FALSE;
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, says);
    CURLcode code = set_post(curl, route, url, body, answer_r);
    if (!code)
        code = curl_easy_perform(curl);
    if (!code)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code)
        set_post_error(curl, code, says, name, error);
    answer_r->body[answer_r->length] = '\0';
    answer_r->status = (guint)status;
    curl_easy_cleanup(curl);
    return code == CURLE_OK;
}
