/* The private PostgreSQL cluster: the embedded default when no database is configured.
 *
 * Below DIRECTORY, with a unix socket only, no TCP, durable, made and started on demand with the newest
 * installed server programs (15 or later). As root it runs as user postgres, or nobody, who must be able to
 * enter DIRECTORY; the socket's directory belongs to that user alone, so only that user and root get in,
 * without a password. Where DIRECTORY is too deep for a socket's name, the socket is in a private directory
 * in $XDG_RUNTIME_DIR or /tmp. The server goes on when the program ends.
 *
 * Errors: CONFIG where it cannot work (no server programs, data of another version, a directory that cannot
 * be entered), DB_DOWN where it may work next time (disk full; the message ends with the server's last
 * words), SYSTEM for files. */
#pragma once

#include <glib.h>

/* The default directory: $XDG_DATA_HOME/whosends (~/.local/share/whosends), or /var/lib/whosends as root.
 * Owned by the caller. */
char *cluster_default_directory(void);
/* Makes it if need be (initdb), starts it if it does not run, and returns a conninfo, owned by the caller.
 * Two at once do no harm. */
char *cluster_ensure(const char *directory, GError **error);
/* Stops it when it runs, breaking off what others do there; TRUE when it does not run (any more). *ran_r:
 * whether it did. */
gboolean cluster_stop(const char *directory, gboolean *ran_r, GError **error);
