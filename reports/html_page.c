#include "reports/html_page.h"

#include "reports/html_text.h"
#include "reports/text.h"

#include <string.h>

const char *const html_classes[HTML_CLASSES] = {"authorised", "misconfigured", "forwarded", "unknown"};

/* Classes differ by pattern as well as by colour. One document, so one definition. */
static const char patterns[] =
    "<svg class=\"patterns\" aria-hidden=\"true\" focusable=\"false\" width=\"0\" height=\"0\"><defs>\n"
    "<pattern id=\"p-authorised\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"c-authorised\" width=\"8\" height=\"8\"/></pattern>\n"
    "<pattern id=\"p-misconfigured\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"c-misconfigured\" width=\"6\" height=\"6\"/>"
    "<rect class=\"hatch\" y=\"4.6\" width=\"6\" height=\"1.4\"/></pattern>\n"
    "<pattern id=\"p-forwarded\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
    "<rect class=\"c-forwarded\" width=\"6\" height=\"6\"/>"
    "<circle class=\"hatch\" cx=\"3\" cy=\"3\" r=\"1\"/></pattern>\n"
    "<pattern id=\"p-unknown\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><rect class=\"c-unknown\" width=\"7\" height=\"7\"/>"
    "<rect class=\"hatch\" width=\"1.6\" height=\"7\"/></pattern>\n"
    "</defs></svg>\n";

/* What the style element holds begins with this line feed, which its hash is about, too. */
#define STYLE_BEGIN "\n"

static char *style_hash(void)
{
    guint8 digest[32];
    gsize length = sizeof digest;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *)STYLE_BEGIN, strlen(STYLE_BEGIN));
    g_checksum_update(sum, (const guchar *)html_style, (gssize)strlen(html_style));
    g_checksum_get_digest(sum, digest, &length);
    g_checksum_free(sum);
    return g_base64_encode(digest, length);
}

void html_page_begin(FILE *out, const char *title, gboolean home)
{
    g_autofree char *hash = style_hash();
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n", out);
    fprintf(out,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; "
            "style-src &#39;sha256-%s&#39;; img-src &#39;none&#39;; base-uri &#39;none&#39;; "
            "form-action &#39;none&#39;\"/>\n",
            hash);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
          "<meta name=\"robots\" content=\"noindex\"/>\n<title>",
          out);
    html_text(out, title);
    fprintf(out, "</title>\n<style>%s%s</style>\n</head>\n<body>\n", STYLE_BEGIN, html_style);
    fputs("<a class=\"skip\" href=\"#main\">Skip to the content</a>\n", out);
    fputs(patterns, out);
    fputs("<header class=\"top\"><span class=\"brand\">whosends</span>", out);
    if (home)
        fputs("<nav aria-label=\"Pages\"><a href=\"index.html\">All domains</a></nav>", out);
    fputs("</header>\n<main id=\"main\" tabindex=\"-1\">\n", out);
}

void html_page_end(FILE *out, const struct html_request *request, const char *source)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(request->now);
    g_autofree char *machine = now ? g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
    g_autofree char *when = now ? g_date_time_format(now, "%Y-%m-%d %H:%M UTC") : g_strdup("");
    fprintf(out,
            "</main>\n<footer>\n<p>Made <time datetime=\"%s\">%s</time> by whosends %s from %s. Days are UTC "
            "days on which the period of a report begins.%s</p>\n</footer>\n</body>\n</html>\n",
            machine, when, WHOSENDS_VERSION, source,
            request->trusted ? " Reports that nobody vouches for are left out." : "");
}

char *html_period(const struct html_request *request)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(request->now);
    g_autofree char *last = now ? g_date_time_format(now, "%Y-%m-%d") : g_strdup("");
    GDate day;
    if (request->until && strlen(request->until) == 10) {
        guint year = (guint)g_ascii_strtoull(request->until, NULL, 10);
        guint month = (guint)g_ascii_strtoull(request->until + 5, NULL, 10);
        guint date = (guint)g_ascii_strtoull(request->until + 8, NULL, 10);
        g_date_set_dmy(&day, (GDateDay)date, (GDateMonth)month, (GDateYear)year);
        g_date_subtract_days(&day, 1);
        g_free(last);
        last = g_strdup_printf("%04u-%02u-%02u", g_date_get_year(&day), g_date_get_month(&day),
                               g_date_get_day(&day));
    }
    if (!request->since)
        return g_strdup_printf("up to %s", last);
    return g_strdup_printf("%s to %s", request->since, last);
}

const char *html_value(const struct db_result *result, guint row, const char *column)
{
    for (guint i = 0; i < db_columns(result); i++)
        if (strcmp(db_column_name(result, i), column) == 0)
            return db_value(result, row, i);
    return NULL;
}

void html_swatch(FILE *out, const char *class)
{
    for (guint i = 0; i < HTML_CLASSES; i++)
        if (g_strcmp0(class, html_classes[i]) == 0)
            fprintf(out,
                    "<svg class=\"swatch\" aria-hidden=\"true\" width=\"12\" height=\"12\">"
                    "<rect fill=\"url(#p-%s)\" width=\"12\" height=\"12\"/></svg>",
                    class);
}

/* The value of a class. Lent by the result. */
static const char *class_value(const struct db_result *result, guint row, const char *prefix, guint class)
{
    g_autofree char *column = g_strconcat(prefix, html_classes[class], NULL);
    return html_value(result, row, column);
}

/* Of each class, and what they come to. */
static double amounts_of(const struct db_result *result, guint row, const char *prefix, double *amounts)
{
    double all = 0;
    for (guint i = 0; i < HTML_CLASSES; i++)
        all += amounts[i] = text_amount(class_value(result, row, prefix, i));
    return all;
}

void html_mix(FILE *out, const struct db_result *result, guint row, guint height)
{
    double amounts[HTML_CLASSES], all = amounts_of(result, row, "", amounts), at = 0;
    fprintf(out, "<svg class=\"mix\" aria-hidden=\"true\" width=\"100%%\" height=\"%u\">", height);
    for (guint i = 0; i < HTML_CLASSES; i++) {
        double width = all > 0 ? amounts[i] / all * 100 : 0;
        if (width <= 0)
            continue;
        fputs("<rect x=\"", out);
        html_coordinate(out, at);
        fputs("%\" width=\"", out);
        html_coordinate(out, MAX(width, 0.1));
        fprintf(out, "%%\" height=\"%u\" fill=\"url(#p-%s)\"/>", height, html_classes[i]);
        at += width;
    }
    fputs("</svg>", out);
}

void html_key(FILE *out, const struct db_result *result, guint row, const char *prefix)
{
    double amounts[HTML_CLASSES], all = amounts_of(result, row, prefix, amounts);
    fputs("<ul class=\"key\">\n", out);
    for (guint i = 0; i < HTML_CLASSES; i++) {
        char share[G_ASCII_DTOSTR_BUF_SIZE];
        const char *value = class_value(result, row, prefix, i);
        g_autofree char *number = html_number(value ? value : "0");
        double part = all > 0 ? amounts[i] / all : 0;
        part = amounts[i] > 0 ? MAX(part, 1e-6) : part;
        part = amounts[i] < all ? MIN(part, 1 - 1e-6) : part;
        g_ascii_formatd(share, sizeof share, "%.6f", part);
        g_autofree char *percent = html_share(share);
        fputs("<li>", out);
        html_swatch(out, html_classes[i]);
        fprintf(out, "<span class=\"name\">%s</span> <span class=\"figure\">%s</span> <span>",
                html_classes[i], number);
        html_text(out, percent);
        fputs("</span></li>\n", out);
    }
    fputs("</ul>\n", out);
}
