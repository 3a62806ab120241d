#include "cli/cli.h"

#include "cli/command.h"
#include "cli/help.h"
#include "cli/log.h"
#include "cli/nearest.h"
#include "cli/progress.h"
#include "ingest/worker.h"
#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A mail transport runs "whosends ingest -" and returns the mail to its sender on any status but 0 and
 * EX_TEMPFAIL. It shall keep the mail instead, whatever is wrong here: the options, the configuration, or the
 * database. */
static gboolean is_delivery(char **argv)
{
    return g_strv_contains((const char *const *)argv, "ingest") &&
           g_strv_contains((const char *const *)argv, "-");
}

static gboolean check_arguments(const struct cli *cli, GError **error)
{
    if (g_strv_length(cli->arguments) <= cli->command->most)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "too many arguments for '%s'\nhint: usage: whosends %s%s%s",
                cli->command->name, cli->command->name, *cli->command->usage ? " " : "", cli->command->usage);
    return FALSE;
}

/* A variable that looks like one of ours and is none sets nothing: somebody may believe that it does. */
static void warn_of_variables(char **environment)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
    for (const struct config_key *key = config_keys; key->group; key++)
        g_ptr_array_add(known, config_variable(key->group, key->name));
    for (const struct limit_row *row = limit_rows; row->name; row++)
        g_ptr_array_add(known, config_variable("limits", row->name));
    g_ptr_array_add(known, g_strdup("WHOSENDS_CONFIG"));
    g_ptr_array_add(known, NULL);
    const char *const *names = (const char *const *)known->pdata;
    for (char **entry = environment; *entry; entry++) {
        g_autofree char *name = g_strndup(*entry, strcspn(*entry, "="));
        const char *near = g_str_has_prefix(name, "WHOSENDS_") && !g_strv_contains(names, name)
                               ? nearest_word(name, names)
                               : NULL;
        if (near)
            log_warning("nothing is known by the environment variable '%s'\nhint: did you mean '%s'?", name,
                        near);
    }
}

/* All settings of the command line; --database, --workers and --limit are short for --set. Owned by the
 * caller. */
static char **all_settings(const struct options *options)
{
    g_autoptr(GStrvBuilder) settings = g_strv_builder_new();
    g_autofree char *database =
        options->database ? g_strconcat("whosends.database=", options->database, NULL) : NULL;
    g_autofree char *workers =
        options->workers ? g_strconcat("whosends.workers=", options->workers, NULL) : NULL;
    if (options->settings)
        g_strv_builder_addv(settings, (const char **)options->settings);
    if (database)
        g_strv_builder_add(settings, database);
    if (workers)
        g_strv_builder_add(settings, workers);
    for (char **limit = options->limits; limit && *limit; limit++) {
        g_autofree char *setting = g_strconcat("limits.", *limit, NULL);
        g_strv_builder_add(settings, setting);
    }
    return g_strv_builder_end(settings);
}

gboolean cli_configure(const struct options *options, struct config *config, GError **error)
{
    g_auto(GStrv) environment = g_get_environ();
    g_auto(GStrv) settings = all_settings(options);
    if (!config_load(config, options->config, environment, settings, error))
        return FALSE;
    log_debug("configuration: %s", config->file ? config->file : "no file");
    return TRUE;
}

static gboolean configure(struct cli *cli, GError **error)
{
    if (!cli->command->configured)
        return TRUE;
    g_auto(GStrv) environment = g_get_environ();
    if (!cli->options.watched)
        warn_of_variables(environment);
    return cli_configure(&cli->options, &cli->config, error);
}

/* Before a configuration, and what is secret in it, is read. */
static gboolean start_nursery(struct cli *cli, GError **error)
{
    gboolean supervises = cli->options.watch && !cli->options.watched;
    if (!cli->command->decodes || supervises)
        return TRUE;
    if (!cli->options.no_confine)
        return (cli->nursery = nursery_start(&worker_work, error)) != NULL;
    log_warning("mail from strangers is decoded in this process, with all its rights (--no-confine)");
    return TRUE;
}

/* The command is found and its options are taken; argv becomes what stays. */
static gboolean take_command(struct cli *cli, char ***argv, GError **error)
{
    g_autofree char *name = NULL;
    if (!options_take_command(*argv, &name, error))
        return FALSE;
    if (name && !(cli->command = command_find(name, error)))
        return FALSE;
    if (!options_parse(&cli->options, cli->command ? cli->command->options : NULL, argv, error))
        return FALSE;
    cli->arguments = *argv + (**argv ? 1 : 0);
    if (cli->command || cli->options.help || cli->options.version)
        return TRUE;
    help_all();
    g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, "no command is given");
    return FALSE;
}

static gboolean run(struct cli *cli, char ***argv, GError **error)
{
    if (!take_command(cli, argv, error))
        return FALSE;
    log_open(cli->options.verbose);
    if (cli->options.version)
        help_version();
    else if (cli->options.help && cli->command)
        help_command(cli->command);
    else if (cli->options.help)
        help_all();
    else
        return check_arguments(cli, error) && start_nursery(cli, error) && configure(cli, error) &&
               cli->command->run(cli, error);
    return TRUE;
}

/* What was printed must have arrived: a full disk is no success. A command that failed has said why. */
static int close_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    g_autoptr(GError) error =
        g_error_new(WS_ERROR, WS_ERROR_SYSTEM, "could not write to standard output: %s", g_strerror(errno));
    if (!status)
        log_error(error);
    return EX_IOERR;
}

/* Standard input, output and error that whoever started us has closed: else the first file or connection
 * takes their place, and what is printed, strangers' mail too, is told to the database. What is opened
 * instead can be neither read nor written, so that it shows. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EX_TEMPFAIL);
}

int cli_main(char **argv)
{
    hold_standard_files();
    g_autoptr(GError) error = NULL;
    struct cli cli = {.argv = argv, .now = g_get_real_time() / G_USEC_PER_SEC};
    gboolean delivery = is_delivery(argv);
    char **own = g_strdupv(argv);
    log_open(FALSE);
    gboolean ok = run(&cli, &own, &error);
    int status = ok || cli.status ? cli.status : ws_error_exit_status(error);
    progress_hide();
    if (error)
        log_error(error);
    /* A mail that is in the ledger is delivered, whether anybody reads the summary or not. */
    if (delivery)
        status = status && status != EX_DATAERR ? EX_TEMPFAIL : EX_OK;
    else
        status = close_output(status);
    nursery_stop(cli.nursery);
    config_clear(&cli.config);
    options_clear(&cli.options);
    g_strfreev(own);
    return status;
}
