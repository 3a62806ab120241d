/* The connection to PostgreSQL. The only file that knows libpq.
 *
 * Every session has application_name whosends, client_encoding UTF8, TimeZone UTC, DateStyle ISO and
 * search_path dmarc, pg_catalog. Values travel as parameters or COPY, never in statement text. Errors are of
 * WS_ERROR: DB_DOWN for SQLSTATE classes 08 25 40 53 55 57 58 XX and a lost connection, DB_REFUSED for 22 and 23,
 * DB_SCHEMA for 42, 3F and 28; the message holds the statement's name, the server's primary text, detail and hint, and
 * never the conninfo. After a lost connection every call fails until db_reconnect. */
#pragma once

#include "parser/error.h"

#include <glib.h>

struct db;

/* A libpq conninfo or URI. Never logs it. */
struct db *db_open(const char *conninfo, GError **error);
void db_close(struct db *db);
gboolean db_reconnect(struct db *db, GError **error);
/* Whether the connection stands (as far as known without asking). */
gboolean db_alive(const struct db *db);

/* Runs statements that return nothing; several may stand in `sql`. `name` names it in errors. */
gboolean db_run(struct db *db, const char *name, const char *sql, GError **error);

/* One statement with text parameters (NULL is SQL NULL); results as text. Free with db_result_free. */
struct db_result;
struct db_result *db_query(struct db *db, const char *name, const char *sql, guint n_values, const char *const *values, GError **error);
/* The same, row by row in constant memory: TRUE from db_stream_next while there is one, FALSE at the end or with an error. */
gboolean db_stream_begin(struct db *db, const char *name, const char *sql, guint n_values, const char *const *values, GError **error);
struct db_result *db_stream_next(struct db *db, gboolean *end_r, GError **error); /* a result of one row; at the end one of no row, with the columns */

guint db_rows(const struct db_result *result);
guint db_columns(const struct db_result *result);
const char *db_column_name(const struct db_result *result, guint column);
guint db_column_type(const struct db_result *result, guint column); /* pg_type oid */
const char *db_value(const struct db_result *result, guint row, guint column); /* NULL is SQL NULL; lent */
gint64 db_int(const struct db_result *result, guint row, guint column);
guint64 db_affected(const struct db_result *result);
void db_result_free(struct db_result *result);

/* COPY FROM STDIN. Bytes may be cut anywhere. db_copy_end with a reason makes the server discard it. */
gboolean db_copy_begin(struct db *db, const char *name, const char *sql, GError **error);
gboolean db_copy_put(struct db *db, const void *data, gsize n, GError **error);
gboolean db_copy_end(struct db *db, const char *abort_reason, GError **error);
