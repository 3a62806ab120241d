/* What becomes of the reports of a transaction: which are the same, which are new, which take the place of
 * another. Internal to the writer.
 *
 * What was found in a text of a mail is a duplicate of the mail's document with the same identity, whatever
 * both hold, unless only the document is incomplete.
 *
 * Of an incomplete report and a better copy of the same identity only the better one counts: one that begins
 * with all the records of the other, and is whole or has more of them. What holds other records is another
 * report, and both count. The incomplete one is a duplicate when it comes later; when it was there first, its
 * records are taken away and it stays as `replaced`. A copy that came less trusted takes nobody's place. One
 * copy that came trusted makes a report trusted. Of very many copies that are all different only the best few
 * are looked at.
 *
 * So that two writers cannot store both halves of such a pair without seeing each other, who writes an
 * incomplete report does so alone: an advisory lock, shared by all others, comes before all other locks.
 * Where the database has many nodes, dmarc_store.share() and alone() see to it that this holds across them,
 * and what is asked about stored reports is fetched first: no node joins its temporary tables row by row with
 * what is on others. Rows
 * of reports that are there are changed in ascending order of domain, day and id. */
#pragma once

#include "db/batch.h"

struct decision {
    struct batch *batch;
    struct db *db;
    guint first, end;       /* reports */
    guint primaries, fresh; /* to be staged; that turned out to be new */
    gboolean incomplete;    /* one of the primaries is */
    gboolean alone;         /* in any case */
    GPtrArray *late;        /* what is left for decide_sums: struct late */
};

/* Among themselves: fills in same_as, collision and trust. Fails when their records cannot be read. */
gboolean decide_among(struct decision *decision, GError **error);

/* Begins the transaction, alone if need be. */
gboolean decide_begin(const struct decision *decision, GError **error);

/* Once the primaries are staged: stores those that are new, and fills in fresh and stored_id of all
 * primaries. */
gboolean decide_stored(struct decision *decision, GError **error);

/* Runs a statement with the ids of those that turned out to be new. */
gboolean decide_fresh(const struct decision *decision, const char *name, const char *sql, GError **error);

/* Last of all, once the records are there: adds what is new to the sums, and takes out of them, with their
 * records, the reports that were replaced. */
gboolean decide_sums(struct decision *decision, GError **error);
void decide_clear(struct decision *decision);
