/* What has to be done now and then, in transactions of bounded size, see sql/upkeep.sql: any of these may be
 * killed at any time, and run beside ingesters and beside itself. */
#pragma once

#include "db/conn.h"

/* Called after each piece: how many are done and how many, as far as known, are to come. */
typedef void (*upkeep_told)(gint64 done, gint64 remaining, gpointer data);

struct upkeep_maintained {
    gint64 partitions, moved, rows; /* made ahead; made for rows that came before; these rows */
    gint64 reports, compacted;      /* folded; rows of daily sums that went into others */
    gint64 profiles;                /* judged in another way than before */
    double bytes;                   /* given back to the disk */
};

/* Partitions for this month and the next two, and for rows that came before theirs was made; folding, where
 * that pays; daily sums of many rows into one; what the catalogue judges in another way now; and room that is
 * free in months that are over goes back to the disk. `told` counts reports. */
gboolean upkeep_maintain(struct db *db, upkeep_told told, struct upkeep_maintained *done_r, GError **error);
/* Judges the mail of the policy domains in the first column by the catalogue as it is now, a domain a
 * transaction. Adds how many profiles changed, and of how many domains. */
gboolean upkeep_judge(struct db *db, const struct db_result *domains, gint64 *profiles, guint64 *changed,
                      GError **error);
/* Folds the addresses of reports of domains where many wait for it; *reports_r is how many. */
gboolean upkeep_fold(struct db *db, upkeep_told told, gint64 *reports_r, GError **error);

struct upkeep_pruned {
    gint64 months, reports, records, mails; /* reports of all kinds */
    double bytes;                           /* about */
    gint64 evidence, profiles; /* that nothing refers to any more; only known when they are gone */
};

/* What would be taken away up to `before`, the first day of a month. */
gboolean upkeep_prune_plan(struct db *db, const char *before, struct upkeep_pruned *plan_r, GError **error);
/* Takes it away, the oldest month first. `told` counts mails. */
gboolean upkeep_prune(struct db *db, const char *before, upkeep_told told, struct upkeep_pruned *gone_r,
                      GError **error);
