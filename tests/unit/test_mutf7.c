#include "ingest/imap_write.h"
#include "ingest/mutf7.h"
#include "tests/unit/unit.h"

#include <string.h>

static void test_vectors(void)
{
    static const struct {
        const char *name, *encoded;
    } vectors[] = {
        {"INBOX", "INBOX"},
        {"", ""},
        {"a & b", "a &- b"},
        {"&", "&-"},
        {"Entw\u00fcrfe", "Entw&APw-rfe"},
        {"\u00fc", "&APw-"},
        /* RFC 3501 section 5.1.3 */
        {"~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
        {"\u00e9&\u00e9", "&AOk-&-&AOk-"},
        {"\u2260a", "&ImA-a"},
        /* outside of the first plane: a surrogate pair */
        {"\U0001F4EC", "&2D3c7A-"},
        {"\U0001F4ECx\U0010FFFF", "&2D3c7A-x&2,,f,w-"},
        /* nothing that ends or changes a command line is left */
        {"a\r\nb", "a&AA0ACg-b"},
        {"\x01\x1f\x7f", "&AAEAHwB,-"},
        {"\"\\", "\"\\"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *encoded = mutf7_encode(vectors[i].name);
        g_assert_cmpstr(encoded, ==, vectors[i].encoded);
    }
}

static void test_not_utf8(void)
{
    static const char *const names[] = {"\xff", "Entw\xfcrfe", "a\xc3", "\xed\xa0\x80", "\xc0\x80"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_null(mutf7_encode(names[i]));
}

/* Whatever goes in, only printable ASCII comes out, and every '&' has its '-'. */
static void test_all_characters(void)
{
    for (gunichar c = 1; c <= 0x10ffff; c += c < 0x300 ? 1 : 37) {
        char text[8] = {0};
        if (!g_unichar_validate(c))
            continue;
        g_unichar_to_utf8(c, text);
        g_autofree char *encoded = mutf7_encode(text);
        g_assert_nonnull(encoded);
        for (const char *at = encoded; *at; at++)
            g_assert_true(*at >= 0x20 && *at < 0x7f);
        if (encoded[0] == '&')
            g_assert_true(g_str_has_suffix(encoded, "-"));
        else
            g_assert_cmpstr(encoded, ==, text);
    }
}

static void test_quote(void)
{
    g_autofree char *plain = imap_quote("Processed");
    g_autofree char *special = imap_quote("a \"b\" \\c");
    g_assert_cmpstr(plain, ==, "\"Processed\"");
    g_assert_cmpstr(special, ==, "\"a \\\"b\\\" \\\\c\"");
}

static void test_sets(void)
{
    static const struct {
        guint32 uids[8];
        guint n;
        gsize max;
        const char *set;
        guint taken;
    } vectors[] = {
        {{7}, 1, 100, "7", 1},
        {{1, 2, 3}, 3, 100, "1:3", 3},
        {{1, 2, 4}, 3, 100, "1:2,4", 3},
        {{1, 3, 5, 6, 7, 9}, 6, 100, "1,3,5:7,9", 6},
        {{5, 5, 5, 6}, 4, 100, "5:6", 4},
        {{4294967294u, 4294967295u}, 2, 100, "4294967294:4294967295", 2},
        /* one at least, and never more than fit for certain */
        {{1, 3, 5}, 3, 0, "1", 1},
        {{1, 3, 5}, 3, 24, "1,3", 2},
        {{1, 2, 3, 5, 7}, 5, 24, "1:3", 3},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint taken;
        g_autofree char *set = imap_uid_set(vectors[i].uids, vectors[i].n, vectors[i].max, &taken);
        g_assert_cmpstr(set, ==, vectors[i].set);
        g_assert_cmpuint(taken, ==, vectors[i].taken);
    }
}

/* Every UID of a scattered list is in exactly one of the sets, and no set is too long for a server. */
static void test_sets_bounded(void)
{
    enum { N = 5000 };
    static guint32 uids[N];
    guint done = 0, sets = 0;
    for (guint i = 0; i < N; i++)
        uids[i] = 4000000000u + i * 3 + (i % 2);
    while (done < N) {
        guint taken;
        g_autofree char *set = imap_uid_set(uids + done, N - done, IMAP_SET_MAX, &taken);
        g_auto(GStrv) items = g_strsplit(set, ",", 0);
        g_assert_cmpuint(strlen(set), <=, IMAP_SET_MAX);
        g_assert_cmpuint(g_strv_length(items), ==, taken);
        for (guint i = 0; i < taken; i++)
            g_assert_cmpuint((guint32)g_ascii_strtoull(items[i], NULL, 10), ==, uids[done + i]);
        done += taken;
        sets++;
    }
    g_assert_cmpuint(sets, ==, 8);
}

int main(int argc, char **argv)
{
    g_assert_cmpint(argc, >, 0);
    unit_init(argv[0]);
    g_test_add_func("/mutf7/vectors", test_vectors);
    g_test_add_func("/mutf7/not-utf8", test_not_utf8);
    g_test_add_func("/mutf7/all-characters", test_all_characters);
    g_test_add_func("/imap-write/quote", test_quote);
    g_test_add_func("/imap-write/sets", test_sets);
    g_test_add_func("/imap-write/sets-bounded", test_sets_bounded);
    return g_test_run();
}
