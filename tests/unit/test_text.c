/* What the renderers share: text made harmless, how wide it is, numbers, lists and trends. */
#include "reports/text.h"
#include "tests/unit/unit.h"

#include <locale.h>
#include <string.h>

static void test_safe(void)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"mail.example", "mail.example"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\033[31mred", "\\x1b[31mred"},
        {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"},
        {"\xe2\x80\xae"
         "evil",
         "\\u{202E}evil"},
        {"\xe2\x81\xa6"
         "x\xe2\x81\xa9",
         "\\u{2066}x\\u{2069}"},
        {"pay\xe2\x80\x8bpal", "pay\\u{200B}pal"},
        {"\xef\xbb\xbf", "\\u{FEFF}"},
        {"\xe2\x80\xa8", "\\u{2028}"},
        {"\xf3\xa0\x81\x81", "\\u{E0041}"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"cut \xe2\x80", "cut \\xe2\\x80"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *safe = render_safe(vectors[i][0]);
        g_assert_cmpstr(safe, ==, vectors[i][1]);
    }
}

/* For a terminal that does not take UTF-8: to one of 8 bits, the second byte of U+00DB is CSI. */
static void test_safe_ascii(void)
{
    static const char *const vectors[][2] = {
        {"mail.example", "mail.example"},
        {"\xc3\x9b"
         "31m",
         "\\u{00DB}31m"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"},
        {"\xe6\x97\xa5\xf0\x9f\x98\x80", "\\u{65E5}\\u{1F600}"},
        {"\x9b\xc3", "\\x9b\\xc3"},
        {"pay\xe2\x80\x8bpal", "pay\\u{200B}pal"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(GString) safe = g_string_new(NULL);
        text_append_safe(safe, vectors[i][0], NULL, TRUE);
        g_assert_cmpstr(safe->str, ==, vectors[i][1]);
    }
}

static void test_width(void)
{
    static const struct {
        const char *text;
        guint width, fit;
        const char *fitted;
    } vectors[] = {
        {"", 0, 3, ""},
        {"abc", 3, 3, "abc"},
        {"abcd", 4, 3, "ab\xe2\x80\xa6"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, 4, "\xe6\x97\xa5\xe6\x9c\xac"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, 3, "\xe6\x97\xa5\xe2\x80\xa6"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, 2, "\xe2\x80\xa6"},
        {"e\xcc\x81t\xc3\xa9", 3, 3, "e\xcc\x81t\xc3\xa9"},
        {"abc", 3, 1, "\xe2\x80\xa6"},
        {"abc", 3, 0, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *fitted = text_fit(vectors[i].text, vectors[i].fit);
        g_assert_cmpuint(text_width(vectors[i].text), ==, vectors[i].width);
        g_assert_cmpstr(fitted, ==, vectors[i].fitted);
        g_assert_cmpuint(text_width(fitted), <=, vectors[i].fit);
    }
}

/* Parted at spaces; a long word is whole, or hard. Each line fits, and none is lost. */
static void test_lines(void)
{
    static const struct {
        const char *text;
        guint width;
        gboolean hard;
        const char *lines; /* with "|" between them */
    } vectors[] = {
        {"", 5, FALSE, ""},
        {"own mail (selector s1)", 0, TRUE, "own mail (selector s1)"},
        {"own mail (selector s1)", 22, FALSE, "own mail (selector s1)"},
        {"own mail (selector s1)", 21, FALSE, "own mail (selector|s1)"},
        {"own mail (selector s1)", 8, FALSE, "own mail|(selector|s1)"},
        {"own mail (selector s1)", 8, TRUE, "own mail|(selecto|r s1)"},
        {"a bcdefgh i", 3, FALSE, "a|bcdefgh|i"},
        {"a bcdefgh i", 3, TRUE, "a|bcd|efg|h i"},
        {"bcdefgh", 3, FALSE, "bcdefgh"},
        {"abc def", 3, TRUE, "abc|def"},
        {" abc ", 3, TRUE, " ab|c "},
        {"abcd ", 4, TRUE, "abcd"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 3, TRUE, "\xe6\x97\xa5|\xe6\x9c\xac"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 1, TRUE, "\xe6\x97\xa5|\xe6\x9c\xac"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(GPtrArray) lines = text_lines(vectors[i].text, vectors[i].width, vectors[i].hard);
        g_autoptr(GString) joined = g_string_new(NULL);
        for (guint l = 0; l < lines->len; l++)
            g_string_append_printf(joined, "%s%s", l ? "|" : "", (const char *)lines->pdata[l]);
        g_assert_cmpstr(joined->str, ==, vectors[i].lines);
    }
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        gboolean number;
    } vectors[] = {
        {"0", TRUE},   {"-12", TRUE},      {"0.5000", TRUE}, {"123456789012345678901234567890", TRUE},
        {"", FALSE},   {"-", FALSE},       {"NaN", FALSE},   {"1.", FALSE},
        {".5", FALSE}, {"1e9", FALSE},     {"007", FALSE},   {"1 ", FALSE},
        {"+1", FALSE}, {"Infinity", FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++)
        g_assert_cmpint(text_is_number(vectors[i].text), ==, vectors[i].number);
    g_autofree char *size = text_size("13409639"), *empty = text_size("0"), *strange = text_size("x");
    g_assert_cmpstr(size, ==, "13.4 MB");
    g_assert_cmpstr(empty, ==, "0.0 MB");
    g_assert_cmpstr(strange, ==, "x");
    g_autofree char *share = text_percent("0.1234"), *whole = text_percent("1.0000"),
                    *odd = text_percent("NaN"), *little = text_percent("0.0004"),
                    *nothing = text_percent("0.0000"), *nearly = text_percent("0.9996");
    g_assert_cmpstr(little, ==, "<0.1%");
    g_assert_cmpstr(nothing, ==, "0.0%");
    g_assert_cmpstr(nearly, ==, "99.9%");
    g_assert_cmpstr(share, ==, "12.3%");
    g_assert_cmpstr(whole, ==, "100.0%");
    g_assert_cmpstr(odd, ==, "NaN");
}

/* Grouping follows the locale, where a system has one that groups. */
static void test_grouping(void)
{
    g_autofree char *plain = text_group_number("-1234567");
    g_assert_cmpstr(plain, ==, "-1234567");
    if (!setlocale(LC_NUMERIC, "en_US.UTF-8")) {
        g_test_skip("no locale en_US.UTF-8 here");
        return;
    }
    g_autofree char *grouped = text_group_number("-1234567.5"), *small = text_group_number("123");
    setlocale(LC_NUMERIC, "C");
    g_assert_cmpstr(grouped, ==, "-1,234,567.5");
    g_assert_cmpstr(small, ==, "123");
}

static void test_time(void)
{
    static const char *const vectors[][2] = {
        {"2026-11-21 23:49:05.123+00", "2026-11-21T23:49:05.123Z"},
        {"2026-11-21 23:49:05+00", "2026-11-21T23:49:05Z"},
        {"2026-11-21", "2026-11-21"},
        {"infinity", "infinity"},
        {"2026-11-21 23:49:05+02", "2026-11-21 23:49:05+02"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *iso = text_iso_time(vectors[i][0]);
        g_assert_cmpstr(iso, ==, vectors[i][1]);
    }
}

static void test_list(void)
{
    static const char *const vectors[][2] = {
        {"{}", ""},
        {"{a}", "a"},
        {"{a,b}", "a|b"},
        {"{\"a,b\",\"c\\\"d\",\"\\\\\"}", "a,b|c\"d|\\"},
        {"{NULL,\"NULL\",x}", "|NULL|x"},
        {"{\"\"}", ""},
        {"{\"open", "{\"open"},
        {"{a", "{a"},
        {"{{a}}", "{{a}}"},
        {"{a}b", "{a}b"},
        {"plain", "plain"},
        {"", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *joined = text_list_joined(vectors[i][0], "|");
        g_assert_cmpstr(joined, ==, vectors[i][1]);
    }
    g_autoptr(GPtrArray) list = text_list("{NULL,\"NULL\"}");
    g_assert_cmpuint(list->len, ==, 2);
    g_assert_null(list->pdata[0]);
    g_assert_cmpstr(list->pdata[1], ==, "NULL");
}
static void test_trend(void)
{
    static const char *const vectors[][2] = {
        {"{1,2,3,4,5,6,7,8}", "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"},
        {"{0,0.001,1000}", ".\u2581\u2588"},
        {"{0,0}", ".."},
        {"{5}", "\u2588"},
        {"{NULL,-3,x,2}", "...\u2588"},
        {"{}", ""},
        {"{1e999,9}", ".\u2588"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *trend = text_trend(vectors[i][0]);
        g_assert_cmpstr(trend, ==, vectors[i][1]);
    }
    setlocale(LC_CTYPE, "C");
    g_autofree char *plain = text_trend("{0,1,2,3,4,5,6,7,8}");
    g_assert_cmpstr(plain, ==, "._-~=+*%#");
    setlocale(LC_CTYPE, "C.UTF-8");
}
int main(int argc, char **argv)
{
    (void)argc;
    setlocale(LC_CTYPE, "C.UTF-8");
    unit_init(argv[0]);
    g_test_add_func("/text/safe", test_safe);
    g_test_add_func("/text/safe-ascii", test_safe_ascii);
    g_test_add_func("/text/width", test_width);
    g_test_add_func("/text/numbers", test_numbers);
    g_test_add_func("/text/grouping", test_grouping);
    g_test_add_func("/text/time", test_time);
    g_test_add_func("/text/list", test_list);
    g_test_add_func("/text/lines", test_lines);
    g_test_add_func("/trend", test_trend);
    return g_test_run();
}
