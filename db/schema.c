#include "db/schema.h"

#include "db/schema_files.h"
#include "db/upgrade.h"

#include <string.h>

int schema_migration_number(const char *name)
{
    gsize digits = strspn(name, "0123456789");
    if (!digits || name[digits] != '_' || !g_str_has_suffix(name, ".sql"))
        return 0;
    return (int)g_ascii_strtoull(name, NULL, 10);
}

int schema_latest(void)
{
    int latest = 0;
    for (const struct sql_file *f = sql_files; f->name; f++)
        latest = MAX(latest, schema_migration_number(f->name));
    return latest;
}

/* One number; -1 with an error. */
static gint64 ask(struct db *db, const char *name, const char *sql, GError **error)
{
    struct db_result *result = db_query(db, name, sql, 0, NULL, error);
    if (!result)
        return -1;
    gint64 value = db_rows(result) ? db_int(result, 0, 0) : 0;
    db_result_free(result);
    return value;
}

int schema_version(struct db *db, GError **error)
{
    static const char state[] = "SELECT CASE WHEN to_regclass('dmarc.schema_version') IS NOT NULL THEN 2"
                                " WHEN EXISTS (SELECT FROM pg_catalog.pg_class c JOIN "
                                "pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                                " WHERE n.nspname = 'dmarc') THEN 1 ELSE 0 END";
    gint64 found = ask(db, "looking for the schema", state, error);
    if (found == 1)
        g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                    "cannot use the database: it has a schema \"dmarc\" that is not ours: name another "
                    "database or rename "
                    "that schema");
    if (found != 2)
        return found == 0 ? 0 : -1;
    return (int)ask(db, "reading the schema's version",
                    "SELECT coalesce(max(version), 0) FROM dmarc.schema_version", error);
}

gboolean schema_is_known(int version, GError **error)
{
    if (version <= schema_latest())
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                "cannot use the database: its schema has version %d, and this program knows %d: install the "
                "newer whosends",
                version, schema_latest());
    return FALSE;
}

gboolean schema_check(struct db *db, GError **error)
{
    int version = schema_version(db, error);
    if (version < 0 || !schema_is_known(version, error))
        return FALSE;
    if (!version) {
        g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                    "cannot use the database: it has no schema \"dmarc\": run \"whosends init\"");
        return FALSE;
    }
    /* Without that row the migrations are there, and the views are those of another version or none. */
    gint64 whole = ask(db, "reading what is installed",
                       "SELECT count(*) FROM dmarc.repeatable WHERE version = (SELECT max(version) FROM "
                       "dmarc.schema_version)",
                       error);
    if (whole == 0 || (whole > 0 && version < schema_latest()))
        g_set_error(
            error, WS_ERROR, WS_ERROR_DB_SCHEMA,
            "cannot use the database: its schema has version %d%s, and %d is needed: run \"whosends init\"",
            version, whole ? "" : ", half installed", schema_latest());
    return whole > 0 && version == schema_latest();
}

gboolean schema_upgrade(struct db *db, int *applied_r, GError **error)
{
    int applied = upgrade_run(db, &upgrade_defaults, error);
    if (applied_r)
        *applied_r = MAX(applied, 0);
    return applied >= 0;
}

gboolean schema_ensure(struct db *db, int version, GError **error)
{
    /* An installation that is not at its end yet, or never came there. */
    gint64 whole = version > 0
                       ? ask(db, "reading what is installed", "SELECT count(*) FROM dmarc.repeatable", error)
                       : 0;
    if (version < 0 || whole < 0)
        return FALSE;
    /* Looks at the version once more: somebody else may just have brought it there. */
    return whole ? schema_check(db, error) : schema_upgrade(db, NULL, error);
}

char *schema_writable(struct db *db, GError **error)
{
    struct db_result *result =
        db_query(db, "asking whether the database can be written to",
                 "SELECT current_setting('transaction_read_only'), clock_timestamp()", 0, NULL, error);
    if (!result)
        return NULL;
    char *now = g_strdup(db_value(result, 0, 1));
    if (strcmp(db_value(result, 0, 0), "on") == 0) {
        g_clear_pointer(&now, g_free);
        g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN,
                    "could not write to the database: it is read-only: a standby, or "
                    "default_transaction_read_only is set for this user or database");
    }
    db_result_free(result);
    return now;
}
