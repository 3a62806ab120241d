/* What real reporters get wrong, row by row: what must come out of it. X: the XML as such, M:
 * report_metadata, P: policy_published, R: row and policy_evaluated, I: identifiers, A: auth_results. */
#include "collect.h"
#include "unit.h"

#include <stdio.h>

struct deviation {
    const char *row;
    const char *text;
    const char *wanted;   /* parts between '|' */
    const char *unwanted; /* the same, or NULL */
    const struct report_hints *hints;
};

static const struct report_hints file_hint = {.file_name =
                                                  "in/mx.r.example!example.org!1600000000!1600086399.xml"};
static const struct report_hints from_hint = {.from_domain = "mail.r.example"};
static const struct report_hints date_hint = {.date = 1600050000};
static const struct report_hints now_hint = {.now = 1700100000};
static const struct report_hints old_hint = {.now = 1800000000};

#define WHOLE FEEDBACK(META POLICY GOOD_RECORD)
#define GOOD                                                                                                 \
    "record ip=192.0.2.1 count=2 from=example.com disp=none verdict=pass/fail aligned=pass/fail "            \
    "dkim_by=example.com selector=s1;"
#define NO_WARNINGS "warning"
#define BY_DATES(begin, end) FEEDBACK(META_("id1", begin, end) POLICY GOOD_RECORD)
#define BY_META(content)                                                                                     \
    FEEDBACK(                                                                                                \
        "<report_metadata>" content                                                                          \
        "<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>" POLICY   \
            GOOD_RECORD)
#define ORG "<org_name>Reporter</org_name>"
#define MAIL "<email>dmarc@r.example</email>"
#define ID "<report_id>id1</report_id>"
#define BY_POLICY(content) FEEDBACK(META "<policy_published>" content "</policy_published>" GOOD_RECORD)
#define DOMAIN "<domain>example.com</domain>"
#define BY_RECORDS(content) FEEDBACK(META POLICY content)
#define BY_ROW(row) BY_RECORDS(RECORD(row, FROM("example.com"), GOOD_AUTH))
#define BY_EVALUATED(evaluated) BY_ROW(ROW("192.0.2.1", "2", evaluated))
#define BY_IDS(content) BY_RECORDS(RECORD(GOOD_ROW, "<identifiers>" content "</identifiers>", GOOD_AUTH))
#define BY_AUTH(content) BY_RECORDS(RECORD(GOOD_ROW, FROM("example.com"), AUTH(content)))
#define FROM_ELEMENT "<header_from>example.com</header_from>"

static const struct deviation xml[] = {
    {"X1", WHOLE, "head |" GOOD "|end seen=1;|ok", NO_WARNINGS, NULL},
    {"X2", "<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>" WHOLE, GOOD "|ok", NO_WARNINGS, NULL},
    {"X2",
     "<?xml version=\"1.0\" encoding=\"windows-1252\"?>" BY_META(
         "<org_name>Caf\xe9 \x93X\x94</org_name>" MAIL ID),
     "org=Caf\xc3\xa9 \xe2\x80\x9cX\xe2\x80\x9d|" GOOD, NO_WARNINGS, NULL},
    {"X2", "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?>" BY_META("<org_name>\xb1</org_name>" MAIL ID),
     "org=\xc4\x85|" GOOD, NO_WARNINGS, NULL},
    {"X3", "\xef\xbb\xbf<?xml version=\"1.0\"?>" WHOLE, GOOD, NO_WARNINGS, NULL},
    {"X3", " \r\n\t<?xml version=\"1.0\"?>" WHOLE, GOOD "|warning xml_lead:1|ok", NULL, NULL},
    {"X3", "\xef\xbb\xbf\n <?xml version=\"1.0\"?>" WHOLE, GOOD "|warning xml_lead:1|ok", NULL, NULL},
    {"X3", "\r\n\xef\xbb\xbf\xef\xbb\xbf<?xml version=\"1.0\"?>" WHOLE, GOOD "|warning xml_lead:1|ok", NULL,
     NULL},
    {"X3", "\x01\x02\n<?xml version=\"1.0\"?>" WHOLE, GOOD "|warning xml_lead:1|ok", NULL, NULL},
    {"X3", "Your report:\n<?xml version=\"1.0\"?>" WHOLE, GOOD "|warning xml_lead:1|ok", NULL, NULL},
    {"X4", "<feedback><xs:schema targetNamespace=\"x\">" META POLICY GOOD_RECORD "</feedback>",
     GOOD "|warning xml_schema_tag:1|ok", "damaged_row|xml_recover", NULL},
    {"X5",
     "<n:feedback "
     "xmlns:n=\"http://dmarc.org/dmarc-xml/0.1\"><n:report_metadata><n:org_name>A</n:org_name>" MAIL ID
     "<date_range><n:begin>1700000000</n:begin><end>1700086399</end></date_range></n:report_metadata>" POLICY
         GOOD_RECORD "</n:feedback>",
     "uri=http://dmarc.org/dmarc-xml/0.1 org=A|" GOOD, NO_WARNINGS, NULL},
    {"X5", "<x:feedback>" META POLICY GOOD_RECORD "</x:feedback>", GOOD "|ok", NO_WARNINGS, NULL},
    {"X6",
     BY_META("<org_name>Sue\xf1o \x91"
             "a\x92</org_name>" MAIL ID),
     "org=Sue\xc3\xb1o \xe2\x80\x98"
     "a\xe2\x80\x99|" GOOD "|warning encoding:1|ok",
     "xml_recover", NULL},
    /* Where some of it is UTF-8, that stays. */
    {"X6", BY_META("<org_name>\xc3\xb1\xf1</org_name>" MAIL ID), "org=\xc3\xb1\xc3\xb1 |warning encoding:1",
     NULL, NULL},
    {"X7", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" WHOLE, GOOD "|warning encoding:1|ok", NULL, NULL},
    {"X7",
     "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" BY_META("<org_name>Caf\xc3\xa9</org_name>" MAIL ID),
     "org=Caf\xc3\xa9|" GOOD "|warning encoding:1|ok", NULL, NULL},
    {"X7", "<?xml version=\"1.0\" encoding=\"x-nonsense\"?>" WHOLE, GOOD "|warning encoding:1|ok", NULL,
     NULL},
    {"X8",
     BY_META("<org_name>A\x01"
             "B\x1b[2J</org_name>" MAIL ID),
     "org=A\xef\xbf\xbd"
     "B\xef\xbf\xbd[2J|" GOOD "|warning xml_ctrl:1|ok",
     "xml_recover", NULL},
    {"X8", BY_META("<org_name>A\xef\xbf\xbe</org_name>" MAIL ID), "org=A\xef\xbf\xbd |warning xml_ctrl:1",
     NULL, NULL},
    /* A control character inside of a verdict makes no pass of it. */
    {"X8", BY_EVALUATED(EVALUATED("none", "pa\x02ss", "fail")), "verdict=fail/fail|warning pe_val:1",
     "verdict=pass", NULL},
    {"X9", BY_META(ORG "<email><bad-xml@bad-xml.net></email>" ID),
     "email=<bad-xml@bad-xml.net> |reporter=bad-xml.net|" GOOD "|warning xml_recover:1|ok", "damaged_row",
     NULL},
    {"X9", BY_META("<org_name>A & B <C> &D;</org_name>" MAIL ID),
     "org=A & B <C> &D; |" GOOD "|warning xml_recover:1", NULL, NULL},
    {"X9",
     BY_AUTH("<dkim><domain>example.com</domain><result>pass</result><human_result>bad <selector> \"s\" & x "
             "> y</human_result></dkim>"),
     "human=bad <selector> \"s\" & x > y;|aligned=pass/fail|warning xml_recover", "damaged_row", NULL},
    /* Nothing of what came out may have been glued together: the record goes, with a warning. */
    {"X9",
     FEEDBACK(META POLICY RECORD(ROW("192.0.2.9", "5", "<policy_evaluated><dkim>pass</policy_evaluated>"),
                                 FROM("example.com"), "") GOOD_RECORD),
     GOOD "|end seen=2;|warning xml_recover|warning damaged_row:1", "192.0.2.9", NULL},
    {"X9", FEEDBACK(META POLICY "<record><row><source_ip>192.0.2.9</source_ip><count>1</count>" GOOD_RECORD),
     GOOD "|end seen=2;|warning damaged_row:1", "192.0.2.9", NULL},
    {"X9", BY_EVALUATED("<policy_evaluated><dkim>pa<b>ss</dkim><spf>pass</x></spf></policy_evaluated>"),
     "verdict=fail/fail", "verdict=pass|/pass", NULL},
    {"X9", BY_EVALUATED("<policy_evaluated><dkim>pa<xs:schema>ss</dkim><spf>fail</spf></policy_evaluated>"),
     "verdict=fail/fail", NULL, NULL},
    /* Too little of it: no metadata, or no record with an address. */
    {"X9", FEEDBACK(POLICY "a & b" GOOD_RECORD), "refused code=no_period", NULL, NULL},
    {"X9", BY_ROW("<source_ip>a & b</source_ip>"), "abandoned|refused code=xml", "end seen", NULL},
    {"X9", BY_META("<org_name>A &amp; B &#x43; & D</org_name>" MAIL ID),
     "org=A & B C & D |" GOOD "|warning xml_recover:1", NULL, NULL},
    {"X10", BY_META("<org_name>A&nbsp;B&eacute;</org_name>" MAIL ID),
     "org=A&nbsp;B&eacute; |" GOOD "|warning xml_recover:1", NULL, NULL},
    {"X11", BY_POLICY(DOMAIN "<p>none</p><sp>reject</sp>11"), "sp=reject|" GOOD "|warning stray_text:1|ok",
     NULL, NULL},
    {"X12", WHOLE "\r\n\t <!-- bye --> <?done?>\n", GOOD "|ok", NO_WARNINGS, NULL},
    {"X12", WHOLE "garbage", GOOD "|warning xml_trail:1|ok", NULL, NULL},
    {"X12", WHOLE "<html><body>Your<br>disclaimer</body>", GOOD "|warning xml_trail:1|ok", NULL, NULL},
    {"X12",
     WHOLE "<?xml version=\"1.0\"?>" FEEDBACK(META_("id2", "1700000000", "1700086399") POLICY GOOD_RECORD),
     "id=id1|warning xml_trail:1|id=id2|ok", "refused|abandoned", NULL},
    {"X12", FEEDBACK(META POLICY GOOD_RECORD "<bad &>") WHOLE, "abandoned|id=id1|warning xml_recover|ok",
     NULL, NULL},
    {"X12", WHOLE "<!DOCTYPE html><html>&nbsp;</html>", GOOD "|warning xml_trail:1|ok", "refused", NULL},
    {"X13",
     "<feedback>" META POLICY GOOD_RECORD
     "<record><row><source_ip>192.0.2.9</source_ip><count>7</count>" EVALUATED("none", "pass", "pass"),
     GOOD "|end seen=2 incomplete;|warning truncated:1|ok", "192.0.2.9|xml_recover", NULL},
    {"X13", "<feedback>" META POLICY GOOD_RECORD, GOOD "|end seen=1 incomplete;|ok", NULL, NULL},
    {"X13", "<feedback>" META POLICY "<record><row><source_ip>192.0.2.9</sou", "refused code=truncated",
     "end seen", NULL},
    {"X13", "<feedback>" META "a & b" POLICY GOOD_RECORD "<record><row>",
     GOOD "|end seen=2 incomplete;|warning xml_recover|ok", NULL, NULL},
    {"X14", "<!DOCTYPE feedback [<!ENTITY a \"pass\">]>" BY_EVALUATED(EVALUATED("none", "&a;", "fail")),
     "refused code=doctype", "head", NULL},
    {"X14", "<?xml version=\"1.0\"?><!DOCTYPE feedback SYSTEM \"file:///etc/passwd\">" WHOLE,
     "refused code=doctype", "head", NULL},
    {"X14", "x<!DOCTYPE feedback>" WHOLE, "refused code=doctype", "head", NULL},
    {"X15",
     FEEDBACK("<report_metadata>" ORG MAIL ID "<date_range><begin> 1700000000\t</begin>\r\n<end>1700086399 "
              "</end></date_range></report_metadata>" POLICY RECORD(
                  ROW("192.0.2.1 ", "\n2\n", EVALUATED(" none", "pass ", "\tfail")), FROM(" example.com "),
                  GOOD_AUTH)),
     "period=1700000000-1700086399|" GOOD, NO_WARNINGS, NULL},
    {"X16", "<Feedback>" META POLICY GOOD_RECORD "</Feedback>", GOOD "|warning case:1", NULL, NULL},
    {"X16", "<reports><report>" WHOLE WHOLE "</report></reports>", GOOD "|ok", NO_WARNINGS, NULL},
    {"X16", "<a><b><c>" WHOLE "</c></b></a>", "refused code=no_root", "head", NULL},
    {"X16", "<html><body>hello</body></html>", "refused code=no_root", NULL, NULL},
    {"X16", "", "refused code=empty", NULL, NULL},
    {"X16", "no XML at all", "refused code=no_root", NULL, NULL},
    {"X17",
     FEEDBACK(
         "<Report-Metadata><ORG_NAME>Reporter</ORG_NAME>" MAIL ID
         "<date_range><begin>1700000000</begin><end>1700086399</end></date_range></Report-Metadata>" POLICY
             GOOD_RECORD),
     "org=Reporter|" GOOD "|warning case:2", NULL, NULL},
    {"X18", BY_META("<org_name>A<!-- x -->B<![CDATA[<C> & D]]><?pi x?>E</org_name>" MAIL ID),
     "org=AB<C> & DE |" GOOD, NO_WARNINGS, NULL},
    {"X19",
     BY_META(
         ORG MAIL
         "<extra_contact_info lang=\"de\">Post</extra_contact_info><error xml:lang=\"en\">none</error>" ID),
     "contact=Post error=none|" GOOD, NO_WARNINGS, NULL},
    {"X20",
     FEEDBACK(META META_("id2", "1", "2") POLICY
              "<policy_published><domain>other.example</domain></policy_published>" GOOD_RECORD),
     "id=id1|period=1700000000-|domain=example.com|" GOOD "|warning multi:2", "id2|other.example", NULL},
    {"X20",
     BY_RECORDS("<record>" GOOD_ROW ROW("192.0.2.9", "9", "") FROM("example.com") GOOD_AUTH "</record>"),
     GOOD "|warning multi:1", "192.0.2.9", NULL},
    {"X20",
     BY_ROW("<source_ip>192.0.2.1</source_ip>" ROW("192.0.2.1", "2", EVALUATED("none", "pass", "fail"))),
     GOOD, NULL, NULL},
    {"X21",
     FEEDBACK(META POLICY_("<version_published>1</version_published><t>n</t><t>n</t><psd>n</psd>")
                  GOOD_RECORD),
     GOOD "|warning unknown_elem:4|ok", NULL, NULL},
};

static const struct deviation metadata[] = {
    {"M1", WHOLE, GOOD, "version=|" NO_WARNINGS, NULL},
    {"M2", FEEDBACK("<version>0.1</version>" META POLICY GOOD_RECORD), "version=0.1|" GOOD, NO_WARNINGS,
     NULL},
    {"M2", FEEDBACK("<version>draft two</version>" META POLICY GOOD_RECORD), "version=draft two|" GOOD,
     NO_WARNINGS, NULL},
    {"M3", BY_META("<org_name/>" MAIL ID), "org=r.example|reporter=r.example|warning org:1", NULL, NULL},
    {"M3", BY_META(ID), "org=mail.r.example|reporter=mail.r.example|warning org:1|warning email:1", NULL,
     &from_hint},
    {"M3", BY_META(ID), "org=mx.r.example|reporter=mx.r.example|warning org:1|warning from_filename:1", NULL,
     &file_hint},
    {"M3", BY_META(ID), "reporter= |warning org:1", "org=", NULL},
    {"M4", BY_META("<org_name> &quot;Back\"  </org_name><email>a@Sub.R.Example</email>" ID),
     "org=\"Back\" |reporter=sub.r.example", NO_WARNINGS, NULL},
    {"M5", BY_META("<org_name>Big ISP</org_name>" ID), "reporter=big isp|warning email:1", NULL, NULL},
    {"M5", BY_META(ORG "<email>Reports &lt;a@r.example&gt;, b@s.example</email>" ID),
     "email=Reports <a@r.example>, b@s.example|reporter=r.example|warning email:1", NULL, NULL},
    {"M6", BY_META(ORG MAIL "<report_id/>"), "id=|warning no_id:1|" GOOD, "id= ", NULL},
    {"M7", BY_META(ORG MAIL "<report_id> &lt; a{b} c@host &gt; </report_id>"),
     "id=a{b} c@host reporter=|" GOOD, NO_WARNINGS, NULL},
    /* Whether a report_id is unique, and what comes twice, is for the database to tell: all of it comes out
       here. */
    {"M8", "<r>" WHOLE FEEDBACK(META_("id1", "1700086400", "1700172799") POLICY GOOD_RECORD) "</r>",
     "id=id1 reporter=r.example period=1700000000-|id=id1 reporter=r.example period=1700086400-|ok",
     NO_WARNINGS, NULL},
    {"M9", "<r>" WHOLE BY_META(ORG "<email>a@other.example</email>" ID) "</r>",
     "id=id1 reporter=r.example|id=id1 reporter=other.example", NO_WARNINGS, NULL},
    {"M10",
     "<r>" WHOLE BY_RECORDS(RECORD(ROW("192.0.2.7", "7", EVALUATED("none", "pass", "fail")),
                                   FROM("example.com"), GOOD_AUTH)) "</r>",
     GOOD "|record ip=192.0.2.7 count=7", NO_WARNINGS, NULL},
    {"M11", "<r>" WHOLE WHOLE "</r>", GOOD "|ok", NO_WARNINGS, NULL},
    {"M12",
     FEEDBACK("<report_metadata><date_range><end>1700086399</end><begin>1700000000</begin></date_range>" ID
                  MAIL ORG "</report_metadata>" POLICY GOOD_RECORD),
     "org=Reporter|id=id1|period=1700000000-1700086399|" GOOD, NO_WARNINGS, NULL},
    {"M12", FEEDBACK(GOOD_RECORD POLICY META), "org=Reporter|" GOOD, NO_WARNINGS, NULL},
    {"M13", BY_META(ORG MAIL "<error>one</error><error>two</error>" ID), "error=one; two|" GOOD, NO_WARNINGS,
     NULL},
    {"M14", BY_META(ORG MAIL "<extra_contact_info/>" ID), "contact= |" GOOD, NO_WARNINGS, NULL},
    {"M15", BY_DATES("1700000000.7", " 1700086399 "),
     "period=1700000000-1700086399|raw begin=1700000000.7|warning date:1", NULL, NULL},
    {"M15", BY_DATES("soon", "-1"), "period=1600000000-1600086399|warning date:2|warning from_filename:1",
     NULL, &file_hint},
    {"M15", BY_DATES("soon", ""), "period=1599955200-1600041599|warning date:3", NULL,
     &(const struct report_hints){.date = 1600000000}},
    {"M15", BY_DATES("", ""), "period=1600041600-1600127999|", NULL, &date_hint},
    {"M15", BY_DATES("soon", "never"), "refused code=no_period", "head", NULL},
    {"M15", BY_DATES("-5", "-1"), "refused code=no_period", "head", NULL},
    /* One known end tells the day; that is better than to lose the report. */
    {"M15", BY_DATES("1700000000", ""), "period=1700000000-1700000000|warning date:2|warning date_zero:1",
     NULL, NULL},
    /* Zeros are numbers: taken when nothing better is there. */
    {"M15", BY_DATES("0", "0"), "period=0-0|warning date:1", NULL, NULL},
    {"M15", BY_DATES("0", "0"), "period=1600000000-1600086399|warning from_filename:1", NULL, &file_hint},
    {"M15", BY_DATES("0", "86400"), "period=0-86400|", NO_WARNINGS, NULL},
    {"M15", BY_DATES("1.7E9", "1.700086399E9"), "period=1700000000-1700086399|raw begin=1.7E9|warning date:2",
     "date_ms", NULL},
    /* In nobody knows whose zone: the file name knows better, but the day of the mail is another one. */
    {"M15", BY_DATES("2023-11-14T22:13:20", "2023-11-15"),
     "period=1700000000-1700006400|raw end=2023-11-15|warning date_zone:2", "date:", &date_hint},
    {"M15", BY_DATES("2020-09-13T20:26:40", "2020-09-14T20:26:39"),
     "period=1600000000-1600086399|warning date:2|warning from_filename:1", "date_zone", &file_hint},
    {"M15", BY_DATES("1.60002e+09", "1.60009E9"),
     "period=1600000000-1600086399|raw begin=1.60002e+09|warning date:2|warning from_filename:1", NULL,
     &file_hint},
    /* No zone makes years of difference. */
    {"M15", BY_DATES("2023-11-14T22:13:20", "2023-11-15T22:13:19"),
     "period=1700000000-1700086399|warning date_zone:2", "from_filename", &file_hint},
    {"M15", BY_DATES("14 Nov 2023 22:13:20", "1.700086399E9"),
     "period=1700000000-1700086399|warning date:1|warning date_zone:1", "from_filename", &file_hint},
    {"M16", BY_DATES("1700086399", "1700000000"), "period=1700000000-1700086399|warning date_swap:1", NULL,
     NULL},
    {"M17", BY_DATES("1538413632", "1538413632"), "period=1538413632-1538413632|warning date_zero:1|" GOOD,
     NULL, NULL},
    {"M18", BY_DATES("1700000000", "1700018000"), GOOD, NO_WARNINGS, NULL},
    {"M18", BY_DATES("1700000000", "1700691200"), GOOD, NO_WARNINGS, NULL},
    {"M18", BY_DATES("1700000000", "1700691201"), GOOD "|warning date_long:1|ok", NULL, NULL},
    {"M19", BY_DATES("1700000000000", "1700086399000000"), "period=1700000000-1700086399|warning date_ms:2",
     NULL, NULL},
    {"M19", BY_DATES("2023-11-14T22:13:20Z", "2023-11-15T23:13:19+01:00"),
     "period=1700000000-1700086399|warning date_ms:2", NULL, NULL},
    {"M20", BY_DATES("1700000000", "1700086399"), GOOD, NO_WARNINGS, &now_hint},
    {"M20", BY_DATES("1700000000", "1700086399"), GOOD "|warning date_odd:1|ok", NULL, &old_hint},
    {"M20", BY_DATES("1700300000", "1700386399"), GOOD "|warning date_odd:1|ok", NULL, &now_hint},
    {"M21", "<r>" WHOLE BY_DATES("1700043200", "1700129599") "</r>",
     "period=1700000000-|period=1700043200-|ok", NO_WARNINGS, NULL},
};

static const struct deviation policy[] = {
    {"P1", WHOLE, GOOD, "fo=|" NO_WARNINGS, NULL},
    {"P1", BY_POLICY(DOMAIN "<p>none</p><fo>0:1:d</fo>"), "fo=0:1:d|" GOOD, NO_WARNINGS, NULL},
    {"P2", WHOLE, "p=none|" GOOD, " sp=|" NO_WARNINGS, NULL},
    {"P3", BY_POLICY(DOMAIN "<p>none</p><sp/><adkim/><aspf></aspf><pct/>"),
     "p=none pct=-1;|raw sp=|raw adkim=|warning policy_val:4|" GOOD, " sp=n", NULL},
    {"P4", WHOLE, "aligned=pass", "adkim=|aspf=", NULL},
    {"P5", BY_POLICY(DOMAIN "<adkim>unknown</adkim><aspf>unknown</aspf><p>unknown</p><sp>unknown</sp>"),
     "raw adkim=unknown|raw p=unknown|warning policy_val:4|" GOOD, "com p=| adkim=r", NULL},
    {"P6", BY_POLICY(DOMAIN "<adkim>relaxed</adkim><aspf>Strict</aspf><p>None</p><sp> quarantine</sp>"),
     "p=none sp=quarantine adkim=r aspf=s|raw adkim=relaxed|raw p=None|warning policy_val:3", NULL, NULL},
    {"P7", BY_POLICY(DOMAIN), "domain=example.com pct=-1;|warning no_p:1|" GOOD, " p=", NULL},
    /* What a reporter says of sp is kept as its word, and nothing is concluded from it. */
    {"P8", BY_POLICY(DOMAIN "<p>reject</p><sp>none</sp>"), "p=reject sp=none", "policy_val", NULL},
    {"P9", BY_POLICY(DOMAIN "<p>none</p><pct>101</pct>"), "pct=-1;|raw pct=101|warning policy_val:1", NULL,
     NULL},
    {"P9", BY_POLICY(DOMAIN "<p>none</p><pct>-1</pct>"), "pct=-1;|raw pct=-1|warning policy_val:1", NULL,
     NULL},
    {"P9", BY_POLICY(DOMAIN "<p>none</p><pct>all</pct>"), "pct=-1;|warning policy_val:1", NULL, NULL},
    {"P9", BY_POLICY(DOMAIN "<p>none</p><pct>100</pct>"), "generation=7489|pct=100;", NO_WARNINGS, NULL},
    {"P10", BY_POLICY("<domain> Example.COM. </domain><p>none</p>"), "domain=example.com|" GOOD, NO_WARNINGS,
     NULL},
    {"P10",
     BY_POLICY("<domain>B\xc3\xbc"
               "cher.example</domain><p>none</p>"),
     "domain=xn--bcher-kva.example", "domain_form", NULL},
    {"P10", BY_POLICY("<domain>postmaster@example.com</domain><p>none</p>"),
     "domain=example.com|raw domain=postmaster@example.com|warning domain_form:1|" GOOD, NULL, NULL},
    {"P10",
     FEEDBACK(META "<policy_published><domain/><p>none</p></policy_published>" RECORD(
         GOOD_ROW, FROM("a.b.example.com"), GOOD_AUTH)),
     "domain=example.com|warning no_domain:1|from=a.b.example.com", NULL, NULL},
    {"P10", FEEDBACK(META "<policy_published><domain>two words</domain></policy_published>"),
     "domain=example.org|warning no_domain:1|warning domain_form:1", NULL, &file_hint},
    {"P10", FEEDBACK(META), "refused code=no_domain", "head", NULL},
    {"P11", FEEDBACK(META POLICY RECORD(GOOD_ROW, FROM("news.example.com"), GOOD_AUTH)),
     "domain=example.com|from=news.example.com|aligned=pass", "from_outside", NULL},
    {"P12", BY_POLICY(DOMAIN "<p>none</p><np>reject</np><pct>100</pct>"), "generation=7489|np=reject",
     NO_WARNINGS, NULL},
    {"P13", BY_POLICY("<p>none</p>" DOMAIN "<p>reject</p><domain>other.example</domain>"),
     "domain=example.com p=none|warning multi:2", "other.example|p=reject", NULL},
    /* Which domains are ours is not known here: the report comes out, and the run tells. */
    {"P14",
     FEEDBACK(META "<policy_published><domain>customer.example</domain><p>none</p></policy_published>" RECORD(
         GOOD_ROW, FROM("customer.example"), "")),
     "domain=customer.example|from=customer.example|ok", "refused", NULL},
};

static const struct deviation records[] = {
    {"R1", FEEDBACK(META POLICY), "head |end seen=0;|warning no_records:1|ok", "record ip", NULL},
    {"R2",
     BY_RECORDS(RECORD(ROW("", "0", EVALUATED("none", "fail", "fail")), "<identifiers/>", "<auth_results/>")
                    GOOD_RECORD),
     GOOD "|end seen=2;|warning null_row:1|ok", "ip=-", NULL},
    {"R2", BY_RECORDS("<record/>" GOOD_RECORD), GOOD "|end seen=2;|warning null_row:1", "ip=-", NULL},
    {"R3", BY_ROW("<row><count>3</count>" EVALUATED("none", "pass", "fail") "</row>"),
     "record ip=- count=3|verdict=pass/fail|warning no_ip:1", "null_row", NULL},
    {"R4", BY_ROW(ROW("X.X.X.X", "3", EVALUATED("none", "pass", "fail"))),
     "record ip=- text=X.X.X.X count=3|warning ip_masked:1", "no_ip", NULL},
    {"R5", BY_ROW(ROW(" ::1 ", "1", EVALUATED("none", "pass", "fail"))), "record ip=::1 count=1", NO_WARNINGS,
     NULL},
    {"R5", BY_ROW(ROW("10.0.0.1", "1", EVALUATED("none", "pass", "fail"))), "record ip=10.0.0.1", NO_WARNINGS,
     NULL},
    {"R5", BY_ROW(ROW("[2001:db8::1]", "1", EVALUATED("none", "pass", "fail"))),
     "record ip=2001:db8::1|raw source_ip=[2001:db8::1]|warning ip_form:1", NULL, NULL},
    {"R5", BY_ROW(ROW("fe80::1%eth0", "1", EVALUATED("none", "pass", "fail"))),
     "record ip=fe80::1|warning ip_form:1", NULL, NULL},
    {"R5", BY_ROW(ROW("::ffff:192.0.2.1", "1", EVALUATED("none", "pass", "fail"))),
     "record ip=192.0.2.1|warning ip_form:1", NULL, NULL},
    {"R5", BY_ROW(ROW("mail.example.com", "1", EVALUATED("none", "pass", "fail"))),
     "record ip=- text=mail.example.com|warning no_ip:1", NULL, NULL},
    {"R6", BY_ROW(ROW("2001:0DB8:0:0:0:0:0:1", "1", EVALUATED("none", "pass", "fail"))),
     "record ip=2001:db8::1", NO_WARNINGS, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "", EVALUATED("none", "pass", "fail"))), "count=1 |warning count:1", NULL,
     NULL},
    {"R7", BY_ROW("<row><source_ip>192.0.2.1</source_ip>" EVALUATED("none", "pass", "fail") "</row>"),
     "count=1 |warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "many", EVALUATED("none", "pass", "fail"))),
     "count=1 |raw count=many|warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "0", EVALUATED("none", "pass", "fail"))), "record ip=192.0.2.1 count=0",
     NO_WARNINGS, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "3.0", EVALUATED("none", "pass", "fail"))),
     "count=3 |raw count=3.0|warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "1e+06", EVALUATED("none", "pass", "fail"))),
     "count=1000000 |raw count=1e+06|warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "1,234,567", EVALUATED("none", "pass", "fail"))),
     "count=1234567 |raw count=1,234,567|warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "12,34", EVALUATED("none", "pass", "fail"))),
     "count=1 |raw count=12,34|warning count:1", NULL, NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "0,500", EVALUATED("none", "pass", "fail"))),
     "count=1 |raw count=0,500|warning count:1", NULL, NULL},
    {"R7",
     BY_RECORDS(RECORD(ROW("192.0.2.9", "1e30", ""), FROM("example.com"), "")
                    RECORD(ROW("192.0.2.9", "-1,234", ""), FROM("example.com"), "") GOOD_RECORD),
     GOOD "|warning bad_count:2", "192.0.2.9", NULL},
    {"R7", BY_ROW(ROW("192.0.2.1", "4294967296", EVALUATED("none", "pass", "fail"))), "count=4294967296 ",
     NO_WARNINGS, NULL},
    {"R7", BY_RECORDS(RECORD(ROW("192.0.2.9", "-4", ""), FROM("example.com"), "") GOOD_RECORD),
     GOOD "|end seen=2;|warning bad_count:1", "192.0.2.9", NULL},
    /* Ten million records of this size would overflow the sums of honest reports. */
    {"R7",
     BY_RECORDS(RECORD(ROW("192.0.2.9", "9223372036854775807", ""), FROM("example.com"), "") GOOD_RECORD),
     GOOD "|warning bad_count:1", "192.0.2.9", NULL},
    {"R8", BY_RECORDS(GOOD_RECORD GOOD_RECORD GOOD_RECORD), GOOD "|end seen=3;", NO_WARNINGS, NULL},
    {"R9", BY_RECORDS(GOOD_RECORD GOOD_RECORD),
     GOOD "\n  dkim d=example.com s=s1 result=pass;\n  spf d=example.net scope=mfrom result=pass;\n" GOOD,
     NO_WARNINGS, NULL},
    {"R10", BY_ROW(ROW("192.0.2.1", "2", "")), "verdict=pass/fail computed aligned=pass/fail|warning no_pe:1",
     "disagree", NULL},
    {"R10", BY_RECORDS(RECORD("", FROM("example.com"), GOOD_AUTH)),
     "record ip=- count=1|verdict=pass/fail computed|warning no_pe:1|warning no_ip:1|warning count:1", NULL,
     NULL},
    {"R11", BY_EVALUATED("<policy_evaluated><disposition>none</disposition></policy_evaluated>"),
     "disp=none verdict=pass/fail computed|warning pe_part:1", "no_pe", NULL},
    {"R11", BY_EVALUATED("<policy_evaluated><dkim>fail</dkim></policy_evaluated>"),
     "verdict=fail/fail computed aligned=pass/fail|disagree|warning pe_part:1", NULL, NULL},
    {"R12", BY_EVALUATED(EVALUATED("pass", "pass", "fail")), "disp=pass", NO_WARNINGS, NULL},
    {"R13", BY_EVALUATED(EVALUATED("softfail", "pass", "fail")),
     "verdict=pass/fail|raw disposition=softfail|warning disp:1", "disp=s", NULL},
    {"R13", BY_EVALUATED(EVALUATED("None", "pass", "fail")), "disp=none|raw disposition=None|warning disp:1",
     NULL, NULL},
    {"R13", BY_EVALUATED(EVALUATED(" quarantine", "fail", "fail")), "disp=quarantine", "warning disp:", NULL},
    {"R14", BY_EVALUATED(EVALUATED("none", "Pass", "unknown")),
     "verdict=pass/fail|raw dkim=Pass|raw spf=unknown|warning pe_val:2", "disagree", NULL},
    {"R14", BY_EVALUATED(EVALUATED("none", "", "softfail")),
     "verdict=fail/fail|raw spf=softfail|warning pe_val:2", NULL, NULL},
    {"R15",
     BY_EVALUATED("<policy_evaluated><dkim>pass</dkim><spf>fail</spf><reason> sampled_out "
                  "</reason></policy_evaluated>"),
     "  reason type=sampled_out;|warning reason:1", "stray_text", NULL},
    {"R16",
     BY_EVALUATED("<policy_evaluated><dkim>pass</dkim><spf>fail</spf><reason><type></type><comment></"
                  "comment></reason></policy_evaluated>"),
     "verdict=pass/fail aligned|warning reason:1", "  reason", NULL},
    {"R17",
     BY_EVALUATED("<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</"
                  "spf><reason><type>local_policy</type><comment>arc=fail as[1].d=x "
                  "client-ip[1]=192.0.2.1</comment></reason></policy_evaluated>"),
     "  reason type=local_policy comment=arc=fail as[1].d=x client-ip[1]=192.0.2.1;", NO_WARNINGS, NULL},
    {"R18",
     BY_EVALUATED("<policy_evaluated><dkim>pass</dkim><spf>fail</spf><reason><type>arc</type></"
                  "reason><reason><type>Mailing_List</type></reason></policy_evaluated>"),
     "  reason type=other sent=arc;|  reason type=mailing_list sent=Mailing_List;", NULL, NULL},
    {"R19",
     BY_EVALUATED("<policy_evaluated><dkim>pass</dkim><spf>fail</spf><reason><type>forwarded</type></"
                  "reason><reason><type>other</type><comment>a &lt; b</comment></reason></policy_evaluated>"),
     "  reason type=forwarded;|  reason type=other comment=a < b;", NO_WARNINGS, NULL},
    {"R20", BY_EVALUATED(EVALUATED("reject", "pass", "fail")), "disp=reject|warning disp_conflict:1", NULL,
     NULL},
    {"R20",
     FEEDBACK(META "<policy_published>" DOMAIN "<p>reject</p></policy_published>" RECORD(
         ROW("192.0.2.1", "1", EVALUATED("none", "fail", "fail")), FROM("example.com"), "")),
     "warning disp_conflict:1", NULL, NULL},
    {"R20",
     FEEDBACK(META "<policy_published>" DOMAIN "<p>reject</p><testing>y</testing></policy_published>" RECORD(
         ROW("192.0.2.1", "1", EVALUATED("none", "fail", "fail")), FROM("example.com"), "")),
     "testing=y", "disp_conflict", NULL},
    {"R21", BY_EVALUATED(EVALUATED("none", "fail", "fail")),
     "verdict=fail/fail aligned=pass/fail|disagree|warning align_conflict:1", NULL, NULL},
    {"R21", BY_EVALUATED(EVALUATED("none", "pass", "pass")),
     "verdict=pass/pass aligned=pass/fail|disagree|warning align_conflict:1", NULL, NULL},
    {"R22", BY_RECORDS(RECORD(GOOD_ROW, FROM("example.org"), GOOD_AUTH)),
     "from=example.org|warning from_outside:1", NULL, NULL},
    {"R22", BY_RECORDS(RECORD(GOOD_ROW, FROM("badexample.com"), GOOD_AUTH)),
     "from=badexample.com|warning from_outside:1", NULL, NULL},
};

static const struct deviation identifiers[] = {
    {"I1", BY_RECORDS(RECORD(GOOD_ROW, "<identities>" FROM_ELEMENT "</identities>", GOOD_AUTH)),
     GOOD "|warning identities:1", "unknown_elem", NULL},
    {"I2", WHOLE, GOOD, "envelope_from", NULL},
    {"I3", BY_IDS("<envelope_from/>" FROM_ELEMENT), "envelope_from= disp", NO_WARNINGS, NULL},
    {"I4",
     BY_IDS("<envelope_from>&lt;Bob@Mail.Example.NET.&gt;</envelope_from><header_from>user@Example.com</"
            "header_from>"),
     "from=example.com envelope_from=mail.example.net|raw header_from=user@Example.com|warning addr_form:2",
     NULL, NULL},
    {"I4", BY_IDS("<header_from> EXAMPLE.com. </header_from>"), GOOD, NO_WARNINGS, NULL},
    {"I5", BY_IDS(""), "from=example.com|aligned=pass|warning no_from:1", NULL, NULL},
    {"I5", BY_IDS("<header_from/>"), "from=example.com|warning no_from:1", NULL, NULL},
    {"I6", BY_IDS("<header_from>example.com, example.org</header_from>"),
     "from=example.com|raw header_from=example.com, example.org|warning multi_from:1", NULL, NULL},
    {"I6", BY_IDS("<header_from>a@example.com;b@example.org</header_from>"),
     "from=example.com|warning multi_from:1", NULL, NULL},
    {"I7",
     BY_IDS("<header_from>b\xc3\xbc"
            "cher.example.com</header_from>"),
     "from=xn--bcher-kva.example.com", "bad_name", NULL},
    {"I7", BY_IDS("<header_from>_x.Example.com</header_from>"), "from=_x.example.com", NO_WARNINGS, NULL},
    {"I7", BY_IDS("<header_from>a..b</header_from>"), "from=a..b|aligned=fail/fail|warning bad_name:1", NULL,
     NULL},
    /* What is no name aligns with nothing, not even with itself. */
    {"I7", BY_RECORDS(RECORD(GOOD_ROW, FROM("a..b"), AUTH(DKIM("a..b", "s", "pass")))), "aligned=fail/fail",
     NULL, NULL},
    {"I8", BY_IDS("<envelope_to>rcpt.example</envelope_to>" FROM_ELEMENT), "envelope_to=rcpt.example",
     "envelope_from|" NO_WARNINGS, NULL},
};

static const struct deviation auth[] = {
    {"A1", BY_RECORDS(RECORD(GOOD_ROW, FROM("example.com"), "<auth_results/>")),
     "aligned=fail/fail|disagree|warning auth_empty:1", "  dkim|  spf", NULL},
    {"A1",
     "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">" META POLICY RECORD(
         GOOD_ROW, FROM("example.com"), "<auth_results/>") "</feedback>",
     "generation=9990", "auth_empty", NULL},
    {"A2",
     BY_AUTH(DKIM("example.com", "s1", "pass") "<spf><result>none</result></spf><spf><domain/><scope>mfrom</"
                                               "scope><result>pass</result></spf>"),
     "  spf result=none;|  spf scope=mfrom result=pass;|aligned=pass/fail", NO_WARNINGS, NULL},
    {"A3", BY_AUTH("<spf><domain>mail.example.com</domain><result>pass</result></spf>"),
     "aligned=fail/pass spf_by=mail.example.com|  spf d=mail.example.com result=pass;", "scope", NULL},
    {"A4", BY_AUTH(SPF("example.com", "helo", "pass")),
     "aligned=fail/fail|  spf d=example.com scope=helo result=pass;", "spf_by", NULL},
    {"A5", BY_AUTH(SPF("example.com", "MAIL FROM", "pass")),
     "aligned=fail/pass|scope=mfrom|raw scope=MAIL FROM|warning scope:1", NULL, NULL},
    /* A word for another identity is kept as unknown, and unlike a missing scope it does not count as MAIL
     * FROM: that would be a pass which the report does not hold. */
    {"A5", BY_AUTH(SPF("example.com", "pra", "pass")),
     "aligned=fail/fail|  spf d=example.com result=pass;|raw scope=pra|warning scope:1", NULL, NULL},
    {"A6",
     BY_AUTH("<spf><result>pass</result><domain>example.com</domain></spf><dkim><result>pass</"
             "result><selector>S1</selector><domain>example.com</domain></dkim>"),
     "aligned=pass/pass dkim_by=example.com selector=s1 spf_by=example.com|  dkim d=example.com s=s1 "
     "result=pass;",
     NULL, NULL},
    {"A7", BY_AUTH(SPF("mx.example.net", "helo", "none") SPF("example.com", "mfrom", "pass")),
     "  spf d=mx.example.net scope=helo result=none;|  spf d=example.com scope=mfrom "
     "result=pass;|aligned=fail/pass",
     NULL, NULL},
    {"A8", BY_AUTH("<dkim><domain>example.com</domain><selector/><result>pass</result></dkim>"),
     "  dkim d=example.com result=pass;|aligned=pass", NO_WARNINGS, NULL},
    {"A9", BY_AUTH(DKIM("", "", "none") DKIM("", "", "") DKIM("", "", "fail") DKIM("", "x", "none")),
     "  dkim result=fail;|  dkim s=x result=none;|warning dkim_empty:4", "  dkim result=none", NULL},
    {"A10", BY_AUTH(DKIM("example.com", "s", "none")), "  dkim d=example.com s=s result=none;|aligned=fail",
     "dkim_empty|auth_val", NULL},
    {"A11", BY_AUTH(DKIM("example.com", "s", "hardfail") SPF("example.com", "mfrom", "hardfail")),
     "  dkim d=example.com s=s result=fail sent=hardfail;|  spf d=example.com scope=mfrom result=fail "
     "sent=hardfail;|warning auth_val:2",
     NULL, NULL},
    {"A12", BY_AUTH(SPF("a.example", "mfrom", "unknown") SPF("b.example", "mfrom", "error")),
     "result=temperror sent=unknown;|result=permerror sent=error;|warning auth_val:2", NULL, NULL},
    {"A13", BY_AUTH(DKIM("example.com", "s", "unknown")),
     "result=temperror sent=unknown;|aligned=fail|warning auth_val:1", NULL, NULL},
    {"A14",
     BY_AUTH(DKIM("a.example", "s", "nxdomain") DKIM("b.example", "s", "signed")
                 DKIM("c.example", "s", "discard") DKIM("d.example", "s", "softfail")
                     DKIM("e.example", "s", "policy") SPF("f.example", "mfrom", "nxdomain")),
     "d=a.example s=s result=permerror sent=nxdomain;|d=b.example s=s result=neutral "
     "sent=signed;|d=c.example s=s result=fail sent=discard;|d=d.example s=s result=fail "
     "sent=softfail;|d=e.example s=s result=policy;|scope=mfrom result=none sent=nxdomain;|warning "
     "auth_val:5",
     NULL, NULL},
    {"A15", BY_AUTH(DKIM("example.com", "s", "invalid")), "result=permerror sent=invalid;|warning auth_val:1",
     NULL, NULL},
    {"A16", BY_AUTH(DKIM("example.com", "s", "PASS") SPF("example.com", "mfrom", "perm_error")),
     "aligned=pass/fail|result=pass sent=PASS;|result=permerror sent=perm_error;|warning auth_val:2", NULL,
     NULL},
    {"A16", BY_AUTH(SPF("example.com", "mfrom", "bestguesspass")),
     "aligned=fail/fail|  spf d=example.com scope=mfrom sent=bestguesspass;|warning auth_val:1",
     "result=", NULL},
    {"A17",
     BY_AUTH("<dkim><domain>example.com</domain><result>temperror</result></dkim><dkim><domain>example.com</"
             "domain><result>permerror</result></dkim><spf><domain>example.com</domain><result>none</"
             "result></spf>"),
     "  dkim d=example.com result=temperror;|warning auth_double:1", "permerror", NULL},
    {"A17",
     BY_AUTH(
         "<dkim><domain>example.com</domain><selector/><result>TempError</result></dkim><dkim><domain>"
         "example.com</domain><selector></selector><result>permerror</result></dkim><spf><domain>example.com"
         "</domain><scope/><result>none</result></spf>"),
     "result=temperror sent=TempError;|warning auth_val:1|warning auth_double:1", "permerror", NULL},
    {"A17", BY_AUTH(DKIM("example.com", "s", "temperror") DKIM("example.com", "s", "permerror")),
     "result=temperror;|result=permerror;", "auth_double", NULL},
    {"A18",
     BY_AUTH("<dkim><domain>example.com</domain><result>pass</result><human_result/></"
             "dkim><spf><domain>example.com</domain><result>pass</result><human_result>fine</human_result></"
             "spf>"),
     "result=pass human=;|result=pass human=fine;", NO_WARNINGS ":", NULL},
    {"A20", BY_AUTH(DKIM("@Example.com.", "s", "pass")),
     "  dkim d=example.com s=s result=pass;|aligned=pass|raw dkim.domain=@Example.com.|warning addr_form:1",
     NULL, NULL},
    {"A20",
     BY_AUTH(DKIM("b\xc3\xbc"
                  "cher.example",
                  "s", "pass")),
     "  dkim d=xn--bcher-kva.example s=s", NULL, NULL},
};

static void check(const struct deviation *rows, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const struct deviation *row = &rows[i];
        g_autofree char *name = g_strdup_printf("%s (vector %u)", row->row, (guint)i);
        g_autofree char *lines = collect_text(row->text, row->hints);
        assert_holds(name, lines, row->wanted);
        if (row->unwanted != NULL)
            assert_lacks(name, lines, row->unwanted);
        unit_deviation(row->row, !g_test_failed());
    }
}

static void test_xml(void)
{
    check(xml, G_N_ELEMENTS(xml));
}

static void test_metadata(void)
{
    check(metadata, G_N_ELEMENTS(metadata));
}

static void test_policy(void)
{
    check(policy, G_N_ELEMENTS(policy));
}

static void test_records(void)
{
    check(records, G_N_ELEMENTS(records));
}

static void test_identifiers(void)
{
    check(identifiers, G_N_ELEMENTS(identifiers));
}

static void test_auth(void)
{
    check(auth, G_N_ELEMENTS(auth));
}

/* A19: more than two hundred signatures, and A18: long prose. */
static void test_many(void)
{
    g_autoptr(GString) results = g_string_new(NULL);
    for (int i = 0; i < 250; i++)
        g_string_append_printf(results, "<dkim><domain>d%d.example</domain><result>fail</result></dkim>", i);
    g_autofree char *long_text = g_strnfill(3000, 'x');
    g_string_append_printf(
        results,
        "<spf><domain>example.com</domain><result>pass</result><human_result>%s</human_result></spf>",
        long_text);
    g_autofree char *text =
        g_strconcat("<feedback>" META POLICY "<record>" GOOD_ROW FROM("example.com") "<auth_results>",
                    results->str, "</auth_results></record></feedback>", NULL);
    g_autofree char *lines = collect_text(text, NULL);
    assert_holds("A19", lines, "d=d199.example|warning auth_many:50|aligned=fail/pass|warning text_cut:1|ok");
    assert_lacks("A19", lines, "d=d200.example");
    g_assert_nonnull(strstr(lines, "human=x"));
    g_assert_cmpuint(strspn(strstr(lines, "human=x") + 6, "x"), ==, limits_default.prose_length);
    /* A selector is the choice of who sent the mail, and no reason to lose what others sent. */
    g_autofree char *selector = g_strnfill(5000, 's');
    g_autofree char *signature = g_strconcat("<dkim><domain>example.com</domain><selector>", selector,
                                             "</selector><result>pass</result></dkim>", NULL);
    g_autofree char *endless = g_strconcat("<feedback>" META POLICY GOOD_RECORD
                                           "<record>" GOOD_ROW FROM("example.com") "<auth_results>",
                                           signature, "</auth_results></record></feedback>", NULL);
    g_autofree char *kept = collect_text(endless, NULL);
    assert_holds("I7", kept, "sss(cut)|aligned=pass/fail|warning text_cut:1|ok");
    unit_deviation("A18 A19", !g_test_failed());
}

static gboolean has_row(const struct deviation *rows, gsize n, const char *name)
{
    for (gsize i = 0; i < n; i++)
        if (strcmp(rows[i].row, name) == 0)
            return TRUE;
    return FALSE;
}

/* Every row of the list of deviations has a vector. */
static void test_all_rows(void)
{
    static const struct {
        char letter;
        int last;
        const struct deviation *rows;
        gsize n;
    } kinds[] = {
        {'X', 21, xml, G_N_ELEMENTS(xml)},
        {'M', 21, metadata, G_N_ELEMENTS(metadata)},
        {'P', 14, policy, G_N_ELEMENTS(policy)},
        {'R', 22, records, G_N_ELEMENTS(records)},
        {'I', 8, identifiers, G_N_ELEMENTS(identifiers)},
        {'A', 20, auth, G_N_ELEMENTS(auth)},
    };
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (int i = 1; i <= kinds[k].last; i++) {
            g_autofree char *name = g_strdup_printf("%c%d", kinds[k].letter, i);
            gboolean elsewhere = strcmp(name, "A19") == 0; /* test_many */
            if (!elsewhere && !has_row(kinds[k].rows, kinds[k].n, name))
                g_error("%s has no vector", name);
        }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/deviations/xml", test_xml);
    g_test_add_func("/deviations/metadata", test_metadata);
    g_test_add_func("/deviations/policy", test_policy);
    g_test_add_func("/deviations/records", test_records);
    g_test_add_func("/deviations/identifiers", test_identifiers);
    g_test_add_func("/deviations/auth", test_auth);
    g_test_add_func("/deviations/many", test_many);
    g_test_add_func("/deviations/all rows", test_all_rows);
    return g_test_run();
}
