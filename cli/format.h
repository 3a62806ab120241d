/* How commands show what they found: tables, and words behind numbers. */
#pragma once

#include "cli/options.h"
#include "reports/catalog.h"

/* What a word gets behind a number of any type. */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* --format, FORMAT_TABLE without it. FALSE with WS_ERROR_USAGE for a word that is none. */
gboolean format_take(const struct options *options, enum report_format *format_r, GError **error);
