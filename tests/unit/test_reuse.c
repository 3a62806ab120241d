/* One parser for one document after the other: what it reads is what a new one reads, whatever came before.
 */
#include "collect.h"
#include "unit.h"

#define DECLARED(charset, content) "<?xml version=\"1.0\" encoding=\"" charset "\"?>" content
#define WHOLE FEEDBACK(META POLICY GOOD_RECORD)
#define SPACED                                                                                               \
    "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\" xmlns:x=\"urn:x\">" META POLICY GOOD_RECORD        \
    "<extension><x:a b=\"c\">d</x:a></extension></feedback>"
#define NO_ID                                                                                                \
    FEEDBACK("<report_metadata><email>a@r.example</email><date_range><begin>1700000000</begin>"              \
             "<end>1700086399</end></date_range></report_metadata>" POLICY GOOD_RECORD)
#define OTHER_CASE                                                                                           \
    "<FeedBack>" META POLICY "<Record>" GOOD_ROW FROM("example.com") GOOD_AUTH "</Record></FeedBack>"

static const char *const fixtures[] = {
    /* in order, or mended */
    WHOLE,
    SPACED,
    NO_ID,
    OTHER_CASE,
    DECLARED("windows-1252", FEEDBACK(META POLICY RECORD(GOOD_ROW, FROM("caf\xe9.example"), GOOD_AUTH))),
    DECLARED("ISO-8859-2", FEEDBACK(META POLICY RECORD(GOOD_ROW, FROM("\xb1.example"), GOOD_AUTH))),
    DECLARED("x-nobody-knows", WHOLE),
    " \n" DECLARED("utf-8", WHOLE),
    "<p:feedback xmlns:p=\"urn:p\"><p:version>1</p:version></p:feedback>" WHOLE,
    WHOLE "<!-- and --> \n" WHOLE WHOLE,
    FEEDBACK(GOOD_RECORD GOOD_RECORD META POLICY),
    FEEDBACK(META POLICY "<stray dkim=\"1\" whatever='\"'/>text" GOOD_RECORD),
    FEEDBACK(META POLICY RECORD(
        GOOD_ROW, FROM("a@example.com, b@example.org"),
        AUTH(DKIM("example.com", "s&amp;t", "p&#97;ss") SPF("EXAMPLE.com", "helo", "pass")))),
    "<feedback feedback=\"record\" record=\"row\" row=\"dkim\">" META POLICY GOOD_RECORD "</feedback>",
    /* broken, cut or refused */
    FEEDBACK(META POLICY GOOD_RECORD "<record><row><source_ip>192.0.2.9</source_ip></record>"),
    FEEDBACK(META POLICY GOOD_RECORD "<x:extension><x:a y:b='1'>"),
    "<feedback xmlns=\"urn:hostile\" xmlns:a=\"urn:a\"><a:b xmlns=\"urn:inner\">" META POLICY "<record><row>",
    "<feedback>" META POLICY GOOD_RECORD "<record><row><source_ip>192.0.2.1</source",
    "<feedback>" META POLICY GOOD_RECORD "<record a='1' b='2",
    "<feedback><report_metadata><org_name>R &unknown; &lt; &#0;</org_name>",
    "<!DOCTYPE feedback [<!ENTITY a \"b\"><!ATTLIST feedback xmlns CDATA \"urn:d\">]>" WHOLE,
    "<feedback><!-- -- --></feedback>",
    "<feedback><![CDATA[ ]]",
    "<feedback><?whosends damaged?><?whosends incomplete?>" META POLICY GOOD_RECORD "</feedback>",
    "<html><body>no report</body></html>",
    "<a><b><c><d><e><f><g><h><i><j><k><l><m><n><o><p><q><r><s><t><u><v><w><x><y><z><a><b><c><d><e><f><g><h>",
    "\xff\xfe<\0f\0",
    "no report",
    "",
};

static char *read_with(struct aggregate_parser *parser, const char *text, gsize length, int fail_at)
{
    struct bytes_reader bytes = {.bytes = text, .length = length};
    return collect_parse_with(parser, &bytes, NULL, fail_at);
}

static void must_be_as_new(struct aggregate_parser *parser, const char *text, const char *before)
{
    struct bytes_reader bytes = {.bytes = text, .length = strlen(text)};
    g_autofree char *fresh = collect_parse(&bytes, &limits_default, NULL, 0);
    g_autofree char *came = read_with(parser, text, strlen(text), 0);
    if (strcmp(fresh, came) != 0)
        collect_complain("after %.300s\nthis came:\n%s\ninstead of:\n%s", before, came, fresh);
}

/* Every document after every other, and all of them with one parser. */
static void test_pairs(void)
{
    struct aggregate_parser *all = collect_parser(&limits_default);
    for (gsize i = 0; i < G_N_ELEMENTS(fixtures); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(fixtures); j++) {
            struct aggregate_parser *parser = collect_parser(&limits_default);
            g_free(read_with(parser, fixtures[i], strlen(fixtures[i]), 0));
            must_be_as_new(parser, fixtures[j], fixtures[i]);
            must_be_as_new(all, fixtures[j], "many");
            aggregate_parser_free(parser);
        }
    aggregate_parser_free(all);
}

/* After a document that breaks off at any of its bytes. */
static void test_after_cuts(void)
{
    static const char text[] = DECLARED("iso-8859-2", "<w:x xmlns:w='urn:w'>" SPACED "</w:x>");
    struct aggregate_parser *parser = collect_parser(&limits_default);
    for (gsize n = 0; n < sizeof text; n++) {
        g_free(read_with(parser, text, n, 0));
        must_be_as_new(parser, fixtures[n % 4], "a cut");
    }
    aggregate_parser_free(parser);
}

/* After a sink or a source that failed at any of its calls. */
static void test_after_failures(void)
{
    static const char text[] = SPACED WHOLE NO_ID;
    struct aggregate_parser *parser = collect_parser(&limits_default);
    for (int at = 1; at <= 10; at++) {
        g_autofree char *failed = read_with(parser, text, sizeof text - 1, at);
        g_assert_cmpint(strstr(failed, "the sink broke") != NULL, ==, at < 10);
        must_be_as_new(parser, fixtures[at % 4], "a sink that failed");
        struct bytes_reader bytes = {
            .bytes = text, .length = (sizeof text - 1) * (gsize)at / 11, .fails = TRUE};
        g_autofree char *broken = collect_parse_with(parser, &bytes, NULL, 0);
        g_assert_nonnull(strstr(broken, "the source broke"));
        must_be_as_new(parser, fixtures[at % 4], "a source that failed");
    }
    aggregate_parser_free(parser);
}

/* A report with `n` unknown elements, of names that no other number gives. */
static char *with_names(guint number, guint n)
{
    GString *text = g_string_new("<feedback>" META POLICY GOOD_RECORD);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "<n%u-%u/>", number, i);
    g_string_append(text, "</feedback>");
    return g_string_free(text, FALSE);
}

/* The names of one document are not counted against the next, neither the same nor others; and they count in
 * each document anew. */
static void test_names(void)
{
    struct aggregate_parser *parser = collect_parser(&limits_default);
    static const guint counts[] = {100, 256, 100, 257, 256, 20, 20};
    for (guint number = 0; number < 20; number++)
        for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
            g_autofree char *text = with_names(number / 2, counts[i]);
            struct bytes_reader bytes = {.bytes = text, .length = strlen(text)};
            g_autofree char *came = collect_parse_with(parser, &bytes, NULL, 0);
            assert_holds("names", came,
                         counts[i] <= 256 ? "end seen=1;|ok" : "refused code=limit|xml_unknown");
            must_be_as_new(parser, text, "other names");
        }
    aggregate_parser_free(parser);
}

/* Names that are sent once and never again, short and long, are not kept. */
static void test_memory(void)
{
    struct aggregate_parser *parser = collect_parser(&limits_default);
    long before = 0;
    for (guint i = 0; i < 3000; i++) {
        g_autofree char *pad = g_strnfill(3000, 'a');
        g_autofree char *text =
            g_strdup_printf("<feedback><u%u_%s/>" META POLICY "<record>" GOOD_ROW
                            "<identifiers><header_from>%u.%s</header_from>"
                            "<envelope_from>b%u.example</envelope_from></identifiers></record></feedback>",
                            i, pad, i, pad, i);
        g_autofree char *came = read_with(parser, text, strlen(text), 0);
        g_assert_nonnull(strstr(came, "end seen=1;"));
        if (i == 1000)
            before = resident_kib();
    }
    g_assert_cmpint(resident_kib() - before, <, 4 * 1024);
    aggregate_parser_free(parser);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/reuse/pairs", test_pairs);
    g_test_add_func("/reuse/after-cuts", test_after_cuts);
    g_test_add_func("/reuse/after-failures", test_after_failures);
    g_test_add_func("/reuse/names", test_names);
    g_test_add_func("/reuse/memory", test_memory);
    return g_test_run();
}
