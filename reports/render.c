#include "reports/render.h"

#include "reports/text.h"

#include <string.h>

char *render_safe(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    text_append_safe(out, text, NULL, !text_shows_utf8());
    return g_string_free(out, FALSE);
}
