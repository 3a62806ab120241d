/* Authentication-Results fields as servers write them and as attackers would like them to be read, and what
 * follows for a report. */
#include "parser/authres.h"
#include "parser/trust.h"
#include "tests/unit/unit.h"

#include <string.h>

/* "id: method=result name=value ...; ..." or "bad id". */
static char *rendered(const char *field)
{
    struct authres authres;
    GString *out = g_string_new(NULL);
    gboolean whole = authres_parse(field, &authres);
    if (!whole) {
        g_assert_cmpuint(authres.results->len + authres.properties->len, ==, 0);
        g_string_append(out, "bad ");
    }
    g_string_append(out, authres.authserv_id ? authres.authserv_id : "-");
    for (guint i = 0; i < authres.results->len; i++) {
        const struct authres_result *result = &g_array_index(authres.results, struct authres_result, i);
        g_string_append_printf(out, "%s %s=%s", i ? ";" : ":", result->method, result->result);
        for (guint p = 0; p < authres.properties->len; p++) {
            const struct authres_property *property =
                &g_array_index(authres.properties, struct authres_property, p);
            if (property->result == i)
                g_string_append_printf(out, " %s=%s", property->name, property->value);
        }
    }
    authres_clear(&authres);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *field, *expected;
} fields[] = {
    /* as servers write them */
    {" mx.example.net;\r\n\tdkim=pass header.i=@google.com header.s=20230601 "
     "header.b=\"aB3/+=\";\r\n\tspf=pass "
     "(mx.example.net: domain of a@google.com designates 192.0.2.1 as permitted sender) "
     "smtp.mailfrom=a@google.com;\r\n\tdmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=google.com",
     "mx.example.net: dkim=pass header.i=@google.com header.s=20230601 header.b=aB3/+=; spf=pass "
     "smtp.mailfrom=a@google.com; dmarc=pass header.from=google.com"},
    {"mx.example.net; dmarc=pass (p=none dis=none) header.from=example.com",
     "mx.example.net: dmarc=pass header.from=example.com"},
    {"mx.example.net; dkim=pass (2048-bit key; unprotected) header.d=example.com header.i=@example.com "
     "header.a=rsa-sha256 header.s=s1 header.b=pX/9a+0=",
     "mx.example.net: dkim=pass header.d=example.com header.i=@example.com header.a=rsa-sha256 header.s=s1 "
     "header.b=pX/9a+0="},
    {"mx.example.net;spf=fail smtp.mailfrom=x.example;dkim=none (message not signed) "
     "header.d=none;dmarc=fail "
     "action=none header.from=x.example;compauth=fail reason=001",
     "mx.example.net: spf=fail smtp.mailfrom=x.example; dkim=none header.d=none; dmarc=fail action=none "
     "header.from=x.example; compauth=fail reason=001"},
    {"mx.example.net; none", "mx.example.net"},
    {"mx.example.net 1; none", "mx.example.net"},
    {"mx.example.net", "mx.example.net"},
    {"mx.example.net; dkim=pass header.d=a.example;", "mx.example.net: dkim=pass header.d=a.example"},
    {"mx.example.net; dkim=pass; ; spf=none", "mx.example.net: dkim=pass; spf=none"},
    {"MX.Example.NET; DKIM=Pass Header.D=A.Example", "MX.Example.NET: dkim=pass header.d=A.Example"},
    /* what the grammar allows */
    {"(a (nested \\) one)) \"my mx;\\\"x\\\"\" (c) 1 (d) ; (e) dkim (f) / (g) 1 (h) = (i) pass (j) reason "
     "(k) = (l) "
     "\"good; (not a comment)\" (m) header (n) . (o) d (p) = (q) \"a b\" (r)",
     "my mx;\"x\": dkim=pass reason=good; (not a comment) header.d=a b"},
    {"mx; spf=pass smtp.mailfrom=\"odd; local\"@a.example",
     "mx: spf=pass smtp.mailfrom=odd; local@a.example"},
    {"mx; dkim/2=pass header.d=a.example; spf=pass", "mx: spf=pass"},
    {"mx; dkim/12=pass", "mx"},
    {"mx; x-new_1=some-thing policy.x=\"\"", "mx: x-new_1=some-thing policy.x="},
    /* what cannot be read is no result */
    {"", "bad -"},
    {"   (nothing)  ", "bad -"},
    {"; dmarc=pass header.from=a.example", "bad -"},
    {"mx 2; dmarc=pass header.from=a.example", "bad mx"},
    {"mx 1x; dmarc=pass header.from=a.example", "bad mx"},
    {"mx dmarc=pass header.from=a.example", "bad mx"},
    {"mx; dmarc=pass header.from=a.example (not closed", "bad mx"},
    {"mx; dmarc=pass reason=\"not closed", "bad mx"},
    {"mx; dmarc=pass) header.from=a.example", "bad mx"},
    {"mx; dmarc=pass header.from=a.example) x", "bad mx"},
    {"mx; dmarc=pass header.from=a\"b\".example", "bad mx"},
    {"mx; dmarc=pass header.from=a\x01.example", "bad mx"},
    {"mx; dmarc=pass header.=a.example", "bad mx"},
    {"mx; dmarc=pass .from=a.example", "bad mx"},
    {"mx; dmarc=pass stray", "bad mx"},
    {"mx; dmarc=", "bad mx"},
    {"mx; dmarc", "bad mx"},
    {"mx; =pass", "bad mx"},
    {"mx; none=none x", "bad mx"},
    {"mx; none none", "bad mx"},
    {"\"mx", "bad -"},
    {"(mx", "bad -"},
    {"mx; dmarc=pass \xff=x", "bad mx"},
};

static void test_fields(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *found = rendered(fields[i].field);
        g_test_message("%s", fields[i].field);
        g_assert_cmpstr(found, ==, fields[i].expected);
    }
}

/* Cut anywhere, and with any byte at any place: never past the end, and never more results than there were.
 */
static void test_damaged(void)
{
    static const char strange[] = "\x01\xff();\"\\=./ 2x";
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        gsize n = strlen(fields[i].field);
        for (gsize cut = 0; cut <= n; cut++) {
            g_autofree char *part = g_strndup(fields[i].field, cut);
            g_autofree char *found = rendered(part);
            g_assert_nonnull(found);
            for (gsize s = 0; cut < n && s < sizeof strange - 1; s++) {
                g_autofree char *changed = g_strdup(fields[i].field);
                changed[cut] = strange[s];
                g_free(rendered(changed));
            }
        }
    }
}

static void test_bounds(void)
{
    g_autoptr(GString) field = g_string_new("mx");
    for (guint i = 0; i < AUTHRES_RESULTS; i++)
        g_string_append(field, ";a=b");
    struct authres authres;
    g_assert_true(authres_parse(field->str, &authres));
    g_assert_cmpuint(authres.results->len, ==, AUTHRES_RESULTS);
    authres_clear(&authres);
    g_string_append(field, ";a=b");
    g_assert_false(authres_parse(field->str, &authres));
    authres_clear(&authres);

    g_string_assign(field, "mx;a=b");
    for (guint i = 0; i < AUTHRES_PROPERTIES; i++)
        g_string_append(field, " a.b=c");
    g_assert_true(authres_parse(field->str, &authres));
    g_assert_cmpuint(authres.properties->len, ==, AUTHRES_PROPERTIES);
    authres_clear(&authres);
    g_string_append(field, " a.b=c");
    g_assert_false(authres_parse(field->str, &authres));
    authres_clear(&authres);

    g_string_assign(field, "mx; none (");
    while (field->len < AUTHRES_BYTES - 1)
        g_string_append_c(field, 'x');
    g_string_append_c(field, ')');
    g_assert_true(authres_parse(field->str, &authres));
    authres_clear(&authres);
    g_string_append_c(field, ' ');
    g_assert_false(authres_parse(field->str, &authres));
    g_assert_cmpstr(authres.authserv_id, ==, "mx");
    authres_clear(&authres);

    g_string_assign(field, "mx");
    for (guint i = 0; i < 5 * 1000 * 1000; i++)
        g_string_append_c(field, '(');
    g_assert_false(authres_parse(field->str, &authres));
    authres_clear(&authres);
}

/* The fields, topmost first, the domain of From:, the reporter; what becomes of it. */
static const struct {
    const char *fields[4], *from, *reporter, *result, *domain;
    enum trust trust;
} mails[] = {
    {{"mx.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "pass",
     "google.com",
     TRUST_YES},
    {{"MX.TEST; dmarc=pass header.from=Google.COM."},
     "google.com",
     "google.com",
     "pass",
     "google.com",
     TRUST_YES},
    {{"mx2.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "pass",
     "google.com",
     TRUST_YES},
    {{"mx.test; dmarc=pass (no header.from)"}, "google.com", "google.com", "pass", "google.com", TRUST_YES},
    {{"mx.test; dmarc=pass header.from=mail.r.example"},
     "mail.r.example",
     "dmarc.r.example",
     "pass",
     "mail.r.example",
     TRUST_YES},
    {{"mx.test; dmarc=pass header.from=dmarc.yahoo.com"},
     "dmarc.yahoo.com",
     "yahooinc.com",
     "pass",
     "dmarc.yahoo.com",
     TRUST_YES},
    {{"mx.test; dmarc=pass header.from=yahooinc.com"},
     "yahooinc.com",
     "yahoo.com",
     "pass",
     "yahooinc.com",
     TRUST_NO},
    {{"mx.test; dmarc=pass header.from=evil.example"},
     "evil.example",
     "google.com",
     "pass",
     "evil.example",
     TRUST_NO},
    {{"mx.test; dmarc=pass header.from=a.co.uk"}, "a.co.uk", "b.co.uk", "pass", "a.co.uk", TRUST_NO},
    {{"mx.test; dmarc=pass header.from=r.example"}, "r.example", "", "pass", "r.example", TRUST_NO},
    {{"mx.test; dmarc=pass header.from=r.example"},
     "r.example",
     "some org inc.",
     "pass",
     "r.example",
     TRUST_NO},
    {{"mx.test; dmarc=fail header.from=google.com"}, "google.com", "google.com", "fail", NULL, TRUST_NO},
    /* without a verdict of DMARC */
    {{"mx.test; dkim=pass header.d=mail.r.example"},
     "r.example",
     "r.example",
     "pass",
     "mail.r.example",
     TRUST_YES},
    {{"mx.test; dkim=fail header.d=r.example; dkim=pass header.i=x@r.example; dmarc=none"},
     "r.example",
     "r.example",
     "pass",
     "r.example",
     TRUST_YES},
    {{"mx.test; dkim=pass header.d=relay.example; spf=pass smtp.mailfrom=b@r.example"},
     "r.example",
     "r.example",
     "pass",
     "r.example",
     TRUST_YES},
    {{"mx.test; dkim=pass header.d=relay.example; dmarc=temperror header.from=r.example"},
     "r.example",
     "r.example",
     "none",
     NULL,
     TRUST_NO},
    {{"mx.test; dkim=pass header.d=r.example; dmarc=fail header.from=r.example"},
     "r.example",
     "r.example",
     "fail",
     NULL,
     TRUST_NO},
    {{"mx.test; dmarc=bestguesspass header.from=r.example"},
     "r.example",
     "r.example",
     "none",
     NULL,
     TRUST_NO},
    {{"mx.test; spf=softfail smtp.mailfrom=r.example"}, "r.example", "r.example", "fail", NULL, TRUST_NO},
    {{"mx.test; spf=pass smtp.helo=r.example"}, "r.example", "r.example", "none", NULL, TRUST_NO},
    {{"mx.test; dkim=pass"}, "r.example", "r.example", "none", NULL, TRUST_NO},
    {{"mx.test; none"}, "r.example", "r.example", "none", NULL, TRUST_NO},
    {{"mx.test; arc=pass header.d=r.example; auth=pass smtp.auth=r.example"},
     "r.example",
     "r.example",
     "none",
     NULL,
     TRUST_NO},
    /* whom to believe */
    {{NULL}, "google.com", "google.com", NULL, NULL, TRUST_UNKNOWN},
    {{"evil.test; dmarc=pass header.from=google.com"}, "google.com", "google.com", NULL, NULL, TRUST_UNKNOWN},
    {{"mx.test.evil.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     NULL,
     NULL,
     TRUST_UNKNOWN},
    {{"(mx.test) evil.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     NULL,
     NULL,
     TRUST_UNKNOWN},
    {{"filter.test; dmarc=fail", "mx.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "pass",
     "google.com",
     TRUST_YES},
    {{"mx.test; dmarc=fail header.from=google.com", "mx.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "fail",
     NULL,
     TRUST_NO},
    {{"mx.test; none", "mx2.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "none",
     NULL,
     TRUST_NO},
    /* what is broken on top is not mended from below */
    {{"mx.test; dmarc=fail (", "mx.test; dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "none",
     NULL,
     TRUST_NO},
    {{"mx.test 2; dmarc=pass header.from=google.com"}, "google.com", "google.com", "none", NULL, TRUST_NO},
    /* slipped in through a comment or a second verdict */
    {{"mx.test; spf=fail smtp.mailfrom=x); dmarc=pass header.from=google.com"},
     "google.com",
     "google.com",
     "none",
     NULL,
     TRUST_NO},
    {{"mx.test; dmarc=pass header.from=google.com; dmarc=fail header.from=google.com"},
     "google.com",
     "google.com",
     "fail",
     NULL,
     TRUST_NO},
    {{"mx.test; dmarc=pass header.from=google.com; dmarc=pass header.from=mail.google.com"},
     "google.com",
     "google.com",
     "fail",
     NULL,
     TRUST_NO},
    /* about another From: than ours */
    {{"mx.test; dmarc=pass header.from=evil.example"}, "google.com", "google.com", "fail", NULL, TRUST_NO},
    {{"mx.test; dmarc=pass header.from=google.com"}, "evil.example", "google.com", "fail", NULL, TRUST_NO},
    {{"mx.test; dmarc=pass header.from=google.com"}, NULL, "google.com", "none", NULL, TRUST_NO},
    {{"mx.test; dkim=pass header.d=google.com"}, "evil.example", "google.com", "none", NULL, TRUST_NO},
};

static void test_mails(void)
{
    char *ids[] = {(char *)"mx.test", (char *)"Mx2.Test", NULL};
    const struct trust_rules rules = {.authserv_ids = ids};
    struct domain_list *suffixes = domain_list_new();
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        struct mail_auth auth;
        g_test_message("%s, From: %s, reporter %s", mails[i].fields[0] ? mails[i].fields[0] : "no field",
                       mails[i].from ? mails[i].from : "nobody", mails[i].reporter);
        mail_auth_read(&auth, (char *const *)mails[i].fields, mails[i].from, &rules, suffixes);
        g_assert_cmpstr(auth_words[auth.result], ==, mails[i].result);
        g_assert_cmpstr(auth.domain, ==, mails[i].domain);
        g_assert_cmpint(trust_of(&auth, mails[i].reporter, suffixes), ==, mails[i].trust);
        mail_auth_clear(&auth);
    }
    domain_list_free(suffixes);
}

/* Without the key nothing is believed. */
static void test_nobody(void)
{
    const char *const one[] = {"mx.test; dmarc=pass header.from=google.com", NULL};
    const struct trust_rules rules = {0};
    struct domain_list *suffixes = domain_list_new();
    struct mail_auth auth;
    mail_auth_read(&auth, (char *const *)one, "google.com", &rules, suffixes);
    g_assert_cmpint(auth.result, ==, AUTH_UNKNOWN);
    g_assert_null(auth.domain);
    mail_auth_read(&auth, NULL, "google.com", &rules, suffixes);
    g_assert_cmpint(auth.result, ==, AUTH_UNKNOWN);
    domain_list_free(suffixes);
}

static void test_foreign(void)
{
    char *ours[] = {(char *)"a.example", (char *)"b.example", NULL}, *none[] = {NULL};
    const struct trust_rules rules = {.domains = ours}, empty = {.domains = none}, open = {0};
    static const struct {
        const char *domain;
        gboolean foreign;
    } domains[] = {{"a.example", FALSE},        {"b.example", FALSE}, {"x.y.b.example", FALSE},
                   {"c.example", TRUE},         {"example", TRUE},    {"nota.example", TRUE},
                   {".example", TRUE},          {"", TRUE},           {"a.example.c", TRUE},
                   {"a.example.evil.com", TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_test_message("%s", domains[i].domain);
        g_assert_cmpint(trust_is_foreign(&rules, domains[i].domain), ==, domains[i].foreign);
        g_assert_true(trust_is_foreign(&empty, domains[i].domain));
        g_assert_false(trust_is_foreign(&open, domains[i].domain));
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/authres/fields", test_fields);
    g_test_add_func("/authres/damaged", test_damaged);
    g_test_add_func("/authres/bounds", test_bounds);
    g_test_add_func("/trust/mails", test_mails);
    g_test_add_func("/trust/nobody", test_nobody);
    g_test_add_func("/trust/foreign", test_foreign);
    return g_test_run();
}
