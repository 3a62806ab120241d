/* What option --after and the keys after... come to, for each outcome. */
#include "cli/rules.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

struct row {
    const char *settings[4];
    const char *word;
    gboolean mailbox;
    const char *wanted; /* the first letters of leave, flag, move, delete, by outcome */
    const char *folders;
};

static const struct row rows[] = {
    {{NULL}, NULL, TRUE, "mmmm", "Processed Processed Processed Problems"},
    {{NULL}, NULL, FALSE, "llll", "Processed Processed Processed Problems"},
    {{"imap.after=delete"}, NULL, TRUE, "ddmm", "Processed Processed Processed Problems"},
    {{"imap.after=delete", "imap.after_problem=delete", "imap.after_no_report=leave"},
     NULL,
     TRUE,
     "ddld",
     "Processed Processed Processed Problems"},
    {{"imap.after=leave", "imap.after_stored=flag", "imap.after_duplicate=delete"},
     NULL,
     TRUE,
     "fdll",
     "Processed Processed Processed Problems"},
    {{"imap.after_stored=delete", "imap.after=flag"},
     "move",
     TRUE,
     "mmmm",
     "Processed Processed Processed Problems"},
    {{"imap.after=delete"}, "delete", FALSE, "ddmm", "Processed Processed Processed Problems"},
    {{"imap.processed=Done", "imap.duplicates=Twice"}, "flag", TRUE, "ffff", "Done Twice Done Problems"},
    {{"imap.no_reports=Other", "imap.problems=Bad"}, NULL, TRUE, "mmmm", "Processed Processed Other Bad"},
};

static void test_rules(void)
{
    static const char letters[] = {
        [AFTER_LEAVE] = 'l', [AFTER_FLAG] = 'f', [AFTER_MOVE] = 'm', [AFTER_DELETE] = 'd'};
    static char *environment[] = {(char *)(guintptr) "XDG_CONFIG_HOME=/nowhere", NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct config config;
        struct settle_rules rules;
        g_autoptr(GError) error = NULL;
        g_assert_true(config_load(&config, NULL, environment, (char **)(guintptr)rows[i].settings, &error));
        g_assert_true(rules_read(config.imap, rows[i].word, rows[i].mailbox, &rules, &error));
        char got[OUTCOMES + 1] = "";
        for (guint n = 0; n < OUTCOMES; n++)
            got[n] = letters[rules.after[n]];
        g_autofree char *folders =
            g_strjoin(" ", rules.folder[0], rules.folder[1], rules.folder[2], rules.folder[3], NULL);
        g_assert_cmpstr(got, ==, rows[i].wanted);
        g_assert_cmpstr(folders, ==, rows[i].folders);
        config_clear(&config);
    }
}

static void test_wrong(void)
{
    static char *environment[] = {(char *)(guintptr) "XDG_CONFIG_HOME=/nowhere", NULL};
    struct config config;
    struct settle_rules rules;
    g_autoptr(GError) error = NULL;
    g_assert_true(config_load(&config, NULL, environment, NULL, &error));
    g_assert_false(rules_read(config.imap, "mvoe", FALSE, &rules, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
    config_clear(&config);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/rules/each", test_rules);
    g_test_add_func("/rules/wrong", test_wrong);
    return g_test_run();
}
