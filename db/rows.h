/* The tables that the writer fills, as rows of COPY BINARY, and the statements that go with them. The order
 * of the columns is known here and nowhere else. */
#pragma once

#include "db/batch.h"
#include "db/pack.h"
#include "db/profile.h"

/* Temporary tables in which rows wait for the sorted INSERT; those of mails are seldom needed. Safe to run
 * twice in a session. */
extern const char rows_staging[], rows_mail_staging[];

/* Statements that look something up for each staged row come in two: for a database that is in one place, and
 * for a distributed one. The latter look into temporary tables, which `rows_gathering` makes and
 * `rows_report_gather` fills with all that is stored under the identities of staged reports. */
extern const char rows_gathering[], rows_report_gather[];

/* Reports. A row is begin, head, tail, end: four calls in this order. The INSERT returns (id, id_collision)
 * of those that were new; `known` returns (staged id, stored id, whether the staged one is better: more
 * trusted, or whole) of all. */
extern const char rows_report_copy[];
extern const char *const rows_report_insert[2], *const rows_report_known[2];
/* See db/decide.h. `better` returns (staged id, domain, day and id of a stored one) of incomplete ones and
 * what may be a better copy, the best first; `drop` takes the ids of those that such a copy is there of out
 * of the staging table. `changes` returns (domain, day, id, replaced, trusted, incomplete, undoubted, staged
 * id, records) of rows that are to be changed, in ascending order: domain, day and id are the arguments of
 * `replace`, and with trusted and incomplete those of `improve`. Those two go by the number of records, and
 * for each report no further than 16 others: whether they are the same has to be looked at. `flagged` returns
 * (domain, day, id) of new ones whose id_collision is no longer true, for `unflag`. `count` takes the ids
 * of those that are new and adds them to the sums, by what is staged; it comes last of all that a transaction
 * does. `uncount` takes (domain,
 * day, id) of a report whose records go, `undoubt` of one that is trusted now: both change sums, too. */
#define RIVALS_MOST 16
extern const char *const rows_report_better[2], *const rows_report_changes[2], *const rows_report_flagged[2];
extern const char rows_report_drop[], rows_report_replace[], rows_report_improve[], rows_report_unflag[],
    rows_report_count[], rows_report_undoubt[], rows_report_uncount[];
void rows_report_head(GByteArray *out, gint64 id, const guint8 *identity, const struct report_head *head);
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

extern const char rows_observed_copy[], rows_sum_copy[];
void rows_observed(GByteArray *out, const char *domain, gint64 day, gint64 report, struct pack *pack);
void rows_sum(GByteArray *out, gint64 report, const struct tally_profile *profile);

/* What is staged is stored no more, so that it is new. */
extern const char rows_try_reports[], rows_try_evidence[];

/* Mails. They are copied right into their table, or staged. The INSERT returns the ids of those that were not
 * there. */
extern const char *const rows_message_copy[2], rows_message_insert[];
void rows_message(GByteArray *out, const struct batch_message *message);

/* Originals, in the same two ways: `data` is packed. A row when one of these is there, whose hashes come in
 * hexadecimal with commas between them. */
extern const char *const rows_original_copy[2], rows_original_insert[], rows_original_known[];
void rows_original(GByteArray *out, const guint8 *sha256, guint64 size, const GByteArray *data);

extern const char rows_document_copy[];
/* With a report or, when that is NULL, without. */
void rows_document(GByteArray *out, const struct batch_message *message, guint ordinal,
                   const struct batch_document *document, const struct batch_report *report);

/* Of mails that were read again, see db/reread.h. Their records and documents are staged like the rest.
 * `differs` (domain, day, id of the old report, id of the staged one) returns whether they do; `inherit`
 * takes the same, `delete` the first three and returns when it came in, `came` has that as its fourth;
 * `observed_insert` takes the ids of those that turned out to be new. `old`, `mail_differs`, `ordinal` of
 * the history and the three of `mail` take the SHA-256 of the mail in hexadecimal and its number, `history`
 * the command and the ordinal, too; `forget` and `private` only the first. `old` returns path, kind, outcome,
 * domain, day, report, identity and content in hexadecimal, incomplete, replaced of the reports of a mail.
 *
 * For a distributed database: `gather_begin`, then the two of `gather_mail` (as `old`), before all that asks
 * about a mail, and `gather_old` after them for `old`; for `differs` first `gather_evidence`, then the two of
 * `gather_report` (domain, day, id). */
extern const char rows_reread_staging[], rows_reread_observed_copy[], rows_reread_document_copy[];
extern const char *const rows_reread_differs[2],
    *const rows_reread_mail_differs[2], *const rows_reread_history[2], *const rows_reread_old[2],
                                                                           *const rows_reread_mail[3];
extern const char rows_reread_inherit[], rows_reread_delete[], rows_reread_came[], rows_reread_evidence[],
    rows_reread_profiles[], rows_reread_observed_insert[], rows_reread_ordinal[], rows_reread_forget[],
    rows_reread_private[];
extern const char rows_reread_gathering[], rows_reread_gather_begin[], rows_reread_gather_old[],
    rows_reread_gather_evidence[];
extern const char *const rows_reread_gather_mail[2], *const rows_reread_gather_report[2];
