/* What an upgrade changes, for those who want to know: definitions, rows, and who is in the way. Internal to
 * db/upgrade.c. */
#pragma once

#include "db/conn.h"

/* What views, functions, senders and rules are now: kind and name, with a hash of each. Free with
 * g_hash_table_unref. NULL with an error. */
GHashTable *schema_look(struct db *db, GError **error);
/* What is different, "functions: 3 new, 2 changed; senders: 1 gone"; "nothing" when nothing is. Owned by the
 * caller. */
char *schema_differences(GHashTable *before, GHashTable *after);
/* How many rows this transaction has changed in our tables so far; -1 with an error. */
gint64 schema_rows_changed(struct db *db, GError **error);
/* In words, whose transaction has held a lock of ours for longest. Owned by the caller. */
char *schema_in_the_way(struct db *db);
