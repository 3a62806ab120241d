/* How long a run waits for a database that went away while it was at work. Only for errors of kind DB_DOWN;
 * the waits grow from one second to thirty, and all of them together are bounded, unless mails were committed
 * in between: then it starts anew. */
#pragma once

#include <glib.h>
#include <signal.h>

struct patience {
    guint most;                        /* seconds in all; 0: none */
    const volatile sig_atomic_t *stop; /* a signal ends the wait */
    guint waited, next;
    guint64 committed; /* mails, when it was last asked */
};

/* Says what happened, waits, and returns TRUE when all should be tried again; FALSE at once when it should
 * not: it is another error, the time is up, or a signal came. `committed`: mails of this run so far. */
gboolean patience_wait(struct patience *patience, const GError *error, guint64 committed);
