#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/log.h"
#include "cli/naming.h"
#include "cli/period.h"
#include "cli/progress.h"
#include "parser/error.h"
#include "reports/html.h"
#include "reports/render.h"

#include <stdio.h>

#define DEFAULT_LAST "90d"

static void on_written(const char *domain, gint64 done, gint64 to_come, gint64 microseconds, gpointer data)
{
    log_debug("page of '%s': %.1f ms", domain, (double)microseconds / 1000);
    progress_update(done, to_come, data);
}

static gboolean take_period(const struct cli *cli, struct period *period, GError **error)
{
    const struct options *options = &cli->options;
    const char *last = options->last || options->since || options->until ? options->last : DEFAULT_LAST;
    return period_parse(last, options->since, options->until, cli->now, period, error);
}

/* A domain that is misspelt gets a page, too: that is told. One by one, since a distributed database looks up
 * nothing for each row of an array. */
static gboolean warn_of_unknown(struct db *db, char *const *domains, GError **error)
{
    static const char sql[] = "SELECT EXISTS (SELECT r.domain FROM dmarc.report r WHERE r.domain = $1)";
    gboolean ok = TRUE;
    for (guint i = 0; ok && domains[i]; i++) {
        const char *values[] = {domains[i]};
        struct db_result *known = db_query(db, "looking for a domain", sql, 1, values, error);
        ok = known != NULL;
        if (ok && *db_value(known, 0, 0) != 't')
            log_warning("there is no report about %s", domains[i]);
        db_result_free(known);
    }
    return ok;
}

static void print_summary(const char *directory, guint domains)
{
    g_autofree char *index = g_build_filename(directory, "index.html", NULL);
    g_autofree char *safe = render_safe(index);
    printf("%u domain%s: see %s\n", domains, PLURAL(domains), safe);
}

gboolean cmd_html(struct cli *cli, GError **error)
{
    struct period period;
    struct db *db = NULL;
    guint written = 0;
    gboolean ok = FALSE;
    if (!cli->options.output || !*cli->options.output) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            "no directory for the pages is given\nhint: whosends html -o DIR");
        return FALSE;
    }
    g_auto(GStrv) domains = naming_domains(cli->arguments, error);
    if (domains && take_period(cli, &period, error) && (db = database_ready(&cli->config, error)) &&
        (!cli->options.group || naming_use_group(db, cli->options.group, error))) {
        const struct html_request request = {
            .directory = cli->options.output,
            .domains = *domains ? (const char *const *)domains : NULL,
            .since = *period.since ? period.since : NULL,
            .until = *period.until ? period.until : NULL,
            .trusted = cli->options.trusted,
            .now = cli->now,
            .written = on_written,
        };
        progress_begin(TRUE, "pages");
        ok = warn_of_unknown(db, domains, error) && html_write(db, &request, &written, error);
        progress_hide();
    }
    if (ok)
        print_summary(cli->options.output, written);
    db_close(db);
    return ok;
}
