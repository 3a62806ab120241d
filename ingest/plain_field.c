#include "ingest/plain_field.h"

#include <string.h>

#define VALUE_MAX 255

static gboolean is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Printable ASCII, blanks, and line ends only where a line is folded, as the header was cut. */
static gboolean is_clean(const struct plain_field *field)
{
    for (gsize i = 0; i < field->n; i++) {
        char c = field->text[i];
        if (c >= ' ' && c < 0x7f)
            continue;
        if (c == '\r' && (i + 1 == field->n || field->text[i + 1] != '\n'))
            return FALSE;
        if (c != '\r' && c != '\n' && c != '\t')
            return FALSE;
    }
    return TRUE;
}

gboolean plain_field_text(const struct plain_field *field, struct arena *arena, char **text_r)
{
    *text_r = NULL;
    if (!field->text)
        return TRUE;
    if (!is_clean(field))
        return FALSE;
    const char *at = field->text, *end = at + field->n;
    while (at < end && is_space(*at))
        at++;
    while (at < end && is_space(end[-1]))
        end--;
    if (at == end)
        return FALSE;
    char *out = arena_alloc(arena, (gsize)(end - at) + 1);
    *text_r = out;
    for (; at < end; at++) {
        if (*at != '\r' && *at != '\n')
            *out++ = *at;
    }
    *out = '\0';
    return TRUE;
}

static gboolean is_token(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!._+-", c));
}

static void skip_space(const char **at, const char *end)
{
    while (*at < end && is_space(**at))
        ++*at;
}

/* A run of token characters; "" when there is none. */
static const char *take_token(const char **at, const char *end, struct arena *arena, gboolean slash)
{
    const char *start = *at;
    while (*at < end && (is_token(**at) || (slash && **at == '/')))
        ++*at;
    return arena_text(arena, start, (gsize)(*at - start));
}

/* NULL when it is not plain. */
static const char *take_quoted(const char **at, const char *end, struct arena *arena)
{
    const char *start = ++*at;
    while (*at < end && **at != '"') {
        if (**at < ' ' || strchr("\\%'*?", **at))
            return NULL;
        ++*at;
    }
    gsize n = (gsize)(*at - start);
    if (*at == end || n == 0 || is_space(start[0]) || is_space(start[n - 1]))
        return NULL;
    ++*at;
    return arena_text(arena, start, n);
}

/* Keeps a parameter that is of use; FALSE when it comes twice. */
static gboolean keep(struct plain_params *params, const char *name, const char *value)
{
    const char **slot = g_ascii_strcasecmp(name, "name") == 0       ? &params->name
                        : g_ascii_strcasecmp(name, "filename") == 0 ? &params->file_name
                        : g_ascii_strcasecmp(name, "boundary") == 0 ? &params->boundary
                                                                    : NULL;
    if (slot && *slot)
        return FALSE;
    if (slot)
        *slot = value;
    return TRUE;
}

gboolean plain_field_params(const struct plain_field *field, struct arena *arena, struct plain_params *params)
{
    *params = (struct plain_params){0};
    if (!field->text)
        return TRUE;
    if (!is_clean(field))
        return FALSE;
    const char *at = field->text, *end = at + field->n;
    skip_space(&at, end);
    g_autofree char *value = g_ascii_strdown(take_token(&at, end, arena, TRUE), -1);
    const char *slash = strchr(value, '/');
    gsize n = strlen(value);
    if (n == 0 || n > VALUE_MAX || (slash && (slash == value || !slash[1] || strchr(slash + 1, '/'))))
        return FALSE;
    params->value = arena_text(arena, value, n);
    for (skip_space(&at, end); at < end; skip_space(&at, end)) {
        if (*at++ != ';')
            return FALSE;
        skip_space(&at, end);
        if (at == end)
            return TRUE;
        const char *name = take_token(&at, end, arena, FALSE);
        if (!*name || at == end || *at++ != '=' || at == end)
            return FALSE;
        const char *own = *at == '"' ? take_quoted(&at, end, arena) : take_token(&at, end, arena, FALSE);
        if (!own || !*own || !keep(params, name, own))
            return FALSE;
    }
    return TRUE;
}

/* Words of letters and digits with single dots and the like between them. */
static gboolean is_dotted(const char *text, gsize n)
{
    gboolean inside = FALSE;
    for (gsize i = 0; i < n; i++) {
        gboolean word = g_ascii_isalnum(text[i]);
        if (!word && (!inside || !strchr(".-_+", text[i])))
            return FALSE;
        inside = word;
    }
    return inside;
}

/* The words in front of an address: atoms, encoded words, or one quoted string. */
static gboolean is_phrase(const char *text, const char *end)
{
    while (text < end && end[-1] == ' ')
        end--;
    gboolean quoted = end - text >= 2 && text[0] == '"' && end[-1] == '"';
    if (quoted) {
        text++;
        end--;
    }
    for (; text < end; text++) {
        if (!g_ascii_isalnum(*text) && !strchr(quoted ? " .-_&!'," : " -_=?*/+", *text))
            return FALSE;
    }
    return TRUE;
}

const char *plain_address(const char *text, struct arena *arena)
{
    const char *start = text, *end = text + strlen(text);
    const char *open = strchr(text, '<');
    if (open) {
        if (!is_phrase(text, open) || end[-1] != '>')
            return NULL;
        start = open + 1;
        end--;
    }
    const char *at = memchr(start, '@', (gsize)(end - start));
    if (!at || !is_dotted(start, (gsize)(at - start)) || !is_dotted(at + 1, (gsize)(end - at - 1)))
        return NULL;
    return arena_text(arena, start, (gsize)(end - start));
}
