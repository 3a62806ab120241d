/* One folder of an account, watched for ever: the process that cli/watch.h starts for each.
 *
 * Reads what is there, waits for more (IDLE, or looking every `poll` seconds where the server has none), and
 * reads again. What fails is tried again: after a second, and twice as long each time up to five minutes,
 * with a random part so that many do not come at once. What a person has to mend, as a login that was
 * refused, a password that cannot be had or a folder that is not there, is tried every 15 minutes. A failure
 * is told when it begins and when it is another one, and once more when it is over.
 *
 * SIGTERM ends it: what is committed is settled, what is not stays in the mailbox. What takes longer than
 * four seconds then is broken off, which is as good as being killed, and that is safe at any time.
 *
 * Standard output is the pipe to the one that started it, and each byte there one of these; it ends when
 * nobody reads them any more. */
#pragma once

#include "cli/command.h"

enum watcher_sign {
    WATCHER_ALIVE = '.',   /* at least every ten seconds while it waits for itself, after each batch, and each
                              time that a wait for mail is over */
    WATCHER_GOOD = '+',    /* the folder is open */
    WATCHER_FAILING = '-', /* it cannot be read now */
};

/* "account 'x' INBOX", for messages. Owned by the caller. */
char *watcher_label(const char *account, const char *folder);
/* Folder cli->options.mailbox of account cli->options.watched. TRUE after a stop. WS_ERROR_CONFIG when there
 * is no such account. */
gboolean watcher_run(struct cli *cli, GError **error);
