#include "cli/command.h"
#include "cli/database.h"
#include "cli/naming.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/text.h"

#include <stdio.h>
#include <string.h>

/* The domains as the text of an array, normalised; owned by the caller. NULL with an error. */
static char *take_domains(char *const *names, GError **error)
{
    g_autoptr(GString) list = g_string_new("{");
    for (; *names; names++) {
        g_autofree char *domain = naming_domain(*names, error);
        if (!domain)
            return NULL;
        /* A name that can be one holds no quote, no backslash and no brace that is not quoted here. */
        g_string_append_printf(list, "%s\"%s\"", list->len > 1 ? "," : "", domain);
    }
    g_string_append_c(list, '}');
    return g_strdup(list->str);
}

static gboolean change(struct cli *cli, const char *function, GError **error)
{
    g_autofree char *domains = take_domains(cli->arguments + 2, error);
    if (!domains)
        return FALSE;
    const char *values[] = {cli->arguments[0], domains};
    g_autofree char *sql = g_strdup_printf("SELECT %s($1, $2::text[]), ARRAY(SELECT g.role::text FROM "
                                           "dmarc_store.group_grant g WHERE g.name = $1 ORDER BY 1)",
                                           function);
    struct db *db = database_ready(&cli->config, error);
    struct db_result *done = db ? db_query(db, "changing a group", sql, 2, values, error) : NULL;
    g_autofree char *roles = done ? text_list_joined(db_value(done, 0, 1), ", ") : NULL;
    g_autofree char *safe = roles && *roles ? render_safe(roles) : NULL;
    if (done)
        printf("%" G_GINT64_FORMAT " domain%s %s\n", db_int(done, 0, 0), db_int(done, 0, 0) == 1 ? "" : "s",
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
