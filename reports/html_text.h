/* Text and figures in a page. What a stranger wrote cannot become markup, cannot turn the direction of what
 * stands beside it, and hides nothing: control, bidi and zero-width characters are shown as render_safe shows
 * them. Pages are in English wherever they are made, so figures are grouped by commas in any locale. */
#pragma once

#include <glib.h>
#include <stdio.h>

/* As content or as an attribute's value in quotes. Well-formed in HTML and in XML. */
void html_text(FILE *out, const char *text);
/* A foreign name or what is told with such names, kept apart from the direction of the text around it; no
 * more than some lines of it. */
void html_name(FILE *out, const char *text);
/* The same of our own words with names in them: all of it, since half an advice is none. */
void html_sentence(FILE *out, const char *text);

/* What PostgreSQL prints as a number, 12345.5 as "12,345.5"; other text as it is. Owned by the caller. */
char *html_number(const char *value);
/* 0.1234 as "12.3%"; what is above nothing and below a tenth of a percent is "<0.1%", and what is not all is
 * not "100.0%". Owned by the caller; "" for NULL and for what is no number. */
char *html_share(const char *value);
/* 1234567 as "1.2M", for the scale of a chart. Owned by the caller. */
char *html_compact(double amount);
/* A coordinate with one digit behind the point, whatever the locale. */
void html_coordinate(FILE *out, double value);
/* "2026-10-07" as "7 Oct", for what is years long as "Oct 2026"; other text as it is. Owned by the caller. */
char *html_day(const char *day, gboolean years);
