/* Whose turn it is to settle a mailbox: one ingester's at a time, by a lock of the database.
 *
 * Two sessions that MOVE the same mails at the same moment may copy them both before one of them expunges.
 * The lock is asked for again and again and never waited for in the server, so that it is in nobody's way and
 * cannot be part of a circle. It is taken outside of any transaction. */
#pragma once

#include "ingest/imap.h"

struct imap_turn;

enum imap_turn_result { IMAP_TURN_ERROR = -1, IMAP_TURN_LATE, IMAP_TURN_OURS };

/* `settings` are lent, and so is their place; without one, or one without a lock, it is always our turn.
 * `mailbox` is UTF-8 as configured, copied. */
struct imap_turn *imap_turn_new(const struct imap_settings *settings, const char *mailbox);
/* Takes NULL. */
void imap_turn_free(struct imap_turn *turn);
/* Whether others are kept out by it. */
gboolean imap_turn_is_shared(const struct imap_turn *turn);
/* Waits for `seconds` at most: IMAP_TURN_LATE after that. WS_ERROR_INTERRUPTED when the program is to stop
 * meanwhile, else an error of the database. */
enum imap_turn_result imap_turn_take(struct imap_turn *turn, guint seconds, GError **error);
/* After IMAP_TURN_OURS, in any case. */
gboolean imap_turn_end(struct imap_turn *turn, GError **error);
