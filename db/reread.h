/* Mails of the ledger that were read again: what is stored of one gives way to what today's program reads.
 * Internal to the writer; see struct reread in db/writer.h.
 *
 * One mail a transaction, which holds the lock of db/decide.h alone: nobody else stores reports meanwhile, so
 * that of two who read the same mail again the second one finds nothing left to do.
 *
 * Each report that the ledger has of the mail must have its successor in the new reading: the same identity
 * and content, else the same identity, else the next one at the same place of the mail, which is whole if the
 * old one was. Where one is missing, the mail is left as it was. A report is changed by reading again the
 * mail that stored it; what reads differently in a copy stays a duplicate, unless that mail is not kept. A
 * report that a better copy took the place of is left alone. So is one that was pruned: its successor is the
 * report about the same domain and day at the same place of the mail, else the next one there; that is not
 * stored, and the document goes on to name the one that is gone. */
#pragma once

#include "db/batch.h"

struct rereading;

/* Looks at what the ledger has of message `number`, and decides what becomes of its reports. In the
 * transaction, before reports are staged. NULL with an error. */
struct rereading *rereading_new(struct batch *batch, struct db *db, guint number, GError **error);
void rereading_free(struct rereading *again);
/* The mail is to be left as it was: nothing is to be written. */
gboolean rereading_is_left(const struct rereading *again);

/* Once reports, evidence and records are staged: takes away the rows that others come for. */
gboolean rereading_make_room(struct rereading *again, GError **error);
/* Once reports are stored: documents of other mails point to the new ones, and a report that is no news is
 * as fresh as it was. */
gboolean rereading_point(struct rereading *again, GError **error);
/* Once mail and documents are staged: puts them in the place of the old ones, and these into the history, if
 * anything is different. */
gboolean rereading_finish(struct rereading *again, GError **error);
/* What it came to. */
struct reread_result rereading_result(const struct rereading *again);
