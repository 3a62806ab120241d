#include "reports/html_index.h"

#include "reports/html_file.h"
#include "reports/html_page.h"
#include "reports/html_text.h"
#include "reports/text.h"

#include <string.h>

/* A browser lays out a long page at once, but what is contained and out of sight only when it comes near. */
#define ROWS_A_TABLE 500

/* $1 are the domains, or one NULL for all. What a person can mend comes first, then what a person may have to
 * look at. The totals are in each row, for the head. */
static const char index_sql[] =
    "WITH asked AS (SELECT DISTINCT name FROM unnest($1::text[]) u (name)), s AS MATERIALIZED ("
    " SELECT f.* FROM asked a CROSS JOIN LATERAL dmarc.summary(a.name, $2::date, $3::date, $4::boolean) f"
    "), v AS MATERIALIZED ("
    " SELECT f.* FROM asked a CROSS JOIN LATERAL dmarc.verdict_line(a.name, $2::date, $3::date, $4::boolean) "
    "f"
    "), named AS (SELECT name FROM asked WHERE name IS NOT NULL)"
    " SELECT coalesce(s.domain, named.name) AS name, s.messages, s.pass_share, s.authorised, s.misconfigured,"
    " s.forwarded, s.unknown, s.policy, s.last_seen, v.ready,"
    /* What the sentence begins with says it, and the domain stands beside it. */
    " split_part(ltrim(substr(v.sentence, length(v.domain) + 1), ': '), ': ', 1) AS verdict,"
    " sum(s.messages) OVER () AS all_messages, sum(s.reports) OVER () AS all_reports,"
    " sum(s.authorised) OVER () AS all_authorised, sum(s.misconfigured) OVER () AS all_misconfigured,"
    " sum(s.forwarded) OVER () AS all_forwarded, sum(s.unknown) OVER () AS all_unknown,"
    " count(*) OVER () AS all_domains, count(*) FILTER (WHERE s.misconfigured > 0) OVER () AS "
    "with_misconfigured,"
    " count(*) FILTER (WHERE v.ready) OVER () AS all_ready"
    " FROM s LEFT JOIN v ON v.domain = s.domain FULL JOIN named ON named.name = s.domain"
    " ORDER BY s.misconfigured DESC NULLS LAST, s.unknown DESC NULLS LAST, s.messages DESC NULLS LAST, name";

/* All the names as an array of PostgreSQL; what is in a name cannot end its quotes. Owned by the caller. */
static char *names_of(const char *const *domains)
{
    if (!domains)
        return g_strdup("{NULL}");
    GString *out = g_string_new("{");
    for (guint i = 0; domains[i]; i++) {
        g_string_append(out, i ? ",\"" : "\"");
        for (const char *c = domains[i]; *c; c++) {
            if (*c == '"' || *c == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, *c);
        }
        g_string_append_c(out, '"');
    }
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

static void put_number(FILE *out, const struct db_result *row, const char *column)
{
    const char *value = html_value(row, 0, column);
    g_autofree char *number = html_number(value ? value : "0");
    html_text(out, number);
}

/* The ways to the tables, where there is more than one. */
static void put_ways(FILE *out, const char *all)
{
    guint64 n = g_ascii_strtoull(all, NULL, 10);
    if (n <= ROWS_A_TABLE)
        return;
    fputs("<nav class=\"ways\" aria-label=\"Domains\">Domains from", out);
    for (guint64 first = 1; first <= n; first += ROWS_A_TABLE) {
        g_autofree char *plain = g_strdup_printf("%" G_GUINT64_FORMAT, first);
        g_autofree char *number = html_number(plain);
        fprintf(out, " <a href=\"#from-%s\">%s</a>", plain, number);
    }
    fputs("</nav>\n", out);
}

static void put_head(FILE *out, const struct html_request *request, const struct db_result *first)
{
    g_autofree char *period = html_period(request);
    fprintf(out, "<h1>Who sends as my domains, and may they?</h1>\n<p class=\"under\">Reports of %s.</p>\n",
            period);
    if (!first) {
        fputs("<p class=\"empty\">No reports in this period.</p>\n", out);
        return;
    }
    static const char *const facts[][2] = {{"all_domains", "domains"},
                                           {"all_messages", "messages"},
                                           {"with_misconfigured", "domains with misconfigured senders"},
                                           {"all_ready", "domains ready for the next step, or fine"}};
    fputs("<dl class=\"facts\">\n", out);
    for (guint i = 0; i < G_N_ELEMENTS(facts); i++) {
        fprintf(out, "<div><dt>%s</dt><dd>", facts[i][1]);
        put_number(out, first, facts[i][0]);
        fputs("</dd></div>\n", out);
    }
    fputs("</dl>\n", out);
    html_key(out, first, 0, "all_");
    fputs(
        "<p class=\"note\">Those with the most mail of misconfigured senders come first, then those with the "
        "most unknown mail.</p>\n",
        out);
    put_ways(out, html_value(first, 0, "all_domains"));
}

/* From row `first` on, of `all`. */
static void begin_table(FILE *out, guint first, const char *all)
{
    guint64 last = MIN(g_ascii_strtoull(all, NULL, 10), first + ROWS_A_TABLE - 1);
    fprintf(out,
            "<div id=\"from-%u\" class=\"scroll part%s\" role=\"region\" aria-labelledby=\"domains-%u\" "
            "tabindex=\"0\">\n<table class=\"index cards\">\n<caption><span id=\"domains-%u\">Domains %u to "
            "%" G_GUINT64_FORMAT "</span></caption>\n",
            first, first > 1 ? " later" : "", first, first, first, last);
    fputs("<thead><tr><th scope=\"col\">domain</th><th scope=\"col\">verdict</th>"
          "<th scope=\"col\" class=\"n\">messages</th><th scope=\"col\">classes</th>"
          "<th scope=\"col\" class=\"n\">passed</th><th scope=\"col\" class=\"n\">misconfigured</th>"
          "<th scope=\"col\" class=\"n\">unknown</th><th scope=\"col\">policy</th>"
          "<th scope=\"col\">last seen</th></tr></thead>\n<tbody>\n",
          out);
}

static void end_table(FILE *out)
{
    fputs("</tbody>\n</table>\n</div>\n", out);
}

/* A cell with its heading, which a phone shows beside it. */
static void begin_cell(FILE *out, const char *label, const char *class)
{
    fprintf(out, "<td class=\"%s\" data-label=\"%s\">", class, label);
}

static void put_text(FILE *out, const char *label, const char *class, const char *text)
{
    begin_cell(out, label, class);
    html_text(out, text ? text : "\xe2\x80\x93");
    fputs("</td>", out);
}

static void put_count(FILE *out, const char *label, const struct db_result *row, const char *column)
{
    begin_cell(out, label, "n");
    put_number(out, row, column);
    fputs("</td>", out);
}

static void put_row(FILE *out, const struct db_result *row)
{
    const char *domain = html_value(row, 0, "name"), *messages = html_value(row, 0, "messages");
    const char *verdict = html_value(row, 0, "verdict");
    gboolean ready = g_strcmp0(html_value(row, 0, "ready"), "t") == 0;
    g_autofree char *file = html_file_name(domain);
    g_autofree char *share = html_share(html_value(row, 0, "pass_share"));
    fprintf(out, "<tr><th scope=\"row\"><a href=\"%s\">", file);
    html_name(out, domain);
    fputs("</a></th>", out);
    put_text(out, "verdict", ready ? "text verdict ready" : "text verdict",
             messages ? verdict : "no reports in this period");
    put_count(out, "messages", row, "messages");
    begin_cell(out, "classes", "mix wide");
    if (text_amount(messages) > 0)
        html_mix(out, row, 0, 10);
    else
        fputs("\xe2\x80\x93", out);
    fputs("</td>", out);
    put_text(out, "passed", "n", *share ? share : NULL);
    put_count(out, "misconfigured", row, "misconfigured");
    put_count(out, "unknown", row, "unknown");
    put_text(out, "policy", "p", html_value(row, 0, "policy"));
    put_text(out, "last seen", "d", html_value(row, 0, "last_seen"));
    fputs("</tr>\n", out);
}

/* The rows one by one: of all that comes only the names stay. */
static gboolean put_rows(struct db *db, const struct html_request *request, FILE *out, GPtrArray *domains,
                         char **reports_r, GError **error)
{
    for (gboolean end = FALSE; !end;) {
        struct db_result *row = db_stream_next(db, &end, error);
        if (!row)
            return FALSE;
        if (!domains->len)
            put_head(out, request, end ? NULL : row);
        if (!end) {
            if (!*reports_r)
                *reports_r = g_strdup(html_value(row, 0, "all_reports"));
            if (domains->len % ROWS_A_TABLE == 0) {
                if (domains->len)
                    end_table(out);
                begin_table(out, domains->len + 1, html_value(row, 0, "all_domains"));
            }
            g_ptr_array_add(domains, g_strdup(html_value(row, 0, "name")));
            put_row(out, row);
        }
        db_result_free(row);
    }
    return TRUE;
}

gboolean html_index(struct db *db, const struct html_request *request, FILE *out, GPtrArray *domains,
                    GError **error)
{
    g_autofree char *names = names_of(request->domains), *reports = NULL;
    const char *values[] = {names, request->since, request->until, request->trusted ? "true" : "false"};
    html_page_begin(out, "Who sends as my domains", FALSE);
    if (!db_stream_begin(db, "the index", index_sql, G_N_ELEMENTS(values), values, error) ||
        !put_rows(db, request, out, domains, &reports, error))
        return FALSE;
    if (domains->len)
        end_table(out);
    g_autofree char *number = html_number(reports ? reports : "0");
    g_autofree char *source = g_strdup_printf("%s report%s", number, strcmp(number, "1") == 0 ? "" : "s");
    html_page_end(out, request, source);
    return TRUE;
}
