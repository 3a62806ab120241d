#include "cli/log.h"

#include "cli/progress.h"
#include "cli/terminal.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

struct level {
    const char *name, *color;
    int priority; /* of syslog(3) */
};

static const struct level level_error = {"error", "\033[1;31m", LOG_ERR};
static const struct level level_warning = {"warning", "\033[1;33m", LOG_WARNING};
static const struct level level_note = {"note", "\033[1;36m", LOG_INFO};
static const struct level level_debug = {"debug", "\033[2m", LOG_DEBUG};
static const struct level level_detail = {"detail", "\033[1m", LOG_INFO};
static const struct level level_hint = {"hint", "\033[1;36m", LOG_INFO};

static gboolean debugging;

/* systemd.exec(5), JOURNAL_STREAM: whether standard error is the journal's, which takes "<N>" at the
 * beginning of a line for its priority. */
static gboolean to_journal(void)
{
    struct stat seen;
    const char *journal = g_getenv("JOURNAL_STREAM");
    if (!journal || fstat(STDERR_FILENO, &seen) != 0)
        return FALSE;
    g_autofree char *own = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)seen.st_dev,
                                           (guint64)seen.st_ino);
    return strcmp(own, journal) == 0;
}

static void say_line(const struct level *level, const char *line, gboolean color)
{
    g_autofree char *safe = render_safe(line);
    g_autofree char *priority = to_journal() ? g_strdup_printf("<%d>", level->priority) : g_strdup("");
    fprintf(stderr, "%swhosends: %s%s:%s %s\n", priority, color ? level->color : "", level->name,
            color ? "\033[0m" : "", safe);
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
