#include "db/conn.h"

#include "parser/step.h"

#include <libpq-fe.h>
#include <string.h>

#define CONNECT_SECONDS "10"
#define SERVER_OLDEST 150000
/* Of the server's text in one error: a detail may hold a whole row of a stranger's. */
#define ERROR_BYTES 1000
/* PQputCopyData takes an int. */
#define COPY_BYTES (1 << 20)

enum busy { IDLE, STREAMING, COPYING };

struct db {
    char *conninfo;
    PGconn *conn; /* NULL after a failed db_reconnect */
    guint session;
    enum busy busy;
    char *name; /* of the statement that is streaming or copying */
    char sqlstate[6];
};

struct db_result {
    PGresult *result;
};

/* On one line, without control characters, at most ERROR_BYTES long. */
static char *one_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GString *out = g_string_new(NULL);
    gboolean space = FALSE;
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isspace(c)) {
            space = TRUE;
            continue;
        }
        if (out->len > ERROR_BYTES) {
            g_string_append(out, " ...");
            break;
        }
        if (space && out->len)
            g_string_append_c(out, ' ');
        space = FALSE;
        if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
            g_string_append_printf(out, "\\u{%04X}", c);
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* A key of ours that is there already says nothing of the values: somebody was faster, or numbers do not go
 * on where they were. */
static gboolean is_our_key(const char *sqlstate, const PGresult *result)
{
    return strcmp(sqlstate, "23505") == 0 &&
           g_strcmp0(PQresultErrorField(result, PG_DIAG_SCHEMA_NAME), "dmarc_store") == 0;
}

static enum ws_error error_kind(const char *sqlstate)
{
    static const char *const down[] = {"08", "25", "40", "53", "55", "57", "58", "XX"};
    static const char *const refused[] = {"22", "23", "54", "P0"};
    for (gsize i = 0; i < G_N_ELEMENTS(down); i++)
        if (!strncmp(sqlstate, down[i], 2))
            return WS_ERROR_DB_DOWN;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
        if (!strncmp(sqlstate, refused[i], 2))
            return WS_ERROR_DB_REFUSED;
    return WS_ERROR_DB_SCHEMA;
}

static void append_field(GString *message, const PGresult *result, int field, const char *before)
{
    const char *text = PQresultErrorField(result, field);
    if (!text)
        return;
    g_autofree char *line = one_line(text);
    g_string_append(message, before);
    g_string_append(message, line);
}

/* From the result of a failed statement, or from the connection when there is none. */
static void set_error(struct db *db, const char *name, const PGresult *result, GError **error)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    g_strlcpy(db->sqlstate, sqlstate ? sqlstate : "", sizeof db->sqlstate);
    if (!sqlstate) {
        g_autofree char *line = one_line(PQerrorMessage(db->conn));
        g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "%s: %s", name,
                    *line ? line : "the connection was lost");
        return;
    }
    GString *message = g_string_new(name);
    gboolean down = PQstatus(db->conn) != CONNECTION_OK || is_our_key(sqlstate, result);
    enum ws_error kind = down ? WS_ERROR_DB_DOWN : error_kind(sqlstate);
    append_field(message, result, PG_DIAG_MESSAGE_PRIMARY, ": ");
    /* Of values that are refused the detail is the row, with numbers that are others the next time. */
    if (kind != WS_ERROR_DB_REFUSED)
        append_field(message, result, PG_DIAG_MESSAGE_DETAIL, ": ");
    append_field(message, result, PG_DIAG_MESSAGE_HINT, ": ");
    g_string_append_printf(message, " (SQLSTATE %s)", sqlstate);
    g_set_error_literal(error, WS_ERROR, (gint)kind, message->str);
    g_string_free(message, TRUE);
}

static void on_notice(void *data, const PGresult *result)
{
    (void)data;
    g_autofree char *line = one_line(PQresultErrorMessage(result));
    g_debug("database: %s", line);
}

/* Reads all results of what was sent; keeps the last one, or the first that failed. */
static PGresult *last_result(struct db *db)
{
    PGresult *kept = NULL, *next;
    while ((next = PQgetResult(db->conn))) {
        ExecStatusType status = PQresultStatus(next);
        gboolean failed = kept && PQresultStatus(kept) == PGRES_FATAL_ERROR;
        if (status == PGRES_COPY_IN)
            PQputCopyEnd(db->conn, "no data was expected");
        if (failed) {
            PQclear(next);
        } else {
            PQclear(kept);
            kept = next;
        }
        if (status == PGRES_COPY_BOTH || PQstatus(db->conn) == CONNECTION_BAD)
            break;
    }
    return kept;
}

static gboolean succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* Ends what was left unfinished: the rest of a stream is cancelled and thrown away, a COPY is discarded. */
static void settle_down(struct db *db)
{
    if (db->busy == STREAMING) {
        char text[256];
        PGcancel *cancel = PQgetCancel(db->conn);
        if (cancel)
            PQcancel(cancel, text, sizeof text);
        PQfreeCancel(cancel);
    } else if (db->busy == COPYING) {
        PQputCopyEnd(db->conn, "given up");
    }
    if (db->busy != IDLE)
        PQclear(last_result(db));
    db->busy = IDLE;
}

/* Before every statement. */
static gboolean ready(struct db *db, const char *name, GError **error)
{
    db->sqlstate[0] = '\0';
    if (db_alive(db))
        settle_down(db);
    if (db_alive(db))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "%s: the connection to the database is lost", name);
    return FALSE;
}

static gboolean check_server(const struct db *db, GError **error)
{
    int version = PQserverVersion(db->conn);
    const char *encoding = PQparameterStatus(db->conn, "server_encoding");
    if (version < SERVER_OLDEST) {
        g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                    "cannot use the database server: it is PostgreSQL %d, and 15 or later is needed",
                    version / 10000);
        return FALSE;
    }
    if (g_strcmp0(encoding, "UTF8") != 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                    "cannot use database \"%s\": its encoding is %s; make one with "
                    "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
                    PQdb(db->conn), encoding ? encoding : "unknown");
        return FALSE;
    }
    return TRUE;
}

static gboolean open_connection(struct db *db, GError **error)
{
    /* A value before the conninfo is a default for it, one behind it wins over it. */
    const char *keys[5], *values[5];
    guint n = 0;
    if (!g_getenv("PGCONNECT_TIMEOUT"))
        keys[n] = "connect_timeout", values[n++] = CONNECT_SECONDS;
    keys[n] = "dbname", values[n++] = db->conninfo;
    keys[n] = "client_encoding", values[n++] = "UTF8";
    keys[n] = "fallback_application_name", values[n++] = "whosends";
    keys[n] = NULL, values[n] = NULL;
    db->conn = PQconnectdbParams(keys, values, 1);
    db->busy = IDLE;
    db->sqlstate[0] = '\0';
    if (PQstatus(db->conn) != CONNECTION_OK) {
        g_autofree char *line = one_line(PQerrorMessage(db->conn));
        gboolean password = PQconnectionNeedsPassword(db->conn);
        g_set_error(error, WS_ERROR, password ? WS_ERROR_DB_SCHEMA : WS_ERROR_DB_DOWN,
                    "could not reach the database: %s", line);
        return FALSE;
    }
    db->session++;
    PQsetNoticeReceiver(db->conn, on_notice, NULL);
    /* client_connection_check_interval: a long COPY must not go on after we were killed. synchronous_commit:
     * a mail is moved once it is committed, and then it has to be there after a crash, too.
     * idle_session_timeout: nothing is asked while a batch is read, however long that takes. */
    return check_server(db, error) &&
           db_run(db, "preparing the session",
                  "SET search_path = dmarc, pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD';"
                  "SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET standard_conforming_strings "
                  "= on;"
                  "SET default_transaction_isolation = 'read committed';"
                  "SET client_connection_check_interval = '2s'; SET idle_session_timeout = 0;"
                  "SELECT pg_catalog.set_config('synchronous_commit', 'on', false)"
                  " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'",
                  error);
}

void db_conninfo_add(GString *conninfo, const char *keyword, const char *value)
{
    g_string_append_printf(conninfo, "%s%s='", conninfo->len ? " " : "", keyword);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            g_string_append_c(conninfo, '\\');
        g_string_append_c(conninfo, *value);
    }
    g_string_append_c(conninfo, '\'');
}

char *db_conninfo_part(const char *conninfo, char **password_r, GError **error)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &reason);
    *password_r = NULL;
    if (!options) {
        /* Its words may quote a password. */
        PQfreemem(reason);
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG, "cannot parse the conninfo of the database");
        return NULL;
    }
    GString *rest = g_string_new(NULL);
    for (PQconninfoOption *option = options; option->keyword; option++) {
        if (!option->val)
            continue;
        if (strcmp(option->keyword, "password") == 0) {
            *password_r = g_strdup(option->val);
            explicit_bzero(option->val, strlen(option->val));
        } else {
            db_conninfo_add(rest, option->keyword, option->val);
        }
    }
    PQconninfoFree(options);
    return g_string_free(rest, FALSE);
}

struct db *db_open(const char *conninfo, GError **error)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    if (!options) {
        /* libpq's own message may quote a password. */
        PQfreemem(message);
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "the database's connection string cannot be parsed: neither \"keyword=value ...\" nor a "
                    "postgresql:// URI");
        return NULL;
    }
    PQconninfoFree(options);
    struct db *db = g_new0(struct db, 1);
    db->conninfo = g_strdup(conninfo);
    if (!open_connection(db, error)) {
        db_close(db);
        return NULL;
    }
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    g_free(db->name);
    g_free(db->conninfo);
    g_free(db);
}

gboolean db_reconnect(struct db *db, GError **error)
{
    PQfinish(db->conn);
    db->conn = NULL;
    if (open_connection(db, error))
        return TRUE;
    PQfinish(db->conn);
    db->conn = NULL;
    return FALSE;
}

gboolean db_alive(const struct db *db)
{
    return db->conn && PQstatus(db->conn) == CONNECTION_OK;
}

guint db_session(const struct db *db)
{
    return db->session;
}

const char *db_sqlstate(const struct db *db)
{
    return db->sqlstate;
}

/* Waits for what was sent. Owned by the caller; NULL with an error. */
static struct db_result *finish(struct db *db, const char *name, int sent, GError **error)
{
    step(name);
    PGresult *result = sent ? last_result(db) : NULL;
    if (!result || !succeeded(result)) {
        set_error(db, name, result, error);
        PQclear(result);
        return NULL;
    }
    struct db_result *wrapped = g_new0(struct db_result, 1);
    wrapped->result = result;
    return wrapped;
}

struct db_result *db_script(struct db *db, const char *name, const char *sql, GError **error)
{
    return ready(db, name, error) ? finish(db, name, PQsendQuery(db->conn, sql), error) : NULL;
}

gboolean db_run(struct db *db, const char *name, const char *sql, GError **error)
{
    struct db_result *result = db_script(db, name, sql, error);
    db_result_free(result);
    return result != NULL;
}

static int send_query(struct db *db, const char *sql, guint n_values, const char *const *values)
{
    return PQsendQueryParams(db->conn, sql, (int)n_values, NULL, values, NULL, NULL, 0);
}

struct db_result *db_query(struct db *db, const char *name, const char *sql, guint n_values,
                           const char *const *values, GError **error)
{
    return ready(db, name, error) ? finish(db, name, send_query(db, sql, n_values, values), error) : NULL;
}

static void start_work(struct db *db, const char *name, enum busy busy)
{
    g_free(db->name);
    db->name = g_strdup(name);
    db->busy = busy;
}

gboolean db_stream_begin(struct db *db, const char *name, const char *sql, guint n_values,
                         const char *const *values, GError **error)
{
    if (!ready(db, name, error))
        return FALSE;
    if (!send_query(db, sql, n_values, values)) {
        set_error(db, name, NULL, error);
        return FALSE;
    }
    PQsetSingleRowMode(db->conn);
    start_work(db, name, STREAMING);
    return TRUE;
}

struct db_result *db_stream_next(struct db *db, gboolean *end_r, GError **error)
{
    *end_r = TRUE;
    g_return_val_if_fail(db->busy == STREAMING, NULL);
    PGresult *result = PQgetResult(db->conn);
    if (result && PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        *end_r = FALSE;
    } else {
        db->busy = IDLE;
        if (!result || !succeeded(result)) {
            set_error(db, db->name, result, error);
            PQclear(result);
            PQclear(last_result(db));
            return NULL;
        }
        PQclear(last_result(db));
    }
    struct db_result *wrapped = g_new0(struct db_result, 1);
    wrapped->result = result;
    return wrapped;
}

guint db_rows(const struct db_result *result)
{
    return (guint)PQntuples(result->result);
}

guint db_columns(const struct db_result *result)
{
    return (guint)PQnfields(result->result);
}

const char *db_column_name(const struct db_result *result, guint column)
{
    return PQfname(result->result, (int)column);
}

guint db_column_type(const struct db_result *result, guint column)
{
    return PQftype(result->result, (int)column);
}

const char *db_value(const struct db_result *result, guint row, guint column)
{
    if (PQgetisnull(result->result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(result->result, (int)row, (int)column);
}

gint64 db_int(const struct db_result *result, guint row, guint column)
{
    const char *text = db_value(result, row, column);
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

guint64 db_affected(const struct db_result *result)
{
    return g_ascii_strtoull(PQcmdTuples(result->result), NULL, 10);
}

void db_result_free(struct db_result *result)
{
    if (!result)
        return;
    PQclear(result->result);
    g_free(result);
}

gboolean db_copy_begin(struct db *db, const char *name, const char *sql, GError **error)
{
    if (!ready(db, name, error))
        return FALSE;
    PGresult *result = PQsendQuery(db->conn, sql) ? PQgetResult(db->conn) : NULL;
    if (result && PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        start_work(db, name, COPYING);
        return TRUE;
    }
    set_error(db, name, result, error);
    PQclear(result);
    PQclear(last_result(db));
    return FALSE;
}

gboolean db_copy_put(struct db *db, const void *data, gsize n, GError **error)
{
    g_return_val_if_fail(db->busy == COPYING, FALSE);
    const char *p = data;
    while (n) {
        int piece = (int)MIN(n, COPY_BYTES);
        if (PQputCopyData(db->conn, p, piece) != 1) {
            /* The reason may have come already, as a result. */
            g_autofree char *name = g_steal_pointer(&db->name);
            db->busy = IDLE;
            PGresult *result = last_result(db);
            set_error(db, name, result, error);
            PQclear(result);
            return FALSE;
        }
        step("copying");
        p += piece;
        n -= (gsize)piece;
    }
    return TRUE;
}

gboolean db_copy_end(struct db *db, const char *abort_reason, GError **error)
{
    g_return_val_if_fail(db->busy == COPYING, FALSE);
    db->busy = IDLE;
    int sent = PQputCopyEnd(db->conn, abort_reason) == 1;
    if (!abort_reason) {
        struct db_result *result = finish(db, db->name, sent, error);
        db_result_free(result);
        return result != NULL;
    }
    PQclear(last_result(db));
    if (db_alive(db))
        return TRUE;
    set_error(db, db->name, NULL, error);
    return FALSE;
}
