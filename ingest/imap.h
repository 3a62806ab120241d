/* A mailbox over IMAP (RFC 9051 / 3501, MOVE of RFC 6851, UIDPLUS of RFC 4315) as a source.
 *
 * libcurl in CONNECT_ONLY mode makes the connection: address, TLS 1.2 or later with certificate and host name
 * verified, STARTTLS that cannot be stripped, and the login. A pull parser of our own speaks the handful of
 * commands. Mail is fetched with BODY.PEEK[], in batches bounded by number and size, and handed out while the
 * batch still comes in. It is changed only by settle, in the session and UIDVALIDITY that it was fetched in:
 *
 *   AFTER_LEAVE   nothing; when all outcomes are left, the mailbox is opened with EXAMINE
 *   AFTER_FLAG    the keyword $WhosendsDone, or \Seen where the server keeps no keywords of ours; mails that
 *                 have it are not read (with \Seen neither are those that a person has read)
 *   AFTER_MOVE    moved to the folder of the outcome, which is made where it is missing
 *   AFTER_DELETE  \Deleted and UID EXPUNGE (without UIDPLUS only \Deleted)
 *
 * Never a bare EXPUNGE, and mails marked \Deleted are never read. What is added to settle is carried out
 * between two batches, at settle with n == 0 (a batch that is still coming in is then read over and asked for
 * again) and at close. What the server refuses to move or to hand out stays where it is and keeps nothing
 * else back; settle with n == 0 tells of it, once, and it is tried again after `wait`.
 *
 * Where settings->place has a lock, one ingester at a time moves or deletes mails of a mailbox, and only
 * those that are still there: struct imap_place.
 *
 * A connection that breaks is made again, after a while that doubles each time, until it has broken several
 * times without a mail between; half of a mail is nothing. A mailbox that has another UIDVALIDITY then is
 * begun anew, and no UID from before is used. Mails that are left are read only once: struct imap_place.
 *
 * The references are imap://user@host/MAILBOX;UIDVALIDITY=n/;UID=m (RFC 5092), and an identity. A mail that
 * vanishes before it was fetched is passed over. */
#pragma once

#include "ingest/source.h"
#include "ingest/token.h"

/* How to log in: with a password (PLAIN or LOGIN), or with a token (XOAUTH2, or OAUTHBEARER of RFC 7628). */
enum imap_auth { IMAP_AUTH_PASSWORD, IMAP_AUTH_XOAUTH2, IMAP_AUTH_OAUTHBEARER };

/* What ingesters of one mailbox share. How far it was read when mails are left in it: `mailbox` is the
 * description of the source. A UID is saved only when all mails up to it are settled, so after COMMIT; a
 * UIDVALIDITY that is not the server's makes it void. */
struct imap_place {
    /* uidvalidity 0 when nothing is known. */
    gboolean (*load)(gpointer data, const char *mailbox, guint32 *uidvalidity_r, guint32 *uid_r,
                     GError **error);
    gboolean (*save)(gpointer data, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error);
    /* The lock of ingest/imap_turn.h, by its name: never waits; *locked_r FALSE: another one has it. It is
     * free at the latest when the connection of who has it ends. NULL: none, and nobody is kept out. */
    gboolean (*lock)(gpointer data, const char *name, gboolean *locked_r, GError **error);
    gboolean (*unlock)(gpointer data, const char *name, GError **error);
    gpointer data;
};

/* All that it points to is lent until source_close. */
struct imap_settings {
    const char *host;
    guint port;        /* 0: 993 for tls, 143 for starttls */
    gboolean starttls; /* else TLS from the first byte */
    const char *user;
    enum imap_auth auth;
    const char *password;
    struct token *token;        /* where tokens come from, unless it is done with a password */
    const char *proxy;          /* as of struct route; NULL: none */
    const char *proxy_password; /* NULL: none */
    const char *ca_file;        /* NULL: the system's */
    const char *mailbox;        /* UTF-8, "/" between levels whatever the server has there; NULL: "INBOX" */
    guint timeout;    /* seconds without progress; a command may wait five times as long in sum; 0: 60 */
    guint batch;      /* mails asked for in one FETCH; 0: 500 */
    guint renew;      /* seconds after which an IDLE is begun anew; 0: 240 */
    guint tries;      /* sessions without progress between them; 0: 5; 1: the first break ends it */
    guint backoff_ms; /* until the second of them, and twice as long each time after; 0: 1000 */
    const struct imap_place *place; /* NULL: each run reads all that is left */
    int stop_fd; /* becomes and stays readable when the program is to end, as the reading end of a pipe
                    that a signal handler writes to; 0: none */
};

/* Connects, logs in and opens the mailbox. The folders of `rules` are named like `mailbox`, and
 * are below the personal namespace of the server ("INBOX." and the like) without its being named.
 * WS_ERROR_AUTH when login or certificate are refused, WS_ERROR_INPUT when there is no such mailbox,
 * WS_ERROR_CONFIG for impossible names, else WS_ERROR_SOURCE. */
struct source *source_open_imap(const struct imap_settings *settings, const struct settle_rules *rules,
                                const struct limits *limits, GError **error);
