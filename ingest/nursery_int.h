/* What the parent and the nursery say to each other: one request, one answer, each in one packet of a
 * SOCK_SEQPACKET pair. Both are the same program, so structs will do. */
#pragma once

#include "ingest/nursery.h"

enum nursery_op { NURSERY_FORK, NURSERY_END };

struct nursery_request {
    enum nursery_op op;
    pid_t pid;         /* NURSERY_END: of whom */
    gboolean check;    /* NURSERY_FORK: check the libraries, too; the worker's socket rides along */
    gboolean light;    /* NURSERY_FORK */
    guint64 file_size; /* NURSERY_FORK */
};

struct nursery_answer {
    pid_t pid;       /* NURSERY_FORK: of the worker, -1 for what could not be done */
    int status;      /* NURSERY_END: as wait() has it */
    gboolean killed; /* NURSERY_END: it was alive */
    char text[160];  /* what could not be done */
};

/* The first bytes on a worker's socket: it is confined, and by what; or why it is not. */
struct nursery_greeting {
    gboolean ok;
    char text[252];
};

enum { NURSERY_NO_MEMORY = 86 }; /* exit status of a worker that GLib has no memory for */

/* The nursery's life, in the child; never returns. `control` is its end. */
G_NORETURN void nursery_live(const struct nursery_work *work, int control, pid_t parent);
