#include "parser/address.h"

#include "parser/dates.h"
#include "unit.h"

#include <arpa/inet.h>

static void test_ip(void)
{
    static const struct {
        const char *text, *address; /* NULL: none */
        enum ip_form form;
    } vectors[] = {
        {"192.0.2.1", "192.0.2.1", IP_PLAIN},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", IP_PLAIN},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", IP_PLAIN},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201", IP_PLAIN},
        {"::1", "::1", IP_PLAIN},
        {"10.0.0.1", "10.0.0.1", IP_PLAIN},
        {"::ffff:192.0.2.1", "192.0.2.1", IP_REWRITTEN},
        {"::FFFF:c000:201", "192.0.2.1", IP_REWRITTEN},
        {"[192.0.2.1]", "192.0.2.1", IP_REWRITTEN},
        {"[2001:db8::1]", "2001:db8::1", IP_REWRITTEN},
        {"fe80::1%eth0", "fe80::1", IP_REWRITTEN},
        {"[fe80::1%eth0]", "fe80::1", IP_REWRITTEN},
        {"[IPv6:2001:db8::1]", "2001:db8::1", IP_REWRITTEN},
        {"ipv6:2001:db8::1", "2001:db8::1", IP_REWRITTEN},
        {"[IPv6:::ffff:192.0.2.1]", "192.0.2.1", IP_REWRITTEN},
        {"192.0.2.1:25", "192.0.2.1", IP_REWRITTEN},
        {"[192.0.2.1]:25", "192.0.2.1", IP_REWRITTEN},
        {"[2001:db8::1]:50025", "2001:db8::1", IP_REWRITTEN},
        {"[fe80::1%eth0]:25", "fe80::1", IP_REWRITTEN},
        {"192.0.2.1:", NULL, IP_NONE},
        {"192.0.2.1:smtp", NULL, IP_NONE},
        {"192.0.2.1:250000", NULL, IP_NONE},
        {"[192.0.2.1]25", NULL, IP_NONE},
        {"[]", NULL, IP_NONE},
        {"[]:25", NULL, IP_NONE},
        {"mail:25", NULL, IP_NONE},
        {"IPv6:", NULL, IP_NONE},
        {"IPv6:25", NULL, IP_NONE},
        {"[192.0.2.1", NULL, IP_NONE},
        {"X.X.X.X", NULL, IP_MASKED},
        {"192.0.2.xxx", NULL, IP_MASKED},
        {"2001:db8:*:*::", NULL, IP_MASKED},
        {"mail.example.com", NULL, IP_NONE},
        {"unknown", NULL, IP_NONE},
        {"192.0.2.1.5", NULL, IP_NONE},
        {"192.0.2.256", NULL, IP_NONE},
        {"192.0.2.1/32", NULL, IP_NONE},
        {"x", NULL, IP_NONE},
        {"", NULL, IP_NONE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint8 bytes[16];
        enum ip_form form = IP_NONE;
        char text[INET6_ADDRSTRLEN];
        int family = address_parse_ip(vectors[i].text, bytes, &form);
        const char *got = family != AF_UNSPEC ? inet_ntop(family, bytes, text, sizeof text) : NULL;
        if (g_strcmp0(got, vectors[i].address) != 0 || form != vectors[i].form)
            g_error("\"%s\" became %s, form %d", vectors[i].text, got != NULL ? got : "none", form);
    }
}

static void test_mail(void)
{
    static const struct {
        const char *text, *domain;
        gboolean plain;
    } vectors[] = {
        {"noreply@google.com", "google.com", TRUE},
        {"a.b+c@Mail.Example.COM", "mail.example.com", TRUE},
        {"Reporter <dmarc@r.example>", "r.example", FALSE},
        {"a@one.example, b@two.example", "one.example", FALSE},
        {"<bad-xml@bad-xml.net>", "bad-xml.net", FALSE},
        {"@r.example", "r.example", FALSE},
        {"\"a@b\"@q.example", "q.example", FALSE},
        {"\"a\\\"@b\"@q.example", "q.example", FALSE},
        {"\"a@open.example", "open.example", FALSE},
        {"a@b@c.example", "c.example", FALSE},
        {"nobody", NULL, FALSE},
        {"a@", NULL, FALSE},
        {"a@..", NULL, FALSE},
        {"", NULL, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        gboolean plain = !vectors[i].plain;
        g_autofree char *domain = address_mail_domain(vectors[i].text, &plain);
        g_assert_cmpstr(domain, ==, vectors[i].domain);
        g_assert_cmpint(plain, ==, vectors[i].plain);
    }
}

static void test_file_name(void)
{
    static const struct {
        const char *name;
        gboolean ok;
        const char *receiver, *domain;
        gint64 begin, end;
    } vectors[] = {
        {"mail.r.example!example.com!1013662812!1013749130.xml.gz", TRUE, "mail.r.example", "example.com",
         1013662812, 1013749130},
        {"/tmp/a!b/r.example!Example.com!1!2!id7.xml", TRUE, "r.example", "example.com", 1, 2},
        {"!example.com!1538413632!1538413632.xml", TRUE, "", "example.com", 1538413632, 1538413632},
        {"r.example!example.com!1013662812", FALSE, NULL, NULL, 0, 0},
        {"r.example!example.com!soon!later.xml", FALSE, NULL, NULL, 0, 0},
        {"r.example!!1!2.xml", FALSE, NULL, NULL, 0, 0},
        {"r.example!example.com!1!99999999999999999999.xml", FALSE, NULL, NULL, 0, 0},
        {"report.xml", FALSE, NULL, NULL, 0, 0},
        {"", FALSE, NULL, NULL, 0, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *receiver = NULL, *domain = NULL;
        gint64 begin = 0, end = 0;
        g_assert_cmpint(address_report_file_name(vectors[i].name, &receiver, &domain, &begin, &end), ==,
                        vectors[i].ok);
        g_assert_cmpstr(receiver, ==, vectors[i].receiver);
        g_assert_cmpstr(domain, ==, vectors[i].domain);
        if (vectors[i].ok)
            g_assert_cmpint(begin, ==, vectors[i].begin);
        if (vectors[i].ok)
            g_assert_cmpint(end, ==, vectors[i].end);
    }
}

static void test_dates(void)
{
    static const struct {
        const char *text;
        enum date_form form;
        gint64 seconds;
    } vectors[] = {
        {"1700000000", DATE_PLAIN, 1700000000},
        {"0", DATE_PLAIN, 0},
        {"1538204542.0", DATE_FRACTION, 1538204542},
        {"+1700000000", DATE_FRACTION, 1700000000},
        {"1700000000000", DATE_OTHER, 1700000000},
        {"1700000000000000", DATE_OTHER, 1700000000},
        {"2023-11-14T22:13:20Z", DATE_OTHER, 1700000000},
        {"2023-11-14 23:13:20+01:00", DATE_OTHER, 1700000000},
        {"2023-11-14t22:13:20.5z", DATE_OTHER, 1700000000},
        {"2023-11-14 22:13:20 UTC", DATE_OTHER, 1700000000},
        {"2023-11-14 22:13:20 GMT", DATE_OTHER, 1700000000},
        {"2023-11-14 23:13:20 +0100", DATE_OTHER, 1700000000},
        {"20231114T221320Z", DATE_OTHER, 1700000000},
        {"Tue, 14 Nov 2023 23:13:20 +0100", DATE_OTHER, 1700000000},
        {"1700000000000000000", DATE_OTHER, 1700000000},
        {"2023-11-14T22:13:20", DATE_NO_ZONE, 1700000000},
        {"2023-11-14 22:13:20", DATE_NO_ZONE, 1700000000},
        {"2023-11-14", DATE_NO_ZONE, 1699920000},
        {"14 Nov 2023 22:13:20", DATE_NO_ZONE, 1700000000},
        {"14 Nov 2023 22:13:20 IST", DATE_NO_ZONE, 1700000000},
        {"14 Nov 2023 22:13:20 +2500", DATE_NO_ZONE, 1700000000},
        {"14 Nov 2023 17:13:20 EST", DATE_OTHER, 1700000000},
        {"14 Nov 2023 22:13:20 UT", DATE_OTHER, 1700000000},
        {"14 Nov 2023 10:13:20 PM", DATE_NONE, 0},
        {"14 Nov 2023 10:13:20 am", DATE_NONE, 0},
        {"1.7E9", DATE_ROUNDED, 1700000000},
        {"1.7000000005e+09", DATE_ROUNDED, 1700000000},
        {"1.7e12", DATE_OTHER, 1700000000},
        {"1.7e99", DATE_NONE, 0},
        {"1.7e", DATE_NONE, 0},
        {"1.7e-9", DATE_NONE, 0},
        {"1.7e9z", DATE_NONE, 0},
        {"2023-11-14 22:13:20 UTC+1", DATE_NONE, 0},
        {"2023-13-14", DATE_NONE, 0},
        {"22:13:20", DATE_NONE, 0},
        {"9999999999999999999", DATE_NONE, 0},
        {"-5", DATE_NONE, 0},
        {"soon", DATE_NONE, 0},
        {"", DATE_NONE, 0},
        {"17000000000000000000", DATE_NONE, 0},
        {"1700.5.1", DATE_NONE, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        gint64 seconds = -1;
        enum date_form form = date_parse(vectors[i].text, &seconds);
        if (form != vectors[i].form || seconds != vectors[i].seconds)
            g_error("\"%s\" became %" G_GINT64_FORMAT ", form %d", vectors[i].text, seconds, form);
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/address/ip", test_ip);
    g_test_add_func("/address/mail", test_mail);
    g_test_add_func("/address/file name", test_file_name);
    g_test_add_func("/address/dates", test_dates);
    return g_test_run();
}
