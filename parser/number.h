/* Numbers as programs print them that do not mean to be read by programs. */
#pragma once

#include <glib.h>

/* "1.7908128E9", as Java and awk print large numbers: digits, maybe a fraction, and an exponent that is not
 * negative. FALSE for anything else. */
gboolean number_scientific(const char *text, gdouble *value_r);

/* "1,234,567" without its commas: groups of three digits, the first of one to three that does not begin with
 * a zero. NULL for anything else. Owned by the caller. */
char *number_ungrouped(const char *text);
