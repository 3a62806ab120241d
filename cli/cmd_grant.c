#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "cli/naming.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/text.h"

#include <stdio.h>
#include <string.h>

/* The role, the domains and the groups of a command line. */
struct grant {
    char *role;             /* lent */
    char *domains, *groups; /* as the text of arrays; NULL: none is named, of either */
};

static gboolean usage(GError **error, const char *message)
{
    g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, message);
    return FALSE;
}

static gboolean take_grant(const struct cli *cli, struct grant *grant, GError **error)
{
    grant->role = cli->arguments[0];
    if (!grant->role || !*grant->role || !g_utf8_validate(grant->role, -1, NULL))
        return usage(error, "no role is named\nhint: see \"whosends help grant\"");
    if (!cli->options.domains && !cli->options.groups)
        return TRUE;
    g_auto(GStrv) domains = naming_domains(cli->options.domains, error);
    if (!domains)
        return FALSE;
    for (char **group = cli->options.groups; group && *group; group++)
        if (!naming_group(*group, error))
            return FALSE;
    grant->domains = naming_array(domains);
    grant->groups = naming_array(cli->options.groups);
    return TRUE;
}

static void clear_grant(struct grant *grant)
{
    g_free(grant->domains);
    g_free(grant->groups);
}

static gboolean know_groups(struct db *db, char **names, GError **error)
{
    for (; names && *names; names++)
        if (!naming_known_group(db, *names, error))
            return FALSE;
    return TRUE;
}

/* FALSE with an error also when there is no such role. *all_r: it sees everything already. */
static gboolean find_role(struct db *db, const char *role, gboolean *all_r, GError **error)
{
    static const char sql[] =
        "SELECT format('CREATE ROLE %I LOGIN', $1::text), dmarc_store.reads_all($1::name),"
        " EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1 AND octet_length($1) < 64)";
    const char *values[] = {role};
    struct db_result *found = db_query(db, "looking for the role", sql, 1, values, error);
    if (!found)
        return FALSE;
    gboolean there = *db_value(found, 0, 2) == 't';
    *all_r = *db_value(found, 0, 1) == 't';
    if (!there) {
        g_autofree char *safe = render_safe(role);
        g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "the database has no role '%s'\nhint: %s", safe,
                    db_value(found, 0, 0));
    }
    db_result_free(found);
    return there;
}

/* Whether the role that a customer becomes a member of is there, and what it may do. */
static gboolean customers_may(struct db *db, GError **error)
{
    static const char sql[] = "SELECT r.oid, has_schema_privilege(r.oid, 'dmarc', 'USAGE')"
                              " FROM pg_catalog.pg_roles r WHERE r.rolname = 'whosends_customer'";
    struct db_result *found = db_query(db, "looking for the role of customers", sql, 0, NULL, error);
    if (!found)
        return FALSE;
    gboolean there = db_rows(found) > 0, may = there && *db_value(found, 0, 1) == 't';
    if (!there)
        g_set_error_literal(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                            "the database has no role whosends_customer, through which roles may read\n"
                            "hint: CREATE ROLE whosends_customer; as who may, and then \"whosends init\"");
    else if (!may)
        g_set_error_literal(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                            "role whosends_customer has no rights in this database yet\n"
                            "hint: \"whosends init\" gives them to it");
    db_result_free(found);
    return may;
}

static gboolean change(struct db *db, const char *sql, const struct grant *grant, GError **error)
{
    const char *values[] = {grant->role, grant->domains, grant->groups};
    struct db_result *result = db_query(db, "changing grants", sql, G_N_ELEMENTS(values), values, error);
    if (!result)
        return FALSE;
    const char *all = db_value(result, 0, 0);
    g_autofree char *list = all ? text_list_joined(all, ", ") : g_strdup("no domain");
    g_autofree char *safe = render_safe(list), *role = render_safe(grant->role);
    printf("role %s may read about %s\n", role, safe);
    db_result_free(result);
    return TRUE;
}

gboolean cmd_grant(struct cli *cli, GError **error)
{
    struct grant grant = {.role = NULL};
    gboolean all = FALSE;
    gboolean ok =
        take_grant(cli, &grant, error) &&
        (grant.domains || usage(error, "no domain is named\nhint: --domain DOMAIN, or --group NAME"));
    struct db *db = ok ? database_ready(&cli->config, error) : NULL;
    ok = db && find_role(db, grant.role, &all, error) && customers_may(db, error) &&
         know_groups(db, cli->options.groups, error) &&
         change(db, "SELECT dmarc_store.grant_reading($1::name, $2::text[], $3::text[])", &grant, error);
    if (ok && all)
        log_warning("this role may read about all domains by another membership, so nothing is kept from it\n"
                    "hint: revoke whosends_read and whosends_ingest from it");
    db_close(db);
    clear_grant(&grant);
    return ok;
}

gboolean cmd_revoke(struct cli *cli, GError **error)
{
    struct grant grant = {.role = NULL};
    struct db *db = take_grant(cli, &grant, error) ? database_ready(&cli->config, error) : NULL;
    gboolean ok = db && change(db, "SELECT dmarc_store.revoke_reading($1::name, $2::text[], $3::text[])",
                               &grant, error);
    db_close(db);
    clear_grant(&grant);
    return ok;
}
