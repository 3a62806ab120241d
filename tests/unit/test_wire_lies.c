/* Answers that cannot be true are refused, and say what was wrong. */
#include "tests/unit/told.h"
#include "tests/unit/unit.h"

static char longer[5000];
static struct limits few;

static void no_auth_domain(struct told *t)
{
    t->auth.domain = NULL;
}
static void auth_domain_form(struct told *t)
{
    static char bad[] = "R.example";
    t->auth.domain = bad;
}
static void auth_of_another(struct told *t)
{
    t->end.from_domain = "other.example";
}
static void auth_of_nobody(struct told *t)
{
    t->end.from_domain = NULL;
}
static void unknown_result(struct told *t)
{
    t->auth.result = (enum auth_result)9;
}
static void unknown_generation(struct told *t)
{
    t->head.generation = (enum report_generation)3;
}
static void period_backwards(struct told *t)
{
    t->head.begin = 201;
}
static void before_1970(struct told *t)
{
    t->head.begin = -1;
}
static void far_future(struct told *t)
{
    t->head.end = G_MAXINT64;
}
static void no_report_id(struct told *t)
{
    t->head.report_id = NULL;
}
static void empty_report_id(struct told *t)
{
    t->head.report_id = "";
}
static void no_domain(struct told *t)
{
    t->head.domain = NULL;
}
static void upper_domain(struct told *t)
{
    t->head.domain = "Example.org";
}
static void u_label(struct told *t)
{
    t->head.domain = "b\303\274cher.example";
}
static void dotted_domain(struct told *t)
{
    t->head.domain = "example.org.";
}
static void bad_pct(struct told *t)
{
    t->head.pct = 101;
}
static void long_text(struct told *t)
{
    t->head.email = longer;
}
static void no_utf8(struct told *t)
{
    t->head.email = "a\377b";
}
static void half_utf8(struct told *t)
{
    t->head.org_name = "12345678\303";
}
static void surrogate(struct told *t)
{
    t->record.envelope_from = "x\355\240\200";
}
static void long_prose(struct told *t)
{
    longer[1025] = '\0';
    t->dkim[0].human_result = longer;
}
static void negative_count(struct told *t)
{
    t->record.message_count = -1;
}
static void huge_count(struct told *t)
{
    t->record.message_count = RECORD_COUNT_MAX + 1;
}
static void upper_from(struct told *t)
{
    t->record.header_from = "Example.org";
}
static void address_from(struct told *t)
{
    t->record.envelope_to = "a@example.org";
}
static void no_from(struct told *t)
{
    t->record.header_from = NULL;
}
static void no_verdict(struct told *t)
{
    t->record.spf_verdict = NULL;
}
static void mapped_address(struct told *t)
{
    t->record.family = AF_INET6;
    memset(t->record.source_ip, 0, 16);
    t->record.source_ip[10] = t->record.source_ip[11] = 255;
}
static void two_addresses(struct told *t)
{
    t->record.source_raw = "x";
}
static void pass_of_a_fail(struct told *t)
{
    t->dkim[0].result = "fail";
}
static void pass_of_another(struct told *t)
{
    t->record.dkim_aligned_domain = "example.org";
}
static void pass_of_another_key(struct told *t)
{
    t->record.dkim_aligned_selector = "s2";
}
static void pass_of_a_stranger(struct told *t)
{
    t->dkim[0].domain = t->record.dkim_aligned_domain = "example.net";
}
static void pass_of_the_suffix(struct told *t)
{
    t->dkim[0].domain = t->record.dkim_aligned_domain = "org";
}
static void pass_not_strict(struct told *t)
{
    t->head.adkim = "s";
}
static void pass_without_results(struct told *t)
{
    t->record.n_dkim = 0;
}
static void pass_in_other_letters(struct told *t)
{
    t->dkim[0].raw = "p_ass";
}
static void pass_without_identity(struct told *t)
{
    t->record.dkim_aligned_domain = NULL;
}
static void identity_without_pass(struct told *t)
{
    t->record.spf_aligned = FALSE;
}
static void pass_by_helo(struct told *t)
{
    t->spf[0].scope = "helo";
}
static void spf_pass_of_a_fail(struct told *t)
{
    t->spf[0].result = "softfail";
}
static void spf_not_strict(struct told *t)
{
    t->head.aspf = "s";
    t->spf[0].domain = t->record.spf_aligned_domain = "a.example.org";
}
static void agreed(struct told *t)
{
    t->record.disagree = FALSE;
}
static void wrongly_computed(struct told *t)
{
    t->record.verdict_computed = TRUE;
    t->record.dkim_verdict = "fail";
}
static void fewer_seen(struct told *t)
{
    t->tail.records_seen = 1;
}
static void more_seen(struct told *t)
{
    t->tail.records_seen = limits_default.records + 1;
}
static void truncated_unsaid(struct told *t)
{
    t->tail.n_warnings = 1;
}
static void not_truncated(struct told *t)
{
    t->tail.incomplete = FALSE;
}
static void warned_never(struct told *t)
{
    t->warnings[0].count = 0;
}
static void no_warning(struct told *t)
{
    t->warnings[0].code = "nesting";
}
static void warned_twice(struct told *t)
{
    t->warnings[0].code = "truncated";
}
static void tls_backwards(struct told *t)
{
    t->tls_head.begin = 6;
}
static void tls_upper(struct told *t)
{
    t->tls_head.domain = "Example.org";
}
static void tls_sessions(struct told *t)
{
    t->policy.successes = -2;
}
static void tls_two_addresses(struct told *t)
{
    t->failure.sending.raw = "x";
}
static void never_arrived(struct told *t)
{
    t->report.arrived = 0;
}
static void no_incident(struct told *t)
{
    t->report.incidents = 0;
}
static void failure_domain(struct told *t)
{
    t->report.dkim_domain = "D.example";
}
static void failure_two_addresses(struct told *t)
{
    t->report.family = AF_INET;
}
static void bad_size(struct told *t)
{
    t->document.size = -2;
}
static void is_duplicate(struct told *t)
{
    t->document.outcome = OUTCOME_DUPLICATE;
}
static void unknown_outcome(struct told *t)
{
    t->document.outcome = (enum outcome)4;
}
static void problem_unsaid(struct told *t)
{
    t->document.outcome = OUTCOME_PROBLEM;
}
static void stored_but(struct told *t)
{
    t->document.code = "limit";
}
static void no_report(struct told *t)
{
    t->document.outcome = OUTCOME_NO_REPORT;
}
static void no_path(struct told *t)
{
    t->document.path = NULL;
}
static void warn_ahead(struct told *t)
{
    t->warn = 2;
}
static void from_upper(struct told *t)
{
    t->end.from_domain = "Mail.r.example";
}
static void nothing(struct told *t G_GNUC_UNUSED)
{
}

static const struct {
    const char *script;
    void (*change)(struct told *t);
    const char *words;
} lies[] = {
    {"b", no_auth_domain, "exactly when one is named"},
    {"b", auth_domain_form, "domain of a brought_by: no normalised domain"},
    {"b", unknown_result, "result of a brought_by: out of range"},
    {"be", auth_of_another, "not that of its From"},
    {"be", auth_of_nobody, "not that of its From"},
    {"bb", nothing, "said twice"},
    {"e", nothing, "who brought it was not said"},
    {"h", nothing, "who brought it was not said"},
    {"H", nothing, "who brought it was not said"},
    {"f", nothing, "who brought it was not said"},
    {"bh", unknown_generation, "generation of a report: out of range"},
    {"bh", period_backwards, "ends before it begins"},
    {"bh", before_1970, "begin of a report: out of range"},
    {"bh", far_future, "end of a report: out of range"},
    {"bh", no_report_id, "report_id of a report: missing"},
    {"bh", empty_report_id, "report_id of a report: empty"},
    {"bh", no_domain, "domain of a report: missing"},
    {"bh", upper_domain, "domain of a report: no normalised domain"},
    {"bh", u_label, "domain of a report: no normalised domain"},
    {"bh", dotted_domain, "domain of a report: no normalised domain"},
    {"bh", bad_pct, "pct of a report: out of range"},
    {"bh", long_text, "email of a report: longer than it can be"},
    {"bh", no_utf8, "email of a report: no UTF-8"},
    {"bh", half_utf8, "org_name of a report: no UTF-8"},
    {"bhr", surrogate, "envelope_from of a record: no UTF-8"},
    {"bhr", long_prose, "human_result of a dkim: longer than it can be"},
    {"bhr", negative_count, "message_count of a record: out of range"},
    {"bhr", huge_count, "message_count of a record: out of range"},
    {"bhr", upper_from, "header_from of a record: not in the form of a name"},
    {"bhr", address_from, "envelope_to of a record: not in the form of a name"},
    {"bhr", no_from, "header_from of a record: missing"},
    {"bhr", no_verdict, "spf_verdict of a record: missing"},
    {"bhr", mapped_address, "source_ip of a record: an IPv4 address"},
    {"bhr", two_addresses, "beside a text that is none"},
    {"bhr", pass_of_a_fail, "no DKIM result gives the alignment"},
    {"bhr", pass_of_another, "no DKIM result gives the alignment"},
    {"bhr", pass_of_another_key, "no DKIM result gives the alignment"},
    {"bhr", pass_of_a_stranger, "no DKIM result gives the alignment"},
    {"bhr", pass_of_the_suffix, "no DKIM result gives the alignment"},
    {"bhr", pass_not_strict, "no DKIM result gives the alignment"},
    {"bhr", pass_without_results, "no DKIM result gives the alignment"},
    {"bhr", pass_in_other_letters, "sent as another word"},
    {"bhr", pass_without_identity, "exactly when the identity is named"},
    {"bhr", identity_without_pass, "exactly when the identity is named"},
    {"bhr", pass_by_helo, "no SPF result gives the alignment"},
    {"bhr", spf_pass_of_a_fail, "no SPF result gives the alignment"},
    {"bhr", spf_not_strict, "no SPF result gives the alignment"},
    {"bhr", agreed, "whether the verdicts agree"},
    {"bhr", wrongly_computed, "that were worked out"},
    {"br", nothing, "record: out of its place"},
    {"bt", nothing, "end of the report: out of its place"},
    {"bhh", nothing, "report: out of its place"},
    {"bhd", nothing, "document: out of its place"},
    {"bhe", nothing, "end of the mail: out of its place"},
    {"bhrtr", nothing, "record: out of its place"},
    {"ba", nothing, "frame: out of its place"},
    {"bhx", nothing, "frame: out of its place"},
    {"bHr", nothing, "record: out of its place"},
    {"bHF", nothing, "TLS failure: out of its place"},
    {"bP", nothing, "TLS policy: out of its place"},
    {"bT", nothing, "end of the TLS report: out of its place"},
    {"bhrrt", fewer_seen, "another number of records than came"},
    {"bhrt", more_seen, "another number of records than came"},
    {"bhrt", truncated_unsaid, "incomplete without a warning"},
    {"bhrt", not_truncated, "incomplete without a warning"},
    {"bhrt", warned_never, "count of a warning: out of range"},
    {"bhrt", no_warning, "a code that is no warning"},
    {"bHT", warned_twice, "not in order"},
    {"bH", tls_backwards, "ends before it begins"},
    {"bH", tls_upper, "domain of a TLS report: no normalised domain"},
    {"bHP", tls_sessions, "successes of a TLS policy: out of range"},
    {"bHPF", tls_two_addresses, "beside a text that is none"},
    {"bf", never_arrived, "arrived of a failure report: out of range"},
    {"bf", no_incident, "incidents of a failure report: out of range"},
    {"bf", failure_domain, "dkim_domain of a failure report: no normalised domain"},
    {"bf", failure_two_addresses, "beside a text that is none"},
    {"bhrtd", bad_size, "size of a document: out of range"},
    {"bhrtd", is_duplicate, "only the database knows"},
    {"bhrtd", unknown_outcome, "outcome of a document: out of range"},
    {"bhrtd", problem_unsaid, "a problem without a code"},
    {"bhrtd", stored_but, "a code why not"},
    {"bhrtd", no_report, "no report, and one came"},
    {"bhrtd", no_path, "path of a document: missing"},
    {"bd", nothing, "stored, and no report came"},
    {"bhrtxd", nothing, "stored, and no report came"},
    {"bhad", nothing, "stored, and no report came"},
    {"bhrtdw", warn_ahead, "about a document that was not told"},
    {"bhrte", nothing, "reports without a document"},
    {"be", from_upper, "from_domain of a end of the mail: no normalised domain"},
};

static void test_lies(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
        struct told t;
        struct recorder to;
        gsize used;
        g_autoptr(GError) error = NULL;
        memset(longer, 'x', sizeof longer - 1);
        tell_all(&t);
        lies[i].change(&t);
        g_autoptr(GByteArray) bytes = bytes_of(&t, lies[i].script);
        recorder_init(&to);
        enum wire_status status =
            hear(&limits_default, bytes->data, bytes->len, bytes->len, &to, &used, &error);
        if (status != WIRE_LIE || !error || !strstr(error->message, lies[i].words))
            g_test_message("%s, %s: %d %s", lies[i].script, lies[i].words, status,
                           error ? error->message : "-");
        g_assert_cmpint(status, ==, WIRE_LIE);
        g_assert_error(error, WS_ERROR, WS_ERROR_DATA);
        g_assert_nonnull(strstr(error->message, lies[i].words));
        g_string_free(to.text, TRUE);
    }
}

/* The same answer is true under other limits, or is none. */
static void test_limits(void)
{
    static const struct {
        const char *name, *words;
        guint64 value;
    } rows[] = {{"records", "more of them than a report can have", 1},
                {"auth_results", "dkim of a record: more elements", 1},
                {"text_length", "longer than it can be", 4},
                {"prose_length", "longer than it can be", 3}};
    struct told t;
    tell_all(&t);
    g_autoptr(GByteArray) bytes = bytes_of(&t, "bhrrtde");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct recorder to;
        gsize used;
        g_autoptr(GError) error = NULL;
        recorder_init(&to);
        few = limits_default;
        g_assert_true(limits_set(&few, rows[i].name, rows[i].value));
        g_assert_cmpint(hear(&few, bytes->data, bytes->len, 0, &to, &used, &error), ==, WIRE_LIE);
        g_assert_nonnull(strstr(error->message, rows[i].words));
        g_string_free(to.text, TRUE);
    }
}

/* Bytes that no writer sends. */
static void test_bytes(void)
{
    static const struct {
        const char *words;
        guint32 length, kind;
        const char *bytes;
        gsize n;
    } rows[] = {
        {"of an unknown kind", 0, 0, "", 0},
        {"of an unknown kind", 0, FRAME_LAST, "", 0},
        {"longer than it can be", 0x7fffffff, FRAME_BROUGHT_BY, "", 0},
        {"the frame ends inside of it", 3, FRAME_BROUGHT_BY, "\0\0\0", 3},
        {"the frame ends inside of it", 4, FRAME_BROUGHT_BY, "\0\0\0\0", 4},
        {"the frame ends inside of it", 7, FRAME_BROUGHT_BY, "\1\0\0\0\4ab", 7},
        {"the frame ends inside of it", 6, FRAME_BROUGHT_BY, "\1\0\0\0\377\1", 6},
        {"longer than it can be", 9, FRAME_BROUGHT_BY, "\1\0\0\0\377\377\377\377\377", 9},
        {"no NUL behind it", 8, FRAME_BROUGHT_BY, "\1\0\0\0\3abc", 8},
        {"or a NUL in it", 9, FRAME_BROUGHT_BY, "\1\0\0\0\4a\0b", 9},
        {"more bytes than it has fields", 6, FRAME_BROUGHT_BY, "\0\0\0\0\0\0", 6},
        {"more bytes than it has fields", 1, FRAME_DROP, "", 1},
        {"an unknown code", 5, FRAME_WARN, "\0\0\0\0\376", 5},
        {"code of a later warning: missing", 5, FRAME_WARN, "\0\0\0\0\0", 5},
        {"an unknown word", 4, FRAME_DOCUMENT, "\2a\0\11", 4},
        {"no SHA-256", 13, FRAME_DOCUMENT, "\2a\0\1\0\0\0\0\0\0\0\0\7", 13},
        {"neither true nor false", 1, FRAME_GAVE_UP, "\2", 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint32 head[2] = {rows[i].length, rows[i].kind};
        struct recorder to;
        gsize used;
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_byte_array_append(bytes, (const guint8 *)head, sizeof head);
        g_byte_array_append(bytes, (const guint8 *)rows[i].bytes, (guint)rows[i].n);
        recorder_init(&to);
        enum wire_status status = hear(&limits_default, bytes->data, bytes->len, 0, &to, &used, &error);
        g_assert_cmpint(status, ==, WIRE_LIE);
        if (!error || !strstr(error->message, rows[i].words))
            g_test_message("%s: %s", rows[i].words, error ? error->message : "-");
        g_assert_true(error && strstr(error->message, rows[i].words));
        g_assert_cmpuint(to.calls, ==, 0);
        g_string_free(to.text, TRUE);
    }
}

static gboolean feed(gpointer data, const guint8 *bytes, gsize n, GError **error)
{
    gsize used;
    return wire_reader_feed(data, bytes, n, &used, error) == WIRE_MORE;
}

/* Documents without end: refused when there are more than any mail can have. */
static void test_endless(void)
{
    struct limits limits = limits_default;
    limits.unpacked_total = limits.message_size = 0;
    struct wire_reader *reader = wire_reader_new(&limits, suffixes);
    struct wire_writer *writer = wire_writer_new(feed, reader);
    const struct journal *journal = wire_writer_journal(writer);
    struct recorder recorder;
    recorder_init(&recorder);
    const struct mail_auth auth = {.result = AUTH_UNKNOWN};
    g_autofree char *path = g_strnfill(900, 'p');
    const struct ledger_document row = {
        .path = path, .kind = "text", .size = 1, .outcome = OUTCOME_NO_REPORT};
    g_autoptr(GError) error = NULL;
    wire_reader_begin(reader, &recorder.journal);
    journal->brought_by(journal->self, &auth);
    guint told = 0;
    while (told < 100000 && journal->document(journal->self, &row, &error)) {
        told++;
        g_string_truncate(recorder.text, 0);
    }
    g_assert_cmpuint(told, >, 60000);
    g_assert_cmpuint(told, <, 80000);
    g_assert_error(error, WS_ERROR, WS_ERROR_DATA);
    g_string_free(recorder.text, TRUE);
    wire_writer_free(writer);
    wire_reader_free(reader);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    suffixes = domain_list_new();
    g_test_add_func("/wire/lies", test_lies);
    g_test_add_func("/wire/limits", test_limits);
    g_test_add_func("/wire/bytes", test_bytes);
    g_test_add_func("/wire/endless", test_endless);
    int status = g_test_run();
    domain_list_free(suffixes);
    return status;
}
