/* The tables that the writer fills, as rows of COPY BINARY, and the statements that go with them. The order
 * of the columns is known here and nowhere else. */
#pragma once

#include "db/batch.h"
#include "db/profile.h"

/* Temporary tables in which rows wait for the sorted INSERT. Safe to run twice in a session. */
extern const char rows_staging[];

/* Reports. A row is begin, head, tail, end: four calls in this order. The INSERT returns (id, id_collision)
 * of those that were new; `known` returns (staged id, stored id, whether the staged one is better: more
 * trusted, or whole) of all. */
extern const char rows_report_copy[], rows_report_insert[], rows_report_known[];
/* See db/decide.h. `better` returns (staged id, stored id) of incomplete ones that a better copy of is there,
 * `drop` takes these out of the staging table. `changes` returns (domain, day, id, replaced, trusted,
 * incomplete, undoubted) of rows that are to be changed, in ascending order: domain, day and id are the
 * arguments of `replace`, all but replaced and undoubted those of `improve`. `unflag` looks at
 * id_collision of new ones again. `count` adds those that are new to the sums; it comes last of all that a
 * transaction does. `drop` of observations takes (domain, day, id) of a report whose records go, `undoubt` of
 * one that is trusted now: both change sums, too. */
extern const char rows_report_better[], rows_report_drop[], rows_report_changes[], rows_report_replace[],
    rows_report_improve[], rows_report_unflag[], rows_report_count[], rows_report_undoubt[],
    rows_observation_drop[];
void rows_report_head(GByteArray *out, gint64 id, const guint8 *identity, const struct report_head *head);
struct message_sum {
    guint64 high, low; /* the sum is high * 10^18 + low, low less than 10^18 */
};
struct report_totals {
    const guint8 *content;
    guint64 records;
    struct message_sum messages, dkim_aligned, spf_aligned, disagree;
};
void rows_report_tail(GByteArray *out, const struct report_totals *totals, const struct report_tail *tail);
void rows_report_begin(GByteArray *out);
void rows_report_end(GByteArray *out, const struct batch_report *report);

/* What several tables have: a list of texts, and the two columns of warnings, codes and notes. */
void rows_words(GByteArray *out, raw_words list);
void rows_warnings(GByteArray *out, guint n, const struct report_warning *warnings);

/* `rows_profile_insert` comes first: it stores the profiles of staged evidence that are new. */
extern const char rows_evidence_copy[], rows_profile_insert[], rows_evidence_insert[];
void rows_evidence(GByteArray *out, const char *domain, const guint8 *hash,
                   const struct report_record *record, const struct profile *profile);

extern const char rows_observation_copy[];
/* What all rows of one report begin with. */
void rows_observation_prefix(GByteArray *out, const char *domain, gint64 day, gint64 report);
void rows_observation(GByteArray *out, const GByteArray *prefix, guint64 ordinal,
                      const struct report_record *record, const guint8 *evidence);

/* What is staged is stored no more, so that it is new. */
extern const char rows_try_reports[], rows_try_evidence[];

/* Mails. The INSERT returns the ids of those that were not there. */
extern const char rows_message_copy[], rows_message_insert[];
void rows_message(GByteArray *out, const struct batch_message *message);

/* Originals: `data` is packed. */
extern const char rows_original_copy[], rows_original_insert[];
void rows_original(GByteArray *out, const guint8 *sha256, guint64 size, const GByteArray *data);

extern const char rows_document_copy[];
/* With a report or, when that is NULL, without. */
void rows_document(GByteArray *out, const struct batch_message *message, guint ordinal,
                   const struct batch_document *document, const struct batch_report *report);

/* Of mails that were read again, see db/reread.h. Their records and documents are staged like the rest.
 * `differs` (domain, day, id of the old report, id of the staged one) returns whether they do; `inherit`
 * takes the same, `delete` the first three and returns when it came in, `came` has that as its fourth.
 * `mail_differs` and the three of `mail` take the SHA-256 of the mail in hexadecimal and its number,
 * `history` the command, too; `forget` and `private` only the first. */
extern const char rows_reread_staging[], rows_reread_observation_copy[], rows_reread_document_copy[];
extern const char rows_reread_differs[], rows_reread_inherit[], rows_reread_delete[], rows_reread_came[],
    rows_reread_evidence[], rows_reread_profiles[], rows_reread_observation_insert[];
extern const char rows_reread_mail_differs[], rows_reread_history[], rows_reread_forget[],
    rows_reread_private[];
extern const char *const rows_reread_mail[3];
