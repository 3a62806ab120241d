#include "parser/authres.h"

#include <string.h>

struct lexer {
    const char *at;
    gboolean bad; /* sticky */
};

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Comments and folding white space, RFC 5322 section 3.2.2. */
static void skip(struct lexer *lexer)
{
    guint depth = 0;
    for (; *lexer->at; lexer->at++) {
        if (*lexer->at == '(')
            depth++;
        else if (depth && *lexer->at == ')')
            depth--;
        else if (depth && *lexer->at == '\\' && lexer->at[1])
            lexer->at++;
        else if (!depth && !is_blank(*lexer->at))
            break;
    }
    lexer->bad = lexer->bad || depth;
}

static gboolean take(struct lexer *lexer, char c)
{
    skip(lexer);
    if (lexer->bad || *lexer->at != c)
        return FALSE;
    lexer->at++;
    return TRUE;
}

/* Letters, digits, '-' and '_', in lower case; "" when there is none. Owned by the caller. */
static char *take_keyword(struct lexer *lexer)
{
    skip(lexer);
    gsize n = 0;
    while (g_ascii_isalnum(lexer->at[n]) || lexer->at[n] == '-' || lexer->at[n] == '_')
        n++;
    char *word = g_ascii_strdown(lexer->at, (gssize)n);
    lexer->at += n;
    return word;
}

static void take_quoted(struct lexer *lexer, GString *out)
{
    for (lexer->at++; *lexer->at && *lexer->at != '"'; lexer->at++) {
        if (*lexer->at == '\\' && lexer->at[1])
            lexer->at++;
        if (*lexer->at != '\r' && *lexer->at != '\n')
            g_string_append_c(out, *lexer->at);
    }
    lexer->bad = lexer->bad || !*lexer->at;
    if (*lexer->at)
        lexer->at++;
}

/* A value, quoted or up to the next blank, ';' or comment; a quoted local part may be followed by its domain.
 * May be empty. Owned by the caller. */
static char *take_value(struct lexer *lexer)
{
    GString *out = g_string_new(NULL);
    skip(lexer);
    if (*lexer->at == '"')
        take_quoted(lexer, out);
    gsize n = strcspn(lexer->at, " \t\r\n;()\"");
    for (gsize i = 0; i < n; i++)
        lexer->bad = lexer->bad || g_ascii_iscntrl(lexer->at[i]);
    g_string_append_len(out, lexer->at, (gssize)n);
    lexer->at += n;
    /* Neither may stand in the middle of a value. */
    lexer->bad = lexer->bad || *lexer->at == '"' || *lexer->at == ')';
    return g_string_free(out, FALSE);
}

/* [CFWS 1*DIGIT], which has to be 1; TRUE when there is none, too. */
static gboolean take_version(struct lexer *lexer)
{
    skip(lexer);
    if (!g_ascii_isdigit(*lexer->at))
        return TRUE;
    gsize n = strspn(lexer->at, "0123456789");
    gboolean first = n == 1 && *lexer->at == '1';
    lexer->at += n;
    return first;
}

/* One "name=value" behind a result: "reason", or a type and a property with a dot between them. */
static void take_property(struct lexer *lexer, struct authres *authres, guint result, gboolean wanted)
{
    struct authres_property property = {.result = result, .name = take_keyword(lexer)};
    if (take(lexer, '.')) {
        g_autofree char *type = property.name;
        g_autofree char *rest = take_keyword(lexer);
        lexer->bad = lexer->bad || !*rest;
        property.name = g_strconcat(type, ".", rest, NULL);
    }
    lexer->bad = lexer->bad || !*property.name || *property.name == '.' || !take(lexer, '=') ||
                 authres->properties->len >= AUTHRES_PROPERTIES;
    property.value = lexer->bad ? NULL : take_value(lexer);
    if (wanted && !lexer->bad) {
        g_array_append_val(authres->properties, property);
    } else {
        g_free(property.name);
        g_free(property.value);
    }
}

/* What stands between two ';': "none", nothing, or a method with its result and properties. */
static void take_result(struct lexer *lexer, struct authres *authres)
{
    skip(lexer);
    if (!*lexer->at || *lexer->at == ';')
        return;
    struct authres_result result = {.method = take_keyword(lexer)};
    gboolean known = !take(lexer, '/') || take_version(lexer);
    skip(lexer);
    gboolean nothing = strcmp(result.method, "none") == 0 && (!*lexer->at || *lexer->at == ';');
    if (!nothing) {
        lexer->bad =
            lexer->bad || !*result.method || !take(lexer, '=') || authres->results->len >= AUTHRES_RESULTS;
        result.result = take_keyword(lexer);
        lexer->bad = lexer->bad || !*result.result;
    }
    guint index = authres->results->len;
    if (nothing || !known || lexer->bad) {
        g_free(result.method);
        g_free(result.result);
    } else {
        g_array_append_val(authres->results, result);
    }
    for (skip(lexer); !lexer->bad && *lexer->at && *lexer->at != ';'; skip(lexer))
        take_property(lexer, authres, index, known);
}

static void clear_result(gpointer data)
{
    struct authres_result *result = data;
    g_free(result->method);
    g_free(result->result);
}

static void clear_property(gpointer data)
{
    struct authres_property *property = data;
    g_free(property->name);
    g_free(property->value);
}

gboolean authres_parse(const char *text, struct authres *authres_r)
{
    struct lexer lexer = {.at = text};
    authres_r->results = g_array_new(FALSE, FALSE, sizeof(struct authres_result));
    authres_r->properties = g_array_new(FALSE, FALSE, sizeof(struct authres_property));
    g_array_set_clear_func(authres_r->results, clear_result);
    g_array_set_clear_func(authres_r->properties, clear_property);
    authres_r->authserv_id = take_value(&lexer);
    if (lexer.bad || !*authres_r->authserv_id)
        g_clear_pointer(&authres_r->authserv_id, g_free);
    lexer.bad = lexer.bad || !authres_r->authserv_id || strlen(text) > AUTHRES_BYTES || !take_version(&lexer);
    while (!lexer.bad && take(&lexer, ';'))
        take_result(&lexer, authres_r);
    skip(&lexer);
    gboolean whole = !lexer.bad && !*lexer.at;
    if (!whole) {
        g_array_set_size(authres_r->results, 0);
        g_array_set_size(authres_r->properties, 0);
    }
    return whole;
}

void authres_clear(struct authres *authres)
{
    g_free(authres->authserv_id);
    g_array_unref(authres->results);
    g_array_unref(authres->properties);
    memset(authres, 0, sizeof *authres);
}

const char *authres_property(const struct authres *authres, guint result, const char *name)
{
    for (guint i = 0; i < authres->properties->len; i++) {
        const struct authres_property *property =
            &g_array_index(authres->properties, struct authres_property, i);
        if (property->result == result && strcmp(property->name, name) == 0)
            return property->value;
    }
    return NULL;
}
