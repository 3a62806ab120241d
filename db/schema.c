#include "db/schema.h"

#include "db/schema_files.h"

#include <string.h>

/* Any number will do, as long as every version of the program takes the same. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(7710421)"

/* "001_base.sql": 1. 0 for a file that is no migration. */
static int migration_number(const char *name)
{
    gsize digits = strspn(name, "0123456789");
    if (!digits || name[digits] != '_' || !g_str_has_suffix(name, ".sql"))
        return 0;
    return (int)g_ascii_strtoull(name, NULL, 10);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const struct sql_file *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

enum file_kind { MIGRATION, REPEATABLE, DATA };

/* The files of one kind by name; the rows are lent. */
static GPtrArray *files_of(enum file_kind kind)
{
    GPtrArray *files = g_ptr_array_new();
    for (const struct sql_file *f = sql_files; f->name; f++) {
        enum file_kind its = migration_number(f->name)           ? MIGRATION
                             : g_str_has_suffix(f->name, ".csv") ? DATA
                                                                 : REPEATABLE;
        if (its == kind)
            g_ptr_array_add(files, (gpointer)f);
    }
    g_ptr_array_sort(files, by_name);
    return files;
}

int schema_latest(void)
{
    int latest = 0;
    for (const struct sql_file *f = sql_files; f->name; f++)
        latest = MAX(latest, migration_number(f->name));
    return latest;
}

/* Over everything that is not a migration. Owned by the caller. */
static char *repeatable_hash(void)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (int kind = REPEATABLE; kind <= DATA; kind++) {
        g_autoptr(GPtrArray) files = files_of((enum file_kind)kind);
        for (guint i = 0; i < files->len; i++) {
            const struct sql_file *f = files->pdata[i];
            g_checksum_update(sum, (const guchar *)f->name, (gssize)strlen(f->name) + 1);
            g_checksum_update(sum, (const guchar *)f->text, (gssize)strlen(f->text) + 1);
        }
    }
    char *hash = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
    return hash;
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

static gboolean refuse_newer(int version, GError **error)
{
    if (version <= schema_latest())
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                "cannot use the database: its schema has version %d, and this program knows %d: install the "
                "newer whosends",
                version, schema_latest());
    return FALSE;
}

/* Whatever the transaction's state is. The error that led here is what the caller wants to see, so there is
 * none. */
static void roll_back(struct db *db)
{
    if (db_alive(db))
        db_run(db, "rolling back", "ROLLBACK", NULL);
}

/* Into the schema at version `there`. */
static gboolean apply_migration(struct db *db, const struct sql_file *file, int there, GError **error)
{
    g_autofree char *version = g_strdup_printf("%d", migration_number(file->name));
    if (!there &&
        !db_run(db, "making the schema",
                "DO $$ BEGIN IF to_regnamespace('dmarc') IS NULL THEN CREATE SCHEMA dmarc; END IF; END $$",
                error))
        return FALSE;
    if (!db_run(db, file->name, file->text, error))
        return FALSE;
    const char *values[] = {version, file->name};
    struct db_result *noted =
        db_query(db, "noting a migration", "INSERT INTO dmarc.schema_version (version, name) VALUES ($1, $2)",
                 2, values, error);
    db_result_free(noted);
    return noted != NULL;
}

/* The header line, if it is nothing but names and commas. Owned by the caller. */
static char *csv_columns(const struct sql_file *file, GError **error)
{
    gsize n = strspn(file->text, "abcdefghijklmnopqrstuvwxyz0123456789_,");
    if (n && (file->text[n] == '\n' || file->text[n] == '\r'))
        return g_strndup(file->text, n);
    g_set_error(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                "cannot load %s: its first line is not a list of column names", file->name);
    return NULL;
}

static gboolean load_csv(struct db *db, const struct sql_file *file, GError **error)
{
    g_autofree char *table = g_strndup(file->name, strlen(file->name) - strlen(".csv"));
    g_autofree char *columns = csv_columns(file, error);
    if (!columns)
        return FALSE;
    g_autofree char *make = g_strdup_printf(
        "CREATE TEMP TABLE load_%s (LIKE dmarc_store.%s INCLUDING DEFAULTS) ON COMMIT DROP", table, table);
    g_autofree char *copy =
        g_strdup_printf("COPY load_%s (%s) FROM STDIN (FORMAT csv, HEADER)", table, columns);
    g_autofree char *take = g_strdup_printf("SELECT dmarc_store.load_%s()", table);
    return db_run(db, file->name, make, error) && db_copy_begin(db, file->name, copy, error) &&
           db_copy_put(db, file->text, strlen(file->text), error) && db_copy_end(db, NULL, error) &&
           db_run(db, file->name, take, error);
}

/* 1 when it ran, 0 when nothing has changed, -1 with an error. */
static int apply_repeatables(struct db *db, GError **error)
{
    g_autofree char *hash = repeatable_hash();
    const char *values[] = {hash};
    g_autoptr(GPtrArray) sql = files_of(REPEATABLE);
    g_autoptr(GPtrArray) csv = files_of(DATA);
    struct db_result *known = db_query(db, "reading what is installed",
                                       "SELECT count(*) FROM dmarc.repeatable WHERE hash = $1 AND version = "
                                       "(SELECT max(version) FROM dmarc.schema_version)",
                                       1, values, error);
    gboolean same = known && db_int(known, 0, 0) > 0;
    db_result_free(known);
    if (!known || same)
        return same ? 0 : -1;
    for (guint i = 0; i < sql->len; i++) {
        const struct sql_file *file = sql->pdata[i];
        if (!db_run(db, file->name, file->text, error))
            return -1;
    }
    for (guint i = 0; i < csv->len; i++)
        if (!load_csv(db, csv->pdata[i], error))
            return -1;
    if (!db_run(db, "settling what is stored", "SELECT dmarc_store.settle()", error))
        return -1;
    struct db_result *noted =
        db_query(db, "noting what is installed",
                 "INSERT INTO dmarc.repeatable (one, hash, version) "
                 "SELECT true, $1, max(version) FROM dmarc.schema_version "
                 "ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, version = excluded.version, "
                 "applied_at = excluded.applied_at",
                 1, values, error);
    db_result_free(noted);
    return noted ? 1 : -1;
}

/* How many migrations were applied, -1 with an error. Somebody else may have been faster. */
static int apply_all(struct db *db, gboolean *changed_r, GError **error)
{
    g_autoptr(GPtrArray) migrations = files_of(MIGRATION);
    int version =
        ask(db, "waiting for the schema's lock", LOCK_SQL, error) < 0 ? -1 : schema_version(db, error);
    int applied = 0;
    if (version < 0 || !refuse_newer(version, error))
        return -1;
    for (guint i = 0; i < migrations->len; i++) {
        const struct sql_file *file = migrations->pdata[i];
        int number = migration_number(file->name);
        if (number <= version)
            continue;
        if (!apply_migration(db, file, version, error))
            return -1;
        version = number;
        applied++;
    }
    int repeated = apply_repeatables(db, error);
    *changed_r = applied || repeated > 0;
    return repeated < 0 ? -1 : applied;
}

gboolean schema_upgrade(struct db *db, int *applied_r, GError **error)
{
    gboolean changed = FALSE;
    if (!db_run(db, "beginning an upgrade", "BEGIN", error))
        return FALSE;
    int applied = apply_all(db, &changed, error);
    if (applied >= 0 && changed && !db_run(db, "committing an upgrade", "COMMIT", error))
        applied = -1;
    if (applied < 0 || !changed)
        roll_back(db);
    if (applied_r)
        *applied_r = MAX(applied, 0);
    return applied >= 0;
}

gboolean schema_check(struct db *db, GError **error)
{
    int version = schema_version(db, error);
    if (version < 0 || !refuse_newer(version, error))
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
