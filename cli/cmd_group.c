#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/naming.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/text.h"

#include <stdio.h>
#include <string.h>

static gboolean change(struct cli *cli, const char *function, GError **error)
{
    g_auto(GStrv) domains = naming_domains(cli->arguments + 2, error);
    if (!domains)
        return FALSE;
    g_autofree char *array = naming_array(domains);
    const char *values[] = {cli->arguments[0], array};
    g_autofree char *sql = g_strdup_printf("SELECT %s($1, $2::text[]), ARRAY(SELECT g.role::text FROM "
                                           "dmarc_store.group_grant g WHERE g.name = $1 ORDER BY 1)",
                                           function);
    struct db *db = database_ready(&cli->config, error);
    struct db_result *done = db ? db_query(db, "changing a group", sql, 2, values, error) : NULL;
    g_autofree char *roles = done ? text_list_joined(db_value(done, 0, 1), ", ") : NULL;
    g_autofree char *safe = roles && *roles ? render_safe(roles) : NULL;
    if (done)
        printf("%" G_GINT64_FORMAT " domain%s %s\n", db_int(done, 0, 0), PLURAL(db_int(done, 0, 0)),
               strstr(function, "join") ? "added" : "removed");
    if (safe)
        printf("group %s is granted to %s\n", cli->arguments[0], safe);
    db_result_free(done);
    db_close(db);
    return done != NULL;
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
