/* What all pages have in common: the frame, and the drawings that come again and again. */
#pragma once

#include "reports/html.h"

#include <stdio.h>

/* The four classes, in the order in which they are always shown. */
#define HTML_CLASSES 4
extern const char *const html_classes[HTML_CLASSES];

/* reports/page.css, made by db/embed.sh. No "<" and no "&" are in it. */
extern const char html_style[];

/* Up to the beginning of <main>. `home` adds the way back to the index. */
void html_page_begin(FILE *out, const char *title, gboolean home);
/* From the end of <main> on: when and how it was made. `source` is what it was made from, plain text. */
void html_page_end(FILE *out, const struct html_request *request, const char *source);

/* "2026-07-01 to 2026-07-31", as far as it is limited. Owned by the caller. */
char *html_period(const struct html_request *request);

/* A value by the name of its column; NULL when it is NULL or there is none. Lent by the result. */
const char *html_value(const struct db_result *result, guint row, const char *column);

/* The square that stands for a class; nothing when it is none. Only to be seen: the word stands beside it. */
void html_swatch(FILE *out, const char *class);
/* A bar, cut into the classes by the columns of these names; `height` in pixels. Only to be seen. */
void html_mix(FILE *out, const struct db_result *result, guint row, guint height);
/* The classes with their messages and shares, by the columns of these names, behind `prefix`. */
void html_key(FILE *out, const struct db_result *result, guint row, const char *prefix);
