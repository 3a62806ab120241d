/* The upgrade itself, see db/schema.h: one transaction a migration, then one for views, functions and
 * catalogue with what they leave to be done, each under the advisory lock of all upgrades, after which the
 * version is read again. So many may upgrade at once, also through a pool that lends a connection for one
 * transaction. Who dies between two transactions leaves a schema that schema_check refuses as half installed,
 * and the next one goes on from there.
 *
 * Writers share another lock in each of their transactions and look at the version then (SCHEMA_WRITERS): an
 * upgrade waits for those that are under way, and none of an older program writes into a schema that it does
 * not know.
 *
 * Views, functions and catalogue come anew when they are others than were installed, and when a role has
 * appeared since that has no rights yet, or is missing and can be made.
 *
 * What has to wait for a lock makes all others wait behind it. So an upgrade waits for lock_ms at most, gives
 * everything back and tries again later, `tries` times. A migration takes the locks that it needs first. */
#pragma once

#include "db/conn.h"

struct upgrade_part {
    const char *file; /* the migration; NULL: views, functions and catalogue. Lent until the call returns */
    double seconds;
    gint64 rows;         /* inserted, changed and deleted in tables; 0 also when the server does not count */
    const char *changes; /* of views, functions, senders and rules, in words; NULL for a migration */
};

struct upgrade_settings {
    gboolean dry_run; /* all in one transaction, which is rolled back */
    guint lock_ms;    /* 5,000 */
    guint tries;      /* 20, with pauses of 1 to 15 seconds: four to six minutes */
    /* Each part once it is committed, or all of them at the end of a dry run. May be NULL. */
    void (*done)(const struct upgrade_part *part, gpointer data);
    /* Everything was given back because of a lock that somebody else has; it is tried again after the pause.
     * May be NULL. */
    void (*held_up)(const char *by_whom, guint seconds, gpointer data);
    gpointer data;
};
extern const struct upgrade_settings upgrade_defaults;

/* The roles without login that sql/who_may.sql gives rights to, and how they stand. */
struct upgrade_roles {
    char *missing; /* names with commas between them; NULL: all are there */
    char *make;    /* the statements that make those */
    char *mine;    /* who we are */
};
gboolean upgrade_roles(struct db *db, struct upgrade_roles *roles, GError **error);
void upgrade_roles_clear(struct upgrade_roles *roles);

/* How many migrations were applied, or would be; -1 with an error. */
int upgrade_run(struct db *db, const struct upgrade_settings *settings, GError **error);
