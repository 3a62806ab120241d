#include "cli/naming.h"

#include "cli/nearest.h"
#include "parser/codes.h"
#include "parser/domain.h"
#include "reports/render.h"

#include <string.h>

char *naming_quoted(const char *text)
{
    g_autofree char *safe = render_safe(text);
    return g_strdup_printf("'%s'", safe);
}

char *naming_domain(const char *text, GError **error)
{
    gboolean ok = g_utf8_validate(text, -1, NULL) && *text;
    g_autofree char *domain = ok ? domain_normalise(text, &ok) : NULL;
    if (ok && domain_is_normal(domain))
        return g_steal_pointer(&domain);
    g_autofree char *quoted = naming_quoted(text);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "%s cannot be a domain", quoted);
    return NULL;
}

char **naming_domains(char *const *names, GError **error)
{
    g_autoptr(GStrvBuilder) domains = g_strv_builder_new();
    for (; names && *names; names++) {
        g_autofree char *domain = naming_domain(*names, error);
        if (!domain)
            return NULL;
        g_strv_builder_add(domains, domain);
    }
    return g_strv_builder_end(domains);
}

char *naming_array(char *const *names)
{
    g_autofree char *joined = names && *names ? g_strjoinv("\",\"", (char **)names) : NULL;
    return joined ? g_strconcat("{\"", joined, "\"}", NULL) : g_strdup("{}");
}

char *naming_nearest(struct db *db, const char *sql, const char *value, const char *text)
{
    struct db_result *found = db_query(db, "looking for names", sql, value ? 1 : 0, &value, NULL);
    if (!found)
        return NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (guint i = 0; i < db_rows(found); i++)
        if (db_value(found, i, 0))
            g_ptr_array_add(words, (gpointer)db_value(found, i, 0));
    g_ptr_array_add(words, NULL);
    char *near = g_strdup(nearest_word(text, (const char *const *)words->pdata));
    db_result_free(found);
    return near;
}

gboolean naming_group(const char *name, GError **error)
{
    gsize length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (length && length <= 63 && !name[length] && *name != '-')
        return TRUE;
    g_autofree char *quoted = naming_quoted(name);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "%s cannot be the name of a group\nhint: letters, digits, '.', '_' and '-', 63 at most",
                quoted);
    return FALSE;
}

static gboolean no_such_group(struct db *db, const char *group, GError **error)
{
    g_autofree char *quoted = naming_quoted(group);
    g_autofree char *near = naming_nearest(db, "SELECT DISTINCT name FROM dmarc.domain_group", NULL, group);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "there is no group %s%s%s%s", quoted,
                near ? "\nhint: did you mean '" : "\nhint: \"whosends group\" lists them", near ? near : "",
                near ? "'?" : "");
    return FALSE;
}

gboolean naming_known_group(struct db *db, const char *group, GError **error)
{
    struct db_result *found =
        db_query(db, "looking for a group",
                 "SELECT EXISTS (SELECT FROM dmarc.domain_group g WHERE g.name = $1)", 1, &group, error);
    gboolean there = found && g_strcmp0(db_value(found, 0, 0), "t") == 0;
    gboolean ok = there || (found && no_such_group(db, group, error));
    db_result_free(found);
    return ok;
}

gboolean naming_code(const char *code, GError **error)
{
    if (code_find(code))
        return TRUE;
    g_autofree char *quoted = naming_quoted(code);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "%s is no code of a problem\nhint: \"whosends problems\" has them", quoted);
    return FALSE;
}

gboolean naming_use_group(struct db *db, const char *group, GError **error)
{
    struct db_result *used =
        db_query(db, "looking for a group", "SELECT dmarc.use_group($1)", 1, &group, error);
    gboolean there = used && g_strcmp0(db_value(used, 0, 0), "t") == 0;
    db_result_free(used);
    if (!used || there)
        return there;
    db_run(db, "leaving the group", "RESET dmarc.domain_group", NULL);
    return no_such_group(db, group, error);
}
