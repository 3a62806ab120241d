/* What the tests of the writer share: a connection to the database of PG_CONNINFO, emptied, a writer, and
 * mails by number. */
#pragma once

#include "db/schema.h"
#include "db/writer.h"
#include "tests/tools/made_report.h"
#include "tests/unit/unit.h"

struct fixture {
    struct db *db;
    struct writer *writer;
    guint settled[4]; /* by outcome */
    GArray *tokens;
};

static inline void on_settled(gpointer token, enum outcome outcome, gpointer data)
{
    struct fixture *f = data;
    guint number = GPOINTER_TO_UINT(token);
    f->settled[outcome]++;
    g_array_append_val(f->tokens, number);
}

static inline void open_with(struct fixture *f, const struct writer_settings *settings)
{
    GError *error = NULL;
    memset(f->settled, 0, sizeof f->settled);
    f->db = db_open(g_getenv("PG_CONNINFO"), &error);
    g_assert_no_error(error);
    f->writer = writer_new(f->db, settings, on_settled, f);
    f->tokens = g_array_new(FALSE, FALSE, sizeof(guint));
}

static inline void close_all(struct fixture *f)
{
    writer_free(f->writer);
    db_close(f->db);
    g_array_unref(f->tokens);
}

static inline void empty(struct db *db)
{
    GError *error = NULL;
    db_run(
        db, "emptying",
        "TRUNCATE dmarc_store.message, dmarc_store.document, dmarc_store.report, dmarc_store.evidence, "
        "dmarc_store.observed, "
        "dmarc_store.profile, dmarc_store.summed, dmarc_store.folded, dmarc_store.unfolded, "
        "dmarc_store.domain_day, dmarc_store.original, dmarc_store.reading, "
        "dmarc_store.failure_report, dmarc_store.tls_report, dmarc_store.tls_policy, dmarc_store.tls_failure",
        &error);
    g_assert_no_error(error);
}

static inline void set_up(struct fixture *f, gconstpointer settings)
{
    open_with(f, settings ? settings : &writer_defaults);
    empty(f->db);
}

/* The answer's first value. */
static inline char *ask(struct db *db, const char *sql)
{
    GError *error = NULL;
    struct db_result *result = db_query(db, "asking", sql, 0, NULL, &error);
    g_assert_no_error(error);
    char *value = g_strdup(db_rows(result) ? db_value(result, 0, 0) : NULL);
    db_result_free(result);
    return value;
}

#define assert_sql(db, sql, expected)                                                                        \
    do {                                                                                                     \
        g_autofree char *answer_ = ask(db, sql);                                                             \
        g_assert_cmpstr(answer_, ==, expected);                                                              \
    } while (0)

#define ok(call)                                                                                             \
    do {                                                                                                     \
        GError *error = NULL;                                                                                \
        gboolean done_ = (call);                                                                             \
        g_assert_no_error(error);                                                                            \
        g_assert_true(done_);                                                                                \
    } while (0)

/* Whatever was written: the sums are what the records say, and none of them comes to nothing. */
static inline void check_sums(struct db *db)
{
    GError *error = NULL;
    g_autofree char *sql = NULL;
    g_file_get_contents("tests/lib/sums.sql", &sql, NULL, &error);
    g_assert_no_error(error);
    struct db_result *wrong = db_script(db, "checking sums", sql, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < db_rows(wrong); i++)
        g_test_message("%s: %s", db_value(wrong, i, 0), db_value(wrong, i, 1));
    g_assert_cmpuint(db_rows(wrong), ==, 0);
    db_result_free(wrong);
    db_run(db, "going back", "RESET enable_nestloop", NULL);
    assert_sql(
        db,
        "SELECT count(*) FROM (SELECT 1 FROM dmarc_store.profile_day GROUP BY domain, day, doubtful, profile"
        " HAVING sum(records) = 0 AND sum(messages) = 0) n",
        "0");
}

static inline void tear_down(struct fixture *f, gconstpointer settings)
{
    (void)settings;
    check_sums(f->db);
    close_all(f);
}

/* The hash and the reference of mail number n. */
struct mail {
    guint8 sha256[32];
    char source[64];
    struct ledger_message ledger;
};

static inline void make_mail(struct mail *mail, guint n)
{
    memset(mail, 0, sizeof *mail);
    memcpy(mail->sha256, &n, sizeof n);
    g_snprintf(mail->source, sizeof mail->source, "imap://host/INBOX;UID=%u", n);
    mail->ledger = (struct ledger_message){.sha256 = mail->sha256,
                                           .source = mail->source,
                                           .identity = TRUE,
                                           .subject = "Report",
                                           .date = MADE_BEGIN,
                                           .size = 1234,
                                           .token = GUINT_TO_POINTER(n)};
}

static const struct ledger_document aggregate = {
    .path = "part 2 / a.xml", .kind = "aggregate", .size = 99, .outcome = OUTCOME_STORED};

/* One mail with one document with one report. */
static inline gboolean put_report(struct writer *writer, guint mail_number, const struct report_head *head,
                                  guint first, guint records, GError **error)
{
    struct mail mail;
    make_mail(&mail, mail_number);
    writer_message_begin(writer);
    if (!made_push(writer_sink(writer), head, first, records, 7, error))
        return FALSE;
    writer_document(writer, &aggregate);
    return writer_message_end(writer, &mail.ledger, error);
}
