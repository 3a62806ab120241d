/* The private PostgreSQL cluster: the embedded default when no database is configured. Data in a directory of its own,
 * unix socket only, no TCP, started on demand with the newest installed server binaries; as root it runs as user
 * postgres, or nobody. */
#pragma once

#include <glib.h>

/* The default directory: $XDG_DATA_HOME/whosends (~/.local/share/whosends), or /var/lib/whosends as root. Owned by the caller. */
char *cluster_default_directory(void);
/* Makes it if need be (initdb), starts it if it does not run, and returns a conninfo, owned by the caller. Two at once
 * do no harm. */
char *cluster_ensure(const char *directory, GError **error);
/* Stops it when it runs; TRUE when it does not run (any more). */
gboolean cluster_stop(const char *directory, GError **error);
