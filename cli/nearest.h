/* "Did you mean": the nearest of some words to one that was mistyped. */
#pragma once

/* The candidate that takes the fewest typing errors (a letter missing, too many, wrong, or two swapped), when
 * these are at most a third of the letters, and one at least; else NULL. `candidates` ends with NULL; the
 * result is lent from it. */
const char *nearest_word(const char *word, const char *const *candidates);
