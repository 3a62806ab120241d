/* Calls a fuzz harness for each file named, and for the files in each directory named: without libFuzzer, so
 * that every seed and every past finding is a test wherever the project builds. Prints how many there were.
 */
#include "tests/fuzz/fuzz.h"

static guint replay_file(const char *path)
{
    g_autofree char *data = NULL;
    gsize size;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    /* An own block of the exact size, so that valgrind and ASan see what reads past it. */
    g_autofree guint8 *exact = g_memdup2(data, size);
    g_autofree char *note = g_strdup_printf("in %s\n", path);
    if (g_getenv("REPLAY_VERBOSE") != NULL)
        fputs(note, stderr);
    LLVMFuzzerTestOneInput(exact, size);
    return 1;
}

static guint replay(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    guint n = 0;
    const char *name;
    if (directory == NULL)
        return replay_file(path);
    while ((name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        n += replay(inner);
    }
    return n;
}

int main(int argc, char **argv)
{
    guint n = 0;
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%u\n", n);
    return 0;
}
