#include "cli/format.h"

#include "parser/error.h"
#include "reports/render.h"

gboolean format_take(const struct options *options, enum report_format *format_r, GError **error)
{
    *format_r = FORMAT_TABLE;
    if (!options->format || report_format_parse(options->format, format_r))
        return TRUE;
    g_autofree char *safe = render_safe(options->format);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "unknown format '%s'\nhint: table, csv or json", safe);
    return FALSE;
}
