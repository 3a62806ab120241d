/* A database that does not take some of the reports: what that costs the others. Prints TAP. As
 * tests/tools/db_writer.c; reports whose id begins with "bad" are refused by constraints that the test adds.
 */
#include "tests/tools/writer_fixture.h"

#include "parser/failure.h"

static void run_sql(struct db *db, const char *sql)
{
    ok(db_run(db, "preparing", sql, &error));
}

static void set_up_refusal(struct fixture *f, gconstpointer settings)
{
    set_up(f, settings);
    run_sql(f->db,
            "ALTER TABLE dmarc_store.report ADD CONSTRAINT bad_ck CHECK (report_id NOT LIKE 'bad%');"
            "ALTER TABLE dmarc_store.failure_report ADD CONSTRAINT bad_ck CHECK (reporter NOT LIKE 'bad%');"
            "ALTER TABLE dmarc_store.message ADD CONSTRAINT bad_ck CHECK (subject NOT LIKE 'bad%')");
}

static void tear_down_refusal(struct fixture *f, gconstpointer settings)
{
    run_sql(f->db, "ALTER TABLE dmarc_store.report DROP CONSTRAINT bad_ck;"
                   "ALTER TABLE dmarc_store.failure_report DROP CONSTRAINT bad_ck;"
                   "ALTER TABLE dmarc_store.message DROP CONSTRAINT bad_ck");
    tear_down(f, settings);
}

/* One that writes mails has a savepoint, which is one more. */
static gint64 transactions(struct db *db)
{
    g_autofree char *number = ask(db, "SELECT pg_current_xact_id()");
    return g_ascii_strtoll(number, NULL, 10);
}

static void put_id(struct fixture *f, guint mail, const char *id)
{
    struct report_head head = made_head(id, "example.org");
    ok(put_report(f->writer, mail, &head, mail, 3, &error));
}

/* Three of 500: a few transactions for each, and nothing else is lost. */
static void test_three_of_many(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    gint64 before = transactions(f->db);
    for (guint i = 0; i < 500; i++) {
        g_autofree char *id = g_strdup_printf("%s-%u", i == 7 || i == 250 || i == 499 ? "bad" : "id", i);
        put_id(f, i, id);
    }
    gint64 used = transactions(f->db) - before;
    g_test_message("%" G_GINT64_FORMAT " transactions", used);
    g_assert_cmpint(used, <=, 3 * (1 + 2) * 9 + 10); /* of two halves one is refused, one is written */
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 497);
    g_assert_cmpuint(f->settled[OUTCOME_PROBLEM], ==, 3);
    for (guint i = 0; i < 500; i++)
        g_assert_cmpuint(g_array_index(f->tokens, guint, i), ==, i);
    assert_sql(f->db, "SELECT count(*) || ' ' || sum(record_count) FROM dmarc_store.report", "497 1491");
    assert_sql(f->db, "SELECT sum(reports) || ' ' || sum(records) FROM dmarc_store.domain_day", "497 1491");
    assert_sql(f->db,
               "SELECT string_agg(m.source || ' ' || d.path || ' ' || d.code, ', ' ORDER BY m.id) FROM "
               "dmarc_store.message m JOIN dmarc_store.document d ON d.message = m.id "
               "WHERE m.outcome = 'problem' AND m.code IS NULL AND d.detail ~ 'bad_ck.*SQLSTATE 23514'",
               "imap://host/INBOX;UID=7 part 2 / a.xml db_refused, imap://host/INBOX;UID=250 part 2 / a.xml "
               "db_refused, imap://host/INBOX;UID=499 part 2 / a.xml db_refused");
}

/* Without one that is refused a batch is one transaction; the rest are numbers that are fetched ahead. */
static void test_none(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    put_id(f, 0, "first");
    ok(writer_flush(f->writer, &error));
    gint64 before = transactions(f->db);
    for (guint i = 1; i < 400; i++) {
        g_autofree char *id = g_strdup_printf("id-%u", i);
        put_id(f, i, id);
    }
    ok(writer_flush(f->writer, &error));
    g_assert_cmpint(transactions(f->db) - before, <=, 8);
}

static gboolean push(struct fixture *f, const char *id, guint records, GError **error)
{
    struct report_head head = made_head(id, "example.org");
    return made_push(writer_sink(f->writer), &head, records, records, 7, error);
}

static gboolean push_failure(struct fixture *f, const char *reporter, GError **error)
{
    static const char *const none[] = {NULL};
    struct failure_report report = {.domain = "example.org",
                                    .reporter = reporter,
                                    .arrived = MADE_BEGIN,
                                    .incidents = 1,
                                    .auth_failures = none,
                                    .results = none,
                                    .raw = none,
                                    .carrier = reporter};
    return writer_failure(f->writer, &report, SUBJECT_HASHED, error);
}

static void put_document(struct fixture *f, const char *path, const char *kind, const char *code)
{
    struct ledger_document document = aggregate;
    document.path = path;
    document.kind = kind;
    document.outcome = code ? OUTCOME_PROBLEM : OUTCOME_STORED;
    document.code = code;
    writer_document(f->writer, &document);
}

#define DOCUMENTS                                                                                            \
    "SELECT string_agg(concat_ws(' ', m.source, d.ordinal, d.path, d.outcome, d.code, r.report_id, "         \
    "f.reporter), E'\\n' ORDER BY m.id, d.ordinal) FROM dmarc_store.message m JOIN dmarc_store.document d "  \
    "ON d.message = m.id LEFT JOIN dmarc_store.report r ON r.id = d.report LEFT JOIN "                       \
    "dmarc_store.failure_report f ON f.id = d.report"

/* Mails of several reports, of both kinds, lose those that are refused. */
static void test_one_of_a_mail(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct mail mail;
    put_id(f, 1, "before");
    make_mail(&mail, 2);
    writer_message_begin(f->writer);
    ok(push(f, "one", 1, &error) && push(f, "bad", 2, &error) && push(f, "three", 3, &error));
    put_document(f, "a", "aggregate", NULL);
    ok(push(f, "bad alone", 4, &error));
    put_document(f, "b", "aggregate", NULL);
    ok(push_failure(f, "good", &error) && push_failure(f, "bad", &error));
    put_document(f, "c", "failure", NULL);
    put_document(f, "d", "text", NULL);
    ok(push(f, "four", 5, &error) && push(f, "bad, too", 6, &error));
    put_document(f, "e", "aggregate", "xml");
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    put_id(f, 3, "after");
    /* All of it: what is left is a mail with problems. */
    make_mail(&mail, 4);
    writer_message_begin(f->writer);
    ok(push(f, "bad 1", 7, &error) && push(f, "bad 2", 8, &error));
    put_document(f, "f", "aggregate", NULL);
    ok(writer_message_end(f->writer, &mail.ledger, &error) && writer_flush(f->writer, &error));
    assert_sql(f->db, DOCUMENTS,
               "imap://host/INBOX;UID=1 1 part 2 / a.xml stored before\n"
               "imap://host/INBOX;UID=2 1 a stored one\n"
               "imap://host/INBOX;UID=2 2 a stored three\n"
               "imap://host/INBOX;UID=2 3 a problem db_refused\n"
               "imap://host/INBOX;UID=2 4 b problem db_refused\n"
               "imap://host/INBOX;UID=2 5 c stored good\n"
               "imap://host/INBOX;UID=2 6 c problem db_refused\n"
               "imap://host/INBOX;UID=2 7 d no_report\n"
               "imap://host/INBOX;UID=2 8 e stored four\n"
               "imap://host/INBOX;UID=2 9 e problem xml\n"
               "imap://host/INBOX;UID=2 10 e problem db_refused\n"
               "imap://host/INBOX;UID=3 1 part 2 / a.xml stored after\n"
               "imap://host/INBOX;UID=4 1 f problem db_refused\n"
               "imap://host/INBOX;UID=4 2 f problem db_refused");
    assert_sql(f->db, "SELECT string_agg(outcome, ' ' ORDER BY id) FROM dmarc_store.message",
               "stored stored stored problem");
    assert_sql(f->db,
               "SELECT string_agg(report_id || '=' || (SELECT count(*) FROM dmarc_store.observation o WHERE "
               "o.report = r.id), ' ' ORDER BY id) FROM dmarc_store.report r",
               "before=3 one=1 three=3 four=5 after=3");
    g_assert_cmpuint(writer_problems(f->writer), ==, 2);
    /* Again: nothing is new, and what was refused is refused again. */
    struct report_head before = made_head("before", "example.org");
    ok(put_report(f->writer, 5, &before, 1, 3, &error));
    put_id(f, 6, "bad");
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db,
               "SELECT string_agg(outcome, ' ' ORDER BY id) FROM dmarc_store.message WHERE source ~ '[56]$'",
               "duplicate problem");
}

/* A header that is refused costs the documents, and then the header. */
static void test_header(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("one", "example.org");
    struct mail mail;
    make_mail(&mail, 1);
    mail.ledger.subject = "bad";
    writer_message_begin(f->writer);
    ok(made_push(writer_sink(f->writer), &head, 0, 3, 7, &error));
    writer_document(f->writer, &aggregate);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    put_id(f, 2, "two");
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db,
               "SELECT string_agg(concat_ws(' ', source, outcome, code, subject), ', ' ORDER BY id) FROM "
               "dmarc_store.message",
               "imap://host/INBOX;UID=1 problem db_refused, imap://host/INBOX;UID=2 stored Report");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.document", "1");
}

/* A copy in the same batch takes the place of a mail that is refused for another reason, with its original.
 */
static void test_originals(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    for (guint i = 0; i < 3; i++) {
        struct report_head head = made_head("same", "example.org");
        struct mail mail;
        make_mail(&mail, i);
        mail.ledger.subject = i == 0 ? "bad" : "Report";
        mail.ledger.original = (struct mail_bytes){.read = NULL};
        writer_message_begin(f->writer);
        ok(made_push(writer_sink(f->writer), &head, 0, 3, 7, &error));
        writer_document(f->writer, &aggregate);
        ok(writer_message_end(f->writer, &mail.ledger, &error));
    }
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT string_agg(outcome, ' ' ORDER BY id) FROM dmarc_store.message",
               "problem stored duplicate");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_return_val_if_fail(g_getenv("PG_CONNINFO"), 1);
#define add(name, function)                                                                                  \
    g_test_add("/refused/" name, struct fixture, NULL, set_up_refusal, function, tear_down_refusal)
    add("three-of-many", test_three_of_many);
    add("none", test_none);
    add("one-of-a-mail", test_one_of_a_mail);
    add("header", test_header);
    add("copies", test_originals);
#undef add
    return g_test_run();
}
