/* A mailbox over IMAP (RFC 9051 / 3501, MOVE of RFC 6851, UIDPLUS of RFC 4315) as a source.
 *
 * libcurl in CONNECT_ONLY mode makes the connection: address, proxy, TLS 1.2 or later with certificate and host
 * name verified, STARTTLS that cannot be stripped, and the login. A pull parser of our own speaks the handful of
 * commands. Mail is fetched with BODY.PEEK[] and moved only by settle, in the session and UIDVALIDITY that it was
 * fetched in. Never a bare EXPUNGE. */
#pragma once

#include "ingest/source.h"

struct imap_settings {
    const char *host;
    guint port;                  /* 0: 993 for tls, 143 for starttls */
    gboolean starttls;           /* else TLS from the first byte */
    const char *user;
    const char *password;        /* lent until source_close */
    const char *ca_file;         /* NULL: the system's */
    const char *mailbox;         /* UTF-8; "INBOX" */
    guint timeout;               /* seconds without progress; 60 */
    guint batch;                 /* mails asked for in one FETCH; 500 */
};

struct source *source_open_imap(const struct imap_settings *settings, const struct settle_rules *rules,
                                const struct limits *limits, GError **error);
