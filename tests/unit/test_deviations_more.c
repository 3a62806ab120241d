/* More of what real reporters get wrong, row by row: schema tags around a report, elements in another place
 * than the standard's, and results past the most that are kept. */
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
    g_test_add_func("/deviations/many aligned", test_many_aligned);
    return g_test_run();
}
