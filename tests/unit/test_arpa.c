#include "dns/arpa.h"
#include "parser/address.h"

#include "unit.h"

#include <sys/socket.h>

static void test_public(void)
{
    static const struct {
        const char *address;
        gboolean is_public;
    } vectors[] = {
        {"0.1.2.3", FALSE},
        {"1.0.0.0", TRUE},
        {"8.8.8.8", TRUE},
        {"9.255.255.255", TRUE},
        {"10.0.0.0", FALSE},
        {"10.255.255.255", FALSE},
        {"11.0.0.0", TRUE},
        {"100.63.255.255", TRUE},
        {"100.64.0.0", FALSE},
        {"100.127.255.255", FALSE},
        {"100.128.0.0", TRUE},
        {"127.0.0.1", FALSE},
        {"169.254.169.254", FALSE},
        {"169.255.0.0", TRUE},
        {"172.15.255.255", TRUE},
        {"172.16.0.0", FALSE},
        {"172.31.255.255", FALSE},
        {"172.32.0.0", TRUE},
        {"192.0.0.9", FALSE},
        {"192.0.1.0", TRUE},
        {"192.0.2.1", FALSE},
        {"192.0.3.0", TRUE},
        {"192.168.0.1", FALSE},
        {"198.17.255.255", TRUE},
        {"198.19.255.255", FALSE},
        {"198.51.100.7", FALSE},
        {"203.0.113.7", FALSE},
        {"203.0.114.0", TRUE},
        {"223.255.255.255", TRUE},
        {"224.0.0.1", FALSE},
        {"240.0.0.1", FALSE},
        {"255.255.255.255", FALSE},
        {"::", FALSE},
        {"::1", FALSE},
        {"64:ff9b::808:808", FALSE},
        {"fe80::1", FALSE},
        {"fd00::1", FALSE},
        {"ff02::1", FALSE},
        {"2001::1", FALSE},
        {"2001:1ff:ffff::", FALSE},
        {"2001:200::1", TRUE},
        {"2001:db7:ffff::", TRUE},
        {"2001:db8::1", FALSE},
        {"2001:db9::1", TRUE},
        {"2a00:1450:4001::1", TRUE},
        {"3ffe::1", TRUE},
        {"3fff:0fff::1", FALSE},
        {"3fff:1000::1", TRUE},
        {"4000::1", FALSE},
        {"::ffff:10.0.0.1", FALSE},
        {"::ffff:11.0.0.1", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint8 bytes[16];
        enum ip_form form;
        int family = address_parse_ip(vectors[i].address, bytes, &form);
        g_test_message("%s", vectors[i].address);
        g_assert_cmpint(arpa_is_public(family, bytes), ==, vectors[i].is_public);
    }
}

static void test_question(void)
{
    static const struct {
        const char *address, *question;
    } vectors[] = {
        {"192.0.2.1", "1.2.0.192.in-addr.arpa"},
        {"255.254.253.252", "252.253.254.255.in-addr.arpa"},
        {"2001:db8::567:89ab",
         "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"}, /* RFC 3596 2.5 */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint8 bytes[16];
        enum ip_form form;
        int family = address_parse_ip(vectors[i].address, bytes, &form);
        g_autofree char *question = arpa_question(family, bytes);
        g_assert_cmpstr(question, ==, vectors[i].question);
    }
}

#define WIRE(text) text, sizeof text - 1

static void test_host(void)
{
    static const struct {
        const char *wire;
        gsize n;
        const char *host;
    } vectors[] = {
        {WIRE("\4mail\7example\3com\0"), "mail.example.com"},
        {WIRE("\4MAIL\7Example\3COM\0"), "mail.example.com"},
        {WIRE("\3a-1\2de\0"), "a-1.de"},
        {WIRE("\1"
              "1\1"
              "2\7example\0"),
         "1.2.example"},
        {WIRE("\4mail\2"
              "4u\0"),
         "mail.4u"},
        {WIRE("\12xn--bcher-\7example\0"), NULL},
        {WIRE("\15xn--bcher-kva\7example\0"), "xn--bcher-kva.example"},
        {WIRE(""), NULL},
        {WIRE("\0"), NULL},
        {WIRE("\11localhost\0"), NULL},
        {WIRE("\1"
              "1\1"
              "2\1"
              "3\1"
              "4\0"),
         NULL},                                  /* an address */
        {WIRE("\4mail\7exa.ple\3com\0"), NULL},  /* a dot in a label */
        {WIRE("\4mail\7exa\0ple\3com\0"), NULL}, /* NUL */
        {WIRE("\4mail\7exa\xc3\xa4pl\3com\0"), NULL},
        {WIRE("\4mail\7exa ple\3com\0"), NULL},
        {WIRE("\4mail\7exa_ple\3com\0"), NULL},
        {WIRE("\4mail\7exa\nple\3com\0"), NULL},
        {WIRE("\4mail\7exa\x1b[m\3com\0"), NULL},
        {WIRE("\4mail\7-xample\3com\0"), NULL},
        {WIRE("\4mail\7exampl-\3com\0"), NULL},
        {WIRE("\4mail\7example\3com"), NULL}, /* cut off */
        {WIRE("\4mail\7example\3co"), NULL},
        {WIRE("\4mail\7example\3com\0x"), NULL}, /* something behind it */
        {WIRE("\4mail\xc0\x0c"), NULL},          /* compressed */
        {WIRE("\377"), NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        /* A copy of its own, so that a byte too many is seen. */
        g_autofree guint8 *wire = g_memdup2(vectors[i].wire, vectors[i].n);
        g_autofree char *host = arpa_host(wire, vectors[i].n);
        g_assert_cmpstr(host, ==, vectors[i].host);
        for (gsize n = 0; vectors[i].host && n < vectors[i].n; n++) {
            g_autofree guint8 *part = g_memdup2(vectors[i].wire, n);
            g_autofree char *none = arpa_host(part, n);
            g_assert_cmpstr(none, ==, NULL);
        }
    }
}

/* Labels of `length` bytes each, in `bytes` bytes with the root's. */
static char *host_of(gsize length, gsize bytes)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    while (wire->len + 1 < bytes) {
        guint8 label[256] = {(guint8)MIN(length, bytes - wire->len - 2)};
        memset(label + 1, 'a', sizeof label - 1);
        g_byte_array_append(wire, label, label[0] + 1u);
    }
    g_byte_array_append(wire, (const guint8 *)"", 1);
    g_assert_cmpuint(wire->len, ==, bytes);
    return arpa_host(wire->data, wire->len);
}

static void test_lengths(void)
{
    static const struct {
        gsize label, bytes, host;
    } vectors[] = {{63, 255, 253}, {63, 256, 0}, {64, 130, 0}, {63, 129, 127},
                   {1, 255, 253},  {1, 257, 0},  {200, 203, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *host = host_of(vectors[i].label, vectors[i].bytes);
        g_assert_cmpuint(host ? strlen(host) : 0, ==, vectors[i].host);
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/arpa/public", test_public);
    g_test_add_func("/arpa/question", test_question);
    g_test_add_func("/arpa/host", test_host);
    g_test_add_func("/arpa/lengths", test_lengths);
    return g_test_run();
}
