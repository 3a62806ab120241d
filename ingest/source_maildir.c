/* Maildir: https://cr.yp.to/proto/maildir.html, folders by Maildir++. */
#include "ingest/source_file.h"

#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean is_directory(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

gboolean maildir_is(const char *directory)
{
    g_autofree char *cur = g_build_filename(directory, "cur", NULL);
    g_autofree char *new = g_build_filename(directory, "new", NULL);
    return is_directory(cur) && is_directory(new);
}

/* Length of the unique part of a name: what is in front of ":2,FLAGS". */
static gsize unique_length(const char *name)
{
    return strcspn(name, ":");
}

char *maildir_ref(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *sub = g_path_get_dirname(path);
    g_autofree char *directory = g_path_get_dirname(sub);
    name[unique_length(name)] = '\0';
    g_autofree char *plain = g_build_filename(directory, name, NULL);
    return file_ref("maildir", plain);
}

char *maildir_find(const char *path)
{
    if (access(path, F_OK) == 0)
        return g_strdup(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *sub = g_path_get_dirname(path);
    g_autofree char *directory = g_path_get_dirname(sub);
    gsize n = unique_length(name);
    static const char *const subs[] = {"cur", "new"};
    for (gsize i = 0; i < G_N_ELEMENTS(subs); i++) {
        g_autofree char *where = g_build_filename(directory, subs[i], NULL);
        g_autoptr(GDir) dir = g_dir_open(where, 0, NULL);
        const char *entry;
        while (dir && (entry = g_dir_read_name(dir))) {
            if (unique_length(entry) == n && strncmp(entry, name, n) == 0)
                return g_build_filename(where, entry, NULL);
        }
    }
    return NULL;
}

/* The name as it has to be in cur/, with S (seen) among its flags, which stand in ASCII order, when wanted.
 */
static char *name_for_cur(const char *name, gboolean seen)
{
    const char *info = strstr(name, ":2,");
    const char *flags = info ? info + 3 : "";
    gsize before = strspn(flags, "ABCDEFGHIJKLMNOPQR");
    gboolean add = seen && !strchr(flags, 'S');
    return g_strdup_printf("%.*s:2,%.*s%s%s", (int)unique_length(name), name, (int)before, flags,
                           add ? "S" : "", flags + before);
}

static gboolean make_directory(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not create %s: %s", path, g_strerror(errno));
    return FALSE;
}

/* DIR/.Processed; beside a folder that is one of a Maildir++ itself, in that Maildir. */
static char *folder_path(const char *directory, const char *folder)
{
    g_autofree char *base = g_path_get_basename(directory);
    g_autofree char *parent = g_path_get_dirname(directory);
    g_autofree char *name = g_strconcat(".", folder, NULL);
    g_strdelimit(name + 1, "/", '.');
    return g_build_filename(base[0] == '.' && maildir_is(parent) ? parent : directory, name, NULL);
}

static gboolean make_folder(const char *folder, GError **error)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    if (maildir_is(folder))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(subs); i++) {
        g_autofree char *sub = g_build_filename(folder, subs[i], NULL);
        if (!make_directory(sub, error))
            return FALSE;
    }
    /* Maildir++ wants this mark in a folder. */
    g_autofree char *mark = g_build_filename(folder, "maildirfolder", NULL);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return TRUE;
}

gboolean maildir_settle(const char *path, const struct settle_rules *rules, enum outcome outcome,
                        GError **error)
{
    enum after after = rules->after[outcome];
    if (after == AFTER_LEAVE)
        return TRUE;
    g_autofree char *now = maildir_find(path);
    if (!now)
        return TRUE;
    if (after == AFTER_DELETE) {
        if (unlink(now) == 0 || errno == ENOENT)
            return TRUE;
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not delete %s: %s", now, g_strerror(errno));
        return FALSE;
    }
    g_autofree char *name = g_path_get_basename(now);
    g_autofree char *sub = g_path_get_dirname(now);
    g_autofree char *directory = g_path_get_dirname(sub);
    g_autofree char *settled = name_for_cur(name, after == AFTER_FLAG);
    if (after == AFTER_FLAG) {
        g_autofree char *own = g_build_filename(directory, "cur", NULL);
        return file_move(now, own, settled, error);
    }
    g_autofree char *folder = folder_path(directory, settle_rules_folder(rules, outcome));
    g_autofree char *cur = g_build_filename(folder, "cur", NULL);
    return make_folder(folder, error) && file_move(now, cur, settled, error);
}
