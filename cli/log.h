/* Messages for people, on standard error: "whosends: error: ...".
 *
 * A message may have several lines: the first is the message; a line that begins with "hint: " or "detail: "
 * is shown as such, any other as detail. Foreign characters that could move a cursor or hide text are escaped
 * here once more. In colour on a terminal, unless NO_COLOR is set; with its priority in
 * the journal of systemd. */
#pragma once

#include <glib.h>

/* From now on: debug messages or not. GLib's own messages, and those of libraries that use it, come here,
 * too. */
void log_open(gboolean debug);

void log_error(const GError *error);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* What happened, where there is nobody to see a summary. */
void log_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);
