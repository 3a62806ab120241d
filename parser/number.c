#include "parser/number.h"

#include <string.h>

#define DIGITS "0123456789"
#define LENGTH_MAX 40

gboolean number_scientific(const char *text, gdouble *value_r)
{
    gsize n = strspn(text, DIGITS);
    const char *rest = text + n;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, DIGITS);
    if (n == 0 || (*rest != 'e' && *rest != 'E') || strlen(text) > LENGTH_MAX)
        return FALSE;
    rest += rest[1] == '+' ? 2 : 1;
    n = strspn(rest, DIGITS);
    if (n < 1 || n > 2 || rest[n] != '\0')
        return FALSE;
    *value_r = g_ascii_strtod(text, NULL);
    return TRUE;
}

char *number_ungrouped(const char *text)
{
    gsize n = strspn(text, DIGITS);
    if (n < 1 || n > 3 || *text == '0' || text[n] != ',' || strlen(text) > LENGTH_MAX)
        return NULL;
    g_autoptr(GString) plain = g_string_new_len(text, (gssize)n);
    for (text += n; *text != '\0'; text += 4) {
        if (*text != ',' || strspn(text + 1, DIGITS) != 3)
            return NULL;
        g_string_append_len(plain, text + 1, 3);
    }
    return g_strdup(plain->str);
}
