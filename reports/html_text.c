#include "reports/html_text.h"

#include "reports/text.h"

#include <string.h>

/* Of a name: strangers decide how long it is. */
#define MOST_CHARACTERS 480

/* These may not even be written as a reference in XML. */
static gboolean is_noncharacter(gunichar c)
{
    return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

static void put_character(FILE *out, const char *at, gsize bytes)
{
    switch (*at) {
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '&':
        fputs("&amp;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        fwrite(at, 1, bytes, out);
    }
}

void html_text(FILE *out, const char *text)
{
    g_autofree char *safe = render_safe(text); /* valid UTF-8 from here on */
    for (const char *at = safe, *next; *at; at = next) {
        gunichar c = g_utf8_get_char(at);
        next = g_utf8_next_char(at);
        if (is_noncharacter(c))
            fprintf(out, "\\u{%04X}", c);
        else
            put_character(out, at, (gsize)(next - at));
    }
}

void html_name(FILE *out, const char *text)
{
    g_autofree char *safe = render_safe(text);
    gboolean cut = g_utf8_strlen(safe, -1) > MOST_CHARACTERS;
    g_autofree char *begin = cut ? g_utf8_substring(safe, 0, MOST_CHARACTERS) : NULL;
    fputs("<bdi>", out);
    html_text(out, cut ? begin : safe);
    fputs(cut ? "\u2026</bdi>" : "</bdi>", out);
}

void html_sentence(FILE *out, const char *text)
{
    fputs("<bdi>", out);
    html_text(out, text);
    fputs("</bdi>", out);
}

char *html_number(const char *value)
{
    if (!text_is_number(value))
        return g_strdup(value);
    GString *out = g_string_new(*value == '-' ? "-" : "");
    value += *value == '-';
    gsize whole = strcspn(value, ".");
    for (gsize i = 0; i < whole; i++) {
        if (i && (whole - i) % 3 == 0)
            g_string_append_c(out, ',');
        g_string_append_c(out, value[i]);
    }
    g_string_append(out, value + whole);
    return g_string_free(out, FALSE);
}

char *html_share(const char *value)
{
    if (!value || !text_is_number(value))
        return g_strdup("");
    double percent = g_ascii_strtod(value, NULL) * 100;
    if (percent > 0 && percent < 0.1)
        return g_strdup("<0.1%");
    if (percent < 100 && percent > 99.9)
        percent = 99.9;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(number, sizeof number, "%.1f", percent);
    return g_strconcat(number, "%", NULL);
}

char *html_compact(double amount)
{
    static const struct {
        double from;
        const char *unit;
    } units[] = {{1e12, "tn"}, {1e9, "bn"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    guint i = 0;
    while (i + 1 < G_N_ELEMENTS(units) && amount < units[i].from)
        i++;
    gboolean plain = amount < 10000, vast = amount >= 1e15;
    g_ascii_formatd(number, sizeof number, "%.4g", plain || vast ? amount : amount / units[i].from);
    g_autofree char *grouped = html_number(number);
    return g_strconcat(grouped, plain || vast ? "" : units[i].unit, NULL);
}

void html_coordinate(FILE *out, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(number, sizeof number, "%.1f", value);
    gsize length = strlen(number);
    if (g_str_has_suffix(number, ".0"))
        number[length - 2] = '\0';
    fputs(number, out);
}

char *html_day(const char *day, gboolean years)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (strlen(day) != 10 || day[4] != '-' || day[7] != '-')
        return g_strdup(day);
    guint64 month = g_ascii_strtoull(day + 5, NULL, 10), date = g_ascii_strtoull(day + 8, NULL, 10);
    if (month < 1 || month > 12)
        return g_strdup(day);
    return years ? g_strdup_printf("%s %.4s", months[month - 1], day)
                 : g_strdup_printf("%u %s", (guint)date, months[month - 1]);
}
