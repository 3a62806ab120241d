#include "cli/command.h"
#include "cli/database.h"
#include "db/cluster.h"
#include "ingest/secret.h"
#include "parser/error.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

gboolean cmd_stop(struct cli *cli, GError **error)
{
    g_autofree char *directory = database_directory(&cli->config);
    if (!g_file_test(directory, G_FILE_TEST_EXISTS)) {
        g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "there is no private cluster in '%s'", directory);
        return FALSE;
    }
    gboolean ran;
    if (!cluster_stop(directory, &ran, error))
        return FALSE;
    printf("the private cluster in '%s' %s\n", directory, ran ? "was stopped" : "does not run");
    return TRUE;
}

/* What psql gets as an argument every user of the machine can read; its environment only its owner. */
static char *conninfo_for_psql(const struct config *config, GError **error)
{
    g_autofree char *whole = database_conninfo(config, FALSE, error);
    char *password = NULL;
    g_autofree char *conninfo = whole ? db_conninfo_part(whole, &password, error) : NULL;
    if (!conninfo)
        return NULL;
    if (password)
        g_setenv("PGPASSWORD", password, TRUE);
    secret_free(password);
    if (!config_conninfo_secret(conninfo))
        return g_steal_pointer(&conninfo);
    g_set_error_literal(error, WS_ERROR, WS_ERROR_CONFIG,
                        "cannot hand the password of a key to psql: others could see it\n"
                        "hint: name a key that has none in the conninfo");
    return NULL;
}

gboolean cmd_sql(struct cli *cli, GError **error)
{
    g_autofree char *conninfo = conninfo_for_psql(&cli->config, error);
    if (!conninfo)
        return FALSE;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char program[] = "psql", option[] = "-d";
    g_ptr_array_add(argv, program);
    g_ptr_array_add(argv, option);
    g_ptr_array_add(argv, conninfo);
    for (char **argument = cli->arguments; *argument; argument++)
        g_ptr_array_add(argv, *argument);
    g_ptr_array_add(argv, NULL);
    g_setenv("PGOPTIONS", "-c search_path=dmarc,public", TRUE);
    g_setenv("PGAPPNAME", "whosends sql", TRUE);
    execvp(program, (char **)argv->pdata);
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG, "cannot run psql: %s%s", g_strerror(errno),
                errno == ENOENT ? "\nhint: it is in the package postgresql-client" : "");
    return FALSE;
}
