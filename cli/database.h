/* The database that the configuration names, or the private cluster. */
#pragma once

#include "cli/config.h"
#include "db/conn.h"

/* The conninfo: of the configuration, or of the private cluster, which is started. With `make` FALSE a
 * cluster that was never made is an error. Owned by the caller, who never shows it. */
char *database_conninfo(const struct config *config, gboolean make, GError **error);
/* A connection to it. Owned by the caller. */
struct db *database_open(const struct config *config, gboolean make, GError **error);
/* For one who writes: an empty database gets the schema first. *now_r is the time of schema_writable. */
struct db *database_writable(const struct config *config, char **now_r, GError **error);
/* For one who reads: the schema is there and is ours. */
struct db *database_ready(const struct config *config, GError **error);
/* Where the private cluster is or would be. Owned by the caller. */
char *database_directory(const struct config *config);
