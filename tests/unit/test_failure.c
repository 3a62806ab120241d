/* Failure reports: what each field becomes, each deviation of real reporters, and anything cut anywhere. */
#include "parser/failure.h"
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

#define DATE "Arrival-Date: Mon, 13 Oct 2026 08:00:00 +0200\r\n" /* 1791871200 */
#define WHOLE                                                                                                \
    "Feedback-Type: auth-failure\r\n"                                                                        \
    "User-Agent: Reporter/1.0\r\n"                                                                           \
    "Version: 1\r\n"                                                                                         \
    "Original-Mail-From: <bounce@mail.example.net>\r\n"                                                      \
    "Original-Rcpt-To: <someone@receiver.example>\r\n" DATE "Source-IP: 192.0.2.7\r\n"                       \
    "Reported-Domain: Example.COM\r\n"                                                                       \
    "Reporting-MTA: dns; mx.receiver.example\r\n"                                                            \
    "Authentication-Results: mx.receiver.example;\r\n"                                                       \
    "\tdkim=fail header.d=example.com; spf=pass smtp.mailfrom=mail.example.net\r\n"                          \
    "Auth-Failure: dmarc, spf\r\n"                                                                           \
    "Identity-Alignment: dkim,spf\r\n"                                                                       \
    "Delivery-Result: reject\r\n"                                                                            \
    "DKIM-Domain: example.com\r\n"                                                                           \
    "DKIM-Selector: s2026\r\n"
#define SAMPLE                                                                                               \
    "Received: from [192.0.2.7]\n"                                                                           \
    "DKIM-Signature: v=1; a=rsa-sha256; d=Example.com;\n s=s2026; bh=AAAA; b=BBBB\n"                         \
    "DKIM-Signature: v=1; d=example.net; b=CC; s = other\n"                                                  \
    "From: \"sender@elsewhere.example\" <sender@example.com>\n"                                              \
    "To: Someone <someone@receiver.example>, other@third.example\n"                                          \
    "Subject: An invoice\n"                                                                                  \
    "Message-ID: <1@example.com>\n"                                                                          \
    "Authentication-Results: mx.receiver.example; dkim=fail\n\nFrom: body@not.example\n"

static void put(GString *out, const char *name, const char *text)
{
    if (text)
        g_string_append_printf(out, "%s=%s\n", name, text);
}

static void put_list(GString *out, const char *name, raw_words list)
{
    for (; *list; list++)
        put(out, name, *list);
}

/* All that is known, a line each. */
static char *dump(const struct failure_report *report)
{
    GString *out = g_string_new(NULL);
    char ip[INET6_ADDRSTRLEN] = "";
    put(out, "domain", report->domain);
    put(out, "reporter", report->reporter);
    put(out, "mta", report->reporting_mta);
    put(out, "agent", report->user_agent);
    g_string_append_printf(out, "arrived=%" G_GINT64_FORMAT "\n", report->arrived);
    g_string_append_printf(out, "incidents=%" G_GUINT64_FORMAT "\n", report->incidents);
    put_list(out, "failure", report->auth_failures);
    put(out, "alignment", report->alignment_failed);
    put(out, "delivery", report->delivery_result);
    if (report->family != AF_UNSPEC)
        put(out, "ip", inet_ntop(report->family, report->source_ip, ip, sizeof ip));
    put(out, "ip_raw", report->source_raw);
    put(out, "mail_from", report->mail_from);
    put(out, "rcpt_domain", report->rcpt_domain);
    put(out, "header_from", report->header_from);
    put(out, "from", report->from);
    put(out, "subject", report->subject);
    put(out, "message_id", report->message_id);
    put(out, "envelope_id", report->envelope_id);
    put(out, "d", report->dkim_domain);
    put(out, "s", report->dkim_selector);
    for (guint i = 0; i < report->n_signatures; i++)
        g_string_append_printf(out, "signature=%s/%s\n", report->signature_domains[i],
                               report->signature_selectors[i]);
    put_list(out, "results", report->results);
    put_list(out, "raw", report->raw);
    put(out, "recipient", report->recipient);
    put(out, "carrier", report->carrier);
    for (guint i = 0; i < report->n_warnings; i++)
        g_string_append_printf(out, "warning=%s%s%s\n", report->warnings[i].code,
                               report->warnings[i].detail ? " " : "",
                               report->warnings[i].detail ? report->warnings[i].detail : "");
    return g_string_free(out, FALSE);
}

typedef enum parse_status parse_func(const struct failure_source *source, const struct limits *limits,
                                     struct failure *failure_r, struct parse_outcome *outcome_r);

/* The dump, or "refused CODE DETAIL". */
static char *parse(parse_func *func, const struct failure_source *source, const struct limits *limits)
{
    struct failure failure;
    struct parse_outcome outcome;
    enum parse_status status = func(source, limits, &failure, &outcome);
    char *out = status == PARSE_OK ? dump(&failure.report)
                                   : g_strdup_printf("refused %s %s\n", outcome.code, outcome.detail);
    g_assert_true(status == PARSE_OK || status == PARSE_REFUSED);
    g_assert_true(g_utf8_validate(out, -1, NULL));
    parse_outcome_clear(&outcome);
    failure_clear(&failure);
    return out;
}

/* Lines that have to be there, separated by '|'; with '!' in front, lines that must not begin so. */
static void check(const char *name, const char *got, const char *wanted)
{
    g_auto(GStrv) lines = g_strsplit(wanted, "|", -1);
    g_autofree char *whole = g_strconcat("\n", got, NULL);
    for (guint i = 0; lines[i]; i++) {
        gboolean absent = lines[i][0] == '!';
        g_autofree char *line = g_strconcat("\n", lines[i] + absent, absent ? NULL : "\n", NULL);
        if ((strstr(whole, line) != NULL) == absent) {
            g_test_message("%s: %s in\n%s", name, lines[i], got);
            g_test_fail();
        }
    }
}

static void test_whole(void)
{
    const struct failure_source source = {.text = WHOLE,
                                          .length = strlen(WHOLE),
                                          .sample = SAMPLE,
                                          .sample_length = strlen(SAMPLE),
                                          .from_domain = "receiver.example",
                                          .mail_id = "2@receiver.example",
                                          .date = 1000000000};
    g_autofree char *got = parse(failure_parse, &source, &limits_default);
    g_assert_cmpstr(
        got, ==,
        "domain=example.com\nreporter=receiver.example\nmta=mx.receiver.example\nagent=Reporter/1.0\n"
        "arrived=1791871200\nincidents=1\nfailure=dmarc\nfailure=spf\nalignment=dkim spf\n"
        "delivery=reject\nip=192.0.2.7\nmail_from=bounce@mail.example.net\n"
        "rcpt_domain=receiver.example\nheader_from=example.com\n"
        "from=\"sender@elsewhere.example\" <sender@example.com>\nsubject=An invoice\n"
        "message_id=1@example.com\nd=example.com\ns=s2026\nsignature=example.com/s2026\n"
        "signature=example.net/other\n"
        "results=mx.receiver.example; dkim=fail header.d=example.com; spf=pass "
        "smtp.mailfrom=mail.example.net\nrecipient=<someone@receiver.example>\n");
}

/* What real reporters send, and what is odd in other ways. */
static const struct {
    const char *name, *text, *sample, *wanted;
} vectors[] = {
    {"only a domain and a date", "Feedback-Type: auth-failure\nReported-Domain: a.example\n" DATE, NULL,
     "domain=a.example|incidents=1|!failure=|!alignment=|!delivery=|!ip|!mail_from=|carrier=mail@id.example|"
     "warning=feedback_field Auth-Failure, Source-IP|reporter=mail.example"},
    {"no Feedback-Type", "Reported-Domain: a.example\n" DATE "Auth-Failure: dmarc\nSource-IP: 192.0.2.1",
     NULL, "failure=dmarc|warning=feedback_field Feedback-Type"},
    {"another type", "Feedback-Type: abuse\nReported-Domain: a.example\n" DATE, NULL,
     "refused feedback_type Feedback-Type \"abuse\""},
    {"an unknown type", "Feedback-Type: odd\nReported-Domain: a.example\n" DATE, NULL,
     "refused feedback_type Feedback-Type \"odd\""},
    {"an unknown type with the fields of a failure",
     "Feedback-Type: dmarc-failure\nAuth-Failure: dmarc\nReported-Domain: a.example\n" DATE, NULL,
     "failure=dmarc|raw=Feedback-Type=dmarc-failure"},
    {"a type in another case", "FEEDBACK-TYPE : Auth-Failure (x)\nreported-domain:a.example.\n" DATE, NULL,
     "domain=a.example|!raw="},
    {"blank lines, CR alone, a line that is no field",
     "\r\n\r\nFeedback-Type: auth-failure\r\r\nno field\nReported-Domain: a.example\r" DATE, NULL,
     "domain=a.example|arrived=1791871200"},
    {"the domain of the message", "Feedback-Type: auth-failure\n" DATE, SAMPLE,
     "domain=example.com|warning=no_domain Reported-Domain|subject=An invoice"},
    {"the domain of the results",
     "Feedback-Type: auth-failure\nAuthentication-Results: dmarc=fail (p=none, dis=none) "
     "header.from=a.example;\n" DATE,
     NULL, "domain=a.example|header_from=a.example"},
    {"a domain that is none", "Feedback-Type: auth-failure\nReported-Domain: not a domain!\n" DATE,
     "From: no address\n", "refused no_domain no Reported-Domain and no From: of the message"},
    {"no domain", "Feedback-Type: auth-failure\n" DATE, "From: no address\n",
     "refused no_domain no Reported-Domain and no From: of the message"},
    {"the date of the mail", "Feedback-Type: auth-failure\nReported-Domain: a.example\n", NULL,
     "arrived=1000000000|warning=feedback_field Auth-Failure, Source-IP, Arrival-Date"},
    {"a date that is none",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nArrival-Date: yesterday\n", NULL,
     "arrived=1000000000"},
    {"Received-Date",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nReceived-Date: 8 Oct 2026 "
     "20:15:58 +0000 (GMT)\n",
     NULL, "arrived=1791490558"},
    {"an address with a host behind it",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nSource-IP: 2001:db8::1 (host.example)\n" DATE,
     NULL, "ip=2001:db8::1|!warning=no_ip"},
    {"a masked address",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nSource-IP: 192.0.2.x\n" DATE, NULL,
     "ip_raw=192.0.2.x|warning=ip_masked"},
    {"own words for what was done",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nDelivery-Result: smg-policy-action\n" DATE,
     NULL, "delivery=other|raw=Delivery-Result=smg-policy-action"},
    {"another case of a word",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nDelivery-Result: Delivered\n" DATE, NULL,
     "delivery=delivered|raw=Delivery-Result=Delivered"},
    {"an empty reverse-path",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nOriginal-Mail-From:\n" DATE, NULL,
     "mail_from="},
    {"an empty reverse-path in brackets",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nOriginal-Mail-From: <>\n" DATE, NULL,
     "mail_from="},
    {"nothing failed to align",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nIdentity-Alignment: none (all is well)\n" DATE,
     NULL, "alignment=none|!raw="},
    {"alignment of one",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nIdentity-Alignment: (x) SPF\n" DATE, NULL,
     "alignment=spf"},
    {"alignment of something",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nIdentity-Alignment: spf, arc\n" DATE, NULL,
     "alignment=spf|raw=Identity-Alignment=spf, arc"},
    {"alignment that contradicts itself",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nIdentity-Alignment: none, dkim\n" DATE, NULL,
     "alignment=dkim|raw=Identity-Alignment=none, dkim"},
    {"failures twice, and an unknown one",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nAuth-Failure: DKIM,signature dmarc "
     "signature\n" DATE,
     NULL, "failure=signature|failure=dmarc|raw=Auth-Failure=DKIM,signature dmarc signature"},
    {"many incidents", "Feedback-Type: auth-failure\nReported-Domain: a.example\nIncidents: 17\n" DATE, NULL,
     "incidents=17|!raw="},
    {"incidents that are no number",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nIncidents: -1\n" DATE, NULL,
     "incidents=1|raw=Incidents=-1"},
    {"a field twice",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nReported-Domain: b.example\n" DATE, NULL,
     "domain=a.example"},
    {"results of the message, the topmost", "Feedback-Type: auth-failure\nReported-Domain: a.example\n" DATE,
     "Authentication-Results: first.example; spf=fail\nAuthentication-Results: forged.example; spf=pass\n",
     "results=first.example; spf=fail|!results=forged"},
    {"an id of the report",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\n"
     "Original-Envelope-Id: Q17\n" DATE,
     NULL, "envelope_id=Q17|!carrier="},
    {"bytes that are no UTF-8, control characters",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\nUser-Agent: \xff\x01\x1b[31m x\n" DATE, NULL,
     "agent=\xef\xbf\xbd  [31m x"},
    {"the message's header ends at the blank line",
     "Feedback-Type: auth-failure\nReported-Domain: a.example\n" DATE,
     "Subject: s\n\nFrom: <a@body.example>\n", "subject=s|!from="},
};

static struct failure_source source_of(const char *text, gsize length, const char *sample)
{
    return (struct failure_source){.text = text,
                                   .length = length,
                                   .sample = sample,
                                   .sample_length = sample ? strlen(sample) : 0,
                                   .from_domain = "mail.example",
                                   .mail_id = "mail@id.example",
                                   .date = 1000000000};
}

static void test_vectors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct failure_source source = source_of(vectors[i].text, strlen(vectors[i].text), vectors[i].sample);
        g_autofree char *got = parse(failure_parse, &source, &limits_default);
        check(vectors[i].name, got, vectors[i].wanted);
    }
}

/* Who reports, when the mail does not say it. */
static void test_reporter(void)
{
    static const struct {
        const char *fields, *wanted;
    } rows[] = {
        {"Reporting-MTA: dns; MX.host.example\n", "reporter=mx.host.example"},
        {"Authentication-Results: mx.auth.example; dmarc=fail\n", "reporter=mx.auth.example"},
        {"Authentication-Results: OpenDMARC; dmarc=fail\n", "reporter="},
        {"Authentication-Results: dmarc=fail.x\n", "reporter="},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("Feedback-Type: auth-failure\nReported-Domain: a.example\n" DATE,
                                            rows[i].fields, NULL);
        const struct failure_source source = {.text = text, .length = strlen(text)};
        g_autofree char *got = parse(failure_parse, &source, &limits_default);
        check(rows[i].fields, got, rows[i].wanted);
    }
    const char *bare = "Feedback-Type: auth-failure\nReported-Domain: a.example\n";
    const struct failure_source source = {.text = bare, .length = strlen(bare)};
    g_autofree char *got = parse(failure_parse, &source, &limits_default);
    check("no date at all", got, "refused no_date no Arrival-Date, and no Date: of the carrying mail");
}

#define WORDS                                                                                                \
    "A message claiming to be from you has failed the published DMARC policy for your domain.\n\n"           \
    "  Sender Domain: example.com\n"                                                                         \
    "  Sender IP Address: 203.0.113.68\n"                                                                    \
    "  Received date: Mon, 07 Apr 2025 23:16:09 +0200\n"                                                     \
    "  SPF Alignment: no\n  DKIM Alignment: yes\n  DMARC Results: None, Accept\n\n"
#define WORDS_SAMPLE                                                                                         \
    "------ This is a copy of the headers that were received before the error was detected.\n\n" SAMPLE

static void test_words(void)
{
    static const struct {
        const char *name, *text, *wanted;
    } rows[] = {
        {"with a header", WORDS WORDS_SAMPLE,
         "domain=example.com|arrived=1744060569|failure=dmarc|alignment=spf|delivery=delivered|ip=203.0.113."
         "68|"
         "header_from=example.com|rcpt_domain=receiver.example|subject=An invoice|message_id=1@example.com|"
         "results=mx.receiver.example; dkim=fail|signature=example.com/s2026|raw=DMARC Results=None, Accept"},
        {"without one", WORDS, "domain=example.com|!subject=|carrier=mail@id.example"},
        {"a banner before it", "EXTERNAL MAIL: beware\n\n" WORDS, "domain=example.com"},
        {"both failed",
         "A message claiming\nSender Domain: a.example\nSPF Alignment: No\nDKIM Alignment: NO\n",
         "alignment=dkim spf"},
        {"none failed", "Sender Domain: a.example\nSPF Alignment: yes\nDKIM Alignment: yes\n",
         "alignment=none"},
        {"one is not known", "Sender Domain: a.example\nSPF Alignment: yes\nDKIM Alignment: maybe\n",
         "!alignment=|raw=DKIM Alignment=maybe"},
        {"rejected", "Sender Domain: a.example\nDMARC Results: Reject, Reject\n", "delivery=reject"},
        {"no domain", "Sender IP Address: 192.0.2.1\n",
         "refused no_domain no Reported-Domain and no From: of the message"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct failure_source source = source_of(rows[i].text, strlen(rows[i].text), NULL);
        g_autofree char *got = parse(failure_parse_words, &source, &limits_default);
        check(rows[i].name, got, rows[i].wanted);
    }
}

static void test_is_words(void)
{
    static const struct {
        const char *text;
        gboolean is;
    } rows[] = {
        {WORDS, TRUE},
        {"\r\n  " WORDS, TRUE},
        {"A banner\nof two lines\n\n" WORDS, TRUE},
        {"> " WORDS, FALSE},
        {"He wrote: " WORDS, FALSE},
        {"", FALSE},
        {"A message claiming to be from you has failed the published DMARC\npolicy for your domain.\n", TRUE},
        {"A message claiming to be from\r\n you has failed\nthe  published DMARC policy", TRUE},
        {"A message claiming to be from you has failed the published DMAR", FALSE},
        {"A message claiming tobe from you has failed the published DMARC", FALSE},
        {"A message claiming to ", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(failure_is_words(rows[i].text, strlen(rows[i].text)), ==, rows[i].is);
    g_autofree char *far = g_strnfill(5000, '\n');
    g_autofree char *text = g_strconcat(far, WORDS, NULL);
    g_assert_false(failure_is_words(text, strlen(text)));
}

/* Cut at each offset, in memory of exactly that size. */
static void test_cut(void)
{
    for (guint words = 0; words < 2; words++) {
        const char *text = words ? WORDS WORDS_SAMPLE : WHOLE;
        for (gsize n = 0; n <= strlen(text); n++) {
            g_autofree char *copy = g_memdup2(text, n ? n : 1);
            g_autofree char *sample = g_memdup2(SAMPLE, MIN(n, strlen(SAMPLE)) + 1);
            struct failure_source source = source_of(copy, n, NULL);
            source.sample = sample;
            source.sample_length = MIN(n, strlen(SAMPLE));
            g_autofree char *got =
                parse(words ? failure_parse_words : failure_parse, &source, &limits_default);
            g_assert_true(g_str_has_prefix(got, "domain=") || g_str_has_prefix(got, "refused no_domain ") ||
                          g_str_has_prefix(got, "refused feedback_type "));
        }
    }
}

static void test_limits(void)
{
    struct limits limits = limits_default;
    struct failure_source source = source_of(WHOLE, strlen(WHOLE), SAMPLE);
    limits.failure_size = 100;
    g_autofree char *large = parse(failure_parse, &source, &limits);
    check("failure_size", large, "refused limit limit failure_size: more than 100 bytes");
    source = source_of(WORDS, strlen(WORDS), NULL);
    g_autofree char *words = parse(failure_parse_words, &source, &limits);
    check("failure_size", words, "refused limit limit failure_size: more than 100 bytes");
    limits = limits_default;
    limits.prose_length = 8;
    source = source_of(WHOLE, strlen(WHOLE), "Subject: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n");
    g_autofree char *cut = parse(failure_parse, &source, &limits);
    check("prose_length", cut, "agent=Reporter|subject=\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4|warning=text_cut");
    limits = limits_default;
    limits.text_length = 3;
    g_autofree char *name = parse(failure_parse, &source, &limits);
    check("text_length", name, "s=s20|warning=text_cut");
    GString *many = g_string_new("Feedback-Type: auth-failure\nReported-Domain: a.example\n" DATE);
    for (guint i = 0; i < 100; i++)
        g_string_append(many, "Authentication-Results: a\n");
    GString *signatures = g_string_new(NULL);
    for (guint i = 0; i < 100; i++)
        g_string_append(signatures, "DKIM-Signature: d=a.example; s=b\n");
    source = source_of(many->str, many->len, signatures->str);
    struct failure failure;
    struct parse_outcome outcome;
    g_assert_cmpint(failure_parse(&source, &limits_default, &failure, &outcome), ==, PARSE_OK);
    g_assert_cmpuint(g_strv_length((char **)failure.report.results), ==, 10);
    g_assert_cmpuint(failure.report.n_signatures, ==, 10);
    parse_outcome_clear(&outcome);
    failure_clear(&failure);
    g_string_free(many, TRUE);
    g_string_free(signatures, TRUE);
}

static char *shout(const char *text)
{
    g_autofree char *upper = g_ascii_strup(text, -1);
    return g_strconcat(" \n\xff", upper, NULL);
}

/* The decoder of RFC 2047 is somebody else's, and not trusted. */
static void test_decode(void)
{
    struct failure_source source = source_of(WHOLE, strlen(WHOLE), SAMPLE);
    source.decode = shout;
    g_autofree char *got = parse(failure_parse, &source, &limits_default);
    check("decoded", got,
          "subject=\xef\xbf\xbd"
          "AN INVOICE|header_from=example.com");
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/failure/whole", test_whole);
    g_test_add_func("/failure/vectors", test_vectors);
    g_test_add_func("/failure/reporter", test_reporter);
    g_test_add_func("/failure/words", test_words);
    g_test_add_func("/failure/is_words", test_is_words);
    g_test_add_func("/failure/cut", test_cut);
    g_test_add_func("/failure/limits", test_limits);
    g_test_add_func("/failure/decode", test_decode);
    return g_test_run();
}
