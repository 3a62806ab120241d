/* Mails and their reports into the database, in batches: commit, then tell.
 *
 * One message at a time: writer_message_begin; for each document its reports through writer_sink, then
 * writer_document; writer_message_end. Batches are bounded by messages and by bytes; what does not fit into
 * batch_bytes of memory, and the rows of a report past spill_records, wait in unlinked temporary files, so
 * that the database decides about a report of any size before it gets its rows.
 *
 * Same identity (reporter, report_id, domain, begin, end) and same content is a duplicate. Same identity with
 * other content is kept, and what comes later is flagged id_collision; two writers that store two contents of
 * one identity in the same moment do not see each other's and flag none. But an incomplete report and a
 * better copy of it are never counted both, see db/decide.h.
 *
 * What was found in a text of the mail may be a copy that a mail program has wrapped and changed. It gives
 * way to what the mail has as a document: a report to one of the same identity, whatever it holds, of which
 * it is a duplicate; and what of it cannot be read is no problem when a document has reports.
 *
 * With settings->trust, each report is stored with whether the mail came from its reporter (parser/trust.h),
 * and whether its domain is ours.
 *
 * When the database refuses values (DB_REFUSED), the reports whose values they are become problems with code
 * db_refused and the server's text, and all others are stored, see db/refuse.h. After a lost COMMIT nothing
 * is settled: the caller tries the same mails again and finds them done, or duplicates.
 *
 * The original of a mail is kept with its rows, once, when settings->keep wants it, it has a report that is
 * not a duplicate, or a problem, and is not over original_size when packed. Never when a failure report or
 * other feedback was in it: these hold other people's mail.
 *
 * A mail with more than 10,000 rows of reports and documents keeps the first of them and is a problem with
 * code limit. */
#pragma once

#include "db/conn.h"
#include "db/ledger.h"
#include "db/original.h"
#include "parser/failure.h"
#include "parser/report.h"
#include "parser/tls.h"
#include "parser/trust.h"

struct writer;

/* Whose originals are kept: of mails with reports or problems, of those with problems, of none. */
enum keep_originals { KEEP_REPORTS, KEEP_PROBLEMS, KEEP_NONE };

/* What reading a mail again came to. */
enum reread_end {
    REREAD_SAME,    /* nothing is different */
    REREAD_CHANGED, /* what is known of it is different now, or would be but for a dry run */
    REREAD_WORSE,   /* a report that is stored from it was not found again: all was left as it was */
};

struct reread_result {
    gint64 mail; /* its number in the ledger */
    enum reread_end end;
    enum outcome before, after;
    gboolean problem;           /* something in it still cannot be read */
    guint same, changed, fresh; /* reports: as they were, changed, stored for the first time */
};

/* Mails that the ledger has are read again: the row of each, its documents and its reports are changed to
 * what is read now, see db/reread.h, and what was known before goes into dmarc_store.reading. Settings have
 * batch_messages 1 then, each mail has its row, and writer_known knows none. */
struct reread {
    const char *command;                                             /* "retry", "reparse" */
    gboolean dry_run;                                                /* nothing is written */
    void (*told)(const struct reread_result *result, gpointer data); /* after COMMIT */
    gpointer data;
};

struct writer_settings {
    guint batch_messages;        /* 500 */
    gsize batch_bytes;           /* 8 MiB */
    guint spill_records;         /* 20,000: rows of a report past it wait in a file */
    guint tally_evidence;        /* 65,536: what is known at once of the evidence of a report; 1 or more */
    enum keep_originals keep;    /* KEEP_REPORTS */
    guint64 original_size;       /* 8 MiB: of an original, packed */
    const struct reread *reread; /* NULL: the mails are new */
    const struct trust_rules *trust;    /* NULL: nothing is known of anybody */
    const struct domain_list *suffixes; /* needed with trust */
    /* When a source is read once more because the database went away: the time of schema_writable when it
     * was first opened. What is in the ledger since then, from the same place and with the same bytes, is the
     * same mail and not a second one. NULL: else. */
    const char *since;
};
extern const struct writer_settings writer_defaults;

struct ledger_message {
    const guint8 *sha256; /* of the mail, 32 bytes */
    const char *source;   /* reference */
    gboolean identity;    /* the reference names this mail and no other, for ever */
    const char *message_id, *mail_from, *from_domain, *subject;
    gint64 date; /* 0: none */
    guint64 size;
    gint64 row;                            /* of a mail that is read again: its number in the ledger */
    struct mail_bytes original;            /* lent until the mail ends; read NULL: not to be had */
    const char *code, *detail;             /* why the mail as a whole is a problem; else NULL */
    const char *auth_result, *auth_domain; /* of struct mail_auth, see auth_words; may be NULL */
    gpointer token;                        /* handed back when it is committed */
};

struct ledger_document {
    const char *path;     /* "part 2 / report.zip / a.xml" */
    const char *kind;     /* aggregate, failure, tls, archive, text, other */
    gint64 size;          /* -1 unknown */
    const guint8 *sha256; /* 32 bytes, or NULL */
    enum outcome outcome; /* STORED when reports went through the sink: the writer decides stored or
                             duplicate; PROBLEM may come with reports, too (PARSE_PARTLY) */
    const char *code, *detail;
    const char *const *warnings; /* codes of what was mended on the way to it, ended by NULL; or NULL */
    gboolean in_words;           /* it was found in a text of the mail; see above */
};

/* What is kept of the subject of a message that a failure report is about. */
enum keep_subject { SUBJECT_HASHED, SUBJECT_KEPT, SUBJECT_DROPPED };

/* Told once for each message, in order, after COMMIT. */
typedef void (*writer_settled)(gpointer token, enum outcome outcome, gpointer data);

/* Lends db and settings. */
struct writer *writer_new(struct db *db, const struct writer_settings *settings, writer_settled settled,
                          gpointer data);
void writer_free(struct writer *writer); /* what is not flushed is dropped */

/* Which of these mails are known: outcomes_r[i] is an enum outcome, or -1 for unknown; a mail that was a
 * problem or no_report is known only when its reference is an identity and the same. TRUE in resumed_r[i]:
 * the same mail at the same place. */
gboolean writer_known(struct writer *writer, guint n, const guint8 *const *sha256, const char *const *sources,
                      const gboolean *identities, int *outcomes_r, gboolean *resumed_r, GError **error);

void writer_message_begin(struct writer *writer);
/* Who brought the message that was begun: before its first report. Without it nothing is known. Lends auth
 * until the message ends. */
void writer_brought_by(struct writer *writer, const struct mail_auth *auth);
const struct report_sink *writer_sink(struct writer *writer);
/* Reports of the other two kinds; a TLS report goes through the sink. They belong to the document that is
 * closed next, as all others do. */
gboolean writer_failure(struct writer *writer, const struct failure_report *report, enum keep_subject keep,
                        GError **error);
const struct tls_sink *writer_tls_sink(struct writer *writer);
/* Closes a document: the reports that came since the one before are its own. One row in the
 * ledger for each report, and one for the problem or when there is no report. */
void writer_document(struct writer *writer, const struct ledger_document *document);
/* Forgets the reports that went through the sink since the document before. */
void writer_drop_reports(struct writer *writer);
/* How many documents the open message has so far; and one more warning for those of them, from number `first`
 * on, that have reports. */
guint writer_documents(const struct writer *writer);
void writer_warn(struct writer *writer, guint first, const char *code);
/* The header fields are known only now. May flush. */
gboolean writer_message_end(struct writer *writer, const struct ledger_message *message, GError **error);
/* A mail whose bytes are known already as a report carrier: a ledger row, outcome duplicate, no document. */
gboolean writer_message_duplicate(struct writer *writer, const struct ledger_message *message,
                                  GError **error);
/* How many of the mails that were settled have something in them that could not be read, whatever their
 * outcome is. */
guint64 writer_problems(const struct writer *writer);
gboolean writer_flush(struct writer *writer, GError **error);
/* TRUE with an error when there was a mail whose rows found no room in a temporary file: nothing of it is
 * written nor settled, and it stays where it is. What was read before it went into the database at once. */
gboolean writer_left(struct writer *writer, GError **error);
/* After an error: forget the batch. What of it was committed has been settled, the rest has not. */
void writer_reset(struct writer *writer);
