#include "parser/trust.h"

#include "parser/authres.h"

#include <string.h>

const char *const auth_words[4] = {
    [AUTH_UNKNOWN] = NULL, [AUTH_PASS] = "pass", [AUTH_FAIL] = "fail", [AUTH_NONE] = "none"};

/* Organizational domains of one house: what its reports name, and what its mail authenticates as. */
static const char *const houses[][2] = {
    {"yahooinc.com", "yahoo.com"},
};

static gboolean is_trusted(const char *authserv_id, char *const *ids)
{
    for (; authserv_id && *ids; ids++)
        if (g_ascii_strcasecmp(authserv_id, *ids) == 0)
            return TRUE;
    return FALSE;
}

static const struct authres_result *result_at(const struct authres *authres, guint i)
{
    return &g_array_index(authres->results, struct authres_result, i);
}

/* The domain that a result is about, when it is aligned with From:. Owned by the caller. */
static char *aligned_domain(const char *value, const char *from_domain, const struct domain_list *suffixes)
{
    gboolean good = FALSE;
    g_autofree char *domain = value ? domain_normalise(value, &good) : NULL;
    return good && domain_aligned(suffixes, domain, from_domain, FALSE) ? g_steal_pointer(&domain) : NULL;
}

/* TRUE when DMARC has a verdict. */
static gboolean read_dmarc(struct mail_auth *auth, const struct authres *authres, const char *from_domain,
                           const struct domain_list *suffixes)
{
    guint passed = 0, failed = 0;
    for (guint i = 0; i < authres->results->len; i++) {
        const struct authres_result *result = result_at(authres, i);
        if (strcmp(result->method, "dmarc") != 0)
            continue;
        const char *said = authres_property(authres, i, "header.from");
        g_autofree char *domain = aligned_domain(said ? said : from_domain, from_domain, suffixes);
        if (strcmp(result->result, "pass") != 0) {
            failed += strcmp(result->result, "fail") == 0;
        } else if (!domain || (auth->domain && strcmp(auth->domain, domain) != 0)) {
            failed++;
        } else {
            passed++;
            g_free(auth->domain);
            auth->domain = g_steal_pointer(&domain);
        }
    }
    if (failed)
        g_clear_pointer(&auth->domain, g_free);
    auth->result = failed ? AUTH_FAIL : passed ? AUTH_PASS : AUTH_NONE;
    return failed || passed;
}

/* The first result of a method that passed and is aligned. */
static gboolean read_method(struct mail_auth *auth, const struct authres *authres, const char *method,
                            const char *const *properties, const char *from_domain,
                            const struct domain_list *suffixes)
{
    for (guint i = 0; i < authres->results->len && !auth->domain; i++) {
        const struct authres_result *result = result_at(authres, i);
        if (strcmp(result->method, method) != 0)
            continue;
        if (g_str_has_suffix(result->result, "fail")) /* softfail and hardfail, too */
            auth->result = AUTH_FAIL;
        if (strcmp(result->result, "pass") != 0)
            continue;
        const char *value = NULL;
        for (const char *const *name = properties; *name && !value; name++)
            value = authres_property(authres, i, *name);
        auth->domain = aligned_domain(value, from_domain, suffixes);
    }
    if (auth->domain)
        auth->result = AUTH_PASS;
    return auth->domain != NULL;
}

static void read_field(struct mail_auth *auth, const struct authres *authres, const char *from_domain,
                       const struct domain_list *suffixes)
{
    static const char *const dkim[] = {"header.d", "header.i", NULL}, *const spf[] = {"smtp.mailfrom", NULL};
    if (!from_domain) {
        auth->result = AUTH_NONE;
        return;
    }
    if (!read_dmarc(auth, authres, from_domain, suffixes) &&
        !read_method(auth, authres, "dkim", dkim, from_domain, suffixes))
        read_method(auth, authres, "spf", spf, from_domain, suffixes);
}

void mail_auth_read(struct mail_auth *auth_r, char *const *fields, const char *from_domain,
                    const struct trust_rules *rules, const struct domain_list *suffixes)
{
    gboolean found = FALSE;
    *auth_r = (struct mail_auth){.result = AUTH_UNKNOWN};
    for (; rules->authserv_ids && fields && *fields && !found; fields++) {
        struct authres authres;
        authres_parse(*fields, &authres);
        found = is_trusted(authres.authserv_id, rules->authserv_ids);
        if (found)
            read_field(auth_r, &authres, from_domain, suffixes);
        authres_clear(&authres);
    }
}

void mail_auth_clear(struct mail_auth *auth)
{
    g_free(auth->domain);
    *auth = (struct mail_auth){.result = AUTH_UNKNOWN};
}

static gboolean is_one_house(const char *reporter, const char *sender)
{
    gboolean same = strcmp(reporter, sender) == 0;
    for (gsize i = 0; i < G_N_ELEMENTS(houses) && !same; i++)
        same = strcmp(reporter, houses[i][0]) == 0 && strcmp(sender, houses[i][1]) == 0;
    return same;
}

enum trust trust_of(const struct mail_auth *auth, const char *reporter, const struct domain_list *suffixes)
{
    if (auth->result == AUTH_UNKNOWN)
        return TRUST_UNKNOWN;
    return auth->domain && is_one_house(domain_organizational(suffixes, reporter),
                                        domain_organizational(suffixes, auth->domain))
               ? TRUST_YES
               : TRUST_NO;
}

gboolean trust_is_foreign(const struct trust_rules *rules, const char *domain)
{
    for (char *const *ours = rules->domains; ours && *ours; ours++) {
        if (strcmp(domain, *ours) == 0 || domain_is_below(domain, *ours))
            return FALSE;
    }
    return rules->domains != NULL;
}
