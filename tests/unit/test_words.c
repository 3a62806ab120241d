#include "parser/words.h"

#include "unit.h"

struct vector {
    const char *text, *word;
};

static void check(const char *(*find)(const char *), const struct vector *vectors, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const char *word = find(vectors[i].text);
        if (g_strcmp0(word, vectors[i].word) != 0)
            g_error("\"%s\" became %s, not %s", vectors[i].text, word != NULL ? word : "NULL",
                    vectors[i].word != NULL ? vectors[i].word : "NULL");
    }
}
#define CHECK(find, vectors) check(find, vectors, G_N_ELEMENTS(vectors))

static void test_dkim(void)
{
    static const struct vector vectors[] = {
        {"pass", "pass"},
        {"fail", "fail"},
        {"neutral", "neutral"},
        {"none", "none"},
        {"policy", "policy"},
        {"temperror", "temperror"},
        {"permerror", "permerror"},
        {"softfail", "fail"},
        {"hardfail", "fail"},
        {"unknown", "temperror"},
        {"error", "permerror"},
        {"invalid", "permerror"},
        {"nxdomain", "permerror"},
        {"signed", "neutral"},
        {"discard", "fail"},
        {"PASS", "pass"},
        {"Temperror", "temperror"},
        {"perm_error", "permerror"},
        {"Temp-Error", "temperror"},
        {"bestguesspass", NULL},
        {"", NULL},
        {"pass (good)", NULL},
        {"passed", NULL},
        {"a word that is longer than any of them", NULL},
    };
    CHECK(word_dkim_result, vectors);
}

static void test_spf(void)
{
    static const struct vector vectors[] = {
        {"softfail", "softfail"}, {"soft_fail", "softfail"}, {"hardfail", "fail"}, {"unknown", "temperror"},
        {"error", "permerror"},   {"nxdomain", "none"},      {"signed", NULL},     {"discard", "fail"},
        {"pass", "pass"},         {"Pass", "pass"},          {"policy", "policy"}, {"invalid", "permerror"},
    };
    CHECK(word_spf_result, vectors);
}

/* A pass is those four letters in a row, and nothing else is. */
static void test_no_pass_is_made(void)
{
    static const char *const not_pass[] = {"p_ass", "pa ss",     "pas-s",           "pass_",
                                           "-pass", "pass pass", "p\357\277\275ass"};
    for (gsize i = 0; i < G_N_ELEMENTS(not_pass); i++) {
        g_assert_null(word_dkim_result(not_pass[i]));
        g_assert_null(word_spf_result(not_pass[i]));
        g_assert_null(word_disposition(not_pass[i]));
        g_assert_cmpstr(word_verdict(not_pass[i]), ==, "fail");
    }
}

static void test_verdicts(void)
{
    static const struct vector verdicts[] = {{"pass", "pass"}, {"Pass", "pass"},    {"fail", "fail"},
                                             {"", "fail"},     {"unknown", "fail"}, {"none", "fail"}};
    static const struct vector dispositions[] = {
        {"none", "none"},     {"None", "none"},   {"pass", "pass"}, {"Quarantine", "quarantine"},
        {"reject", "reject"}, {"softfail", NULL}, {"", NULL},       {"unknown", NULL}};
    CHECK(word_verdict, verdicts);
    CHECK(word_disposition, dispositions);
}

static void test_policy(void)
{
    static const struct vector policies[] = {
        {"none", "none"}, {"REJECT", "reject"}, {"quarantine", "quarantine"},
        {"pass", NULL},   {"unknown", NULL},    {"", NULL}};
    static const struct vector alignments[] = {{"r", "r"},      {"s", "s"},        {"relaxed", "r"},
                                               {"Strict", "s"}, {"unknown", NULL}, {"", NULL}};
    static const struct vector yes[] = {{"y", "y"}, {"n", "n"}, {"Yes", "y"}, {"no", "n"}, {"maybe", NULL}};
    static const struct vector discoveries[] = {
        {"psl", "psl"}, {"treewalk", "treewalk"}, {"tree_walk", "treewalk"}, {"dns", NULL}};
    CHECK(word_policy, policies);
    CHECK(word_alignment, alignments);
    CHECK(word_yes_no, yes);
    CHECK(word_discovery, discoveries);
}

static void test_scope_and_reason(void)
{
    static const struct vector scopes[] = {
        {"mfrom", "mfrom"},         {"helo", "helo"},  {"MAIL FROM", "mfrom"},
        {"mailfrom", "mfrom"},      {"EHLO", "helo"},  {"pra", NULL},
        {"envelope_from", "mfrom"}, {"unknown", NULL}, {"", NULL}};
    static const struct vector reasons[] = {{"forwarded", "forwarded"},
                                            {"sampled_out", "sampled_out"},
                                            {"trusted_forwarder", "trusted_forwarder"},
                                            {"mailing_list", "mailing_list"},
                                            {"Local_Policy", "local_policy"},
                                            {"policy_test_mode", "policy_test_mode"},
                                            {"other", "other"},
                                            {"arc", NULL},
                                            {"", NULL}};
    CHECK(word_scope, scopes);
    CHECK(word_reason, reasons);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/words/dkim", test_dkim);
    g_test_add_func("/words/spf", test_spf);
    g_test_add_func("/words/no pass is made", test_no_pass_is_made);
    g_test_add_func("/words/verdicts", test_verdicts);
    g_test_add_func("/words/policy", test_policy);
    g_test_add_func("/words/scope and reason", test_scope_and_reason);
    return g_test_run();
}
