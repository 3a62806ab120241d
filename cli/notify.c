#include "cli/notify.h"

#include "reports/render.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *message)
{
    const char *name = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    gsize length = name ? strlen(name) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') /* an abstract socket */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(G_STRUCT_OFFSET(struct sockaddr_un, sun_path) + length);
    (void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(fd);
}

void notify_ready(void)
{
    tell("READY=1");
}

void notify_reloading(void)
{
    g_autofree char *message =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    tell(message);
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}

void notify_status(const char *status)
{
    g_autofree char *safe = render_safe(status);
    g_autofree char *message = g_strconcat("STATUS=", safe, NULL);
    tell(message);
}

guint64 notify_watchdog(void)
{
    const char *interval = g_getenv("WATCHDOG_USEC"), *process = g_getenv("WATCHDOG_PID");
    guint64 usec = 0, pid = 0;
    if (!interval || !g_ascii_string_to_unsigned(interval, 10, 1, G_MAXINT64, &usec, NULL))
        return 0;
    if (process && g_ascii_string_to_unsigned(process, 10, 1, G_MAXINT, &pid, NULL) &&
        pid != (guint64)getpid())
        return 0;
    return usec;
}

void notify_alive(void)
{
    tell("WATCHDOG=1");
}
