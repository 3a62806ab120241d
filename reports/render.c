#include "reports/render.h"

#include "reports/text.h"

#include <string.h>

gboolean render_is_figure(enum column_kind kind)
{
    return kind == COLUMN_NUMBER || kind == COLUMN_SHARE || kind == COLUMN_NUMBER_OR_SHARE ||
           kind == COLUMN_SIZE;
}

char *render_safe(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    text_append_safe(out, text, NULL, !text_shows_utf8());
    return g_string_free(out, FALSE);
}
