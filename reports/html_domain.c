#include "reports/html_domain.h"

#include "reports/html_chart.h"
#include "reports/html_page.h"
#include "reports/html_table.h"
#include "reports/html_text.h"
#include "reports/text.h"

#include <string.h>

#define ASKED "($1::text, $2::date, $3::date, $4::boolean)"
/* Rows of a table of which there may be any number; `all_rows` tells how many there are. */
#define MOST_ROWS "100"
#define ROWS_OF(function, order)                                                                             \
    "SELECT *, count(*) OVER () AS all_rows FROM " function ASKED " ORDER BY " order " LIMIT " MOST_ROWS

/* The days as points of a chart, two hundred at most: days, weeks or more together. One without a report has
 * NULLs. */
static const char points_sql[] =
    "WITH t AS MATERIALIZED (SELECT * FROM dmarc.timeline" ASKED "), span AS ("
    " SELECT min(day) AS first, max(day) - min(day) AS days,"
    " CASE WHEN max(day) - min(day) < 200 THEN 1 WHEN max(day) - min(day) < 1400 THEN 7"
    " ELSE 28 * ((max(day) - min(day)) / 5600 + 1) END AS step FROM t"
    "), sums AS (SELECT (t.day - s.first) / s.step AS n, sum(t.messages) AS messages, sum(t.passed) AS "
    "passed,"
    " sum(t.authorised) AS authorised, sum(t.misconfigured) AS misconfigured, sum(t.forwarded) AS forwarded,"
    " sum(t.unknown) AS unknown, sum(t.reports) AS reports FROM t CROSS JOIN span s GROUP BY 1"
    ") SELECT s.first + g.n * s.step AS day, s.step, u.messages,"
    " round(u.passed / nullif(u.messages, 0), 6) AS pass_share, u.authorised, u.misconfigured, u.forwarded,"
    " u.unknown, u.reports FROM span s CROSS JOIN LATERAL generate_series(0, s.days / s.step) g (n)"
    " LEFT JOIN sums u ON u.n = g.n ORDER BY g.n";

static const char policies_sql[] =
    "SELECT *, count(*) OVER () AS all_rows, first_seen - min(first_seen) OVER () AS from_day,"
    " last_seen - first_seen + 1 AS for_days, max(last_seen) OVER () - min(first_seen) OVER () + 1 AS days,"
    " 'DKIM ' || CASE adkim WHEN 's' THEN 'strict' ELSE 'relaxed' END || ', SPF ' ||"
    " CASE aspf WHEN 's' THEN 'strict' ELSE 'relaxed' END AS alignment,"
    " CASE testing WHEN 'y' THEN 'yes' WHEN 'n' THEN 'no' ELSE testing END AS in_test FROM "
    "dmarc.policies" ASKED " ORDER BY first_seen DESC LIMIT " MOST_ROWS;

/* The domain itself first, then its usual reporters. Missing days that follow one another are told together.
 */
static const char coverage_sql[] =
    "SELECT c.*, count(*) OVER () - 1 AS all_rows, (SELECT array_agg(s.first || CASE WHEN s.last > s.first"
    " THEN ' to ' || s.last ELSE '' END ORDER BY s.first) FROM (SELECT min(d.day) AS first, max(d.day) AS "
    "last"
    " FROM (SELECT u.day, u.day - (row_number() OVER (ORDER BY u.day))::int AS span"
    " FROM unnest(c.missing_days) u (day)) d GROUP BY d.span) s) AS days FROM dmarc.coverage" ASKED " c"
    " ORDER BY c.reporter IS NOT NULL, c.note IS NULL, c.messages_share DESC NULLS LAST, c.reporter"
    " LIMIT 1 + " MOST_ROWS;

struct page {
    struct db *db;
    FILE *out;
    const struct html_request *request;
    const char *domain;
};

static struct db_result *ask(const struct page *page, const char *name, const char *sql, GError **error)
{
    const char *values[] = {page->domain, page->request->since, page->request->until,
                            page->request->trusted ? "true" : "false"};
    return db_query(page->db, name, sql, G_N_ELEMENTS(values), values, error);
}

static void put_heading(const struct page *page, const char *id, const char *title)
{
    fprintf(page->out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id, title);
}

/* That a table of so many rows does not have all, and who has. */
static void put_rest(const struct page *page, const struct db_result *result, guint rows, const char *command)
{
    const char *all = db_rows(result) ? html_value(result, 0, "all_rows") : NULL;
    g_autofree char *number = html_number(all ? all : "0");
    if (!all || g_ascii_strtoull(all, NULL, 10) <= rows)
        return;
    fprintf(page->out, "<p class=\"note\">The first %u of %s rows; <code>whosends %s ", rows, number,
            command);
    html_text(page->out, page->domain);
    fputs("</code> has all.</p>\n", page->out);
}

/* A section that is a table. */
static void put_section(const struct page *page, const char *id, const char *title,
                        const struct html_table *table, const struct db_result *result, const char *command)
{
    put_heading(page, id, title);
    if (db_rows(result))
        html_table(page->out, table, result);
    else
        fputs("<p class=\"note\">None in this period.</p>\n", page->out);
    put_rest(page, result, db_rows(result), command);
    fputs("</section>\n", page->out);
}

/* ---- the head ---- */

static void put_fact(FILE *out, const char *value, const char *word)
{
    g_autofree char *number = html_number(value ? value : "0");
    fprintf(out, "<div><dt>%s</dt><dd>", word);
    html_text(out, number);
    fputs("</dd></div>\n", out);
}

static void put_head(const struct page *page)
{
    g_autofree char *period = html_period(page->request);
    fputs("<h1>", page->out);
    html_name(page->out, page->domain);
    fprintf(page->out,
            "</h1>\n<p class=\"under\">Who sends as this domain, and may they? Reports of %s.</p>\n", period);
}

static gboolean put_verdict(const struct page *page, GError **error)
{
    struct db_result *line =
        ask(page, "the verdict", "SELECT * FROM dmarc.verdict_line" ASKED " LIMIT 1", error);
    if (!line)
        return FALSE;
    const char *sentence = db_rows(line) ? html_value(line, 0, "sentence") : NULL;
    if (sentence) {
        gboolean ready = g_strcmp0(html_value(line, 0, "ready"), "t") == 0;
        fprintf(page->out, "<section class=\"verdict %s\" aria-labelledby=\"verdict\">\n",
                ready ? "ready" : "waiting");
        fputs("<h2 id=\"verdict\">Verdict</h2>\n<p class=\"sentence\">", page->out);
        html_sentence(page->out, sentence);
        fputs("</p>\n<dl class=\"facts\">\n", page->out);
        if (html_value(line, 0, "now")) {
            put_fact(page->out, html_value(line, 0, "now"), "policy now");
            put_fact(page->out, html_value(line, 0, "next"), "next step");
            put_fact(page->out, html_value(line, 0, "lost"), "lost of what may be sent");
            put_fact(page->out, html_value(line, 0, "stopped"), "stopped of others");
            put_fact(page->out, html_value(line, 0, "forwarded"), "forwarded do not pass");
        }
        put_fact(page->out, html_value(line, 0, "days"), "days of reports");
        fputs("</dl>\n</section>\n", page->out);
    }
    db_result_free(line);
    return TRUE;
}

/* ---- the sections ---- */

static gboolean put_advice(const struct page *page, GError **error)
{
    static const char sql[] = "SELECT sender, advice, sum(lost_reject) AS lost FROM dmarc.verdict" ASKED
                              " WHERE kind IN ('fix', 'keep') AND advice IS NOT NULL GROUP BY sender, advice"
                              " ORDER BY lost DESC, sum(messages) DESC, sender, advice LIMIT 20";
    struct db_result *advice = ask(page, "the advice", sql, error);
    if (!advice)
        return FALSE;
    if (db_rows(advice)) {
        put_heading(page, "advice", "What to do");
        fputs("<ol class=\"advice\">\n", page->out);
    }
    for (guint row = 0; row < db_rows(advice); row++) {
        g_autofree char *lost = html_number(html_value(advice, row, "lost"));
        fputs("<li><b>", page->out);
        html_name(page->out, html_value(advice, row, "sender"));
        fputs("</b>", page->out);
        if (strcmp(lost, "0") != 0)
            fprintf(page->out, " <span class=\"aside\">(%s message%s do%s not pass)</span>", lost,
                    strcmp(lost, "1") == 0 ? "" : "s", strcmp(lost, "1") == 0 ? "es" : "");
        fputs(": ", page->out);
        g_autoptr(GString) text = g_string_new(html_value(advice, row, "advice"));
        g_string_replace(text, " -> ", " \xe2\x86\x92 ", 0); /* which no line ends in the middle of */
        html_sentence(page->out, text->str);
        fputs("</li>\n", page->out);
    }
    if (db_rows(advice))
        fputs("</ol>\n</section>\n", page->out);
    db_result_free(advice);
    return TRUE;
}

static gboolean put_timeline(const struct page *page, const struct db_result *summary, GError **error)
{
    static const struct html_column columns[] = {{"day", "day", HTML_DAY},
                                                 {"messages", "messages", HTML_NUMBER},
                                                 {"pass_share", "passed", HTML_SHARE},
                                                 {"authorised", "authorised", HTML_NUMBER},
                                                 {"misconfigured", "misconfigured", HTML_NUMBER},
                                                 {"forwarded", "forwarded", HTML_NUMBER},
                                                 {"unknown", "unknown", HTML_NUMBER},
                                                 {"reports", "reports", HTML_NUMBER},
                                                 {NULL, NULL, HTML_WORD}};
    struct db_result *points = ask(page, "the timeline", points_sql, error);
    if (!points)
        return FALSE;
    const char *step = db_rows(points) ? html_value(points, 0, "step") : NULL;
    gboolean days = g_strcmp0(step, "1") == 0;
    g_autofree char *caption =
        days ? g_strdup("Messages and reports of each day; a dash is a day without a report")
             : g_strdup_printf("Messages and reports of %s days from each day on", step ? step : "");
    const struct html_table table = {"days", caption, columns, TRUE};
    put_heading(page, "time", "Classes over time");
    html_key(page->out, summary, 0, "");
    if (text_amount(html_value(summary, 0, "messages")) > 0) {
        fputs("<div class=\"figure\">\n", page->out);
        html_chart_classes(page->out, points);
        fputs("</div>\n", page->out);
    } else {
        fputs("<p class=\"note\">The reports of this period tell of no message.</p>\n", page->out);
    }
    if (db_rows(points) == 1)
        fprintf(page->out, "<p class=\"note\">All reports of this period are of %s.</p>\n",
                html_value(points, 0, "day"));
    if (step && !days)
        fprintf(page->out, "<p class=\"note\">Each step is %s days; the last may not be over.</p>\n", step);
    fputs("<details>\n<summary>The same as a table</summary>\n", page->out);
    html_table(page->out, &table, points);
    fputs("</details>\n</section>\n", page->out);
    db_result_free(points);
    return TRUE;
}

static gboolean put_senders(const struct page *page, GError **error)
{
    static const struct html_column columns[] = {{"sender", "sender", HTML_NAME},
                                                 {"class", "class", HTML_CLASS},
                                                 {"messages", "messages", HTML_NUMBER},
                                                 {"share", "share", HTML_BAR},
                                                 {"dkim_aligned", "DKIM aligned", HTML_NUMBER},
                                                 {"spf_aligned", "SPF aligned", HTML_NUMBER},
                                                 {"sources", "addresses", HTML_NUMBER},
                                                 {"last_seen", "last seen", HTML_DAY},
                                                 {"evidence", "evidence", HTML_NAME},
                                                 {NULL, NULL, HTML_WORD}};
    static const struct html_table table = {"senders", "Who sends as the domain, and how that is known",
                                            columns, FALSE};
    struct db_result *senders =
        ask(page, "the senders", ROWS_OF("dmarc.senders", "messages DESC, sender, class"), error);
    if (!senders)
        return FALSE;
    put_section(page, "who", "Senders", &table, senders, "senders");
    db_result_free(senders);
    return TRUE;
}

static gboolean put_networks(const struct page *page, GError **error)
{
    static const struct html_column columns[] = {{"network", "network", HTML_WORD},
                                                 {"sender", "sender", HTML_NAME},
                                                 {"class", "class", HTML_CLASS},
                                                 {"messages", "messages", HTML_NUMBER},
                                                 {"share", "share", HTML_BAR},
                                                 {"sources", "addresses", HTML_NUMBER},
                                                 {"dkim_aligned", "DKIM aligned", HTML_NUMBER},
                                                 {"spf_aligned", "SPF aligned", HTML_NUMBER},
                                                 {"last_seen", "last seen", HTML_DAY},
                                                 {NULL, NULL, HTML_WORD}};
    static const struct html_table table = {"networks", "Where the mail came from, by network", columns,
                                            FALSE};
    struct db_result *networks =
        ask(page, "the networks", ROWS_OF("dmarc.networks", "messages DESC, network, sender, class"), error);
    if (!networks)
        return FALSE;
    put_section(page, "where", "Sources by network", &table, networks, "sources --by net");
    db_result_free(networks);
    return TRUE;
}

static gboolean put_reporters(const struct page *page, GError **error)
{
    static const struct html_column columns[] = {{"reporter", "reporter", HTML_NAME},
                                                 {"org_name", "calls itself", HTML_NAME},
                                                 {"reports", "reports", HTML_NUMBER},
                                                 {"messages", "messages", HTML_NUMBER},
                                                 {"disagree", "own verdict differs", HTML_NUMBER},
                                                 {"incomplete", "incomplete", HTML_NUMBER},
                                                 {"first_seen", "first day", HTML_DAY},
                                                 {"last_seen", "last day", HTML_DAY},
                                                 {NULL, NULL, HTML_WORD}};
    static const struct html_table table = {"reporters", "Who reports about the domain, and until when",
                                            columns, FALSE};
    struct db_result *reporters =
        ask(page, "the reporters", ROWS_OF("dmarc.reporters", "messages DESC, reporter"), error);
    if (!reporters)
        return FALSE;
    put_section(page, "reports", "Reporters", &table, reporters, "reporters");
    db_result_free(reporters);
    return TRUE;
}

/* What is missing of the reports about the domain, whoever sends them. */
static void put_gaps(FILE *out, const struct db_result *coverage)
{
    const char *week = html_value(coverage, 0, "usual_per_week"), *days = html_value(coverage, 0, "days");
    const char *note = html_value(coverage, 0, "note");
    g_autofree char *list = days ? text_list_joined(days, ", ") : NULL;
    fputs("<p>There are reports of ", out);
    html_text(out, week);
    fprintf(out, " day%s a week, the last of ", g_strcmp0(week, "1.0") == 0 ? "" : "s");
    html_text(out, html_value(coverage, 0, "last_seen"));
    fputs(note ? ": <b>" : ".", out);
    html_text(out, note ? note : "");
    fputs(note ? "</b>." : "", out);
    if (list) {
        fputs(" Days without any report: ", out);
        html_text(out, list);
        fputs(".", out);
    }
    fputs("</p>\n", out);
}

static gboolean put_coverage(const struct page *page, GError **error)
{
    static const struct html_column columns[] = {{"reporter", "reporter", HTML_NAME},
                                                 {"note", "what is missing", HTML_NAME},
                                                 {"messages_share", "share of messages", HTML_SHARE},
                                                 {"usual_per_week", "days a week", HTML_NUMBER},
                                                 {"last_seen", "last day", HTML_DAY},
                                                 {"days", "missing days", HTML_LIST},
                                                 {NULL, NULL, HTML_WORD}};
    static const struct html_table table = {
        "coverage", "Who usually reports, those of whom something is missing first", columns, FALSE};
    struct db_result *coverage = ask(page, "the coverage", coverage_sql, error);
    if (!coverage)
        return FALSE;
    put_heading(page, "missing", "What is missing");
    if (db_rows(coverage))
        put_gaps(page->out, coverage);
    if (db_rows(coverage) > 1) {
        html_table_begin(page->out, &table);
        for (guint row = 1; row < db_rows(coverage); row++)
            html_table_row(page->out, &table, coverage, row);
        html_table_end(page->out);
        put_rest(page, coverage, db_rows(coverage) - 1, "coverage");
    } else {
        fputs("<p class=\"note\">No reporter reports so often that it could be missed.</p>\n", page->out);
    }
    fputs("</section>\n", page->out);
    db_result_free(coverage);
    return TRUE;
}

static gboolean put_policies(const struct page *page, GError **error)
{
    static const struct html_column columns[] = {{"first_seen", "from", HTML_DAY},
                                                 {"last_seen", "to", HTML_DAY},
                                                 {"p", "p", HTML_WORD},
                                                 {"sp", "sp", HTML_WORD},
                                                 {"np", "np", HTML_WORD},
                                                 {"alignment", "alignment", HTML_NAME},
                                                 {"pct", "pct", HTML_NUMBER},
                                                 {"in_test", "testing", HTML_WORD},
                                                 {"reports", "reports", HTML_NUMBER},
                                                 {"messages", "messages", HTML_NUMBER},
                                                 {NULL, NULL, HTML_WORD}};
    static const struct html_table table = {"policies", "The policy as reporters saw it, the latest first",
                                            columns, FALSE};
    struct db_result *policies = ask(page, "the policies", policies_sql, error);
    if (!policies)
        return FALSE;
    put_heading(page, "policy", "Policy history");
    if (db_rows(policies)) {
        html_chart_policies(page->out, policies);
        html_table(page->out, &table, policies);
        put_rest(page, policies, db_rows(policies), "policy");
    } else {
        fputs("<p class=\"note\">No reporter told of one in this period.</p>\n", page->out);
    }
    fputs("</section>\n", page->out);
    db_result_free(policies);
    return TRUE;
}

static gboolean put_sections(const struct page *page, const struct db_result *summary, GError **error)
{
    return put_verdict(page, error) && put_advice(page, error) && put_timeline(page, summary, error) &&
           put_senders(page, error) && put_networks(page, error) && put_reporters(page, error) &&
           put_coverage(page, error) && put_policies(page, error);
}

static char *source_of(const struct db_result *summary)
{
    if (!db_rows(summary))
        return g_strdup("no reports");
    const char *reports = html_value(summary, 0, "reports"), *reporters = html_value(summary, 0, "reporters");
    g_autofree char *n = html_number(reports ? reports : "0");
    g_autofree char *m = html_number(reporters ? reporters : "0");
    return g_strdup_printf("%s report%s by %s reporter%s, %s to %s", n, strcmp(n, "1") == 0 ? "" : "s", m,
                           strcmp(m, "1") == 0 ? "" : "s", html_value(summary, 0, "first_seen"),
                           html_value(summary, 0, "last_seen"));
}

gboolean html_domain(struct db *db, const struct html_request *request, const char *domain, FILE *out,
                     GError **error)
{
    const struct page page = {db, out, request, domain};
    struct db_result *summary =
        ask(&page, "the summary", "SELECT * FROM dmarc.summary" ASKED " LIMIT 1", error);
    if (!summary)
        return FALSE;
    g_autofree char *source = source_of(summary);
    g_autofree char *title = g_strdup_printf("%s: who sends as it", domain);
    html_page_begin(out, title, TRUE);
    put_head(&page);
    gboolean ok = TRUE;
    if (db_rows(summary))
        ok = put_sections(&page, summary, error);
    else
        fputs("<p class=\"empty\">No reports about this domain in this period.</p>\n", out);
    html_page_end(out, request, source);
    db_result_free(summary);
    return ok;
}
