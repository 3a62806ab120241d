/* The processes of a PostgreSQL server of our own: who runs them, starting them without a shell, and finding
 * out whether a data directory is being served. Internal to the cluster. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The server refuses to run as root, so root gives it to somebody else. */
struct server_user {
    uid_t uid;
    gid_t gid;
    gboolean drop; /* we are root: children become that user */
    char name[64];
};

/* Oneself or, for root, the owner of `data` when it is there, else postgres, else nobody. */
gboolean server_user_find(const char *data, struct server_user *user_r, GError **error);
/* Whether that user can get into a directory and write there. */
gboolean server_user_reaches(const struct server_user *user, const char *directory);

/* Runs a program of the server to its end, with `input` (may be NULL) as standard input. Fails with what it
 * said last; `what` names the work: "make the private database". */
gboolean server_run(const struct server_user *user, const char *what, char **argv, const char *input,
                    GError **error);
/* Starts a program that stays, with its output appended to the log file, in a session of its own. */
gboolean server_spawn(const struct server_user *user, char **argv, const char *log, GPid *pid_r,
                      GError **error);

/* The process that serves the data directory; 0 when there is none, whatever a stale postmaster.pid says. */
pid_t server_pid(const char *data);
/* Whether any process, be it a server that lost its parent, works in the data directory. */
gboolean server_in_use(const char *data);
/* Whether it takes connections by now. */
gboolean server_ready(const char *data);
/* The directory of its socket. Owned by the caller; NULL when unknown. */
char *server_sockets(const char *data);
/* The last lines of a file on one line, to end an error message with. Owned by the caller. */
char *server_last_lines(const char *path);
