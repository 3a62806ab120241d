/* The connection to an IMAP server, logged in.
 *
 * libcurl in CONNECT_ONLY mode finds the address, takes the way of ingest/route.h with TLS (by STARTTLS only
 * when the server really does it), and logs in with SASL PLAIN or LOGIN, or with XOAUTH2 or OAUTHBEARER and a
 * token; when the server refuses a token that was kept for a while, once more with a new one. After that it
 * only carries bytes, under deadlines of ours; when the program is to stop, whatever is under way gets two
 * seconds more in sum and ends with WS_ERROR_INTERRUPTED. One handle a connection, never used again. */
#pragma once

#include "ingest/imap.h"

struct imap_conn;

/* Connects and logs in. WS_ERROR_AUTH when the login is refused or the server cannot be trusted,
 * WS_ERROR_CONFIG for a host that is no name, else WS_ERROR_SOURCE. */
struct imap_conn *imap_conn_open(const struct imap_settings *settings, GError **error);
void imap_conn_close(struct imap_conn *conn);

/* "host:port"; lent. */
const char *imap_conn_name(const struct imap_conn *conn);

/* Begins a command: it may wait `seconds` in sum, and a second more for each 4 KiB that come. Only time spent
 * waiting for the server counts, not what the caller does between two reads. */
void imap_conn_allow(struct imap_conn *conn, guint seconds);
/* Waits until bytes have come (WAIT_NEWS, also when that is the end of the connection), for so many
 * microseconds at most, or until the stop of the settings. A connection that broke is an error. */
gboolean imap_conn_wait(struct imap_conn *conn, gint64 usec, enum wait_result *result_r, GError **error);
/* Sleeps; TRUE at once when stop_fd (0: none) becomes readable. */
gboolean imap_stop_wanted(int stop_fd, gint64 milliseconds);
/* Sends all of it. */
gboolean imap_conn_write(struct imap_conn *conn, const char *data, gsize n, GError **error);
/* An imap_read_func over a struct imap_conn. */
gssize imap_conn_read(void *conn, void *buf, gsize n, GError **error);

/* The server's words for a message: made harmless, cut to 200 bytes, in double quotes; "(...)" when they hold
 * the password. Owned by the caller. */
char *imap_conn_quote(const struct imap_conn *conn, const char *text);
