/* The page of a domain. */
#pragma once

#include "reports/html.h"

#include <stdio.h>

/* Writes it to out, which the caller looks after. The errors of the database. */
gboolean html_domain(struct db *db, const struct html_request *request, const char *domain, FILE *out,
                     GError **error);
