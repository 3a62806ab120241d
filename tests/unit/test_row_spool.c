/* The spool: what comes back is what went in, wherever the border between memory and file lies. */
#include "db/spool.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

static char byte_at(guint64 i)
{
    return (char)(i * 31 % 251);
}

/* Appends up to a total of n bytes in pieces of `piece`. */
static void fill(struct row_spool *spool, guint64 n, gsize piece)
{
    char buffer[64];
    for (guint64 at = row_spool_size(spool); at < n;) {
        gsize take = (gsize)MIN(piece, n - at);
        for (gsize i = 0; i < take; i++)
            buffer[i] = byte_at(at + i);
        g_assert_true(row_spool_add(spool, buffer, take, NULL));
        at += take;
    }
    g_assert_cmpuint(row_spool_size(spool), ==, n);
}

/* Reads all of it from each offset on, and at most `want` bytes at once. */
static void compare(const struct row_spool *spool, gsize want)
{
    char buffer[64];
    for (guint64 from = 0; from <= row_spool_size(spool); from++) {
        guint64 at = from;
        for (gssize got; (got = row_spool_read(spool, at, buffer, want, NULL)) > 0; at += (guint64)got)
            for (gssize i = 0; i < got; i++)
                g_assert_cmpint(buffer[i], ==, byte_at(at + (guint64)i));
        g_assert_cmpuint(at, ==, row_spool_size(spool));
    }
    g_assert_cmpint(row_spool_read(spool, row_spool_size(spool) + 5, buffer, want, NULL), ==, 0);
}

static void test_borders(void)
{
    static const gsize memories[] = {0, 1, 7, 64, 1000};
    for (gsize m = 0; m < G_N_ELEMENTS(memories); m++) {
        struct row_spool *spool = row_spool_new(memories[m]);
        fill(spool, 300, 1 + m * 5);
        compare(spool, 64);
        compare(spool, 3);
        row_spool_truncate(spool, 200); /* in memory or in the file, as it is */
        compare(spool, 64);
        fill(spool, 230, 9);
        g_assert_true(row_spool_to_file(spool, NULL));
        row_spool_truncate(spool, 100);
        fill(spool, 150, 4);
        compare(spool, 7);
        row_spool_truncate(spool, 0);
        compare(spool, 7);
        fill(spool, 40, 4);
        compare(spool, 7);
        row_spool_free(spool);
    }
}

/* No program that is started gets its file, which has no name. TMPDIR is what main set. */
static void test_alone(void)
{
    g_autofree char *place = g_strconcat(g_get_tmp_dir(), "/", NULL);
    struct row_spool *spool = row_spool_new(0);
    fill(spool, 10, 10);
    g_autoptr(GDir) all = g_dir_open("/proc/self/fd", 0, NULL);
    guint found = 0;
    for (const char *name = g_dir_read_name(all); name; name = g_dir_read_name(all)) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *path = g_file_read_link(link, NULL);
        if (!path || !g_str_has_prefix(path, place))
            continue;
        g_assert_nonnull(strstr(path, "(deleted)"));
        g_assert_cmpint(fcntl((int)g_ascii_strtoll(name, NULL, 10), F_GETFD), ==, FD_CLOEXEC);
        found++;
    }
    g_assert_cmpuint(found, ==, 1);
    row_spool_free(spool);
}

/* TMPDIR is what main set. */
static void test_no_room(void)
{
    GError *error = NULL;
    g_autofree char *gone = g_strdup(g_get_tmp_dir());
    struct row_spool *spool = row_spool_new(10);
    g_assert_nonnull(strstr(gone, "row-spool-"));
    g_assert_cmpint(g_rmdir(gone), ==, 0);
    g_assert_true(row_spool_add(spool, "x", 1, NULL));
    g_assert_false(row_spool_to_file(spool, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_assert_nonnull(strstr(error->message, gone));
    g_error_free(error);
    row_spool_free(spool);
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *temporary = g_getenv("TMPDIR");
    g_autofree char *directory = g_build_filename(temporary ? temporary : "/tmp", "row-spool-XXXXXX", NULL);
    if (!g_mkdtemp(directory))
        return 1;
    g_setenv("TMPDIR", directory, TRUE);
    unit_init(argv[0]);
    g_test_add_func("/row-spool/borders", test_borders);
    g_test_add_func("/row-spool/alone", test_alone);
    g_test_add_func("/row-spool/no-room", test_no_room); /* last: takes the directory away */
    return g_test_run();
}
