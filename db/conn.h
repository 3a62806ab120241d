/* The connection to PostgreSQL. The only file that knows libpq.
 *
 * Every session has application_name whosends (unless the conninfo names another), client_encoding UTF8,
 * TimeZone UTC, DateStyle ISO and search_path dmarc, pg_catalog; connecting takes 10 seconds at most, unless
 * the conninfo or PGCONNECT_TIMEOUT says otherwise. Values travel as parameters or COPY, never in statement
 * text. Notices go to g_debug.
 *
 * Errors are of WS_ERROR: DB_DOWN for SQLSTATE classes 08 25 40 53 55 57 58 XX, a lost connection and one
 * that could not be made; DB_REFUSED for 22 23 54 P0, but not for a key of
 * schema dmarc_store that is there already (23505), which is DB_DOWN; DB_SCHEMA for everything else (42, 3F,
 * 28 ...), for a server before PostgreSQL 15 and for a database whose encoding is not UTF8; CONFIG for a
 * conninfo that cannot be parsed. The message holds the statement's name, the server's primary text, detail
 * and hint, on one line, and never the conninfo. After a lost connection every call fails until db_reconnect.
 * A stream or COPY that was left unfinished is ended by the next call. Not for two threads at once. */
#pragma once

#include "parser/error.h"

#include <glib.h>

struct db;

/* A libpq conninfo or URI; "" leaves everything to the environment. Never logs it. Owned by the caller. */
struct db *db_open(const char *conninfo, GError **error);
/* Appends keyword='value' to a conninfo, with what the quotes would misread escaped. */
void db_conninfo_add(GString *conninfo, const char *keyword, const char *value);
/* Parts a conninfo, for those who hand it on where others can read it: what is left of it without its
 * password, owned by the caller. *password_r gets that, or NULL when it holds none; to be wiped and freed.
 * NULL with an error when it cannot be parsed. */
char *db_conninfo_part(const char *conninfo, char **password_r, GError **error);
void db_close(struct db *db);
gboolean db_reconnect(struct db *db, GError **error);
/* Whether the connection stands (as far as known without asking). */
gboolean db_alive(const struct db *db);
/* Which connection of this handle it is: 1 for the first, one more for each db_reconnect. What lives in a
 * session, such as a temporary table, is gone when this has changed. */
guint db_session(const struct db *db);
/* The SQLSTATE of the last statement of this handle: "" when it did well, or its error is not the server's.
 */
const char *db_sqlstate(const struct db *db);

struct db_result;
/* Runs statements that return nothing; several may stand in `sql`. `name` names it in errors. */
gboolean db_run(struct db *db, const char *name, const char *sql, GError **error);
/* The same, when the last of them returns something. Free with db_result_free. */
struct db_result *db_script(struct db *db, const char *name, const char *sql, GError **error);

/* One statement with text parameters (NULL is SQL NULL); results as text. Free with db_result_free. */
struct db_result *db_query(struct db *db, const char *name, const char *sql, guint n_values,
                           const char *const *values, GError **error);
/* The same, row by row in constant memory. */
gboolean db_stream_begin(struct db *db, const char *name, const char *sql, guint n_values,
                         const char *const *values, GError **error);
/* A result of one row; at the end *end_r is TRUE and it is one of no row, with the columns. NULL with an
 * error. */
struct db_result *db_stream_next(struct db *db, gboolean *end_r, GError **error);

guint db_rows(const struct db_result *result);
guint db_columns(const struct db_result *result);
const char *db_column_name(const struct db_result *result, guint column);
guint db_column_type(const struct db_result *result, guint column);            /* pg_type oid */
const char *db_value(const struct db_result *result, guint row, guint column); /* NULL is SQL NULL; lent */
/* Of a whole number; 0 for anything else. */
gint64 db_int(const struct db_result *result, guint row, guint column);
guint64 db_affected(const struct db_result *result);
/* Takes NULL. */
void db_result_free(struct db_result *result);

/* COPY FROM STDIN. Bytes may be cut anywhere. db_copy_end with a reason makes the server discard it: TRUE
 * when that is done; a transaction around it has failed then, as after any error. */
gboolean db_copy_begin(struct db *db, const char *name, const char *sql, GError **error);
gboolean db_copy_put(struct db *db, const void *data, gsize n, GError **error);
gboolean db_copy_end(struct db *db, const char *abort_reason, GError **error);
