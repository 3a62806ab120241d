/* Drawings of a page, as SVG in it. They get as wide as the page, with text that keeps its size, and take
 * their colours from the style. Whoever cannot see them is told what they show, and the figures are in a
 * table beside each. */
#pragma once

#include "db/conn.h"

#include <stdio.h>

/* The classes over time, stacked. Rows are points in order, with the columns day, step (days from one to the
 * next) and one for each class. A single row is a bar. Nothing for none. */
void html_chart_classes(FILE *out, const struct db_result *points);

/* Which policy was published when: rows in order, with the columns p, from_day and for_days (in days, from
 * the first day of all), and days, the span of all. */
void html_chart_policies(FILE *out, const struct db_result *policies);
