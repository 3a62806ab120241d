#include "cli/progress.h"

#include "cli/terminal.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_MICROSECONDS (G_USEC_PER_SEC / 8)

static gboolean shown, silent = TRUE;
static gint64 began, drawn;
static const char *noun = "";

void progress_begin(gboolean wanted, const char *things)
{
    noun = things;
    silent = !wanted || !isatty(STDERR_FILENO);
    began = g_get_monotonic_time();
    drawn = 0;
}

void progress_update(gint64 done, gint64 remaining, gpointer data)
{
    (void)data;
    gint64 now = g_get_monotonic_time();
    if (silent || (drawn && now - drawn < REDRAW_MICROSECONDS))
        return;
    drawn = now;
    double seconds = (double)(now - began) / G_USEC_PER_SEC;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%" G_GINT64_FORMAT " %s", done, noun);
    if (remaining >= 0)
        g_string_append_printf(line, ", %" G_GINT64_FORMAT " to come", remaining);
    if (seconds >= 1 && rate > 0)
        g_string_append_printf(line, ", %.0f a second", rate);
    if (seconds >= 1 && rate > 0 && remaining > 0) {
        gint64 left = (gint64)((double)remaining / rate);
        g_string_append_printf(line, ", %" G_GINT64_FORMAT ":%02d left", left / 60, (int)(left % 60));
    }
    guint width = terminal_width(STDERR_FILENO);
    if (line->len >= width)
        g_string_truncate(line, width - 1);
    fprintf(stderr, "\r\033[K%s", line->str);
    fflush(stderr);
    shown = TRUE;
}

void progress_hide(void)
{
    if (!shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    shown = FALSE;
}
