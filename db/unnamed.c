#include "db/unnamed.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

int unnamed_open(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    g_autofree char *name = g_build_filename(directory, "whosends-XXXXXX", NULL);
    fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(name);
    return fd;
}
