#include "cli/watcher.h"

#include "cli/database.h"
#include "cli/log.h"
#include "cli/mailbox.h"
#include "cli/reading.h"
#include "cli/totals.h"
#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define STOP_SECONDS 4
#define FIRST_PAUSE 1
#define LONGEST_PAUSE 300
#define PERSON_PAUSE 900
#define BEAT_SECONDS 10

struct watcher {
    struct cli *cli;
    struct reading reading;
    const struct account *account;
    const char *folder;
    char *label;
    char *told;    /* the failure that was told last; NULL: all is well */
    guint pause;   /* seconds, of the last failure; 0: none */
    gint64 beaten; /* monotonic, when the last sign was given */
};

/* --- signals --- */

static volatile sig_atomic_t stop_signal;
static int stop_pipe[2];

static void on_signal(int number)
{
    int kept = errno;
    if (!stop_signal) {
        stop_signal = number;
        alarm(STOP_SECONDS);
        (void)!write(stop_pipe[1], "", 1);
    }
    errno = kept;
}

static void on_alarm(int number)
{
    (void)number;
    _exit(128 + stop_signal);
}

/* ^C and the end of a terminal reach the whole group of processes; they are for the one that started us. */
static gboolean catch_signals(GError **error)
{
    struct sigaction stop = {.sa_handler = on_signal};
    struct sigaction late = {.sa_handler = on_alarm};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (pipe2(stop_pipe, O_CLOEXEC) != 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not open a pipe: %s", g_strerror(errno));
        return FALSE;
    }
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    return TRUE;
}

static void sign(struct watcher *watcher, enum watcher_sign sign)
{
    char byte = (char)sign;
    ssize_t written;
    do
        written = write(STDOUT_FILENO, &byte, 1);
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno == EPIPE)
        raise(SIGTERM);
    watcher->beaten = g_get_monotonic_time();
}

static void on_progress(gint64 done, gint64 remaining, gpointer data)
{
    struct watcher *watcher = data;
    (void)done, (void)remaining;
    if (g_get_monotonic_time() - watcher->beaten >= G_USEC_PER_SEC)
        sign(watcher, WATCHER_ALIVE);
}

/* --- failures --- */

static gboolean wants_person(const GError *error)
{
    return error->domain == WS_ERROR &&
           (error->code == WS_ERROR_AUTH || error->code == WS_ERROR_INPUT || error->code == WS_ERROR_CONFIG);
}

static void tell_failure(struct watcher *watcher, GError *failure)
{
    gboolean person = wants_person(failure);
    if (g_strcmp0(watcher->told, failure->message) == 0)
        return;
    g_free(watcher->told);
    watcher->told = g_strdup(failure->message);
    g_prefix_error(&failure, "%s: ", watcher->label);
    log_error(failure);
    log_note("%s: is tried again %s", watcher->label,
             person ? "every 15 minutes, and at once when the configuration is read again (SIGHUP)"
                    : "in a second, then less and less often, at least every 5 minutes");
}

static void tell_recovery(struct watcher *watcher)
{
    if (watcher->told)
        log_note("%s: is read again", watcher->label);
    g_clear_pointer(&watcher->told, g_free);
    watcher->pause = 0;
}

/* Between the half and the whole of it. */
static void pause_after(struct watcher *watcher, const GError *failure)
{
    watcher->pause = CLAMP(watcher->pause * 2, FIRST_PAUSE, LONGEST_PAUSE);
    guint pause = wants_person(failure) ? PERSON_PAUSE : watcher->pause;
    gint64 end = g_get_monotonic_time() + (gint64)(pause * g_random_double_range(0.5, 1.0) * G_USEC_PER_SEC);
    struct pollfd stop = {.fd = stop_pipe[0], .events = POLLIN};
    for (;;) {
        gint64 left = end - g_get_monotonic_time();
        if (left <= 0 || stop_signal)
            return;
        poll(&stop, 1, (int)MIN(BEAT_SECONDS * 1000, left / 1000 + 1));
        sign(watcher, WATCHER_ALIVE);
    }
}

/* --- reading --- */

static void tell_totals(const struct watcher *watcher, const struct run_totals *totals)
{
    if (!totals->mails || (watcher->cli->options.quiet && !totals->problems))
        return;
    g_autofree char *line = totals_line(totals);
    log_note("%s: %s", watcher->label, line);
}

/* Until there is no more; what came is told even if it broke off. */
static gboolean read_all(struct watcher *watcher, struct db *db, struct source *source, GError **error)
{
    struct run_totals totals = {0};
    watcher->reading.settings.now = g_get_real_time() / G_USEC_PER_SEC;
    gboolean ok = ingest_run(db, source, &watcher->reading.settings, &totals, error);
    tell_totals(watcher, &totals);
    if (ok)
        tell_recovery(watcher);
    return ok;
}

/* Until a failure or a stop. */
static gboolean watch(struct watcher *watcher, struct db *db, struct source *source, GError **error)
{
    enum wait_result result = WAIT_NEWS;
    sign(watcher, WATCHER_GOOD);
    while (!stop_signal && result != WAIT_STOPPED) {
        if (!read_all(watcher, db, source, error))
            return FALSE;
        sign(watcher, WATCHER_GOOD);
        if (!source->kind->wait(source, watcher->account->poll, &result, error))
            return FALSE;
        sign(watcher, WATCHER_ALIVE);
    }
    return TRUE;
}

/* Everything is opened anew, so that a password that was changed meanwhile is the new one. */
static gboolean attempt(struct watcher *watcher, GError **error)
{
    const struct config *config = &watcher->cli->config;
    g_autofree char *now = NULL;
    struct db *db = database_writable(config, &now, error);
    struct login *login = db ? login_open(config, watcher->account, error) : NULL;
    if (login)
        login_stop_by(login, stop_pipe[0]);
    struct mailbox *mailbox =
        login ? mailbox_open(login, db, watcher->folder, watcher->cli->options.after, error) : NULL;
    gboolean ok = mailbox && watch(watcher, db, mailbox->source, error);
    mailbox_close(mailbox);
    login_close(login);
    db_close(db);
    return ok;
}

char *watcher_label(const char *account, const char *folder)
{
    return g_strdup_printf("account '%s' %s", account, folder);
}

gboolean watcher_run(struct cli *cli, GError **error)
{
    struct watcher watcher = {.cli = cli, .folder = cli->options.mailbox};
    watcher.account = config_account(&cli->config, cli->options.watched, error);
    if (!watcher.account)
        return FALSE;
    reading_init(&watcher.reading, cli);
    if (!catch_signals(error)) {
        reading_clear(&watcher.reading);
        return FALSE;
    }
    struct run_settings *settings = &watcher.reading.settings;
    watcher.label = watcher_label(watcher.account->name, watcher.folder);
    settings->stop = &stop_signal;
    settings->progress = on_progress;
    settings->progress_data = &watcher;
    while (!stop_signal) {
        g_autoptr(GError) failure = NULL;
        sign(&watcher, WATCHER_ALIVE);
        if (attempt(&watcher, &failure) || stop_signal)
            break;
        sign(&watcher, WATCHER_FAILING);
        tell_failure(&watcher, failure);
        pause_after(&watcher, failure);
    }
    reading_clear(&watcher.reading);
    g_free(watcher.label);
    g_free(watcher.told);
    return TRUE;
}
