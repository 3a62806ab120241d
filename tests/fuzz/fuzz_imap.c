/* The reader of IMAP answers, asked in several ways for the same bytes: it ends, keeps its bounds, fails for
 * good, and says the same however the bytes come in. */
#include "ingest/imap_parse.h"
#include "tests/fuzz/fuzz.h"

enum { LITERAL_MAX = 100000 };

static void note_literal(struct imap_parser *parser, GString *seen)
{
    const char *bytes;
    gsize n, sum = 0;
    guint64 size = imap_parser_literal_size(parser);
    MUST(size <= LITERAL_MAX);
    while (imap_parser_literal(parser, &bytes, &n)) {
        MUST(n > 0);
        g_string_append_len(seen, bytes, (gssize)n);
        sum += n;
    }
    MUST(sum <= size);
    MUST(sum == size || imap_parser_failed(parser, NULL));
}

static void note_tokens(struct imap_parser *parser, GString *seen)
{
    for (;;) {
        enum imap_token token = imap_parser_token(parser);
        g_string_append_printf(seen, " %d", token);
        if (token == IMAP_END || token == IMAP_FAILED)
            return;
        if (token == IMAP_ATOM || token == IMAP_STRING)
            g_string_append_printf(seen, ":%s", imap_parser_text(parser));
        else if (token == IMAP_LITERAL && seen->len % 3 > 0)
            note_literal(parser, seen);
    }
}

static void note_string(struct imap_parser *parser, GString *seen)
{
    char *text = NULL;
    gboolean ok = imap_parser_string(parser, &text);
    MUST(ok || text == NULL);
    g_string_append_printf(seen, " string:%s", text);
    g_free(text);
}

static void note_numbers(struct imap_parser *parser, GString *seen)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    imap_parser_numbers(parser, numbers);
    MUST(numbers->len <= IMAP_NUMBERS_MAX);
    for (guint i = 0; i < numbers->len; i++)
        MUST(g_array_index(numbers, guint32, i) != 0);
    g_string_append_printf(seen, " numbers:%u", numbers->len);
}

static void note_response(struct imap_parser *parser, const struct imap_response *response, GString *seen)
{
    guint64 number = 0;
    MUST(response->name != NULL || response->kind != IMAP_UNTAGGED);
    MUST((response->kind == IMAP_TAGGED) == (response->tag != NULL));
    g_string_append_printf(seen, "\n%d %s %d %u %s [%s] %s", response->kind, response->tag,
                           response->has_number, response->number, response->name, response->code,
                           response->text);
    switch (response->name != NULL ? response->name[0] : 0) {
    case 'S': /* SEARCH, STATUS */
        note_numbers(parser, seen);
        break;
    case 'L': /* LIST */
        MUST(imap_parser_skip_value(parser) || imap_parser_failed(parser, NULL));
        note_string(parser, seen);
        note_string(parser, seen);
        break;
    case 'E': /* EXISTS, EXPUNGE, ESEARCH */
        if (imap_parser_number(parser, 1000, &number))
            MUST(number <= 1000);
        break;
    default:
        break;
    }
    if (seen->len % 7 > 0)
        note_tokens(parser, seen);
}

static char *read_all(struct pieces *pieces)
{
    struct imap_parser *parser = imap_parser_new(pieces_read, pieces, LITERAL_MAX);
    struct imap_response response;
    GString *seen = g_string_new(NULL);
    const char *line;
    imap_parser_allow(parser, pieces->left + 10);
    if (pieces->left % 3 == 0 && imap_parser_line(parser, &line)) {
        MUST(strpbrk(line, "\r\n") == NULL || strchr(line, '\n') == NULL);
        g_string_append(seen, line);
    }
    while (imap_parser_response(parser, &response))
        note_response(parser, &response, seen);
    GError *error = NULL;
    MUST(imap_parser_failed(parser, &error));
    MUST(g_error_matches(error, WS_ERROR, WS_ERROR_SOURCE));
    must_be_error(error);
    MUST(!imap_parser_response(parser, &response));
    MUST(imap_parser_token(parser) == IMAP_FAILED);
    g_string_append(seen, error->message);
    g_clear_error(&error);
    imap_parser_free(parser);
    return g_string_free(seen, FALSE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    struct pieces whole = {data, size, 0}, cut = {data, size, 1 + size % 5};
    g_autofree char *first = read_all(&whole), *second = read_all(&cut);
    must_be_same(first, second);
    return 0;
}
