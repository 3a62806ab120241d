#include "ingest/imap_parse.h"

#include "parser/error.h"

#include <string.h>

enum { BUFFER_SIZE = 32 * 1024, WORD_MAX = 32 };

struct imap_parser {
    imap_read_func read;
    void *self;
    guint64 literal_max;
    GError *error;        /* the first failure; nothing works from there on */
    gsize pos, end;       /* of what is not read yet in buf */
    guint64 allowed;      /* bytes that may still come for this command */
    gsize line_left;      /* bytes that this response may still have outside of literals */
    guint64 literal_left; /* bytes of the current literal that were not read yet */
    guint64 literal_size;
    gboolean at_start; /* at the beginning of a response */
    char tag[WORD_MAX], name[WORD_MAX];
    GString *text; /* of the last token or line */
    GString *code;
    char buf[BUFFER_SIZE];
};

struct imap_parser *imap_parser_new(imap_read_func read, void *self, guint64 literal_max)
{
    struct imap_parser *p = g_new0(struct imap_parser, 1);
    p->read = read;
    p->self = self;
    p->literal_max = literal_max;
    p->at_start = TRUE;
    p->text = g_string_new(NULL);
    p->code = g_string_new(NULL);
    return p;
}

void imap_parser_free(struct imap_parser *p)
{
    if (!p)
        return;
    g_clear_error(&p->error);
    g_string_free(p->text, TRUE);
    g_string_free(p->code, TRUE);
    g_free(p);
}

gboolean imap_parser_pending(const struct imap_parser *p)
{
    return p->pos < p->end;
}

void imap_parser_allow(struct imap_parser *p, guint64 bytes)
{
    p->allowed = bytes;
}

void imap_parser_fail(struct imap_parser *p, const char *reason)
{
    if (!p->error)
        p->error = g_error_new(WS_ERROR, WS_ERROR_SOURCE, "the server's answer cannot be read: %s", reason);
}

gboolean imap_parser_failed(const struct imap_parser *p, GError **error)
{
    if (p->error && error)
        *error = g_error_copy(p->error);
    return p->error != NULL;
}

/* -1, so that a byte function can say: return failed(p, ...). */
static int failed(struct imap_parser *p, const char *reason)
{
    imap_parser_fail(p, reason);
    return -1;
}

/* FALSE, for the others. */
static gboolean refuse(struct imap_parser *p, const char *reason)
{
    imap_parser_fail(p, reason);
    return FALSE;
}

static gboolean fill(struct imap_parser *p)
{
    if (p->error)
        return FALSE;
    if (!p->allowed)
        return refuse(p, "more bytes than any answer to this command needs");
    gssize got = p->read(p->self, p->buf, MIN(p->allowed, sizeof p->buf), &p->error);
    if (got == 0)
        return refuse(p, p->at_start ? "the connection was closed"
                                     : "the connection was closed in the middle of it");
    if (got < 0)
        return FALSE;
    p->pos = 0;
    p->end = (gsize)got;
    p->allowed -= (guint64)got;
    return TRUE;
}

static int peek(struct imap_parser *p)
{
    if (p->error || (p->pos == p->end && !fill(p)))
        return -1;
    return (guchar)p->buf[p->pos];
}

/* The next byte outside of a literal. */
static int take(struct imap_parser *p)
{
    int c = peek(p);
    if (c < 0)
        return -1;
    if (!p->line_left)
        return failed(p, "a line of more than 64 KiB");
    if (c == 0)
        return failed(p, "a NUL byte");
    p->line_left--;
    p->pos++;
    return c;
}

/* CR LF or a bare LF. */
static gboolean take_end(struct imap_parser *p)
{
    int c = take(p);
    if (c == '\r')
        c = take(p);
    if (c >= 0 && c != '\n')
        failed(p, "a carriage return in the middle of a line");
    p->at_start = TRUE;
    return !p->error;
}

static gboolean is_end(int c)
{
    return c == '\r' || c == '\n';
}

/* A short word up to a space or the end of the line. */
static gboolean take_word(struct imap_parser *p, char word[WORD_MAX])
{
    gsize n = 0;
    int c;
    while ((c = peek(p)) > 0x20 && c < 0x7f) {
        if (n == WORD_MAX - 1)
            return refuse(p, "a response that begins with no known word");
        word[n++] = (char)take(p);
        if (p->error)
            return FALSE;
    }
    word[n] = '\0';
    if (c >= 0 && (!n || (c != ' ' && !is_end(c))))
        failed(p, "a response that begins with no known word");
    return !p->error;
}

static void take_space(struct imap_parser *p)
{
    if (peek(p) == ' ')
        take(p);
}

/* Up to the end of the line, or up to `stop`, which is taken but not kept. */
static gboolean take_text(struct imap_parser *p, GString *text, int stop)
{
    int c;
    g_string_truncate(text, 0);
    while ((c = peek(p)) >= 0 && !is_end(c)) {
        c = take(p);
        if (c == stop || c < 0)
            return c >= 0;
        g_string_append_c(text, (char)c);
    }
    return c >= 0;
}

gboolean imap_parser_literal(struct imap_parser *p, const char **data_r, gsize *n_r)
{
    if (!p->literal_left || peek(p) < 0)
        return FALSE;
    gsize n = (gsize)MIN(p->literal_left, p->end - p->pos);
    *data_r = p->buf + p->pos;
    *n_r = n;
    p->pos += n;
    p->literal_left -= n;
    return TRUE;
}

static void drop_literal(struct imap_parser *p)
{
    const char *data;
    gsize n;
    while (imap_parser_literal(p, &data, &n))
        ;
}

/* To the beginning of the next response. */
static gboolean begin(struct imap_parser *p)
{
    while (!p->at_start && !p->error)
        imap_parser_token(p);
    if (peek(p) < 0)
        return FALSE;
    p->line_left = IMAP_LINE_MAX;
    p->at_start = FALSE;
    return TRUE;
}

gboolean imap_parser_line(struct imap_parser *p, const char **line_r)
{
    if (!begin(p) || !take_text(p, p->text, -1) || !take_end(p))
        return FALSE;
    *line_r = p->text->str;
    return TRUE;
}

static gboolean is_status(const char *name)
{
    static const char *const words[] = {"OK", "NO", "BAD", "BYE", "PREAUTH", NULL};
    return g_strv_contains(words, name);
}

static gboolean take_status(struct imap_parser *p, struct imap_response *r)
{
    take_space(p);
    if (peek(p) == '[') {
        take(p);
        if (!take_text(p, p->code, ']'))
            return FALSE;
        r->code = p->code->str;
        take_space(p);
    }
    if (!take_text(p, p->text, -1) || !take_end(p))
        return FALSE;
    r->text = p->text->str;
    return TRUE;
}

static gboolean take_name(struct imap_parser *p, struct imap_response *r)
{
    take_space(p);
    if (!take_word(p, p->name))
        return FALSE;
    for (char *c = p->name; *c; c++)
        *c = g_ascii_toupper(*c);
    r->name = p->name;
    return TRUE;
}

static gboolean take_head(struct imap_parser *p, struct imap_response *r)
{
    if (!take_word(p, p->tag))
        return FALSE;
    if (strcmp(p->tag, "*") != 0) {
        r->tag = p->tag;
        return take_name(p, r) && (strcmp(r->name, "BYE") && strcmp(r->name, "PREAUTH") && is_status(r->name)
                                       ? take_status(p, r)
                                       : refuse(p, "a response that begins with no known word"));
    }
    r->kind = IMAP_UNTAGGED;
    if (!take_name(p, r))
        return FALSE;
    if (g_ascii_isdigit(r->name[0])) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(r->name, 10, 0, G_MAXUINT32, &number, NULL))
            return refuse(p, "a number that is none");
        r->has_number = TRUE;
        r->number = (guint32)number;
        return take_name(p, r);
    }
    return !is_status(r->name) || take_status(p, r);
}

gboolean imap_parser_response(struct imap_parser *p, struct imap_response *r)
{
    *r = (struct imap_response){.kind = IMAP_TAGGED, .name = ""};
    if (!begin(p))
        return FALSE;
    if (peek(p) != '+')
        return take_head(p, r) && !p->error;
    take(p);
    take_space(p);
    r->kind = IMAP_CONTINUATION;
    gboolean ok = take_text(p, p->text, -1) && take_end(p);
    r->text = p->text->str;
    return ok;
}

static enum imap_token take_quoted(struct imap_parser *p)
{
    g_string_truncate(p->text, 0);
    take(p);
    for (;;) {
        int c = take(p);
        if (c == '"')
            return IMAP_STRING;
        if (c == '\\')
            c = take(p);
        if (is_end(c))
            failed(p, "a quoted string that does not end");
        if (p->error)
            return IMAP_FAILED;
        g_string_append_c(p->text, (char)c);
    }
}

static enum imap_token take_literal(struct imap_parser *p)
{
    guint64 size;
    take(p);
    if (!take_text(p, p->text, -1) || !take_end(p))
        return IMAP_FAILED;
    gsize n = p->text->len;
    if (n && p->text->str[n - 1] == '}')
        g_string_truncate(p->text, n - 1);
    if (p->text->len == n || !g_ascii_string_to_unsigned(p->text->str, 10, 0, G_MAXUINT64, &size, NULL)) {
        refuse(p, "a literal without its size");
        return IMAP_FAILED;
    }
    if (size > p->literal_max) {
        refuse(p, "a literal that is larger than the limit message_size allows");
        return IMAP_FAILED;
    }
    p->at_start = FALSE;
    p->literal_size = p->literal_left = size;
    return IMAP_LITERAL;
}

static enum imap_token take_atom(struct imap_parser *p)
{
    gboolean bracket = FALSE;
    int c;
    g_string_truncate(p->text, 0);
    while ((c = peek(p)) >= 0 && !is_end(c) && (bracket || !strchr(" ()\"{", c))) {
        c = take(p);
        if (c < 0)
            break;
        g_string_append_c(p->text, (char)c);
        bracket = c == '[' || (bracket && c != ']');
    }
    if (bracket && !p->error)
        failed(p, "a bracket that does not close");
    return p->error ? IMAP_FAILED : IMAP_ATOM;
}

enum imap_token imap_parser_token(struct imap_parser *p)
{
    drop_literal(p);
    if (p->at_start && !p->error)
        return IMAP_END;
    while (peek(p) == ' ')
        if (take(p) < 0)
            break;
    int c = peek(p);
    switch (c) {
    case -1:
        return IMAP_FAILED;
    case 0:
        refuse(p, "a NUL byte");
        return IMAP_FAILED;
    case '(':
    case ')':
        if (take(p) < 0)
            return IMAP_FAILED;
        return c == '(' ? IMAP_OPEN : IMAP_CLOSE;
    case '\r':
    case '\n':
        return take_end(p) ? IMAP_END : IMAP_FAILED;
    case '"':
        return take_quoted(p);
    case '{':
        return take_literal(p);
    default:
        return take_atom(p);
    }
}

const char *imap_parser_text(const struct imap_parser *p)
{
    return p->text->str;
}

guint64 imap_parser_literal_size(const struct imap_parser *p)
{
    return p->literal_size;
}

gboolean imap_parser_string(struct imap_parser *p, char **text_r)
{
    const char *data;
    gsize n;
    *text_r = NULL;
    switch (imap_parser_token(p)) {
    case IMAP_ATOM:
        if (g_ascii_strcasecmp(p->text->str, "NIL") != 0)
            *text_r = g_strdup(p->text->str);
        return TRUE;
    case IMAP_STRING:
        *text_r = g_strdup(p->text->str);
        return TRUE;
    case IMAP_LITERAL:
        if (p->literal_left > p->line_left)
            return refuse(p, "a line of more than 64 KiB");
        p->line_left -= (gsize)p->literal_left;
        g_string_truncate(p->text, 0);
        while (imap_parser_literal(p, &data, &n))
            g_string_append_len(p->text, data, (gssize)n);
        if (memchr(p->text->str, 0, p->text->len))
            failed(p, "a NUL byte");
        *text_r = p->error ? NULL : g_strdup(p->text->str);
        return !p->error;
    default:
        return refuse(p, "a text was expected");
    }
}

gboolean imap_parser_number(struct imap_parser *p, guint64 max, guint64 *number_r)
{
    if (imap_parser_token(p) != IMAP_ATOM ||
        !g_ascii_string_to_unsigned(p->text->str, 10, 0, max, number_r, NULL))
        imap_parser_fail(p, "a number was expected");
    return !p->error;
}

gboolean imap_parser_skip_value(struct imap_parser *p)
{
    guint depth = 0;
    do {
        switch (imap_parser_token(p)) {
        case IMAP_OPEN:
            depth++;
            break;
        case IMAP_CLOSE:
            if (!depth)
                return refuse(p, "a parenthesis closes nothing");
            depth--;
            break;
        case IMAP_END:
            return refuse(p, "a value is missing");
        case IMAP_FAILED:
            return FALSE;
        default:
            break;
        }
    } while (depth);
    return TRUE;
}

gboolean imap_parser_numbers(struct imap_parser *p, GArray *numbers)
{
    while (imap_parser_token(p) == IMAP_ATOM) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(p->text->str, 10, 0, G_MAXUINT32, &number, NULL))
            return refuse(p, "a number was expected");
        if (numbers->len == IMAP_NUMBERS_MAX)
            return refuse(p, "more than 4,194,304 numbers in one list");
        guint32 value = (guint32)number;
        if (value)
            g_array_append_val(numbers, value);
        /* Such a list is one line, and may be far longer than any other. */
        p->line_left = IMAP_LINE_MAX;
    }
    return !p->error;
}
