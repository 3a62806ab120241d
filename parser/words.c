#include "parser/words.h"

struct pair {
    const char *text, *word;
};

/* What it is called in reports, for DKIM and for SPF; NULL: unknown there. */
static const struct {
    const char *text, *dkim, *spf;
} results[] = {
    {"pass", "pass", "pass"},
    {"fail", "fail", "fail"},
    {"none", "none", "none"},
    {"neutral", "neutral", "neutral"},
    {"softfail", "fail", "softfail"},
    {"temperror", "temperror", "temperror"},
    {"permerror", "permerror", "permerror"},
    {"policy", "policy", "policy"},
    {"hardfail", "fail", "fail"},
    {"unknown", "temperror", "temperror"},
    {"error", "permerror", "permerror"},
    {"invalid", "permerror", "permerror"},
    {"nxdomain", "permerror", "none"},
    {"signed", "neutral", NULL},
    {"discard", "fail", "fail"},
};

static const struct pair policies[] = {
    {"none", "none"}, {"quarantine", "quarantine"}, {"reject", "reject"}, {0}};

static const struct pair dispositions[] = {
    {"none", "none"}, {"pass", "pass"}, {"quarantine", "quarantine"}, {"reject", "reject"}, {0}};

static const struct pair scopes[] = {{"mfrom", "mfrom"},        {"helo", "helo"}, {"mailfrom", "mfrom"},
                                     {"envelopefrom", "mfrom"}, {"ehlo", "helo"}, {0}};

static const struct pair reasons[] = {{"localpolicy", "local_policy"},
                                      {"forwarded", "forwarded"},
                                      {"trustedforwarder", "trusted_forwarder"},
                                      {"mailinglist", "mailing_list"},
                                      {"sampledout", "sampled_out"},
                                      {"policytestmode", "policy_test_mode"},
                                      {"other", "other"},
                                      {0}};

static const struct pair yes_no[] = {{"n", "n"}, {"y", "y"}, {"no", "n"}, {"yes", "y"}, {0}};

static const struct pair discoveries[] = {{"psl", "psl"}, {"treewalk", "treewalk"}, {0}};

/* The text in lower case without '_', '-' and blanks; "" when it is too long to be a word. */
struct squeezed {
    char text[24];
};

static struct squeezed squeeze(const char *text)
{
    struct squeezed out = {""};
    gsize n = 0;
    for (; *text != '\0'; text++) {
        if (*text == '_' || *text == '-' || *text == ' ' || *text == '\t')
            continue;
        if (n == sizeof out.text - 1)
            return (struct squeezed){""};
        out.text[n++] = g_ascii_tolower(*text);
    }
    return out;
}

/* A pass must be spelt out: "p_ass" is none. */
static gboolean is_word(const char *known, const struct squeezed *squeezed, const char *text)
{
    if (strcmp(known, squeezed->text) != 0)
        return FALSE;
    return strcmp(known, "pass") != 0 || g_ascii_strcasecmp(text, "pass") == 0;
}

static const char *find(const struct pair *pairs, const char *text)
{
    /* Nearly all are a word as it is: without anything to squeeze. */
    for (const struct pair *pair = pairs; pair->text != NULL; pair++)
        if (word_is(pair->text, text))
            return pair->word;
    struct squeezed squeezed = squeeze(text);
    for (; pairs->text != NULL; pairs++)
        if (is_word(pairs->text, &squeezed, text))
            return pairs->word;
    return NULL;
}

static const char *find_result(const char *text, gboolean dkim)
{
    /* Nearly all results are one of the first words as they are. */
    for (gsize i = 0; i < 4; i++)
        if (word_is(results[i].text, text))
            return results[i].dkim;
    struct squeezed squeezed = squeeze(text);
    for (gsize i = 0; i < G_N_ELEMENTS(results); i++)
        if (is_word(results[i].text, &squeezed, text))
            return dkim ? results[i].dkim : results[i].spf;
    return NULL;
}

const char *word_dkim_result(const char *text)
{
    return find_result(text, TRUE);
}

const char *word_spf_result(const char *text)
{
    return find_result(text, FALSE);
}

const char *word_disposition(const char *text)
{
    return find(dispositions, text);
}

const char *word_verdict(const char *text)
{
    return word_is(text, "pass") || g_ascii_strcasecmp(text, "pass") == 0 ? "pass" : "fail";
}

const char *word_policy(const char *text)
{
    return find(policies, text);
}

const char *word_alignment(const char *text)
{
    switch (*text) {
    case 'r':
    case 'R':
        return "r";
    case 's':
    case 'S':
        return "s";
    default:
        return NULL;
    }
}

const char *word_scope(const char *text)
{
    return find(scopes, text);
}

const char *word_reason(const char *text)
{
    return find(reasons, text);
}

const char *word_yes_no(const char *text)
{
    return find(yes_no, text);
}

const char *word_discovery(const char *text)
{
    return find(discoveries, text);
}
