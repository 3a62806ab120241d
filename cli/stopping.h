/* INT, TERM and HUP in commands that may take long: they come to an end, and keep what they have until then.
 */
#pragma once

#include <signal.h>

/* From now on the first of them sets what is returned, and the command looks at it; the second one ends the
 * program, and so do four seconds after the first. */
const volatile sig_atomic_t *stopping_begin(void);
/* The signal that came, or 0. */
int stopping_signal(void);
