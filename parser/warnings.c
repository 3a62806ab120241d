#include "parser/warnings.h"

#include <string.h>

enum { QUOTE_MAX = 80, LIST_MAX = 300 };

char *warnings_quote(const char *foreign)
{
    gsize length = strlen(foreign);
    const char *end =
        length > QUOTE_MAX ? g_utf8_find_prev_char(foreign, foreign + QUOTE_MAX) : foreign + length;
    if (end == NULL)
        end = foreign;
    g_autofree char *cut = g_strndup(foreign, (gsize)(end - foreign));
    g_autofree char *escaped = g_strescape(cut, NULL);
    return g_strconcat("\"", escaped, length > QUOTE_MAX ? "...\"" : "\"", NULL);
}

void warnings_add(struct warnings *warnings, enum code code, const char *what, const char *foreign)
{
    if (warnings->count[code] < G_MAXUINT)
        warnings->count[code]++;
    if (warnings->detail[code] != NULL || what == NULL)
        return;
    g_autofree char *quoted = foreign != NULL ? warnings_quote(foreign) : NULL;
    warnings->detail[code] = quoted != NULL ? g_strconcat(what, " ", quoted, NULL) : g_strdup(what);
}

static gboolean lists(const char *list, const char *name)
{
    gsize length = strlen(name);
    for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name))
        if ((at == list || at[-1] == ' ') && (at[length] == '\0' || at[length] == ','))
            return TRUE;
    return FALSE;
}

void warnings_list(struct warnings *warnings, enum code code, const char *name)
{
    if (warnings->count[code] < G_MAXUINT)
        warnings->count[code]++;
    const char *list = warnings->detail[code];
    gsize length = list != NULL ? strlen(list) : 0;
    if (length > LIST_MAX || strlen(name) > QUOTE_MAX || (list != NULL && lists(list, name)))
        return;
    g_autofree char *old = warnings->detail[code];
    warnings->detail[code] = old != NULL ? g_strconcat(old, ", ", name, NULL) : g_strdup(name);
}

void warnings_reset(struct warnings *warnings)
{
    for (int i = 0; i < CODE_LAST; i++)
        if (warnings->count[i] > 0)
            g_free(warnings->detail[i]);
    memset(warnings, 0, sizeof *warnings);
}

guint warnings_rows(const struct warnings *warnings, struct report_warning rows_r[CODE_LAST])
{
    guint n = 0;
    for (int i = 0; i < CODE_LAST; i++)
        if (warnings->count[i] > 0)
            rows_r[n++] = (struct report_warning){code_rows[i].code, warnings->count[i], warnings->detail[i]};
    return n;
}
