/* The renderers: the same rows as table, CSV and JSON, hostile ones above all. */
#include "reports/catalog.h"
#include "reports/text.h"
#include "tests/unit/unit.h"

#include <locale.h>
#include <string.h>

#define ROWS 4

/* What the renderer writes for rows of n values. */
static char *render(const struct renderer *renderer, const struct render_column *columns, guint n,
                    const struct render_style *style, const char *const *values, guint rows,
                    gboolean complete)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gpointer state = renderer->begin(out, columns, n, style);
    for (guint i = 0; i < rows; i++)
        renderer->row(state, values + i * n);
    renderer->end(state, complete);
    g_assert_cmpint(fclose(out), ==, 0);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

static const struct render_column columns[] = {
    {.name = "sender", .kind = COLUMN_TEXT},     {.name = "class", .kind = COLUMN_TEXT},
    {.name = "messages", .kind = COLUMN_NUMBER}, {.name = "share", .kind = COLUMN_SHARE},
    {.name = "known", .kind = COLUMN_BOOL},      {.name = "last_seen", .kind = COLUMN_TIME},
    {.name = "reasons", .kind = COLUMN_LIST}};
#define COLUMNS G_N_ELEMENTS(columns)

static const char *const rows[ROWS * COLUMNS] = {
    "Amazon SES",
    "authorised",
    "1200",
    "0.9000",
    "t",
    "2026-11-21 23:49:05.5+00",
    "{forwarded,\"mailing, list\"}",
    "=HYPERLINK(\"http://evil.example\")",
    "unknown",
    "-5",
    "0.1000",
    "f",
    NULL,
    "{=1+1}",
    "\033]0;owned\007",
    "unknown",
    "0",
    "0.0000",
    NULL,
    "2026-11-20",
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    "{}",
};

static void test_csv(void)
{
    static const struct render_style style = {.width = 20, .color = TRUE};
    g_autofree char *text = render(&render_csv, columns, COLUMNS, &style, rows, ROWS, TRUE);
    g_assert_cmpstr(
        text, ==,
        "sender,class,messages,share,known,last_seen,reasons\n"
        "Amazon SES,authorised,1200,0.9000,true,2026-11-21T23:49:05.5Z,\"forwarded; mailing, list\"\n"
        "\"'=HYPERLINK(\"\"http://evil.example\"\")\",unknown,-5,0.1000,false,,'=1+1\n"
        "\\x1b]0;owned\\x07,unknown,0,0.0000,,2026-11-20,\n"
        ",,,,,,\n");
    g_autofree char *empty = render(&render_csv, columns, COLUMNS, &style, NULL, 0, TRUE);
    g_assert_cmpstr(empty, ==, "sender,class,messages,share,known,last_seen,reasons\n");
}

static void test_csv_cells(void)
{
    static const char *const vectors[][2] = {
        {"=1", "'=1"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@x", "'@x"},
        {"\tx", "\"'\tx\""},
        {"\rx", "'\\x0dx"},
        {"a=1", "a=1"},
        {"a\"b", "\"a\"\"b\""},
        {"a\nb", "\"a\nb\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {"a,b", "\"a,b\""},
        {"\xe2\x80\xaex", "\\u{202E}x"},
        {"", ""},
    };
    static const struct render_column column = {.name = "c", .kind = COLUMN_TEXT};
    static const struct render_style style = {.width = 0};
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *text = render(&render_csv, &column, 1, &style, &vectors[i][0], 1, TRUE);
        g_autofree char *wanted = g_strdup_printf("c\n%s\n", vectors[i][1]);
        g_assert_cmpstr(text, ==, wanted);
    }
    /* What is no number in a column of numbers is text. */
    static const struct render_column number = {.name = "n", .kind = COLUMN_NUMBER};
    static const char *const odd[] = {"-5", "-5+cmd"};
    g_autofree char *text = render(&render_csv, &number, 1, &style, odd, 2, TRUE);
    g_assert_cmpstr(text, ==, "n\n-5\n'-5+cmd\n");
}

static void test_json(void)
{
    static const struct render_style style = {.width = 20, .color = TRUE};
    g_autofree char *text = render(&render_json, columns, COLUMNS, &style, rows, ROWS, TRUE);
    g_assert_cmpstr(
        text, ==,
        "[\n"
        "{\"sender\": \"Amazon SES\", \"class\": \"authorised\", \"messages\": 1200, \"share\": 0.9000, "
        "\"known\": true, "
        "\"last_seen\": \"2026-11-21T23:49:05.5Z\", \"reasons\": [\"forwarded\", \"mailing, list\"]},\n"
        "{\"sender\": \"=HYPERLINK(\\\"http://evil.example\\\")\", \"class\": \"unknown\", \"messages\": -5, "
        "\"share\": 0.1000, "
        "\"known\": false, \"last_seen\": null, \"reasons\": [\"=1+1\"]},\n"
        "{\"sender\": \"\\u001b]0;owned\\u0007\", \"class\": \"unknown\", \"messages\": 0, \"share\": "
        "0.0000, \"known\": null, "
        "\"last_seen\": \"2026-11-20\", \"reasons\": null},\n"
        "{\"sender\": null, \"class\": null, \"messages\": null, \"share\": null, \"known\": null, "
        "\"last_seen\": null, "
        "\"reasons\": []}\n"
        "]\n");
    g_autofree char *empty = render(&render_json, columns, COLUMNS, &style, NULL, 0, TRUE);
    g_assert_cmpstr(empty, ==, "[]\n");
    g_autofree char *broken = render(&render_json, columns, COLUMNS, &style, rows, 1, FALSE);
    g_assert_false(g_str_has_suffix(broken, "]\n"));
}

static void test_json_strings(void)
{
    static const char *const vectors[][2] = {
        {"\"\\", "\\\"\\\\"},
        {"a\nb", "a\\u000ab"},
        {"\x7f", "\\u007f"},
        {"\xe2\x80\xae", "\\u202e"},
        {"\xf3\xa0\x81\x81", "\\udb40\\udc41"},
        {"\xc3\xbc", "\xc3\xbc"},
        {"\xff", "\xef\xbf\xbd"},
        {"</script>", "</script>"},
    };
    static const struct render_column column = {.name = "c", .kind = COLUMN_TEXT};
    static const struct render_style style = {.width = 0};
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *text = render(&render_json, &column, 1, &style, &vectors[i][0], 1, TRUE);
        g_autofree char *wanted = g_strdup_printf("[\n{\"c\": \"%s\"}\n]\n", vectors[i][1]);
        g_assert_cmpstr(text, ==, wanted);
    }
}

static void test_table(void)
{
    static const struct render_style style = {.width = 0};
    g_autofree char *text = render(&render_table, columns, COLUMNS, &style, rows, ROWS, TRUE);
    g_assert_cmpstr(
        text, ==,
        "sender                             class       messages  share  known  last seen         reasons\n"
        "Amazon SES                         authorised      1200  90.0%  yes    2026-11-21 23:49  "
        "forwarded, mailing, list\n"
        "=HYPERLINK(\"http://evil.example\")  unknown           -5  10.0%  no                       =1+1\n"
        "\\x1b]0;owned\\x07                   unknown            0   0.0%         2026-11-20\n"
        "\n");
}

static void test_table_two_lines(void)
{
    static const struct render_column two[] = {{.name = "domain", .kind = COLUMN_TEXT},
                                               {.name = "dkim_aligned", .kind = COLUMN_NUMBER}};
    static const char *const values[] = {"a.example", "7"};
    static const struct render_style style = {.width = 80};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 1, TRUE);
    g_assert_cmpstr(text, ==,
                    "              dkim\n"
                    "domain     aligned\n"
                    "a.example        7\n");
}

/* Columns that may be left out are, in their order, and only as many as it takes. */
static void test_table_drop(void)
{
    static const struct render_column three[] = {{.name = "a", .kind = COLUMN_NUMBER, .drop = 2},
                                                 {.name = "b", .kind = COLUMN_NUMBER},
                                                 {.name = "c", .kind = COLUMN_NUMBER, .drop = 1}};
    static const char *const values[] = {"111", "222", "333"};
    static const struct {
        guint width;
        const char *text;
    } vectors[] = {
        {13, "  a    b    c\n111  222  333\n"},
        {12, "  a    b\n111  222\n"},
        {8, "  a    b\n111  222\n"},
        {7, "  b\n222\n"},
        {3, "  b\n222\n"},
        {2, "a  111\nb  222\nc  333\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct render_style style = {.width = vectors[i].width};
        g_autofree char *text = render(&render_table, three, 3, &style, values, 1, TRUE);
        g_assert_cmpstr(text, ==, vectors[i].text);
    }
}

/* Each line of a table fits, whatever the width; where that cannot be, it is a list. */
static void test_table_narrow(void)
{
    guint lists = 0;
    for (guint width = 1; width <= 130; width++) {
        struct render_style style = {.width = width};
        g_autofree char *text = render(&render_table, columns, COLUMNS, &style, rows, ROWS, TRUE);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        gboolean list = strncmp(lines[0], "sender     Amazon SES", 21) == 0;
        lists += list ? 1 : 0;
        for (guint i = 0; lines[i] && !list; i++)
            g_assert_cmpuint(text_width(lines[i]), <=, width);
    }
    g_assert_cmpuint(lists, >, 20);
    g_assert_cmpuint(lists, <, 90);
}

/* Where a table is narrow, what is to be read in full goes on below, with nothing else beside it. */
static void test_table_whole(void)
{
    static const struct render_column three[] = {
        {.name = "sender", .kind = COLUMN_TEXT, .whole = TRUE},
        {.name = "n", .kind = COLUMN_NUMBER},
        {.name = "note", .kind = COLUMN_TEXT, .whole = TRUE, .least = 18}};
    static const char *const values[] = {
        "own mail (selector mail2026)", "12", "silent for 38 days; a quiet week", "Pobox", "3", NULL};
    static const struct render_style style = {.width = 40}, wide = {.width = 100}, list = {.width = 37};
    g_autofree char *text = render(&render_table, three, 3, &style, values, 2, TRUE);
    g_assert_cmpstr(text, ==,
                    "sender             n  note\n"
                    "own mail          12  silent for 38\n"
                    "(selector             days; a quiet week\n"
                    "mail2026)\n"
                    "Pobox              3\n");
    g_autofree char *one = render(&render_table, three, 3, &wide, values, 2, TRUE);
    g_assert_cmpstr(one, ==,
                    "sender                         n  note\n"
                    "own mail (selector mail2026)  12  silent for 38 days; a quiet week\n"
                    "Pobox                          3\n");
    g_autofree char *none = render(&render_table, three, 3, &list, values, 2, TRUE);
    g_assert_true(g_str_has_prefix(none, "sender  own mail (selector mail2026)\n"));
}

/* Other columns go before a text has to leave its ease, which it does before the table is a list. */
static void test_table_ease(void)
{
    static const struct render_column three[] = {
        {.name = "sender", .kind = COLUMN_TEXT, .whole = TRUE, .ease = 24},
        {.name = "n", .kind = COLUMN_NUMBER},
        {.name = "last_seen", .kind = COLUMN_TIME, .drop = 1}};
    static const char *const values[] = {"lists.example.net (not known)", "12", "2026-10-14"};
    static const struct render_style fits = {.width = 40}, eased = {.width = 39}, tight = {.width = 20},
                                     list = {.width = 19};
    g_autofree char *all = render(&render_table, three, 3, &fits, values, 1, TRUE);
    g_assert_cmpstr(all, ==,
                    "sender                     n  last seen\n"
                    "lists.example.net (not    12  2026-10-14\n"
                    "known)\n");
    g_autofree char *dropped = render(&render_table, three, 3, &eased, values, 1, TRUE);
    g_assert_cmpstr(dropped, ==,
                    "sender                          n\n"
                    "lists.example.net (not known)  12\n");
    g_autofree char *least = render(&render_table, three, 3, &tight, values, 1, TRUE);
    g_assert_cmpstr(least, ==,
                    "sender             n\n"
                    "lists.example.ne  12\n"
                    "t (not known)\n");
    g_autofree char *none = render(&render_table, three, 3, &list, values, 1, TRUE);
    g_assert_true(g_str_has_prefix(none, "sender     lists.example.ne\n"));
    static const struct render_column needed[] = {
        {.name = "sender", .kind = COLUMN_TEXT, .whole = TRUE, .ease = 24},
        {.name = "n", .kind = COLUMN_NUMBER},
        {.name = "last_seen", .kind = COLUMN_TIME, .drop = 1, .needed = TRUE}};
    g_autofree char *kept = render(&render_table, needed, 3, &eased, values, 1, TRUE);
    g_assert_cmpstr(kept, ==,
                    "sender                    n  last seen\n"
                    "lists.example.net (not   12  2026-10-14\n"
                    "known)\n");
}

/* A share among numbers is one for people alone. */
static void test_number_or_share(void)
{
    static const struct render_column two[] = {{.name = "what", .kind = COLUMN_TEXT},
                                               {.name = "before", .kind = COLUMN_NUMBER_OR_SHARE}};
    static const char *const values[] = {"gone", "12", "lost alignment", "1.000000"};
    static const struct render_style style = {.width = 40};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 2, TRUE);
    g_assert_cmpstr(text, ==,
                    "what            before\n"
                    "gone                12\n"
                    "lost alignment  100.0%\n");
    g_autofree char *csv = render(&render_csv, two, 2, &style, values, 2, TRUE);
    g_assert_cmpstr(csv, ==, "what,before\ngone,12\nlost alignment,1.000000\n");
    g_autofree char *json = render(&render_json, two, 2, &style, values, 2, TRUE);
    g_assert_nonnull(strstr(json, "\"before\": 1.000000"));
}

/* A stranger's text takes some lines at most, and what is left out can be seen. */
static void test_table_whole_long(void)
{
    static const struct render_column two[] = {{.name = "sender", .kind = COLUMN_TEXT, .whole = TRUE},
                                               {.name = "n", .kind = COLUMN_NUMBER}};
    g_autofree char *name = g_strnfill(300, 'x');
    const char *values[] = {name, "1"};
    static const struct render_style style = {.width = 20};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 1, TRUE);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1 + 8 + 1);
    g_assert_cmpstr(lines[1], ==, "xxxxxxxxxxxxxxxxx  1");
    g_assert_cmpstr(lines[8], ==, "xxxxxxxxxxxxxxxx\xe2\x80\xa6");
}

/* Nor does it spoil a list, or what goes into a pipe, where other rows would be as wide as it. */
static void test_table_endless(void)
{
    static const struct render_column two[] = {{.name = "sender", .kind = COLUMN_TEXT},
                                               {.name = "n", .kind = COLUMN_NUMBER}};
    static const struct render_style pipe = {.width = 0}, list = {.width = 40, .list = TRUE};
    g_autofree char *name = g_strnfill(3000, 'x');
    const char *values[] = {name, "1", "short", "2"};
    g_autofree char *piped = render(&render_table, two, 2, &pipe, values, 2, TRUE);
    g_auto(GStrv) rows_of = g_strsplit(piped, "\n", -1);
    for (guint i = 0; rows_of[i]; i++)
        g_assert_cmpuint(text_width(rows_of[i]), <=, 310);
    g_assert_nonnull(strstr(piped, "x\xe2\x80\xa6  1\n"));
    g_autofree char *listed = render(&render_table, two, 2, &list, values, 2, TRUE);
    g_auto(GStrv) lines = g_strsplit(listed, "\n", -1);
    for (guint i = 0; lines[i]; i++)
        g_assert_cmpuint(text_width(lines[i]), <=, 40);
    g_assert_true(g_str_has_prefix(lines[1], "        xxx"));
    g_assert_true(g_str_has_suffix(lines[7], "x\xe2\x80\xa6"));
    g_assert_cmpstr(lines[8], ==, "n       1");
}

/* A head of two lines is none when the column that wanted it is left out. */
static void test_table_dropped_head(void)
{
    static const struct render_column two[] = {{.name = "lost_share", .kind = COLUMN_NUMBER, .drop = 1},
                                               {.name = "n", .kind = COLUMN_NUMBER}};
    static const char *const values[] = {"1", "2"};
    static const struct render_style style = {.width = 5};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 1, TRUE);
    g_assert_cmpstr(text, ==, "n\n2\n");
}

/* A bar says once more what stands in the row: no text is cut for it. */
static void test_table_text_before_bar(void)
{
    static const struct render_column three[] = {{.name = "sender", .kind = COLUMN_TEXT},
                                                 {.name = "class", .kind = COLUMN_TEXT},
                                                 {.name = "share", .kind = COLUMN_SHARE}};
    static const char *const values[] = {"own mail (selector mail2026)", "authorised", "0.5"};
    for (guint width = 58; width <= 59; width++) {
        struct render_style style = {.width = width};
        g_autofree char *text = render(&render_table, three, 3, &style, values, 1, TRUE);
        g_assert_nonnull(strstr(text, "own mail (selector mail2026)  authorised  50.0%"));
        g_assert_cmpint(strstr(text, "\xe2\x96\x88") != NULL, ==, width == 59);
    }
}

static void test_table_wide_characters(void)
{
    static const struct render_column two[] = {{.name = "sender", .kind = COLUMN_TEXT},
                                               {.name = "n", .kind = COLUMN_NUMBER}};
    static const char wide[] = "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5"
                               "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5";
    static const char *const values[] = {wide, "1", "abc", "22"};
    static const struct render_style style = {.width = 22};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 2, TRUE);
    g_autofree char *wanted = g_strdup_printf("sender               n\n"
                                              "%.24s\xe2\x80\xa6    1\n"
                                              "abc                 22\n",
                                              wide);
    g_assert_cmpstr(text, ==, wanted);
}

static void test_table_list(void)
{
    static const struct render_style style = {.list = TRUE};
    g_autofree char *text = render(&render_table, columns, COLUMNS, &style, rows, 1, TRUE);
    g_assert_cmpstr(text, ==,
                    "sender     Amazon SES\n"
                    "class      authorised\n"
                    "messages   1200\n"
                    "share      90.0%\n"
                    "known      yes\n"
                    "last seen  2026-11-21 23:49\n"
                    "reasons    forwarded, mailing, list\n");
}

/* Only the words of classes, and only in the column of that name, are coloured: text cannot paint itself. */
static void test_table_color(void)
{
    static const struct render_column two[] = {{.name = "class", .kind = COLUMN_TEXT},
                                               {.name = "sender", .kind = COLUMN_TEXT}};
    static const char *const values[] = {"unknown", "authorised", "\033[32mauthorised", "x"};
    static const struct render_style style = {.color = TRUE};
    g_autofree char *text = render(&render_table, two, 2, &style, values, 2, TRUE);
    g_assert_cmpstr(text, ==,
                    "\033[1mclass               sender\n\033[0m"
                    "\033[31munknown\033[0m             authorised\n"
                    "\\x1b[32mauthorised  x\n");
}

/* Beside the columns, where there is room, and on a terminal alone. */
static void test_table_bars(void)
{
    static const struct render_column three[] = {{.name = "class", .kind = COLUMN_TEXT},
                                                 {.name = "share", .kind = COLUMN_SHARE},
                                                 {.name = "n", .kind = COLUMN_NUMBER, .drop = 1}};
    static const char *const values[] = {"authorised", "0.75",    "1",       "unknown", "0.2",
                                         NULL,         "unknown", "0.001",   "3",       "evil",
                                         "0.9",        "4",       "unknown", "1e999",   "5"};
    struct render_style style = {.width = 32};
    g_autofree char *barred = render(&render_table, three, 3, &style, values, 5, TRUE);
    g_assert_cmpstr(barred, ==,
                    "class       share  n\n"
                    "authorised  75.0%  1  \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
                    "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\n"
                    "unknown     20.0%     \xe2\x96\x91\xe2\x96\x91\n"
                    "unknown      0.1%  3\n"
                    "evil        90.0%  4\n"
                    "unknown     1e999  5\n");
    for (guint width = 0; width < 32; width += 31) {
        style.width = width;
        g_autofree char *bare = render(&render_table, three, 3, &style, values, 5, TRUE);
        g_assert_null(strstr(bare, "\xe2\x96"));
        g_assert_nonnull(strstr(bare, "authorised  75.0%  1\n"));
    }
}

/* What may be left out where it has nothing to say, is. */
static void test_table_sparse(void)
{
    static const struct render_column three[] = {{.name = "n", .kind = COLUMN_NUMBER},
                                                 {.name = "hosts", .kind = COLUMN_LIST, .sparse = TRUE},
                                                 {.name = "day", .kind = COLUMN_TIME}};
    static const char *const values[] = {"1",          NULL, "2026-10-01", "2",         "{}",
                                         "2026-10-02", "3",  "{A=1,B=2}",  "2026-10-03"};
    static const struct render_style style = {.width = 0};
    g_autofree char *without = render(&render_table, three, 3, &style, values, 2, TRUE);
    g_assert_cmpstr(without, ==, "n  day\n1  2026-10-01\n2  2026-10-02\n");
    g_autofree char *with = render(&render_table, three, 3, &style, values, 3, TRUE);
    g_assert_nonnull(strstr(with, "n  hosts     day\n1            2026-10-01\n"));
    g_assert_nonnull(strstr(with, "3  A=1, B=2  2026-10-03\n"));
    g_autofree char *csv = render(&render_csv, three, 3, &style, values, 2, TRUE);
    g_assert_true(g_str_has_prefix(csv, "n,hosts,day\n1,,2026-10-01\n"));
}

/* A trend is drawn where all columns that go later have room, and never in a pipe; other formats have its
 * numbers. */
static void test_table_trend(void)
{
    static const struct render_column three[] = {{.name = "n", .kind = COLUMN_NUMBER},
                                                 {.name = "trend", .kind = COLUMN_TREND, .drop = 1},
                                                 {.name = "day", .kind = COLUMN_TIME}};
    static const char *const values[] = {"12", "{0,8.5}", "2026-10-01", "3", NULL, "2026-10-02"};
    struct render_style style = {.width = 21};
    g_autofree char *drawn = render(&render_table, three, 3, &style, values, 2, TRUE);
    g_assert_cmpstr(drawn, ==,
                    " n  trend  day\n"
                    "12  .\u2588     2026-10-01\n"
                    " 3         2026-10-02\n");
    for (guint width = 0; width < 21; width += 20) {
        style.width = width;
        g_autofree char *bare = render(&render_table, three, 3, &style, values, 2, TRUE);
        g_assert_cmpstr(bare, ==, " n  day\n12  2026-10-01\n 3  2026-10-02\n");
    }
    g_autofree char *csv = render(&render_csv, three, 3, &style, values, 2, TRUE);
    g_assert_cmpstr(csv, ==, "n,trend,day\n12,0; 8.5,2026-10-01\n3,,2026-10-02\n");
    g_autofree char *json = render(&render_json, three, 3, &style, values, 2, TRUE);
    g_assert_nonnull(strstr(json, "\"trend\": [0, 8.5], "));
    g_assert_nonnull(strstr(json, "\"trend\": null, "));
}

/* The classes one behind the other: of each line, or all by one scale where lines are days. */
static void test_table_stacked(void)
{
    static const struct render_column five[] = {{.name = "authorised", .kind = COLUMN_NUMBER},
                                                {.name = "misconfigured", .kind = COLUMN_NUMBER},
                                                {.name = "forwarded", .kind = COLUMN_NUMBER},
                                                {.name = "unknown", .kind = COLUMN_NUMBER},
                                                {.name = "day", .kind = COLUMN_TIME}};
    static const char *const values[] = {
        "5",  "2", "1", "2",         "2026-10-01", "5", "0", "0", "0", "2026-10-02", "100000000000000000000",
        NULL, "0", "0", "2026-10-03"};
    static const struct render_style style = {.width = 69, .color = TRUE};
    g_autofree char *days = render(&render_table, five, 5, &style, values, 2, TRUE);
    g_assert_nonnull(
        strstr(days, "  2026-10-01  \033[32m\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
                     "\033[0m\033[33m\xe2\x96\x93\xe2\x96\x93\033[0m\033[36m\xe2\x96\x92\033[0m"
                     "\033[31m\xe2\x96\x91\xe2\x96\x91\033[0m\n"));
    g_assert_nonnull(
        strstr(days, "  2026-10-02  \033[32m\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
                     "\033[0m\n"));
    g_assert_true(g_str_has_suffix(days, "\n\n\033[32m\xe2\x96\x88\033[0m authorised  \033[33m\xe2\x96\x93"
                                         "\033[0m misconfigured  \033[36m\xe2\x96\x92\033[0m forwarded  "
                                         "\033[31m\xe2\x96\x91\033[0m unknown\n"));
    static const struct render_style narrow = {.width = 60};
    g_autofree char *bare = render(&render_table, five, 5, &narrow, values, 2, TRUE);
    g_assert_true(g_str_has_suffix(bare, "2026-10-02\n"));
    static const struct render_style wide = {.width = 80};
    g_autofree char *huge = render(&render_table, five, 5, &wide, values, 3, TRUE);
    g_assert_nonnull(strstr(huge, "  2026-10-01\n"));
    g_assert_nonnull(strstr(huge, "  2026-10-03  \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"));
}

/* More rows than are looked at before printing: none is lost, all in order. */
static void test_table_long(void)
{
    static const struct render_column column = {.name = "n", .kind = COLUMN_NUMBER};
    static const struct render_style style = {.width = 80};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gpointer state = render_table.begin(out, &column, 1, &style);
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        const char *values[] = {number};
        render_table.row(state, values);
    }
    render_table.end(state, TRUE);
    fclose(out);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 2502);
    for (guint i = 0; i < 2500; i++)
        g_assert_cmpuint(g_ascii_strtoull(g_strstrip(lines[i + 1]), NULL, 10), ==, i);
    free(text);
}

static void test_catalog(void)
{
    enum report_format format = FORMAT_TABLE;
    g_assert_true(report_format_parse("json", &format));
    g_assert_cmpint(format, ==, FORMAT_JSON);
    g_assert_true(report_format_parse("csv", &format));
    g_assert_cmpint(format, ==, FORMAT_CSV);
    g_assert_false(report_format_parse("CSV ", &format));
    g_assert_cmpint(format, ==, FORMAT_CSV);
    g_assert_nonnull(report_find("senders", NULL));
    g_assert_null(report_find("sender", NULL));
    for (const struct report_row *row = report_catalog; row->name; row++) {
        g_assert_true(report_find(row->name, row->option) == row);
        g_assert_true(g_str_has_prefix(row->function, "dmarc."));
        g_assert_true(row->summary && row->empty);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    setlocale(LC_CTYPE, "C.UTF-8");
    unit_init(argv[0]);
    g_test_add_func("/csv/rows", test_csv);
    g_test_add_func("/csv/cells", test_csv_cells);
    g_test_add_func("/json/rows", test_json);
    g_test_add_func("/json/strings", test_json_strings);
    g_test_add_func("/table/rows", test_table);
    g_test_add_func("/table/two-lines", test_table_two_lines);
    g_test_add_func("/table/drop", test_table_drop);
    g_test_add_func("/table/narrow", test_table_narrow);
    g_test_add_func("/table/whole", test_table_whole);
    g_test_add_func("/table/whole-long", test_table_whole_long);
    g_test_add_func("/table/ease", test_table_ease);
    g_test_add_func("/table/number-or-share", test_number_or_share);
    g_test_add_func("/table/endless", test_table_endless);
    g_test_add_func("/table/dropped-head", test_table_dropped_head);
    g_test_add_func("/table/text-before-bar", test_table_text_before_bar);
    g_test_add_func("/table/wide-characters", test_table_wide_characters);
    g_test_add_func("/table/list", test_table_list);
    g_test_add_func("/table/color", test_table_color);
    g_test_add_func("/table/bars", test_table_bars);
    g_test_add_func("/table/sparse", test_table_sparse);
    g_test_add_func("/table/trend", test_table_trend);
    g_test_add_func("/table/stacked", test_table_stacked);
    g_test_add_func("/table/long", test_table_long);
    g_test_add_func("/catalog/rows", test_catalog);
    return g_test_run();
}
