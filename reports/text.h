/* What the renderers share: values as PostgreSQL prints them, and how wide text is on a terminal. */
#pragma once

#include "reports/render.h"

/* A control, bidi, zero-width or other character that changes how what is around it looks. */
gboolean text_is_harmful(gunichar c);
/* Whether a terminal takes UTF-8, by the locale; another one may take bytes of it for control characters. */
gboolean text_shows_utf8(void);
/* Appends as render_safe does; the characters of `keep` (may be NULL) stay as they are. `ascii`: whether what
 * is no ASCII is escaped, too. */
void text_append_safe(GString *out, const char *text, const char *keep, gboolean ascii);

/* Columns on a terminal. */
guint text_width(const char *text);
/* As much of the text as `width` columns take, with an ellipsis when something is left out. Owned by the
 * caller. */
char *text_fit(const char *text, guint width);
/* The text in lines of `width` columns at most, parted at its spaces; 0: one line. A word that is longer has
 * a line of its own, or with `hard` as many as it takes. Never empty. Owned by the caller, with its elements.
 */
GPtrArray *text_lines(const char *text, guint width, gboolean hard);
/* Writes it in such lines with whole words, the first behind `first` spaces, the others behind `indent`, and
 * ends the last. */
void text_paragraph(FILE *out, const char *text, guint width, guint first, guint indent);

/* -12, 0.5: what JSON takes for a number, too. */
gboolean text_is_number(const char *value);
/* For drawings: 0 for NULL, what is no number and what is below it; 1e300 at most. */
double text_amount(const char *value);
/* With the separators of the locale; what is no number comes back as it is. Owned by the caller. */
char *text_group_number(const char *value);
/* 0.1234 as "12.3%" with the decimal point of the locale; what is above nothing and below a tenth of a
 * percent is "<0.1%", and what is not all is not "100.0%". Owned by the caller. */
char *text_percent(const char *value);
/* Bytes: 13409639 as "13.4 MB"; other text as it is. Owned by the caller. */
char *text_size(const char *value);
/* "2026-11-21 23:49:05.12+00" as "2026-11-21T23:49:05.12Z"; other text as it is. Owned by the caller. */
char *text_iso_time(const char *value);
/* {a,"b c",NULL} as its elements, of which some may be NULL. A literal that is no array of one dimension is
 * one element. Owned by the caller, with its elements. */
GPtrArray *text_list(const char *value);
/* The elements with ", " or another separator between them. Owned by the caller. */
char *text_list_joined(const char *value, const char *separator);
/* The numbers of a list as signs that are as high as the numbers are, the greatest in full; "." is none.
 * Where the locale has no such signs, the height is in how dark they are. Owned by the caller. */
char *text_trend(const char *value);
