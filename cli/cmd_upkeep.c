#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/period.h"
#include "cli/progress.h"
#include "db/upkeep.h"
#include "parser/error.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT "%" G_GINT64_FORMAT

gboolean cmd_maintain(struct cli *cli, GError **error)
{
    struct upkeep_maintained done;
    struct db *db = database_ready(&cli->config, error);
    progress_begin(!cli->options.quiet, "reports folded");
    gboolean ok = db && upkeep_maintain(db, progress_update, &done, error);
    progress_hide();
    db_close(db);
    if (!ok || cli->options.quiet)
        return ok;
    printf(COUNT " partition%s made", done.partitions, PLURAL(done.partitions));
    if (done.moved)
        printf(", " COUNT " more for " COUNT " row%s that came before", done.moved, done.rows,
               PLURAL(done.rows));
    printf("; " COUNT " report%s folded, " COUNT " row%s of daily sums put together; " COUNT
           " profile%s judged in another way than before",
           done.reports, PLURAL(done.reports), done.compacted, PLURAL(done.compacted), done.profiles,
           PLURAL(done.profiles));
    if (done.bytes > 0)
        printf("; %.1f MB given back to the disk", done.bytes / 1000000);
    putchar('\n');
    return TRUE;
}

static void print_amount(const char *what, const char *before, const struct upkeep_pruned *amount)
{
    printf("%s before %s: " COUNT " month%s with " COUNT " report%s and " COUNT " record%s, " COUNT
           " mail%s of the ledger, about %.1f MB\n",
           what, before, amount->months, PLURAL(amount->months), amount->reports, PLURAL(amount->reports),
           amount->records, PLURAL(amount->records), amount->mails, PLURAL(amount->mails),
           amount->bytes / 1000000);
    if (amount->evidence)
        printf("and " COUNT " piece%s of evidence that no record has any more\n", amount->evidence,
               PLURAL(amount->evidence));
}

/* FALSE without an error when the answer is no. */
static gboolean may_prune(const struct cli *cli, GError **error)
{
    char answer[16] = "";
    if (cli->options.yes)
        return TRUE;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            "nothing was taken away: nobody can be asked here\nhint: add --yes");
        return FALSE;
    }
    fputs("Take this away for good? [y/N] ", stdout);
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return TRUE;
    puts("Nothing was taken away.");
    return FALSE;
}

static gboolean prune(struct cli *cli, struct db *db, const char *before, GError **error)
{
    const struct options *options = &cli->options;
    struct upkeep_pruned amount;
    if (!upkeep_prune_plan(db, before, &amount, error))
        return FALSE;
    gboolean any = amount.months || amount.mails;
    if (any && (options->dry_run || !options->yes))
        print_amount("would go,", before, &amount);
    else if (!any && !options->quiet)
        printf("nothing that is stored lies before %s\n", before);
    if (options->dry_run)
        return TRUE;
    if (any && !may_prune(cli, error))
        return !*error;
    progress_begin(!options->quiet, "mails looked at");
    gboolean ok = upkeep_prune(db, before, progress_update, &amount, error);
    progress_hide();
    if (ok && any && !options->quiet)
        print_amount("gone,", before, &amount);
    return ok;
}

gboolean cmd_prune(struct cli *cli, GError **error)
{
    const struct options *options = &cli->options;
    char before[11];
    if (!options->keep == !options->before) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            "say how much to keep\nhint: --keep 2y, or --before DAY");
        return FALSE;
    }
    if (!period_cut(options->keep, options->before, cli->now, before, error))
        return FALSE;
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && prune(cli, db, before, error);
    db_close(db);
    return ok;
}
