#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "db/cluster.h"
#include "db/schema.h"
#include "parser/error.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static gboolean upgrade(struct db *db, GError **error)
{
    int applied = 0;
    if (!schema_upgrade(db, &applied, error))
        return FALSE;
    printf("schema dmarc is at version %d, %d applied\n", schema_latest(), applied);
    return TRUE;
}

gboolean cmd_init(struct cli *cli, GError **error)
{
    struct db *db = database_open(&cli->config, TRUE, error);
    gboolean ok = db && upgrade(db, error);
    db_close(db);
    return ok;
}

gboolean cmd_upgrade(struct cli *cli, GError **error)
{
    struct db *db = database_open(&cli->config, FALSE, error);
    int version = db ? schema_version(db, error) : -1;
    if (version == 0)
        g_set_error_literal(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                            "cannot upgrade an empty database\nhint: \"whosends init\" creates the schema");
    gboolean ok = version > 0 && upgrade(db, error);
    db_close(db);
    return ok;
}

gboolean cmd_stop(struct cli *cli, GError **error)
{
    g_autofree char *directory = database_directory(&cli->config);
    if (!g_file_test(directory, G_FILE_TEST_EXISTS)) {
        g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "there is no private cluster in '%s'", directory);
        return FALSE;
    }
    if (!cluster_stop(directory, error))
        return FALSE;
    printf("the private cluster in '%s' does not run\n", directory);
    return TRUE;
}

/* The conninfo goes to psql as an argument, where every user of the machine can read it. */
gboolean cmd_sql(struct cli *cli, GError **error)
{
    g_autofree char *conninfo = database_conninfo(&cli->config, FALSE, error);
    if (!conninfo)
        return FALSE;
    if (config_conninfo_secret(conninfo)) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_CONFIG,
                            "cannot hand a conninfo with a password to psql: others could see it\n"
                            "hint: put the password into ~/.pgpass, or name a passfile in the conninfo");
        return FALSE;
    }
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
