/* Text, figures and file names of the pages: what is hostile above all. */
#include "parser/error.h"
#include "reports/html_file.h"
#include "reports/html_text.h"
#include "reports/text.h"
#include "tests/unit/unit.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *written(void (*put)(FILE *, const char *), const char *text)
{
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    put(out, text);
    g_assert_cmpint(fclose(out), ==, 0);
    char *copy = g_strdup(made);
    free(made);
    return copy;
}

static void test_text(void)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"mail.example", "mail.example"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\" onload='x' a=\"", "&quot; onload=&#39;x&#39; a=&quot;"},
        {"&lt;b&gt;", "&amp;lt;b&amp;gt;"},
        {"]]>", "]]&gt;"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\033[31m<", "\\x1b[31m&lt;"},
        {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
        {"\xe2\x80\xae<evil", "\\u{202E}&lt;evil"},
        {"pay\xe2\x80\x8bpal", "pay\\u{200B}pal"},
        {"\xef\xbf\xbe", "\\u{FFFE}"},
        {"\xf0\x9f\xbf\xbf", "\\u{1FFFF}"},
        {"\xef\xb7\x90", "\\u{FDD0}"},
        {"\xff<", "\\xff&lt;"},
        {"cut \xe2\x80", "cut \\xe2\\x80"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *text = written(html_text, vectors[i][0]);
        g_assert_cmpstr(text, ==, vectors[i][1]);
    }
    g_autofree char *name = written(html_name, "<\xd7\x90");
    g_assert_cmpstr(name, ==, "<bdi>&lt;\xd7\x90</bdi>");
    g_autofree char *endless = g_strnfill(3000, 's');
    g_autofree char *cut = written(html_name, endless);
    g_assert_true(g_str_has_suffix(cut, "ss\xe2\x80\xa6</bdi>"));
    g_assert_cmpuint(strlen(cut), <, 500);
    g_autofree char *whole = written(html_sentence, endless);
    g_assert_cmpuint(strlen(whole), ==, 3000 + strlen("<bdi></bdi>"));
}

static void test_figures(void)
{
    static const char *const numbers[][2] = {
        {"0", "0"},
        {"999", "999"},
        {"1000", "1,000"},
        {"-12345", "-12,345"},
        {"1234567.89", "1,234,567.89"},
        {"100000000000000000000", "100,000,000,000,000,000,000"},
        {"NaN", "NaN"},
        {"", ""},
        {"12x", "12x"},
    };
    static const char *const shares[][2] = {
        {"0", "0.0%"},     {"0.000040", "<0.1%"}, {"0.0001", "<0.1%"},
        {"0.001", "0.1%"}, {"0.5012", "50.1%"},   {"0.9999", "99.9%"},
        {"1", "100.0%"},   {"1.0000", "100.0%"},  {"Infinity", ""},
    };
    static const struct {
        double amount;
        const char *text;
    } scales[] = {{0, "0"},     {950, "950"},   {5000, "5,000"}, {20000, "20k"}, {1.5e6, "1.5M"},
                  {2e9, "2bn"}, {5e13, "50tn"}, {5e14, "500tn"}, {1e20, "1e+20"}};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *text = html_number(numbers[i][0]);
        g_assert_cmpstr(text, ==, numbers[i][1]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(shares); i++) {
        g_autofree char *text = html_share(shares[i][0]);
        g_assert_cmpstr(text, ==, shares[i][1]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(scales); i++) {
        g_autofree char *text = html_compact(scales[i].amount);
        g_assert_cmpstr(text, ==, scales[i].text);
    }
    g_assert_cmpfloat(text_amount(NULL), ==, 0);
    g_assert_cmpfloat(text_amount("NaN"), ==, 0);
    g_assert_cmpfloat(text_amount("-5"), ==, 0);
    g_assert_cmpfloat(text_amount("100000000000000000000"), ==, 1e20);
}

static void test_days(void)
{
    static const char *const vectors[][2] = {
        {"2026-10-07", "Oct 2026"}, {"2026-13-07", "2026-13-07"}, {"infinity", "infinity"}, {"", ""}};
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *day = html_day(vectors[i][0], TRUE);
        g_assert_cmpstr(day, ==, vectors[i][1]);
    }
    g_autofree char *day = html_day("2026-01-31", FALSE);
    g_assert_cmpstr(day, ==, "31 Jan");
}

/* Each domain has a name of its own, and none leads out of the directory or to the index. */
static void test_names(void)
{
    g_autofree char *long_name = g_strnfill(230, 'a');
    const char *odd[] = {
        "index", "../../etc/passwd", "a/b",    "", ".", "..", ".hidden", "a'b", "a%2fb", "<x>", "a b",
        "Upper", "trailing.",        long_name};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *plain = html_file_name("mail.example-1.com");
    g_assert_cmpstr(plain, ==, "mail.example-1.com.html");
    g_autofree char *service = html_file_name("_dmarc.example");
    g_assert_cmpstr(service, ==, "_dmarc.example.html");
    for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
        char *name = html_file_name(odd[i]);
        g_assert_true(g_str_has_suffix(name, "..html"));
        g_assert_cmpuint(strspn(name, "0123456789abcdef"), ==, 64);
        g_assert_cmpuint(strlen(name), ==, 64 + strlen("..html"));
        g_assert_true(g_hash_table_add(seen, name));
    }
}

static void test_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *top = g_dir_make_tmp("whosends-html-XXXXXX", NULL);
    g_autofree char *directory = g_build_filename(top, "a", "b", NULL);
    g_autofree char *path = g_build_filename(directory, "x.html", NULL);
    struct html_file file = {.out = NULL};
    g_autofree char *text = NULL;
    struct stat status;

    g_assert_true(html_directory(directory, NULL));
    g_assert_true(html_directory(directory, NULL));
    g_assert_true(html_file_open(&file, directory, "x.html", NULL));
    fputs("one", file.out);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(html_file_commit(&file, NULL));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "one");
    mode_t mask = umask(0);
    umask(mask);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0666 & ~mask);

    g_assert_true(html_file_open(&file, directory, "x.html", NULL));
    fputs("two", file.out);
    html_file_drop(&file);
    html_file_drop(&file);
    g_clear_pointer(&text, g_free);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "one");

    g_assert_false(html_directory(path, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_clear_error(&error);
    g_assert_false(html_file_open(&file, path, "y.html", &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);

    /* Nothing but the page is left, so the directories go. */
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
    g_autofree char *parent = g_path_get_dirname(directory);
    g_assert_cmpint(g_rmdir(parent), ==, 0);
    g_assert_cmpint(g_rmdir(top), ==, 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/html/text", test_text);
    g_test_add_func("/html/figures", test_figures);
    g_test_add_func("/html/days", test_days);
    g_test_add_func("/html/names", test_names);
    g_test_add_func("/html/files", test_files);
    return g_test_run();
}
