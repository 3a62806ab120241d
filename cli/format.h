/* What reports and all else that is shown as a table have in common. */
#pragma once

#include "cli/options.h"
#include "reports/catalog.h"

/* --format, FORMAT_TABLE without it. FALSE with WS_ERROR_USAGE for a word that is none. */
gboolean format_take(const struct options *options, enum report_format *format_r, GError **error);
