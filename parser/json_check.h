/* A strict look at JSON text before a parser builds a tree of it: tokens of RFC 8259, depth, number of
 * values, keys that come twice in whatever spelling, and what follows the end. What passes here is read the
 * same way by every parser, and its tree has a bounded size. Does not look at the order of commas and colons.
 */
#pragma once

#include "parser/limits.h"

/* NULL when all is well; else why not, owned by the caller. *limit_r: it is a limit, which the text names.
 * With `end_r` what follows the value is not looked at, unless it may hold another object, and *end_r is
 * where it begins. */
char *json_check(const char *text, gsize length, const struct limits *limits, gsize *end_r,
                 gboolean *limit_r);
