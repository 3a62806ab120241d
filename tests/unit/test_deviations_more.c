/* More of what real reporters get wrong, row by row: schema tags around a report, elements in another place
 * than the standard's, markup in texts, encodings, values, and results past the most that are kept. */
#include "collect.h"
#include "unit.h"

struct deviation {
    const char *row;
    const char *text;
    const char *wanted;   /* parts between '|' */
    const char *unwanted; /* the same, or NULL */
};

#define WHOLE FEEDBACK(META POLICY GOOD_RECORD)
#define GOOD                                                                                                 \
    "record ip=192.0.2.1 count=2 from=example.com disp=none verdict=pass/fail aligned=pass/fail "            \
    "dkim_by=example.com selector=s1;"
#define BY_RECORDS(content) FEEDBACK(META POLICY content)
#define SCHEMA(declaration, end)                                                                             \
    "<?xml version=\"1.0\"?>\n<xs:schema" declaration                                                        \
    " targetNamespace=\"http://dmarc.org/dmarc-xml/0.1\"" end "\n"
#define SCHEMA_ALONE GOOD "|warning xml_schema_tag:1|ok", "xml_trail|xml_lead|xml_recover|refused"
#define BAD_ORG                                                                                              \
    "<report_metadata><org_name>A & B</org_name><email>dmarc@r.example</email><report_id>id1</report_id>"    \
    "<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>"

static const struct deviation schema_tags[] = {
    {"X4", SCHEMA(" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", ">") WHOLE, SCHEMA_ALONE},
    {"X4", SCHEMA("", ">") WHOLE "\n", SCHEMA_ALONE},
    {"X4", SCHEMA(" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", ">") WHOLE "</xs:schema>", SCHEMA_ALONE},
    {"X4", SCHEMA("", ">") WHOLE "\n</xs:schema>\n", SCHEMA_ALONE},
    {"X4", SCHEMA("", "/>") WHOLE, SCHEMA_ALONE},
    {"X4", SCHEMA("", ">") FEEDBACK(BAD_ORG POLICY GOOD_RECORD),
     "org=A & B |" GOOD "|warning xml_recover:1|warning xml_schema_tag:1|ok", "xml_lead|xml_trail"},
    {"X4", SCHEMA("", ">") WHOLE "garbage", GOOD "|warning xml_schema_tag:1|warning xml_trail:1|ok",
     "xml_lead|xml_recover"},
    {"X4", SCHEMA("", ">") WHOLE FEEDBACK(META_("id2", "1700000000", "1700086399") POLICY GOOD_RECORD),
     "id=id1|warning xml_schema_tag:1|id=id2|ok", "xml_trail|refused|abandoned"},
    {"X16", "<wrapper>" WHOLE, GOOD "|warning xml_recover:1|ok", "xml_trail|xml_schema_tag"},
};

static const struct deviation places[] = {
    /* Known ones in another place. */
    {"X21", BY_RECORDS("<records>" GOOD_RECORD GOOD_RECORD "</records>"),
     GOOD "|end seen=2;|warning misplaced:1|ok", "unknown_elem|no_records"},
    {"X21", BY_RECORDS("<x:records xmlns:x=\"urn:x\"><x:a/></x:records>" GOOD_RECORD),
     "extensions <records xmlns=|" GOOD "|ok", "misplaced"},
    {"X21", "<feedback>" META POLICY "<records>" GOOD_RECORD "<record><row>",
     GOOD "|end seen=2 incomplete;|warning truncated:1|warning misplaced:1|ok", NULL},
    {"X21", BY_RECORDS("<records>" GOOD_RECORD "a & b</records>"),
     GOOD "|end seen=1;|warning xml_recover:1|ok", "damaged_row"},
    {"X21",
     BY_RECORDS("<record><row><source_ip>192.0.2.1</source_ip><count>2</count>" EVALUATED(
         "none", "pass", "fail") FROM("example.com") GOOD_AUTH "</row></record>"),
     GOOD "|warning misplaced:2|ok", "unknown_elem|no_from|auth_empty"},
    /* The row's, outside of it, and the period's. */
    {"X21",
     BY_RECORDS("<record><row><source_ip>192.0.2.1</source_ip><count>2</count></row>" EVALUATED(
         "none", "pass", "fail") FROM("example.com") GOOD_AUTH "</record>"),
     GOOD "|warning misplaced:1|ok", "unknown_elem|no_pe|pe_part"},
    {"X21",
     BY_RECORDS("<record><source_ip>192.0.2.1</source_ip><count>2</count>" EVALUATED("none", "pass", "fail")
                    FROM("example.com") GOOD_AUTH "</record>"),
     GOOD "|warning misplaced:3|ok", "unknown_elem|no_pe|no_ip|warning count"},
    {"X21",
     FEEDBACK(
         "<report_metadata><org_name>R</org_name><email>dmarc@r.example</email><report_id>id1</report_id>"
         "<begin>1700000000</begin><end>1700086399</end></report_metadata>" POLICY GOOD_RECORD),
     "period=1700000000-1700086399|" GOOD "|warning misplaced:2|ok", "unknown_elem"},
    /* Beside the ones in their place these say nothing, whichever come first. */
    {"X21",
     BY_RECORDS("<record><source_ip>192.0.2.9</source_ip><count>99</count>" EVALUATED(
         "reject", "fail", "pass") GOOD_ROW FROM("example.com") GOOD_AUTH "</record>"),
     GOOD "|warning multi:3|warning misplaced:3|ok", "192.0.2.9|count=99|reject"},
    {"X21",
     BY_RECORDS("<record>" GOOD_ROW "<source_ip>192.0.2.9</source_ip><count>99</count>" EVALUATED(
         "reject", "fail", "pass") FROM("example.com") GOOD_AUTH "</record>"),
     GOOD "|warning multi:3|warning misplaced:3|ok", "192.0.2.9|count=99|reject"},
    {"X21",
     FEEDBACK("<report_metadata><begin>1600000000</begin><end>1600086399</end><org_name>R</org_name>"
              "<email>dmarc@r.example</email><report_id>id1</report_id><date_range><begin>1700000000</begin>"
              "<end>1700086399</end></date_range></report_metadata>" POLICY GOOD_RECORD),
     "period=1700000000-1700086399|" GOOD "|warning multi:2|warning misplaced:2|ok", NULL},
    /* An extension of somebody else's may call its elements so. */
    {"X21",
     BY_RECORDS(
         "<record><x:count xmlns:x=\"urn:x\">99</x:count><x:policy_evaluated xmlns:x=\"urn:x\"/>" GOOD_ROW
             FROM("example.com") GOOD_AUTH "</record>"),
     "extensions <count xmlns=\"urn:x\"|" GOOD "|ok", "misplaced|multi|count=99|no_pe"},
    /* The record's own count, whichever comes first. */
    {"X21",
     BY_RECORDS(
         "<record><row><source_ip>192.0.2.1</source_ip><count>2</count>" EVALUATED("none", "pass", "fail")
             FROM("example.net") AUTH(DKIM("example.net", "x", "pass")) "</row>" FROM("example.com") GOOD_AUTH
         "</record>"),
     GOOD "|warning misplaced:2|ok", "d=example.net s=x|multi"},
    {"X21",
     BY_RECORDS("<record>" FROM("example.com") GOOD_AUTH
                "<row><source_ip>192.0.2.1</source_ip><count>2</count>" EVALUATED("none", "pass", "fail")
                    FROM("example.net") AUTH(DKIM("example.net", "x", "pass")) "</row></record>"),
     GOOD "|warning misplaced:2|ok", "d=example.net s=x|multi"},
};

/* A record with 250 results of strangers, and a few more behind them. */
static char *lines_of_many(const char *before, const char *more, const char *after)
{
    g_autoptr(GString) text = g_string_new("<feedback>" META);
    g_string_append_printf(text, "%s<record>" GOOD_ROW "%s<auth_results>", POLICY, before);
    for (int i = 0; i < 250; i++)
        g_string_append_printf(text, DKIM("d%d.example", "s", "pass"), i);
    g_string_append_printf(text, "%s</auth_results>%s</record></feedback>", more, after);
    return collect_text(text->str, NULL);
}

#define SECOND                                                                                               \
    RECORD(ROW("192.0.2.9", "9", EVALUATED("none", "pass", "fail")), FROM("example.com"), GOOD_AUTH)
#define SAID(results) RECORD(GOOD_ROW, FROM("example.com"), AUTH(results))
#define DOC(content) FEEDBACK(META POLICY content)
#define BOTH "record ip=192.0.2.1|record ip=192.0.2.9 count=9"

/* What looks like markup in a text that somebody else chose costs no record. */
static const struct deviation markup_in_texts[] = {
    {"X9", DOC(SAID(DKIM("example.com", "</feedback>", "pass")) SECOND),
     BOTH "|selector=</feedback>|warning xml_recover:1|ok", "damaged_row|truncated|xml_trail"},
    {"X9", DOC(SAID(DKIM("example.com", "<feedback>", "pass")) SECOND), BOTH "|ok", "damaged_row|truncated"},
    {"X9", DOC(SAID(DKIM("example.com", "</record>", "pass")) SECOND), BOTH "|ok", "damaged_row"},
    {"X9", DOC(SAID(DKIM("example.com", "<record>", "pass")) SECOND), BOTH "|ok", "damaged_row"},
    {"X14", DOC(SAID(DKIM("example.com", "<!DOCTYPE html>", "pass")) SECOND), BOTH "|ok", "refused|damaged"},
    {"X14", "<feedback><!DOCTYPE x>" META POLICY GOOD_RECORD "</feedback>", "refused code=doctype", NULL},
    /* An end tag that is missing before what comes next. */
    {"X9",
     "<feedback><report_metadata><org_name>r</org_name><email>a@r.example</email><report_id>id1</report_id>"
     "<date_range><begin>1700000000</begin><end>1700086399</end></date_range>" POLICY GOOD_RECORD SECOND
     "</feedback>",
     BOTH "|warning xml_recover:1|ok", "damaged_row"},
    {"X9",
     "<feedback>" META "<policy_published><domain>example.com</domain><p>none</p>" GOOD_RECORD SECOND
     "</feedback>",
     BOTH "|warning xml_recover:1|ok", "damaged_row"},
};

#define CAFE(encoding)                                                                                       \
    "<?xml version=\"1.0\" encoding=\"" encoding "\"?>" FEEDBACK(                                            \
        "<report_metadata><org_name>Caf\xc3\xa9</org_name><email>a@r.example</email><report_id>1</"          \
        "report_id>"                                                                                         \
        "<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>" POLICY   \
            GOOD_RECORD)

static const struct deviation encodings[] = {
    {"X7", CAFE("iso-8859-2"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    {"X7", CAFE("ISO_8859-1"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    {"X7", CAFE("koi8-r"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    {"X7", CAFE("ANSI_X3.4-1968"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    {"X7", CAFE("IBM037"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    {"X7", CAFE("unicode"), "org=Caf\xc3\xa9 |warning encoding:1|ok", NULL},
    /* Two letters that by themselves would read as UTF-8, in a word that does not. */
    {"X7",
     "<?xml version=\"1.0\" encoding=\"koi8-r\"?>" FEEDBACK(
         "<report_metadata><org_name>\xc5\xa3\xcc\xcb\xc1</org_name><email>a@r.example</email>"
         "<report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>"
         "</report_metadata>" POLICY GOOD_RECORD),
     "org=\xd0\xb5\xd1\x91\xd0\xbb\xd0\xba\xd0\xb0 |ok", "warning encoding"},
};

#define DATED(begin, end) FEEDBACK(META_("id1", begin, end) POLICY GOOD_RECORD)
#define REASONED(reason)                                                                                     \
    DOC(RECORD(                                                                                              \
        ROW("192.0.2.1", "2",                                                                                \
            "<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>" reason       \
            "</policy_evaluated>"),                                                                          \
        FROM("example.com"), GOOD_AUTH))
#define NEWER "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\" xmlns:e=\"urn:e\">"

static const struct deviation values[] = {
    /* One end of the period was not told. */
    {"M15", DATED("1700000000", "0"), "period=1700000000-1700000000|warning date:2|ok",
     "date_swap|date_long"},
    {"M15", DATED("0", "1700086399"), "period=1700086399-1700086399|warning date:2|ok", "date_long"},
    {"M15", DATED("0", "86400"), "period=0-86400|ok", "warning date:"},
    {"M19", DATED("2023-11-14T00:00Z", "2023-11-14T23:59Z"), "period=1699920000-1700006340|ok", "refused"},
    {"M19", DATED("2023-11-14+01:00", "2023-11-14T24:00:00Z"), "period=1699916400-1700006400|ok", "refused"},
    {"M19", DATED("2023-11-14T00Z", "2023-11-14 UTC"), "period=1699920000-1699920000|ok", "refused"},
    /* The first record that names a domain stands in. */
    {"P10",
     FEEDBACK(META "<policy_published><domain/><p>none</p></policy_published>" RECORD(GOOD_ROW, FROM("a..b"),
                                                                                      GOOD_AUTH) SECOND),
     "domain=example.com|" BOTH "|ok", "refused"},
    {"R4",
     DOC(RECORD(ROW("[x.x.x.x]", "2", EVALUATED("none", "pass", "fail")), FROM("example.com"), GOOD_AUTH)),
     "warning ip_masked:1|ok", "no_ip"},
    {"R15", REASONED("<reason>mailing_list<comment/></reason>"), "type=mailing_list|warning reason:1|ok",
     "disp_conflict|stray_text"},
    {"R15", REASONED("<reason>mailing_list<comment>foo</comment></reason>"),
     "type=mailing_list comment=foo|warning reason:1|ok", NULL},
    {"R15", REASONED("<reason><comment>x</comment>forwarded</reason>"), "type=forwarded comment=x|ok",
     "stray_text"},
    {"R15", REASONED("<reason>sampled_out<type/></reason>"), "type=sampled_out|ok", NULL},
    {"R15", REASONED("<reason>foo<type>forwarded</type></reason>"), "type=forwarded|warning multi:1|ok",
     NULL},
    {"I4", DOC(RECORD(GOOD_ROW, FROM("example.com.."), GOOD_AUTH)),
     "from=example.com disp|aligned=pass/fail|ok", "bad_name"},
    {"I4", DOC(RECORD(GOOD_ROW, FROM("&lt;example.com&gt;, &lt;example.org&gt;"), GOOD_AUTH)),
     "from=example.com disp|aligned=pass/fail|warning multi_from:1|ok", "bad_name|align_conflict"},
    {"I6", DOC(RECORD(GOOD_ROW, FROM(", sub.example.com"), GOOD_AUTH)), "from=sub.example.com disp|ok",
     "no_from"},
    {"A1", DOC(SAID("<spf/>")), "warning auth_empty:1|ok", NULL},
    {"A2", DOC(SAID(DKIM("example.com", "s1", "pass") "<spf><human_result>why</human_result></spf>")),
     "spf|human=why|ok", "auth_empty"},
    {"X15",
     DOC(RECORD(ROW("\xc2\xa0"
                    "192.0.2.1\xef\xbb\xbf",
                    "2\xc2\xa0", EVALUATED("none", "pass", "fail")),
                FROM("\xef\xbb\xbf"
                     "example.com \xc2\xa0"),
                GOOD_AUTH)),
     GOOD "|ok", "no_ip|bad_name"},
    /* By its namespace none of the report's (RFC 9990 section 3.1), whatever its name. */
    {"X21",
     NEWER META POLICY RECORD(
         GOOD_ROW, FROM("example.com"),
         AUTH(
             DKIM("example.com", "s1",
                  "pass")) "<e:auth_results><e:spf><e:domain>example.com</e:domain>"
                           "<e:result>pass</e:result></e:spf></e:auth_results>") "<e:record><e:row><e:source_"
                                                                                 "ip>192.0.2.77</"
                                                                                 "e:source_ip><e:count>77</"
                                                                                 "e:count></e:row></e:record>"
                                                                                 "</feedback>",
     "aligned=pass/fail|end seen=1;|ok", "192.0.2.77 |align_conflict|multi:"},
    {"X21",
     "<feedback xmlns:v=\"urn:v\">" META "<v:about/><policy_published><domain>example.com</domain><p>none</p>"
     "<pct>100</pct></policy_published>" GOOD_RECORD "</feedback>",
     "generation=7489|ok", NULL},
};

static void check(const struct deviation *rows, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%s (vector %u)", rows[i].row, (guint)i);
        g_autofree char *lines = collect_text(rows[i].text, NULL);
        assert_holds(name, lines, rows[i].wanted);
        if (rows[i].unwanted != NULL)
            assert_lacks(name, lines, rows[i].unwanted);
        unit_deviation(rows[i].row, !g_test_failed());
    }
}

static void test_schema_tags(void)
{
    check(schema_tags, G_N_ELEMENTS(schema_tags));
}

static void test_places(void)
{
    check(places, G_N_ELEMENTS(places));
}

static void test_markup_in_texts(void)
{
    check(markup_in_texts, G_N_ELEMENTS(markup_in_texts));
}

static void test_encodings(void)
{
    check(encodings, G_N_ELEMENTS(encodings));
}

static void test_values(void)
{
    check(values, G_N_ELEMENTS(values));
}

/* A19: what the result of the record hangs on is kept, wherever it stands. */
static void test_many_aligned(void)
{
    static const struct {
        const char *before, *more, *after, *wanted, *unwanted;
    } vectors[] = {
        {FROM("example.com"), DKIM("example.com", "late", "pass"), "",
         "aligned=pass/fail dkim_by=example.com selector=late|d=d198.example|d=example.com s=late|"
         "warning auth_many:51|ok",
         "align_conflict|d=d199.example"},
        /* The very name wins over one of the same organization, and the first of equals. */
        {FROM("example.com"),
         DKIM("a.example.com", "x", "pass") DKIM("example.com", "late", "pass")
             DKIM("example.com", "y", "pass") DKIM("b.example.com", "z", "pass"),
         "", "aligned=pass/fail dkim_by=example.com selector=late|ok", "d=a.example.com|s=y|s=z"},
        {FROM("example.com"), DKIM("example.com", "late", "fail") DKIM("example.net", "x", "pass"), "",
         "aligned=fail/fail|d=d199.example", "d=example.com"},
        /* From is not known yet: the policy domain stands for it. */
        {"", DKIM("example.com", "late", "pass"), FROM("example.com"),
         "aligned=pass/fail dkim_by=example.com selector=late|ok", "align_conflict"},
        {FROM("example.com"), DKIM("", "late", "pass") DKIM("not a name", "x", "pass"), "",
         "aligned=fail/fail|d=d199.example", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *lines = lines_of_many(vectors[i].before, vectors[i].more, vectors[i].after);
        g_autofree char *name = g_strdup_printf("A19, aligned (vector %u)", (guint)i);
        assert_holds(name, lines, vectors[i].wanted);
        if (vectors[i].unwanted != NULL)
            assert_lacks(name, lines, vectors[i].unwanted);
    }
    unit_deviation("A19", !g_test_failed());
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/deviations/schema tags", test_schema_tags);
    g_test_add_func("/deviations/places", test_places);
    g_test_add_func("/deviations/markup in texts", test_markup_in_texts);
    g_test_add_func("/deviations/encodings", test_encodings);
    g_test_add_func("/deviations/values", test_values);
    g_test_add_func("/deviations/many aligned", test_many_aligned);
    return g_test_run();
}
