/* What the writer stores and decides, against a real server: prints TAP. The conninfo of a database with the
 * schema, which is emptied, comes in PG_CONNINFO. */
#include "tests/tools/writer_fixture.h"

static const struct writer_settings tiny = {
    .batch_messages = 500, .batch_bytes = 64 * 1024, .spill_records = 10, .tally_evidence = 2};

/* Everything that is stored of reports, without numbers and times that differ from run to run, as one hash.
 */
static char *stored_hash(struct db *db)
{
    return ask(
        db,
        "SELECT md5(string_agg(x, E'\\n' ORDER BY x)) FROM ("
        "SELECT 'r' || (to_jsonb(r) - 'id' - 'ingested_at')::text AS x FROM dmarc_store.report r UNION ALL "
        "SELECT 'e' || to_jsonb(e)::text FROM dmarc_store.evidence e UNION ALL "
        "SELECT 'o' || (to_jsonb(o) - 'report' - 'row_ips')::text || r.report_id FROM "
        "dmarc_store.observation o "
        "JOIN dmarc_store.report r ON r.id = o.report AND r.domain = o.domain AND r.day = o.day UNION ALL "
        "SELECT 's' || ROW(d.domain, d.day, d.profile, sum(d.records), sum(d.messages), sum(d.quarantined), "
        "sum(d.rejected))::text FROM dmarc_store.profile_day d GROUP BY d.domain, d.day, d.profile) AS "
        "all_rows");
}

static void test_sums(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    for (guint i = 0; i < 1200; i++) {
        g_autofree char *id = g_strdup_printf("id-%u", i);
        g_autofree char *domain = g_strdup_printf("d%u.example", i % 9);
        struct report_head head = made_head(id, domain);
        head.begin -= (gint64)(i % 100) * MADE_DAY;
        head.end = head.begin + MADE_DAY - 1;
        ok(put_report(f->writer, i, &head, i, i % 11, &error));
    }
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 1000);
    ok(writer_flush(f->writer, &error));
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 1200);
    for (guint i = 0; i < 1200; i++)
        g_assert_cmpuint(g_array_index(f->tokens, guint, i), ==, i);
    guint64 records = 0, messages = 0;
    for (guint i = 0; i < 1200; i++)
        for (guint n = 0; n < i % 11; n++, records++)
            messages += 1 + (i + n) % 5;
    g_autofree char *sums = g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, records, messages);
    assert_sql(f->db, "SELECT count(*) || ' ' || sum(message_count) FROM dmarc_store.observation", sums);
    assert_sql(f->db, "SELECT sum(record_count) || ' ' || sum(message_count) FROM dmarc_store.report", sums);
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.report", "1200");
    assert_sql(f->db,
               "SELECT count(*) FROM dmarc_store.observation o LEFT JOIN dmarc_store.evidence e ON e.domain "
               "= o.domain "
               "AND e.hash = o.evidence"
               " WHERE e.hash IS NULL",
               "0");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.evidence", "63");
    assert_sql(f->db,
               "SELECT count(*) FROM dmarc_store.document d JOIN dmarc_store.report r ON r.id = d.report AND "
               "r.domain = "
               "d.domain AND r.day = d.day"
               " JOIN dmarc_store.message m ON m.id = d.message AND m.sha256 = d.mail_sha256 WHERE d.outcome "
               "= 'stored'",
               "1200");
}

/* Every column of a rich report comes back as it went in. */
static void test_columns(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char *const raw_head[] = {"p=NONE", NULL}, *const raw_record[] = {"disposition=Reject",
                                                                                   NULL};
    struct dkim_result dkim[] = {{"a.example", "s", "pass", NULL, "fine"}, {NULL, NULL, NULL, "odd", NULL}};
    struct spf_result spf[] = {{"b.example", NULL, "softfail", "SoftFail", NULL}};
    struct override_reason reasons[] = {{"forwarded", NULL, "x"}, {"other", "weird", NULL}};
    struct report_warning warnings[] = {{"date_swap", 1, "begin"}, {"null_row", 3, NULL}};
    struct report_head head = made_head("<id>", "example.org");
    struct report_tail tail = {.records_seen = 3, .incomplete = TRUE, .n_warnings = 2, .warnings = warnings};
    struct report_record record = {.family = AF_INET6,
                                   .message_count = G_MAXINT64,
                                   .header_from = "example.org",
                                   .envelope_from = "",
                                   .disposition = "reject",
                                   .dkim_verdict = "pass",
                                   .spf_verdict = "fail",
                                   .verdict_computed = TRUE,
                                   .dkim_aligned = TRUE,
                                   .dkim_aligned_domain = "a.example",
                                   .disagree = TRUE,
                                   .n_dkim = 2,
                                   .n_spf = 1,
                                   .n_reasons = 2,
                                   .dkim = dkim,
                                   .spf = spf,
                                   .reasons = reasons,
                                   .extensions = "<x/>",
                                   .raw = raw_record};
    struct report_record nowhere = {.family = AF_UNSPEC,
                                    .source_raw = "unknown",
                                    .message_count = G_MAXINT64,
                                    .header_from = "",
                                    .dkim_verdict = "fail",
                                    .spf_verdict = "fail"};
    struct mail mail;
    head.pct = -1;
    head.raw = raw_head;
    head.generation = GENERATION_RFC9990;
    head.np = "reject";
    record.source_ip[0] = 0x20, record.source_ip[1] = 0x01, record.source_ip[15] = 1;
    make_mail(&mail, 1);
    const struct report_sink *sink = writer_sink(f->writer);
    writer_message_begin(f->writer);
    ok(sink->begin(sink->self, &head, &error) && sink->record(sink->self, &record, &error));
    ok(sink->record(sink->self, &nowhere, &error) && sink->end(sink->self, &tail, &error));
    writer_document(f->writer, &aggregate);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db,
               "SELECT concat_ws('|', domain, day, reporter, report_id, period_begin, period_end, "
               "generation, p, np, coalesce(pct, -7), raw,"
               " record_count, records_seen, message_count, incomplete, id_collision, warnings, "
               "warning_notes) FROM dmarc_store.report",
               "example.org|2026-11-20|reporter.example|<id>|2026-11-20 00:00:00+00|2026-11-20 "
               "23:59:59+00|rfc9990|none|reject|-7|{p=NONE}|"
               "2|3|18446744073709551614|t|f|{date_swap,null_row}|{begin,\"3 times\"}");
    assert_sql(f->db,
               "SELECT concat_ws('|', source_ip, message_count, ordinal, source_raw, header_from, '[' || "
               "envelope_from || ']',"
               " coalesce(envelope_to, 'null'), disposition, dkim_verdict, spf_verdict, verdict_computed, "
               "dkim_aligned, spf_aligned,"
               " dkim_aligned_domain, disagree, dkim_domains, dkim_selectors, dkim_results, dkim_raw, "
               "dkim_human, spf_domains,"
               " coalesce(spf_scopes::text, 'null'), spf_results, spf_raw, reason_types, reason_raw, "
               "reason_comments, extensions, raw)"
               " FROM dmarc_store.observation o JOIN dmarc_store.evidence e ON e.hash = o.evidence WHERE "
               "ordinal = 1",
               "2001::1|9223372036854775807|1|example.org|[]|null|reject|pass|fail|t|t|f|a.example|t|{a."
               "example,NULL}|{s,NULL}|{pass,NULL}|"
               "{NULL,odd}|{fine,NULL}|{b.example}|null|{softfail}|{SoftFail}|{forwarded,other}|{NULL,weird}|"
               "{x,NULL}|<x/>|{disposition=Reject}");
    assert_sql(
        f->db,
        "SELECT concat_ws('|', coalesce(source_ip::text, 'null'), source_raw) FROM dmarc_store.observation "
        "WHERE ordinal = 2",
        "null|unknown");
    assert_sql(f->db,
               "SELECT concat_ws('|', source, identity, subject, mail_date, size, outcome, coalesce(code, "
               "'-')) FROM dmarc_store.message",
               "imap://host/INBOX;UID=1|t|Report|2026-11-20 00:00:00+00|1234|stored|-");
    assert_sql(f->db, "SELECT concat_ws('|', ordinal, path, kind, size, outcome) FROM dmarc_store.document",
               "1|part 2 / a.xml|aggregate|99|stored");
}

/* The same report in one mail twice, in two mails of a batch, and in a later batch. */
static void test_duplicates(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("same", "example.org");
    struct mail mail;
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    ok(made_push(writer_sink(f->writer), &head, 0, 5, 7, &error) &&
       made_push(writer_sink(f->writer), &head, 0, 5, 7, &error));
    writer_document(f->writer, &aggregate);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    ok(put_report(f->writer, 2, &head, 0, 5, &error));
    ok(writer_flush(f->writer, &error));
    ok(put_report(f->writer, 3, &head, 0, 5, &error));
    ok(writer_flush(f->writer, &error));
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.observation) FROM dmarc_store.report",
        "1 5");
    assert_sql(f->db, "SELECT string_agg(outcome, ',' ORDER BY id) FROM dmarc_store.message",
               "stored,duplicate,duplicate");
    assert_sql(
        f->db,
        "SELECT string_agg(outcome || ordinal, ',' ORDER BY message, ordinal) FROM dmarc_store.document",
        "stored1,duplicate2,duplicate1,duplicate1");
    assert_sql(f->db,
               "SELECT count(*) FROM dmarc_store.document d JOIN dmarc_store.report r ON r.id = d.report AND "
               "d.day = r.day",
               "4");
    assert_sql(f->db, "SELECT bool_or(id_collision) FROM dmarc_store.report", "f");
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 1);
    g_assert_cmpuint(f->settled[OUTCOME_DUPLICATE], ==, 2);
}

/* What our own judgement adds, and how the words were counted, is no other content. */
static void test_same_content(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("same", "example.org");
    struct made_record made;
    const struct report_sink *sink = writer_sink(f->writer);
    for (guint i = 0; i < 2; i++) {
        struct report_warning warning = {"null_row", 1, NULL};
        struct report_tail tail = {.records_seen = 1, .n_warnings = i, .warnings = &warning};
        struct mail mail;
        make_mail(&mail, i);
        made_record(&made, 1, 7);
        made.record.dkim_aligned = i > 0;
        made.record.disagree = i > 0;
        writer_message_begin(f->writer);
        ok(sink->begin(sink->self, &head, &error));
        ok(sink->record(sink->self, &made.record, &error) && sink->end(sink->self, &tail, &error));
        writer_document(f->writer, &aggregate);
        ok(writer_message_end(f->writer, &mail.ledger, &error));
    }
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT string_agg(outcome, ',' ORDER BY id) FROM dmarc_store.message",
               "stored,duplicate");
}

/* Other content under the same identity: kept, and what came later is flagged, in a batch and across batches.
 */
static void test_collision(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("same", "example.org"), other_day = head,
                       other_domain = made_head("same", "example.net");
    other_day.begin += MADE_DAY, other_day.end += MADE_DAY;
    ok(put_report(f->writer, 1, &head, 0, 5, &error));
    ok(put_report(f->writer, 2, &head, 1, 5, &error));
    ok(put_report(f->writer, 3, &other_day, 0, 5, &error));
    ok(put_report(f->writer, 4, &other_domain, 0, 5, &error));
    ok(writer_flush(f->writer, &error));
    ok(put_report(f->writer, 5, &head, 2, 5, &error));
    ok(put_report(f->writer, 6, &other_domain, 0, 4, &error));
    ok(writer_flush(f->writer, &error));
    assert_sql(
        f->db,
        "SELECT string_agg(m.source || r.id_collision, ' ' ORDER BY m.id) FROM dmarc_store.message m JOIN "
        "dmarc_store.document d ON d.message = m.id"
        " JOIN dmarc_store.report r ON r.id = d.report",
        "imap://host/INBOX;UID=1false imap://host/INBOX;UID=2true imap://host/INBOX;UID=3false "
        "imap://host/INBOX;UID=4false imap://host/INBOX;UID=5true imap://host/INBOX;UID=6true");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.observation", "29");
}

static void test_hostile_texts(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char nasty[] = "a'b\"c\\d\te\nf\r\x01\x7f{g,NULL}\\N\\.; DROP TABLE dmarc_store.report; "
                                "--\xf0\x9f\x98\x80\xe2\x80\xae";
    g_autofree char *noise = g_malloc(100 * 1024 + 1);
    for (guint i = 0; i < 100 * 1024; i++)
        noise[i] = (char)('!' + (i * 2654435761u >> 13) % 90);
    noise[100 * 1024] = '\0';
    struct dkim_result dkim = {nasty, nasty, "pass", nasty, nasty};
    struct report_record record = {.family = AF_UNSPEC,
                                   .source_raw = nasty,
                                   .message_count = 1,
                                   .header_from = nasty,
                                   .dkim_verdict = "pass",
                                   .spf_verdict = "fail",
                                   .n_dkim = 1,
                                   .dkim = &dkim,
                                   .extensions = noise};
    struct report_head head = made_head(noise, "example.org");
    struct report_tail tail = {.records_seen = 1};
    struct mail mail;
    head.org_name = head.reporter = nasty;
    head.begin = G_MININT64, head.end = G_MAXINT64;
    make_mail(&mail, 1);
    mail.ledger.source = noise;
    mail.ledger.subject = "invalid \xff\xfe utf-8";
    const struct report_sink *sink = writer_sink(f->writer);
    for (guint i = 0; i < 2; i++) {
        writer_message_begin(f->writer);
        ok(sink->begin(sink->self, &head, &error));
        ok(sink->record(sink->self, &record, &error) && sink->end(sink->self, &tail, &error));
        writer_document(f->writer, &aggregate);
        ok(writer_message_end(f->writer, &mail.ledger, &error));
        ok(writer_flush(f->writer, &error));
    }
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 1);
    g_assert_cmpuint(f->settled[OUTCOME_DUPLICATE], ==, 1);
    assert_sql(f->db, "SELECT report_id FROM dmarc_store.report", noise);
    assert_sql(f->db, "SELECT org_name FROM dmarc_store.report", nasty);
    assert_sql(f->db, "SELECT source_raw FROM dmarc_store.observation", nasty);
    assert_sql(f->db, "SELECT dkim_selectors[1] FROM dmarc_store.evidence", nasty);
    assert_sql(f->db, "SELECT period_begin || ' ' || period_end FROM dmarc_store.report",
               "4714-11-24 00:00:00+00 BC 294276-12-31 23:59:59+00");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.message", "1");
    assert_sql(f->db, "SELECT source FROM dmarc_store.message", noise);
    int outcomes[1];
    gboolean resumed[1];
    const guint8 *hashes[] = {mail.sha256};
    const char *sources[] = {noise};
    ok(writer_known(f->writer, 1, hashes, sources, &mail.ledger.identity, outcomes, resumed, &error));
    g_assert_true(resumed[0]);
}

/* One mail that the server does not take costs that mail alone. */
static void test_refused(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *long_name = g_malloc0(20001);
    for (guint i = 0; i < 20000; i++)
        long_name[i] = (char)('a' + (i * 2654435761u >> 13) % 26);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("id-%u", i);
        struct report_head head = made_head(id, "example.org");
        if (i == 13)
            head.org_name = "not \xff utf-8";
        if (i == 20)
            head.domain = long_name; /* too long for an index */
        ok(put_report(f->writer, i, &head, i, 3, &error));
    }
    ok(writer_flush(f->writer, &error));
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 38);
    g_assert_cmpuint(f->settled[OUTCOME_PROBLEM], ==, 2);
    g_assert_cmpuint(f->tokens->len, ==, 40);
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.observation) FROM dmarc_store.report",
        "38 114");
    assert_sql(f->db,
               "SELECT string_agg(source || d.code, ' ' ORDER BY id) FROM dmarc_store.message m JOIN "
               "dmarc_store.document d ON d.message = m.id WHERE m.outcome = 'problem'",
               "imap://host/INBOX;UID=13db_refused imap://host/INBOX;UID=20db_refused");
    assert_sql(f->db,
               "SELECT bool_and(detail ~ 'SQLSTATE (22021|54000)') FROM dmarc_store.document WHERE code = "
               "'db_refused'",
               "t");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.document", "40");
}

/* A schema that became newer meanwhile is not written to, and the mail is nobody's fault. */
static void test_newer_schema(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("id", "example.org");
    struct mail bare;
    make_mail(&bare, 2);
    for (guint i = 0; i < 2; i++) {
        GError *refused = NULL;
        ok(i ? writer_message_duplicate(f->writer, &bare.ledger, &error)
             : put_report(f->writer, 1, &head, 0, 3, &error));
        ok(db_run(f->db, "making it newer", "INSERT INTO dmarc.schema_version VALUES (9999, 'newer')",
                  &error));
        g_assert_false(writer_flush(f->writer, &refused));
        g_assert_error(refused, WS_ERROR, WS_ERROR_DB_SCHEMA);
        g_clear_error(&refused);
        assert_sql(f->db, "SELECT count(*) FROM dmarc_store.message", i ? "1" : "0");
        ok(db_run(f->db, "making it ours", "DELETE FROM dmarc.schema_version WHERE version = 9999", &error));
        ok(writer_flush(f->writer, &error));
    }
    assert_sql(f->db, "SELECT string_agg(outcome, ' ' ORDER BY id) FROM dmarc_store.message",
               "stored duplicate");
}

static void push_two(struct fixture *f)
{
    struct report_head big = made_head("big", "example.org"), small = made_head("small", "example.org");
    ok(put_report(f->writer, 1, &small, 3, 4, &error));
    ok(put_report(f->writer, 2, &big, 0, 30000, &error));
    ok(put_report(f->writer, 3, &big, 0, 30000, &error));
    ok(writer_flush(f->writer, &error));
}

/* What waited in files is, row for row, what waited in memory, also when evidence is forgotten all the time.
 */
static void test_spill(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    push_two(f);
    g_autofree char *by_memory = stored_hash(f->db);
    close_all(f);
    open_with(f, &tiny);
    empty(f->db);
    push_two(f);
    g_autofree char *by_file = stored_hash(f->db);
    g_assert_cmpstr(by_memory, ==, by_file);
    g_assert_cmpuint(f->settled[OUTCOME_STORED], ==, 2);
    g_assert_cmpuint(f->settled[OUTCOME_DUPLICATE], ==, 1);
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.observation", "30004");
}

/* One mail may not take the ledger's memory either. */
static void test_many_rows(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct mail mail;
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    for (guint i = 0; i < 10001; i++) {
        g_autofree char *id = g_strdup_printf("id-%u", i);
        struct report_head head = made_head(id, "example.org");
        if (i % 2)
            ok(made_push(writer_sink(f->writer), &head, i, 1, 7, &error));
        writer_document(f->writer, &aggregate);
    }
    ok(writer_message_end(f->writer, &mail.ledger, &error) && writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT outcome || code || detail FROM dmarc_store.message",
               "storedlimitmore than 10000 reports and documents in one mail");
    assert_sql(f->db, "SELECT count(*) BETWEEN 3000 AND 4000 FROM dmarc_store.report", "t");
    assert_sql(f->db, "SELECT count(*) BETWEEN 6000 AND 10001 FROM dmarc_store.document", "t");
}

/* A report that was begun and given up leaves nothing, and neither does a message that did not end. */
static void test_abandon(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("given up", "example.org"), kept = made_head("kept", "example.org");
    struct made_record made;
    struct mail mail;
    const struct report_sink *sink = writer_sink(f->writer);
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    ok(made_push(sink, &head, 0, 100, 7, &error));
    writer_message_begin(f->writer);
    ok(sink->begin(sink->self, &head, &error));
    for (guint i = 0; i < 100; i++)
        ok(sink->record(sink->self, made_record(&made, i, 50), &error));
    sink->abandon(sink->self);
    ok(made_push(sink, &kept, 0, 3, 7, &error));
    struct ledger_document partly = aggregate;
    partly.outcome = OUTCOME_PROBLEM, partly.code = "xml", partly.detail = "line 7";
    writer_document(f->writer, &partly);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    ok(writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT string_agg(report_id || record_count, ' ') FROM dmarc_store.report", "kept3");
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.evidence) FROM dmarc_store.observation",
        "3 3");
    assert_sql(f->db,
               "SELECT string_agg(concat_ws('/', ordinal, outcome, code, detail), ' ' ORDER BY ordinal) FROM "
               "dmarc_store.document",
               "1/stored 2/problem/xml/line 7");
    assert_sql(f->db, "SELECT outcome FROM dmarc_store.message", "stored");
}

/* Warnings about what a report came in stand with its document, also those that are known only later. */
static void test_warnings(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char *const two[] = {"ctype", "ext", NULL}, *const none[] = {NULL};
    struct report_head one = made_head("one", "example.org"), other = made_head("other", "example.org");
    struct ledger_document odd = aggregate, readme = {.path = "r", .kind = "text", .size = -1}, plain = odd;
    struct mail mail;
    odd.warnings = two;
    plain.warnings = none;
    readme.outcome = OUTCOME_NO_REPORT;
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(writer_documents(f->writer), ==, i);
        ok(made_push(writer_sink(f->writer), i ? &other : &one, 0, 3, 7, &error));
        writer_document(f->writer, i ? &plain : &odd);
    }
    writer_document(f->writer, &readme);
    writer_warn(f->writer, 0, "zip_extra");
    writer_warn(f->writer, 1, "mime");
    ok(writer_message_end(f->writer, &mail.ledger, &error) && writer_flush(f->writer, &error));
    assert_sql(f->db,
               "SELECT string_agg(coalesce(array_to_string(warnings, ','), '-'), ' ' ORDER BY ordinal) FROM "
               "dmarc_store.document",
               "ctype,ext,zip_extra zip_extra,mime -");
    /* The next mail's documents are its own. */
    make_mail(&mail, 2);
    writer_message_begin(f->writer);
    g_assert_cmpuint(writer_documents(f->writer), ==, 0);
}

/* What turns out to be false is forgotten, and what was there before stays. */
static void test_dropped_reports(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head kept = made_head("kept", "example.org"), wrong = made_head("wrong", "example.net");
    struct ledger_document bad = aggregate;
    struct mail mail;
    bad.outcome = OUTCOME_PROBLEM, bad.code = "crc";
    make_mail(&mail, 1);
    writer_message_begin(f->writer);
    ok(made_push(writer_sink(f->writer), &kept, 0, 3, 7, &error));
    writer_document(f->writer, &aggregate);
    for (guint i = 0; i < 2; i++)
        ok(made_push(writer_sink(f->writer), &wrong, i, 5, 7, &error));
    writer_drop_reports(f->writer);
    writer_document(f->writer, &bad);
    ok(writer_message_end(f->writer, &mail.ledger, &error));
    ok(put_report(f->writer, 2, &kept, 0, 3, &error) && writer_flush(f->writer, &error));
    assert_sql(f->db, "SELECT string_agg(report_id || record_count, ' ') FROM dmarc_store.report", "kept3");
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.evidence) FROM dmarc_store.observation",
        "3 3");
    assert_sql(f->db,
               "SELECT string_agg(concat_ws('/', outcome, code), ' ' ORDER BY message, ordinal) FROM "
               "dmarc_store.document",
               "stored problem/crc duplicate");
}

/* What became of a mail follows from its documents. */
static void test_outcomes(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const struct {
        enum outcome documents[2];
        const char *code;
        const char *expected;
    } rows[] = {
        {{OUTCOME_NO_REPORT, OUTCOME_NO_REPORT}, NULL, "no_report"},
        {{OUTCOME_NO_REPORT, OUTCOME_PROBLEM}, NULL, "problem"},
        {{OUTCOME_DUPLICATE, OUTCOME_NO_REPORT}, NULL, "duplicate"},
        {{OUTCOME_DUPLICATE, OUTCOME_PROBLEM}, NULL, "problem"},
        {{OUTCOME_STORED, OUTCOME_NO_REPORT}, NULL, "no_report"}, /* said to be stored, and no report came */
        {{OUTCOME_NO_REPORT, OUTCOME_NO_REPORT}, "mime", "problem"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mail mail;
        make_mail(&mail, i);
        mail.ledger.code = rows[i].code;
        writer_message_begin(f->writer);
        for (guint d = 0; d < 2; d++) {
            struct ledger_document document = {
                .path = "p", .kind = "text", .size = -1, .outcome = rows[i].documents[d]};
            writer_document(f->writer, &document);
        }
        ok(writer_message_end(f->writer, &mail.ledger, &error));
    }
    ok(writer_flush(f->writer, &error));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql = g_strdup_printf(
            "SELECT outcome FROM dmarc_store.message WHERE source = 'imap://host/INBOX;UID=%u'", i);
        assert_sql(f->db, sql, rows[i].expected);
    }
    g_assert_cmpuint(f->tokens->len, ==, G_N_ELEMENTS(rows));
}

static void test_known(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    struct report_head head = made_head("id", "example.org");
    struct mail mail, problem, elsewhere, never;
    ok(put_report(f->writer, 1, &head, 0, 3, &error));
    make_mail(&mail, 1), make_mail(&problem, 2), make_mail(&elsewhere, 1), make_mail(&never, 4);
    problem.ledger.code = "mime";
    writer_message_begin(f->writer);
    ok(writer_message_end(f->writer, &problem.ledger, &error));
    g_snprintf(elsewhere.source, sizeof elsewhere.source, "file:\"a\\b\"");
    ok(writer_message_duplicate(f->writer, &elsewhere.ledger, &error) && writer_flush(f->writer, &error));
    const guint8 *hashes[] = {mail.sha256,    mail.sha256,  problem.sha256,  problem.sha256,
                              problem.sha256, never.sha256, elsewhere.sha256};
    const char *sources[] = {mail.source,    "file:x",     problem.source,  "file:x",
                             problem.source, never.source, elsewhere.source};
    const gboolean identities[] = {TRUE, TRUE, TRUE, TRUE, FALSE, TRUE, TRUE};
    static const int outcomes[] = {OUTCOME_STORED,   OUTCOME_STORED, OUTCOME_PROBLEM, -1, -1, -1,
                                   OUTCOME_DUPLICATE};
    static const gboolean resumed[] = {TRUE, FALSE, TRUE, FALSE, FALSE, FALSE, TRUE};
    int outcomes_is[7];
    gboolean resumed_is[7];
    ok(writer_known(f->writer, 7, hashes, sources, identities, outcomes_is, resumed_is, &error));
    for (guint i = 0; i < 7; i++) {
        g_assert_cmpint(outcomes_is[i], ==, outcomes[i]);
        g_assert_cmpint(resumed_is[i], ==, resumed[i]);
    }
    ok(writer_known(f->writer, 0, NULL, NULL, NULL, NULL, NULL, &error));
    assert_sql(f->db, "SELECT string_agg(outcome, ',' ORDER BY id) FROM dmarc_store.message",
               "stored,problem,duplicate");
    /* The same mail from the same place again: no second row. */
    ok(put_report(f->writer, 1, &head, 0, 3, &error) && writer_flush(f->writer, &error));
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || (SELECT count(*) FROM dmarc_store.document) FROM dmarc_store.message",
        "3 1");
}

static gssize read_bytes(const void *self, guint64 offset, void *buf, gsize n, GError **unused)
{
    (void)unused;
    gsize left = strlen(self) - (gsize)offset, taken = MIN(n, left);
    memcpy(buf, (const char *)self + offset, taken);
    return (gssize)taken;
}

/* A problem, or a mail with a report of its own: its original is kept. */
static void put_kept(struct fixture *f, gboolean problem, guint number, const char *source)
{
    g_autofree char *id = g_strdup_printf("id-%u", number);
    struct report_head head = made_head(id, "example.org");
    struct mail mail;
    make_mail(&mail, number);
    mail.ledger.source = source;
    mail.ledger.code = problem ? "mime" : NULL;
    mail.ledger.original = (struct mail_bytes){.read = read_bytes, .self = "Subject: torn\n\n"};
    writer_message_begin(f->writer);
    if (!problem) {
        ok(made_push(writer_sink(f->writer), &head, 0, 3, 7, &error));
        writer_document(f->writer, &aggregate);
    }
    ok(writer_message_end(f->writer, &mail.ledger, &error));
}

/* What somebody else wrote while these were read: a mail of the same place, an original, or both. All others
 * of the batch go in. */
static void test_taken(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char counts[] =
        "SELECT (SELECT count(*) || ' ' || count(DISTINCT sha256) || ' ' || min(original) FROM "
        "dmarc_store.message) || ' ' || (SELECT count(*) FROM dmarc_store.original WHERE data <> '')";
    for (gboolean p = FALSE; p <= TRUE; p++) {
        empty(f->db);
        put_kept(f, p, 1, "a"), put_kept(f, p, 1, "b"), put_kept(f, p, 2, "a"), put_kept(f, p, 2, "a");
        ok(writer_flush(f->writer, &error));
        assert_sql(f->db, counts, "3 2 kept 2");
        put_kept(f, p, 1, "c"), put_kept(f, p, 3, "c");
        ok(writer_flush(f->writer, &error));
        assert_sql(f->db, counts, "5 3 kept 3");
        put_kept(f, p, 3, "c"), put_kept(f, p, 4, "c");
        ok(writer_flush(f->writer, &error));
        assert_sql(f->db, counts, "6 4 kept 4");
        ok(db_run(f->db, "keeping an original",
                  "INSERT INTO dmarc_store.original (mail_sha256, size, data) VALUES "
                  "('\\x05' || decode(repeat('00', 31), 'hex'), 1, 'x')",
                  &error));
        put_kept(f, p, 5, "c"), put_kept(f, p, 6, "c");
        ok(writer_flush(f->writer, &error));
        assert_sql(f->db, counts, "8 6 kept 6");
        put_kept(f, p, 7, "c");
        ok(writer_flush(f->writer, &error));
        assert_sql(f->db, counts, "9 7 kept 7");
    }
}

/* Days without a month of their own, and the months that get one. */
static void test_months(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    gint64 today = g_get_real_time() / G_USEC_PER_SEC / 86400 * 86400;
    const gint64 begins[] = {
        0, today, -1, today + 400 * MADE_DAY, today - 1500 * MADE_DAY, today - 700 * MADE_DAY, G_MININT64};
    for (guint i = 0; i < G_N_ELEMENTS(begins); i++) {
        g_autofree char *id = g_strdup_printf("id-%u", i);
        struct report_head head = made_head(id, "example.org");
        head.begin = head.end = begins[i];
        ok(put_report(f->writer, i, &head, 0, 2, &error));
    }
    ok(writer_flush(f->writer, &error));
    /* There, only who has the coordinator makes more than are there from the start. */
    struct db_result *where =
        db_query(f->db, "where", "SELECT dmarc_store.is_distributed()::int", 0, NULL, NULL);
    gboolean distributed = db_int(where, 0, 0) != 0;
    db_result_free(where);
    assert_sql(f->db, "SELECT count(*) || ' ' || min(day) FROM dmarc_store.observation WHERE ordinal = 1",
               "7 4714-11-24 BC");
    assert_sql(
        f->db,
        "SELECT string_agg((current_date - day)::text, ' ' ORDER BY day DESC) FROM dmarc_store.observed"
        " WHERE first_ordinal = 1 AND tableoid <> 'dmarc_store.observed_other'::regclass",
        distributed ? "0" : "0 700");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.report_other", distributed ? "6" : "5");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_return_val_if_fail(g_getenv("PG_CONNINFO"), 1);
#define add(name, function) g_test_add("/writer/" name, struct fixture, NULL, set_up, function, tear_down)
    add("sums", test_sums);
    add("columns", test_columns);
    add("duplicates", test_duplicates);
    add("same-content", test_same_content);
    add("collision", test_collision);
    add("hostile-texts", test_hostile_texts);
    add("refused", test_refused);
    add("newer-schema", test_newer_schema);
    add("spill", test_spill);
    add("many-rows", test_many_rows);
    add("abandon", test_abandon);
    add("warnings", test_warnings);
    add("dropped-reports", test_dropped_reports);
    add("outcomes", test_outcomes);
    add("known", test_known);
    add("taken", test_taken);
    add("months", test_months);
#undef add
    return g_test_run();
}
