#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "cli/mailbox.h"
#include "cli/patience.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/rules.h"
#include "cli/stopping.h"
#include "cli/totals.h"
#include "cli/watch.h"
#include "cli/watcher.h"
#include "ingest/run.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct job {
    struct cli *cli;
    struct db *db; /* NULL when it went away and did not come back */
    struct reading reading;
    struct run_totals totals;
    char *since;     /* the database's time when it was first opened */
    gboolean leaves; /* the source that was read last leaves mails where they are */
    gboolean over;   /* nothing more can be read */
};

/* Where mail is read from: a path, or a folder of an account. */
struct place {
    const char *path;
    struct login *login;
    const char *folder;
};

/* Each failure is told, the status is the first one's. */
static void tell(struct job *job, const GError *error)
{
    struct cli *cli = job->cli;
    log_error(error);
    int status = stopping_signal() ? 128 + stopping_signal() : ws_error_exit_status(error);
    cli->status = cli->status ? cli->status : status;
}

static gboolean run_source(struct job *job, struct source *source, const struct settle_rules *rules,
                           GError **error)
{
    log_debug("reading %s", source->description);
    job->leaves = settle_rules_any(rules, AFTER_LEAVE);
    return ingest_run(job->db, source, &job->reading.settings, &job->totals, error);
}

static gboolean read_path(struct job *job, const char *path, GError **error)
{
    const struct config *config = &job->cli->config;
    const char *after = job->cli->options.after;
    struct settle_rules rules;
    if (!rules_read(config->imap, after, FALSE, &rules, error))
        return FALSE;
    struct source *source = source_open_path(path, &rules, &config->limits, error);
    /* A mail transport starts this program for each mail. */
    job->reading.settings.light = strcmp(path, "-") == 0;
    gboolean ok = source && run_source(job, source, &rules, error);
    source_close(source);
    return ok;
}

static gboolean read_folder(struct job *job, struct login *login, const char *folder, GError **error)
{
    struct mailbox *mailbox = mailbox_open(login, job->db, folder, job->cli->options.after, error);
    gboolean ok = mailbox && run_source(job, mailbox->source, &mailbox->rules, error);
    mailbox_close(mailbox);
    return ok;
}

static gboolean read_once(struct job *job, const struct place *place, GError **error)
{
    return place->path ? read_path(job, place->path, error)
                       : read_folder(job, place->login, place->folder, error);
}

static guint64 committed(const struct job *job)
{
    return job->totals.mails - job->totals.resumed;
}

/* Reads it once more, with another connection: what was committed is found in the ledger. Where mails are
 * left, those come again, and are not to be counted twice. */
static gboolean read_again(struct job *job, const struct place *place, guint64 before, GError **error)
{
    struct run_totals *totals = &job->totals;
    guint64 resumed = totals->resumed, own = committed(job) - before;
    g_autofree char *now = NULL;
    db_close(job->db);
    job->db = database_writable(&job->cli->config, &now, error);
    if (!job->db)
        return FALSE;
    job->reading.writer.since = job->since;
    gboolean ok = read_once(job, place, error);
    job->reading.writer.since = NULL;
    guint64 twice = job->leaves ? MIN(own, totals->resumed - resumed) : 0;
    totals->resumed -= twice;
    totals->mails -= twice;
    return ok;
}

/* Standard input, a pipe and a device have nothing more to give the second time. */
static gboolean is_read_once(const char *path)
{
    return strcmp(path, "-") == 0 || !g_file_test(path, G_FILE_TEST_IS_REGULAR | G_FILE_TEST_IS_DIR);
}

/* A database that goes away meanwhile is waited for. */
static gboolean read_place(struct job *job, const struct place *place, GError **error)
{
    guint64 before = committed(job);
    struct patience patience = {.most = job->cli->config.database_wait, .stop = job->reading.settings.stop};
    GError *broken = NULL;
    if (place->path && is_read_once(place->path))
        patience.most = 0;
    gboolean ok = read_once(job, place, &broken);
    while (!ok && patience_wait(&patience, broken, committed(job))) {
        g_clear_error(&broken);
        ok = read_again(job, place, before, &broken);
    }
    if (ok)
        return TRUE;
    job->over = !job->db || ws_error_spoils(broken) == WS_SPOILS_RUN;
    g_propagate_error(error, broken);
    return FALSE;
}

/* Messages begin with `prefix`. A folder that fails does not keep the others from being read, unless it is
 * for a login that was refused: to try that again could lock the account. */
static void read_account(struct job *job, const struct account *account, const char *prefix)
{
    char *named[] = {job->cli->options.mailbox, NULL};
    g_autoptr(GError) broken = NULL;
    struct login *login = login_open(&job->cli->config, account, &broken);
    gboolean refused = FALSE;
    for (char **folder = named[0] ? named : account->folders; login && *folder && !refused && !job->over;
         folder++) {
        g_autoptr(GError) failure = NULL;
        const struct place place = {.login = login, .folder = *folder};
        if (read_place(job, &place, &failure))
            continue;
        refused = g_error_matches(failure, WS_ERROR, WS_ERROR_AUTH);
        g_prefix_error(&failure, "%s", prefix);
        tell(job, failure);
    }
    if (!login) {
        g_prefix_error(&broken, "%s", prefix);
        tell(job, broken);
    }
    login_close(login);
}

static void read_argument(struct job *job, const char *argument)
{
    g_autoptr(GError) broken = NULL;
    struct account *account = NULL;
    const struct place place = {.path = argument};
    if (!mailbox_is_url(argument))
        read_place(job, &place, &broken);
    else if ((account = mailbox_account_of_url(&job->cli->config, argument, &broken)))
        read_account(job, account, "");
    if (broken)
        tell(job, broken);
    account_free(account);
}

/* One that fails does not keep the others from being read. */
static void read_all(struct job *job)
{
    const struct cli *cli = job->cli;
    const GPtrArray *accounts = cli->config.accounts;
    for (char **argument = cli->arguments; *argument && !job->over; argument++)
        read_argument(job, *argument);
    for (guint i = 0; !cli->arguments[0] && i < accounts->len && !job->over; i++) {
        const struct account *account = accounts->pdata[i];
        g_autofree char *prefix = g_strdup_printf("account '%s': ", account->name);
        if (options_want_account(&cli->options, account->name))
            read_account(job, account, prefix);
    }
}

static void print_summary(const struct run_totals *totals, gboolean quiet)
{
    if (quiet && !totals->problems)
        return;
    g_autofree char *line = totals_line(totals);
    puts(line);
    if (totals->problems)
        printf("%" G_GUINT64_FORMAT " %s a person: \"whosends problems\" tells why, and what to do\n",
               totals->problems, totals->problems == 1 ? "problem needs" : "problems need");
}

/* Reports of months that were pruned count again when they are read again, and nobody would know. A database
 * that stayed away cannot tell. */
static void tell_of_pruned(const struct job *job)
{
    const char *values[] = {job->since};
    if (!job->db || !job->totals.by_outcome[OUTCOME_STORED])
        return;
    struct db_result *again =
        db_query(job->db, "looking for what was pruned",
                 "SELECT reports, before FROM dmarc_store.came_again($1::timestamptz) WHERE reports > 0", 1,
                 values, NULL);
    if (again && db_rows(again)) {
        gboolean one = db_int(again, 0, 0) == 1;
        log_warning("%s report%s of months before %s, up to where was pruned, came in and count%s until the "
                    "next \"whosends prune\"",
                    db_value(again, 0, 0), one ? "" : "s", db_value(again, 0, 1), one ? "s" : "");
    }
    db_result_free(again);
}

/* Without an argument there must be an account that can be read. */
static gboolean check_accounts(const struct cli *cli, GError **error)
{
    const GPtrArray *accounts = cli->config.accounts;
    gboolean ok = FALSE;
    for (guint i = 0; i < accounts->len && !ok; i++) {
        g_clear_error(error);
        ok = login_is_complete(accounts->pdata[i], error);
    }
    if (!ok)
        g_prefix_error(error, "there is nothing to read: no PATH is given, and ");
    return ok;
}

static gboolean usage(GError **error, const char *message)
{
    g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, message);
    return FALSE;
}

/* What is wrong with the command line shows before a database is started. */
static gboolean check_request(const struct cli *cli, GError **error)
{
    const struct options *options = &cli->options;
    struct settle_rules rules;
    if (!rules_read(cli->config.imap, options->after, FALSE, &rules, error))
        return FALSE;
    if (options->watch && cli->arguments[0])
        return usage(error,
                     "cannot use --watch with a PATH or URL: it is for the accounts that are configured");
    if (options->accounts && cli->arguments[0])
        return usage(error, "cannot use --account with a PATH or URL: it is for what is configured");
    for (char **name = options->accounts; name && *name; name++) {
        const struct account *account = config_account(&cli->config, *name, error);
        if (!account || !login_is_complete(account, error))
            return FALSE;
    }
    return cli->arguments[0] || options->accounts || check_accounts(cli, error);
}

gboolean cmd_ingest(struct cli *cli, GError **error)
{
    struct job job = {.cli = cli};
    if (!check_request(cli, error))
        return FALSE;
    if (cli->options.watch && !cli->options.watched)
        return watch_run(cli, check_request, error);
    if (cli->options.watched)
        return watcher_run(cli, error);
    if (!(job.db = database_writable(&cli->config, &job.since, error)))
        return FALSE;
    reading_init(&job.reading, cli);
    progress_begin(!cli->options.quiet, "mails");
    read_all(&job);
    progress_hide();
    tell_of_pruned(&job);
    if (!cli->status || job.totals.mails)
        print_summary(&job.totals, cli->options.quiet);
    if (!cli->status && job.totals.problems)
        cli->status = EX_DATAERR;
    reading_clear(&job.reading);
    db_close(job.db);
    g_free(job.since);
    return TRUE;
}
