/* A worker's loop over a socket: orders in, answers out, in memory and from files. */
#include "ingest/orders.h"
#include "ingest/serve.h"
#include "ingest/wire.h"
#include "tests/unit/recorder.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPORT                                                                                               \
    "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email><report_id>%u"       \
    "</report_id><date_range><begin>100</begin><end>200</end></date_range></report_metadata>"                \
    "<policy_published><domain>example.org</domain><p>none</p></policy_published><record><row>"              \
    "<source_ip>192.0.2.1</source_ip><count>%u</count></row></record></feedback>"
#define MAIL                                                                                                 \
    "From: a@r.example\r\nSubject: s\r\nAuthentication-Results: mx.example.org; dmarc=pass "                 \
    "header.from=r.example\r\nContent-Type: text/xml\r\n\r\n"

static struct domain_list *suffixes;
static struct limits limits;
static struct writer_settings writer;
static struct trust_rules trust;
static struct run_settings settings;

struct served {
    int socket;
    gboolean ok;
    GError *error;
};

static gpointer serve(gpointer data)
{
    struct served *served = data;
    served->ok = serve_orders(served->socket, suffixes, &served->error);
    close(served->socket);
    return NULL;
}

/* Sends it all, the descriptor with the first byte. */
static void send_orders(int socket, const GByteArray *bytes, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    for (gsize at = 0; at < bytes->len;) {
        struct iovec piece = {bytes->data + at, MIN(bytes->len - at, 100000)};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        if (fd >= 0 && at == 0) {
            message.msg_control = control.bytes;
            message.msg_controllen = sizeof control.bytes;
            struct cmsghdr *head = CMSG_FIRSTHDR(&message);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(sizeof fd);
            memcpy(CMSG_DATA(head), &fd, sizeof fd);
        }
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += (gsize)sent;
    }
}

/* A mail in memory or in a file with something in front of it. */
static struct mail make_mail(guint i, gboolean in_file, gsize padding)
{
    g_autoptr(GString) text = g_string_new(MAIL);
    g_string_append_printf(text, REPORT, i, i);
    g_autofree char *blanks = g_strnfill(padding, ' ');
    g_string_append(text, blanks);
    struct mail mail = {.name = g_strdup_printf("mail\377%u", i), .may_be_bare = i % 2 == 1};
    if (in_file) {
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), "serve-XXXXXX", NULL);
        int fd = mkstemp(path);
        unlink(path);
        g_assert_cmpint(write(fd, "front", 5), ==, 5);
        g_assert_cmpint(write(fd, text->str, text->len), ==, (gssize)text->len);
        mail.body = blob_new_fd(fd, 5, text->len, NULL);
        close(fd);
    } else {
        g_autoptr(GBytes) bytes = g_bytes_new(text->str, text->len);
        mail.body = blob_new_bytes(bytes);
    }
    return mail;
}

/* Reads answers until so many are whole, or nothing more comes. */
static guint hear(int socket, struct recorder *to, guint wanted)
{
    struct wire_reader *reader = wire_reader_new(&limits, suffixes);
    guint heard = 0;
    wire_reader_begin(reader, &to->journal);
    while (heard < wanted) {
        guint8 bytes[5000];
        ssize_t got = read(socket, bytes, sizeof bytes);
        if (got <= 0)
            break;
        for (gsize at = 0, used; at < (gsize)got; at += used) {
            g_autoptr(GError) error = NULL;
            enum wire_status status = wire_reader_feed(reader, bytes + at, (gsize)got - at, &used, &error);
            g_assert_no_error(error);
            if (status == WIRE_MAIL_END) {
                heard++;
                wire_reader_begin(reader, &to->journal);
            }
        }
    }
    wire_reader_free(reader);
    return heard;
}

/* Several in flight: answers come in their order, the same as without a worker. */
static void test_mails(void)
{
    static const struct {
        gboolean in_file;
        gsize padding;
    } rows[] = {{FALSE, 0}, {TRUE, 0}, {TRUE, 300000}, {FALSE, 300000}, {FALSE, 10}};
    struct recorder direct, to;
    struct served served = {0};
    int sockets[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
    served.socket = sockets[1];
    recorder_init(&direct);
    recorder_init(&to);
    GThread *thread = g_thread_new("worker", serve, &served);
    g_autoptr(GByteArray) orders = g_byte_array_new();
    orders_add_settings(orders, &settings);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mail mail = make_mail(i, rows[i].in_file, rows[i].padding);
        g_assert_true(journey_tell(&direct.journal, &mail, &settings, NULL));
        int fd = orders_add_mail(orders, &mail);
        g_assert_cmpint(fd >= 0, ==, rows[i].in_file);
        send_orders(sockets[0], orders, fd);
        g_byte_array_set_size(orders, 0);
        mail_clear(&mail);
    }
    g_assert_cmpuint(hear(sockets[0], &to, G_N_ELEMENTS(rows)), ==, G_N_ELEMENTS(rows));
    g_assert_true(strcmp(to.text->str, direct.text->str) == 0);
    g_assert_cmpuint(to.records, ==, G_N_ELEMENTS(rows));
    g_assert_nonnull(strstr(to.text->str, "domain \"r.example\""));
    close(sockets[0]);
    g_thread_join(thread);
    g_assert_true(served.ok);
    g_assert_no_error(served.error);
    g_string_free(direct.text, TRUE);
    g_string_free(to.text, TRUE);
}

/* What is no order ends the worker with an error. */
static void test_broken(void)
{
    static const char *const words[] = {"broke off", "of an unknown kind", "a mail before the settings",
                                        "came without its file"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        struct served served = {0};
        int sockets[2];
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
        served.socket = sockets[1];
        struct mail mail = make_mail(0, i == 3, 0);
        GByteArray *orders = g_byte_array_new();
        if (i != 2)
            orders_add_settings(orders, &settings);
        orders_add_mail(orders, &mail);
        if (i == 0)
            g_byte_array_set_size(orders, orders->len - 1);
        if (i == 1)
            orders->data[4] = 77;
        send_orders(sockets[0], orders, -1);
        shutdown(sockets[0], SHUT_WR);
        serve(&served);
        close(sockets[0]);
        g_assert_false(served.ok);
        g_assert_error(served.error, WS_ERROR, WS_ERROR_SYSTEM);
        g_assert_nonnull(strstr(served.error->message, words[i]));
        g_error_free(served.error);
        g_byte_array_unref(orders);
        mail_clear(&mail);
    }
}

/* All that the journey needs of the settings. */
static void test_settings(void)
{
    struct orders_settings got = {0};
    struct orders_mail mail;
    gsize used;
    g_autoptr(GByteArray) orders = g_byte_array_new();
    orders_add_settings(orders, &settings);
    for (gsize n = 0; n < orders->len; n++)
        g_assert_cmpint(orders_take(orders->data, n, &used, &got, suffixes, &mail, NULL), ==, ORDERS_MORE);
    g_assert_cmpint(orders_take(orders->data, orders->len, &used, &got, suffixes, &mail, NULL), ==,
                    ORDERS_SETTINGS);
    g_assert_cmpuint(used, ==, orders->len);
    g_assert_true(memcmp(got.run.limits, &limits, sizeof limits) == 0);
    g_assert_cmpint(got.run.now, ==, settings.now);
    g_assert_cmpint(got.run.keep_subject, ==, SUBJECT_DROPPED);
    g_assert_true(got.run.suffixes == suffixes && got.run.writer->suffixes == suffixes);
    g_assert_cmpstr(got.run.writer->trust->authserv_ids[0], ==, "mx.example.org");
    g_assert_null(got.run.writer->trust->authserv_ids[1]);
    orders_settings_clear(&got);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    static char id[] = "mx.example.org", *ids[] = {id, NULL};
    unit_init(argv[0]);
    suffixes = domain_list_new();
    limits = limits_default;
    limits.records = 1234;
    trust = (struct trust_rules){.authserv_ids = ids};
    writer = writer_defaults;
    writer.trust = &trust;
    writer.suffixes = suffixes;
    settings = (struct run_settings){.limits = &limits,
                                     .writer = &writer,
                                     .suffixes = suffixes,
                                     .parser = aggregate_parser_new(&limits, suffixes),
                                     .now = 1700000000,
                                     .keep_subject = SUBJECT_DROPPED};
    g_test_add_func("/serve/settings", test_settings);
    g_test_add_func("/serve/mails", test_mails);
    g_test_add_func("/serve/broken", test_broken);
    int status = g_test_run();
    aggregate_parser_free(settings.parser);
    domain_list_free(suffixes);
    return status;
}
