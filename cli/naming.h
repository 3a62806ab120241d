/* What people name on the command line: domains, and words of which one is to be found. */
#pragma once

#include "db/conn.h"

#include <glib.h>

/* The normalised domain, owned by the caller; NULL with WS_ERROR_USAGE for what cannot be one. */
char *naming_domain(const char *text, GError **error);
/* The same of many; NULL: none are named. Owned by the caller. */
char **naming_domains(char *const *names, GError **error);
/* The text of an array of domains or of names of groups, which need no more than quotes there; NULL: of none.
 * Owned by the caller. */
char *naming_array(char *const *names);
/* "'TEXT'" for messages, escaped; owned by the caller. */
char *naming_quoted(const char *text);
/* The word nearest to `text` among those that a query returns in its first column; NULL when none is near, or
 * the database does not answer. `value` is the query's parameter, or NULL for none. Owned by the caller. */
char *naming_nearest(struct db *db, const char *sql, const char *value, const char *text);
/* FALSE with WS_ERROR_USAGE when this is no code of a problem. */
gboolean naming_code(const char *code, GError **error);
/* From now on this session sees the domains of a group alone. WS_ERROR_USAGE when it has none to see. */
gboolean naming_use_group(struct db *db, const char *group, GError **error);

/* FALSE with an error when a group cannot have this name. */
gboolean naming_group(const char *name, GError **error);
/* FALSE with an error, and a hint at what may be meant, when there is no group of this name. */
gboolean naming_known_group(struct db *db, const char *group, GError **error);
