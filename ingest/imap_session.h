/* One IMAP session on one selected mailbox: what the server can do, names of folders, and commands.
 *
 * A command is one line, and its answers are read up to the tagged one before the next is sent. A BYE, a
 * mailbox that is renumbered under us, and anything that cannot be read break the session: the first error
 * sticks and comes back from every later call. */
#pragma once

#include "ingest/imap.h"
#include "ingest/imap_conn.h"
#include "ingest/imap_parse.h"

struct imap_session {
    struct imap_conn *conn;
    struct imap_parser *parser;
    GError *broken;
    guint seconds;    /* that one command may wait in sum */
    gboolean leaving; /* LOGOUT is sent: BYE is fine */
    guint commands;   /* sent so far; the tag of the last one is made of it */
    gboolean has_move, has_uidplus, has_namespace, has_idle;
    guint renew;                /* seconds that an IDLE lasts */
    gboolean idling;            /* an IDLE is under way, so that the server may ask for more */
    guint32 messages;           /* in the mailbox, as far as the server has said */
    gboolean news;              /* there have become more since imap_session_search was called last */
    char separator;             /* of the hierarchy; 0: there is none */
    char *prefix;               /* of the personal namespace, as the server spells it; "" */
    GPtrArray *prefixes;        /* of all namespaces */
    guint32 uidvalidity;        /* 0 until a mailbox is selected */
    gboolean may_keep_keywords; /* PERMANENTFLAGS lets us make a keyword of our own */
    gboolean ok;                /* the last command was answered OK, */
    gboolean bad;               /* or BAD: the server does not know what was meant */
    char *answer_code;          /* its response code, or NULL */
    char *answer_text;          /* what the server said to it, quoted for a message */
};

/* Connects, logs in and asks for capabilities and namespaces. */
struct imap_session *imap_session_open(const struct imap_settings *settings, const struct limits *limits,
                                       GError **error);
/* Says LOGOUT when no command is under way (`polite`), and waits a few seconds for the answer. Frees it. */
void imap_session_close(struct imap_session *session, gboolean polite);

/* Called for each untagged response, which it may read on. What it will not have it tells the parser. */
typedef void (*imap_untagged_func)(void *self, struct imap_session *session,
                                   const struct imap_response *response);

/* Sends a command and reads to its end. `untagged` may be NULL. TRUE whatever the server decided: see
 * session->ok. */
gboolean imap_session_command(struct imap_session *session, const char *command, imap_untagged_func untagged,
                              void *self, GError **error);
/* The same, where anything but OK is an error: "could not WHAT: ..." */
gboolean imap_session_must(struct imap_session *session, const char *command, const char *what,
                           imap_untagged_func untagged, void *self, GError **error);

/* The two halves of a command, for one whose answers are fetched one by one. `bytes`: how many are expected.
 * After a tagged response session->ok and the rest are set, and the command is over. */
gboolean imap_session_send(struct imap_session *session, const char *command, guint64 bytes, GError **error);
gboolean imap_session_response(struct imap_session *session, struct imap_response *response_r,
                               GError **error);
/* TRUE while the session is whole; FALSE with the error that broke it, be it one of the parser. */
gboolean imap_session_check(struct imap_session *session, GError **error);
/* Breaks the session. Takes `failure` and hands out a copy. Always FALSE. */
gboolean imap_session_break(struct imap_session *session, GError *failure, GError **error);

/* SELECT, or EXAMINE when nothing will be changed. WS_ERROR_INPUT when there is no such mailbox or it may not
 * be changed. */
gboolean imap_session_select(struct imap_session *session, const char *name, gboolean read_only,
                             GError **error);

/* Whether there is a folder of this name, which is quoted as the server spells it. FALSE: the session is
 * broken. */
gboolean imap_session_exists(struct imap_session *session, const char *quoted, gboolean *listed_r,
                             GError **error);

/* UID SEARCH for mails that there may be news of: uids (guint32) in ascending order. Owned by the caller;
 * NULL with an error. */
GArray *imap_session_search(struct imap_session *session, const char *criteria, GError **error);

/* Which mails of a set are still there. It begins with a NOOP: only then does the server have to know in this
 * session what others have taken away. What is new meanwhile stays news. Like imap_session_search. */
GArray *imap_session_left(struct imap_session *session, const char *set, GError **error);

/* How a folder of the configuration (UTF-8, "/" between levels) is called on this server: its separator, the
 * prefix of the personal namespace unless the name begins with that of a namespace already, modified UTF-7.
 * Owned by the caller; NULL with WS_ERROR_CONFIG. */
char *imap_session_folder(const struct imap_session *session, const char *name, GError **error);
