#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "cli/names.h"
#include "cli/progress.h"
#include "cli/stopping.h"
#include "parser/error.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define MOST 50000

static gboolean take_limit(const struct cli *cli, guint64 *most_r, GError **error)
{
    const char *limit = cli->options.limit;
    *most_r = MOST;
    if (!limit || g_ascii_string_to_unsigned(limit, 10, 1, G_MAXINT32, most_r, NULL))
        return TRUE;
    g_autofree char *safe = render_safe(limit);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot read --limit '%s': it takes a number of addresses",
                safe);
    return FALSE;
}

static void tell(struct cli *cli, const struct names_totals *totals, gboolean dns)
{
    if (totals->silent) {
        log_warning("no resolver answers: names are asked for again next time");
        cli->status = EX_TEMPFAIL;
    } else if (totals->late) {
        log_warning("the time was up before all names were asked for: the rest comes next time");
    }
    if (cli->options.quiet)
        return;
    if (dns)
        printf("%" G_GUINT64_FORMAT " addresses asked about: %" G_GUINT64_FORMAT
               " with a confirmed name, %" G_GUINT64_FORMAT " with one that is not, %" G_GUINT64_FORMAT
               " without, %" G_GUINT64_FORMAT " without an answer\n",
               totals->asked, totals->confirmed, totals->unconfirmed, totals->none, totals->failed);
    if (totals->cnames)
        printf("%" G_GUINT64_FORMAT " names of keys and return paths asked about: %" G_GUINT64_FORMAT
               " with a CNAME; mail of %" G_GUINT64_FORMAT " %s judged anew\n",
               totals->cnames, totals->pointing, totals->judged,
               totals->judged == 1 ? "domain was" : "domains was");
    if (cli->config.mmdb)
        printf("%" G_GUINT64_FORMAT " addresses looked up in mmdb files\n", totals->networks);
}

gboolean cmd_names(struct cli *cli, GError **error)
{
    gboolean dns = !cli->options.no_dns && strcmp(cli->config.dns, "yes") == 0;
    struct names_totals totals;
    struct db *db = NULL;
    guint64 most;
    if (!dns && !cli->config.mmdb) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_CONFIG,
                            "there is nobody to ask: no name servers, and no mmdb files\n"
                            "hint: key mmdb of group whosends names some");
        return FALSE;
    }
    progress_begin(!cli->options.quiet, "addresses");
    gboolean ok = take_limit(cli, &most, error) && (db = database_ready(&cli->config, error)) &&
                  names_look_up(db, &cli->config, dns, most, &totals, error);
    if (ok)
        tell(cli, &totals, dns);
    else if (stopping_signal())
        cli->status = 128 + stopping_signal();
    db_close(db);
    return ok;
}
