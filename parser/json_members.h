/* The members of one flat JSON object as text, such as the answer of a token server (RFC 6749 section 5). */
#pragma once

#include "parser/limits.h"

/* Name to text, of those members that are texts or numbers; owned by the caller, the texts by the table,
 * which wipes them when it goes. NULL when it is no JSON object: *problem_r says why, owned by the caller.
 * What json_check refuses is refused here. */
GHashTable *json_members(const char *text, gsize length, const struct limits *limits, char **problem_r);
