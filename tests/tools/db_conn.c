/* The connection against a real server: prints TAP. The conninfo of any database comes in PG_CONNINFO. */
#include "db/conn.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct db *db;

#define ok(call)                                                                                             \
    do {                                                                                                     \
        GError *error = NULL;                                                                                \
        gboolean done_ = (call);                                                                             \
        g_assert_no_error(error);                                                                            \
        g_assert_true(done_);                                                                                \
    } while (0)

#define fails(call, kind, part)                                                                              \
    do {                                                                                                     \
        GError *error = NULL;                                                                                \
        gboolean done_ = (call);                                                                             \
        g_assert_false(done_);                                                                               \
        g_assert_error(error, WS_ERROR, (int)(kind));                                                        \
        g_assert_nonnull(strstr(error->message, part));                                                      \
        g_assert_null(strpbrk(error->message, "\n\r\t\x1b"));                                                \
        g_error_free(error);                                                                                 \
    } while (0)

static char *ask(const char *sql)
{
    GError *error = NULL;
    struct db_result *result = db_query(db, "asking", sql, 0, NULL, &error);
    g_assert_no_error(error);
    char *value = g_strdup(db_value(result, 0, 0));
    db_result_free(result);
    return value;
}

#define assert_sql(sql, expected)                                                                            \
    do {                                                                                                     \
        g_autofree char *answer_ = ask(sql);                                                                 \
        g_assert_cmpstr(answer_, ==, expected);                                                              \
    } while (0)

static void test_session(void)
{
    assert_sql("SELECT current_setting('application_name') || current_setting('client_encoding')",
               "whosendsUTF8");
    assert_sql("SELECT current_setting('TimeZone') || current_setting('DateStyle')", "UTCISO, YMD");
    assert_sql("SELECT current_setting('search_path')", "dmarc, pg_catalog");
    /* The server of the tests has other values. */
    assert_sql("SELECT current_setting('synchronous_commit')", "on");
    assert_sql("SELECT current_setting('idle_session_timeout')", "0");
    g_assert_cmpuint(db_session(db), ==, 1);
    g_assert_true(db_alive(db));
}

static void test_values(void)
{
    GError *lost = NULL;
    const char *values[] = {"a'b\\c\"; DROP TABLE x; --", NULL, "-9223372036854775808"};
    struct db_result *result =
        db_query(db, "asking", "SELECT $1::text AS a, $2::text, $3::bigint UNION ALL SELECT '', 'x', 7", 3,
                 values, &lost);
    g_assert_no_error(lost);
    g_assert_cmpuint(db_rows(result), ==, 2);
    g_assert_cmpuint(db_columns(result), ==, 3);
    g_assert_cmpstr(db_column_name(result, 0), ==, "a");
    g_assert_cmpuint(db_column_type(result, 2), ==, 20);
    g_assert_cmpstr(db_value(result, 0, 0), ==, values[0]);
    g_assert_null(db_value(result, 0, 1));
    g_assert_cmpstr(db_value(result, 1, 0), ==, "");
    g_assert_cmpint(db_int(result, 0, 2), ==, G_MININT64);
    g_assert_cmpint(db_int(result, 0, 1), ==, 0);
    db_result_free(result);
    db_result_free(NULL);
    ok(db_run(db, "making", "CREATE TEMP TABLE t (x int); INSERT INTO t SELECT generate_series(1, 5)",
              &error));
    result = db_query(db, "deleting", "DELETE FROM t WHERE x > 2", 0, NULL, &lost);
    g_assert_cmpuint(db_affected(result), ==, 3);
    db_result_free(result);
}

static void test_errors(void)
{
    static const struct {
        const char *state;
        enum ws_error kind;
    } rows[] = {
        {"08006", WS_ERROR_DB_DOWN},    {"25006", WS_ERROR_DB_DOWN},    {"40P01", WS_ERROR_DB_DOWN},
        {"53100", WS_ERROR_DB_DOWN},    {"55P03", WS_ERROR_DB_DOWN},    {"57014", WS_ERROR_DB_DOWN},
        {"58030", WS_ERROR_DB_DOWN},    {"XX001", WS_ERROR_DB_DOWN},    {"22021", WS_ERROR_DB_REFUSED},
        {"23505", WS_ERROR_DB_REFUSED}, {"54000", WS_ERROR_DB_REFUSED}, {"P0001", WS_ERROR_DB_REFUSED},
        {"42P01", WS_ERROR_DB_SCHEMA},  {"42501", WS_ERROR_DB_SCHEMA},  {"3F000", WS_ERROR_DB_SCHEMA},
        {"28000", WS_ERROR_DB_SCHEMA},  {"0A000", WS_ERROR_DB_SCHEMA},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql =
            g_strdup_printf("DO $$ BEGIN RAISE EXCEPTION E'first\\nsecond \\x1b[31m' USING ERRCODE = '%s',"
                            " DETAIL = 'some detail', HINT = 'some hint'; END $$",
                            rows[i].state);
        g_autofree char *said =
            g_strdup_printf("breaking: first second \\u{001B}[31m: %ssome hint (SQLSTATE %s)",
                            rows[i].kind == WS_ERROR_DB_REFUSED ? "" : "some detail: ", rows[i].state);
        fails(db_run(db, "breaking", sql, &error), rows[i].kind, said);
    }
    g_assert_true(db_alive(db));
    /* The first of several statements that fails is the one that is told. */
    fails(db_run(db, "several", "SELECT 1; SELECT nothing; SELECT 1/0", &error), WS_ERROR_DB_SCHEMA,
          "nothing");
    fails(db_run(db, "notices", "DO $$ BEGIN RAISE WARNING 'w'; END $$; SELECT 1/0", &error),
          WS_ERROR_DB_REFUSED, "division");
    /* A key of ours says nothing of the values. */
    fails(db_run(db, "a key",
                 "CREATE SCHEMA dmarc_store; CREATE TABLE dmarc_store.k (x int PRIMARY KEY);"
                 "INSERT INTO dmarc_store.k VALUES (1), (1)",
                 &error),
          WS_ERROR_DB_DOWN, "(x)=(1)");
    fails(db_run(db, "another key", "CREATE TEMP TABLE k (x int PRIMARY KEY); INSERT INTO k VALUES (1), (1)",
                 &error),
          WS_ERROR_DB_REFUSED, "23505");
    /* A COPY where none is expected. */
    fails(db_run(db, "copy", "CREATE TEMP TABLE c (x int); COPY c FROM STDIN", &error), WS_ERROR_DB_DOWN,
          "copy:");
    assert_sql("SELECT 1", "1");
}

static void test_stream(void)
{
    const char *values[] = {"5000"};
    gboolean end = FALSE;
    guint64 sum = 0;
    ok(db_stream_begin(db, "streaming", "SELECT i, repeat('x', 100) FROM generate_series(1, $1::int) i", 1,
                       values, &error));
    for (;;) {
        GError *error = NULL;
        struct db_result *row = db_stream_next(db, &end, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(db_columns(row), ==, 2);
        g_assert_cmpuint(db_rows(row), ==, end ? 0 : 1);
        sum += end ? 0 : (guint64)db_int(row, 0, 0);
        db_result_free(row);
        if (end)
            break;
    }
    g_assert_cmpuint(sum, ==, 5000u * 5001u / 2);
    /* One that breaks on the way. */
    ok(db_stream_begin(db, "breaking off", "SELECT 1 / (3 - i) FROM generate_series(1, 5) i", 0, NULL,
                       &error));
    for (guint i = 0; i < 2; i++) {
        struct db_result *row = db_stream_next(db, &end, NULL);
        g_assert_false(end);
        db_result_free(row);
    }
    fails(db_stream_next(db, &end, &error) != NULL, WS_ERROR_DB_REFUSED, "breaking off: division by zero");
    fails(db_stream_begin(db, "nothing", "SELECT nothing", 0, NULL, &error) &&
              db_stream_next(db, &end, &error),
          WS_ERROR_DB_SCHEMA, "nothing:");
    /* One that is left unfinished does not stand in the way, however long it is. */
    gint64 start = g_get_monotonic_time();
    ok(db_stream_begin(db, "leaving", "SELECT generate_series(1, 2000000000)", 0, NULL, &error));
    db_result_free(db_stream_next(db, &end, NULL));
    assert_sql("SELECT 1", "1");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
}

static void test_copy(void)
{
    static const char text[] = "1\tone\n2\ttwo\n3\t\\N\n";
    ok(db_run(db, "making", "CREATE TEMP TABLE copied (i int, t text)", &error));
    for (gsize cut = 0; cut < sizeof text; cut++) {
        ok(db_copy_begin(db, "copying", "COPY pg_temp.copied FROM STDIN", &error));
        ok(db_copy_put(db, text, cut, &error) && db_copy_put(db, text + cut, sizeof text - 1 - cut, &error));
        ok(db_copy_end(db, NULL, &error));
    }
    assert_sql("SELECT count(*) || '/' || count(t) FROM pg_temp.copied", "54/36");
    /* Discarded, in words and by the next statement. */
    ok(db_copy_begin(db, "copying", "COPY pg_temp.copied FROM STDIN", &error) &&
       db_copy_put(db, text, sizeof text - 1, &error));
    ok(db_copy_end(db, "changed my mind", &error));
    ok(db_copy_begin(db, "copying", "COPY pg_temp.copied FROM STDIN", &error) &&
       db_copy_put(db, text, 3, &error));
    assert_sql("SELECT count(*) FROM pg_temp.copied", "54");
    fails(db_copy_begin(db, "copying", "COPY nowhere FROM STDIN", &error), WS_ERROR_DB_SCHEMA, "nowhere");
    fails(db_copy_begin(db, "copying", "SELECT 1", &error), WS_ERROR_DB_DOWN, "copying");
    ok(db_copy_begin(db, "copying", "COPY pg_temp.copied FROM STDIN", &error) &&
       db_copy_put(db, "x\ty\n", 4, &error));
    fails(db_copy_end(db, NULL, &error), WS_ERROR_DB_REFUSED, "copying: invalid input syntax");
    assert_sql("SELECT count(*) FROM pg_temp.copied", "54");
}

static void test_reconnect(void)
{
    ok(db_run(db, "making", "CREATE TEMP TABLE gone (x int)", &error));
    fails(db_run(db, "ending itself", "SELECT pg_terminate_backend(pg_backend_pid())", &error),
          WS_ERROR_DB_DOWN, "ending itself");
    g_assert_false(db_alive(db));
    fails(db_query(db, "asking", "SELECT 1", 0, NULL, &error) != NULL, WS_ERROR_DB_DOWN,
          "asking: the connection to the database is lost");
    fails(db_copy_begin(db, "copying", "COPY x FROM STDIN", &error), WS_ERROR_DB_DOWN, "copying");
    ok(db_reconnect(db, &error));
    g_assert_cmpuint(db_session(db), ==, 2);
    fails(db_run(db, "asking", "SELECT * FROM pg_temp.gone", &error), WS_ERROR_DB_SCHEMA, "pg_temp");
    assert_sql("SELECT 1", "1");
}

int main(int argc, char **argv)
{
    (void)argc;
    GError *error = NULL;
    unit_init(argv[0]);
    db = db_open(g_getenv("PG_CONNINFO"), &error);
    g_assert_no_error(error);
    g_test_add_func("/conn/session", test_session);
    g_test_add_func("/conn/values", test_values);
    g_test_add_func("/conn/errors", test_errors);
    g_test_add_func("/conn/stream", test_stream);
    g_test_add_func("/conn/copy", test_copy);
    g_test_add_func("/conn/reconnect", test_reconnect);
    int failed = g_test_run();
    db_close(db);
    return failed;
}
