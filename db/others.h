/* The failure reports and TLS reports of a batch: what waits, and how it is written in the batch's
 * transaction. Internal to the writer.
 *
 * They have tables of their own, need no partitions and are few; so they have no part in how aggregate
 * reports are decided (db/decide.h). Identity and content decide as they do there: the same with the same
 * content is a duplicate, and so is what was found in a text beside a document of the same mail with the same
 * identity; a TLS report with other content is kept and flagged. */
#pragma once

#include "db/conn.h"
#include "db/digest.h"
#include "db/spool.h"
#include "db/writer.h"
#include "parser/failure.h"
#include "parser/tls.h"

enum other_kind { OTHER_FAILURE, OTHER_TLS, OTHER_KINDS };

struct other_report {
    enum other_kind kind;
    gint64 id; /* from the server's sequence */
    struct report_key key;
    char *domain;
    gint64 day;
    struct spool_span head, policies, details;
    gboolean in_words; /* it was found in a text of its mail */
    /* known while and after it is written */
    gint64 stored_id;   /* of the row that holds it: its own, or that of its duplicate */
    guint same_as;      /* index of the first in the transaction that is the same: often itself */
    gboolean collision; /* the same identity with other content came earlier in the transaction */
    gboolean fresh;
    gint64 settled; /* it stays a duplicate of this one, whatever it holds; 0: not decided */
};

struct others;
struct others *others_new(gsize memory);
void others_free(struct others *others);
gsize others_bytes(const struct others *others);

guint others_count(const struct others *others);
const struct other_report *others_at(const struct others *others, guint i);
struct other_report *others_change(struct others *others, guint i);
/* Forgets those from number `n` on, and the one that has begun and not ended. */
void others_truncate(struct others *others, guint n);
/* Takes one out; those behind it move up. Its rows wait on for nothing. */
void others_remove(struct others *others, guint i);

/* Adds one, numbered `id`. */
gboolean others_failure(struct others *others, gint64 id, const struct failure_report *report,
                        enum keep_subject keep, GError **error);

/* A TLS report, as through struct tls_sink. */
gboolean others_tls_begin(struct others *others, gint64 id, const struct tls_head *head, GError **error);
gboolean others_tls_policy(struct others *others, const struct tls_policy *policy, GError **error);
gboolean others_tls_failure(struct others *others, const struct tls_failure *failure, GError **error);
gboolean others_tls_end(struct others *others, guint n_warnings, const struct report_warning *warnings,
                        GError **error);

/* Writes those of [first, end) that are new, and fills in fresh and stored_id of all. In a transaction.
 * `distributed`: the tables are on many nodes. */
gboolean others_write(struct others *others, struct db *db, guint first, guint end, gboolean distributed,
                      GError **error);
