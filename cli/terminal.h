/* What is known of a terminal. */
#pragma once

#include <glib.h>

/* Whether a stream is a terminal that shows colours and the user did not refuse them (NO_COLOR, TERM=dumb).
 */
gboolean terminal_color(int fd);
/* Columns: COLUMNS, else what the terminal says, else 80; 0 when it is no terminal. */
guint terminal_width(int fd);
/* Before something is shown to people: separators of numbers, and whether signs beyond ASCII may be used, are
 * as the locale says. All that is parsed or stored is in the form of the C locale. */
void terminal_locale(void);
