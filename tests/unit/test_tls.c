/* TLS reports: what each key becomes, each deviation of real reporters, JSON that is none, limits, and
 * anything cut anywhere. */
#include "collect.h"
#include "parser/tls.h"
#include "unit.h"

#define DATES "'date-range':{'start-datetime':'2026-10-12T00:00:00Z','end-datetime':'2026-10-12T23:59:59Z'}"
#define NAMES "'organization-name':'Example Inc.','contact-info':'tls@Reporter.example','report-id':'id-1'"
#define STS(rest) "{'policy':{'policy-type':'sts','policy-domain':'a.example'}," rest "}"
#define SUMMARY(ok, failed)                                                                                  \
    "'summary':{'total-successful-session-count':" ok ",'total-failure-session-count':" failed "}"
#define REPORT(policies) "{" NAMES "," DATES ",'policies':[" policies "]}"
#define GOOD STS(SUMMARY("5", "0"))
#define WHOLE                                                                                                \
    "{" NAMES "," DATES                                                                                      \
    ",'policies':[{'policy':{'policy-type':'sts','policy-string':['version: STSv1','mode: enforce'],"        \
    "'policy-domain':'A.example.','mx-host':['*.a.example']}," SUMMARY(                                      \
        "5326", "303") ",'failure-details':["                                                                \
                       "{'result-type':'certificate-expired','sending-mta-ip':'2001:db8::1','receiving-mx-"  \
                       "hostname':"                                                                          \
                       "'mx1.a.example','receiving-mx-helo':'mx1','failed-session-count':100},"              \
                       "{'result-type':'starttls-not-supported','sending-mta-ip':'192.0.2.9','receiving-ip'" \
                       ":'203.0.113.5',"                                                                     \
                       "'failed-session-count':203,'additional-information':'https://x.example/\\u00e9',"    \
                       "'failure-reason-code':'X509_V_ERR'}]}]}"

/* What the sink was told, a line a call. */
struct told {
    GString *lines;
    int fail_at, calls;
};

static gboolean called(struct told *told, GError **error)
{
    if (++told->calls != told->fail_at)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "the sink broke");
    return FALSE;
}

static gboolean on_begin(void *self, const struct tls_head *head, GError **error)
{
    struct told *told = self;
    g_assert_true(head->begin <= head->end && *head->domain);
    g_string_append_printf(told->lines, "head %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT " domain=%s",
                           head->begin, head->end, head->domain);
    collect_pair(told->lines, "reporter", head->reporter);
    collect_pair(told->lines, "org", head->organization);
    collect_pair(told->lines, "contact", head->contact);
    collect_pair(told->lines, "id", head->report_id);
    g_string_append_c(told->lines, '\n');
    return called(told, error);
}

static gboolean on_policy(void *self, const struct tls_policy *policy, GError **error)
{
    struct told *told = self;
    g_string_append_printf(told->lines, "policy %s %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, policy->type,
                           policy->successes, policy->failures);
    for (raw_words text = policy->strings; *text; text++)
        collect_pair(told->lines, "string", *text);
    for (raw_words text = policy->mx_hosts; *text; text++)
        collect_pair(told->lines, "mx", *text);
    g_string_append_c(told->lines, '\n');
    return called(told, error);
}

static void put_address(GString *out, const char *name, const struct tls_address *address)
{
    char ip[INET6_ADDRSTRLEN];
    if (address->family != AF_UNSPEC)
        collect_pair(out, name, inet_ntop(address->family, address->ip, ip, sizeof ip));
    collect_pair(out, "text", address->raw);
}

static gboolean on_failure(void *self, const struct tls_failure *failure, GError **error)
{
    struct told *told = self;
    g_string_append_printf(told->lines, "failure %s %" G_GINT64_FORMAT, failure->result_type,
                           failure->sessions);
    put_address(told->lines, "from", &failure->sending);
    put_address(told->lines, "to", &failure->receiving);
    collect_pair(told->lines, "mx", failure->mx_hostname);
    collect_pair(told->lines, "helo", failure->mx_helo);
    collect_pair(told->lines, "information", failure->information);
    collect_pair(told->lines, "reason", failure->reason_code);
    g_string_append_c(told->lines, '\n');
    return called(told, error);
}

static gboolean on_end(void *self, guint n, const struct report_warning *warnings, GError **error)
{
    struct told *told = self;
    g_string_append(told->lines, "end");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(told->lines, " %s", warnings[i].code);
    g_string_append_c(told->lines, '\n');
    return called(told, error);
}

/* JSON in which a single quote stands for a double one. */
static char *json(const char *text)
{
    char *out = g_strdup(text);
    return g_strdelimit(out, "'", '"');
}

/* What the mail's header says of the domain, or NULL. */
static const char *header_domain;

/* The lines, or "refused CODE DETAIL", or "failed MESSAGE". */
static char *parse_bytes(const char *text, gsize n, gsize chunk, const struct limits *limits,
                         const char *name, int fail_at)
{
    struct told told = {.lines = g_string_new(NULL), .fail_at = fail_at};
    struct bytes_reader bytes = {.bytes = text, .length = n, .chunk = chunk};
    const struct tls_sink sink = {on_begin, on_policy, on_failure, on_end, &told};
    const struct report_hints hints = {.file_name = name, .tls_domain = header_domain};
    struct parse_outcome outcome;
    GError *error = NULL;
    enum parse_status status =
        tls_parse((struct byte_reader){bytes_read, &bytes}, limits, &hints, &sink, &outcome, &error);
    if (status == PARSE_REFUSED) {
        g_assert_cmpint(told.calls, ==, 0);
        g_string_append_printf(told.lines, "refused %s %s\n", outcome.code, outcome.detail);
    } else if (status == PARSE_FAILED) {
        g_string_append_printf(told.lines, "failed %s\n", error->message);
    }
    g_assert_true((status == PARSE_FAILED) == (error != NULL));
    g_clear_error(&error);
    parse_outcome_clear(&outcome);
    return g_string_free(told.lines, FALSE);
}

static char *parse(const char *text, const struct limits *limits, const char *name)
{
    g_autofree char *document = json(text);
    return parse_bytes(document, strlen(document), 0, limits, name, 0);
}

static const char whole_lines[] =
    "head 1791763200-1791849599 domain=a.example reporter=reporter.example org=Example Inc. "
    "contact=tls@Reporter.example id=id-1\n"
    "policy sts 5326/303 string=version: STSv1 string=mode: enforce mx=*.a.example\n"
    "failure certificate-expired 100 from=2001:db8::1 mx=mx1.a.example helo=mx1\n"
    "failure starttls-not-supported 203 from=192.0.2.9 to=203.0.113.5 "
    "information=https://x.example/\xc3\xa9 reason=X509_V_ERR\n"
    "end\n";

/* Whole, byte by byte, and with what may stand around it. */
static void test_whole(void)
{
    g_autofree char *document = json(WHOLE);
    g_autofree char *surrounded = g_strconcat("\xef\xbb\xbf \r\n", document, "\n\n", NULL);
    g_autofree char *one = parse_bytes(document, strlen(document), 0, &limits_default, NULL, 0);
    g_autofree char *bytes = parse_bytes(document, strlen(document), 1, &limits_default, NULL, 0);
    g_autofree char *bom = parse_bytes(surrounded, strlen(surrounded), 0, &limits_default, NULL, 0);
    g_assert_cmpstr(one, ==, whole_lines);
    g_assert_cmpstr(bytes, ==, whole_lines);
    g_assert_cmpstr(bom, ==, whole_lines);
}

#define HEAD_WITH(dates) "{" NAMES ",'date-range':{" dates "},'policies':[" GOOD "]}"
#define LINE "head 1791763200-1791849599 domain=a.example reporter=reporter.example org=Example Inc. "

/* Each text has to bring the lines that are wanted, or lines that begin so. */
static const struct {
    const char *name, *text, *wanted;
} vectors[] = {
    {"dates without a zone",
     HEAD_WITH("'start-datetime':'2026-10-12T00:00:00','end-datetime':'2026-10-12T23:59:59'"),
     LINE "contact=tls@Reporter.example id=id-1|end date_zone"},
    {"dates with another zone",
     HEAD_WITH("'start-datetime':'2026-10-12T02:00:00+02:00','end-datetime':'2026-10-12T23:59:59.999Z'"),
     "head 1791763200-1791849599|end"},
    {"dates as numbers", HEAD_WITH("'start-datetime':1791763200,'end-datetime':'1791849599'"),
     "head 1791763200-1791849599|end"},
    {"dates in the wrong order",
     HEAD_WITH("'start-datetime':'2026-10-12T23:59:59Z','end-datetime':'2026-10-12T00:00:00Z'"),
     "head 1791763200-1791849599|end date_swap"},
    {"no begin", HEAD_WITH("'end-datetime':'2026-10-12T23:59:59Z'"), "head 1791763200-1791849599|end date"},
    {"no end", HEAD_WITH("'start-datetime':'2026-10-12T00:00:00Z'"), "head 1791763200-1791849599|end date"},
    {"no dates", HEAD_WITH(""), "refused no_period no start-datetime and no end-datetime"},
    {"no date-range", "{" NAMES ",'policies':[" GOOD "]}", "refused no_period "},
    {"a date that is none", HEAD_WITH("'start-datetime':'yesterday','end-datetime':null"),
     "refused no_period "},
    {"contact-info null",
     "{'organization-name':'Server.Example','contact-info':null,'report-id':'7'," DATES ",'policies':[" GOOD
     "]}",
     "head 1791763200-1791849599 domain=a.example reporter=server.example org=Server.Example id=7|end email"},
    {"nobody reports", "{'report-id':7," DATES ",'policies':[" GOOD "]}",
     "head 1791763200-1791849599 domain=a.example reporter= id=7|end org email"},
    {"no report-id", "{'organization-name':'X','contact-info':'a@x.example'," DATES ",'policies':[" GOOD "]}",
     "head 1791763200-1791849599 domain=a.example reporter=x.example org=X contact=a@x.example id=5a3b|end "
     "no_id"},
    {"mx-host as one text",
     REPORT("{'policy':{'policy-type':'sts','policy-domain':'a.example','mx-host':'mx: "
            "m.a.example','policy-string':'[\\'3 1 1 AA\\']'}," SUMMARY("1", "0") "}"),
     "policy sts 1/0 string=[\"3 1 1 AA\"] mx=m.a.example|end"},
    {"mx-host written with mx",
     REPORT("{'policy':{'policy-type':'tlsa','policy-domain':'a.example','mx-host':"
            "['mx: m.a.example',null,7,'']}," SUMMARY("1", "0") "}"),
     "policy tlsa 1/0 mx=m.a.example mx=7|end"},
    {"unknown words",
     REPORT("{'policy':{'policy-type':'Odd','policy-domain':'a.example'}," SUMMARY(
         "0", "1") ",'failure-details':[{'result-type':'OTHER','failed-session-count':1}]}"),
     "policy odd 0/1|failure other 1|end tls_word"},
    {"words in another case",
     REPORT("{'policy':{'policy-type':'STS','policy-domain':'a.example'}," SUMMARY("0", "0") "}"),
     "policy sts 0/0|end"},
    {"no words",
     REPORT("{'policy':{'policy-domain':'a.example'}," SUMMARY(
         "0", "1") ",'failure-details':[{'failed-session-count':1}]}"),
     "policy  0/1|failure  1|end tls_word"},
    {"no summary", REPORT(STS("'x':1")), "policy sts -1/-1|end tls_count"},
    {"counts as text and fractions", REPORT(STS(SUMMARY("'12'", "3.0"))), "policy sts 12/3|end"},
    {"counts that are none", REPORT(STS(SUMMARY("-1", "null"))), "policy sts -1/-1|end tls_count"},
    {"counts past the largest number", REPORT(STS(SUMMARY("9223372036854775806", "9223372036854775808"))),
     "policy sts 9223372036854775806/-1|end tls_count"},
    {"the largest number", REPORT(STS(SUMMARY("1", "9223372036854775807"))), "policy sts 1/-1|end tls_count"},
    {"counts far past it", REPORT(STS(SUMMARY("18446744073709551616", "1e300"))),
     "policy sts -1/-1|end tls_count"},
    {"half a session", REPORT(STS(SUMMARY("0.5", "[1]"))), "policy sts -1/-1|end tls_count"},
    {"details that do not add up",
     REPORT(
         STS(SUMMARY("0", "1") ",'failure-details':[{'result-type':'tlsa-invalid','failed-session-count':1},"
                               "{'result-type':'tlsa-invalid','failed-session-count':1}]")),
     "policy sts 0/1|failure tlsa-invalid 1|failure tlsa-invalid 1|end tls_sum"},
    {"one detail that is in no list",
     REPORT(
         STS(SUMMARY("3", "2") ",'failure-details':{'result-type':'tlsa-invalid','failed-session-count':2}")),
     "policy sts 3/2|failure tlsa-invalid 2|end tls_list"},
    {"and does not add up",
     REPORT(
         STS(SUMMARY("3", "4") ",'failure-details':{'result-type':'tlsa-invalid','failed-session-count':2}")),
     "policy sts 3/4|failure tlsa-invalid 2|end tls_sum tls_list"},
    {"one policy that is in no list", "{" NAMES "," DATES ",'policies':" GOOD "}",
     LINE "contact=tls@Reporter.example id=id-1|policy sts 5/0|end tls_list"},
    {"empty details", REPORT(STS(SUMMARY("1", "0") ",'failure-details':[]")), "policy sts 1/0|end"},
    {"details null, and of no kind",
     REPORT(STS(SUMMARY("1", "0") ",'failure-details':null") "," STS(
         SUMMARY("1", "0") ",'failure-details':[1,null]")),
     "policy sts 1/0|policy sts 1/0|end"},
    {"addresses that are none",
     REPORT(STS(SUMMARY("0", "1") ",'failure-details':[{'result-type':'tlsa-invalid','sending-mta-ip':'host',"
                                  "'receiving-ip':'[192.0.2.1]','failed-session-count':1}]")),
     "failure tlsa-invalid 1 text=host to=192.0.2.1|end no_ip ip_form"},
    {"several domains, each a report",
     REPORT(GOOD ",{'policy':{'policy-type':'sts','policy-domain':'b.example'}," SUMMARY("1", "0") "}," STS(
         SUMMARY("2", "0"))),
     LINE "contact=tls@Reporter.example id=id-1|policy sts 5/0|policy sts 2/0|end|"
          "head 1791763200-1791849599 domain=b.example|policy sts 1/0|end"},
    {"a policy without domain", REPORT("{'policy':{'policy-type':'sts'}," SUMMARY("1", "0") "}," GOOD),
     "head 1791763200-1791849599 domain=a.example|policy sts 1/0|policy sts 5/0|end no_domain"},
    {"no domain at all", REPORT("{'policy':{'policy-domain':'not a domain'}}"),
     "refused no_domain no policy-domain"},
    {"no policies", REPORT(""), "refused no_domain "},
    {"policies null", "{" NAMES "," DATES ",'policies':null}", "refused no_domain "},
    {"bytes that are no UTF-8",
     "{'organization-name':'\xff','report-id':'1'," DATES ",'policies':[" GOOD "]}",
     "head 1791763200-1791849599 domain=a.example reporter=\xef\xbf\xbd org=\xef\xbf\xbd id=1|end encoding "
     "email"},
    {"other keys in another order",
     "{'x':[{}],'policies':[" GOOD "]," DATES
     ",'report-id':'1','organization-name':'x','contact-info':'a@b.example'}",
     "head 1791763200-1791849599 domain=a.example reporter=b.example|policy sts 5/0|end"},
    /* JSON that is none */
    {"a broken text", "{'policies':", "refused json "},
    {"a value that is missing", "{'policies':}", "refused json "},
    {"another value behind it", REPORT(GOOD) "{}", "refused json text behind the end"},
    {"text that may hold another one", REPORT(GOOD) "x {'", "refused json text behind the end"},
    {"text behind it", REPORT(GOOD) "\n-- \nscanned}\n",
     "head 1791763200-1791849599 domain=a.example|policy sts 5/0|end xml_trail"},
    {"words in braces behind it", REPORT(GOOD) "\n{me} { x",
     "head 1791763200-1791849599 domain=a.example|policy sts 5/0|end xml_trail"},
    {"the start of another one", REPORT(GOOD) "\n{ ", "refused json "},
    {"a comma behind it", REPORT(GOOD) ",", "policy sts 5/0|end xml_trail"},
    {"no object", "['policies']", "refused json no TLS report"},
    {"a text alone", "'policies'", "refused json no object"},
    {"other keys", "{'a':1}", "refused json no TLS report"},
    {"a key twice", "{" NAMES "," DATES ",'policies':[],'policies':[" GOOD "]}",
     "refused json a key comes twice in one object"},
    {"a key twice, in two spellings",
     "{" NAMES ",'organization-n\\u0061me':'Two'," DATES ",'policies':[" GOOD "]}",
     "refused json a key comes twice in one object"},
    {"a key that is escaped", "{'organization-n\\u0061me':'Two'," DATES ",'policies':[" GOOD "]}",
     "head 1791763200-1791849599 domain=a.example reporter=two org=Two"},
    {"brackets that do not fit", "{'policies':[}]", "refused json a bracket that closes nothing"},
    {"a comment", "{/* ' */'policies':[]}", "refused json unknown word"},
    {"a comment of one line", "{// [\n'policies':[]}", "refused json unknown word"},
    {"an octal number", REPORT(STS(SUMMARY("010", "0"))), "refused json no number"},
    {"a hexadecimal number", REPORT(STS(SUMMARY("0x10", "0"))), "refused json unknown word"},
    {"no digits", REPORT(STS(SUMMARY("-", "0"))), "refused json no number"},
    {"no digits behind the point", REPORT(STS(SUMMARY("1.", "0"))), "refused json no number"},
    {"no digits in the exponent", REPORT(STS(SUMMARY("1e+", "0"))), "refused json no number"},
    {"an unknown escape", "{'policies':'\\x41'}", "refused json unknown escape"},
    {"half a character", "{'policies':'\\ud83d'}", "refused json unknown escape"},
    {"two first halves", "{'policies':'\\ud800\\ud800'}", "refused json unknown escape"},
    {"a second half", "{'policies':'\\ude00\\ud83d'}", "refused json unknown escape"},
    {"half an escape", "{'policies':'\\u00'}", "refused json unknown escape"},
    {"a control character", "{'policies':'\x01'}", "refused json control character in a text"},
    {"unknown words of JSON", "{'policies':True}", "refused json unknown word"},
};

static void check(const char *name, const char *got, const char *wanted)
{
    g_auto(GStrv) lines = g_strsplit(wanted, "|", -1);
    g_autofree char *whole = g_strconcat("\n", got, NULL);
    const char *at = whole;
    for (guint i = 0; lines[i]; i++) {
        /* The codes of the end are all of them. */
        gboolean end = g_str_has_prefix(lines[i], "end");
        g_autofree char *line = g_strconcat("\n", lines[i], end ? "\n" : NULL, NULL);
        const char *found = strstr(at, line);
        if (!found) {
            g_test_message("%s: %s in\n%s", name, lines[i], got);
            g_test_fail();
            return;
        }
        at = found + strlen(line) - end;
    }
}

static void test_vectors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *got = parse(vectors[i].text, &limits_default, NULL);
        check(vectors[i].name, got, vectors[i].wanted);
    }
}

/* What the name of the file says, where the report is silent. */
static void test_file_name(void)
{
    static const char name[] = "reporter.example!b.example!1791763200!1791849599!001.json.gz";
    g_autofree char *empty = parse(REPORT(""), &limits_default, name);
    check("domain", empty, "head 1791763200-1791849599 domain=b.example|end from_filename no_policies");
    g_autofree char *period = parse("{" NAMES ",'policies':[" GOOD "]}", &limits_default, name);
    check("period", period, "head 1791763200-1791849599 domain=a.example|end from_filename");
}

/* Broken off anywhere it is refused, and nothing was pushed. */
/* The mail's header tells the domain where no policy does, before the file name. */
static void test_header(void)
{
    header_domain = "c.example";
    g_autofree char *empty = parse(REPORT(""), &limits_default, "r!b.example!1791763200!1791849599.json.gz");
    g_autofree char *nameless =
        parse(REPORT("{'policy':{'policy-type':'sts'}," SUMMARY("5", "0") "}"), &limits_default, NULL);
    g_autofree char *named = parse(REPORT(GOOD), &limits_default, NULL);
    header_domain = NULL;
    check("none", empty, "head 1791763200-1791849599 domain=c.example|end no_domain no_policies");
    check("nameless", nameless, "head 1791763200-1791849599 domain=c.example|policy sts 5/0|end no_domain");
    check("named", named, "head 1791763200-1791849599 domain=a.example|policy sts 5/0|end");
}

static void test_cut(void)
{
    g_autofree char *document = json(WHOLE);
    for (gsize n = 0; n < strlen(document); n++) {
        g_autofree char *copy = g_memdup2(document, n ? n : 1);
        g_autofree char *got = parse_bytes(copy, n, 7, &limits_default, NULL, 0);
        g_assert_true(g_str_has_prefix(got, "refused json "));
    }
}

/* In UTF-16, in all its forms, of which a byte may be missing. */
static void test_wide(void)
{
    static const struct {
        const char *name, *lead;
    } orders[] = {{"UTF-16LE", ""}, {"UTF-16BE", ""}, {"UTF-16LE", "\xff\xfe"}, {"UTF-16BE", "\xfe\xff"}};
    g_autofree char *document = json(WHOLE "\n");
    for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
        gsize n;
        g_autofree char *wide = g_convert(document, -1, orders[i].name, "UTF-8", NULL, &n, NULL);
        g_autoptr(GString) whole = g_string_new(orders[i].lead);
        g_string_append_len(whole, wide, (gssize)n - 1);
        g_autofree char *got = parse_bytes(whole->str, whole->len, 7, &limits_default, NULL, 0);
        check(orders[i].name, got,
              "head 1791763200-1791849599 domain=a.example|policy sts 5326/303|end encoding");
    }
}

static void test_nul(void)
{
    g_autofree char *document = json(WHOLE);
    g_autofree char *padded = g_strconcat(document, "xxxxxx", NULL);
    memset(padded + strlen(document), '\0', 6);
    g_autofree char *behind = parse_bytes(padded, strlen(document) + 6, 0, &limits_default, NULL, 0);
    check("behind", behind, "head 1791763200-1791849599 domain=a.example|policy sts 5326/303|end xml_trail");
    for (gsize n = 0; n < strlen(document); n += 3) {
        g_autofree char *copy = g_memdup2(document, strlen(document));
        copy[n] = '\0';
        g_autofree char *got = parse_bytes(copy, strlen(document), 0, &limits_default, NULL, 0);
        g_assert_true(g_str_has_prefix(got, "refused json "));
    }
}

/* Each call of the sink fails once, and the reader. */
static void test_errors(void)
{
    g_autofree char *document = json(WHOLE);
    for (int call = 1; call <= 5; call++) {
        g_autofree char *got = parse_bytes(document, strlen(document), 0, &limits_default, NULL, call);
        g_assert_true(g_str_has_suffix(got, "failed the sink broke\n"));
    }
    struct told told = {.lines = g_string_new(NULL)};
    struct bytes_reader bytes = {.bytes = document, .length = strlen(document), .fails = TRUE};
    const struct tls_sink sink = {on_begin, on_policy, on_failure, on_end, &told};
    const struct report_hints hints = {.file_name = NULL};
    struct parse_outcome outcome;
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(
        tls_parse((struct byte_reader){bytes_read, &bytes}, &limits_default, &hints, &sink, &outcome, &error),
        ==, PARSE_FAILED);
    g_assert_error(error, WS_ERROR, WS_ERROR_DATA);
    g_assert_cmpint(told.calls, ==, 0);
    g_string_free(told.lines, TRUE);
    parse_outcome_clear(&outcome);
}

static void test_limits(void)
{
    static const struct {
        const char *name;
        guint64 value;
        const char *wanted;
    } rows[] = {
        {"json_size", 200, "refused limit limit json_size: more than 200 bytes"},
        {"json_depth", 4, "refused limit limit json_depth: more than 4 objects"},
        {"json_values", 20, "refused limit limit json_values: more than 20 values"},
        {"text_length", 11, "refused limit limit text_length: organization-name has more than 11 bytes"},
        {"prose_length", 10, "failure certificat 100|end text_cut"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct limits limits = limits_default;
        g_assert_true(limits_set(&limits, rows[i].name, rows[i].value));
        g_autofree char *got = parse(WHOLE, &limits, NULL);
        check(rows[i].name, got, rows[i].wanted);
    }
    /* What would exhaust a parser that calls itself. */
    g_autofree char *deep = g_strnfill(1000000, '[');
    g_autofree char *got = parse_bytes(deep, 1000000, 0, &limits_default, NULL, 0);
    check("deep", got, "refused limit limit json_depth: more than 16 objects");
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/tls/whole", test_whole);
    g_test_add_func("/tls/vectors", test_vectors);
    g_test_add_func("/tls/file name", test_file_name);
    g_test_add_func("/tls/header", test_header);
    g_test_add_func("/tls/cut", test_cut);
    g_test_add_func("/tls/wide", test_wide);
    g_test_add_func("/tls/nul", test_nul);
    g_test_add_func("/tls/errors", test_errors);
    g_test_add_func("/tls/limits", test_limits);
    return g_test_run();
}
