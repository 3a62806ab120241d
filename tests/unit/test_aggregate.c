/* Well-formed reports of both generations, in any order, fed in any pieces, cut anywhere; sinks and sources
 * that break; streams; and what attackers send. */
#include "collect.h"
#include "unit.h"

#include <stdio.h>

#define OLD                                                                                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n"                                                          \
    "<feedback>\n  <version>1.0</version>\n  <report_metadata>\n    <org_name>Old &amp; Sons</org_name>\n"   \
    "    <email>noreply@old.example</email>\n    "                                                           \
    "<extra_contact_info>https://old.example/dmarc</extra_contact_info>\n"                                   \
    "    <report_id>123@old.example</report_id>\n    "                                                       \
    "<date_range><begin>1700006400</begin><end>1700092799</end></date_range>\n"                              \
    "  </report_metadata>\n  <policy_published>\n    "                                                       \
    "<domain>example.com</domain><adkim>s</adkim><aspf>r</aspf>"                                             \
    "<p>quarantine</p><sp>reject</sp><pct>50</pct><fo>1</fo>\n  </policy_published>\n"                       \
    "  <record>\n    "                                                                                       \
    "<row><source_ip>192.0.2.1</source_ip><count>12</count><policy_evaluated><disposition>none</"            \
    "disposition>"                                                                                           \
    "<dkim>fail</dkim><spf>pass</spf><reason><type>forwarded</type><comment>a "                              \
    "b</comment></reason></policy_evaluated></row>\n"                                                        \
    "    <identifiers><envelope_to>r.example</envelope_to><envelope_from>bounce.example.com</envelope_from>" \
    "<header_from>example.com</header_from></identifiers>\n"                                                 \
    "    <auth_results><dkim><domain>news.example.com</domain><selector>s1</selector><result>pass</result>"  \
    "<human_result>2048-bit "                                                                                \
    "key</human_result></dkim><dkim><domain>esp.example</domain><selector>k2</selector>"                     \
    "<result>pass</result></dkim><spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>pass</" \
    "result></spf>"                                                                                          \
    "</auth_results>\n  </record>\n"                                                                         \
    "  <record>\n    "                                                                                       \
    "<row><source_ip>2001:db8::2</source_ip><count>3</count><policy_evaluated><disposition>reject</"         \
    "disposition>"                                                                                           \
    "<dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>\n"                                            \
    "    <identifiers><header_from>sub.example.com</header_from></identifiers>\n"                            \
    "    "                                                                                                   \
    "<auth_results><spf><domain>spammer.example</domain><scope>helo</scope><result>softfail</result></"      \
    "spf></auth_results>\n"                                                                                  \
    "  </record>\n</feedback>\n"

#define OLD_LINES                                                                                            \
    "head generation=7489 version=1.0 org=Old & Sons email=noreply@old.example "                             \
    "contact=https://old.example/dmarc"                                                                      \
    " id=123@old.example reporter=old.example period=1700006400-1700092799 domain=example.com p=quarantine " \
    "sp=reject"                                                                                              \
    " adkim=s aspf=r fo=1 pct=50;\n"                                                                         \
    "record ip=192.0.2.1 count=12 from=example.com envelope_from=bounce.example.com envelope_to=r.example "  \
    "disp=none"                                                                                              \
    " verdict=fail/pass aligned=fail/pass spf_by=bounce.example.com;\n"                                      \
    "  dkim d=news.example.com s=s1 result=pass human=2048-bit key;\n  dkim d=esp.example s=k2 "             \
    "result=pass;\n"                                                                                         \
    "  spf d=bounce.example.com scope=mfrom result=pass;\n  reason type=forwarded comment=a b;\n"            \
    "record ip=2001:db8::2 count=3 from=sub.example.com disp=reject verdict=fail/fail aligned=fail/fail;\n"  \
    "  spf d=spammer.example scope=helo result=softfail;\n"                                                  \
    "end seen=2;\nok\n"

#define NEW                                                                                                  \
    "<feedback "                                                                                             \
    "xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n<version>1.0</version><report_metadata><org_name>New</"    \
    "org_name>"                                                                                              \
    "<email>r@new.example</email><report_id>&lt;n1@new.example&gt;</"                                        \
    "report_id><date_range><begin>302832000</begin>"                                                         \
    "<end>302918399</end></date_range><error lang=\"en\">none</error><generator>Gen "                        \
    "1.2</generator></report_metadata>"                                                                      \
    "<policy_published><domain>example.com</domain><p>reject</p><np>none</np><testing>n</testing>"           \
    "<discovery_method>treewalk</discovery_method></policy_published>"                                       \
    "<extension><x:a xmlns:x=\"urn:x\" x:k=\"1&amp;2\" l=\"m\">t &lt; u<x:b/></x:a></extension>"             \
    "<record><row><source_ip>192.0.2.123</source_ip><count>123</count><policy_evaluated><disposition>pass</" \
    "disposition>"                                                                                           \
    "<dkim>pass</dkim><spf>fail</spf><reason><type>policy_test_mode</type></reason></policy_evaluated></"    \
    "row>"                                                                                                   \
    "<identifiers><envelope_from/><header_from>example.com</header_from></identifiers>"                      \
    "<auth_results><dkim><domain>mail.example.com</domain><result>pass</result><selector>abc123</"           \
    "selector></dkim>"                                                                                       \
    "<dkim><domain>example.com</domain><result>pass</result><selector>def</selector></dkim>"                 \
    "<spf><domain>example.org</domain><result>fail</result><human_result "                                   \
    "lang=\"en\">no</human_result></spf></auth_results>"                                                     \
    "<y:more xmlns:y=\"urn:y\">z</y:more></record></feedback>"

#define NEW_LINES                                                                                            \
    "head generation=9990 uri=urn:ietf:params:xml:ns:dmarc-2.0 version=1.0 generator=Gen 1.2 org=New "       \
    "email=r@new.example"                                                                                    \
    " error=none id=n1@new.example reporter=new.example period=302832000-302918399 domain=example.com "      \
    "p=reject np=none"                                                                                       \
    " testing=n discovery=treewalk pct=-1;\n"                                                                \
    "  extensions <extension xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><a xmlns=\"urn:x\" "                 \
    "xmlns:x=\"urn:x\" x:k=\"1&amp;2\""                                                                      \
    " l=\"m\">t &lt; u<b xmlns=\"urn:x\"/></a></extension>\n"                                                \
    "record ip=192.0.2.123 count=123 from=example.com envelope_from= disp=pass verdict=pass/fail "           \
    "aligned=pass/fail"                                                                                      \
    " dkim_by=example.com selector=def;\n"                                                                   \
    "  dkim d=mail.example.com s=abc123 result=pass;\n  dkim d=example.com s=def result=pass;\n"             \
    "  spf d=example.org result=fail human=no;\n  reason type=policy_test_mode;\n"                           \
    "  extensions <more xmlns=\"urn:y\">z</more>\n"                                                          \
    "end seen=1;\nok\n"

static void test_generations(void)
{
    g_autofree char *old = collect_text(OLD, NULL);
    g_assert_cmpstr(old, ==, OLD_LINES);
    g_autofree char *new = collect_text(NEW, NULL);
    g_assert_cmpstr(new, ==, NEW_LINES);
}

/* What stands in documents that need their second reading, two reports, a long head wait. */
static const char *const documents[] = {
    OLD,
    NEW,
    OLD "<?xml version=\"1.0\"?>" NEW "trailing",
    FEEDBACK(GOOD_RECORD META GOOD_RECORD POLICY GOOD_RECORD),
    FEEDBACK(META "<a & b>" POLICY GOOD_RECORD "<record><row><count>1</row></record>" GOOD_RECORD),
    "lead" FEEDBACK(META POLICY "<error>\xe9\x01</error>" GOOD_RECORD "<xs:schema>") "\0tail",
    FEEDBACK("<report_metadata><date_range><begin>1</begin><end>2</end></date_range></report_metadata>" POLICY
                 GOOD_RECORD),
};

static void test_pieces(void)
{
    static const gsize chunks[] = {1, 2, 3, 7, 64, 4000};
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *whole = collect_text(documents[i], NULL);
        assert_holds("whole", whole, "end seen");
        for (gsize c = 0; c < G_N_ELEMENTS(chunks); c++) {
            struct bytes_reader bytes = {
                .bytes = documents[i], .length = strlen(documents[i]), .chunk = chunks[c]};
            g_autofree char *pieces = collect_parse(&bytes, &limits_default, NULL, 0);
            g_assert_cmpstr(pieces, ==, whole);
        }
    }
}

/* The lines of whole records, one string. */
static char *record_lines(const char *lines)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *last = lines;
    for (const char *abandoned; (abandoned = strstr(last, "abandoned\n")) != NULL;)
        last = abandoned + strlen("abandoned\n");
    g_auto(GStrv) split = g_strsplit(last, "\n", -1);
    gboolean inside = FALSE;
    for (char **line = split; *line != NULL; line++) {
        inside = g_str_has_prefix(*line, "record ") || (inside && g_str_has_prefix(*line, "  "));
        if (inside)
            g_string_append_printf(out, "%s\n", *line);
    }
    return g_strdup(out->str);
}

/* Wherever it breaks off: whole records, in order, none changed, and it says so. */
static void test_cuts(void)
{
    static const char *const texts[] = {OLD, NEW};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        gsize length = strlen(texts[i]);
        while (g_ascii_isspace(texts[i][length - 1]))
            length--;
        g_autofree char *whole = collect_text(texts[i], NULL);
        g_autofree char *records = record_lines(whole);
        guint salvaged = 0;
        for (gsize cut = 0; cut < length; cut++) {
            struct bytes_reader bytes = {.bytes = texts[i], .length = cut};
            g_autofree char *lines = collect_parse(&bytes, &limits_default, NULL, 0);
            g_autofree char *some = record_lines(lines);
            g_assert_true(g_str_has_prefix(records, some));
            gboolean refused = strstr(lines, "refused code=") != NULL;
            gboolean incomplete =
                strstr(lines, " incomplete;\n") != NULL && strstr(lines, "warning truncated:1") != NULL;
            if (refused == incomplete)
                g_error("cut at %u:\n%s", (guint)cut, lines);
            salvaged += incomplete ? 1 : 0;
        }
        g_assert_cmpuint(salvaged, >, 5);
    }
}

/* A byte changed anywhere never makes a pass that was not there, nor messages. */
static void test_changed_bytes(void)
{
    static const char text[] = FEEDBACK(
        META POLICY RECORD(ROW("192.0.2.1", "2", EVALUATED("none", "fail", "fail")), FROM("example.com"),
                           AUTH(DKIM("example.com", "s1", "fail") SPF("example.com", "helo", "pass"))));
    static const char bytes_in[] = "<>&\"\x01\xff/p ";
    for (gsize at = 0; at < sizeof text - 1; at++) {
        for (gsize b = 0; b < sizeof bytes_in; b++) { /* NUL, too */
            g_autofree char *copy = g_memdup2(text, sizeof text);
            copy[at] = bytes_in[b];
            struct bytes_reader bytes = {.bytes = copy, .length = sizeof text - 1};
            g_autofree char *lines = collect_parse(&bytes, &limits_default, NULL, 0);
            g_autofree char *records = record_lines(lines);
            /* helo changed to something that is no helo, or no scope, is the one thing that cannot be told.
             */
            gboolean scope = at >= (gsize)(strstr(text, "<scope>") - text) &&
                             at < (gsize)(strstr(text, "</scope>") + 8 - text);
            if (strstr(records, "verdict=pass") != NULL || strstr(records, "/pass") != NULL ||
                strstr(records, "aligned=pass") != NULL)
                if (!scope)
                    g_error("byte %u at %u:\n%s", (guint)b, (guint)at, lines);
        }
    }
}

static void test_order(void)
{
    static const char *const parts[] = {META, POLICY, GOOD_RECORD};
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    g_autofree char *first = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autofree char *text = g_strconcat("<feedback>", parts[orders[i][0]], parts[orders[i][1]],
                                            parts[orders[i][2]], "</feedback>", NULL);
        g_autofree char *lines = collect_text(text, NULL);
        if (first == NULL)
            first = g_strdup(lines);
        assert_holds("order", lines, "end seen=1;|ok");
        g_assert_cmpstr(lines, ==, first);
    }
}

/* The alignment is known only with the policy, which may come last. */
static void test_late_policy(void)
{
    g_autofree char *strict = collect_text(
        FEEDBACK(META RECORD(GOOD_ROW, FROM("example.com"), AUTH(DKIM("mail.example.com", "s", "pass")))
                     POLICY_("<adkim>s</adkim>")),
        NULL);
    assert_holds("strict", strict, "aligned=fail/fail disagree;");
    g_autofree char *relaxed =
        collect_text(FEEDBACK(META RECORD(GOOD_ROW, FROM("example.com"),
                                          AUTH(DKIM("mail.example.com", "s", "pass"))) POLICY),
                     NULL);
    assert_holds("relaxed", relaxed, "aligned=pass/fail dkim_by=mail.example.com selector=s;");
}

static void test_encodings(void)
{
    static const struct {
        const char *name;
        const char *mark;
        gsize mark_length;
    } encodings[] = {{"UTF-16LE", "\xff\xfe", 2}, {"UTF-16BE", "\xfe\xff", 2}, {"UTF-16LE", "", 0},
                     {"UTF-16BE", "", 0},         {"KOI8-R", "", 0},           {"ISO-8859-1", "", 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(encodings); i++) {
        g_autofree char *declared = g_strdup_printf(
            "<?xml version=\"1.0\" encoding=\"%s\"?>" FEEDBACK(META POLICY GOOD_RECORD), encodings[i].name);
        gsize length;
        g_autofree char *converted = g_convert(declared, -1, encodings[i].name, "UTF-8", NULL, &length, NULL);
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_byte_array_append(bytes, (const guint8 *)encodings[i].mark, (guint)encodings[i].mark_length);
        g_byte_array_append(bytes, (const guint8 *)converted, (guint)length);
        for (gsize chunk = 0; chunk < 4; chunk++) {
            struct bytes_reader reader = {
                .bytes = (const char *)bytes->data, .length = bytes->len, .chunk = chunk};
            g_autofree char *lines = collect_parse(&reader, &limits_default, NULL, 0);
            assert_holds(encodings[i].name, lines, "org=Reporter|record ip=192.0.2.1|end seen=1;|ok");
            assert_lacks(encodings[i].name, lines, "warning");
        }
    }
}

/* Beyond the first plane, and half of a pair. */
static void test_surrogates(void)
{
    static const char wide[] = FEEDBACK(
        "<report_metadata><org_name>\xf0\x9f\x98\x80</org_name><email>a@r.example</email><report_id>?</"
        "report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata>" POLICY
            GOOD_RECORD);
    gsize length;
    g_autofree char *utf16 = g_convert(wide, -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
    for (gsize chunk = 1; chunk < 6; chunk++) {
        struct bytes_reader whole = {.bytes = utf16, .length = length, .chunk = chunk};
        g_autofree char *lines = collect_parse(&whole, &limits_default, NULL, 0);
        assert_holds("pair", lines, "org=\xf0\x9f\x98\x80 |end seen=1;|ok");
        assert_lacks("pair", lines, "warning");
    }
    char *mark = memmem(utf16, length, "?", 2); /* with its NUL */
    g_assert_nonnull(mark);
    memcpy(mark, "\x00\xd8", 2);
    struct bytes_reader half = {.bytes = utf16, .length = length};
    g_autofree char *lines = collect_parse(&half, &limits_default, NULL, 0);
    assert_holds("half", lines, "id=\xef\xbf\xbd |warning encoding:1|ok");
}

/* Each call of the sink fails once: the error comes back, and nothing is left open. */
static void test_sink_fails(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        int calls = 0;
        for (int at = 1; at < 100; at++) {
            struct bytes_reader bytes = {.bytes = documents[i], .length = strlen(documents[i])};
            g_autofree char *lines = collect_parse(&bytes, &limits_default, NULL, at);
            if (strstr(lines, "the sink broke") == NULL)
                break;
            assert_holds("sink", lines, "failed detail=the sink broke");
            calls++;
        }
        g_assert_cmpint(calls, >=, 3);
    }
}

/* The source breaks at each offset: never a report that ended, but for one whose end was read and followed.
 */
static void test_source_fails(void)
{
    gsize length = strlen(OLD);
    for (gsize cut = 0; cut <= length; cut++) {
        struct bytes_reader bytes = {.bytes = OLD, .length = cut, .fails = TRUE};
        g_autofree char *lines = collect_parse(&bytes, &limits_default, NULL, 0);
        assert_holds("source", lines, "failed detail=the source broke");
        assert_lacks("source", lines, "end seen");
    }
}

/* ---- streams ---- */

struct stream {
    guint records, made;
    GString *buffer;
    gsize at;
    gboolean cut; /* no end tags */
    gboolean last;
};

static gssize stream_read(void *self, void *buf, gsize n, GError **error G_GNUC_UNUSED)
{
    struct stream *stream = self;
    if (stream->at == stream->buffer->len && !stream->last) {
        g_string_truncate(stream->buffer, 0);
        stream->at = 0;
        if (stream->made == 0)
            g_string_append(stream->buffer, "<feedback>" META POLICY);
        for (int i = 0; i < 100 && stream->made < stream->records; i++, stream->made++)
            g_string_append_printf(
                stream->buffer,
                "\n  <record><row><source_ip>192.0.2.%u</source_ip><count>%u</count>" EVALUATED(
                    "none", "pass", "fail") "</row>" FROM("example.com") GOOD_AUTH "</record>",
                stream->made % 256, stream->made % 10);
        stream->last = stream->made == stream->records;
        if (stream->last)
            g_string_append(stream->buffer, stream->cut ? "<record><row>" : "</feedback>");
    }
    gsize take = MIN(n, stream->buffer->len - stream->at);
    memcpy(buf, stream->buffer->str + stream->at, take);
    stream->at += take;
    return (gssize)take;
}

struct tally {
    guint64 records, sum, seen;
    gboolean incomplete, abandoned;
};

static gboolean tally_begin(void *self G_GNUC_UNUSED, const struct report_head *head G_GNUC_UNUSED,
                            GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean tally_record(void *self, const struct report_record *record, GError **error G_GNUC_UNUSED)
{
    struct tally *tally = self;
    tally->records++;
    tally->sum += (guint64)record->message_count;
    return TRUE;
}

static gboolean tally_end(void *self, const struct report_tail *tail, GError **error G_GNUC_UNUSED)
{
    struct tally *tally = self;
    tally->seen = tail->records_seen;
    tally->incomplete = tail->incomplete;
    return TRUE;
}

static void tally_abandon(void *self)
{
    ((struct tally *)self)->abandoned = TRUE;
}

static struct tally run_stream(struct stream *stream, const struct limits *limits, enum parse_status wanted)
{
    struct domain_list *suffixes = domain_list_new();
    struct aggregate_parser *parser = aggregate_parser_new(limits, suffixes);
    struct tally tally = {0};
    struct report_sink sink = {tally_begin, tally_record, tally_end, tally_abandon, &tally};
    struct parse_outcome outcome;
    stream->buffer = g_string_new(NULL);
    enum parse_status status =
        aggregate_parse(parser, (struct byte_reader){stream_read, stream}, NULL, &sink, &outcome, NULL);
    g_assert_cmpint(status, ==, wanted);
    parse_outcome_clear(&outcome);
    g_string_free(stream->buffer, TRUE);
    aggregate_parser_free(parser);
    domain_list_free(suffixes);
    return tally;
}

/* 100,000 records are 43 MB of XML: five times what may be kept here. */
static void test_stream(void)
{
    struct limits limits = limits_default;
    limits.xml_repair = 8 * 1024 * 1024;
    long before = resident_kib();
    struct tally tally = run_stream(&(struct stream){.records = 100000}, &limits, PARSE_OK);
    g_assert_cmpuint(tally.records, ==, 100000);
    g_assert_cmpuint(tally.sum, ==, 450000);
    g_assert_cmpuint(tally.seen, ==, 100000);
    g_assert_false(tally.incomplete || tally.abandoned);
#ifndef __SANITIZE_ADDRESS__
    g_assert_cmpint(resident_kib() - before, <, 24 * 1024);
#else
    g_assert_cmpint(before, >, 0);
#endif
}

static void test_stream_cut(void)
{
    struct limits limits = limits_default;
    limits.xml_repair = 64 * 1024;
    struct tally tally = run_stream(&(struct stream){.records = 10000, .cut = TRUE}, &limits, PARSE_OK);
    g_assert_cmpuint(tally.records, ==, 10000);
    g_assert_cmpuint(tally.seen, ==, 10001);
    g_assert_true(tally.incomplete);
}

/* Two documents in a row, the first far longer than what may be kept. */
static void test_long_row(void)
{
    g_autoptr(GString) text = g_string_new("<feedback>" META POLICY);
    for (int i = 0; i < 2000; i++)
        g_string_append(text, GOOD_RECORD);
    g_string_append(text, "</feedback>\n<!-- x -->\n" NEW);
    struct limits limits = limits_default;
    limits.xml_repair = 2000;
    struct bytes_reader bytes = {.bytes = text->str, .length = text->len, .chunk = 4093};
    g_autofree char *lines = collect_parse(&bytes, &limits, NULL, 0);
    assert_holds("row", lines, "end seen=2000;|warning xml_trail:1|id=n1@new.example|end seen=1;|ok");
}

/* ---- attacks ---- */

static char *repeat(const char *text, guint n)
{
    g_autoptr(GString) out = g_string_new(NULL);
    while (n-- > 0)
        g_string_append(out, text);
    return g_strdup(out->str);
}

static void test_hostile(void)
{
    g_autofree char *deep = repeat("<a>", 100000);
    g_autoptr(GString) names = g_string_new("<feedback>"), tag = g_string_new("<feedback "),
                       row = g_string_new(NULL);
    for (int i = 0; i < 20000; i++) {
        g_string_append_printf(names, "<n%d/>", i);
        g_string_append_printf(tag, "a%d=\">\" ", i);
        g_string_append(row, "<feedback/>");
    }
    g_autofree char *ampersands = repeat("&", 200000), *comments = repeat("<!--", 200000),
                    *cdata = repeat("<![CDATA[", 100000);
    g_autofree char *sections = g_strconcat("<feedback><org_name>", comments, cdata, ampersands, NULL);
    g_autofree char *leaves = repeat("<p>", 200000),
                    *leaf = g_strconcat("<feedback><org_name>&", leaves, NULL);
    g_autofree char *reports = repeat(FEEDBACK(META POLICY GOOD_RECORD) "<!-- <? ", 999),
                    *long_blank = repeat(" ", 4000000), *comment = g_strconcat(reports, long_blank, NULL);
    g_autofree char *blank = repeat(" ", 300000), *roots = repeat("<x></y>", 100000);
    const struct {
        const char *name, *text, *wanted;
    } attacks[] = {
        {"laughs", "<!DOCTYPE f [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><feedback>&b;</feedback>",
         "refused code=doctype"},
        {"parameter entity", "<!DOCTYPE f [<!ENTITY % a SYSTEM \"http://192.0.2.1/x\">%a;]><feedback/>",
         "refused code=doctype"},
        {"deep", deep, "refused code=limit|xml_depth"},
        {"many names", names->str, "refused code=limit|xml_unknown"},
        {"many attributes", tag->str, "refused code=limit|xml_tag"},
        {"many documents", row->str, "refused code=no_period"},
        {"sections without end", sections, "refused code="},
        {"tags in a leaf", leaf, "refused code="},
        {"reports with comments without end", comment, "warning xml_trail:1|end seen=1;|ok"},
        {"blanks", blank, "refused code=empty"},
        {"roots", roots, "refused code=no_root"},
        {"own marks",
         FEEDBACK(META POLICY "<?whosends damaged?><record>" GOOD_ROW
                              "<?whosends damaged?>" FROM("example.com") GOOD_AUTH "</record>"),
         "end seen=1;|record ip=192.0.2.1|ok"},
        {"own marks, repaired",
         FEEDBACK(META POLICY "<record>" GOOD_ROW "<?whosends damaged?>" FROM("example.com") GOOD_AUTH
                  "</record>&"),
         "end seen=1;|record ip=192.0.2.1|ok"},
        {"invalid reference", FEEDBACK(META POLICY "<error>&#0;&#x1b;&#xd800;</error>" GOOD_RECORD),
         "record ip=192.0.2.1|ok"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(attacks); i++) {
        gint64 start = g_get_monotonic_time();
        g_autofree char *lines = collect_text(attacks[i].text, NULL);
        assert_holds(attacks[i].name, lines, attacks[i].wanted);
        g_assert_true(g_utf8_validate(lines, -1, NULL));
        g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/aggregate/generations", test_generations);
    g_test_add_func("/aggregate/pieces", test_pieces);
    g_test_add_func("/aggregate/cuts", test_cuts);
    g_test_add_func("/aggregate/changed bytes", test_changed_bytes);
    g_test_add_func("/aggregate/order", test_order);
    g_test_add_func("/aggregate/late policy", test_late_policy);
    g_test_add_func("/aggregate/encodings", test_encodings);
    g_test_add_func("/aggregate/surrogates", test_surrogates);
    g_test_add_func("/aggregate/sink fails", test_sink_fails);
    g_test_add_func("/aggregate/source fails", test_source_fails);
    g_test_add_func("/aggregate/stream", test_stream);
    g_test_add_func("/aggregate/stream cut", test_stream_cut);
    g_test_add_func("/aggregate/long row", test_long_row);
    g_test_add_func("/aggregate/hostile", test_hostile);
    return g_test_run();
}
