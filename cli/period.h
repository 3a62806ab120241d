/* The period of a report, from what people say to what the database asks for: whole UTC days. */
#pragma once

#include <glib.h>

/* ISO days; "" is open. `until` is exclusive: the first day that is not meant. */
struct period {
    char since[11], until[11];
};

/* `last` is a number and a unit (d w m y), `since` and `until` are ISO days, `until` inclusive; all may be
 * NULL. `last` counts back from `until` when that is given, else from today (`now`, seconds): today and so
 * many days before. FALSE with WS_ERROR_USAGE for what is no day, for `last` beside `since`, and for a period
 * that ends before it begins. */
gboolean period_parse(const char *last, const char *since, const char *until, gint64 now,
                      struct period *period_r, GError **error);

/* The day up to which "whosends prune" takes away: the first of the month in which `before` lies, or in which
 * the day lies that is `keep` (as `last`) before today; one of the two is given. FALSE with WS_ERROR_USAGE
 * for what is no day or lies in the future. */
gboolean period_cut(const char *keep, const char *before, gint64 now, char day_r[11], GError **error);
