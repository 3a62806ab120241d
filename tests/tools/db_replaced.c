/* Incomplete reports and better copies of them, trusted reports and copies that are not, in every order. Like
 * db_writer. */
#include "tests/tools/writer_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOMAIN "example.org"

static const struct trust_rules nobody = {0};

/* What is different in the last record of a copy, or in its head. */
enum change { SAME, OTHER_COUNT, OTHER_ADDRESS, OTHER_TEXT, OTHER_EVIDENCE, OTHER_HEAD };

/* A copy of the report "id": its first records, cut off or whole, and who brought it. `other`: another
 * content. */
struct copy {
    const char *id;
    guint records;
    gboolean cut;
    enum trust brought;
    guint other;
    enum change change;
};

#define CUT_OF(other, n)                                                                                     \
    {                                                                                                        \
        "a", n, TRUE, TRUST_UNKNOWN, other, SAME                                                             \
    }
#define WHOLE_OF(other, n)                                                                                   \
    {                                                                                                        \
        "a", n, FALSE, TRUST_UNKNOWN, other, SAME                                                            \
    }
#define CUT(n) CUT_OF(0, n)
#define WHOLE(n) WHOLE_OF(0, n)
#define CUT_BUT(n, change)                                                                                   \
    {                                                                                                        \
        "a", n, TRUE, TRUST_UNKNOWN, 0, change                                                               \
    }

/* Of each five records one has an address of the longer kind, one none that can be read, and one more
 * messages than an int counts. */
static const struct report_record *record_of(struct made_record *made, const struct copy *copy, guint i)
{
    made_record(made, copy->other * 1000 + i, 7);
    struct report_record *record = &made->record;
    enum change change = i + 1 == copy->records ? copy->change : SAME;
    if (i % 5 == 1)
        record->family = AF_INET6;
    if (i % 5 == 2) {
        record->family = AF_UNSPEC;
        record->source_raw = change == OTHER_TEXT ? "unknown" : "X.X.X.X";
    }
    if (i % 5 == 3)
        record->message_count += G_MAXINT32;
    if (change == OTHER_COUNT)
        record->message_count++;
    if (change == OTHER_ADDRESS)
        record->source_ip[3] ^= 1;
    if (change == OTHER_EVIDENCE)
        record->disposition = "reject";
    return record;
}

static gboolean push(const struct report_sink *sink, const struct copy *copy, GError **error)
{
    struct made_record made;
    struct report_head head = made_head(copy->id, DOMAIN);
    if (copy->change == OTHER_HEAD)
        head.error = "none";
    struct report_tail tail = {.records_seen = copy->records, .incomplete = copy->cut};
    gboolean ok = sink->begin(sink->self, &head, error);
    for (guint i = 0; ok && i < copy->records; i++)
        ok = sink->record(sink->self, record_of(&made, copy, i), error);
    return ok && sink->end(sink->self, &tail, error);
}

static gboolean put(struct writer *writer, guint number, const struct copy *copy, GError **error)
{
    /* made_head's reporter, a stranger, or nothing known. */
    char *domain = (char *)(copy->brought == TRUST_YES ? "mail.reporter.example" : "evil.example");
    const struct mail_auth auth = {.result = copy->brought == TRUST_UNKNOWN ? AUTH_UNKNOWN : AUTH_PASS,
                                   .domain = domain};
    struct mail mail;
    make_mail(&mail, number);
    writer_message_begin(writer);
    writer_brought_by(writer, &auth);
    if (!push(writer_sink(writer), copy, error))
        return FALSE;
    writer_document(writer, &aggregate);
    return writer_message_end(writer, &mail.ledger, error);
}

/* records incomplete replaced collision trusted, of each report by id; then what became of each mail and
 * which report, by its records, its document leads to; then the records that count. */
static char *state(struct db *db)
{
    return ask(db, "SELECT concat_ws(' | ',"
                   " (SELECT string_agg(concat(record_count, CASE WHEN incomplete THEN ' cut' END, CASE WHEN "
                   "replaced THEN ' "
                   "replaced' END, CASE WHEN id_collision THEN ' collision' END, ' ' || trusted), ', ' ORDER "
                   "BY id) FROM "
                   "dmarc_store.report),"
                   " (SELECT string_agg(left(d.outcome, 1) || r.record_count, ' ' ORDER BY d.message) FROM "
                   "dmarc_store.document d"
                   " JOIN dmarc_store.report r ON r.domain = d.domain AND r.day = d.day AND r.id = d.report),"
                   " (SELECT count(*) FROM dmarc_store.observation))");
}

/* Copies in their order; how many go into the first batch, the others have one each. */
static const struct {
    const char *name;
    struct copy copies[5];
    guint together;
    const char *expected;
} cases[] = {
    {"cut, whole", {CUT(3), WHOLE(5)}, 0, "3 cut replaced, 5 | s3 s5 | 5"},
    {"whole, cut", {WHOLE(5), CUT(3)}, 0, "5 | s5 d5 | 5"},
    {"cut and whole in a batch", {CUT(3), WHOLE(5)}, 2, "5 | d5 s5 | 5"},
    {"whole and cut in a batch", {WHOLE(5), CUT(3)}, 2, "5 | s5 d5 | 5"},
    {"cut to nothing, whole", {CUT(0), WHOLE(5)}, 0, "0 cut replaced, 5 | s0 s5 | 5"},
    {"cut, less cut", {CUT(3), CUT(4)}, 0, "3 cut replaced, 4 cut | s3 s4 | 4"},
    {"cut, more cut", {CUT(4), CUT(3)}, 0, "4 cut | s4 d4 | 4"},
    {"cut, less cut, whole, and both again",
     {CUT(3), CUT(4), WHOLE(5), CUT(4), CUT(3)},
     0,
     "3 cut replaced, 4 cut replaced, 5 | s3 s4 s5 d5 d5 | 5"},
    {"all of them in a batch", {CUT(3), CUT(4), CUT(3), WHOLE(5), CUT(2)}, 5, "5 | d5 d5 d5 s5 d5 | 5"},
    {"two cuts in a batch, then whole", {CUT(3), CUT(4), WHOLE(5)}, 2, "4 cut replaced, 5 | d4 s4 s5 | 5"},
    {"cut behind its last record, whole", {CUT(5), WHOLE(5)}, 0, "5 | s5 d5 | 5"},
    {"whole, cut behind its last record", {WHOLE(5), CUT(5)}, 0, "5 | s5 d5 | 5"},
    {"cut behind its last record, and whole, in a batch", {CUT(5), CUT(5), WHOLE(5)}, 3, "5 | d5 d5 s5 | 5"},
    {"the same cut twice", {CUT(3), CUT(3)}, 0, "3 cut | s3 d3 | 3"},
    {"whole ones that differ, cut",
     {{"a", 3, TRUE, TRUST_UNKNOWN, 0, SAME},
      {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME},
      {"a", 6, FALSE, TRUST_UNKNOWN, 1, SAME}},
     0,
     "3 cut replaced, 5, 6 collision | s3 s5 s6 | 11"},
    {"the same in a batch",
     {{"a", 3, TRUE, TRUST_UNKNOWN, 0, SAME},
      {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME},
      {"a", 6, FALSE, TRUST_UNKNOWN, 1, SAME}},
     3,
     "5, 6 collision | d5 s5 s6 | 11"},
    {"cuts that differ and are as long",
     {{"a", 3, TRUE, TRUST_UNKNOWN, 0, SAME}, {"a", 3, TRUE, TRUST_UNKNOWN, 1, SAME}},
     2,
     "3 cut, 3 cut collision | s3 s3 | 6"},
    {"of another report", {{"b", 3, TRUE, TRUST_UNKNOWN, 0, SAME}, WHOLE(5)}, 0, "3 cut, 5 | s3 s5 | 8"},
    /* what holds something else is no better copy */
    {"cut, another whole", {CUT_OF(1, 1), WHOLE(5)}, 0, "1 cut, 5 collision | s1 s5 | 6"},
    {"whole, another cut", {WHOLE(5), CUT_OF(1, 1)}, 0, "5, 1 cut collision | s5 s1 | 6"},
    {"cut and another whole in a batch", {CUT_OF(1, 1), WHOLE(5)}, 2, "1 cut, 5 collision | s1 s5 | 6"},
    {"whole and another cut in a batch", {WHOLE(5), CUT_OF(1, 1)}, 2, "5, 1 cut collision | s5 s1 | 6"},
    {"cut, another longer cut", {CUT_OF(1, 3), CUT(4)}, 0, "3 cut, 4 cut collision | s3 s4 | 7"},
    {"cut, another shorter cut", {CUT(4), CUT_OF(1, 3)}, 0, "4 cut, 3 cut collision | s4 s3 | 7"},
    {"two such cuts in a batch", {CUT_OF(1, 3), CUT(4)}, 2, "3 cut, 4 cut collision | s3 s4 | 7"},
    {"cut, a whole one with less", {CUT(5), WHOLE(3)}, 0, "5 cut, 3 collision | s5 s3 | 8"},
    {"a whole one with less, cut", {WHOLE(3), CUT(5)}, 0, "3, 5 cut collision | s3 s5 | 8"},
    {"both in a batch", {CUT(5), WHOLE(3)}, 2, "5 cut, 3 collision | s5 s3 | 8"},
    {"another count", {CUT_BUT(3, OTHER_COUNT), WHOLE(5)}, 0, "3 cut, 5 collision | s3 s5 | 8"},
    {"another count in a batch", {CUT_BUT(3, OTHER_COUNT), WHOLE(5)}, 2, "3 cut, 5 collision | s3 s5 | 8"},
    {"another address", {WHOLE(5), CUT_BUT(4, OTHER_ADDRESS)}, 0, "5, 4 cut collision | s5 s4 | 9"},
    {"another address in a batch",
     {WHOLE(5), CUT_BUT(4, OTHER_ADDRESS)},
     2,
     "5, 4 cut collision | s5 s4 | 9"},
    {"another longer address", {WHOLE(5), CUT_BUT(2, OTHER_ADDRESS)}, 0, "5, 2 cut collision | s5 s2 | 7"},
    {"another text in its place", {CUT_BUT(3, OTHER_TEXT), WHOLE(5)}, 0, "3 cut, 5 collision | s3 s5 | 8"},
    {"and in a batch", {CUT_BUT(3, OTHER_TEXT), WHOLE(5)}, 2, "3 cut, 5 collision | s3 s5 | 8"},
    {"other evidence", {CUT_BUT(3, OTHER_EVIDENCE), WHOLE(5)}, 0, "3 cut, 5 collision | s3 s5 | 8"},
    {"other evidence in a batch",
     {CUT_BUT(3, OTHER_EVIDENCE), WHOLE(5)},
     2,
     "3 cut, 5 collision | s3 s5 | 8"},
    {"another head", {CUT_BUT(5, OTHER_HEAD), WHOLE(5)}, 0, "5 cut replaced, 5 | s5 s5 | 5"},
    {"the better of the others",
     {CUT_OF(1, 3), WHOLE(6), WHOLE_OF(1, 5)},
     0,
     "3 cut replaced, 6 collision, 5 collision | s3 s6 s5 | 11"},
    {"which came before", {WHOLE(6), WHOLE_OF(1, 5), CUT_OF(1, 3)}, 0, "6, 5 collision | s6 s5 d5 | 11"},
    {"or is in the batch", {CUT_OF(1, 3), WHOLE(6), WHOLE_OF(1, 5)}, 3, "6, 5 collision | d5 s6 s5 | 11"},
    {"both cut copies have their own",
     {CUT(3), CUT_OF(1, 4), WHOLE_OF(1, 6), WHOLE(6)},
     0,
     "3 cut replaced, 4 cut replaced collision, 6 collision, 6 collision | s3 s4 s6 s6 | 12"},
    {"many records", {CUT(2500), WHOLE(2600)}, 0, "2500 cut replaced, 2600 | s2500 s2600 | 2600"},
    {"many records in a batch", {WHOLE(2600), CUT(2500)}, 2, "2600 | s2600 d2600 | 2600"},
    {"all but one of many",
     {WHOLE(2600), CUT_BUT(2500, OTHER_COUNT)},
     0,
     "2600, 2500 cut collision | s2600 s2500 | 5100"},
    /* trust */
    {"a stranger's copy takes nobody's place",
     {{"a", 3, TRUE, TRUST_YES, 0, SAME}, {"a", 5, FALSE, TRUST_NO, 0, SAME}},
     0,
     "3 cut true, 5 collision false | s3 s5 | 8"},
    {"nor in a batch",
     {{"a", 3, TRUE, TRUST_YES, 0, SAME}, {"a", 5, FALSE, TRUST_NO, 0, SAME}},
     2,
     "3 cut true, 5 collision false | s3 s5 | 8"},
    {"nor one of whom nothing is known",
     {{"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME}, {"a", 3, TRUE, TRUST_YES, 0, SAME}},
     0,
     "5, 3 cut collision true | s5 s3 | 8"},
    {"until it comes from the reporter",
     {{"a", 3, TRUE, TRUST_YES, 0, SAME},
      {"a", 5, FALSE, TRUST_NO, 0, SAME},
      {"a", 5, FALSE, TRUST_YES, 0, SAME}},
     0,
     "3 cut replaced true, 5 collision true | s3 s5 d5 | 5"},
    {"a stranger's cut gives way",
     {{"a", 3, TRUE, TRUST_NO, 0, SAME}, WHOLE(5)},
     0,
     "3 cut replaced false, 5 | s3 s5 | 5"},
    {"a trusted copy makes trusted",
     {{"a", 5, FALSE, TRUST_NO, 0, SAME},
      {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME},
      {"a", 5, FALSE, TRUST_YES, 0, SAME}},
     0,
     "5 true | s5 d5 d5 | 5"},
    {"and none makes it less",
     {{"a", 5, FALSE, TRUST_YES, 0, SAME},
      {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME},
      {"a", 5, FALSE, TRUST_NO, 0, SAME}},
     0,
     "5 true | s5 d5 d5 | 5"},
    {"what is not known changes nothing",
     {{"a", 5, FALSE, TRUST_NO, 0, SAME}, {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME}},
     0,
     "5 false | s5 d5 | 5"},
    {"nor does a stranger's copy",
     {{"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME}, {"a", 5, FALSE, TRUST_NO, 0, SAME}},
     0,
     "5 | s5 d5 | 5"},
    {"nor in a batch",
     {{"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME}, {"a", 5, FALSE, TRUST_NO, 0, SAME}},
     2,
     "5 | s5 d5 | 5"},
    {"a trusted one of a batch counts",
     {{"a", 5, FALSE, TRUST_NO, 0, SAME},
      {"a", 5, FALSE, TRUST_YES, 0, SAME},
      {"a", 5, FALSE, TRUST_UNKNOWN, 0, SAME}},
     3,
     "5 true | s5 d5 d5 | 5"},
    {"trust of a cut is not that of the whole",
     {{"a", 5, FALSE, TRUST_NO, 0, SAME}, {"a", 3, TRUE, TRUST_NO, 0, SAME}},
     0,
     "5 false | s5 d5 | 5"},
};

static void test_cases(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        empty(f->db);
        for (guint n = 0; n < G_N_ELEMENTS(cases[i].copies) && cases[i].copies[n].id; n++) {
            ok(put(f->writer, n + 1, &cases[i].copies[n], &error));
            if (n + 1 >= cases[i].together)
                ok(writer_flush(f->writer, &error));
        }
        g_autofree char *found = state(f->db);
        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(found, ==, cases[i].expected);
        assert_sql(f->db,
                   "SELECT count(*) FROM dmarc_store.observation o LEFT JOIN dmarc_store.report r ON "
                   "r.domain = o.domain AND "
                   "r.day = o.day AND r.id = o.report WHERE r.id IS NULL OR r.replaced",
                   "0");
    }
}

/* In a child: whole and cut copies of 40 reports, each ten times, in an order of its own and small batches.
 */
static void write_mixed(guint seed)
{
    const struct writer_settings settings = {.batch_messages = 7,
                                             .batch_bytes = 8 * 1024 * 1024,
                                             .spill_records = 20000,
                                             .tally_evidence = 8,
                                             .trust = &nobody};
    struct fixture f;
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    open_with(&f, &settings);
    for (guint i = 0; i < 400; i++) {
        guint number = (guint)g_rand_int_range(rand, 0, 40), cut = (guint)g_rand_int_range(rand, 0, 9);
        g_autofree char *id = g_strdup_printf("id-%u", number);
        /* The last ten come whole from nobody. */
        const struct copy copy = {
            id, cut < 3 && number < 30 ? 9 : cut, cut >= 3 || number >= 30, TRUST_UNKNOWN, 0, SAME};
        ok(put(f.writer, seed * 1000 + i, &copy, &error));
    }
    for (guint number = 0; number < 30; number++) {
        g_autofree char *id = g_strdup_printf("id-%u", (number * 7 + seed) % 30);
        const struct copy copy = {id, 9, FALSE, TRUST_UNKNOWN, 0, SAME};
        ok(put(f.writer, seed * 1000 + 400 + number, &copy, &error));
    }
    ok(writer_flush(f.writer, &error));
    close_all(&f);
    _exit(0);
}

static void test_many_writers(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    pid_t children[3];
    for (guint i = 0; i < G_N_ELEMENTS(children); i++)
        if ((children[i] = fork()) == 0)
            write_mixed(i + 1);
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_cmpint(status, ==, 0);
    }
    /* Of each identity one copy counts: the whole one, else the one with most records. */
    assert_sql(
        f->db,
        "SELECT count(*) || ' ' || count(DISTINCT identity) || ' ' || count(*) FILTER (WHERE NOT incomplete)"
        " || ' ' || count(*) FILTER (WHERE id_collision) FROM dmarc_store.report WHERE NOT replaced",
        "40 40 30 0");
    assert_sql(
        f->db,
        "SELECT count(*) FROM dmarc_store.report r JOIN dmarc_store.report o ON o.domain = r.domain AND "
        "o.day = r.day "
        "AND "
        "o.identity = r.identity WHERE r.replaced AND NOT o.replaced AND o.record_count <= r.record_count",
        "0");
    assert_sql(f->db,
               "SELECT (SELECT count(*) FROM dmarc_store.observation) = (SELECT sum(record_count) FROM "
               "dmarc_store.report "
               "WHERE NOT replaced)",
               "t");
    assert_sql(f->db, "SELECT count(*) FROM dmarc_store.message WHERE outcome IN ('stored', 'duplicate')",
               "1290");
}

/* The one holds what it has written back until the other waits for it. */
static void test_two_writers(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const struct copy cut = CUT(3), whole = WHOLE(5);
    for (guint turn = 0; turn < 2; turn++) {
        empty(f->db);
        struct db *gate;
        {
            GError *error = NULL;
            gate = db_open(g_getenv("PG_CONNINFO"), &error);
            g_assert_no_error(error);
            db_run(gate, "locking", "BEGIN; LOCK TABLE dmarc_store.document IN EXCLUSIVE MODE", &error);
            g_assert_no_error(error);
        }
        pid_t children[2];
        for (guint i = 0; i < 2; i++) {
            if ((children[i] = fork()) == 0) {
                struct fixture own;
                const struct writer_settings settings = {.batch_messages = 500,
                                                         .batch_bytes = 1024 * 1024,
                                                         .spill_records = 1000,
                                                         .tally_evidence = 8,
                                                         .trust = &nobody};
                open_with(&own, &settings);
                ok(put(own.writer, i + 1, i == turn ? &cut : &whole, &error));
                ok(writer_flush(own.writer, &error));
                close_all(&own);
                _exit(0);
            }
            /* It has its reports and waits for the ledger, or for the one before it. */
            for (guint tries = 0; tries < 2000; tries++) {
                g_autofree char *waiting =
                    ask(f->db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
                if (g_ascii_strtoull(waiting, NULL, 10) > i)
                    break;
                g_usleep(2000);
            }
        }
        ok(db_run(gate, "unlocking", "ROLLBACK", &error));
        db_close(gate);
        for (guint i = 0; i < 2; i++) {
            int status;
            g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
            g_assert_cmpint(status, ==, 0);
        }
        g_autofree char *found = state(f->db);
        g_assert_cmpstr(found, ==, turn == 0 ? "3 cut replaced, 5 | s3 s5 | 5" : "5 | s5 d5 | 5");
    }
}

/* A domain that is not ours is flagged, and stored. */
static void test_foreign(struct fixture *f, gconstpointer unused)
{
    (void)unused;
    static const struct copy whole = WHOLE(5);
    char *ours[] = {(char *)"example.net", NULL};
    const struct trust_rules rules = {.domains = ours};
    struct writer_settings settings = writer_defaults;
    settings.trust = &rules;
    struct writer *writer = writer_new(f->db, &settings, on_settled, f);
    ok(put(writer, 1, &whole, &error) && writer_flush(writer, &error));
    writer_free(writer);
    assert_sql(f->db,
               "SELECT foreign_domain::text || coalesce(trusted::text, ' null') FROM dmarc_store.report",
               "true null");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_return_val_if_fail(g_getenv("PG_CONNINFO"), 1);
    struct domain_list *suffixes = domain_list_new();
    struct writer_settings trusting = writer_defaults;
    trusting.trust = &nobody;
    trusting.suffixes = suffixes;
#define add(name, function)                                                                                  \
    g_test_add("/replaced/" name, struct fixture, &trusting, set_up, function, tear_down)
    add("cases", test_cases);
    add("two-writers", test_two_writers);
    add("many-writers", test_many_writers);
    add("foreign", test_foreign);
#undef add
    int status = g_test_run();
    domain_list_free(suffixes);
    return status;
}
