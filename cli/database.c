#include "cli/database.h"

#include "cli/log.h"
#include "db/cluster.h"
#include "db/schema.h"

char *database_directory(const struct config *config)
{
    return config->data_directory ? g_strdup(config->data_directory) : cluster_default_directory();
}

char *database_conninfo(const struct config *config, gboolean make, GError **error)
{
    if (config->database) {
        log_debug("database: as configured");
        return g_strdup(config->database);
    }
    g_autofree char *directory = database_directory(config);
    log_debug("database: private cluster in '%s'", directory);
    if (!make && !g_file_test(directory, G_FILE_TEST_EXISTS)) {
        g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                    "there is no database yet: no private cluster in '%s'\nhint: \"whosends ingest\" or "
                    "\"whosends init\" makes one; another database is set by whosends.database",
                    directory);
        return NULL;
    }
    return cluster_ensure(directory, error);
}

struct db *database_open(const struct config *config, gboolean make, GError **error)
{
    g_autofree char *conninfo = database_conninfo(config, make, error);
    return conninfo ? db_open(conninfo, error) : NULL;
}

struct db *database_writable(const struct config *config, char **now_r, GError **error)
{
    struct db *db = database_open(config, TRUE, error);
    int version = db ? schema_version(db, error) : -1;
    gboolean ok = version >= 0 && (*now_r = schema_writable(db, error)) && schema_ensure(db, version, error);
    if (!ok)
        g_clear_pointer(&db, db_close);
    return db;
}

struct db *database_ready(const struct config *config, GError **error)
{
    struct db *db = database_open(config, FALSE, error);
    if (db && !schema_check(db, error)) {
        db_close(db);
        db = NULL;
    }
    return db;
}
