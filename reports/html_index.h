/* The index: all domains of a run. */
#pragma once

#include "reports/html.h"

#include <stdio.h>

/* Writes it to out, which the caller looks after, and appends the domains that it lists to `domains`, as
 * strings to be freed. The errors of the database. */
gboolean html_index(struct db *db, const struct html_request *request, FILE *out, GPtrArray *domains,
                    GError **error);
