/* The database floor from the shell, for tests:
 *   db_tool install CONNINFO       schema_upgrade and schema_check; prints how many migrations were applied
 *   db_tool wait CONNINFO MS TRIES upgrade_run with such patience; says who is in the way
 *   db_tool check CONNINFO         schema_check alone
 *   db_tool run CONNINFO SQL       db_run
 *   db_tool ensure DIRECTORY       cluster_ensure; prints the conninfo
 *   db_tool stop DIRECTORY         cluster_stop
 * Errors go to standard error as "KIND: message", exit status 1. */
#include "db/cluster.h"
#include "db/schema.h"
#include "db/upgrade.h"

#include <stdio.h>
#include <string.h>

static int fail(GError *error)
{
    static const char *const names[] = {
        [WS_ERROR_CONFIG] = "config",    [WS_ERROR_DB_DOWN] = "down",  [WS_ERROR_DB_REFUSED] = "refused",
        [WS_ERROR_DB_SCHEMA] = "schema", [WS_ERROR_SYSTEM] = "system",
    };
    const char *name = (gsize)error->code < G_N_ELEMENTS(names) ? names[error->code] : NULL;
    fprintf(stderr, "%s: %s\n", name ? name : "other", error->message);
    g_error_free(error);
    return 1;
}

static void is_held_up(const char *by_whom, guint seconds, gpointer data)
{
    (void)data;
    printf("held up by %s, %u s\n", by_whom, seconds);
}

static gboolean upgrade(struct db *db, char **argv, GError **error)
{
    struct upgrade_settings settings = upgrade_defaults;
    settings.lock_ms = (guint)g_ascii_strtoull(argv[0], NULL, 10);
    settings.tries = (guint)g_ascii_strtoull(argv[1], NULL, 10);
    settings.held_up = is_held_up;
    return upgrade_run(db, &settings, error) >= 0;
}

static gboolean with_database(const char *verb, const char *conninfo, char **argv, GError **error)
{
    struct db *db = db_open(conninfo, error);
    gboolean ok = db != NULL;
    int applied = 0;
    if (ok && !strcmp(verb, "install")) {
        ok = schema_upgrade(db, &applied, error) && schema_check(db, error);
        if (ok)
            printf("%d applied, version %d of %d\n", applied, schema_version(db, NULL), schema_latest());
    } else if (ok && !strcmp(verb, "wait")) {
        ok = upgrade(db, argv, error);
    } else if (ok && !strcmp(verb, "check")) {
        ok = schema_check(db, error);
    } else if (ok) {
        ok = db_run(db, "running", argv[0], error);
    }
    db_close(db);
    return ok;
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    if (argc < 3)
        return 2;
    if (!strcmp(argv[1], "ensure")) {
        g_autofree char *conninfo = cluster_ensure(argv[2], &error);
        if (conninfo)
            puts(conninfo);
    } else if (!strcmp(argv[1], "stop")) {
        gboolean ran;
        cluster_stop(argv[2], &ran, &error);
    } else {
        with_database(argv[1], argv[2], argv + 3, &error);
    }
    return error ? fail(error) : 0;
}
