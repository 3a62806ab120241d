#include "reports/html_file.h"

#include "parser/error.h"
#include "reports/render.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_MOST 200   /* leaves room in the 255 bytes of a file name for what stands around it */
#define LEFT_AFTER 3600 /* seconds, after which nobody writes a page any more */
#define RANDOM ".XXXXXX"

static gboolean fail(GError **error, const char *what, const char *path)
{
    int why = errno;
    g_autofree char *safe = render_safe(path);
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not %s '%s': %s", what, safe, g_strerror(why));
    return FALSE;
}

/* The temporary file of a page, ".example.com.html.Ab3dEf". */
static gboolean is_temporary(const char *name)
{
    g_autofree char *page = g_strndup(name, strlen(name) - MIN(strlen(name), strlen(RANDOM)));
    return *page == '.' && g_str_has_suffix(page, ".html") && name[strlen(page)] == '.';
}

/* What a run left that was killed. */
static void remove_left(const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        struct stat st;
        g_autofree char *path = is_temporary(name) ? g_build_filename(directory, name, NULL) : NULL;
        if (path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && time(NULL) - st.st_mtime > LEFT_AFTER)
            unlink(path);
    }
    if (dir)
        g_dir_close(dir);
}

gboolean html_directory(const char *directory, GError **error)
{
    if (g_mkdir_with_parents(directory, 0777) != 0)
        return fail(error, "make directory", directory);
    remove_left(directory);
    return TRUE;
}

gboolean html_file_open(struct html_file *file, const char *directory, const char *name, GError **error)
{
    g_autofree char *hidden = g_strdup_printf(".%s" RANDOM, name);
    file->path = g_build_filename(directory, name, NULL);
    file->temporary = g_build_filename(directory, hidden, NULL);
    int fd = g_mkstemp_full(file->temporary, O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0 && (file->out = fdopen(fd, "w")))
        return TRUE;
    fail(error, "write", file->path);
    if (fd >= 0) {
        close(fd);
        unlink(file->temporary);
    }
    g_clear_pointer(&file->path, g_free);
    g_clear_pointer(&file->temporary, g_free);
    return FALSE;
}

gboolean html_file_commit(struct html_file *file, GError **error)
{
    gboolean ok = !ferror(file->out);
    if (fclose(file->out) != 0)
        ok = FALSE;
    file->out = NULL;
    ok = ok && rename(file->temporary, file->path) == 0;
    if (ok)
        g_clear_pointer(&file->temporary, g_free);
    else
        fail(error, "write", file->path);
    html_file_drop(file);
    return ok;
}

void html_file_drop(struct html_file *file)
{
    if (file->out)
        fclose(file->out);
    file->out = NULL;
    if (file->temporary)
        unlink(file->temporary);
    g_clear_pointer(&file->temporary, g_free);
    g_clear_pointer(&file->path, g_free);
}

char *html_file_name(const char *domain)
{
    gsize plain = strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
    if (plain && !domain[plain] && plain <= NAME_MOST && *domain != '.' && domain[plain - 1] != '.' &&
        strcmp(domain, "index") != 0)
        return g_strconcat(domain, ".html", NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, domain, -1);
    return g_strconcat(sum, "..html", NULL);
}
