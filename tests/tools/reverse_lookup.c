/* Looks the addresses on standard input up by dns/reverse.h, one a line, and prints a line for each answer:
 * address, status, name or "-", seconds until it expires. In the end a line on standard error: answers, the
 * most at once, seconds, and "late" or "silent". Exit status as whosends has it. SIGINT and SIGTERM stop it.
 *
 *   reverse_lookup [--resolver ADDRESS]... [--at-once N] [--names N] [--address-seconds N] [--run-seconds N]
 */
#include "dns/reverse.h"
#include "parser/error.h"

#include <stdio.h>
#include <string.h>

static struct reverse_settings settings;
static volatile sig_atomic_t stop;
static char **resolvers;
static int at_once, names, address_seconds, run_seconds;

static const GOptionEntry entries[] = {
    {"resolver", 0, 0, G_OPTION_ARG_STRING_ARRAY, &resolvers, NULL, NULL},
    {"at-once", 0, 0, G_OPTION_ARG_INT, &at_once, NULL, NULL},
    {"names", 0, 0, G_OPTION_ARG_INT, &names, NULL, NULL},
    {"address-seconds", 0, 0, G_OPTION_ARG_INT, &address_seconds, NULL, NULL},
    {"run-seconds", 0, 0, G_OPTION_ARG_INT, &run_seconds, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

static void on_signal(int number)
{
    stop = number;
}

static gboolean next(gpointer data, const char **address_r, GError **error)
{
    char *line = data;
    (void)error;
    if (!fgets(line, 100, stdin))
        return FALSE;
    g_strchomp(line);
    *address_r = line;
    return TRUE;
}

static gboolean print(gpointer data, const struct reverse_answer *answer, GError **error)
{
    (void)data, (void)error;
    printf("%s\t%s\t%s\t%" G_GINT64_FORMAT "\n", answer->address, reverse_status_name(answer->status),
           answer->name ? answer->name : "-", answer->expires - g_get_real_time() / G_USEC_PER_SEC);
    return TRUE;
}

static void use_options(void)
{
    settings = reverse_settings_default;
    settings.resolvers = (const char *const *)resolvers;
    settings.stop = &stop;
    settings.at_once = at_once ? (guint)at_once : settings.at_once;
    settings.names = names ? (guint)names : settings.names;
    settings.address_seconds = address_seconds ? (guint)address_seconds : settings.address_seconds;
    settings.run_seconds = run_seconds ? (guint)run_seconds : settings.run_seconds;
}

int main(int argc, char **argv)
{
    static const struct reverse_verbs verbs = {.next = next, .answer = print};
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    struct reverse_totals totals;
    char line[100];
    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        fprintf(stderr, "reverse_lookup: %s\n", error->message);
        return 64;
    }
    use_options();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    gint64 began = g_get_monotonic_time();
    gboolean ok = reverse_run(&settings, &verbs, line, &totals, &error);
    guint64 answers = 0;
    for (int i = 0; i < REVERSE_STATUSES; i++)
        answers += totals.answers[i];
    fprintf(stderr, "%" G_GUINT64_FORMAT " answers, %u at once, %.1f seconds%s%s\n", answers,
            totals.most_at_once, (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC,
            totals.late ? ", late" : "", totals.silent ? ", silent" : "");
    g_strfreev(resolvers);
    if (ok)
        return 0;
    fprintf(stderr, "reverse_lookup: %s\n", error->message);
    return ws_error_exit_status(error);
}
