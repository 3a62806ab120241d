/* Authentication-Results fields, one behind the other with a blank line between them: what cannot be read to
 * its end has no result, and nothing passes that is not aligned, said to pass, and said by a server of ours.
 */
#include "parser/authres.h"
#include "parser/trust.h"
#include "tests/fuzz/fuzz.h"

#define FROM "a.example"

static struct domain_list *suffixes;

static void try_field(const char *field)
{
    struct authres authres;
    gboolean whole = authres_parse(field, &authres);
    MUST(whole ? authres.authserv_id != NULL : authres.results->len + authres.properties->len == 0);
    MUST(authres.results->len <= AUTHRES_RESULTS && authres.properties->len <= AUTHRES_PROPERTIES);
    for (guint i = 0; i < authres.results->len; i++) {
        const struct authres_result *result = &g_array_index(authres.results, struct authres_result, i);
        MUST(result->method[0] != '\0' && result->result[0] != '\0');
        authres_property(&authres, i, "header.from");
    }
    for (guint i = 0; i < authres.properties->len; i++) {
        const struct authres_property *property =
            &g_array_index(authres.properties, struct authres_property, i);
        MUST(property->result < authres.results->len && property->value != NULL);
    }
    authres_clear(&authres);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static char first[] = "mx.a.example", second[] = "mx";
    char *ids[] = {first, second, NULL};
    const struct trust_rules rules = {.authserv_ids = ids};
    struct mail_auth auth;
    if (suffixes == NULL)
        suffixes = domain_list_new();
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_auto(GStrv) fields = g_strsplit(text, "\n\n", 25);
    for (char **field = fields; *field != NULL; field++)
        try_field(*field);
    mail_auth_read(&auth, fields, FROM, &rules, suffixes);
    MUST((auth.result == AUTH_PASS) == (auth.domain != NULL));
    if (auth.result == AUTH_PASS)
        MUST(strstr(lower, "mx") != NULL && strstr(lower, "pass") != NULL &&
             domain_aligned(suffixes, auth.domain, FROM, FALSE));
    MUST(trust_of(&auth, FROM, suffixes) != TRUST_YES || auth.result == AUTH_PASS);
    mail_auth_clear(&auth);
    return 0;
}
