#include "parser/dates.h"

#include <string.h>

/* Beyond the year 5138 a number of seconds is a number of something smaller. */
#define SECONDS_MAX G_GINT64_CONSTANT(100000000000)

static enum date_form parse_iso(const char *text, gint64 *seconds_r)
{
    if (strlen(text) > 40 || strchr(text, '-') == NULL)
        return DATE_NONE;
    g_autofree char *joined = g_strdup(text);
    if (strlen(joined) > 10 && joined[10] == ' ')
        joined[10] = 'T';
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(joined, NULL);
    gint64 seconds = date != NULL ? g_date_time_to_unix(date) : -1;
    if (seconds < 0 || seconds > SECONDS_MAX)
        return DATE_NONE;
    *seconds_r = seconds;
    return DATE_OTHER;
}

enum date_form date_parse(const char *text, gint64 *seconds_r)
{
    *seconds_r = 0;
    const char *digits = text + (*text == '+');
    gsize n = strspn(digits, "0123456789");
    const char *rest = digits + n;
    gboolean fraction = *rest == '.' && rest[1 + strspn(rest + 1, "0123456789")] == '\0';
    if (n == 0 || n > 18 || (*rest != '\0' && !fraction))
        return parse_iso(text, seconds_r);
    gint64 value = g_ascii_strtoll(digits, NULL, 10);
    enum date_form form = *rest != '\0' || digits != text ? DATE_FRACTION : DATE_PLAIN;
    while (value > SECONDS_MAX) {
        value /= 1000;
        form = DATE_OTHER;
    }
    *seconds_r = value;
    return form;
}
