#include "ingest/secret.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;

static char *write_file(const char *name, const char *text, guint mode)
{
    char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, (mode_t)mode), ==, 0);
    return path;
}

static void test_places(void)
{
    g_autofree char *own = write_file("own", "first line \nsecond\n", 0600);
    g_autofree char *shared = write_file("shared", "x\n", 0640);
    g_autofree char *empty = write_file("empty", "\nx\n", 0600);
    g_autofree char *missing = g_build_filename(directory, "missing", NULL);
    const struct {
        const char *text, *file, *command;
        const char *found, *names; /* the secret, or a part of the error */
    } cases[] = {
        {"plain", NULL, NULL, "plain", NULL},
        {NULL, own, NULL, "first line ", NULL},
        {NULL, NULL, "printf 'a b\\r\\nc'", "a b", NULL},
        {NULL, shared, NULL, NULL, "chmod 600"},
        {NULL, empty, NULL, NULL, "first line is empty"},
        {NULL, missing, NULL, NULL, "cannot read file"},
        {NULL, NULL, "exit 3", NULL, "imap.password_command"},
        {NULL, NULL, "true", NULL, "first line is empty"},
        {NULL, NULL, NULL, NULL, NULL},
        {"plain", own, NULL, NULL, "more than one"},
        {NULL, own, "true", NULL, "more than one"},
    };
    g_unsetenv("CREDENTIALS_DIRECTORY");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const struct secret_place place = {.name = "imap.password",
                                           .text = cases[i].text,
                                           .file = cases[i].file,
                                           .command = cases[i].command,
                                           .credential = "imap_password"};
        g_assert_cmpint(secret_is_set(&place), ==, cases[i].text || cases[i].file || cases[i].command);
        char *secret = secret_get(&place, &error);
        g_assert_cmpstr(secret, ==, cases[i].found);
        if (cases[i].names) {
            g_assert_error(error, WS_ERROR, WS_ERROR_CONFIG);
            g_assert_nonnull(strstr(error->message, cases[i].names));
        } else {
            g_assert_no_error(error);
        }
        secret_free(secret);
    }
}

/* What systemd hands over is guarded by systemd, whatever its mode. */
static void test_credential(void)
{
    g_free(write_file("imap_password", "credential", 0440));
    const struct secret_place place = {.name = "imap.password", .credential = "imap_password"},
                              other = {.name = "imap b.password", .credential = "imap_password_b"};
    g_setenv("CREDENTIALS_DIRECTORY", directory, TRUE);
    char *secret = secret_get(&place, NULL);
    g_assert_true(secret_is_set(&place));
    g_assert_false(secret_is_set(&other));
    g_assert_null(secret_get(&other, NULL));
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_assert_cmpstr(secret, ==, "credential");
    secret_free(secret);
}

/* Behind a link, of the same mode; what cannot be written is told, and leaves nothing behind. */
static void test_replace(void)
{
    g_autofree char *file = write_file("token", "old\nsecond line\n", 0640);
    g_autofree char *missing = g_build_filename(directory, "missing", NULL);
    g_autofree char *link = g_build_filename(directory, "link", NULL), *text = NULL;
    g_autoptr(GError) error = NULL;
    struct stat st;
    g_assert_cmpint(symlink("token", link), ==, 0);
    int lock = secret_lock(link);
    g_assert_cmpint(lock, >=, 0);
    g_assert_true(secret_replace(link, "new", &error));
    g_assert_no_error(error);
    close(lock);
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "new\n");
    g_assert_cmpint(g_stat(file, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0640);
    g_assert_cmpint(secret_lock(missing), ==, -1);
    g_assert_false(secret_replace(missing, "new", &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_assert_null(strstr(error->message, "new"));
    g_assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
    /* A file system that nobody writes to. */
    g_clear_error(&error);
    g_assert_false(secret_replace("/proc/self/status", "new", &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
}

static void remove_directory(void)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_remove(path);
    }
    g_rmdir(directory);
    g_free(directory);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    directory = g_dir_make_tmp("whosends-secret-XXXXXX", NULL);
    g_assert_nonnull(directory);
    g_test_add_func("/secret/places", test_places);
    g_test_add_func("/secret/credential", test_credential);
    g_test_add_func("/secret/replace", test_replace);
    int status = g_test_run();
    remove_directory();
    return status;
}
