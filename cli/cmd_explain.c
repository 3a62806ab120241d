#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/naming.h"
#include "cli/terminal.h"
#include "parser/error.h"
#include "reports/catalog.h"
#include "reports/render.h"
#include "reports/text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPLAINED                                                                                            \
    "SELECT t.domain, t.day, t.report, t.ordinal, x.step, x.what, x.found, x.so FROM t CROSS JOIN LATERAL "  \
    "dmarc.explain(t.domain, t.day, t.report, t.ordinal) x ORDER BY t.domain, t.day, t.report, t.ordinal, "  \
    "x.step"

/* Of each report that the mail brought, ten at most, the record of that number, or the one with most
 * messages. */
static const char by_mail[] =
    "WITH reports AS (SELECT DISTINCT d.domain, d.day, d.report FROM dmarc.find_mail($1) f"
    " JOIN dmarc.document d ON d.mail_sha256 = f.mail_sha256 AND d.message = f.message"
    " WHERE d.kind = 'aggregate' AND d.report IS NOT NULL ORDER BY 1, 2, 3 LIMIT 10),"
    " t AS MATERIALIZED (SELECT DISTINCT ON (p.domain, p.day, p.report) r.domain, r.day, r.report, r.ordinal"
    " FROM reports p JOIN dmarc.record r ON r.domain = p.domain AND r.day = p.day AND r.report = p.report"
    " WHERE $2::int IS NULL OR r.ordinal = $2::int"
    " ORDER BY p.domain, p.day, p.report, r.message_count DESC, r.ordinal) " EXPLAINED;

/* Of the kind of record that most messages of the address are of, the latest. */
static const char by_address[] =
    "WITH t AS MATERIALIZED (SELECT r.domain, r.day, r.report, r.ordinal FROM"
    " (SELECT s.*, sum(s.message_count) OVER (PARTITION BY s.evidence) AS alike"
    " FROM dmarc.find_records($2::inet, NULL, $1) s) r"
    " ORDER BY r.alike DESC, r.day DESC, r.report DESC, r.ordinal LIMIT 1) " EXPLAINED;

enum { STEP = 4, WHAT, FOUND, SO };

/* Columns in front of what was found, behind number and name of each step. */
static guint indent_of(const struct db_result *steps)
{
    guint widest = 0;
    for (guint row = 0; row < db_rows(steps); row++)
        widest = MAX(widest, text_width(db_value(steps, row, WHAT)));
    return 4 + widest + 2;
}

/* For people: nothing is cut off, since all of it may be the reason. */
static void show_steps(const struct db_result *steps)
{
    guint width = terminal_width(STDOUT_FILENO), indent = indent_of(steps);
    terminal_locale();
    for (guint row = 0; row < db_rows(steps); row++) {
        g_autofree char *found = render_safe(db_value(steps, row, FOUND));
        g_autofree char *so = db_value(steps, row, SO) ? render_safe(db_value(steps, row, SO)) : NULL;
        if (row && db_int(steps, row, STEP) == 1)
            putchar('\n');
        printf("%2s  %-*s", db_value(steps, row, STEP), (int)indent - 4, db_value(steps, row, WHAT));
        text_paragraph(stdout, found, width, 0, indent);
        if (so)
            text_paragraph(stdout, so, width, indent + 2, indent + 2);
    }
}

static void show(const struct db_result *steps, const struct renderer *renderer)
{
    const struct render_style style = {.color = FALSE};
    guint n = db_columns(steps);
    g_autofree struct render_column *columns = g_new0(struct render_column, n);
    g_autofree const char **values = g_new0(const char *, n + 1);
    for (guint i = 0; i < n; i++) {
        columns[i].name = db_column_name(steps, i);
        columns[i].kind = report_column_kind(columns[i].name, db_column_type(steps, i));
    }
    gpointer state = renderer->begin(stdout, columns, n, &style);
    for (guint row = 0; row < db_rows(steps); row++) {
        for (guint i = 0; i < n; i++)
            values[i] = db_value(steps, row, i);
        renderer->row(state, values);
    }
    renderer->end(state, TRUE);
}

static gboolean take_number(const char *text, GError **error)
{
    if (!text || g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, NULL, NULL))
        return TRUE;
    g_autofree char *quoted = naming_quoted(text);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                "%s is neither the number of a record nor an address\nhint: see \"whosends help explain\"",
                quoted);
    return FALSE;
}

static gboolean explain(struct cli *cli, const char *sql, const char *of, const char *which,
                        enum report_format format, GError **error)
{
    const char *values[] = {of, which};
    struct db *db = database_ready(&cli->config, error);
    struct db_result *steps = db ? db_query(db, "explain", sql, 2, values, error) : NULL;
    gboolean ok = steps != NULL;
    if (ok && !db_rows(steps)) {
        g_autofree char *quoted = naming_quoted(of);
        g_autofree char *more = which ? naming_quoted(which) : NULL;
        g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "there is no record of %s%s%s", quoted, more ? ", " : "",
                    more ? more : "");
        ok = FALSE;
    }
    if (ok && format == FORMAT_TABLE)
        show_steps(steps);
    else if (ok)
        show(steps, format == FORMAT_CSV ? &render_csv : &render_json);
    db_result_free(steps);
    db_close(db);
    return ok;
}

gboolean cmd_explain(struct cli *cli, GError **error)
{
    const char *of = cli->arguments[0], *which = of ? cli->arguments[1] : NULL;
    enum report_format format;
    if (!of || !g_utf8_validate(of, -1, NULL)) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE,
                            of ? "the mail is not named in UTF-8"
                               : "no record is named\nhint: see \"whosends help explain\"");
        return FALSE;
    }
    if (!format_take(&cli->options, &format, error))
        return FALSE;
    if (!which || !g_hostname_is_ip_address(which))
        return take_number(which, error) && explain(cli, by_mail, of, which, format, error);
    g_autofree char *domain = naming_domain(of, error);
    return domain && explain(cli, by_address, domain, which, format, error);
}
