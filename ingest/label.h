/* Strangers' text as a label for the ledger, a log or a message: valid UTF-8 in which nothing can move a
 * cursor, turn the direction of writing or hide. */
#pragma once

#include <glib.h>

/* At most `max` bytes, cut between characters. Bytes that are no UTF-8, control characters, bidi and
 * zero-width characters become \xNN or \u{NNNN}; a tab becomes a space. n == -1: up to the NUL. Owned by the
 * caller. */
char *label_safe(const char *text, gssize n, gsize max);

/* Of two names of a file, either of which may be NULL, the one that is made like that of an aggregate report
 * (RFC 7489 section 7.2.1.1), else the first that there is. */
const char *label_better_name(const char *name, const char *other);

/* "outer / inner", of which inner is made harmless; outer alone when there is no inner. Owned by the caller.
 */
char *label_join(const char *outer, const char *inner);
