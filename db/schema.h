/* Installs and upgrades schema dmarc from the numbered migrations that are built into the program. */
#pragma once

#include "db/conn.h"

/* The version this program knows. */
int schema_latest(void);
/* 0 on an empty database, -1 on error. */
int schema_version(struct db *db, GError **error);
/* Applies what is missing, a transaction each, under an advisory lock, and replaces views, functions and the sender
 * catalogue. Older programs refuse a newer schema with WS_ERROR_DB_SCHEMA. *applied_r (may be NULL) gets how many. */
gboolean schema_upgrade(struct db *db, int *applied_r, GError **error);
/* For every command but init: fails with a hint when the schema is missing or not ours. */
gboolean schema_check(struct db *db, GError **error);
