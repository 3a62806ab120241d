/* Reads a mailbox through source_open_imap and prints one line a mail: reference, size and SHA-256, or
 * "refused CODE REASON". Each mail is then settled with the outcome asked for, which stands in for a database
 * that has stored it.
 *
 *   IMAP_PASSWORD=... imap_tool [--starttls] [--host H] [--port N] [--user U] [--ca FILE] [--mailbox M]
 *       [--after leave|flag|move|delete] [--outcome stored|problem|mixed|none] [--batch N] [--timeout N]
 * [--limit BYTES]
 *       [--processed F] [--problems F] [--window N] [--flush-after N] [--rss] [--null]
 *       [--after-problem WORD] [--place FILE] [--wait N] [--waits N] [--renew N] [--tries N]
 *
 * mixed: every third mail is a problem. none: nothing is settled. --window: mails fetched before they are
 * settled.
 * --null: looks at no mail. --place: a file for how far it was read. --wait: wait for more mail so many
 * seconds at the end, --waits times; news are read as before. SIGTERM: the stop that a wait ends at.
 * --flush-after: stop after so many mails, and settle at once as a stopped run does. Exit status as whosends
 * has it. */
#include "ingest/imap.h"
#include "parser/error.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct imap_settings settings = {.host = "localhost", .user = "dmarc"};
static struct settle_rules rules;
static struct limits limits;
static int port, timeout, batch, window = 7, flush_after, wait_seconds, renew, tries = 1, waits = 1;
static gint64 message_size;
static gboolean rss, null;
static guint mails;
static char *after, *after_problem, *outcome_name, *processed, *problems, *place;

static const GOptionEntry entries[] = {
    {"host", 0, 0, G_OPTION_ARG_STRING, &settings.host, NULL, NULL},
    {"port", 0, 0, G_OPTION_ARG_INT, &port, NULL, NULL},
    {"starttls", 0, 0, G_OPTION_ARG_NONE, &settings.starttls, NULL, NULL},
    {"user", 0, 0, G_OPTION_ARG_STRING, &settings.user, NULL, NULL},
    {"ca", 0, 0, G_OPTION_ARG_STRING, &settings.ca_file, NULL, NULL},
    {"mailbox", 0, 0, G_OPTION_ARG_STRING, &settings.mailbox, NULL, NULL},
    {"after", 0, 0, G_OPTION_ARG_STRING, &after, NULL, NULL},
    {"after-problem", 0, 0, G_OPTION_ARG_STRING, &after_problem, NULL, NULL},
    {"place", 0, 0, G_OPTION_ARG_STRING, &place, NULL, NULL},
    {"wait", 0, 0, G_OPTION_ARG_INT, &wait_seconds, NULL, NULL},
    {"waits", 0, 0, G_OPTION_ARG_INT, &waits, NULL, NULL},
    {"renew", 0, 0, G_OPTION_ARG_INT, &renew, NULL, NULL},
    {"tries", 0, 0, G_OPTION_ARG_INT, &tries, NULL, NULL},
    {"outcome", 0, 0, G_OPTION_ARG_STRING, &outcome_name, NULL, NULL},
    {"processed", 0, 0, G_OPTION_ARG_STRING, &processed, NULL, NULL},
    {"problems", 0, 0, G_OPTION_ARG_STRING, &problems, NULL, NULL},
    {"batch", 0, 0, G_OPTION_ARG_INT, &batch, NULL, NULL},
    {"timeout", 0, 0, G_OPTION_ARG_INT, &timeout, NULL, NULL},
    {"limit", 0, 0, G_OPTION_ARG_INT64, &message_size, NULL, NULL},
    {"window", 0, 0, G_OPTION_ARG_INT, &window, NULL, NULL},
    {"flush-after", 0, 0, G_OPTION_ARG_INT, &flush_after, NULL, NULL},
    {"null", 0, 0, G_OPTION_ARG_NONE, &null, NULL, NULL},
    {"rss", 0, 0, G_OPTION_ARG_NONE, &rss, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

/* A file stands in for the database. */
static gboolean load(gpointer data, const char *mailbox, guint32 *uidvalidity, guint32 *uid, GError **error)
{
    FILE *file = fopen(data, "r");
    (void)mailbox, (void)error;
    if (file && fscanf(file, "%u %u", uidvalidity, uid) != 2)
        *uidvalidity = 0;
    if (file)
        fclose(file);
    return TRUE;
}

static gboolean save(gpointer data, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u %u\n", uidvalidity, uid);
    (void)mailbox;
    return g_file_set_contents(data, text, -1, error);
}

static int stop_pipe[2];

static void on_signal(int number)
{
    (void)number;
    if (write(stop_pipe[1], "", 1) < 0)
        _exit(70);
}

static int stop_by_signal(void)
{
    struct sigaction stop = {.sa_handler = on_signal};
    if (pipe2(stop_pipe, O_CLOEXEC) != 0)
        return 0;
    sigaction(SIGTERM, &stop, NULL);
    return stop_pipe[0];
}

static gboolean print_mail(const struct mail *mail, GError **error)
{
    guint8 digest[32];
    mails++;
    if (null)
        return TRUE;
    if (!mail->body) {
        printf("%s refused %s %s\n", mail->ref, mail->refusal_code, mail->refusal);
        return TRUE;
    }
    if (!blob_sha256(mail->body, digest, error))
        return FALSE;
    printf("%s %" G_GUINT64_FORMAT " ", mail->ref, blob_size(mail->body));
    for (guint i = 0; i < sizeof digest; i++)
        printf("%02x", digest[i]);
    printf("\n");
    return TRUE;
}

static enum outcome outcome_of(guint n)
{
    if (g_strcmp0(outcome_name, "mixed") == 0)
        return n % 3 == 2 ? OUTCOME_PROBLEM : OUTCOME_STORED;
    return g_strcmp0(outcome_name, "problem") == 0 ? OUTCOME_PROBLEM : OUTCOME_STORED;
}

static gboolean settle(struct source *source, const guint64 *tokens, const enum outcome *outcomes, guint n,
                       GError **error)
{
    return g_strcmp0(outcome_name, "none") == 0 || source->kind->settle(source, tokens, outcomes, n, error);
}

static gboolean read_all(struct source *source, GError **error)
{
    g_autofree guint64 *tokens = g_new(guint64, (gsize)window);
    g_autofree enum outcome *outcomes = g_new(enum outcome, (gsize)window);
    guint held = 0, n = 0;
    GError *broken = NULL;
    struct mail mail;
    while ((!flush_after || n < (guint)flush_after) && source->kind->next(source, &mail, &broken)) {
        gboolean ok = print_mail(&mail, error);
        tokens[held] = mail.token;
        outcomes[held++] = outcome_of(n++);
        mail_clear(&mail);
        if (!ok)
            return FALSE;
        if (held == (guint)window) {
            if (!settle(source, tokens, outcomes, held, error))
                return FALSE;
            held = 0;
        }
    }
    if (broken) {
        g_propagate_error(error, broken);
        return FALSE;
    }
    if ((held && !settle(source, tokens, outcomes, held, error)) || !settle(source, NULL, NULL, 0, error))
        return FALSE;
    fflush(stdout);
    for (int i = 0; wait_seconds && i < waits; i++) {
        static const char *const words[] = {"news", "timeout", "stopped"};
        enum wait_result result;
        if (!source->kind->wait(source, (guint)wait_seconds, &result, error))
            return FALSE;
        printf("wait %s\n", words[result]);
        fflush(stdout);
        if (result == WAIT_NEWS)
            return read_all(source, error);
    }
    printf("remaining %" G_GINT64_FORMAT "\n", source->kind->remaining(source));
    return TRUE;
}

static int fail(const GError *error)
{
    fflush(stdout);
    fprintf(stderr, "imap_tool: %s\n", error->message);
    return ws_error_exit_status(error);
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"leave", "flag", "move", "delete", NULL};
    GError *error = NULL;
    setlocale(LC_ALL, "");
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return fail(error);
    settle_rules_all(&rules, AFTER_MOVE);
    for (guint i = 0; words[i]; i++) {
        if (g_strcmp0(after, words[i]) == 0)
            settle_rules_all(&rules, (enum after)i);
        if (g_strcmp0(after_problem, words[i]) == 0)
            rules.after[OUTCOME_PROBLEM] = (enum after)i;
    }
    for (guint i = 0; i < OUTCOMES; i++)
        rules.folder[i] = i == OUTCOME_PROBLEM ? problems : processed;
    const struct imap_place kept = {.load = load, .save = save, .data = place};
    settings.place = place ? &kept : NULL;
    settings.renew = (guint)renew;
    settings.tries = (guint)tries;
    settings.backoff_ms = 50;
    settings.stop_fd = stop_by_signal();
    settings.port = (guint)port;
    settings.timeout = (guint)timeout;
    settings.batch = (guint)batch;
    settings.password = g_getenv("IMAP_PASSWORD");
    limits = limits_default;
    if (message_size)
        limits.message_size = (guint64)message_size;
    struct source *source = source_open_imap(&settings, &rules, &limits, &error);
    gboolean ok = source && read_all(source, &error);
    source_close(source);
    if (rss) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("peak %ld KiB, cpu %ld ms, %u mails\n", usage.ru_maxrss,
               (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
               mails);
    }
    if (ok)
        return 0;
    int status = fail(error);
    g_clear_error(&error);
    return status;
}
