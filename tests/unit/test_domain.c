#include "parser/domain.h"

#include "unit.h"

#include <string.h>

static struct domain_list *list;

static void test_normalise(void)
{
    static const struct {
        const char *text, *name;
        gboolean ok;
    } vectors[] = {
        {"example.com", "example.com", TRUE},
        {" Example.COM. ", "example.com", TRUE},
        {"user@Example.com", "example.com", TRUE},
        {"a@b@example.com", "example.com", TRUE},
        {"<user@example.com.>", "example.com", TRUE},
        {"@example.com", "example.com", TRUE},
        {"", "", TRUE},
        {"<>", "", TRUE},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example", TRUE},
        {"B\xc3\x9c"
         "CHER.example.",
         "xn--bcher-kva.example", TRUE},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", TRUE},
        {"_dmarc.example.com", "_dmarc.example.com", TRUE},
        {"localhost", "localhost", TRUE},
        {"two words.example", "two words.example", FALSE},
        {"a..b", "a..b", FALSE},
        {".", ".", FALSE},
        {".example.com", ".example.com", FALSE},
        {"a\x01"
         "b.example",
         "a\x01"
         "b.example",
         FALSE},
        {"a,b.example", "a,b.example", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        gboolean ok = !vectors[i].ok;
        g_autofree char *name = domain_normalise(vectors[i].text, &ok);
        g_assert_cmpstr(name, ==, vectors[i].name);
        g_assert_cmpint(ok, ==, vectors[i].ok);
    }
}

static void test_lengths(void)
{
    static const struct {
        gsize label, labels;
        gboolean ok;
    } vectors[] = {{63, 1, TRUE}, {64, 1, FALSE}, {49, 5, TRUE}, {50, 5, FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(GString) name = g_string_new(NULL);
        for (gsize label = 0; label < vectors[i].labels; label++) {
            for (gsize c = 0; c < vectors[i].label; c++)
                g_string_append_c(name, 'a');
            g_string_append(name, ".");
        }
        g_string_append(name, "com");
        gboolean ok = !vectors[i].ok;
        g_autofree char *result = domain_normalise(name->str, &ok);
        g_assert_cmpint(ok, ==, vectors[i].ok);
        g_assert_cmpstr(result, ==, name->str);
    }
    /* A long name of foreign letters is not worth the work of converting it. */
    g_autoptr(GString) wide = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(wide, "\xc3\xbc");
    gboolean ok = TRUE;
    g_autofree char *result = domain_normalise(wide->str, &ok);
    g_assert_false(ok);
    g_assert_nonnull(result);
}

/* Bytes that are not UTF-8 never come out. */
static void test_not_utf8(void)
{
    gboolean ok = TRUE;
    g_autofree char *name = domain_normalise("caf\xe9.example", &ok);
    g_assert_false(ok);
    g_assert_true(g_utf8_validate(name, -1, NULL));
}

static void test_organizational(void)
{
    static const struct {
        const char *name, *organizational;
    } vectors[] = {
        {"example.com", "example.com"},
        {"a.b.example.com", "example.com"},
        {"a.example.co.uk", "example.co.uk"},
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"a.b.example", "b.example"}, /* no suffix of the list: the last label is one */
        {"mail.xn--bcher-kva.ch", "xn--bcher-kva.ch"},
        {"192.0.2.1", "192.0.2.1"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++)
        g_assert_cmpstr(domain_organizational(list, vectors[i].name), ==, vectors[i].organizational);
}

static void test_public_suffix(void)
{
    static const char *const public[] = {"com", "co.uk", "github.io", "kawasaki.jp"};
    static const char *const own[] = {"example.com", "a.example.co.uk", "x.github.io",
                                      "example",     "192.0.2.1",       ""};
    for (gsize i = 0; i < G_N_ELEMENTS(public); i++)
        g_assert_true(domain_is_public_suffix(list, public[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        g_assert_false(domain_is_public_suffix(list, own[i]));
}

static void test_below(void)
{
    g_assert_true(domain_is_below("a.example.com", "example.com"));
    g_assert_true(domain_is_below("b.a.example.com", "example.com"));
    g_assert_false(domain_is_below("example.com", "example.com"));
    g_assert_false(domain_is_below("badexample.com", "example.com"));
    g_assert_false(domain_is_below("example.com", "a.example.com"));
    g_assert_false(domain_is_below("a.example.com", ""));
    g_assert_false(domain_is_below("", ""));
}

static void test_aligned(void)
{
    static const struct {
        const char *authenticated, *from;
        gboolean relaxed, strict;
    } vectors[] = {
        {"example.com", "example.com", TRUE, TRUE},
        {"mail.example.com", "example.com", TRUE, FALSE},
        {"example.com", "mail.example.com", TRUE, FALSE},
        {"a.example.com", "b.example.com", TRUE, FALSE},
        {"example.com", "example.org", FALSE, FALSE},
        {"badexample.com", "example.com", FALSE, FALSE},
        {"one.co.uk", "two.co.uk", FALSE, FALSE},
        {"co.uk", "two.co.uk", FALSE, FALSE},
        {"192.0.2.1", "198.51.2.1", FALSE, FALSE},
        {"", "example.com", FALSE, FALSE},
        {"example.com", "", FALSE, FALSE},
        {"", "", FALSE, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_assert_cmpint(domain_aligned(list, vectors[i].authenticated, vectors[i].from, FALSE), ==,
                        vectors[i].relaxed);
        g_assert_cmpint(domain_aligned(list, vectors[i].authenticated, vectors[i].from, TRUE), ==,
                        vectors[i].strict);
    }
}

static void test_describe(void)
{
    g_assert_nonnull(strchr(domain_list_describe(list), '('));
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    list = domain_list_new();
    g_test_add_func("/domain/normalise", test_normalise);
    g_test_add_func("/domain/lengths", test_lengths);
    g_test_add_func("/domain/not utf-8", test_not_utf8);
    g_test_add_func("/domain/organizational", test_organizational);
    g_test_add_func("/domain/public suffix", test_public_suffix);
    g_test_add_func("/domain/below", test_below);
    g_test_add_func("/domain/aligned", test_aligned);
    g_test_add_func("/domain/describe", test_describe);
    int status = g_test_run();
    domain_list_free(list);
    return status;
}
