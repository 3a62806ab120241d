#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/naming.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/text.h"

#include <stdio.h>
#include <string.h>

/* To which roles it is granted is asked by itself: what a statement about a table calls may change nothing
 * where the database is distributed. */
static gboolean tell_roles(struct db *db, const char *name, GError **error)
{
    static const char sql[] = "SELECT string_agg(g.role::text, ', ' ORDER BY g.role::text) FROM "
                              "dmarc_store.group_grant g WHERE g.name = $1";
    struct db_result *granted = db_query(db, "asking to whom a group is granted", sql, 1, &name, error);
    const char *roles = granted ? db_value(granted, 0, 0) : NULL;
    g_autofree char *safe = roles ? render_safe(roles) : NULL;
    if (safe)
        printf("group %s is granted to %s\n", name, safe);
    db_result_free(granted);
    return granted != NULL;
}

static gboolean change(struct cli *cli, const char *function, GError **error)
{
    g_auto(GStrv) domains = naming_domains(cli->arguments + 2, error);
    if (!domains)
        return FALSE;
    g_autofree char *array = naming_array(domains);
    const char *values[] = {cli->arguments[0], array};
    g_autofree char *sql = g_strdup_printf("SELECT %s($1, $2::text[])", function);
    struct db *db = database_ready(&cli->config, error);
    struct db_result *done = db ? db_query(db, "changing a group", sql, 2, values, error) : NULL;
    if (done)
        printf("%" G_GINT64_FORMAT " domain%s %s\n", db_int(done, 0, 0), PLURAL(db_int(done, 0, 0)),
               strstr(function, "join") ? "added" : "removed");
    gboolean ok = done && tell_roles(db, cli->arguments[0], error);
    db_result_free(done);
    db_close(db);
    return ok;
}

gboolean cmd_group(struct cli *cli, GError **error)
{
    const char *name = cli->arguments[0], *verb = name ? cli->arguments[1] : NULL;
    if (name && !naming_group(name, error))
        return FALSE;
    if (!verb)
        return report_of_group(cli, name, error);
    gboolean adds = strcmp(verb, "add") == 0;
    if ((adds || strcmp(verb, "remove") == 0) && cli->arguments[2])
        return change(cli, adds ? "dmarc_store.join_group" : "dmarc_store.leave_group", error);
    g_set_error_literal(
        error, WS_ERROR, WS_ERROR_USAGE,
        "it is not said what to do with the group\nhint: whosends group NAME add|remove DOMAIN...");
    return FALSE;
}
