#include "parser/json_members.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct {
    const char *text;
    const char *name, *value; /* of a member; NULL: it is not there */
} good[] = {
    {"{\"access_token\":\"t\",\"expires_in\":3599}", "access_token", "t"},
    {"{\"access_token\":\"t\",\"expires_in\":3599}", "expires_in", "3599"},
    {"{\"expires_in\":\"3599\"}", "expires_in", "3599"},
    {"{\"a\":\"\\u00e4\\n\"}", "a", "\xc3\xa4\n"},
    {"{\"a\":true}", "a", NULL},
    {"{\"a\":null}", "a", NULL},
    {"{\"a\":1.5}", "a", NULL},
    {"{\"a\":[\"b\"]}", "a", NULL},
    {"{\"a\":{\"b\":\"c\"}}", "b", NULL},
    {"{}", "a", NULL},
    {"{\"a\":\"1\",\"\\u0062\":\"2\"}", "b", "2"},
    {"{\"ab\":\"1\",\"a\\\\u0062\":\"2\"}", "a\\u0062", "2"},
};

static void test_good(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *problem = NULL;
        g_autoptr(GHashTable) members =
            json_members(good[i].text, strlen(good[i].text), &limits_default, &problem);
        g_assert_null(problem);
        g_assert_cmpstr(g_hash_table_lookup(members, good[i].name), ==, good[i].value);
    }
}

static void test_bad(void)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "\"a\"",
                                      "{\"a\":1}x",
                                      "{\"a\":1",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{\"a\":1,\"a\":2}",
                                      "<html>",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\\ud800\"}"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *problem = NULL;
        g_test_message("%s", bad[i]);
        g_assert_null(json_members(bad[i], strlen(bad[i]), &limits_default, &problem));
        g_assert_nonnull(problem);
    }
    /* The same key in two spellings; what follows a NUL is lost. */
    static const char *const twice[][2] = {{"a", "\\u0061"},
                                           {"/", "\\/"},
                                           {"\t", "\\t"},
                                           {"\\n", "\\u000A"},
                                           {"\\b\\f\\r", "\\u0008\\u000c\\u000D"},
                                           {"\\\"", "\\u0022"},
                                           {"\\\\", "\\u005c"},
                                           {"\xc3\xa4", "\\u00E4"},
                                           {"\xf0\x9f\x98\x80", "\\ud83d\\uDE00"},
                                           {"\\u0000", "\\u0000z"}};
    for (guint i = 0; i < G_N_ELEMENTS(twice); i++) {
        g_autofree char *problem = NULL,
                        *text = g_strdup_printf("{\"x%sy\":1,\"x%sy\":2}", twice[i][0], twice[i][1]);
        g_test_message("%s", text);
        g_assert_null(json_members(text, strlen(text), &limits_default, &problem));
        g_assert_nonnull(strstr(problem, "a key comes twice"));
    }
    struct limits limits = limits_default;
    g_autofree char *problem = NULL;
    limits.json_values = 1;
    g_assert_null(json_members("{\"a\":1,\"b\":2}", 13, &limits, &problem));
    g_assert_nonnull(strstr(problem, "limit json_values"));
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/json-members/good", test_good);
    g_test_add_func("/json-members/bad", test_bad);
    return g_test_run();
}
