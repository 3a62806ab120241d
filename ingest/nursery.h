/* Where workers come from: a small process that was forked before a configuration or a secret was read, and
 * that forks workers which confine themselves (ingest/confine.h) before they see a stranger's byte.
 *
 * The nursery has no environment (its memory is wiped), no descriptor but the one to its parent, standard
 * error and /dev/null, cannot be dumped, and ends with its parent, as the workers end with it. ^C and SIGTERM
 * are for the parent alone: the nursery and the workers ignore them. A fork of a small process that has its
 * libraries warm is cheap, so a dead worker is replaced at once. There is no exec, and no thread. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Files that a worker may write to: as many large parts as real mails have inside of each other, and three
 * more. */
enum { NURSERY_SCRATCH = 12 };

/* What the workers are for. */
struct nursery_work {
    /* In the nursery, before the first worker is forked: opens, loads and initialises what needs files. What
     * it returns goes to the other two. May be NULL. */
    gpointer (*prepare)(void);
    /* In the nursery, before the first worker that is not light: the rest of it. May be NULL. */
    void (*complete)(gpointer prepared);
    /* In the first worker, confined: whether the libraries do their work without files and with the system
     * calls that there are. FALSE with an error that names what does not. May be NULL. */
    gboolean (*check)(gpointer prepared, gboolean light, GError **error);
    /* In each worker, confined: serves the socket (a blocking stream) until it ends; the exit status.
     * `scratch` are descriptors of n_scratch empty files without names, to be written, read and cut
     * (blob_use_scratch). */
    int (*serve)(gpointer prepared, int socket, const int *scratch, guint n_scratch);
};

struct nursery;

/* Forks the nursery; call it early, with one thread. Does not wait for it to be ready. The work must stay for
 * ever. NULL with WS_ERROR_SYSTEM. */
struct nursery *nursery_start(const struct nursery_work *work, GError **error);

/* The largest scratch file of the workers to come; 1 GiB unless this is called. */
void nursery_set_file_size(struct nursery *nursery, guint64 bytes);

/* The parent's view of a worker: its end of a stream socket pair, not blocking, close on exec. */
struct worker_process {
    pid_t pid;
    int socket;
};

/* A light worker starts in half the time: it has no scratch file, what complete() would have prepared is not
 * there, and when it wants a file in their place it is killed. Another worker has to read that mail then.
 *
 * A nursery that does not answer for 10 s is as good as gone.
 *
 * A new worker, which has confined itself and (the first one) checked its libraries when this returns. FALSE
 * with WS_ERROR_SYSTEM, which for the first worker has a hint: this system cannot confine. */
gboolean nursery_worker(struct nursery *nursery, gboolean light, struct worker_process *worker_r,
                        GError **error);

/* Kills the worker if it lives, closes the socket, and waits until the process is gone. How it ended, for the
 * ledger: "killed by signal 31 (a forbidden system call)", "ran out of memory", "stopped by whosends". Owned
 * by the caller. *status_r (may be NULL) is that of wait(), 0 when the nursery itself is gone. */
char *nursery_end(struct nursery *nursery, struct worker_process *worker, int *status_r);

/* CPU time that a worker (not ended yet by nursery_end) has used, in microseconds; 0 when it cannot be told.
 */
guint64 nursery_cpu_us(pid_t pid);

/* "seccomp, Landlock 7, user 65534": what the first worker said that it is confined by; NULL before. Lent. */
const char *nursery_describe(const struct nursery *nursery);

/* Its process. */
pid_t nursery_pid(const struct nursery *nursery);

/* Ends the nursery, and with it all workers. NULL is allowed. */
void nursery_stop(struct nursery *nursery);
