#include "ingest/secret.h"

#include "ingest/label.h"
#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MOST = 16384 /* access tokens are long */, PATH_SHOWN = 1024 };

void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static char *fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, WS_ERROR, WS_ERROR_CONFIG, message);
    return NULL;
}

/* What stands before the first line end. `bytes` need not end with NUL. */
static char *first_line(const char *bytes, gsize n, const char *what, GError **error)
{
    gsize length = 0;
    while (length < n && bytes[length] != '\n' && bytes[length] != '\r' && bytes[length])
        length++;
    if (!length)
        return fail(error, "cannot use %s: its first line is empty", what);
    return g_strndup(bytes, length);
}

static char *from_file(const struct secret_place *place, const char *path, gboolean guarded, GError **error)
{
    g_autofree char *safe = label_safe(path, -1, PATH_SHOWN);
    g_autofree char *what = g_strdup_printf("file '%s' of %s", safe, place->name);
    char buf[SECRET_MOST];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        fail(error, "cannot read %s: %s", what, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *secret = NULL;
    if (!guarded && (st.st_mode & 077)) {
        fail(error, "cannot use %s: others than its owner may read or write it\nhint: chmod 600 it", what);
    } else {
        gssize n = read(fd, buf, sizeof buf);
        secret = n < 0 ? fail(error, "cannot read %s: %s", what, g_strerror(errno))
                       : first_line(buf, (gsize)n, what, error);
        explicit_bzero(buf, sizeof buf);
    }
    close(fd);
    return secret;
}

static char *from_command(const struct secret_place *place, GError **error)
{
    char shell[] = "/bin/sh", option[] = "-c";
    g_autofree char *line = g_strdup(place->command);
    g_autofree char *what = g_strdup_printf("the output of %s_command", place->name);
    char *argv[] = {shell, option, line, NULL};
    char *output = NULL, *secret = NULL;
    int status = 0;
    g_autoptr(GError) broken = NULL;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &broken) ||
        !g_spawn_check_wait_status(status, &broken))
        fail(error, "cannot use %s_command: %s", place->name, broken->message);
    else
        secret = first_line(output, strlen(output), what, error);
    secret_free(output);
    return secret;
}

/* The path of the systemd credential when it is there, else NULL. Owned by the caller. */
static char *credential_path(const struct secret_place *place)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    char *path = directory && place->credential ? g_build_filename(directory, place->credential, NULL) : NULL;
    if (path && !g_file_test(path, G_FILE_TEST_EXISTS))
        g_clear_pointer(&path, g_free);
    return path;
}

gboolean secret_is_set(const struct secret_place *place)
{
    g_autofree char *credential = credential_path(place);
    return place->text || place->file || place->command || credential;
}

char *secret_get(const struct secret_place *place, GError **error)
{
    g_autofree char *credential = credential_path(place);
    guint places = (place->text ? 1u : 0u) + (place->file ? 1u : 0u) + (place->command ? 1u : 0u);
    if (places > 1)
        return fail(error, "more than one of %s, %s_file and %s_command is set", place->name, place->name,
                    place->name);
    if (place->text)
        return g_strdup(place->text);
    if (place->file)
        return from_file(place, place->file, FALSE, error);
    if (place->command)
        return from_command(place, error);
    /* What systemd hands over is guarded by systemd, whatever its mode. */
    return credential ? from_file(place, credential, TRUE, error) : NULL;
}

/* --- a secret that changes --- */

int secret_lock(const char *path)
{
    struct stat opened, named;
    for (;;) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -1;
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        /* It may have been replaced while we waited. */
        if (fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev)
            return fd;
        close(fd);
    }
}

/* Fills the new file, which belongs to whom the old one belongs to. */
static gboolean fill(int fd, const struct stat *old, const char *secret)
{
    gsize length = strlen(secret);
    if (old->st_uid != geteuid() || old->st_gid != getegid()) {
        if (fchown(fd, old->st_uid, old->st_gid) != 0)
            return FALSE;
    }
    return fchmod(fd, old->st_mode & 07777) == 0 && write(fd, secret, length) == (gssize)length &&
           write(fd, "\n", 1) == 1 && fsync(fd) == 0;
}

/* So that the new name is on the disk, too. */
static void sync_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

gboolean secret_replace(const char *path, const char *secret, GError **error)
{
    char *real = realpath(path, NULL); /* a symbolic link stays one */
    g_autofree char *new = g_strconcat(real ? real : path, ".XXXXXX", NULL);
    struct stat old;
    int fd = real && stat(real, &old) == 0 ? mkostemp(new, O_CLOEXEC) : -1;
    gboolean ok = fd >= 0 && fill(fd, &old, secret) && rename(new, real) == 0;
    if (!ok) {
        g_autofree char *safe = label_safe(path, -1, PATH_SHOWN);
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write '%s': %s", safe, g_strerror(errno));
        if (fd >= 0)
            unlink(new);
    }
    if (fd >= 0)
        close(fd);
    if (ok)
        sync_directory(real);
    free(real);
    return ok;
}
