/* The way to a server through libcurl: TLS 1.2 or later with the certificate and host name verified, through
 * a proxy or not; and one HTTPS POST over it.
 *
 * A proxy sees the name of the server and bytes of TLS, never a password for the server. SOCKS5 (RFC 1928;
 * with "h" the proxy looks up the name) or HTTP CONNECT (RFC 9110 section 9.3.6), each with or without user
 * and password. The variables of the environment (https_proxy, no_proxy and the like) do not count. */
#pragma once

#include <glib.h>

struct route {
    const char *ca_file;        /* certificates to trust instead of the system's; NULL: the system's */
    const char *proxy;          /* "socks5h://[USER@]HOST:PORT", socks5 or http; NULL: none */
    const char *proxy_password; /* NULL: none */
    guint timeout;              /* seconds; 0: 60 */
};

/* Whether it is of that form. A password in it is not. */
gboolean route_is_proxy(const char *text);
/* Whether a good one names a user. */
gboolean route_proxy_has_user(const char *text);

/* A new libcurl handle (CURL *) with the options of the route, to be freed with curl_easy_cleanup. NULL with
 * WS_ERROR_SYSTEM. */
void *route_handle(const struct route *route, GError **error);
/* Whether the last attempt of a handle ended because the proxy wants another login. */
gboolean route_proxy_refused(void *handle);

enum { ROUTE_ANSWER_MAX = 64 * 1024 };

struct route_answer {
    guint status;
    gsize length;
    char body[ROUTE_ANSWER_MAX + 1]; /* ends with NUL besides */
};

/* Sends an application/x-www-form-urlencoded body to an https URL and reads the answer, whatever its status.
 * Redirects are not followed. `name` is the server, for messages. WS_ERROR_AUTH when the certificate is not
 * trusted or the proxy refuses the login, else WS_ERROR_SOURCE: not reached, not in time, a longer answer. */
gboolean route_post(const struct route *route, const char *name, const char *url, const char *body,
                    struct route_answer *answer_r, GError **error);
