#include "db/upgrade.h"

#include "db/months.h"
#include "db/schema.h"
#include "db/schema_files.h"
#include "db/schema_look.h"

#include <string.h>

/* Any number will do, as long as every version of the program takes the same. */
#define LOCK "7710421"
#define LONGEST_PAUSE 15

const struct upgrade_settings upgrade_defaults = {.lock_ms = 5000, .tries = 20};

struct upgrade {
    struct db *db;
    const struct upgrade_settings *settings;
    GArray *parts;      /* struct upgrade_part of the transaction */
    GHashTable *before; /* what was there when a dry run began; else NULL */
    gint64 rows;        /* changed before the part that is under way */
    gboolean fresh;     /* there was no schema */
    gboolean whole;     /* views, functions and catalogue were installed by this run */
};

static void part_clear(gpointer part)
{
    g_free((char *)((struct upgrade_part *)part)->changes);
}

/* ---- the files ---- */

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
        enum file_kind its = schema_migration_number(f->name)    ? MIGRATION
                             : g_str_has_suffix(f->name, ".csv") ? DATA
                                                                 : REPEATABLE;
        if (its == kind)
            g_ptr_array_add(files, (gpointer)f);
    }
    g_ptr_array_sort(files, by_name);
    return files;
}

/* The first one past this version; NULL when there is none. */
static const struct sql_file *next_migration(int version)
{
    g_autoptr(GPtrArray) migrations = files_of(MIGRATION);
    for (guint i = 0; i < migrations->len; i++) {
        const struct sql_file *file = migrations->pdata[i];
        if (schema_migration_number(file->name) > version)
            return file;
    }
    return NULL;
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
    g_autofree char *version = g_strdup_printf("%d", schema_migration_number(file->name));
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

/* senders.csv is what goes into the table sender. */
static gboolean load_csv(struct db *db, const struct sql_file *file, GError **error)
{
    g_autofree char *table = g_strndup(file->name, strlen(file->name) - strlen("s.csv"));
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

/* Those of sql/who_may.sql: they may be made after the schema. */
#define ROLES                                                                                                \
    "unnest(ARRAY['whosends_ingest', 'whosends_read', 'whosends_customer']) WITH ORDINALITY w (name, at)"
#define MISSING "NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = w.name)"

/* 1 when they are what was installed last, and each role has what they give it, unless that is for another
 * one than us to give; 0 when not, -1 with an error. Roles are looked at by themselves: in a statement about
 * a distributed table it would be the table behind pg_roles, which not everybody may read. */
static int is_installed(struct db *db, const char *hash, GError **error)
{
    static const char installed[] = "SELECT count(*) FROM dmarc.repeatable WHERE hash = $1"
                                    " AND version = (SELECT max(version) FROM dmarc.schema_version)";
    static const char lacking[] =
        "SELECT (pg_has_role((SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE "
        "n.nspname = 'dmarc'), 'USAGE')"
        " AND EXISTS (SELECT FROM " ROLES " WHERE CASE WHEN " MISSING
        " THEN (SELECT m.rolcreaterole OR m.rolsuper FROM pg_catalog.pg_roles m WHERE m.rolname = "
        "current_user)"
        " ELSE NOT has_schema_privilege(w.name, 'dmarc', 'USAGE') END))::int";
    struct db_result *known = db_query(db, "reading what is installed", installed, 1, &hash, error);
    struct db_result *roles = known && db_int(known, 0, 0)
                                  ? db_query(db, "looking what roles lack", lacking, 0, NULL, error)
                                  : NULL;
    int same = !known || (db_int(known, 0, 0) && !roles) ? -1 : roles && !db_int(roles, 0, 0);
    db_result_free(known);
    db_result_free(roles);
    return same;
}

static gboolean apply_repeatables(struct db *db, const char *hash, GError **error)
{
    g_autoptr(GPtrArray) sql = files_of(REPEATABLE);
    g_autoptr(GPtrArray) csv = files_of(DATA);
    for (guint i = 0; i < sql->len; i++) {
        const struct sql_file *file = sql->pdata[i];
        if (!db_run(db, file->name, file->text, error))
            return FALSE;
    }
    for (guint i = 0; i < csv->len; i++)
        if (!load_csv(db, csv->pdata[i], error))
            return FALSE;
    if (!db_run(db, "settling what is stored", "SELECT dmarc_store.settle()", error))
        return FALSE;
    struct db_result *noted =
        db_query(db, "noting what is installed",
                 "INSERT INTO dmarc.repeatable (one, hash, version) "
                 "SELECT true, $1, max(version) FROM dmarc.schema_version "
                 "ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, version = excluded.version, "
                 "applied_at = excluded.applied_at",
                 1, &hash, error);
    db_result_free(noted);
    return noted != NULL;
}

/* ---- the parts ---- */

static gboolean begin(struct upgrade *u, GError **error)
{
    static const char sql[] =
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path = dmarc, pg_catalog;"
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
        "SET LOCAL idle_in_transaction_session_timeout = 0;"
        "SELECT pg_advisory_xact_lock(" LOCK ")";
    g_array_set_size(u->parts, 0);
    u->rows = 0;
    if (!db_run(u->db, "beginning an upgrade", sql, error))
        return FALSE;
    g_clear_pointer(&u->before, g_hash_table_unref);
    return !u->settings->dry_run ||
           ((u->before = schema_look(u->db, error)) && (u->rows = schema_rows_changed(u->db, error)) >= 0);
}

/* From here on nobody writes, and no lock is waited for longer than it may be. */
static gboolean keep_others_out(struct upgrade *u, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SET LOCAL lock_timeout = %u; SELECT pg_advisory_xact_lock(" SCHEMA_WRITERS ")",
                        u->settings->lock_ms);
    return db_run(u->db, "waiting for those who write", sql, error);
}

static gboolean note_part(struct upgrade *u, const char *file, gint64 began, GError **error)
{
    struct upgrade_part part = {.file = file,
                                .seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC};
    if (u->settings->dry_run) {
        gint64 rows = schema_rows_changed(u->db, error);
        g_autoptr(GHashTable) now = file ? NULL : schema_look(u->db, error);
        if (rows < 0 || (!file && !now))
            return FALSE;
        part.rows = rows - u->rows;
        part.changes = file ? NULL : schema_differences(u->before, now);
        u->rows = rows;
    }
    g_array_append_val(u->parts, part);
    return TRUE;
}

/* The next part. 1 when it is done, 0 when there is none, -1 with an error. */
static int do_part(struct upgrade *u, const char *hash, GError **error)
{
    gint64 began = g_get_monotonic_time();
    int version = schema_version(u->db, error);
    if (version < 0 || !schema_is_known(version, error))
        return -1;
    u->fresh = u->fresh || !version;
    const struct sql_file *file = next_migration(version);
    /* Once is enough, whatever the roles have then. */
    int same = file ? 0 : u->whole ? 1 : is_installed(u->db, hash, error);
    if (same)
        return same > 0 ? 0 : -1;
    g_autofree char *now = schema_writable(u->db, error);
    gboolean ok =
        now && keep_others_out(u, error) &&
        (file ? apply_migration(u->db, file, version, error) : apply_repeatables(u->db, hash, error));
    u->whole = ok && !file;
    return ok && note_part(u, file ? file->name : NULL, began, error) ? 1 : -1;
}

/* Whether the last statement failed because of a lock. */
static gboolean met_lock(const struct db *db)
{
    return g_strv_contains((const char *const[]){"55P03", "40P01", NULL}, db_sqlstate(db));
}

/* One transaction: as do_part. *locked_r: it failed because of a lock. */
static int do_transaction(struct upgrade *u, const char *hash, gboolean *locked_r, GError **error)
{
    int done = begin(u, error) ? do_part(u, hash, error) : -1;
    while (u->settings->dry_run && done > 0)
        done = do_part(u, hash, error);
    if (done > 0 && !db_run(u->db, "committing an upgrade", "COMMIT", error))
        done = -1;
    *locked_r = done < 0 && met_lock(u->db);
    u->whole = u->whole && done >= 0;
    if (done <= 0)
        roll_back(u->db);
    return done;
}

/* Whether a transaction that met a lock may be tried again: after a pause. */
static gboolean give_way(struct upgrade *u, guint tried, GError **error)
{
    g_autofree char *who = schema_in_the_way(u->db);
    if (tried >= u->settings->tries) {
        g_prefix_error(error, "could not upgrade the database while it is in use by %s: ", who);
        return FALSE;
    }
    guint seconds = MIN(1u << MIN(tried - 1, 8u), LONGEST_PAUSE);
    if (u->settings->held_up)
        u->settings->held_up(who, seconds, u->settings->data);
    g_clear_error(error);
    g_usleep(seconds * G_USEC_PER_SEC);
    return TRUE;
}

static int tell(struct upgrade *u)
{
    int migrations = 0;
    for (guint i = 0; i < u->parts->len; i++) {
        const struct upgrade_part *part = &g_array_index(u->parts, struct upgrade_part, i);
        migrations += part->file ? 1 : 0;
        if (u->settings->done)
            u->settings->done(part, u->settings->data);
    }
    g_array_set_size(u->parts, 0);
    return migrations;
}

gboolean upgrade_roles(struct db *db, struct upgrade_roles *roles, GError **error)
{
    static const char sql[] = "SELECT string_agg(w.name, ', ' ORDER BY w.at),"
                              " string_agg('CREATE ROLE ' || w.name, '; ' ORDER BY w.at), current_user"
                              " FROM " ROLES " WHERE " MISSING;
    struct db_result *result = db_query(db, "looking for roles", sql, 0, NULL, error);
    if (!result)
        return FALSE;
    *roles = (struct upgrade_roles){g_strdup(db_value(result, 0, 0)), g_strdup(db_value(result, 0, 1)),
                                    g_strdup(db_value(result, 0, 2))};
    db_result_free(result);
    return TRUE;
}

void upgrade_roles_clear(struct upgrade_roles *roles)
{
    g_free(roles->missing);
    g_free(roles->make);
    g_free(roles->mine);
}

int upgrade_run(struct db *db, const struct upgrade_settings *settings, GError **error)
{
    struct upgrade u = {
        .db = db, .settings = settings, .parts = g_array_new(FALSE, FALSE, sizeof(struct upgrade_part))};
    g_autofree char *hash = repeatable_hash();
    int done = 1, applied = 0;
    guint tried = 0;
    gboolean locked;
    g_array_set_clear_func(u.parts, part_clear);
    while (done > 0) {
        GError *reason = NULL;
        done = do_transaction(&u, hash, &locked, &reason);
        if (locked && give_way(&u, ++tried, &reason)) {
            done = 1;
            continue;
        }
        if (reason)
            g_propagate_error(error, reason);
        else
            applied += tell(&u);
    }
    g_array_unref(u.parts);
    if (u.before)
        g_hash_table_unref(u.before);
    /* A new schema has the months that first mails are about: they need not wait for these to be made.
     * Whoever writes reports makes those that could not be made now. */
    gint64 made;
    g_autoptr(GError) unmade = NULL;
    if (done == 0 && u.fresh && !settings->dry_run && !months_make(db, -1, 0, &made, &unmade))
        g_debug("no months are made ahead: %s", unmade->message);
    return done < 0 ? -1 : applied;
}
