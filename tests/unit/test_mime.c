/* The two ways to a mail's tree: what the cheap one takes, and that it makes of it what GMime does. */
#include "tests/unit/same_tree.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define HEAD "From: a@b.example\nSubject: x\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"

/* Bits that mails break on; NULL ends. */
static const char *const bits[] = {"\n",
                                   "\r\n",
                                   "\r",
                                   "\n\n",
                                   " ",
                                   "\t",
                                   "\n ",
                                   "\n\t",
                                   ";",
                                   ":",
                                   "\"",
                                   "\\",
                                   "=",
                                   "--",
                                   "-",
                                   "<",
                                   ">",
                                   "(",
                                   "(c)",
                                   ",",
                                   "@",
                                   "/",
                                   "*",
                                   "*0",
                                   "%41",
                                   "'",
                                   "\xfc",
                                   "\xc3\xbc",
                                   "\x1b",
                                   "=?utf-8?q?a_b?=",
                                   "=?utf-8?B?w7w=?=",
                                   "=?x?q?=FF?=",
                                   "\n--b\n",
                                   "\n--b--\n",
                                   "--b",
                                   "\n--b \n",
                                   "\n--bc\n",
                                   "\nContent-Type: text/plain\n",
                                   "\nContent-Type: multipart/mixed; boundary=b\n",
                                   "\nContent-Type: message/rfc822\n",
                                   "\nContent-Type:\n",
                                   "\nContent-Disposition: attachment; filename=\"a b.zip\"\n",
                                   "\nContent-Disposition: inline\n",
                                   "\nContent-Transfer-Encoding: quoted-printable\n",
                                   "\nContent-Transfer-Encoding: x-uuencode\n",
                                   "\nFrom: \"A, B\" <c@d.example>, e@f.example\n",
                                   "\nFrom: c@d.example (e)\n",
                                   "\nSubject: folded\n twice\n\there\n",
                                   "\nDate: Sat, 21 Nov 2026 10:00:00 +0100\n",
                                   "\nDate: 31 Feb 26 25:00 EST\n",
                                   "\nMessage-ID: <1@a.example>\n",
                                   "\nMessage-ID: 2@a.example\n",
                                   "\nTLS-Report-Domain: A.example.\n",
                                   "\nAuthentication-Results: a.example;\n dmarc=pass\n",
                                   "\nFrom a@b\n",
                                   "; name=a.gz",
                                   "; name=\"a.gz\"",
                                   "; filename=b.zip",
                                   "; boundary=c",
                                   "<feedback>",
                                   "H4sIAAAAAAAA\n"};

/* Mails that the cheap way has to take. */
static const char *const plain[] = {
    HEAD "\nhello\n",
    HEAD "\n",
    "Subject: Report Domain: a.example Submitter: b\n\tReport-ID: 1\nMIME-Version: 1.0\nFrom: Words "
    "<a@b.example>\n"
    "Date: Sat, 21 Nov 2026 10:00:00 +0100\nMessage-ID: <1@a.example>\nAuthentication-Results: a; "
    "dmarc=pass\n"
    "Content-Type: application/gzip; name=\"a!b.xml.gz\"\nContent-Transfer-Encoding: base64\n"
    "Content-Disposition: attachment;\n\tfilename=\"a!b.xml.gz\"\n\nH4sIAAAA\n",
    MIXED "\n--b\nContent-Type: text/plain; charset=us-ascii\n\nhello\n\n--b\nContent-Type: application/zip; "
          "name=a.zip\nContent-Transfer-Encoding: base64\n\nUEsDBAAA\n--b--\n",
    MIXED "This is a message in MIME format.\n\n--b\n\nhello\n--b--\n",
    HEAD "Content-Type: multipart/mixed; boundary=\"b=_1\"\n\n--b=_1\n"
         "Content-Type: multipart/alternative; boundary=\"c d\"\n\n--c d\n\ntext\n--c d\nContent-Type: "
         "text/html\n\n<p>\n--c d--\n\n--b=_1\nContent-Type: text/xml\nContent-Transfer-Encoding: "
         "quoted-printable\n\n<a=3D>\n--b=_1--\n\n",
    "Subject: =?utf-8?B?w7w=?= and\n =?utf-8?q?more?=\nFrom: =?utf-8?q?J=C3=BCrgen?= <r@B.Example>\n\nx",
};

/* Mails that it must leave alone. */
static const char *const other[] = {
    "",
    "\n" HEAD "\nhello",
    "no header\n\nhello\n",
    HEAD,
    HEAD " \nhello\n",
    "From a@b Sat Nov 21 10:00:00 2026\n" HEAD "\nhello\n",
    HEAD "Subject: y\n\nhello\n",
    HEAD "Content-Type: message/rfc822\n\nSubject: z\n\nhello\n",
    HEAD "Content-Type: text/rfc822-headers\n\nSubject: z\n\nhello\n",
    HEAD "Content-Type: text\n\nhello\n",
    HEAD "Content-Type: text/plain; name*=utf-8''a\n\nhello\n",
    HEAD "Content-Type: text/plain (c)\n\nhello\n",
    HEAD "Content-Type: multipart/mixed\n\nhello\n",
    HEAD "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: z\n\nhello\n--b--\n",
    MIXED "hello\n",
    MIXED "--b\n\nhello\n",
    MIXED "--b\n\nhello\n--b--",
    MIXED "--b\n\nhello\n--b \n\nhello\n--b--\n",
    MIXED "--b\n\nhello\n--bc\n\nhello\n--b--\n",
    MIXED "--b\n\nhello --b there\n--b--\n",
    MIXED "--b\n\n--b--\n",
    MIXED "--b\n--b--\n",
    MIXED "--b--\n",
    MIXED "<feedback>\n--b\n\nhello\n--b--\n",
    MIXED "--b\n\nhello\n--b--\n<feedback>\n",
    MIXED "--b\n\nhello\n--b--\n--b\n\nhello\n",
    "Subject: Gr\374\337e\n\nhello\n",
};

static struct blob *blob_of(const char *data, gsize n)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, n);
    return blob_new_bytes(bytes);
}

/* Whether the mail is plain; both ways have to agree then. */
static gboolean check_both(const char *data, gsize n, const struct limits *limits)
{
    struct blob *mail = blob_of(data, n);
    g_autofree char *first = NULL, *second = NULL;
    gboolean taken = same_tree_both(mail, limits, &first, &second);
    blob_unref(mail);
    if (taken && strcmp(first, second) != 0)
        g_error("two trees:\n%s\n-- and --\n%s\n-- of --\n%.*s", first, second, (int)n, data);
    return taken;
}

static char *with_crlf(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strjoinv("\r\n", lines);
}

static void test_plain(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        g_autofree char *crlf = with_crlf(plain[i]);
        if (!check_both(plain[i], strlen(plain[i]), &limits_default) ||
            !check_both(crlf, strlen(crlf), &limits_default))
            g_error("left to GMime: %s", plain[i]);
    }
}

static void test_other(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(other); i++) {
        g_autofree char *crlf = with_crlf(other[i]);
        if (check_both(other[i], strlen(other[i]), &limits_default) ||
            check_both(crlf, strlen(crlf), &limits_default))
            g_error("taken: %s", other[i]);
    }
    /* A mail in a file is not small. */
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    gsize n = strlen(plain[0]);
    g_assert_cmpint(write(fd, plain[0], n), ==, (gssize)n);
    struct mime_tree tree;
    struct blob *mail = blob_new_fd(fd, 0, n, NULL);
    close(fd);
    g_assert_false(mime_plain_read(mail, &limits_default, &tree));
    blob_unref(mail);
}

/* A limit that GMime's way would name is left to it. */
static void test_limits(void)
{
    static const char mail[] = MIXED "--b\nContent-Type: a/b\n\none\n--b\n\ntwo\n--b--\n";
    static const struct {
        const char *name;
        guint64 low;
    } rows[] = {{"message_parts", 1}, {"message_headers", 2}, {"header_line", 41}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (guint pass = 0; pass < 2; pass++) {
            struct limits limits = limits_default;
            g_assert_true(limits_set(&limits, rows[i].name, rows[i].low + pass));
            g_assert_cmpint(check_both(mail, strlen(mail), &limits), ==, pass);
        }
    }
}

/* Cut at each offset. */
static void test_cuts(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        for (gsize n = 0; n < strlen(plain[i]); n++)
            check_both(plain[i], n, &limits_default);
    }
}

/* One to three changes: a bit put in, over, or away. */
static GString *mutated(const char *data, gsize n, GRand *chance)
{
    GString *mail = g_string_new_len(data, (gssize)n);
    for (gint changes = g_rand_int_range(chance, 1, 4); changes > 0 && mail->len; changes--) {
        const char *bit = bits[g_rand_int_range(chance, 0, G_N_ELEMENTS(bits))];
        /* Half of them in the first bytes, where the header is. */
        gint most = (gint)(g_rand_boolean(chance) ? MIN(mail->len, 400) : mail->len);
        gssize at = g_rand_int_range(chance, 0, most);
        gint away = g_rand_boolean(chance) ? g_rand_int_range(chance, 0, 4) : 0;
        g_string_erase(mail, at, MIN(away, (gint)mail->len - (gint)at));
        if (g_rand_int_range(chance, 0, 5) > 0)
            g_string_insert(mail, at, bit);
    }
    return mail;
}

static void mutate_all(const char *data, gsize n, guint rounds, guint32 seed)
{
    GRand *chance = g_rand_new_with_seed(seed);
    guint taken = 0;
    for (guint i = 0; i < rounds; i++) {
        GString *mail = mutated(data, n, chance);
        if (check_both(mail->str, mail->len, &limits_default))
            taken++;
        g_string_free(mail, TRUE);
    }
    /* Or else it was the changes that were compared, and nothing else. */
    g_assert_cmpuint(taken, >, rounds / 20);
    g_rand_free(chance);
}

static void test_mutated(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        g_autofree char *crlf = with_crlf(plain[i]);
        mutate_all(plain[i], strlen(plain[i]), 5000, (guint32)i);
        mutate_all(crlf, strlen(crlf), 5000, (guint32)i);
    }
}

/* Files that are plain are compared, and so are they after changes. */
static guint check_file(const char *path, guint rounds)
{
    g_autofree char *data = NULL;
    gsize n = 0;
    GStatBuf status;
    if (g_stat(path, &status) != 0 || status.st_size > 100000 ||
        !g_file_get_contents(path, &data, &n, NULL) || !check_both(data, n, &limits_default))
        return 0;
    mutate_all(data, n, rounds, (guint32)n);
    return 1;
}

/* How many of the mails below the directory are plain. */
static guint check_directory(const char *path, guint rounds)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    guint taken = 0;
    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            taken += check_directory(inner, rounds);
        else if (g_str_has_suffix(name, ".eml"))
            taken += check_file(inner, rounds);
    }
    return taken;
}

static void test_files(void)
{
    g_assert_cmpuint(check_directory("docs/demo/mailbox", 300), >, 10);
    check_directory("../shared/corpus/files", 100);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/mime/plain", test_plain);
    g_test_add_func("/mime/other", test_other);
    g_test_add_func("/mime/limits", test_limits);
    g_test_add_func("/mime/cuts", test_cuts);
    g_test_add_func("/mime/mutated", test_mutated);
    g_test_add_func("/mime/files", test_files);
    return g_test_run();
}
