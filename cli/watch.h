/* "whosends ingest --watch": a process that only starts others and looks after them, one for each folder of
 * each account (cli/watcher.h), so that a server that is slow or dead, a crash or a leak holds up no other.
 *
 * They are this program, executed anew. One that ends is started again, after a second and twice as long each
 * time up to five minutes; one that gives no sign of life for `watch_timeout` seconds is killed first.
 * Killing is safe at any time: what is not committed stays in the mailbox, and what is committed but not
 * settled is found in the ledger. They end with this process, however that ends.
 *
 * The service manager hears (cli/notify.h) that it is ready when every folder was opened or has failed once,
 * or after 30 seconds; that it is alive, while none of the processes is overdue; and how the folders are.
 * SIGHUP reads the configuration again: what is wrong with it is told, and the old processes go on; else they
 * are ended and others started. Where standard error is a terminal, SIGHUP is its end, and ours. SIGTERM and
 * SIGINT end all within five seconds; a second one at once. */
#pragma once

#include "cli/command.h"

/* `check` is whether a configuration can be watched. Returns when it was told to end. */
gboolean watch_run(struct cli *cli, gboolean (*check)(const struct cli *cli, GError **error), GError **error);
