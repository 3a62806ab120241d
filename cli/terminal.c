#include "cli/terminal.h"

#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

gboolean terminal_color(int fd)
{
    const char *refused = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
    return isatty(fd) && !(refused && *refused) && g_strcmp0(term, "dumb") != 0;
}

guint terminal_width(int fd)
{
    if (!isatty(fd))
        return 0;
    guint64 columns = 0;
    const char *wanted = g_getenv("COLUMNS");
    if (wanted && g_ascii_string_to_unsigned(wanted, 10, 20, 1000, &columns, NULL))
        return (guint)columns;
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return 80;
}

void terminal_locale(void)
{
    setlocale(LC_CTYPE, "");
    setlocale(LC_NUMERIC, "");
}
