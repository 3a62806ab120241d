/* The tables of failure reports and TLS reports, as db/rows.h for the others. */
#pragma once

#include "db/others.h"

/* Temporary tables in which rows wait for the sorted INSERT. Safe to run twice in a session. */
extern const char rows_other_staging[];

/* By enum other_kind. The INSERT returns the ids of those that were new; `known` returns (staged id, stored
 * id) of all. The second INSERT is for a distributed database, after `rows_tls_gather`, see db/rows.h. */
struct other_table {
    const char *copy, *insert[2], *known;
};
extern const struct other_table rows_other_tables[OTHER_KINDS];
extern const char rows_other_gathering[], rows_tls_gather[];

/* A whole row. `subject_hash` is 16 bytes or NULL. */
void rows_failure(GByteArray *out, gint64 id, const guint8 *key, const struct failure_report *report,
                  const char *subject, const guint8 *subject_hash);

/* A row is head, tail and whether the same identity came earlier in the batch: three calls in this order. */
void rows_tls_head(GByteArray *out, gint64 id, const guint8 *identity, const struct tls_head *head);
void rows_tls_tail(GByteArray *out, const guint8 *content, guint policies, guint failures, guint n_warnings,
                   const struct report_warning *warnings);
void rows_tls_end(GByteArray *out, gboolean collision);

extern const char rows_tls_policy_copy[], rows_tls_failure_copy[];
void rows_tls_policy(GByteArray *out, const struct other_report *report, guint ordinal,
                     const struct tls_policy *policy);
void rows_tls_failure(GByteArray *out, const struct other_report *report, guint policy, guint ordinal,
                      const struct tls_failure *failure);

/* Take a TLS report away, its parts first: domain, day, id; as in db/rows.h. */
extern const char *const rows_reread_tls[2];
extern const char rows_reread_tls_delete[], rows_reread_tls_came[];
