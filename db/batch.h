/* What waits to be written, and the transaction that writes it. Internal to the writer.
 *
 * Locks are taken in one order by all writers: the lock of db/decide.h, report keys, reports that are
 * changed, profile keys, evidence keys, keys of failure reports, of TLS reports, mails, originals, sums (see
 * sql/sums.sql), each in ascending order, so that many at once on the same reports wait for each other and
 * not in a circle. But sums of reports that came untrusted before and are trusted now change behind those of
 * new reports, whatever their domains and days are. Two writers that meet there may wait for each other; the
 * server then ends one of them with 40P01, which is DB_DOWN: its batch is to be written again. */
#pragma once

#include "db/conn.h"
#include "db/digest.h"
#include "db/spool.h"
#include "db/writer.h"
#include "parser/trust.h"

struct batch_report {
    gint64 id; /* from the server's sequence */
    struct report_key key;
    const char *domain;
    gint64 day;
    struct spool_span head, evidence, records, sums;
    guint64 n_records;
    gboolean incomplete, foreign;
    gboolean in_words;  /* it was found in a text of its mail */
    enum trust brought; /* by its mail */
    /* known while and after it is written */
    gint64 stored_id;   /* of the row that holds it: its own, or that of its duplicate */
    guint same_as;      /* index of the one in the transaction that stands for it: often itself */
    enum trust trust;   /* of it and its copies in the transaction */
    gboolean collision; /* the same identity with other content came earlier in the transaction */
    gboolean fresh;
    gint64 settled;  /* it stays a duplicate of this one, whatever it holds; 0: not decided */
    gboolean pruned; /* and that one was pruned: nothing of it is staged */
};

struct batch_document {
    const char *path, *kind, *code, *detail;
    const char *warnings; /* codes with a blank between them, or NULL */
    gint64 size;
    const guint8 *sha256; /* NULL or 32 bytes */
    enum outcome outcome;
    gboolean in_words;
    guint first_report, n_reports, first_other, n_others;
};

enum kept_original { ORIGINAL_NONE, ORIGINAL_KEPT, ORIGINAL_PRIVATE, ORIGINAL_LARGE };

struct batch_message {
    struct ledger_message ledger; /* texts are the batch's */
    gint64 id;
    guint first_document, n_documents, first_report, n_reports, first_other, n_others;
    enum outcome outcome; /* worst of the documents until it is written, then what became of it */
    enum kept_original wanted, original; /* before it is known what is new in the mail, and then */
    struct spool_span packed;            /* of an original that is to be kept, unless it is a duplicate */
    gboolean problem;                    /* in any of it; known once it is written */
    gboolean bare;                       /* a known mail: no documents were looked at */
};

struct batch {
    const struct reread *reread; /* NULL: the mails are new */
    gboolean distributed;        /* the tables are on many nodes */
    GArray *messages, *documents, *reports;
    struct others *others; /* failure reports and TLS reports, see db/others.h */
    GStringChunk *texts;
    gsize text_bytes;
    struct row_spool *heads, *evidence, *records, *sums, *originals;
};

struct batch *batch_new(gsize memory);
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);
gsize batch_bytes(const struct batch *batch);
/* A copy that lives as long as the batch's content: valid UTF-8, at most `most` bytes. NULL stays NULL. */
const char *batch_text(struct batch *batch, const char *text, gsize most);
const guint8 *batch_sha256(struct batch *batch, const guint8 *sha256);

/* Adds one of the mail that comes next. Its reports are the last ones. */
void batch_add_document(struct batch *batch, const struct batch_document *document);
/* Of the documents from this number on, which are all of one mail: when one that was not found in a text has
 * reports, those that were, and have none, are no problems. */
void batch_forgive_words(struct batch *batch, guint first_document);

/* Evidence waits in the spool as hash, length of the row, row. */
#define EVIDENCE_FRAME (16 + (guint)sizeof(guint32))

/* Writes messages [first, end), only one when they are read again, in one transaction, which is over in any
 * case when this returns, and fills in their outcome. */
gboolean batch_write(struct batch *batch, struct db *db, guint first, guint end, GError **error);
/* Whether the database takes these reports, all of one mail, without anything else of it: in a transaction
 * that is taken back. When mails are read again it does not matter which of them are known. */
gboolean batch_try(struct batch *batch, struct db *db, guint first_report, guint end_report,
                   guint first_other, guint end_other, GError **error);
