/* Installs and upgrades schema dmarc from the files of sql/ that are built into the program.
 *
 * What a file is, its name says:
 *
 * NNN_name.sql: a numbered migration, run once, in order, in a transaction of its own together with its row
 * in dmarc.schema_version. It locks the tables that it changes before all else, in the order of db/batch.h.
 * Never changed after a release, and tested over data of the form before it, see tests/db/migrations.t.
 *
 * name.sql: repeatable (views, functions, comments, roles). All of them run again, in the order of their
 * names, after the migrations, with the CSV files, whenever a migration was applied or any of these files is
 * not what dmarc.repeatable remembers. Must stand being run twice (CREATE OR REPLACE, DROP IF EXISTS, ...).
 *
 * X.csv: data of table dmarc_store.X, with a header line of its column names, after all SQL. It is copied to
 * a temporary table load_X, which has the columns and defaults of that table; then SELECT
 * dmarc_store.load_X() takes it over, a function that a repeatable file provides (PL/pgSQL, since the
 * temporary table must be there when the body is planned). In the order of their names.
 *
 * No file may hold BEGIN, COMMIT or psql commands. Schema dmarc exists before the first one; search_path is
 * dmarc, pg_catalog. */
#pragma once

#include "db/conn.h"

/* The advisory lock that every transaction shares which writes reports or the ledger, and that an upgrade has
 * alone. Any number will do, as long as every version of the program takes the same. */
#define SCHEMA_WRITERS "7710423"

/* The version this program knows: the number of its last migration. */
int schema_latest(void);
/* 0 on an empty database, -1 on error (also when a schema dmarc is there that is not ours:
 * WS_ERROR_DB_SCHEMA). */
int schema_version(struct db *db, GError **error);
/* The number in the name of a migration; 0 for a file that is none. */
int schema_migration_number(const char *name);
/* FALSE with WS_ERROR_DB_SCHEMA for a version newer than this program. */
gboolean schema_is_known(int version, GError **error);

/* Makes the schema if need be and applies what is missing, see db/upgrade.h: many may call it at once, on an
 * empty database, too. Older programs refuse a newer schema with WS_ERROR_DB_SCHEMA. *applied_r (may be NULL)
 * gets how many migrations this call applied. */
gboolean schema_upgrade(struct db *db, int *applied_r, GError **error);
/* For those who may make the schema and not change it, with what schema_version said: as schema_upgrade while
 * it was never whole, else as schema_check. */
gboolean schema_ensure(struct db *db, int version, GError **error);
/* For every command but init: fails with WS_ERROR_DB_SCHEMA and a hint when the schema is missing, too old or
 * too new. */
gboolean schema_check(struct db *db, GError **error);
/* For those who write, in a transaction of theirs, too: the database's time as text, owned by the caller, or
 * NULL with WS_ERROR_DB_DOWN when it is read-only. */
char *schema_writable(struct db *db, GError **error);
