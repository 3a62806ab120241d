#include "cli/nearest.h"
#include "cli/period.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <string.h>

#define NOON_2026_03_31 1774958400 /* a Tuesday: 12:00 UTC */

static const struct {
    const char *last, *since, *until;
    const char *from, *to;
} good[] = {
    {NULL, NULL, NULL, "", ""},
    {NULL, "2026-01-05", NULL, "2026-01-05", ""},
    {NULL, NULL, "2026-01-31", "", "2026-02-01"},
    {NULL, "2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"},
    {NULL, "1970-01-01", "9998-12-31", "1970-01-01", "9999-01-01"},
    {"1d", NULL, NULL, "2026-03-30", ""},
    {"30d", NULL, NULL, "2026-03-01", ""},
    {"031d", NULL, NULL, "2026-02-28", ""},
    {"4w", NULL, NULL, "2026-03-03", ""},
    {"1m", NULL, NULL, "2026-02-28", ""},
    {"6m", NULL, NULL, "2025-09-30", ""},
    {"1y", NULL, NULL, "2025-03-31", ""},
    {"30d", NULL, "2026-01-31", "2026-01-02", "2026-02-01"},
    {"1m", NULL, "2024-02-29", "2024-02-01", "2024-03-01"},
};

static const struct {
    const char *last, *since, *until, *names;
} bad[] = {
    {"12h", NULL, NULL, "whole days"},
    {"30", NULL, NULL, "--last '30'"},
    {"d", NULL, NULL, "--last 'd'"},
    {"", NULL, NULL, "--last ''"},
    {"-3d", NULL, NULL, "--last '-3d'"},
    {"3 d", NULL, NULL, "--last '3 d'"},
    {"3dd", NULL, NULL, "--last '3dd'"},
    {"3x", NULL, NULL, "the units are"},
    {"0d", NULL, NULL, "out of range"},
    {"99999d", NULL, NULL, "out of range"},
    {"9999y", NULL, NULL, "out of range"},
    {"99999999999999999999d", NULL, NULL, "--last"},
    {"30d", "2026-01-01", NULL, "--since"},
    {NULL, "2026-02-29", NULL, "no such day"},
    {NULL, "2026-13-01", NULL, "no such day"},
    {NULL, "2026-00-10", NULL, "no such day"},
    {NULL, "1969-12-31", NULL, "no such day"},
    {NULL, "9999-12-31", NULL, "no such day"},
    {NULL, "2026-1-1", NULL, "a day looks like"},
    {NULL, "2026-01-01 ", NULL, "a day looks like"},
    {NULL, "2026/01/01", NULL, "a day looks like"},
    {NULL, "yesterday", NULL, "a day looks like"},
    {NULL, "", NULL, "a day looks like"},
    {NULL, NULL, "2026-02-3\033", "--until '2026-02-3\\x1b'"},
    {NULL, "2026-02-02", "2026-02-01", "before --since"},
};

static const struct {
    const char *keep, *before, *cut, *names;
} cuts[] = {
    {"2y", NULL, "2024-03-01", NULL},         {"1y", NULL, "2025-03-01", NULL},
    {"1m", NULL, "2026-02-01", NULL},         {"30d", NULL, "2026-03-01", NULL},
    {"31d", NULL, "2026-02-01", NULL},        {NULL, "2024-11-17", "2024-11-01", NULL},
    {NULL, "2024-11-01", "2024-11-01", NULL}, {NULL, "2026-03-31", "2026-03-01", NULL},
    {NULL, "2026-04-01", NULL, "future"},     {NULL, "2026-02-30", NULL, "--before '2026-02-30'"},
    {"2h", NULL, NULL, "--keep '2h'"},        {"0d", NULL, NULL, "--keep '0d'"},
};

static void test_cut(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_autoptr(GError) error = NULL;
        char day[11] = "";
        gboolean ok = period_cut(cuts[i].keep, cuts[i].before, NOON_2026_03_31, day, &error);
        if (cuts[i].cut) {
            g_assert_no_error(error);
            g_assert_true(ok);
            g_assert_cmpstr(day, ==, cuts[i].cut);
        } else {
            g_assert_false(ok);
            g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
            g_assert_nonnull(strstr(error->message, cuts[i].names));
        }
    }
}

static void test_good(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        struct period period;
        period_parse(good[i].last, good[i].since, good[i].until, NOON_2026_03_31, &period, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(period.since, ==, good[i].from);
        g_assert_cmpstr(period.until, ==, good[i].to);
    }
}

static void test_bad(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        struct period period;
        gboolean ok = period_parse(bad[i].last, bad[i].since, bad[i].until, NOON_2026_03_31, &period, &error);
        g_assert_false(ok);
        g_assert_error(error, WS_ERROR, WS_ERROR_USAGE);
        if (!strstr(error->message, bad[i].names))
            g_error("'%s' does not hold '%s'", error->message, bad[i].names);
    }
}

/* Midnight belongs to the day that begins. */
static void test_day_limits(void)
{
    static const struct {
        gint64 now;
        const char *since;
    } days[] = {{1774915200, "2026-03-30"}, {1774915199, "2026-03-29"}, {1775001599, "2026-03-30"}};
    for (guint i = 0; i < G_N_ELEMENTS(days); i++) {
        struct period period;
        g_assert_true(period_parse("1d", NULL, NULL, days[i].now, &period, NULL));
        g_assert_cmpstr(period.since, ==, days[i].since);
    }
}

static void test_nearest(void)
{
    static const char *const words[] = {"senders", "sources", "sql", "status", "summary", NULL};
    static const struct {
        const char *typed, *meant;
    } cases[] = {
        {"sender", "senders"},
        {"SENDERS", NULL},
        {"snedesr", "senders"},
        {"statsu", "status"},
        {"sqk", "sql"},
        {"xyz", NULL},
        {"", NULL},
        {"sumary", "summary"},
        {"tatus", "status"},
        {"sourcess", "sources"},
        {"sqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsqlsql", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(nearest_word(cases[i].typed, words), ==, cases[i].meant);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/period/good", test_good);
    g_test_add_func("/period/bad", test_bad);
    g_test_add_func("/period/cut", test_cut);
    g_test_add_func("/period/day-limits", test_day_limits);
    g_test_add_func("/nearest", test_nearest);
    return g_test_run();
}
