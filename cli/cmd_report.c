#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/log.h"
#include "cli/naming.h"
#include "cli/period.h"
#include "cli/terminal.h"
#include "parser/codes.h"
#include "parser/error.h"
#include "reports/catalog.h"
#include "reports/render.h"
#include "reports/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a request lends while it runs. */
struct asked {
    struct period period;
    char *domain;
    struct report_request request;
};

static gboolean take_domain(const struct cli *cli, struct asked *asked, GError **error)
{
    const char *argument = cli->arguments[0], *option = cli->options.domain;
    if (argument && option) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, "the domain is given twice");
        return FALSE;
    }
    const char *name = argument ? argument : option;
    if (!name)
        return TRUE;
    asked->domain = naming_domain(name, error);
    asked->request.domain = asked->domain;
    return asked->domain != NULL;
}

static gboolean take_limit(const struct options *options, gint64 *limit_r, GError **error)
{
    guint64 limit = 0;
    if (options->limit && !g_ascii_string_to_unsigned(options->limit, 10, 1, G_MAXINT32, &limit, NULL)) {
        g_autofree char *safe = render_safe(options->limit);
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot read --limit '%s': it takes a number of rows",
                    safe);
        return FALSE;
    }
    *limit_r = (gint64)limit;
    return TRUE;
}

static gboolean take_class(const struct options *options, struct report_request *request, GError **error)
{
    static const char *const classes[] = {"authorised", "misconfigured", "forwarded", "unknown", NULL};
    request->class = options->class;
    if (!options->class)
        return TRUE;
    g_autofree char *quoted = naming_quoted(options->class);
    if (!g_strv_contains(classes, options->class))
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                    "there is no class %s\nhint: authorised, misconfigured, forwarded or unknown", quoted);
    else if (!request->row->classed)
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, "that has no classes");
    else
        return TRUE;
    return FALSE;
}

static gboolean take_request(const struct cli *cli, struct asked *asked, GError **error)
{
    const struct options *options = &cli->options;
    struct report_request *request = &asked->request;
    if (options->by && strcmp(options->by, "net") != 0) {
        g_autofree char *safe = render_safe(options->by);
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot put sources together by '%s'\nhint: --by net",
                    safe);
        return FALSE;
    }
    request->row = report_find(cli->command->name, options->disagree    ? "disagree"
                                                   : options->untrusted ? "untrusted"
                                                   : options->list      ? "list"
                                                   : options->by        ? "net"
                                                   : options->line      ? "line"
                                                   : options->fresh     ? "new"
                                                   : options->samples   ? "samples"
                                                                        : NULL);
    request->trusted = options->trusted;
    request->sort = options->sort;
    request->color = !options->no_color && terminal_color(STDOUT_FILENO);
    request->width = terminal_width(STDOUT_FILENO);
    terminal_locale();
    if (request->trusted && !request->row->trusting) {
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot use --trusted with %s: it leaves nothing out",
                    cli->command->name);
        return FALSE;
    }
    if (!format_take(options, &request->format, error) || !take_limit(options, &request->limit, error) ||
        !take_domain(cli, asked, error) || !take_class(options, request, error) ||
        !period_parse(options->last, options->since, options->until, cli->now, &asked->period, error))
        return FALSE;
    if (options->fresh && !*asked->period.since) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            "it is not said since when a sender is new\nhint: --last 30d, or --since");
        return FALSE;
    }
    request->since = *asked->period.since ? asked->period.since : NULL;
    request->until = *asked->period.until ? asked->period.until : NULL;
    return TRUE;
}

/* From now on only the group is seen, when there is one; a domain outside of it has nothing to show. */
static gboolean take_group(struct db *db, const char *group, const char *domain, GError **error)
{
    if (!group)
        return TRUE;
    if (!naming_use_group(db, group, error))
        return FALSE;
    struct db_result *in =
        domain ? db_query(db, "looking into a group", "SELECT $1 = ANY (dmarc.visible())", 1, &domain, error)
               : NULL;
    if (domain && !in)
        return FALSE;
    if (in && g_strcmp0(db_value(in, 0, 0), "t") != 0)
        log_warning("%s is not in group %s", domain, group);
    db_result_free(in);
    return TRUE;
}

gboolean cmd_report(struct cli *cli, GError **error)
{
    struct asked asked = {.domain = NULL};
    struct db *db = NULL;
    gboolean ok = take_request(cli, &asked, error) && (db = database_ready(&cli->config, error)) &&
                  take_group(db, cli->options.group, asked.domain, error) &&
                  report_run(db, &asked.request, stdout, error);
    db_close(db);
    g_free(asked.domain);
    return ok;
}

/* The sentences, below a table, and whether all domains are ready. */
static gboolean conclude(struct db *db, const struct report_request *request, gboolean of_group,
                         gboolean *ready_r, GError **error)
{
    gboolean shown = request->format == FORMAT_TABLE && !request->row->option;
    const char *values[] = {request->domain, request->since, request->until, request->trusted ? "t" : "f",
                            of_group ? "t" : "f"};
    /* Of a group, nothing may be known of some. */
    struct db_result *lines =
        db_query(db, "verdict",
                 "WITH line AS (SELECT * FROM dmarc.verdict_line($1, $2::date, $3::date, $4::boolean))"
                 " SELECT v.sentence, v.ready FROM line v"
                 " UNION ALL SELECT d || ': no reports.', false"
                 " FROM unnest(CASE WHEN $5::boolean THEN dmarc.visible() END) d"
                 " WHERE d NOT IN (SELECT v.domain FROM line v) ORDER BY 1",
                 5, values, error);
    if (!lines)
        return FALSE;
    *ready_r = db_rows(lines) > 0;
    for (guint i = 0; i < db_rows(lines); i++) {
        g_autofree char *safe = render_safe(db_value(lines, i, 0));
        *ready_r = *ready_r && strcmp(db_value(lines, i, 1), "t") == 0;
        if (shown && i == 0)
            putchar('\n');
        if (shown)
            text_paragraph(stdout, safe, request->width, 0, 0);
    }
    db_result_free(lines);
    return TRUE;
}

gboolean cmd_verdict(struct cli *cli, GError **error)
{
    struct asked asked = {.domain = NULL};
    struct db *db = NULL;
    gboolean ready = FALSE;
    gboolean ok = take_request(cli, &asked, error) && (db = database_ready(&cli->config, error)) &&
                  take_group(db, cli->options.group, asked.domain, error) &&
                  report_run(db, &asked.request, stdout, error) &&
                  conclude(db, &asked.request, cli->options.group && !asked.domain, &ready, error);
    if (ok)
        cli->status = ready ? 0 : 1;
    db_close(db);
    g_free(asked.domain);
    return ok;
}

gboolean report_of_group(struct cli *cli, const char *group, GError **error)
{
    struct asked asked = {.domain = NULL};
    struct db *db = NULL;
    struct cli plain = *cli;
    char *none[] = {NULL};
    plain.arguments = none;
    asked.request.code = group;
    gboolean ok = take_request(&plain, &asked, error) && (db = database_ready(&cli->config, error)) &&
                  (!group || naming_known_group(db, group, error)) &&
                  report_run(db, &asked.request, stdout, error);
    db_close(db);
    return ok;
}

/* What the codes of the problems mean, one line each, and what helps. */
static gboolean explain(struct db *db, const struct report_request *request, GError **error)
{
    const struct report_row *report = request->row;
    const char *values[] = {request->code};
    g_autofree char *sql =
        g_strdup_printf("SELECT DISTINCT code FROM %s(%s) WHERE code IS NOT NULL ORDER BY code",
                        report->function, report->coded ? "$1::text" : "");
    struct db_result *codes = db_query(db, "codes of problems", sql, report->coded ? 1 : 0, values, error);
    if (!codes)
        return FALSE;
    for (guint i = 0; i < db_rows(codes); i++) {
        const struct code_row *row = code_find(db_value(codes, i, 0));
        if (!row)
            continue;
        g_autofree char *meaning = g_strdup_printf("%s: %s", row->code, row->meaning);
        putchar('\n');
        text_paragraph(stdout, meaning, request->width, 0, 0);
        if (row->hint)
            text_paragraph(stdout, row->hint, request->width, 4, 4);
    }
    db_result_free(codes);
    return TRUE;
}

gboolean cmd_problems(struct cli *cli, GError **error)
{
    struct asked asked = {.domain = NULL};
    struct db *db = NULL;
    const char *code = cli->arguments[0];
    if (code && cli->options.untrusted) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            "--untrusted lists the reports of all codes\nhint: leave the code out");
        return FALSE;
    }
    if (code && !naming_code(code, error))
        return FALSE;
    /* The one argument is no domain here. */
    cli->options.list = cli->options.list || code;
    struct cli plain = *cli;
    char *none[] = {NULL};
    plain.arguments = none;
    asked.request.code = code;
    gboolean ok = take_request(&plain, &asked, error) && (db = database_ready(&cli->config, error)) &&
                  report_run(db, &asked.request, stdout, error) &&
                  (asked.request.format != FORMAT_TABLE || explain(db, &asked.request, error));
    db_close(db);
    g_free(asked.domain);
    return ok;
}
