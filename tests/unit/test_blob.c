#include "ingest/base64.h"
#include "ingest/blob.h"
#include "ingest/fdpass.h"
#include "ingest/label.h"
#include "ingest/lines.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_bytes(const void *got, gsize n, const void *expected, gsize length)
{
    g_assert_cmpuint(n, ==, length);
    g_assert_true(n == 0 || memcmp(got, expected, n) == 0);
}

static struct blob *memory_blob(const void *data, gsize n)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, n);
    return blob_new_bytes(bytes);
}

/* The same bytes as a stretch in the middle of a file. */
static struct blob *file_blob(const void *data, gsize n)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, "before", 6), ==, 6);
    g_assert_cmpint(write(fd, data, n), ==, (gssize)n);
    g_assert_cmpint(write(fd, "behind", 6), ==, 6);
    GError *error = NULL;
    struct blob *blob = blob_new_fd(fd, 6, n, &error);
    g_assert_no_error(error);
    close(fd);
    return blob;
}

static void check_content(struct blob *blob, const char *expected)
{
    gsize n = strlen(expected);
    g_assert_cmpuint(blob_size(blob), ==, n);
    for (gsize offset = 0; offset <= n + 1; offset++) {
        char buf[64];
        GError *error = NULL;
        gssize got = blob_read(blob, offset, buf, 5, &error);
        g_assert_no_error(error);
        g_assert_cmpint(got, ==, offset >= n ? 0 : (gssize)MIN(5, n - offset));
        if (got > 0)
            check_bytes(buf, (gsize)got, expected + offset, (gsize)got);
    }
}

static void test_read(void)
{
    static const char text[] = "the quick brown fox";
    struct blob *blobs[] = {memory_blob(text, strlen(text)), file_blob(text, strlen(text))};
    for (gsize i = 0; i < G_N_ELEMENTS(blobs); i++) {
        check_content(blobs[i], text);
        struct blob *slice = blob_slice(blobs[i], 4, 5), *tail = blob_slice(blobs[i], 16, 100),
                    *none = blob_slice(blobs[i], 100, 1);
        blob_unref(blobs[i]);
        check_content(slice, "quick");
        check_content(tail, "fox");
        check_content(none, "");
        guint64 offset = 0;
        g_assert_cmpint(blob_fd(slice, &offset) >= 0, ==, i == 1);
        if (i == 1)
            g_assert_cmpuint(offset, ==, 10);
        struct blob *inner = blob_slice(slice, 1, 3);
        blob_unref(slice);
        check_content(inner, "uic");
        blob_unref(inner);
        blob_unref(tail);
        blob_unref(none);
    }
}

/* A file that shrinks is an error, not an end. */
static void test_shrunk(void)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(write(fd, "0123456789", 10), ==, 10);
    struct blob *blob = blob_new_fd(fd, 0, 10, NULL);
    g_assert_cmpint(ftruncate(fd, 4), ==, 0);
    char buf[16];
    guint8 digest[32];
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(blob_read(blob, 0, buf, sizeof buf, NULL), ==, 4);
    g_assert_cmpint(blob_read(blob, 4, buf, sizeof buf, &error), ==, -1);
    g_assert_error(error, WS_ERROR, WS_ERROR_INPUT);
    g_assert_false(blob_sha256(blob, digest, NULL));
    blob_unref(blob);
    close(fd);
}

static void test_sha256(void)
{
    static const guint8 expected[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct blob *blobs[] = {memory_blob("abc", 3), file_blob("abc", 3)};
    for (gsize i = 0; i < G_N_ELEMENTS(blobs); i++) {
        guint8 digest[32];
        g_assert_true(blob_sha256(blobs[i], digest, NULL));
        check_bytes(digest, sizeof digest, expected, sizeof expected);
        blob_unref(blobs[i]);
    }
}

/* Around the size where a spool goes to disk, in pieces of several sizes. */
static void test_spool(void)
{
    static const gsize sizes[] = {0, 1, 1048575, 1048576, 1048577, 3000000};
    static const gsize pieces[] = {1000, 65536, 1048576, 2500000};
    for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
        g_autofree guint8 *data = g_malloc(sizes[s] + 1);
        for (gsize i = 0; i < sizes[s]; i++)
            data[i] = (guint8)(i * 7 + i / 1000);
        for (gsize p = 0; p < G_N_ELEMENTS(pieces); p++) {
            g_autoptr(GError) error = NULL;
            struct spool *spool = spool_new(sizes[s], "message_size");
            for (gsize at = 0; at < sizes[s]; at += pieces[p])
                g_assert_true(spool_add(spool, data + at, MIN(pieces[p], sizes[s] - at), &error));
            struct blob *blob = spool_finish(spool, &error);
            g_assert_no_error(error);
            g_assert_cmpuint(blob_size(blob), ==, sizes[s]);
            g_assert_cmpint(blob_bytes(blob) != NULL, ==, sizes[s] <= 1048576);
            g_autofree guint8 *back = g_malloc(sizes[s] + 1);
            for (gsize at = 0; at < sizes[s];) {
                gssize got = blob_read(blob, at, back + at, sizes[s] - at, &error);
                g_assert_no_error(error);
                g_assert_cmpint(got, >, 0);
                at += (gsize)got;
            }
            g_assert_true(memcmp(back, data, sizes[s]) == 0);
            blob_unref(blob);
        }
    }
}

static void test_spool_limit(void)
{
    g_autoptr(GError) error = NULL;
    struct spool *spool = spool_new(10, "message_size");
    g_assert_true(spool_add(spool, "0123456789", 10, &error));
    g_assert_false(spool_add(spool, "x", 1, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_LIMIT);
    g_assert_cmpstr(error->message, ==, "limit message_size: more than 10 bytes");
    spool_free(spool);
}

static struct spool *large_spool(GError **error)
{
    static char data[1100000];
    struct spool *spool = spool_new(sizeof data, "message_size");
    memset(data, 'x', sizeof data);
    if (spool_add(spool, data, sizeof data, error))
        return spool;
    spool_free(spool);
    return NULL;
}

/* Files that are there already: taken in turn, emptied and given back, and no more than there are. */
static void test_scratch(void)
{
    int fds[2];
    GError *error = NULL;
    struct stat status;
    for (guint i = 0; i < 2; i++)
        fds[i] = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    blob_use_scratch(fds, 2);
    struct spool *unfinished = large_spool(&error);
    struct blob *blob = spool_finish(large_spool(&error), &error), *slice = blob_slice(blob, 10, 10);
    g_assert_no_error(error);
    g_assert_cmpuint(blob_scratch_in_use(), ==, 2);
    g_assert_null(large_spool(&error));
    g_assert_error(error, WS_ERROR, WS_ERROR_LIMIT);
    g_clear_error(&error);
    blob_unref(blob);
    g_assert_cmpuint(blob_scratch_in_use(), ==, 2);
    check_content(slice, "xxxxxxxxxx");
    blob_unref(slice);
    g_assert_cmpuint(blob_scratch_in_use(), ==, 1);
    spool_free(unfinished);
    g_assert_cmpuint(blob_scratch_in_use(), ==, 0);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpint(fstat(fds[i], &status), ==, 0);
        g_assert_cmpint(status.st_size, ==, 0);
    }
    blob = spool_finish(large_spool(&error), &error);
    g_assert_cmpuint(blob_size(blob), ==, 1100000);
    blob_unref(blob);
    blob_use_scratch(NULL, 0);
    for (guint i = 0; i < 2; i++)
        close(fds[i]);
}

/* A file that may not become so large costs what is in it, and no more. */
static void test_file_size(void)
{
    struct rlimit before, small = {.rlim_cur = 1000000};
    GError *error = NULL;
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    g_assert_null(large_spool(&error));
    setrlimit(RLIMIT_FSIZE, &before);
    g_assert_error(error, WS_ERROR, WS_ERROR_LIMIT);
    g_clear_error(&error);
}

static void test_fdpass(void)
{
    int ends[2], fds[2], got_fd, file = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    char buf[16] = "";
    GError *error = NULL;
    g_assert_cmpint(write(file, "the file", 8), ==, 8);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    int own = fdpass_reopen(file, &error);
    g_assert_no_error(error);
    /* Plain bytes, then two files: each comes with its own call. */
    g_assert_cmpint(send(ends[0], "plain", 5, 0), ==, 5);
    g_assert_cmpint(fdpass_send(ends[0], own, "a", 1, &error), ==, 1);
    g_assert_cmpint(fdpass_send(ends[0], file, "b", 1, &error), ==, 1);
    close(own);
    gssize n = fdpass_receive(ends[1], buf, 5, &got_fd, &error);
    check_bytes(buf, (gsize)n, "plain", 5);
    g_assert_cmpint(got_fd, ==, -1);
    for (guint i = 0; i < 2; i++) {
        n = fdpass_receive(ends[1], buf, sizeof buf, &fds[i], &error);
        check_bytes(buf, (gsize)n, i ? "b" : "a", 1);
        g_assert_cmpint(fds[i], >=, 0);
        g_assert_cmpint(fcntl(fds[i], F_GETFD), ==, FD_CLOEXEC);
    }
    /* The first has a position of its own, and is not to be written to. */
    check_bytes(buf, (gsize)read(fds[0], buf, sizeof buf), "the file", 8);
    g_assert_cmpint(lseek(file, 0, SEEK_CUR), ==, 8);
    g_assert_cmpint(lseek(fds[0], 0, SEEK_SET), ==, 0);
    g_assert_cmpint(lseek(file, 0, SEEK_CUR), ==, 8);
    g_assert_cmpint(write(fds[0], "x", 1), ==, -1);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    /* A full socket takes nothing, a closed one is an error. */
    g_assert_cmpint(fcntl(ends[0], F_SETFL, O_NONBLOCK), ==, 0);
    do
        n = fdpass_send(ends[0], file, buf, sizeof buf, &error);
    while (n > 0);
    g_assert_cmpint(n, ==, 0);
    g_assert_no_error(error);
    close(ends[1]);
    g_assert_cmpint(fdpass_send(ends[0], file, buf, sizeof buf, &error), ==, -1);
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_clear_error(&error);
    int all[] = {ends[0], fds[0], fds[1], file};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        close(all[i]);
}

/* Lines come out the same from memory and from a file, also those that are longer than any buffer. */
static void test_lines(void)
{
    g_autofree char *giant = g_strnfill(200000, 'g');
    g_autofree char *edge = g_strnfill(65535, 'e');
    g_autofree char *text = g_strconcat("first\r\n\n  \t\nlast of the small\n", giant, "\nafter\n", edge,
                                        "\n", edge, "x\n", giant, giant, "\r\nno end", NULL);
    struct blob *blobs[] = {memory_blob(text, strlen(text)), file_blob(text, strlen(text))};
    for (gsize i = 0; i < G_N_ELEMENTS(blobs); i++) {
        g_auto(GStrv) expected = g_strsplit(text, "\n", -1);
        struct lines lines;
        struct line line;
        GError *error = NULL;
        guint n = 0;
        guint64 offset = 0;
        lines_init(&lines, blobs[i], 0, G_MAXUINT64);
        while (lines_next(&lines, &line, &error)) {
            gsize length = strlen(expected[n]);
            gboolean last = expected[n + 1] == NULL;
            g_assert_cmpuint(line.offset, ==, offset);
            g_assert_cmpuint(line.length, ==, length + (last ? 0 : 1));
            gsize plain = length && expected[n][length - 1] == '\r' ? length - 1 : length;
            g_assert_cmpuint(line.n, <=, plain);
            g_assert_cmpuint(line.n, >=, MIN(plain, LINE_TEXT));
            g_assert_true(memcmp(line.text, expected[n], line.n) == 0);
            g_assert_cmpint(line_is_blank(&line), ==, n == 1 || n == 2);
            offset += line.length;
            n++;
        }
        g_assert_no_error(error);
        g_assert_cmpuint(n, ==, g_strv_length(expected));
        lines_clear(&lines);
        blob_unref(blobs[i]);
    }
}

struct base64_row {
    const char *name, *in, *out;
};

/* Deviation C25: base64 as gateways leave it. */
static const struct base64_row base64_rows[] = {
    {"plain", "aGVsbG8gd29ybGQ=", "hello world"},
    {"lines", "aGVs\r\nbG8g\r\nd29y\r\nbGQ=\r\n", "hello world"},
    {"odd lines", "a\nGVsb\n\nG8 gd\t29ybGQ=", "hello world"},
    {"no padding", "aGVsbG8gd29ybGQ", "hello world"},
    {"two characters left", "aGVsbG8gd28", "hello wo"},
    {"padding in the middle", "aGVsbG8=IHdvcmxk", "hello world"},
    {"junk between", "aGVs*bG8g!d29y-bGQ=", "hello world"},
    {"8-bit junk",
     "aGVs\xe4\xf6\xfc"
     "bG8gd29ybGQ=",
     "hello world"},
    {"soft breaks of quoted-printable", "aGVsbG8g=\r\nd29ybGQ=", "hello world"},
    {"empty", "", ""},
    {"nothing of the alphabet", "\r\n-- \r\n", ""},
};

static void test_base64(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(base64_rows); i++) {
        const struct base64_row *row = &base64_rows[i];
        gsize n = strlen(row->in);
        for (gsize step = 1; step <= n + 1; step++) {
            guint8 out[100];
            struct base64 state = {0};
            gsize have = 0;
            for (gsize at = 0; at < n; at += step)
                have += base64_decode(&state, (const guint8 *)row->in + at, MIN(step, n - at), out + have);
            have += base64_finish(&state, out + have);
            check_bytes(out, have, row->out, strlen(row->out));
        }
    }
}

struct label_row {
    const char *in;
    gsize max;
    const char *out;
};

static const struct label_row label_rows[] = {
    {"report.zip", 100, "report.zip"},
    {"a\tb\nc\x1b[2J", 100, "a b\\x0ac\\x1b[2J"},
    {"Gr\xc3\xbc\xc3\x9f"
     "e",
     100,
     "Gr\xc3\xbc\xc3\x9f"
     "e"},
    {"Gr\xfc\xdf"
     "e",
     100,
     "Gr\\xfc\\xdf"
     "e"},
    {"\xc2\x9b"
     "31m",
     100, "\\x9b31m"},
    {"a\xe2\x80\xae"
     "fdp.exe",
     100, "a\\u{202e}fdp.exe"},
    {"zero\xe2\x80\x8bwidth", 100, "zero\\u{200b}width"},
    {"cut\xc3\xbc", 4, "cut"},
    {"cut\xc3\xbc", 5, "cut\xc3\xbc"},
    {"", 100, ""},
};

static void test_label(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(label_rows); i++) {
        g_autofree char *got = label_safe(label_rows[i].in, -1, label_rows[i].max);
        g_assert_cmpstr(got, ==, label_rows[i].out);
    }
    g_autofree char *nul = label_safe("a\0b", 3, 100);
    g_assert_cmpstr(nul, ==, "a\\x00b");
    g_autofree char *joined = label_join("part 1", "x.zip"), *alone = label_join("part 1", NULL);
    g_assert_cmpstr(joined, ==, "part 1 / x.zip");
    g_assert_cmpstr(alone, ==, "part 1");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/blob/read", test_read);
    g_test_add_func("/blob/shrunk", test_shrunk);
    g_test_add_func("/blob/sha256", test_sha256);
    g_test_add_func("/spool/sizes", test_spool);
    g_test_add_func("/spool/limit", test_spool_limit);
    g_test_add_func("/spool/scratch", test_scratch);
    g_test_add_func("/spool/file size", test_file_size);
    g_test_add_func("/fdpass", test_fdpass);
    g_test_add_func("/lines", test_lines);
    g_test_add_func("/base64", test_base64);
    g_test_add_func("/label", test_label);
    return g_test_run();
}
