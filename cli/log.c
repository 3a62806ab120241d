#include "cli/log.h"

#include "cli/progress.h"
#include "cli/terminal.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct level {
    const char *name, *color;
};

static const struct level level_error = {"error", "\033[1;31m"};
static const struct level level_warning = {"warning", "\033[1;33m"};
static const struct level level_note = {"note", "\033[1;36m"};
static const struct level level_debug = {"debug", "\033[2m"};
static const struct level level_detail = {"detail", "\033[1m"};
static const struct level level_hint = {"hint", "\033[1;36m"};

static gboolean debugging;

static void say_line(const struct level *level, const char *line, gboolean color)
{
    g_autofree char *safe = render_safe(line);
    fprintf(stderr, "whosends: %s%s:%s %s\n", color ? level->color : "", level->name, color ? "\033[0m" : "",
            safe);
}

static void say(const struct level *level, const char *message)
{
    gboolean color = terminal_color(STDERR_FILENO);
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    progress_hide();
    for (char **line = lines; *line; line++) {
        const char *text = g_strstrip(*line);
        const struct level *kind = line == lines ? level : &level_detail;
        if (line != lines && g_str_has_prefix(text, "hint: "))
            kind = &level_hint;
        if (line != lines && (kind == &level_hint || g_str_has_prefix(text, "detail: ")))
            text = strchr(text, ' ') + 1;
        if (*text || line == lines)
            say_line(kind, text, color);
    }
}

static GLogWriterOutput from_glib(GLogLevelFlags flags, const GLogField *fields, gsize n, gpointer data)
{
    (void)data;
    const struct level *level = flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)
                                    ? &level_warning
                                    : &level_debug;
    for (gsize i = 0; i < n; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0 && fields[i].length < 0 &&
            (level != &level_debug || debugging))
            say(level, fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

void log_open(gboolean debug)
{
    static gboolean opened;
    debugging = debug;
    if (!opened)
        g_log_set_writer_func(from_glib, NULL, NULL);
    opened = TRUE;
}

void log_error(const GError *error)
{
    say(&level_error, error->message);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    say(&level_warning, message);
}

void log_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    say(&level_note, message);
}

void log_debug(const char *format, ...)
{
    if (!debugging)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    say(&level_debug, message);
}
