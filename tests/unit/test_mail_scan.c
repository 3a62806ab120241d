/* Mails that are built to exhaust a MIME parser: what the scan says of them, and how long the walk takes. */
#include "ingest/mail_scan.h"
#include "ingest/message.h"
#include "parser/authres.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEAD "From: a@b.example\nSubject: x\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"

/* What was handed out or refused, and the label of the last leaf. */
struct count {
    guint leaves, refusals;
    char *last;
};

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    (void)error;
    struct count *count = self;
    count->leaves++;
    g_free(count->last);
    count->last = g_strdup(part->label);
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    (void)error;
    g_assert_nonnull(label);
    g_assert_cmpstr(code, ==, "limit");
    g_assert_true(g_str_has_prefix(detail, "limit "));
    ((struct count *)self)->refusals++;
    return TRUE;
}

static struct blob *blob_of(const void *data, gsize n, gboolean in_file)
{
    if (!in_file) {
        g_autoptr(GBytes) bytes = g_bytes_new(data, n);
        return blob_new_bytes(bytes);
    }
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(write(fd, data, n), ==, (gssize)n);
    struct blob *blob = blob_new_fd(fd, 0, n, NULL);
    close(fd);
    return blob;
}

static gboolean walk(const GString *mail, gboolean in_file, struct count *count, GError **error)
{
    struct message_head head;
    struct blob *blob = blob_of(mail->str, mail->len, in_file);
    gboolean ok = message_walk(blob, &limits_default, &head, on_part, on_refusal, count, error);
    message_head_clear(&head);
    blob_unref(blob);
    return ok;
}

struct attack {
    const char *name, *head, *again, *tail;
    guint times;
    const char *scan; /* see below */
};

/* Mails that are built to exhaust: each ends quickly, in any way. */
static const struct attack attacks[] = {
    {"many parts", MIXED, "--b\n\nx\n", "--b--\n", 100000, "message_parts"},
    {"nested messages", HEAD, "Content-Type: message/rfc822\n\n", "", 20000, "message_depth"},
    {"one boundary for all", HEAD, "Content-Type: multipart/mixed; boundary=b\n\n--b\n", "", 20000,
     "message_depth"},
    {"nested multiparts, hidden boundaries", HEAD,
     "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n\n--bc\n", "", 2000, ""},
    {"hidden boundaries and dashes", HEAD "Content-Type: multipart/mixed; boundary*0=b\n\n", "--c\n", "",
     200000, "large"},
    {"digest", HEAD "Content-Type: multipart/digest; boundary=b\n\n", "--b\n\nSubject: x\n\ny\n", "", 900,
     ""},
    {"a large digest", HEAD "Content-Type: multipart/digest; boundary=b\n\n--b\n\n",
     "Subject: xxxxxxxxxxxxxxxxxxxxxxxxxx\n", "", 50000, "large"},
    {"many header lines in a part", MIXED "--b\n\nx\n--b\n", "X: y\n", "\n", 500000, "message_headers"},
    {"many header lines", "", "X: y\n", "\n", 500000, "message_headers"},
    {"a folded header", "Subject: x\n", " y\n", "\n", 500000, "message_headers"},
    {"a long header line", "Subject: ", "xxxxxxxxxxxxxxxx", "\n\n", 100000, "header_line"},
    {"many dashes", MIXED "--b\n\n", "--\n", "", 500000, ""},
    {"encoded words", "Subject: ", "=?utf-8?q?a?= ", "\n\n", 4000, ""},
    {"address groups", "From: ", ":", "\n\n", 60000, ""},
    {"quotes", "Content-Type: multipart/mixed; boundary=\"", "\\\"", "\n\n--\n", 30000, ""},
    {"parameters", "Content-Type: text/plain", "; a=b", "\n\nx", 10000, ""},
    {"comments", "From: ", "(", " a@b\n\n", 60000, ""},
    {"preamble", MIXED, "no part\n", "", 500000, "large"},
    {"base64 blocks", HEAD "\n", "H4sI\n\n--\n", "", 100000, ""},
    {"bare CR", HEAD "\n", "\r", "", 500000, ""},
    {"spaces before colon", "A", " ", ": x\n\n", 60000, ""},
};

/* What the scan says before GMime sees the mail: the limit's name for what must not be parsed at all, "large"
 * for a body that is not walked, "" for what is fit to be walked. */
static char *scan(const void *data, gsize n)
{
    struct mail_scan scan;
    g_autoptr(GError) error = NULL;
    struct blob *blob = blob_of(data, n, FALSE);
    gboolean ok = mail_scan(blob, &limits_default, &scan, &error);
    g_assert_cmpint(ok, ==, error == NULL);
    const GError *limit = ok ? scan.limit : error;
    char *word = limit ? g_strndup(limit->message + 6, strcspn(limit->message + 6, ":"))
                       : g_strdup(scan.walkable ? "" : "large");
    mail_scan_clear(&scan);
    blob_unref(blob);
    return word;
}

static void test_attacks(void)
{
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(attacks); i++) {
        const struct attack *attack = &attacks[i / 2];
        g_autoptr(GString) mail = g_string_new(attack->head);
        for (guint n = 0; n < attack->times; n++)
            g_string_append(mail, attack->again);
        g_string_append(mail, attack->tail);
        g_autofree char *word = scan(mail->str, mail->len);
        if (strcmp(word, attack->scan) != 0)
            g_error("%s: the scan says \"%s\"", attack->name, word);
        struct count count = {0};
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        gboolean ok = walk(mail, i % 2 == 1, &count, &error);
        double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
        g_assert_cmpint(ok, ==, error == NULL);
        if (error)
            g_assert_error(error, WS_ERROR, WS_ERROR_LIMIT);
        else
            g_assert_cmpuint(count.leaves + count.refusals, >, 0);
        if (seconds > 3)
            g_error("%s took %.1f s", attack->name, seconds);
        g_free(count.last);
    }
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* A large multipart whose boundary is never found does not pass through GMime's memory, and its base64 is
 * found. */
static void test_large_stray(void)
{
    g_autoptr(GString) mail = g_string_new(HEAD "Content-Type: multipart/mixed; boundary=x\n\n");
    for (guint i = 0; i < 800000; i++)
        g_string_append(mail, "text that belongs to no part at all\n");
    g_string_append(mail, "H4sIAAAAAAAAAwMAAAAAAAAAAAA=\n");
    g_autofree char *word = scan(mail->str, mail->len);
    g_assert_cmpstr(word, ==, "large");
    struct count count = {0};
    long before = peak_kib();
    g_assert_true(walk(mail, TRUE, &count, NULL));
    g_assert_cmpuint(count.leaves, ==, 2);
    g_assert_cmpstr(count.last, ==, "part 1 / base64 in the text");
#ifndef __SANITIZE_ADDRESS__
    g_assert_cmpint(peak_kib() - before, <, 8 * 1024);
#endif
    (void)before;
    g_free(count.last);
}

/* Multiparts one after the other are not inside of each other. */
static void test_siblings(void)
{
    g_autoptr(GString) mail = g_string_new(MIXED);
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(mail,
                               "--b\nContent-Type: multipart/mixed; boundary=\"c %u\"\n\n--c %u\n\nx\n%s", i,
                               i, i % 2 ? "" : "--c 0--\n");
    g_autofree char *word = scan(mail->str, mail->len);
    g_assert_cmpstr(word, ==, "");
    struct count count = {0};
    g_assert_true(walk(mail, FALSE, &count, NULL));
    g_assert_cmpuint(count.leaves, ==, 100);
    g_assert_cmpuint(count.refusals, ==, 0);
    g_assert_cmpstr(count.last, ==, "part 100.1");
    g_free(count.last);
}

/* Lines that are each short enough, and not too many, but much in all. */
static void test_header_bytes(void)
{
    g_autofree char *value = g_strnfill(60000, 'x');
    g_autoptr(GString) mail = g_string_new(HEAD);
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(mail, "X: %s\n", value);
    g_autofree char *word = scan(mail->str, mail->len);
    g_assert_cmpstr(word, ==, "message_headers");
}

/* Headers that are each short enough, and much in all; and as many mails in a mail as anybody forwards. */
static void test_header_lines(void)
{
    static const struct {
        guint mails, lines, leaves;
        const char *scan;
    } rows[] = {{200, 70, 200, ""}, {31, 1999, 31, ""}, {33, 1999, 31, "message_headers"}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) mail = g_string_new(MIXED);
        for (guint n = 0; n < rows[i].mails; n++) {
            g_string_append(mail, "--b\nContent-Type: message/rfc822\n\n");
            for (guint line = 0; line < rows[i].lines; line++)
                g_string_append(mail, "X-Header: with a value\n");
            g_string_append(mail, "\nbody\n");
        }
        g_autofree char *word = scan(mail->str, mail->len);
        g_assert_cmpstr(word, ==, rows[i].scan);
        struct count count = {0};
        long before = peak_kib();
        g_assert_true(walk(mail, FALSE, &count, NULL));
        g_assert_cmpuint(count.leaves, ==, rows[i].leaves);
        g_assert_cmpuint(count.refusals, ==, *word ? 1 : 0);
#ifndef __SANITIZE_ADDRESS__
        g_assert_cmpint(peak_kib() - before, <, 64 * 1024);
#endif
        (void)before;
        g_free(count.last);
    }
}

/* What stands before the header, and where header and body are. */
static void test_places(void)
{
    static const struct {
        const char *mail;
        guint64 header, body;
        const char *head;
    } rows[] = {
        {"A: b\nFrom: c\n d\nX: y\n\nbody", 0, 22, "From: c\n d\n\n"},
        {"\xef\xbb\xbf\r\nFrom: c\r\n\r\nbody", 5, 16, "From: c\n\n"},
        {"From c 10:00\n>From d\nSubject: c\n\nbody", 21, 33, "Subject: c\n\n"},
        {"Content-Type: a\nContent-Type: b\n\n", 0, 33, "Content-Type: a\n\n"},
        {"no field\nat all\n\nbody", 0, 0, "\n"},
        {"Subject: x", 0, 10, "Subject: x\n\n"},
        {"", 0, 0, "\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mail_scan scan;
        struct blob *blob = blob_of(rows[i].mail, strlen(rows[i].mail), i % 2 == 1);
        g_assert_true(mail_scan(blob, &limits_default, &scan, NULL));
        g_assert_cmpuint(scan.header, ==, rows[i].header);
        g_assert_cmpuint(scan.body, ==, rows[i].body);
        g_assert_cmpstr(scan.head->str, ==, rows[i].head);
        mail_scan_clear(&scan);
        blob_unref(blob);
    }
}

/* Authentication-Results fields: of the mail's own header, in their order, and nothing of what follows. */
static void test_authres(void)
{
    static const struct {
        const char *mail;
        const char *fields[3];
    } rows[] = {
        {"A: b\nAuthentication-Results: mx; none\nFrom: c\n\nbody", {" mx; none\n"}},
        {"AUTHENTICATION-results :mx;\r\n\tspf=none\r\n\r\nbody", {"mx;\n\tspf=none\n"}},
        {"From c 10:00\nAuthentication-Results: a\nAuthentication-Results: b\n", {" a\n", " b\n"}},
        {"X-Authentication-Results: a\nARC-Authentication-Results: i=1; a\n\n", {NULL}},
        {"A: b\n\nAuthentication-Results: a\n\n", {NULL}},
        {"Content-Type: message/rfc822\nA: b\n\nAuthentication-Results: a\n\nbody", {NULL}},
        {MIXED "--b\nAuthentication-Results: a\n\nbody\n--b--\n", {NULL}},
        {"no field\nat all\nnor here\nAuthentication-Results: a\n\n", {NULL}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct mail_scan scan;
        struct blob *blob = blob_of(rows[i].mail, strlen(rows[i].mail), i % 2 == 1);
        g_assert_true(mail_scan(blob, &limits_default, &scan, NULL));
        guint n = 0;
        for (; n < scan.authres->len; n++)
            g_assert_cmpstr(scan.authres->pdata[n], ==, rows[i].fields[n]);
        g_assert_null(rows[i].fields[n]);
        mail_scan_clear(&scan);
        blob_unref(blob);
    }
}

/* A field that is kept in part must not be taken for whole, however it was made long. */
static void test_long_authres(void)
{
    static const struct {
        const char *name, *again;
        guint times;
        guint8 extra;
    } rows[] = {{"a line over the bound", "x", 20000, 0},
                {"a line of which only the start is seen", "x", 70000, 0},
                {"many lines", "\n xxxxxxxxxxxxxxxxxxx", 1500, 0},
                {"a NUL", "x", 10, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) mail = g_string_new("Authentication-Results: mx; dmarc=fail reason=");
        for (guint n = 0; n < rows[i].times; n++)
            g_string_append(mail, rows[i].again);
        g_string_append_len(mail, "\0", rows[i].extra);
        g_string_append(mail, "\nAuthentication-Results: mx; dmarc=pass\n\n");
        struct mail_scan scan;
        struct authres authres;
        struct blob *blob = blob_of(mail->str, mail->len, i == 1);
        g_test_message("%s", rows[i].name);
        struct limits limits = limits_default;
        limits.header_line = 100000;
        g_assert_true(mail_scan(blob, &limits, &scan, NULL));
        g_assert_cmpuint(scan.authres->len, ==, 2);
        g_assert_cmpuint(strlen(scan.authres->pdata[0]), <, 2 * AUTHRES_BYTES);
        g_assert_false(authres_parse(scan.authres->pdata[0], &authres));
        g_assert_cmpstr(authres.authserv_id, ==, "mx");
        authres_clear(&authres);
        mail_scan_clear(&scan);
        blob_unref(blob);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/scan/places", test_places);
    g_test_add_func("/scan/authres", test_authres);
    g_test_add_func("/scan/long-authres", test_long_authres);
    g_test_add_func("/scan/siblings", test_siblings);
    g_test_add_func("/scan/header-bytes", test_header_bytes);
    g_test_add_func("/scan/header-lines", test_header_lines);
    g_test_add_func("/scan/attacks", test_attacks);
    g_test_add_func("/scan/large-stray", test_large_stray);
    return g_test_run();
}
