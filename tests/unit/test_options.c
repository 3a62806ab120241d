#include "cli/options.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <string.h>

/* A command line, and what comes out: the command, the arguments joined by "|", and some options. */
static const struct {
    const char *line, *command, *arguments;
    const char *config, *database, *format;
    gboolean verbose;
} good[] = {
    {"whosends", NULL, "", NULL, NULL, NULL, FALSE},
    {"whosends senders", "senders", "", NULL, NULL, NULL, FALSE},
    {"whosends --config c senders a.example", "senders", "a.example", "c", NULL, NULL, FALSE},
    {"whosends --config=c -v senders a.example", "senders", "a.example", "c", NULL, NULL, TRUE},
    {"whosends --config=c senders a.example", "senders", "a.example", "c", NULL, NULL, FALSE},
    {"whosends senders --config c", "senders", "", "c", NULL, NULL, FALSE},
    {"whosends --config c senders --config d", "senders", "", "d", NULL, NULL, FALSE},
    {"whosends --database sql sql --database=x", "sql", "", NULL, "x", NULL, FALSE},
    {"whosends senders a.example --format csv b", "senders", "a.example|b", NULL, NULL, "csv", FALSE},
    {"whosends senders -- --format csv", "senders", "--format|csv", NULL, NULL, NULL, FALSE},
    {"whosends senders -v -- -- -v", "senders", "--|-v", NULL, NULL, NULL, TRUE},
    {"whosends senders -", "senders", "-", NULL, NULL, NULL, FALSE},
    {"whosends -", "-", "", NULL, NULL, NULL, FALSE},
    {"whosends --help", NULL, "", NULL, NULL, NULL, FALSE},
    {"whosends senders --format= x", "senders", "x", NULL, NULL, "", FALSE},
};

static const struct {
    const char *line, *names;
} bad[] = {
    {"whosends --format csv senders", "unknown option '--format' before the command"},
    {"whosends -q ingest", "unknown option '-q' before the command"},
    {"whosends --verbose=1 senders", "unknown option '--verbose=1'"},
    {"whosends senders --fromat csv", "did you mean '--format'?"},
    {"whosends senders --formatx=csv", "unknown option '--formatx'"},
    {"whosends senders --form csv", "unknown option '--form'"},
    {"whosends senders -x", "unknown option '-x'"},
    {"whosends senders -vx", "unknown option '-x'"},
    {"whosends senders --format", "missing argument for --format"},
    {"whosends senders --config", "missing argument for --config"},
};

static char **split(const char *line)
{
    return g_strsplit(line, " ", -1);
}

static gboolean parse(const char *line, char ***argv_r, char **command_r, struct options *options,
                      GError **error)
{
    *argv_r = split(line);
    memset(options, 0, sizeof *options);
    return options_take_command(*argv_r, command_r, error) &&
           options_parse(options, options_report, argv_r, error);
}

static void test_good(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_auto(GStrv) argv = NULL;
        g_autofree char *command = NULL;
        g_autoptr(GError) error = NULL;
        struct options options;
        parse(good[i].line, &argv, &command, &options, &error);
        g_assert_no_error(error);
        g_autofree char *arguments = g_strjoinv("|", argv + 1);
        g_assert_cmpstr(argv[0], ==, "whosends");
        g_assert_cmpstr(command, ==, good[i].command);
        g_assert_cmpstr(arguments, ==, good[i].arguments);
        g_assert_cmpstr(options.config, ==, good[i].config);
        g_assert_cmpstr(options.database, ==, good[i].database);
        g_assert_cmpstr(options.format, ==, good[i].format);
        g_assert_cmpint(options.verbose, ==, good[i].verbose);
        options_clear(&options);
    }
}

static void test_bad(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(GStrv) argv = NULL;
        g_autofree char *command = NULL;
        g_autoptr(GError) error = NULL;
        struct options options;
        g_assert_false(parse(bad[i].line, &argv, &command, &options, &error));
        g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
        if (!strstr(error->message, bad[i].names))
            g_error("'%s' does not hold '%s'", error->message, bad[i].names);
        options_clear(&options);
    }
}

/* Lists keep every value in order. */
static void test_lists(void)
{
    g_auto(GStrv) argv = NULL;
    g_autofree char *command = NULL;
    struct options options;
    g_assert_true(
        parse("whosends --set a.b=1 senders --set c.d=2 --set=e.f=3", &argv, &command, &options, NULL));
    g_autofree char *settings = g_strjoinv(" ", options.settings);
    g_assert_cmpstr(settings, ==, "a.b=1 c.d=2 e.f=3");
    options_clear(&options);
}

/* Two rows of one table must not share a name or a place, and what takes a value must say so. */
static void test_tables(void)
{
    const struct option_row *const tables[] = {options_global, options_ingest, options_report, options_ledger,
                                               options_help};
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const struct option_row *row = tables[i]; row->name; row++) {
            g_assert_cmpint(row->kind == OPTION_FLAG, ==, row->value == NULL);
            for (const struct option_row *other = options_global; other->name; other++)
                g_assert_true(other == row ||
                              (strcmp(other->name, row->name) != 0 && other->offset != row->offset));
            for (const struct option_row *other = row + 1; other->name; other++)
                g_assert_true(strcmp(other->name, row->name) != 0 && other->offset != row->offset);
        }
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/options/good", test_good);
    g_test_add_func("/options/bad", test_bad);
    g_test_add_func("/options/lists", test_lists);
    g_test_add_func("/options/tables", test_tables);
    return g_test_run();
}
