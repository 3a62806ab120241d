/* Each limit of the parser lowered: the refusal or warning must name it. And the tables that everybody asks.
 */
#include "collect.h"
#include "parser/codes.h"
#include "unit.h"

#include <sysexits.h>

#define WHOLE FEEDBACK(META POLICY GOOD_RECORD)

/* Each text passes with the default limits. */
static const struct {
    const char *limit;
    guint64 value;
    const char *text;
    const char *wanted;
} vectors[] = {
    {"xml_depth", 4, WHOLE, "refused code=limit|xml_depth (4)"},
    {"xml_tag", 40,
     FEEDBACK(META POLICY "<x attribute=\"long enough not to fit, with a > in it\"/>" GOOD_RECORD),
     "refused code=limit|xml_tag (40 bytes)"},
    {"xml_tag", 40,
     FEEDBACK(META POLICY "<!-- a comment that is longer than a tag may be, doesn't matter --><![CDATA[ "
                          "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<< ]]>" GOOD_RECORD),
     "|ok"},
    {"xml_attributes", 2, FEEDBACK(META POLICY "<x a=\"1\" b=\"2\" c=\"3\"/>" GOOD_RECORD),
     "refused code=limit|xml_attributes (2)"},
    {"xml_attributes", 1, FEEDBACK(META POLICY "<x xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"/>" GOOD_RECORD),
     "refused code=limit|xml_attributes (1)"},
    {"xml_unknown", 2, FEEDBACK(META POLICY "<x/><y/><x/><z/>" GOOD_RECORD),
     "refused code=limit|xml_unknown (2)"},
    {"xml_unknown", 2, FEEDBACK(META POLICY "<x a=\"\" b=\"\"/>" GOOD_RECORD),
     "refused code=limit|xml_unknown (2)"},
    {"xml_unknown", 2, FEEDBACK(META POLICY "<?a?><?b?><?c?>" GOOD_RECORD),
     "refused code=limit|xml_unknown (2)"},
    {"xml_unknown", 1, FEEDBACK(META POLICY "<Record/><rEcord/>" GOOD_RECORD),
     "refused code=limit|xml_unknown (1)"},
    {"xml_repair", 100, FEEDBACK(META "a & b" POLICY GOOD_RECORD), "refused code=xml|longer than xml_repair"},
    {"records", 2, FEEDBACK(META POLICY GOOD_RECORD GOOD_RECORD GOOD_RECORD),
     "abandoned|refused code=limit|(records, 2)"},
    {"text_length", 60,
     FEEDBACK(META POLICY RECORD(
         GOOD_ROW, FROM("a-name-that-is-longer.than-sixty-bytes.and-still-fine.example.com"), GOOD_AUTH)),
     "warning text_cut:1|ok"},
    {"text_length", 12, FEEDBACK(META POLICY GOOD_RECORD), "refused code=limit|text_length (12 bytes)"},
    {"text_length", 60,
     FEEDBACK(META POLICY "<extension><x xmlns=\"urn:x\">a text that does not fit into sixty "
                          "bytes</x></extension>" GOOD_RECORD),
     "warning ext_cut:1|ok"},
    {"prose_length", 5,
     FEEDBACK(META POLICY RECORD(ROW("192.0.2.1", "1",
                                     "<policy_evaluated><dkim>pass</dkim><spf>fail</spf><reason><type>other</"
                                     "type><comment>abcd\xc3\xbc"
                                     "efg</comment></reason></policy_evaluated>"),
                                 FROM("example.com"), GOOD_AUTH)),
     "comment=abcd;|warning text_cut:1|ok"},
    {"auth_results", 1,
     FEEDBACK(META POLICY RECORD(GOOD_ROW, FROM("example.com"),
                                 AUTH(DKIM("a.example", "s", "fail") DKIM("b.example", "s", "fail")))),
     "d=a.example|warning auth_many:1|ok"},
    {"head_wait", 1, FEEDBACK(GOOD_RECORD GOOD_RECORD META POLICY), "refused code=limit|head_wait (1)"},
    {"report_seconds", 0, WHOLE, "refused code=limit|report_seconds (0)"},
};

static void test_lowered(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct limits limits = limits_default;
        g_autofree char *name = g_strdup_printf("%s (vector %u)", vectors[i].limit, (guint)i);
        struct bytes_reader whole = {.bytes = vectors[i].text, .length = strlen(vectors[i].text)};
        if (strcmp(vectors[i].limit, "xml_repair") != 0) {
            g_autofree char *before = collect_parse(&whole, &limits, NULL, 0);
            assert_holds(name, before, "end seen|ok");
            assert_lacks(name, before, "refused|_cut|_many");
        }
        g_assert_true(limits_set(&limits, vectors[i].limit, vectors[i].value));
        whole.at = 0;
        g_autofree char *after = collect_parse(&whole, &limits, NULL, 0);
        assert_holds(name, after, vectors[i].wanted);
    }
}

/* A report with no id waits for its end, but not beyond the limit, and is not lost for it. */
static void test_head_wait_without_id(void)
{
    static const char text[] = FEEDBACK(
        "<report_metadata><email>a@r.example</email><date_range><begin>1700000000</begin><end>1700086399</"
        "end></date_range></report_metadata>" POLICY GOOD_RECORD GOOD_RECORD GOOD_RECORD);
    struct limits limits = limits_default;
    limits.head_wait = 1;
    struct bytes_reader bytes = {.bytes = text, .length = sizeof text - 1};
    g_autofree char *lines = collect_parse(&bytes, &limits, NULL, 0);
    assert_holds("head_wait", lines, "end seen=3;|warning no_id:1|ok");
}

static void test_names(void)
{
    struct limits limits;
    memset(&limits, 0xaa, sizeof limits);
    for (const struct limit_row *row = limit_rows; row->name != NULL; row++) {
        g_assert_nonnull(row->meaning);
        g_assert_true(limits_set(&limits, row->name, 7));
        const char *field = (const char *)&limits + row->offset;
        guint64 wide = 0;
        guint narrow;
        memcpy(row->wide ? (void *)&wide : (void *)&narrow, field, row->wide ? sizeof wide : sizeof narrow);
        g_assert_cmpuint(row->wide ? wide : narrow, ==, 7);
    }
    /* No field without a name: what was not touched is padding behind a narrow field. */
    const guint8 *bytes = (const guint8 *)&limits;
    for (gsize i = 0; i < sizeof limits; i++)
        g_assert_true(bytes[i] != 0xaa || i % 8 >= 4);
    g_assert_false(limits_set(&limits, "xml", 7));
    g_assert_false(limits_set(&limits, "", 7));
    g_assert_true(limits_set(&limits, "xml_depth", G_MAXUINT64));
    g_assert_cmpuint(limits.xml_depth, ==, G_MAXUINT);
}

static void test_errors(void)
{
    static const struct {
        int code;
        enum ws_spoils spoils;
        int status;
    } kinds[] = {
        {WS_ERROR_USAGE, WS_SPOILS_RUN, EX_USAGE},
        {WS_ERROR_CONFIG, WS_SPOILS_RUN, EX_CONFIG},
        {WS_ERROR_INPUT, WS_SPOILS_SOURCE, EX_NOINPUT},
        {WS_ERROR_DATA, WS_SPOILS_DOCUMENT, EX_DATAERR},
        {WS_ERROR_TRUNCATED, WS_SPOILS_DOCUMENT, EX_DATAERR},
        {WS_ERROR_CHECKSUM, WS_SPOILS_DOCUMENT, EX_DATAERR},
        {WS_ERROR_LIMIT, WS_SPOILS_DOCUMENT, EX_DATAERR},
        {WS_ERROR_SOURCE, WS_SPOILS_SOURCE, EX_TEMPFAIL},
        {WS_ERROR_AUTH, WS_SPOILS_SOURCE, EX_NOPERM},
        {WS_ERROR_DB_DOWN, WS_SPOILS_RUN, EX_TEMPFAIL},
        {WS_ERROR_DB_REFUSED, WS_SPOILS_DOCUMENT, EX_DATAERR},
        {WS_ERROR_DB_SCHEMA, WS_SPOILS_RUN, EX_CONFIG},
        {WS_ERROR_SYSTEM, WS_SPOILS_RUN, EX_TEMPFAIL},
        {WS_ERROR_INTERRUPTED, WS_SPOILS_RUN, EX_TEMPFAIL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GError) error = g_error_new(WS_ERROR, kinds[i].code, "x");
        g_assert_cmpint(ws_error_spoils(error), ==, kinds[i].spoils);
        g_assert_cmpint(ws_error_exit_status(error), ==, kinds[i].status);
    }
    g_autoptr(GError) foreign = g_error_new(G_FILE_ERROR, WS_ERROR_DATA, "x");
    g_assert_cmpint(ws_error_spoils(foreign), ==, WS_SPOILS_RUN);
    g_assert_cmpint(ws_error_exit_status(foreign), ==, EX_SOFTWARE);
}

static void test_codes(void)
{
    for (int i = 0; i < CODE_LAST; i++) {
        const struct code_row *row = &code_rows[i];
        g_assert_nonnull(row->code);
        g_assert_true(g_str_has_suffix(row->meaning, "."));
        g_assert_true(row->hint == NULL || g_str_has_suffix(row->hint, "."));
        g_assert_true(row->refusal || row->warning);
        g_assert_true(code_find(row->code) == row); /* no two are called the same */
        g_assert_cmpuint(strspn(row->code, "abcdefghijklmnopqrstuvwxyz_"), ==, strlen(row->code));
    }
    g_assert_null(code_find("nonsense"));
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/limits/lowered", test_lowered);
    g_test_add_func("/limits/head_wait without an id", test_head_wait_without_id);
    g_test_add_func("/limits/names", test_names);
    g_test_add_func("/limits/errors", test_errors);
    g_test_add_func("/limits/codes", test_codes);
    return g_test_run();
}
