#include "ingest/imap_parse.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { LITERAL_MAX = 1000 };

/* Hands out `head`, then `repeat` as often as wanted, then `tail`, at most `step` bytes at once. */
struct feed {
    const char *head;
    gsize head_n;
    const char *repeat;
    guint64 repeats;
    const char *tail;
    gsize tail_n;
    gsize step;
    guint64 handed;
};

static gssize feed_read(void *self, void *buf, gsize n, GError **error)
{
    struct feed *feed = self;
    (void)error;
    if (!feed->head_n && !feed->repeats && !feed->tail_n)
        return 0;
    const char **from = feed->head_n ? &feed->head : &feed->tail;
    gsize *left = feed->head_n ? &feed->head_n : &feed->tail_n;
    gsize got = 0;
    if (!feed->head_n && feed->repeats) {
        gsize unit = strlen(feed->repeat);
        for (; feed->repeats && got + unit <= n; got += unit, feed->repeats--)
            memcpy((char *)buf + got, feed->repeat, unit);
    } else {
        got = MIN(MIN(n, *left), feed->step);
        memcpy(buf, *from, got);
        *from += got;
        *left -= got;
    }
    feed->handed += got;
    return (gssize)got;
}

static struct feed feed_of(const char *text, gsize n, gsize step)
{
    return (struct feed){.head = text, .head_n = n, .step = step};
}

static struct imap_parser *parser_of(struct feed *feed)
{
    struct imap_parser *parser = imap_parser_new(feed_read, feed, LITERAL_MAX);
    imap_parser_allow(parser, G_MAXINT64);
    return parser;
}

static void dump_literal(struct imap_parser *parser, GString *out)
{
    const char *data;
    gsize n;
    g_string_append_printf(out, " {%" G_GUINT64_FORMAT "}", imap_parser_literal_size(parser));
    while (imap_parser_literal(parser, &data, &n))
        for (gsize i = 0; i < n; i++)
            g_string_append_printf(out, g_ascii_isprint(data[i]) ? "%c" : "\\%02x", (guchar)data[i]);
}

static void dump_tokens(struct imap_parser *parser, GString *out)
{
    for (;;) {
        switch (imap_parser_token(parser)) {
        case IMAP_ATOM:
            g_string_append_printf(out, " %s", imap_parser_text(parser));
            break;
        case IMAP_STRING:
            g_string_append_printf(out, " \"%s\"", imap_parser_text(parser));
            break;
        case IMAP_LITERAL:
            dump_literal(parser, out);
            break;
        case IMAP_OPEN:
            g_string_append(out, " (");
            break;
        case IMAP_CLOSE:
            g_string_append(out, " )");
            break;
        case IMAP_END:
        case IMAP_FAILED:
            return;
        }
    }
}

/* All responses as one text; the failure that ended it is behind a '!'. */
static char *dump(struct feed *feed)
{
    struct imap_parser *parser = parser_of(feed);
    struct imap_response r;
    GString *out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    while (imap_parser_response(parser, &r)) {
        g_string_append(out, r.kind == IMAP_TAGGED ? r.tag : r.kind == IMAP_UNTAGGED ? "*" : "+");
        if (r.has_number)
            g_string_append_printf(out, " #%" G_GUINT32_FORMAT, r.number);
        g_string_append_printf(out, " %s", r.name);
        if (r.code)
            g_string_append_printf(out, " [%s]", r.code);
        if (r.text)
            g_string_append_printf(out, " <%s>", r.text);
        dump_tokens(parser, out);
        g_string_append(out, "\n");
    }
    g_assert_true(imap_parser_failed(parser, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SOURCE);
    g_assert_false(imap_parser_response(parser, &r));
    g_assert_cmpint(imap_parser_token(parser), ==, IMAP_FAILED);
    const char *reason = strstr(error->message, ": ");
    g_string_append_printf(out, "!%s", reason ? reason + 2 : error->message);
    imap_parser_free(parser);
    return g_string_free(out, FALSE);
}

#define CLOSED "!the connection was closed"
#define CUT CLOSED " in the middle of it"

static const struct {
    const char *in, *out;
} good[] = {
    {"* OK hello\r\n", "* OK <hello>\n"},
    {"* ok\r\n", "* OK <>\n"},
    {"* OK [UIDVALIDITY 7] UIDs valid\r\n", "* OK [UIDVALIDITY 7] <UIDs valid>\n"},
    {"* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n", "* OK [PERMANENTFLAGS (\\Seen \\*)] <x>\n"},
    {"* OK [broken\r\n", "* OK [broken] <>\n"},
    {"W1 NO [TRYCREATE] no such folder\r\n", "W1 NO [TRYCREATE] <no such folder>\n"},
    {"W1 bad (\"{9\r\n", "W1 BAD <(\"{9>\n"},
    {"* BYE see you\r\n", "* BYE <see you>\n"},
    {"+ go on\r\n", "+  <go on>\n"},
    {"+\r\n", "+  <>\n"},
    {"* 12 EXISTS\r\n* 4294967295 EXPUNGE\r\n", "* #12 EXISTS\n* #4294967295 EXPUNGE\n"},
    {"* SEARCH\r\n", "* SEARCH\n"},
    {"* search 1 2 3\r\n", "* SEARCH 1 2 3\n"},
    {"* SEARCH 1 2\n", "* SEARCH 1 2\n"},
    {"* LIST (\\Noselect) \"/\" \"\"\r\n", "* LIST ( \\Noselect ) \"/\" \"\"\n"},
    {"* LIST () \".\" \"a \\\"b\\\\\"\r\n", "* LIST ( ) \".\" \"a \"b\\\"\n"},
    {"* LIST () NIL {5}\r\na\r\n) b\r\n", "* LIST ( ) NIL {5}a\\0d\\0a)  b\n"},
    {"* 1 FETCH (UID 5 BODY[] {3}\r\nabc FLAGS (\\Seen))\r\n",
     "* #1 FETCH ( UID 5 BODY[] {3}abc FLAGS ( \\Seen ) )\n"},
    {"* 1 FETCH (BODY[HEADER.FIELDS (From \"To\")] NIL)\r\n",
     "* #1 FETCH ( BODY[HEADER.FIELDS (From \"To\")] NIL )\n"},
    {"* 1 FETCH (BODY[]<0> \"x\")\r\n", "* #1 FETCH ( BODY[]<0> \"x\" )\n"},
    {"* 1 FETCH (BODY[] {0}\r\n)\r\n", "* #1 FETCH ( BODY[] {0} )\n"},
    /* what looks like answers inside of a mail is the mail */
    {"* 1 FETCH (BODY[] {25}\r\n)\r\nW1 OK done\r\n* BYE no\r\n UID 1)\r\nW1 OK\r\n",
     "* #1 FETCH ( BODY[] {25})\\0d\\0aW1 OK done\\0d\\0a* BYE no\\0d\\0a UID 1 )\nW1 OK <>\n"},
    /* NUL and 8 bits are fine in a mail, 8 bits in a text */
    {"* OK gr\xfc\xdf\r\n", "* OK <gr\xfc\xdf>\n"},
    {"* ESEARCH (TAG \"W1\") UID ALL 1:3\r\n", "* ESEARCH ( TAG \"W1\" ) UID ALL 1:3\n"},
};

static void test_good(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        struct feed feed = feed_of(good[i].in, strlen(good[i].in), G_MAXSIZE);
        g_autofree char *out = dump(&feed);
        g_autofree char *expected = g_strconcat(good[i].out, CLOSED, NULL);
        g_assert_cmpstr(out, ==, expected);
    }
}

static void test_byte_by_byte(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        for (gsize step = 1; step <= 7; step += 2) {
            struct feed feed = feed_of(good[i].in, strlen(good[i].in), step);
            g_autofree char *out = dump(&feed);
            g_autofree char *expected = g_strconcat(good[i].out, CLOSED, NULL);
            g_assert_cmpstr(out, ==, expected);
        }
}

/* Cut anywhere, it is an error, and never one response more than was whole. */
static void test_cut(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        gsize n = strlen(good[i].in);
        for (gsize at = 0; at < n; at++) {
            struct feed feed = feed_of(good[i].in, at, G_MAXSIZE);
            g_autofree char *out = dump(&feed);
            if (at == 0)
                g_assert_cmpstr(out, ==, CLOSED);
            else if (good[i].in[at - 1] != '\n')
                g_assert_true(g_str_has_suffix(out, CUT));
            else
                g_assert_true(g_str_has_suffix(out, CUT) || g_str_has_suffix(out, CLOSED));
        }
    }
}

static const struct {
    const char *in, *reason;
} bad[] = {
    {"HTTP/1.1 400 Bad Request\r\n", "known word"},
    {"\r\n", "known word"},
    {" * OK\r\n", "known word"},
    {"*\r\n", "known word"},
    {"* \r\n", "known word"},
    {"W1 FETCH\r\n", "known word"},
    {"W1 BYE\r\n", "known word"},
    {"W1\r\n", "known word"},
    {"* a\x01 b\r\n", "known word"},
    {"* \xff\r\n", "known word"},
    {"* 0123456789012345678901234567890123456789 EXISTS\r\n", "known word"},
    {"* 4294967296 EXISTS\r\n", "a number that is none"},
    {"* 1x EXISTS\r\n", "a number that is none"},
    {"* LIST \"a\r\nb\"\r\n", "quoted string"},
    {"* LIST \"a\\\r\n", "quoted string"},
    {"* LIST a\rb\r\n", "carriage return"},
    {"* 1 FETCH (BODY[ {3}\r\nabc)\r\n", "bracket"},
    {"* 1 FETCH (BODY[] {1001}\r\n", "message_size"},
    {"* 1 FETCH (BODY[] {4294967296}\r\n", "message_size"},
    {"* 1 FETCH (BODY[] {9999999999999999999}\r\n", "message_size"},
    {"* 1 FETCH (BODY[] {99999999999999999999999}\r\n", "literal without its size"},
    {"* 1 FETCH (BODY[] {-1}\r\n", "literal without its size"},
    {"* 1 FETCH (BODY[] {}\r\n", "literal without its size"},
    {"* 1 FETCH (BODY[] { 3}\r\n", "literal without its size"},
    {"* 1 FETCH (BODY[] {3\r\n", "literal without its size"},
    {"* 1 FETCH (BODY[] {3}abc\r\n", "literal without its size"},
};

static void test_bad(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        for (gsize step = 1; step < 1000; step *= 30) {
            struct feed feed = feed_of(bad[i].in, strlen(bad[i].in), step);
            g_autofree char *out = dump(&feed);
            const char *failure = strrchr(out, '!');
            g_assert_nonnull(failure);
            if (!strstr(failure, bad[i].reason))
                g_error("%s: %s", bad[i].in, out);
        }
}

static void test_nul(void)
{
    static const char *const lines[] = {
        "* OK a@b\r\n",    "@",          "*@OK\r\n", "* LIST @ x\r\n", "* LIST a@b\r\n", "* LIST \"@\"\r\n",
        "* LIST {@3}\r\n", "W@1 OK\r\n", "+ @\r\n"};
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = g_strdup(lines[i]);
        gsize n = strlen(line);
        *strchr(line, '@') = '\0';
        struct feed feed = feed_of(line, n, G_MAXSIZE);
        g_autofree char *out = dump(&feed);
        g_assert_true(strstr(out, "!a NUL byte") || strstr(out, "known word"));
    }
    static const char literal[] = "* LIST {3}\r\na\0b\r\n";
    struct feed feed = feed_of(literal, sizeof literal - 1, G_MAXSIZE);
    g_autofree char *out = dump(&feed);
    g_assert_cmpstr(out, ==, "* LIST {3}a\\00b\n" CLOSED);
}

/* What has no end costs no more than the limit, and no memory. */
static void test_endless(void)
{
    static const struct {
        const char *head, *repeat, *reason;
    } vectors[] = {
        {"* OK ", "xxxxxxxx", "64 KiB"},      {"* OK [", "xxxxxxxx", "64 KiB"},
        {"* 1 FETCH ", "((((((((", "64 KiB"}, {"* 1 FETCH ", "))))))))", "64 KiB"},
        {"* 1 FETCH ", "        ", "64 KiB"}, {"* 1 FETCH (BODY[", "((((((((", "64 KiB"},
        {"* LIST \"", "xxxxxxxx", "64 KiB"},  {"* LIST {", "00000000", "64 KiB"},
        {"* LIST ", "{0}\r\n", "64 KiB"},     {"", "xxxxxxxx", "known word"},
        {"* 1 FETCH ", "a b c d ", "64 KiB"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct feed feed = {.head = vectors[i].head,
                            .head_n = strlen(vectors[i].head),
                            .repeat = vectors[i].repeat,
                            .repeats = 200 * 1000 * 1000 / 8,
                            .step = G_MAXSIZE};
        g_autofree char *out = dump(&feed);
        g_assert_nonnull(strstr(strrchr(out, '!'), vectors[i].reason));
        g_assert_cmpuint(feed.handed, <, 256 * 1024);
    }
}

static void test_nesting(void)
{
    struct feed feed = {
        .head = "* 1 FETCH ", .head_n = 10, .repeat = "((((((((", .repeats = G_MAXUINT32, .step = 1000};
    struct imap_parser *parser = parser_of(&feed);
    struct imap_response r;
    g_assert_true(imap_parser_response(parser, &r));
    g_assert_false(imap_parser_skip_value(parser));
    g_assert_true(imap_parser_failed(parser, NULL));
    imap_parser_free(parser);
}

static void test_allowance(void)
{
    struct feed feed = {.repeat = "* OK 1\r\n", .repeats = G_MAXUINT32, .step = G_MAXSIZE};
    struct imap_parser *parser = parser_of(&feed);
    struct imap_response r;
    guint responses = 0;
    imap_parser_allow(parser, 8000);
    while (imap_parser_response(parser, &r))
        responses++;
    g_assert_cmpuint(responses, ==, 1000);
    g_assert_cmpuint(feed.handed, ==, 8000);
    imap_parser_free(parser);
}

static void test_numbers(void)
{
    /* 100,000 UIDs are one line of 700 KB, and are one answer. */
    struct feed feed = {.head = "* SEARCH",
                        .head_n = 8,
                        .repeat = " 123456",
                        .repeats = 100000,
                        .tail = " 0 4294967295 (MODSEQ 9)\r\n* SEARCH 1 x\r\n",
                        .tail_n = 40,
                        .step = G_MAXSIZE};
    struct imap_parser *parser = parser_of(&feed);
    struct imap_response r;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_assert_true(imap_parser_response(parser, &r));
    g_assert_true(imap_parser_numbers(parser, numbers));
    g_assert_cmpuint(numbers->len, ==, 100001);
    g_assert_cmpuint(g_array_index(numbers, guint32, 99999), ==, 123456);
    g_assert_cmpuint(g_array_index(numbers, guint32, 100000), ==, G_MAXUINT32);
    g_assert_true(imap_parser_response(parser, &r));
    g_assert_false(imap_parser_numbers(parser, numbers));
    imap_parser_free(parser);
}

static void test_too_many_numbers(void)
{
    struct feed feed = {
        .head = "* SEARCH", .head_n = 8, .repeat = " 1", .repeats = G_MAXUINT32, .step = G_MAXSIZE};
    struct imap_parser *parser = parser_of(&feed);
    struct imap_response r;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GError) error = NULL;
    g_assert_true(imap_parser_response(parser, &r));
    g_assert_false(imap_parser_numbers(parser, numbers));
    g_assert_true(imap_parser_failed(parser, &error));
    g_assert_nonnull(strstr(error->message, "4,194,304"));
    g_assert_cmpuint(numbers->len, ==, IMAP_NUMBERS_MAX);
    imap_parser_free(parser);
}

static void test_strings(void)
{
    static const char text[] = "* X NIL atom \"quo\\\"ted\" {3}\r\nlit (1) 77 {70000}\r\n";
    struct feed feed = feed_of(text, sizeof text - 1, 3);
    struct imap_parser *parser = imap_parser_new(feed_read, &feed, 100000);
    struct imap_response r;
    static const char *const expected[] = {NULL, "atom", "quo\"ted", "lit"};
    guint64 number;
    char *string;
    imap_parser_allow(parser, 100000);
    g_assert_true(imap_parser_response(parser, &r));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_true(imap_parser_string(parser, &string));
        g_assert_cmpstr(string, ==, expected[i]);
        g_free(string);
    }
    g_assert_true(imap_parser_skip_value(parser));
    g_assert_true(imap_parser_number(parser, 77, &number));
    g_assert_cmpuint(number, ==, 77);
    g_assert_false(imap_parser_string(parser, &string));
    g_assert_null(string);
    imap_parser_free(parser);
}

/* What nobody reads is passed over, literals included. */
static void test_unread(void)
{
    static const char text[] =
        "* 1 FETCH (BODY[] {22}\r\nW1 OK\r\nW1 OK\r\n* BYE\r\nx UID 3)\r\nW2 OK done\r\n";
    for (guint tokens = 0; tokens < 8; tokens++) {
        struct feed feed = feed_of(text, sizeof text - 1, 5);
        struct imap_parser *parser = parser_of(&feed);
        struct imap_response r;
        g_assert_true(imap_parser_response(parser, &r));
        for (guint i = 0; i < tokens; i++)
            imap_parser_token(parser);
        g_assert_true(imap_parser_response(parser, &r));
        g_assert_cmpstr(r.tag, ==, "W2");
        imap_parser_free(parser);
    }
}

static void test_line(void)
{
    static const char text[] =
        "LITY MOVE] logged in\r\n)) {99}\r\n* CAPABILITY MOVE\r\nW1 OK\r\n* 1 EXISTS\r\n";
    static const char *const expected[] = {"LITY MOVE] logged in", ")) {99}", "* CAPABILITY MOVE", "W1 OK"};
    struct feed feed = feed_of(text, sizeof text - 1, 4);
    struct imap_parser *parser = parser_of(&feed);
    struct imap_response r;
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const char *line;
        g_assert_true(imap_parser_line(parser, &line));
        g_assert_cmpstr(line, ==, expected[i]);
    }
    g_assert_true(imap_parser_response(parser, &r));
    g_assert_cmpstr(r.name, ==, "EXISTS");
    imap_parser_free(parser);
}

/* Bytes changed at random places: any outcome is right, as long as there is one. */
static void test_mutations(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261121);
    static const char specials[] = "(){}[]\"\\ \r\n*+0129\0A";
    for (guint round = 0; round < 60000; round++) {
        const char *from = good[round % G_N_ELEMENTS(good)].in;
        gsize n = strlen(from);
        g_autofree char *text = g_strdup(from);
        for (gint changes = g_rand_int_range(rand, 1, 4); changes; changes--)
            text[g_rand_int_range(rand, 0, (gint32)n)] =
                specials[g_rand_int_range(rand, 0, sizeof specials - 1)];
        struct feed feed = feed_of(text, n, (gsize)g_rand_int_range(rand, 1, 20));
        g_autofree char *out = dump(&feed);
        g_assert_nonnull(strchr(out, '!'));
    }
}

int main(int argc, char **argv)
{
    g_assert_cmpint(argc, >, 0);
    unit_init(argv[0]);
    g_test_add_func("/imap-parse/good", test_good);
    g_test_add_func("/imap-parse/byte-by-byte", test_byte_by_byte);
    g_test_add_func("/imap-parse/cut", test_cut);
    g_test_add_func("/imap-parse/bad", test_bad);
    g_test_add_func("/imap-parse/nul", test_nul);
    g_test_add_func("/imap-parse/endless", test_endless);
    g_test_add_func("/imap-parse/nesting", test_nesting);
    g_test_add_func("/imap-parse/allowance", test_allowance);
    g_test_add_func("/imap-parse/numbers", test_numbers);
    g_test_add_func("/imap-parse/too-many-numbers", test_too_many_numbers);
    g_test_add_func("/imap-parse/strings", test_strings);
    g_test_add_func("/imap-parse/unread", test_unread);
    g_test_add_func("/imap-parse/line", test_line);
    g_test_add_func("/imap-parse/mutations", test_mutations);
    return g_test_run();
}
