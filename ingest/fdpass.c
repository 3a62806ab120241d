#include "ingest/fdpass.h"

#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* Space for one descriptor, aligned as the kernel wants it. */
union control {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

gssize fdpass_send(int socket, int fd, const void *data, gsize n, GError **error)
{
    union control control = {{0}};
    struct iovec bytes = {.iov_base = (void *)(guintptr)data, .iov_len = n};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (sent < 0)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not hand over a file: %s", g_strerror(errno));
    return sent;
}

gssize fdpass_receive(int socket, void *buf, gsize n, int *fd_r, GError **error)
{
    union control control = {{0}};
    struct iovec bytes = {.iov_base = buf, .iov_len = n};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t got;
    *fd_r = -1;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not read from a socket: %s", g_strerror(errno));
        return -1;
    }
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(fd_r, CMSG_DATA(rights), sizeof *fd_r);
    return got;
}

int fdpass_reopen(int fd, GError **error)
{
    g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", fd);
    int own = open(name, O_RDONLY | O_CLOEXEC);
    if (own < 0)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not open %s again: %s", name, g_strerror(errno));
    return own;
}
