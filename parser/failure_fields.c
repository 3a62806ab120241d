#include "parser/failure_fields.h"

#include <string.h>

struct field {
    GString *name, *value;
    field_func tell;
    void *self;
    guint told;
};

/* What a field says, as text that can be stored. */
static void tell(struct field *field)
{
    if (!field->name->len)
        return;
    for (gsize i = 0; i < field->value->len; i++) {
        if ((guchar)field->value->str[i] < 32 || field->value->str[i] == 127)
            field->value->str[i] = ' ';
    }
    g_autofree char *valid = g_utf8_make_valid(field->value->str, (gssize)field->value->len);
    field->tell(field->self, field->name->str, g_strstrip(valid));
    field->told++;
    g_string_truncate(field->name, 0);
    g_string_truncate(field->value, 0);
}

/* Length of the line's text; *next_r: of the line with its end. */
static gsize line_length(const char *text, gsize left, gsize *next_r)
{
    gsize n = 0;
    while (n < left && text[n] != '\n' && text[n] != '\r')
        n++;
    *next_r = n;
    if (n < left)
        *next_r += text[n] == '\r' && n + 1 < left && text[n + 1] == '\n' ? 2 : 1;
    return n;
}

/* A line that is no continuation: a field begins, or something that is none. */
static void begin(struct field *field, const char *line, gsize n)
{
    const char *colon = memchr(line, ':', n);
    gsize name = colon ? (gsize)(colon - line) : 0;
    while (name > 0 && g_ascii_isspace(line[name - 1]))
        name--;
    if (!name || name > 60)
        return;
    for (gsize i = 0; i < name; i++)
        g_string_append_c(field->name, g_ascii_tolower(g_ascii_isprint(line[i]) ? line[i] : '?'));
    g_string_append_len(field->value, colon + 1, (gssize)(n - (gsize)(colon + 1 - line)));
}

gsize fields_read(const char *text, gsize length, gboolean header, gboolean indented, field_func func,
                  void *self)
{
    struct field field = {
        .name = g_string_new(NULL), .value = g_string_new(NULL), .tell = func, .self = self};
    gsize at = 0, next = 0;
    for (; at < length; at += next) {
        const char *line = text + at;
        gsize n = line_length(line, length - at, &next), blanks = 0;
        while (blanks < n && (line[blanks] == ' ' || line[blanks] == '\t'))
            blanks++;
        if (blanks == n) {
            tell(&field);
            if (header && field.told)
                break;
        } else if (blanks && !indented) {
            if (field.name->len)
                g_string_append_len(field.value, line, (gssize)n);
        } else {
            tell(&field);
            begin(&field, line + blanks, n - blanks);
        }
    }
    tell(&field);
    g_string_free(field.name, TRUE);
    g_string_free(field.value, TRUE);
    return at;
}

char *fields_plain(const char *text)
{
    GString *out = g_string_new(NULL);
    guint depth = 0;
    gboolean quoted = FALSE;
    for (; *text; text++) {
        if (*text == '\\' && text[1]) {
            if (!depth)
                g_string_append_len(out, text, 2);
            text++;
            continue;
        }
        if (*text == '"' && !depth)
            quoted = !quoted;
        if (*text == '(' && !quoted)
            depth++;
        if (!depth)
            g_string_append_c(out, *text);
        if (*text == ')' && depth)
            depth--;
    }
    return g_strstrip(g_string_free(out, FALSE));
}

char *fields_address(const char *text)
{
    g_autofree char *plain = fields_plain(text);
    gboolean quoted = FALSE;
    const char *start = plain, *end = plain + strlen(plain);
    for (const char *at = plain; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (*at == '<' && !quoted) {
            start = at + 1;
            end = start + strcspn(start, ">");
            break;
        } else if (*at == ',' && !quoted) {
            end = at;
            break;
        }
    }
    return g_strstrip(g_strndup(start, (gsize)(end - start)));
}

char *fields_tag(const char *text, const char *tag)
{
    gsize n = strlen(tag);
    for (const char *at = text; at; at = strchr(at, ';')) {
        at += strspn(at, "; \t\r\n");
        if (strncmp(at, tag, n) != 0)
            continue;
        const char *value = at + n + strspn(at + n, " \t\r\n");
        if (*value != '=')
            continue;
        GString *out = g_string_new(NULL);
        for (value++; *value && *value != ';'; value++) {
            if (!g_ascii_isspace(*value))
                g_string_append_c(out, *value);
        }
        return g_string_free(out, FALSE);
    }
    return NULL;
}
