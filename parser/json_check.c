#include "parser/json_check.h"

#include <string.h>

struct check {
    const char *text;
    gsize length, at;
    const struct limits *limits;
    GPtrArray *keys; /* by depth: the keys of the object that is open there; NULL for an array */
    guint depth, values;
    gboolean limit, ended;
};

static char *wrong(const struct check *check, const char *what)
{
    return g_strdup_printf("%s at byte %" G_GSIZE_FORMAT, what, check->at);
}

static char *over(struct check *check, const char *name, guint64 value, const char *of)
{
    check->limit = TRUE;
    return g_strdup_printf("limit %s: more than %" G_GUINT64_FORMAT " %s", name, value, of);
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The four hexadecimal digits of an escape (RFC 8259 section 7); -1 when they are not there. */
static gint code_unit(struct check *check)
{
    gint unit = 0;
    for (guint hex = 0; hex < 4; hex++) {
        if (check->at + 1 >= check->length || !g_ascii_isxdigit(check->text[check->at + 1]))
            return -1;
        unit = unit * 16 + g_ascii_xdigit_value(check->text[++check->at]);
    }
    return unit;
}

/* Behind the backslash. Half a character outside of the Basic Multilingual Plane is none, and json-glib loses
 * memory over it. */
static gboolean check_escape(struct check *check)
{
    if (++check->at == check->length || !check->text[check->at] ||
        !strchr("\"\\/bfnrtu", check->text[check->at]))
        return FALSE;
    if (check->text[check->at] != 'u')
        return TRUE;
    gint unit = code_unit(check);
    if (unit < 0xd800 || unit > 0xdfff)
        return unit >= 0;
    if (unit > 0xdbff || check->at + 2 >= check->length || check->text[check->at + 1] != '\\' ||
        check->text[check->at + 2] != 'u')
        return FALSE;
    check->at += 2;
    unit = code_unit(check);
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Behind the closing quote. Line breaks and tabs in a text are forgiven. */
static char *check_string(struct check *check)
{
    for (check->at++; check->at < check->length; check->at++) {
        char c = check->text[check->at];
        if (c == '"') {
            check->at++;
            return NULL;
        }
        if ((guchar)c < 32 && !is_blank(c))
            return wrong(check, "control character in a text");
        if (c == '\\' && !check_escape(check))
            return wrong(check, "unknown escape");
    }
    return wrong(check, "the text breaks off");
}

static gsize digits(const struct check *check)
{
    gsize n = 0;
    while (check->at + n < check->length && g_ascii_isdigit(check->text[check->at + n]))
        n++;
    return n;
}

static gboolean skip(struct check *check, const char *any_of)
{
    if (check->at == check->length || !check->text[check->at] || !strchr(any_of, check->text[check->at]))
        return FALSE;
    check->at++;
    return TRUE;
}

/* RFC 8259 section 6. */
static char *check_number(struct check *check)
{
    skip(check, "-");
    gsize n = digits(check);
    if (n == 0 || (n > 1 && check->text[check->at] == '0'))
        return wrong(check, "no number");
    check->at += n;
    for (guint part = 0; part < 2; part++) {
        if (!skip(check, part == 0 ? "." : "eE"))
            continue;
        if (part == 1)
            skip(check, "+-");
        n = digits(check);
        if (n == 0)
            return wrong(check, "no number");
        check->at += n;
    }
    return NULL;
}

static char *check_word(struct check *check)
{
    static const char *const words[] = {"true", "false", "null"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize n = strlen(words[i]);
        if (check->length - check->at >= n && memcmp(check->text + check->at, words[i], n) == 0) {
            check->at += n;
            return NULL;
        }
    }
    return wrong(check, "unknown word");
}

static char *check_open(struct check *check)
{
    if (check->depth == check->limits->json_depth)
        return over(check, "json_depth", check->limits->json_depth,
                    "objects and arrays inside of each other");
    gboolean object = check->text[check->at++] == '{';
    g_ptr_array_add(check->keys,
                    object ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL);
    check->depth++;
    return NULL;
}

static char *check_close(struct check *check)
{
    GHashTable *keys = check->depth ? check->keys->pdata[check->depth - 1] : NULL;
    if (!check->depth || (keys != NULL) != (check->text[check->at] == '}'))
        return wrong(check, "a bracket that closes nothing");
    check->at++;
    g_ptr_array_set_size(check->keys, (gint)--check->depth);
    check->ended = check->depth == 0;
    return NULL;
}

/* Behind the backslash, of what check_escape let pass. */
static void add_escaped(struct check *check, GString *key)
{
    static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
    char c = check->text[++check->at];
    const char *letter = strchr(letters, c);
    if (c != 'u') {
        g_string_append_c(key, letter ? controls[letter - letters] : c);
        return;
    }
    gunichar unit = (gunichar)code_unit(check);
    if (unit >= 0xd800 && unit <= 0xdfff) {
        check->at += 2;
        unit = 0x10000 + ((unit - 0xd800) << 10) + ((gunichar)code_unit(check) - 0xdc00);
    }
    g_string_append_unichar(key, unit);
}

/* The text from one quote to the other as a parser reads it, which ends at a NUL. */
static char *unescape(const struct check *check, gsize start)
{
    struct check part = *check;
    GString *key = g_string_new(NULL);
    for (part.at = start + 1; part.at + 1 < check->at; part.at++) {
        if (part.text[part.at] == '\\')
            add_escaped(&part, key);
        else
            g_string_append_c(key, part.text[part.at]);
    }
    return g_string_free(key, FALSE);
}

/* A text with a colon behind it is a key of the object that is open. */
static char *check_key(struct check *check, gsize start)
{
    gsize at = check->at;
    while (at < check->length && is_blank(check->text[at]))
        at++;
    GHashTable *keys = check->depth ? check->keys->pdata[check->depth - 1] : NULL;
    if (at == check->length || check->text[at] != ':' || !keys)
        return NULL;
    return g_hash_table_add(keys, unescape(check, start)) ? NULL
                                                          : wrong(check, "a key comes twice in one object");
}

static char *check_token(struct check *check)
{
    char c = check->text[check->at];
    gsize start = check->at;
    if (c == ',' || c == ':') {
        check->at++;
        return check->depth ? NULL : wrong(check, "text outside of the value");
    }
    if (c == '}' || c == ']')
        return check_close(check);
    if (check->ended)
        return wrong(check, "text behind the end");
    if (++check->values > check->limits->json_values)
        return over(check, "json_values", check->limits->json_values, "values");
    if (c == '{' || c == '[')
        return check_open(check);
    if (!check->depth)
        return wrong(check, "no object");
    if (c != '"')
        return c == '-' || g_ascii_isdigit(c) ? check_number(check) : check_word(check);
    char *problem = check_string(check);
    return problem ? problem : check_key(check, start);
}

static void free_keys(gpointer keys)
{
    if (keys)
        g_hash_table_unref(keys);
}

/* Whether an object begins in it, or may where it breaks off. */
static gboolean may_hold_object(const char *text, const char *end)
{
    for (const char *at = text; (at = memchr(at, '{', (gsize)(end - at))) != NULL;) {
        for (at++; at < end && is_blank(*at); at++)
            ;
        if (at == end || *at == '"' || *at == '}')
            return TRUE;
    }
    return FALSE;
}

char *json_check(const char *text, gsize length, const struct limits *limits, gsize *end_r, gboolean *limit_r)
{
    struct check check = {.text = text, .length = length, .limits = limits};
    char *problem = NULL;
    check.keys = g_ptr_array_new_with_free_func(free_keys);
    while (!problem) {
        while (check.at < length && is_blank(text[check.at]))
            check.at++;
        if (check.at == length || (end_r && check.ended && !may_hold_object(text + check.at, text + length)))
            break;
        problem = check_token(&check);
    }
    if (!problem && !check.ended)
        problem = wrong(&check, "the text breaks off");
    g_ptr_array_unref(check.keys);
    *limit_r = check.limit;
    if (end_r)
        *end_r = check.at;
    return problem;
}
