#include "reports/text.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <string.h>

gboolean text_is_harmful(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return TRUE;
    default:
        return FALSE;
    }
}

/* Much is said before the program takes on the locale, and with most commands it never does. */
static gboolean environment_is_utf8(void)
{
    static enum { UNKNOWN, OTHER, UTF8 } charset;
    if (charset == UNKNOWN) {
        locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
        charset = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0 ? UTF8 : OTHER;
        if (locale)
            freelocale(locale);
    }
    return charset == UTF8;
}

gboolean text_shows_utf8(void)
{
    return g_get_charset(NULL) || (strcmp(setlocale(LC_CTYPE, NULL), "C") == 0 && environment_is_utf8());
}

void text_append_safe(GString *out, const char *text, const char *keep, gboolean ascii)
{
    while (*text) {
        /* Nearly all of it is plain, and need not be looked up. */
        gsize plain = 0;
        while (text[plain] >= ' ' && text[plain] <= '~')
            plain++;
        g_string_append_len(out, text, (gssize)plain);
        text += plain;
        if (!*text)
            break;
        gunichar c = g_utf8_get_char_validated(text, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(out, "\\x%02x", (guint)(guchar)*text++);
            continue;
        }
        const char *next = g_utf8_next_char(text);
        gboolean harmful = text_is_harmful(c);
        if (harmful ? keep && c < 0x80 && strchr(keep, (int)c) : !ascii)
            g_string_append_len(out, text, next - text);
        else if (harmful && c < 0x100)
            g_string_append_printf(out, "\\x%02x", c);
        else
            g_string_append_printf(out, "\\u{%04X}", c);
        text = next;
    }
}

static guint char_width(gunichar c)
{
    if (c < 0x80)
        return 1;
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint text_width(const char *text)
{
    guint width = 0;
    for (; *text; text = g_utf8_next_char(text))
        width += char_width(g_utf8_get_char(text));
    return width;
}

char *text_fit(const char *text, guint width)
{
    if (text_width(text) <= width)
        return g_strdup(text);
    const char *ellipsis = g_get_charset(NULL) ? "\u2026" : "~"; /* a full stop may end a name */
    if (!width)
        return g_strdup("");
    const char *at = text;
    for (guint taken = 0; *at; at = g_utf8_next_char(at)) {
        taken += char_width(g_utf8_get_char(at));
        if (taken > width - 1)
            break;
    }
    return g_strdup_printf("%.*s%s", (int)(at - text), text, ellipsis);
}

/* Where the first line ends: before a space, or where no more fits when there is none. */
static const char *line_end(const char *text, guint width, gboolean hard)
{
    const char *at = text, *space = NULL;
    for (guint taken = 0; *at; at = g_utf8_next_char(at)) {
        if (*at == ' ' && at > text)
            space = at;
        taken += char_width(g_utf8_get_char(at));
        if (taken > width)
            break;
    }
    if (!*at || space)
        return *at ? space : at;
    if (hard)
        return at > text ? at : g_utf8_next_char(at);
    space = strchr(at, ' ');
    return space ? space : at + strlen(at);
}

GPtrArray *text_lines(const char *text, guint width, gboolean hard)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    do {
        const char *end = width ? line_end(text, width, hard) : text + strlen(text);
        g_ptr_array_add(lines, g_strndup(text, (gsize)(end - text)));
        text = end + (*end == ' ');
    } while (*text);
    return lines;
}

void text_paragraph(FILE *out, const char *text, guint width, guint first, guint indent)
{
    g_autoptr(GPtrArray) lines = text_lines(text, width > indent ? width - indent : 0, FALSE);
    for (guint i = 0; i < lines->len; i++)
        fprintf(out, "%*s%s\n", (int)(i ? indent : first), "", (const char *)lines->pdata[i]);
}

gboolean text_is_number(const char *value)
{
    const char *at = value + (*value == '-');
    gsize whole = strspn(at, "0123456789");
    if (!whole || (whole > 1 && *at == '0'))
        return FALSE;
    at += whole;
    if (*at == '.') {
        gsize fraction = strspn(at + 1, "0123456789");
        if (!fraction)
            return FALSE;
        at += 1 + fraction;
    }
    return !*at;
}

char *text_group_number(const char *value)
{
    const struct lconv *locale = localeconv();
    const char *separator = locale->thousands_sep, *point = locale->decimal_point;
    guint group = locale->grouping[0] > 0 && locale->grouping[0] != CHAR_MAX ? (guint)locale->grouping[0] : 0;
    if (!text_is_number(value))
        return g_strdup(value);
    if (!g_utf8_validate(separator, -1, NULL))
        group = 0;
    GString *out = g_string_new(*value == '-' ? "-" : "");
    value += *value == '-';
    gsize whole = strcspn(value, ".");
    for (gsize i = 0; i < whole; i++) {
        if (i && group && (whole - i) % group == 0)
            g_string_append(out, separator);
        g_string_append_c(out, value[i]);
    }
    if (value[whole])
        g_string_append_printf(out, "%s%s", g_utf8_validate(point, -1, NULL) ? point : ".",
                               value + whole + 1);
    return g_string_free(out, FALSE);
}

char *text_percent(const char *value)
{
    if (!text_is_number(value))
        return g_strdup(value);
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    double percent = g_ascii_strtod(value, NULL) * 100;
    gboolean little = percent > 0 && percent < 0.1;
    if (percent < 100 && percent > 99.9)
        percent = 99.9;
    g_ascii_formatd(number, sizeof number, "%.1f", little ? 0.1 : percent);
    g_autofree char *localised = text_group_number(number);
    return g_strconcat(little ? "<" : "", localised, "%", NULL);
}

char *text_size(const char *value)
{
    if (!text_is_number(value))
        return g_strdup(value);
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(number, sizeof number, "%.1f", g_ascii_strtod(value, NULL) / 1e6);
    g_autofree char *localised = text_group_number(number);
    return g_strconcat(localised, " MB", NULL);
}

char *text_iso_time(const char *value)
{
    gsize n = strlen(value);
    if (n < 20 || value[10] != ' ' || !g_str_has_suffix(value, "+00"))
        return g_strdup(value);
    char *iso = g_strdup_printf("%.*sZ", (int)(n - 3), value);
    iso[10] = 'T';
    return iso;
}

/* One element that begins at `at`; returns where it ends, or NULL when this is no array. */
static const char *list_element(const char *at, GPtrArray *list)
{
    GString *element = g_string_new(NULL);
    gboolean quoted = *at == '"';
    at += quoted;
    while (*at && (quoted ? *at != '"' : !strchr(",{}\"", *at))) {
        if (*at == '\\' && at[1])
            at++;
        g_string_append_c(element, *at++);
    }
    if (quoted && *at++ != '"') {
        g_string_free(element, TRUE);
        return NULL;
    }
    gboolean null = !quoted && strcmp(element->str, "NULL") == 0;
    char *text = g_string_free(element, null);
    g_ptr_array_add(list, null ? NULL : text);
    return at;
}

GPtrArray *text_list(const char *value)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    if (strcmp(value, "{}") == 0)
        return list;
    const char *at = value;
    if (*at == '{') {
        do
            at = list_element(at + 1, list);
        while (at && *at == ',');
        if (at && strcmp(at, "}") == 0)
            return list;
    }
    g_ptr_array_set_size(list, 0);
    g_ptr_array_add(list, g_strdup(value));
    return list;
}

char *text_list_joined(const char *value, const char *separator)
{
    g_autoptr(GPtrArray) list = text_list(value);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(out, "%s%s", i ? separator : "",
                               list->pdata[i] ? (const char *)list->pdata[i] : "");
    return g_string_free(out, FALSE);
}

double text_amount(const char *value)
{
    return value && text_is_number(value) && *value != '-' ? MIN(g_ascii_strtod(value, NULL), 1e300) : 0;
}

char *text_trend(const char *value)
{
    static const char *const blocks[] = {".",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const plain[] = {".", "_", "-", "~", "=", "+", "*", "%", "#"};
    const guint most = G_N_ELEMENTS(plain) - 1;
    const char *const *signs = g_get_charset(NULL) ? blocks : plain;
    g_autoptr(GPtrArray) list = text_list(value);
    double highest = 0;
    for (guint i = 0; i < list->len; i++)
        highest = MAX(highest, text_amount(list->pdata[i]));
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++) {
        double amount = text_amount(list->pdata[i]);
        guint height = amount > 0 ? (guint)(amount / highest * most + 0.5) : 0;
        g_string_append(out, signs[amount > 0 ? MAX(height, 1) : 0]);
    }
    return g_string_free(out, FALSE);
}
