#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/log.h"
#include "cli/naming.h"
#include "cli/period.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/stopping.h"
#include "ingest/source_database.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define COUNT G_GUINT64_FORMAT

/* What reading mails again came to. */
struct again {
    gboolean list;
    guint64 mails, changed, worse, problems; /* mails */
    guint64 same, other, fresh;              /* reports */
};

static void on_told(const struct reread_result *result, gpointer data)
{
    struct again *again = data;
    again->mails++;
    again->changed += result->end == REREAD_CHANGED;
    again->worse += result->end == REREAD_WORSE;
    again->problems += result->problem ? 1 : 0;
    again->same += result->same;
    again->other += result->changed;
    again->fresh += result->fresh;
    if (result->end == REREAD_WORSE)
        log_warning("mail %" G_GINT64_FORMAT
                    " is left as it was: not every report that is stored from it was "
                    "found in it again",
                    result->mail);
    if (!again->list || result->end != REREAD_CHANGED)
        return;
    progress_hide();
    printf("mail %" G_GINT64_FORMAT ": %s", result->mail, outcome_words[result->before]);
    if (result->after != result->before)
        printf(", now %s", outcome_words[result->after]);
    printf("; reports: %u as they were, %u changed, %u new\n", result->same, result->changed, result->fresh);
}

static gboolean read_again(struct cli *cli, struct db *db, const char *command,
                           const struct reread_choice *choice, struct again *again, GError **error)
{
    const struct reread reread = {command, cli->options.dry_run, on_told, again};
    struct reading reading;
    struct run_totals totals = {0};
    reading_init(&reading, cli);
    reading.writer.reread = &reread;
    reading.writer.batch_messages = 1;
    again->list = cli->options.dry_run || cli->options.verbose;
    struct source *source = source_open_database(db, choice, &cli->config.limits);
    progress_begin(!cli->options.quiet, "mails");
    gboolean ok = ingest_run(db, source, &reading.settings, &totals, error);
    progress_hide();
    if (!ok && stopping_signal())
        cli->status = 128 + stopping_signal();
    source_close(source);
    reading_clear(&reading);
    return ok;
}

static gboolean usage(GError **error, const char *message)
{
    g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, message);
    return FALSE;
}

/* Whom the summary is for: whoever asked, or a person that must do something. */
static void print_retry(const struct cli *cli, const struct again *again, guint64 lost)
{
    if (cli->options.quiet && !again->problems && !lost)
        return;
    guint64 solved = again->mails - again->problems;
    printf("%" COUNT " mail%s read again: %" COUNT " solved, %" COUNT " still %s\n", again->mails,
           PLURAL(again->mails), solved, again->problems, again->problems == 1 ? "a problem" : "problems");
    if (lost)
        printf("%" COUNT
               " mail%s cannot be read again: the originals are not kept, ingest them from where they are\n",
               lost, PLURAL(lost));
}

gboolean cmd_retry(struct cli *cli, GError **error)
{
    const struct options *options = &cli->options;
    const char *ref = cli->arguments[0];
    const struct reread_choice choice = {.ref = ref, .code = options->code, .problems = TRUE};
    struct again again = {.list = FALSE};
    guint64 mails = 0, lost = 0;
    if ((ref != NULL) + (options->code != NULL) + options->all != 1)
        return usage(error, "name what to read again\nhint: one of REF, --code CODE and --all");
    if ((ref && !g_utf8_validate(ref, -1, NULL)) ||
        (options->code && !g_utf8_validate(options->code, -1, NULL)))
        return usage(error, "the mail is not named in UTF-8");
    if (options->code && !naming_code(options->code, error))
        return FALSE;
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && source_database_count(db, &choice, &mails, &lost, error);
    if (ok && !mails && ref) {
        g_autofree char *safe = render_safe(ref);
        g_set_error(
            error, WS_ERROR, WS_ERROR_INPUT,
            "no mail with a problem is meant by '%s'\nhint: \"whosends problems --list\" has their numbers",
            safe);
        ok = FALSE;
    }
    ok = ok && read_again(cli, db, "retry", &choice, &again, error);
    if (ok)
        print_retry(cli, &again, lost);
    if (ok && (again.problems || lost))
        cli->status = EX_DATAERR;
    db_close(db);
    return ok;
}

gboolean cmd_reparse(struct cli *cli, GError **error)
{
    const struct options *options = &cli->options;
    struct reread_choice choice = {.ref = NULL};
    struct again again = {.list = FALSE};
    struct period period;
    g_autofree char *domain = NULL;
    if (!period_parse(NULL, options->since, NULL, cli->now, &period, error))
        return FALSE;
    if (options->domain && !(domain = naming_domain(options->domain, error)))
        return FALSE;
    choice.domain = domain;
    choice.since = *period.since ? period.since : NULL;
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && read_again(cli, db, "reparse", &choice, &again, error);
    if (ok && (!options->quiet || again.worse))
        printf("%" COUNT " mail%s read again: %" COUNT " %s; reports: %" COUNT " as they were, %" COUNT
               " changed, %" COUNT " new; %" COUNT " mail%s left as %s\n",
               again.mails, PLURAL(again.mails), again.changed, options->dry_run ? "would change" : "changed",
               again.same, again.other, again.fresh, again.worse, PLURAL(again.worse),
               again.worse == 1 ? "it was" : "they were");
    if (ok && again.worse)
        cli->status = EX_DATAERR;
    db_close(db);
    return ok;
}
