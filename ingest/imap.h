/* A mailbox over IMAP (RFC 9051 / 3501, MOVE of RFC 6851, UIDPLUS of RFC 4315) as a source.
 *
 * libcurl in CONNECT_ONLY mode makes the connection: address, TLS 1.2 or later with certificate and host name
 * verified, STARTTLS that cannot be stripped, and the login. A pull parser of our own speaks the handful of
 * commands. Mail is fetched with BODY.PEEK[], in batches bounded by number and size, and handed out while the
 * batch still comes in. It is changed only by settle, in the session and UIDVALIDITY that it was fetched in:
 *
 *   AFTER_LEAVE   nothing; the mailbox is opened with EXAMINE, and each run reads all of it
 *   AFTER_FLAG    the keyword $WhosendsDone, or \Seen where the server keeps no keywords of ours; mails that
 * have it are not read (with \Seen neither are those that a person has read) AFTER_MOVE    moved to one of
 * the two folders, which are made where they are missing AFTER_DELETE  \Deleted and UID EXPUNGE (without
 * UIDPLUS only \Deleted); problems are moved as with AFTER_MOVE
 *
 * Never a bare EXPUNGE, and mails marked \Deleted are never read. What is added to settle is carried out
 * between two batches, at settle with n == 0 (a batch that is still coming in is then read over and asked for
 * again) and at close. The references are imap://user@host/MAILBOX;UIDVALIDITY=n/;UID=m (RFC 5092), and an
 * identity. A mail that vanishes before it was fetched is passed over. A connection that breaks is an error
 * (WS_ERROR_SOURCE), and the next run finds everything where it was. */
#pragma once

#include "ingest/source.h"
#include "ingest/token.h"

/* How to log in: with a password (PLAIN or LOGIN), or with a token (XOAUTH2, or OAUTHBEARER of RFC 7628). */
enum imap_auth { IMAP_AUTH_PASSWORD, IMAP_AUTH_XOAUTH2, IMAP_AUTH_OAUTHBEARER };

struct imap_settings {
    const char *host;
    guint port;        /* 0: 993 for tls, 143 for starttls */
    gboolean starttls; /* else TLS from the first byte */
    const char *user;
    enum imap_auth auth;
    const char *password;       /* lent until source_close, as is the next one */
    struct token *token;        /* where tokens come from, unless it is done with a password */
    const char *proxy;          /* as of struct route; NULL: none */
    const char *proxy_password; /* NULL: none */
    const char *ca_file;        /* NULL: the system's */
    const char *mailbox;        /* UTF-8, "/" between levels whatever the server has there; NULL: "INBOX" */
    guint timeout; /* seconds without progress; a command may wait five times as long in sum; 0: 60 */
    guint batch;   /* mails asked for in one FETCH; 0: 500 */
};

/* Connects, logs in, opens the mailbox and searches it. The folders of `rules` are named like `mailbox`, and
 * are below the personal namespace of the server ("INBOX." and the like) without its being named.
 * WS_ERROR_AUTH when login or certificate are refused, WS_ERROR_INPUT when there is no such mailbox,
 * WS_ERROR_CONFIG for impossible names, else WS_ERROR_SOURCE. */
struct source *source_open_imap(const struct imap_settings *settings, const struct settle_rules *rules,
                                const struct limits *limits, GError **error);
