#include "ingest/serve.h"

#include "ingest/orders.h"
#include "ingest/wire.h"
#include "parser/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE (64 * 1024)       /* read at once */
#define KEEP_ROOM (1024 * 1024) /* of the orders that wait */
#define FILES 16                /* descriptors of one message of the socket */
/* What was found is not kept longer than this: silence is taken for a mail that takes long. */
#define KEEP_US (G_USEC_PER_SEC / 20)

struct serving {
    int socket;
    const struct domain_list *suffixes;
    struct orders_settings settings;
    struct wire_writer *writer;
    GByteArray *in;
    gsize at;      /* up to here the orders are done */
    GArray *files; /* int: came, and not yet asked for */
    gint64 sent;   /* when what was found was last sent, monotonic microseconds */
};

static gboolean failed(GError **error, const char *what)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
    return FALSE;
}

static gboolean send_answer(gpointer data, const guint8 *bytes, gsize n, GError **error)
{
    const struct serving *serving = data;
    while (n) {
        ssize_t sent = send(serving->socket, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return failed(error, "could not send what was found in a mail");
        bytes += MAX(sent, 0);
        n -= (gsize)MAX(sent, 0);
    }
    return TRUE;
}

/* Keeps the descriptors that came with a message. */
static void keep_files(struct serving *serving, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        gsize n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (gsize i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            g_array_append_val(serving->files, fd);
        }
    }
}

/* Reads what has come. 0 at the end; -1 with errno. */
static ssize_t receive(struct serving *serving, int flags)
{
    union {
        char bytes[CMSG_SPACE(FILES * sizeof(int))];
        struct cmsghdr align;
    } control;
    guint before = serving->in->len;
    g_byte_array_set_size(serving->in, before + PIECE);
    struct iovec piece = {serving->in->data + before, PIECE};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do
        got = recvmsg(serving->socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    g_byte_array_set_size(serving->in, before + (guint)MAX(got, 0));
    if (got > 0)
        keep_files(serving, &message);
    return got;
}

/* Forgets the orders that are done. */
static void tidy(struct serving *serving)
{
    guint left = serving->in->len - (guint)serving->at;
    if (left == 0 && serving->at > KEEP_ROOM) {
        g_byte_array_unref(serving->in);
        serving->in = g_byte_array_new();
    } else if (serving->at) {
        g_byte_array_remove_range(serving->in, 0, (guint)serving->at);
    }
    serving->at = 0;
}

/* More orders. What was found is sent before it waits for them. FALSE at the end and with an error. */
static gboolean wait_for_orders(struct serving *serving, GError **error)
{
    tidy(serving);
    ssize_t got = receive(serving, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (!wire_writer_flush(serving->writer, error))
            return FALSE;
        got = receive(serving, 0);
    }
    if (got < 0)
        return failed(error, "could not read the orders");
    if (got == 0 && serving->in->len)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "the orders broke off");
    return got > 0;
}

/* NULL with an error. */
static struct blob *open_body(struct serving *serving, const struct orders_mail *order, GError **error)
{
    if (!order->in_file) {
        /* The bytes stay where they are until the next orders are read. */
        g_autoptr(GBytes) bytes = g_bytes_new_static(order->bytes, order->size);
        return blob_new_bytes(bytes);
    }
    if (!serving->files->len) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "the order for a mail came without its file");
        return NULL;
    }
    int fd = g_array_index(serving->files, int, 0);
    g_array_remove_index(serving->files, 0);
    struct blob *body = blob_new_fd(fd, order->offset, order->size, error);
    close(fd);
    return body;
}

static gboolean serve_mail(struct serving *serving, const struct orders_mail *order, GError **error)
{
    g_autoptr(GError) reason = NULL;
    struct mail mail = {.name = (char *)(guintptr)order->name, .may_be_bare = order->may_be_bare};
    mail.body = open_body(serving, order, error);
    if (!mail.body)
        return FALSE;
    if (!journey_tell(wire_writer_journal(serving->writer), &mail, &serving->settings.run, &reason))
        wire_writer_give_up(serving->writer, reason);
    blob_unref(mail.body);
    gint64 now = g_get_monotonic_time();
    if (now - serving->sent < KEEP_US)
        return TRUE;
    serving->sent = now;
    return wire_writer_flush(serving->writer, error);
}

static gboolean serve(struct serving *serving, GError **error)
{
    g_autoptr(GError) reason = NULL;
    gboolean ok = TRUE;
    while (ok) {
        struct orders_mail mail;
        gsize used;
        switch (orders_take(serving->in->data + serving->at, serving->in->len - serving->at, &used,
                            &serving->settings, serving->suffixes, &mail, &reason)) {
        case ORDERS_MORE:
            ok = wait_for_orders(serving, &reason);
            break;
        case ORDERS_SETTINGS:
            break;
        case ORDERS_MAIL:
            ok = serve_mail(serving, &mail, &reason);
            break;
        case ORDERS_BROKEN:
            ok = FALSE;
            break;
        }
        serving->at += used;
    }
    if (!reason)
        return wire_writer_flush(serving->writer, error);
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
}

gboolean serve_orders(int socket, const struct domain_list *suffixes, GError **error)
{
    struct serving serving = {.socket = socket,
                              .suffixes = suffixes,
                              .in = g_byte_array_new(),
                              .files = g_array_new(FALSE, FALSE, sizeof(int))};
    serving.writer = wire_writer_new(send_answer, &serving);
    gboolean ok = serve(&serving, error);
    for (guint i = 0; i < serving.files->len; i++)
        close(g_array_index(serving.files, int, i));
    g_array_unref(serving.files);
    g_byte_array_unref(serving.in);
    wire_writer_free(serving.writer);
    orders_settings_clear(&serving.settings);
    return ok;
}
