/* Installs and upgrades schema dmarc from the files of sql/ that are built into the program.
 *
 * What a file is, its name says:
 *   NNN_name.sql   a numbered migration: run once, in order, together with its row in
 * dmarc.schema_version. Never changed after a release. name.sql       repeatable (views, functions,
 * comments, roles): all of them run again, in the order of their names, after the migrations, with
 * the CSV files, whenever a migration was applied or any of these files is not what
 * dmarc.repeatable remembers. Must stand being run twice (CREATE OR REPLACE, DROP IF EXISTS, ...). X.csv data
 * of table dmarc.X, with a header line of its column names, after all SQL. It is copied to a temporary table
 *                  load_X, which has the columns and defaults of dmarc.X; then SELECT dmarc.load_X() takes it
 * over, a function that a repeatable file provides (PL/pgSQL, since the temporary table must be there when
 *                  the body is planned). In the order of their names.
 * No file may hold BEGIN, COMMIT or psql commands. Schema dmarc exists before the first one; search_path is
 * dmarc, pg_catalog. */
#pragma once

#include "db/conn.h"

/* The version this program knows: the number of its last migration. */
int schema_latest(void);
/* 0 on an empty database, -1 on error (also when a schema dmarc is there that is not ours:
 * WS_ERROR_DB_SCHEMA). */
int schema_version(struct db *db, GError **error);
/* Makes the schema if need be and applies what is missing, in one transaction under an advisory lock: many
 * may call it at once, on an empty database, too, and nobody ever sees a part of it. Older programs refuse a
 * newer schema with WS_ERROR_DB_SCHEMA. *applied_r (may be NULL) gets how many migrations this call applied.
 */
gboolean schema_upgrade(struct db *db, int *applied_r, GError **error);
/* For every command but init: fails with WS_ERROR_DB_SCHEMA and a hint when the schema is missing, too old or
 * too new. */
gboolean schema_check(struct db *db, GError **error);
/* For those who write: the database's time as text, owned by the caller, or NULL with WS_ERROR_DB_DOWN when
 * it is read-only. */
char *schema_writable(struct db *db, GError **error);
