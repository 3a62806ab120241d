/* The writer under strain: several at once, a backend that dies, a report that is large. Like db_writer. */
#include "tests/tools/writer_fixture.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Memory does not grow with a report: many records, and more evidence than is remembered at once. */
static void test_memory(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("big", "example.org");
    struct mail mail;
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    ok(made_push(writer_sink(f->writer), &head, 0, 200000, 80000, &error));
    writer_document(f->writer, &aggregate);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT count(*) || ' ' || count(DISTINCT ordinal) FROM dmarc_store.observation",
               "200000 200000");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.evidence", "80000");
#ifndef __SANITIZE_ADDRESS__ /* which takes more itself */
    struct rusage usage;
    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    g_assert_cmpint(usage.ru_maxrss, <, 64 * 1024);
#endif
}

/* In a child: mails in an order of its own, small batches, again and again when the server says so. */
static void write_shuffled(guint seed)
{
    static const struct writer_settings settings = {
        .batch_messages = 25, .batch_bytes = 8 * 1024 * 1024, .spill_records = 20000, .tally_evidence = 8};
    struct fixture f;
    guint order[600];
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        guint j = (guint)g_rand_int_range(rand, 0, (gint32)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    open_with(&f, &settings);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *id = g_strdup_printf("id-%u", order[i] % 400);
        g_autofree char *domain = g_strdup_printf("d%u.example", order[i] % 5);
        struct report_head head = made_head(id, domain);
        ok(put_report(f.writer, order[i], &head, order[i] % 400, 5, &error));
    }
    ok(writer_flush(f.writer, &error));
    close_all(&f);
    _exit(0);
}

static void test_two_writers(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    pid_t children[3];
    for (guint i = 0; i < G_N_ELEMENTS(children); i++)
        if ((children[i] = fork()) == 0)
            write_shuffled(i + 1);
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_cmpint(status, ==, 0);
    }
    assert_sql(f->db,
               "SELECT count(*) || ' ' || count(DISTINCT (domain, identity)) || ' ' || sum(record_count) "
               "FROM dmarc_store.report",
               "400 400 2000");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.observation", "2000");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.message", "600");
    assert_sql(f->db,
               "SELECT string_agg(outcome || n, ' ' ORDER BY outcome) FROM (SELECT outcome, count(*) n FROM "
               "dmarc_store.document GROUP BY 1) x",
               "duplicate200 stored400");
}

/* In a child: ends the backend of `pid` as soon as it waits for a lock that is held here. */
static void kill_when_waiting(const char *pid)
{
    GError *error = NULL;
    struct db *db = db_open(g_getenv("PG_CONNINFO"), &error);
    const char *values[] = {pid};
    db_run(db, "locking", "BEGIN; LOCK TABLE dmarc_store.document", &error);
    g_assert_no_error(error);
    for (guint i = 0; i < 2000; i++) {
        struct db_result *result = db_query(db, "ending a backend",
                                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                            "pid = $1::int AND wait_event_type = 'Lock'",
                                            1, values, &error);
        g_assert_no_error(error);
        gboolean done = db_rows(result) > 0;
        db_result_free(result);
        if (done)
            break;
        g_usleep(5000);
    }
    db_close(db);
    _exit(0);
}

static void test_backend_dies(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    GError *lost = NULL;
    struct report_head head = made_head("id", "example.org"), second = made_head("second", "example.org");
    g_autofree char *pid = ask(f->db, "SELECT pg_backend_pid()");
    ok(put_report(f->writer, 1, &head, 0, 50, &error) && put_report(f->writer, 2, &second, 0, 50, &error));
    pid_t child = fork();
    if (child == 0)
        kill_when_waiting(pid);
    g_usleep(200 * 1000);
    g_assert_false(writer_flush(f->writer, &lost));
    g_assert_error(lost, WS_ERROR, WS_ERROR_DB_DOWN);
    g_clear_error(&lost);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    g_assert_cmpuint(f->tokens->len, ==, 0);
    g_assert_false(db_alive(f->db));
    g_assert_false(db_run(f->db, "anything", "SELECT 1", &lost));
    g_assert_error(lost, WS_ERROR, WS_ERROR_DB_DOWN);
    g_clear_error(&lost);
    writer_reset(f->writer);
    ok(db_reconnect(f->db, &error));
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.report", "0");
    ok(put_report(f->writer, 1, &head, 0, 50, &error) && put_report(f->writer, 2, &second, 0, 50, &error));
    ok(writer_flush(f->writer, &error));
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 2);
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.observation) FROM dmarc_store.report",
        "2 100");
}

/* Somebody else read the same mail in the same moment and found nothing in it: its row stays, and no report
 * is without a mail that brought it. */
static void test_read_otherwise(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    GError *lost = NULL;
    struct report_head head = made_head("id", "example.org"), second = made_head("second", "example.org");
    ok(db_run(
        f->db, "adding a mail",
        "INSERT INTO dmarc_store.message (sha256, source, identity, size, outcome, code) VALUES ("
        "'\\x01' || decode(repeat('00', 31), 'hex'), 'imap://host/INBOX;UID=1', true, 1, 'problem', 'x')",
        &error));
    ok(put_report(f->writer, 1, &head, 0, 5, &error) && put_report(f->writer, 2, &second, 0, 5, &error));
    g_assert_false(writer_flush(f->writer, &lost));
    g_assert_error(lost, WS_ERROR, WS_ERROR_DB_DOWN);
    g_clear_error(&lost);
    g_assert_cmpuint(f->tokens->len, ==, 0);
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.report", "0");
    writer_reset(f->writer);
    ok(put_report(f->writer, 2, &second, 0, 5, &error) && writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM dmarc_store.message",
               "problem stored");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_return_val_if_fail(g_getenv("PG_CONNINFO"), 1);
#define add(name, function) g_test_add("/writer/" name, struct fixture, NULL, set_up, function, tear_down)
    add("memory", test_memory);
    add("two-writers", test_two_writers);
    add("backend-dies", test_backend_dies);
    add("read-otherwise", test_read_otherwise);
#undef add
    return g_test_run();
}
