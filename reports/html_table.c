#include "reports/html_table.h"

#include "reports/html_page.h"
#include "reports/html_text.h"
#include "reports/text.h"

#include <string.h>

static gboolean is_figure(enum html_kind kind)
{
    return kind == HTML_NUMBER || kind == HTML_SHARE || kind == HTML_BAR;
}

static void put_bar(FILE *out, const char *share, const char *class)
{
    gboolean known = FALSE;
    for (guint i = 0; i < HTML_CLASSES; i++)
        known = known || g_strcmp0(class, html_classes[i]) == 0;
    g_autofree char *text = html_share(share);
    fputs("<div class=\"share\"><svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"8\"><rect "
          "width=\"",
          out);
    html_coordinate(out, MIN(MAX(text_amount(share) * 100, 0.5), 100));
    fprintf(out, "%%\" height=\"8\" fill=\"url(#p-%s)\"/></svg><span>", known ? class : "forwarded");
    html_text(out, text);
    fputs("</span></div>", out);
}

static void put_cell(FILE *out, const char *value, enum html_kind kind, const char *class)
{
    g_autofree char *made = NULL;
    if (!value || !*value) {
        fputs("\xe2\x80\x93", out);
        return;
    }
    switch (kind) {
    case HTML_NUMBER:
        html_text(out, made = html_number(value));
        break;
    case HTML_SHARE:
        html_text(out, made = html_share(value));
        break;
    case HTML_BAR:
        put_bar(out, value, class);
        break;
    case HTML_CLASS:
        html_swatch(out, value);
        html_text(out, value);
        break;
    case HTML_LIST:
        html_name(out, made = text_list_joined(value, ", "));
        break;
    case HTML_DAY:
    case HTML_WORD:
        html_text(out, value);
        break;
    case HTML_NAME:
        html_name(out, value);
        break;
    }
}

void html_table_begin(FILE *out, const struct html_table *table)
{
    fprintf(out,
            "<div class=\"scroll\" role=\"region\" aria-labelledby=\"%s-caption\" tabindex=\"0\">\n"
            "<table class=\"%s%s\">\n<caption><span id=\"%s-caption\">%s</span></caption>\n<thead><tr>",
            table->id, table->id, table->figures ? "" : " cards", table->id, table->caption);
    for (const struct html_column *column = table->columns; column->name; column++)
        fprintf(out, "<th scope=\"col\"%s>%s</th>", is_figure(column->kind) ? " class=\"n\"" : "",
                column->title);
    fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table_row(FILE *out, const struct html_table *table, const struct db_result *result, guint row)
{
    const char *class = html_value(result, row, "class");
    fputs("<tr>", out);
    for (const struct html_column *column = table->columns; column->name; column++) {
        gboolean first = column == table->columns;
        const char *style = column->kind == HTML_BAR                                 ? " class=\"n wide\""
                            : column->kind == HTML_CLASS                             ? " class=\"class\""
                            : is_figure(column->kind)                                ? " class=\"n\""
                            : column->kind == HTML_NAME || column->kind == HTML_LIST ? " class=\"text\""
                                                                                     : "";
        fprintf(out, first ? "<th scope=\"row\"%s" : "<td%s", style);
        if (!table->figures)
            fprintf(out, " data-label=\"%s\"", column->title);
        fputc('>', out);
        put_cell(out, html_value(result, row, column->name), column->kind, class);
        fputs(first ? "</th>" : "</td>", out);
    }
    fputs("</tr>\n", out);
}

void html_table_end(FILE *out)
{
    fputs("</tbody>\n</table>\n</div>\n", out);
}

void html_table(FILE *out, const struct html_table *table, const struct db_result *result)
{
    html_table_begin(out, table);
    for (guint row = 0; row < db_rows(result); row++)
        html_table_row(out, table, result, row);
    html_table_end(out);
}
