#include "cli/watch.h"

#include "cli/cli.h"
#include "cli/log.h"
#include "cli/notify.h"
#include "cli/watcher.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_PAUSE 300
#define SOUND_SECONDS 60 /* that a process lived so long makes its end a new one and no repetition */
#define READY_SECONDS 30
#define END_MILLISECONDS 4500

struct watch;

/* A folder and the process that reads it. */
struct child {
    struct watch *watch;
    const char *account, *folder; /* lent from the configuration */
    char *label;
    GPid pid; /* 0: there is none */
    int pipe;
    guint pipe_source, exit_source;
    gint64 started, heard; /* monotonic */
    gint64 start_at;       /* monotonic, when there is none */
    guint pause;           /* seconds before the last start */
    gboolean told;         /* it was opened, or has failed, once */
    gboolean failing, killed;
};

enum phase { PHASE_RUNNING, PHASE_RELOADING, PHASE_ENDING };

struct watch {
    struct cli *cli;
    gboolean (*check)(const struct cli *cli, GError **error);
    GMainLoop *loop;
    GPtrArray *children;
    enum phase phase;
    struct config config; /* PHASE_RELOADING: the one to come */
    gboolean ready;       /* that is said */
    gint64 ready_at;      /* monotonic, at the latest */
    guint64 watchdog;     /* microseconds; 0: none */
    gint64 said_alive;
    guint kill_source;
    gboolean terminal;
};

static void child_start(struct child *child);

/* --- the service manager --- */

static void tell_status(struct watch *watch)
{
    const struct child *failing = NULL;
    guint n = 0;
    gboolean told = TRUE;
    for (guint i = 0; i < watch->children->len; i++) {
        const struct child *child = watch->children->pdata[i];
        gboolean bad = child->failing || !child->pid;
        told = told && child->told;
        n += bad ? 1 : 0;
        failing = bad && !failing ? child : failing;
    }
    g_autofree char *folders =
        g_strdup_printf("%u %s", watch->children->len, watch->children->len == 1 ? "folder" : "folders");
    g_autofree char *status = n ? g_strdup_printf("%s, %u of them cannot be read now: %s%s", folders, n,
                                                  failing->label, n > 1 ? " and others" : "")
                                : g_strdup_printf("%s watched", folders);
    notify_status(status);
    if (!watch->ready && watch->phase == PHASE_RUNNING &&
        (told || g_get_monotonic_time() > watch->ready_at)) {
        watch->ready = TRUE;
        notify_ready();
    }
}

static gboolean overdue(const struct child *child, gint64 now)
{
    const struct config *config = &child->watch->cli->config;
    return child->pid && now - child->heard > (gint64)config->watch_timeout * G_USEC_PER_SEC;
}

/* Once a second: who is late, who is to be started again, and whether all are alive. */
static gboolean on_tick(gpointer data)
{
    struct watch *watch = data;
    gint64 now = g_get_monotonic_time();
    gboolean alive = TRUE;
    for (guint i = 0; i < watch->children->len; i++) {
        struct child *child = watch->children->pdata[i];
        if (overdue(child, now) && !child->killed && watch->phase == PHASE_RUNNING) {
            log_warning("%s: its process gave no sign of life for %u seconds and is killed", child->label,
                        watch->cli->config.watch_timeout);
            child->killed = kill(child->pid, SIGKILL) == 0;
        }
        alive = alive && !overdue(child, now);
        if (!child->pid && watch->phase == PHASE_RUNNING && now >= child->start_at)
            child_start(child);
    }
    if (alive && watch->watchdog && now - watch->said_alive >= (gint64)watch->watchdog / 2 - G_USEC_PER_SEC) {
        watch->said_alive = now;
        notify_alive();
    }
    if (!watch->ready)
        tell_status(watch);
    return G_SOURCE_CONTINUE;
}

/* --- children --- */

static gboolean on_sign(int fd, GIOCondition condition, gpointer data)
{
    struct child *child = data;
    char bytes[64];
    (void)condition;
    gssize n = read(fd, bytes, sizeof bytes);
    if (n <= 0) {
        child->pipe_source = 0;
        return G_SOURCE_REMOVE;
    }
    child->heard = g_get_monotonic_time();
    for (gssize i = 0; i < n; i++) {
        gboolean failing = bytes[i] == WATCHER_FAILING, good = bytes[i] == WATCHER_GOOD;
        gboolean change =
            (failing && (!child->failing || !child->told)) || (good && (child->failing || !child->told));
        if (failing || good) {
            child->told = TRUE;
            child->failing = failing;
        }
        if (change)
            tell_status(child->watch);
    }
    return G_SOURCE_CONTINUE;
}

static void close_pipe(struct child *child)
{
    if (child->pipe_source)
        g_source_remove(child->pipe_source);
    child->pipe_source = 0;
    close(child->pipe);
}

static void start_later(struct child *child)
{
    gint64 now = g_get_monotonic_time();
    if (now - child->started > SOUND_SECONDS * G_USEC_PER_SEC)
        child->pause = 0;
    child->pause = CLAMP(child->pause * 2, 1, LONGEST_PAUSE);
    child->start_at = now + (gint64)child->pause * G_USEC_PER_SEC;
    child->told = TRUE;
    tell_status(child->watch);
}

static void say_end(const struct child *child, int status)
{
    if (WIFSIGNALED(status))
        log_warning("%s: its process was killed by signal %d (%s)\ndetail: another one is started in a while",
                    child->label, WTERMSIG(status), g_strsignal(WTERMSIG(status)));
    else
        log_warning("%s: its process ended with status %d\ndetail: another one is started in a while",
                    child->label, WEXITSTATUS(status));
}

static void all_ended(struct watch *watch);

static void on_exit_of(GPid pid, int status, gpointer data)
{
    struct child *child = data;
    struct watch *watch = child->watch;
    (void)pid;
    child->pid = 0;
    child->exit_source = 0;
    close_pipe(child);
    if (watch->phase == PHASE_RUNNING) {
        if (!child->killed)
            say_end(child, status);
        start_later(child);
        return;
    }
    for (guint i = 0; i < watch->children->len; i++)
        if (((struct child *)watch->children->pdata[i])->pid)
            return;
    all_ended(watch);
}

/* Between fork and exec. */
static void bind_to_parent(gpointer parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != GPOINTER_TO_INT(parent))
        _exit(0);
}

/* As we were called, and for which folder. Owned by the caller. */
static char **child_arguments(const struct child *child)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *watched = g_strconcat("--watched=", child->account, NULL);
    g_autofree char *mailbox = g_strconcat("--mailbox=", child->folder, NULL);
    g_strv_builder_add(builder, "/proc/self/exe");
    for (char **argument = child->watch->cli->argv; *argument && strcmp(*argument, "--") != 0; argument++)
        g_strv_builder_add(builder, *argument);
    g_strv_builder_add(builder, watched);
    g_strv_builder_add(builder, mailbox);
    return g_strv_builder_end(builder);
}

static void child_start(struct child *child)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) arguments = child_arguments(child);
    child->started = child->heard = g_get_monotonic_time();
    child->killed = FALSE;
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_CLOEXEC_PIPES;
    if (!g_spawn_async_with_pipes(NULL, arguments, NULL, flags, bind_to_parent, GINT_TO_POINTER(getpid()),
                                  &child->pid, NULL, &child->pipe, NULL, &error)) {
        child->pid = 0;
        g_prefix_error(&error, "%s: could not start its process: ", child->label);
        log_error(error);
        start_later(child);
        return;
    }
    child->exit_source = g_child_watch_add(child->pid, on_exit_of, child);
    child->pipe_source = g_unix_fd_add(child->pipe, G_IO_IN | G_IO_HUP, on_sign, child);
}

static void child_free(gpointer data)
{
    struct child *child = data;
    g_free(child->label);
    g_free(child);
}

static void add_child(struct watch *watch, const struct account *account, const char *folder)
{
    struct child *child = g_new0(struct child, 1);
    child->watch = watch;
    child->account = account->name;
    child->folder = folder;
    child->label = watcher_label(account->name, folder);
    g_ptr_array_add(watch->children, child);
}

static void start_all(struct watch *watch)
{
    const struct options *options = &watch->cli->options;
    const GPtrArray *accounts = watch->cli->config.accounts;
    g_ptr_array_set_size(watch->children, 0);
    for (guint i = 0; i < accounts->len; i++) {
        const struct account *account = accounts->pdata[i];
        char *named[] = {options->mailbox, NULL};
        if (!options_want_account(options, account->name))
            continue;
        for (char **folder = named[0] ? named : account->folders; *folder; folder++)
            add_child(watch, account, *folder);
    }
    watch->phase = PHASE_RUNNING;
    watch->ready = FALSE;
    watch->ready_at = g_get_monotonic_time() + READY_SECONDS * G_USEC_PER_SEC;
    for (guint i = 0; i < watch->children->len; i++)
        child_start(watch->children->pdata[i]);
    tell_status(watch);
}

/* --- the end of them --- */

static gboolean signal_all(const struct watch *watch, int number)
{
    gboolean any = FALSE;
    for (guint i = 0; i < watch->children->len; i++) {
        const struct child *child = watch->children->pdata[i];
        any = (child->pid && kill(child->pid, number) == 0) || any;
    }
    return any;
}

static gboolean on_too_late(gpointer data)
{
    struct watch *watch = data;
    watch->kill_source = 0;
    if (signal_all(watch, SIGKILL))
        log_warning("processes that did not end in time were killed");
    return G_SOURCE_REMOVE;
}

static void end_all(struct watch *watch, enum phase phase)
{
    watch->phase = phase;
    if (!watch->kill_source)
        watch->kill_source = g_timeout_add(END_MILLISECONDS, on_too_late, watch);
    if (!signal_all(watch, SIGTERM))
        all_ended(watch);
}

static void all_ended(struct watch *watch)
{
    if (watch->kill_source)
        g_source_remove(watch->kill_source);
    watch->kill_source = 0;
    if (watch->phase == PHASE_ENDING) {
        g_main_loop_quit(watch->loop);
        return;
    }
    g_ptr_array_set_size(watch->children, 0);
    config_clear(&watch->cli->config);
    watch->cli->config = watch->config;
    watch->config = (struct config){.file = NULL};
    start_all(watch);
}

/* --- signals --- */

static gboolean on_stop(gpointer data)
{
    struct watch *watch = data;
    if (watch->phase == PHASE_ENDING) {
        signal_all(watch, SIGKILL);
        return G_SOURCE_CONTINUE;
    }
    notify_stopping();
    end_all(watch, PHASE_ENDING);
    return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer data)
{
    struct watch *watch = data;
    g_autoptr(GError) error = NULL;
    if (watch->terminal)
        return on_stop(data);
    if (watch->phase != PHASE_RUNNING)
        return G_SOURCE_CONTINUE;
    struct cli fresh = *watch->cli;
    fresh.config = (struct config){.file = NULL};
    notify_reloading();
    if (cli_configure(&fresh.options, &fresh.config, &error) && watch->check(&fresh, &error)) {
        log_note("the configuration was read again");
        watch->config = fresh.config;
        end_all(watch, PHASE_RELOADING);
        return G_SOURCE_CONTINUE;
    }
    g_prefix_error(&error, "the configuration is not read again: ");
    log_error(error);
    config_clear(&fresh.config);
    if (watch->ready)
        notify_ready();
    return G_SOURCE_CONTINUE;
}

gboolean watch_run(struct cli *cli, gboolean (*check)(const struct cli *cli, GError **error), GError **error)
{
    struct watch watch = {.cli = cli, .check = check, .watchdog = notify_watchdog()};
    (void)error;
    watch.terminal = isatty(STDERR_FILENO) != 0;
    watch.loop = g_main_loop_new(NULL, FALSE);
    watch.children = g_ptr_array_new_with_free_func(child_free);
    guint sources[] = {
        g_unix_signal_add(SIGTERM, on_stop, &watch), g_unix_signal_add(SIGINT, on_stop, &watch),
        g_unix_signal_add(SIGHUP, on_hangup, &watch), g_timeout_add_seconds(1, on_tick, &watch)};
    start_all(&watch);
    g_main_loop_run(watch.loop);
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
        g_source_remove(sources[i]);
    g_ptr_array_unref(watch.children);
    g_main_loop_unref(watch.loop);
    config_clear(&watch.config);
    return TRUE;
}
