#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "db/schema.h"
#include "ingest/imap.h"
#include "ingest/run.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* The first one asks the run to stop after its batch, the second one ends the program. A connection that the
 * other side closed is an error to handle and no reason to die. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static gboolean parse_after(const char *word, enum after *after_r, GError **error)
{
    static const char *const words[] = {
        [AFTER_LEAVE] = "leave", [AFTER_FLAG] = "flag", [AFTER_MOVE] = "move", [AFTER_DELETE] = "delete"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *after_r = (enum after)i;
            return TRUE;
        }
    }
    g_autofree char *safe = render_safe(word);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "cannot use '%s' for --after\nhint: leave, flag, move or delete", safe);
    return FALSE;
}

/* --- the mailbox --- */

static gboolean is_url(const char *argument)
{
    return g_str_has_prefix(argument, "imaps://") || g_str_has_prefix(argument, "imap://");
}

static gboolean refuse_url(GError **error, const char *why)
{
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "cannot use the mailbox URL: %s\nhint: imaps://USER@HOST/FOLDER", why);
    return FALSE;
}

/* Where to go: the configuration, and what a URL says instead. */
struct mailbox {
    char *host, *user, *folder;
    gboolean starttls;
    guint port;
};

static void mailbox_clear(struct mailbox *mailbox)
{
    g_free(mailbox->host);
    g_free(mailbox->user);
    g_free(mailbox->folder);
    memset(mailbox, 0, sizeof *mailbox);
}

static void replace(char **slot, const char *text)
{
    g_free(*slot);
    *slot = g_strdup(text);
}

/* Whether the password comes from the configuration file: then it is for the host that stands there alone. */
static gboolean password_is_bound(const struct config *config)
{
    static const gsize places[] = {G_STRUCT_OFFSET(struct config, password),
                                   G_STRUCT_OFFSET(struct config, password_file),
                                   G_STRUCT_OFFSET(struct config, password_command)};
    gboolean bound = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        bound = bound || (G_STRUCT_MEMBER(char *, config, places[i]) &&
                          config_origin_of(config, places[i]) == ORIGIN_FILE);
    return bound;
}

static gboolean take_url(const struct config *config, const char *url, struct mailbox *mailbox,
                         GError **error)
{
    char *scheme = NULL, *user = NULL, *password = NULL, *host = NULL, *path = NULL, *query = NULL;
    int port = -1;
    gboolean ok = g_uri_split_with_user(url, G_URI_FLAGS_HAS_PASSWORD, &scheme, &user, &password, NULL, &host,
                                        &port, &path, &query, NULL, NULL);
    if (!ok || !host || !*host || query)
        ok = refuse_url(error, "it is not of that form");
    else if (password)
        ok = refuse_url(error, "it holds a password, which others could see");
    else if (config->host && g_ascii_strcasecmp(config->host, host) != 0 && password_is_bound(config))
        ok = refuse_url(error, "the configured password is for another host");
    if (ok) {
        replace(&mailbox->host, host);
        mailbox->starttls = strcmp(scheme, "imap") == 0;
        mailbox->port = port > 0 ? (guint)port : 0;
        if (user)
            replace(&mailbox->user, user);
        if (strlen(path) > 1)
            replace(&mailbox->folder, path + 1);
    }
    char *parts[] = {scheme, user, host, path, query};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        g_free(parts[i]);
    password_free(password);
    return ok;
}

static gboolean find_mailbox(const struct config *config, const char *url, struct mailbox *mailbox_r,
                             GError **error)
{
    *mailbox_r = (struct mailbox){.host = g_strdup(config->host),
                                  .user = g_strdup(config->user),
                                  .folder = g_strdup(config->mailbox),
                                  .starttls = strcmp(config->security, "starttls") == 0,
                                  .port = config->port};
    if (url && !take_url(config, url, mailbox_r, error))
        return FALSE;
    if (mailbox_r->host && mailbox_r->user)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                "there is nothing to read: no PATH is given, and imap.%s is not configured\n"
                "hint: see \"whosends help ingest\", and whosends.conf(5) for the mailbox",
                mailbox_r->host ? "user" : "host");
    return FALSE;
}

/* --- one run --- */

struct job {
    struct cli *cli;
    struct db *db;
    struct run_settings settings;
    struct run_totals totals;
    struct settle_rules rules; /* these three: of the source that is open */
    struct mailbox mailbox;
    char *password;
};

static struct source *open_mailbox(struct job *job, const char *url, GError **error)
{
    const struct config *config = &job->cli->config;
    const struct mailbox *mailbox = &job->mailbox;
    const char *after = job->cli->options.after;
    if (!find_mailbox(config, url, &job->mailbox, error) ||
        !parse_after(after ? after : config->after, &job->rules.after, error) ||
        !(job->password = password_get(config, mailbox->user, mailbox->host, error)))
        return NULL;
    const struct imap_settings settings = {.host = mailbox->host,
                                           .port = mailbox->port,
                                           .starttls = mailbox->starttls,
                                           .user = mailbox->user,
                                           .password = job->password,
                                           .ca_file = config->ca_file,
                                           .mailbox = mailbox->folder,
                                           .timeout = config->timeout,
                                           .batch = config->batch};
    return source_open_imap(&settings, &job->rules, &config->limits, error);
}

static struct source *open_source(struct job *job, const char *argument, GError **error)
{
    const struct config *config = &job->cli->config;
    const char *after = job->cli->options.after;
    job->rules = (struct settle_rules){.processed = config->processed, .problems = config->problems};
    if (!argument || is_url(argument))
        return open_mailbox(job, argument, error);
    if (after && !parse_after(after, &job->rules.after, error))
        return NULL;
    return source_open_path(argument, &job->rules, &config->limits, error);
}

static gboolean read_source(struct job *job, const char *argument, GError **error)
{
    struct source *source = open_source(job, argument, error);
    gboolean ok = source != NULL;
    if (ok) {
        log_debug("reading %s", source->description);
        ok = ingest_run(job->db, source, &job->settings, &job->totals, error);
        source_close(source);
    }
    g_clear_pointer(&job->password, password_free);
    mailbox_clear(&job->mailbox);
    return ok;
}

/* A source that fails does not keep the others from being read. Each failure is told, the status is the first
 * one's. */
static void read_all(struct job *job)
{
    struct cli *cli = job->cli;
    guint n = MAX(1, g_strv_length(cli->arguments));
    gboolean over = FALSE;
    for (guint i = 0; i < n && !over; i++) {
        g_autoptr(GError) broken = NULL;
        if (read_source(job, cli->arguments[i], &broken))
            continue;
        log_error(broken);
        int status = stop_signal ? 128 + stop_signal : ws_error_exit_status(broken);
        cli->status = cli->status ? cli->status : status;
        over = ws_error_spoils(broken) == WS_SPOILS_RUN;
    }
}

static void print_summary(const struct run_totals *totals, gboolean quiet)
{
    const guint64 *by = totals->by_outcome;
    if (quiet && !by[OUTCOME_PROBLEM])
        return;
    printf("%" G_GUINT64_FORMAT " %s: %" G_GUINT64_FORMAT " stored, %" G_GUINT64_FORMAT
           " duplicate, %" G_GUINT64_FORMAT " without report, %" G_GUINT64_FORMAT " %s",
           totals->mails, totals->mails == 1 ? "mail" : "mails", by[OUTCOME_STORED], by[OUTCOME_DUPLICATE],
           by[OUTCOME_NO_REPORT], by[OUTCOME_PROBLEM], by[OUTCOME_PROBLEM] == 1 ? "problem" : "problems");
    if (totals->resumed)
        printf(", %" G_GUINT64_FORMAT " already in the ledger", totals->resumed);
    putchar('\n');
    if (by[OUTCOME_PROBLEM])
        puts("\"whosends problems\" tells why, and what to do");
}

/* An empty database gets the schema; any other must be ours and up to date. */
static struct db *open_database(const struct config *config, GError **error)
{
    struct db *db = database_open(config, TRUE, error);
    int version = db ? schema_version(db, error) : -1;
    gboolean ok = version >= 0 && (version ? schema_check(db, error) : schema_upgrade(db, NULL, error));
    if (!ok)
        g_clear_pointer(&db, db_close);
    return db;
}

/* What is wrong with the command line shows before a database is started. */
static gboolean check_request(struct cli *cli, GError **error)
{
    enum after after;
    struct mailbox mailbox = {.host = NULL};
    gboolean ok = (!cli->options.after || parse_after(cli->options.after, &after, error)) &&
                  (cli->arguments[0] || find_mailbox(&cli->config, NULL, &mailbox, error));
    mailbox_clear(&mailbox);
    return ok;
}

static enum keep_subject subject_rule(const char *word)
{
    return strcmp(word, "kept") == 0      ? SUBJECT_KEPT
           : strcmp(word, "dropped") == 0 ? SUBJECT_DROPPED
                                          : SUBJECT_HASHED;
}

gboolean cmd_ingest(struct cli *cli, GError **error)
{
    struct job job = {.cli = cli};
    if (!check_request(cli, error) || !(job.db = open_database(&cli->config, error)))
        return FALSE;
    struct domain_list *suffixes = domain_list_new();
    const struct trust_rules trust = {.authserv_ids = cli->config.authserv_ids,
                                      .domains = cli->config.domains};
    struct writer_settings writer = writer_defaults;
    writer.trust = &trust;
    writer.suffixes = suffixes;
    job.settings = (struct run_settings){.limits = &cli->config.limits,
                                         .writer = &writer,
                                         .suffixes = suffixes,
                                         .now = cli->now,
                                         .keep_subject = subject_rule(cli->config.keep_subject),
                                         .progress = progress_update,
                                         .stop = &stop_signal};
    catch_signals();
    progress_begin(!cli->options.quiet);
    read_all(&job);
    progress_hide();
    if (!cli->status || job.totals.mails)
        print_summary(&job.totals, cli->options.quiet);
    domain_list_free(suffixes);
    db_close(job.db);
    return TRUE;
}
