/* Where mail comes from: a const struct of five verbs. IMAP, Maildir, mbox, files, directories, standard
 * input. A source hands out bytes and a reference, and is told the outcome after COMMIT, never before. */
#pragma once

#include "db/ledger.h"
#include "ingest/blob.h"
#include "parser/limits.h"

/* What becomes of a mail whose outcome is known. */
enum after { AFTER_LEAVE, AFTER_FLAG, AFTER_MOVE, AFTER_DELETE };

enum { OUTCOMES = OUTCOME_PROBLEM + 1 };

struct settle_rules {
    enum after after[OUTCOMES];   /* by enum outcome; all AFTER_LEAVE: nothing is ever changed */
    const char *folder[OUTCOMES]; /* the same, where AFTER_MOVE moves to; NULL: "Problems" for a problem, else
                                     "Processed" */
};
/* What one word for all mails means. AFTER_DELETE is for reports that are in the database, and for no others:
 * what holds none and what is a problem is moved, as there is no second copy of it. */
void settle_rules_all(struct settle_rules *rules, enum after after);
/* The folder for an outcome; lent. */
const char *settle_rules_folder(const struct settle_rules *rules, enum outcome outcome);
/* Whether any outcome is treated so. */
gboolean settle_rules_any(const struct settle_rules *rules, enum after after);

struct mail {
    char *ref; /* stable name: imap://host/INBOX;UIDVALIDITY=7/;UID=4211, maildir:..., file:... */
    gboolean ref_is_identity; /* the same ref with the same bytes is the same mail (IMAP, Maildir, mbox), so
                                 that a mail that was committed but not settled is not counted again */
    gboolean may_be_bare;     /* a file that may be a report itself (.xml .gz .zip) instead of a mail */
    char *name;               /* file name, for the log and as a hint; may be NULL */
    struct blob *body;        /* NULL when it could not be had: the two below say why */
    const char *refusal_code; /* static: limit, unreadable */
    char *refusal;            /* the reason in words, owned */
    gint64 row;               /* of a mail that the ledger has and that is read again: its number there */
    guint64 token;            /* the source's own number for this mail, for settle */
};
void mail_clear(struct mail *mail);

struct source {
    const struct source_kind *kind;
    char *description; /* for messages; never holds a password */
};

enum wait_result { WAIT_NEWS, WAIT_TIMEOUT, WAIT_STOPPED };

struct source_kind {
    const char *name;
    /* TRUE and a mail (to be cleared by the caller), or FALSE: with an error, or without one at the end. A
     * mail that cannot be read or is over a limit comes with body NULL and its refusal. */
    gboolean (*next)(struct source *source, struct mail *mail_r, GError **error);
    /* After COMMIT. An error spoils the source, not what is stored: the next run finds the mail in the
     * ledger. Settling may be delayed by the source until settle is called with n == 0, or until close. */
    gboolean (*settle)(struct source *source, const guint64 *tokens, const enum outcome *outcomes, guint n,
                       GError **error);
    /* How many mails are to come, for the progress line; -1 when unknown. */
    gint64 (*remaining)(struct source *source);
    /* After next has come to the end: waits until there may be more for next, for `seconds` at most, or until
     * the source is to stop. NULL where nothing ever comes to what was there when the source was opened. */
    gboolean (*wait)(struct source *source, guint seconds, enum wait_result *result_r, GError **error);
    void (*close)(struct source *source);
};

/* A path (file, directory, Maildir, mbox) or "-". Files are looked at by content. Directories are read in the
 * order of their names, recursively, without hidden files and without the folders that files are moved to; of
 * a Maildir below one its folders are read, too, and of one that is the path itself only its own mails. */
struct source *source_open_path(const char *path, const struct settle_rules *rules,
                                const struct limits *limits, GError **error);

/* Frees it too. */
void source_close(struct source *source);
