/* What can go wrong, as one table: the name of each kind, how much of the work it spoils, and the exit
 * status it leads to. The run loop asks the kind, never the text. Every GError that crosses a floor of
 * this program has the domain WS_ERROR and one of these codes; its message is lower case, without a full
 * stop, names the object, and never holds a password. */
#pragma once

#include <glib.h>

#define WS_ERROR ws_error_quark()
GQuark ws_error_quark(void);

enum ws_error {
    WS_ERROR_USAGE,     /* the command line makes no sense */
    WS_ERROR_CONFIG,    /* a configuration value or file is wrong, or may be read by others */
    WS_ERROR_INPUT,     /* a named file, directory or mailbox cannot be read */
    WS_ERROR_DATA,      /* a stranger's bytes: this document goes aside, the run goes on */
    WS_ERROR_TRUNCATED, /* the same, because the bytes broke off: what came before is good */
    WS_ERROR_CHECKSUM,  /* the same, because a check sum or length is wrong: nothing of it can be believed */
    WS_ERROR_LIMIT,     /* the same, because a limit was passed: the message names it */
    WS_ERROR_SOURCE,    /* the place that mail comes from broke off: try again later */
    WS_ERROR_AUTH,      /* that place refused our login or our trust in its certificate failed */
    WS_ERROR_DB_DOWN,   /* the database is away, full, read-only or shutting down: the world's fault, retry */
    WS_ERROR_DB_REFUSED,  /* the database refused these values (SQLSTATE 22, 23): the mail's fault */
    WS_ERROR_DB_SCHEMA,   /* schema missing, too old or too new, or a right is missing */
    WS_ERROR_SYSTEM,      /* the operating system refused: disk, memory, processes */
    WS_ERROR_INTERRUPTED, /* asked to stop by a signal */
};

enum ws_spoils { WS_SPOILS_DOCUMENT, WS_SPOILS_SOURCE, WS_SPOILS_RUN };

/* How much an error of this kind spoils. A foreign GError domain spoils the run. */
enum ws_spoils ws_error_spoils(const GError *error);

/* The sysexits.h status for an error: EX_TEMPFAIL where trying again can help. */
int ws_error_exit_status(const GError *error);
