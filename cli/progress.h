/* One line of progress on standard error, only where that is a terminal: done, to come, rate, time left. */
#pragma once

#include <glib.h>

/* Begins to count time, of `things` ("mails"), a literal. Silent for good when `wanted` is FALSE or standard
 * error is no terminal. */
void progress_begin(gboolean wanted, const char *things);
/* `remaining` is -1 when unknown. Redraws at most eight times a second. */
void progress_update(gint64 done, gint64 remaining, gpointer data);
/* Takes the line away: before a message, and at the end. */
void progress_hide(void);
