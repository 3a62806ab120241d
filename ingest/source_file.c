#include "ingest/source_file.h"

#include "ingest/content.h"
#include "ingest/label.h"
#include "ingest/mbox.h"
#include "parser/error.h"
#include "parser/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_MEMORY ((guint64)1024 * 1024)
#define PATH_TEXT 4096
#define TRIES 1000 /* names that file_move thinks of */
#define COPIED_AT_ONCE ((gsize)1024 * 1024)

char *file_ref(const char *kind, const char *path)
{
    g_autofree char *safe = label_safe(path, -1, PATH_TEXT);
    return g_strconcat(kind, ":", safe, NULL);
}

void mail_refuse(struct mail *mail, GError *error)
{
    mail->refusal_code = error->code == WS_ERROR_LIMIT ? "limit" : "unreadable";
    mail->refusal = g_strdup(error->message);
    g_error_free(error);
}

int file_open(const char *path, gboolean follow, struct mail *mail, GError **error)
{
    /* O_NONBLOCK: a pipe that lies around in a directory must not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 &&
        (S_ISREG(st.st_mode) || (follow && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))))
        return fd;
    int reason = errno;
    if (fd >= 0) {
        close(fd);
        return -1;
    }
    if (reason == ENOENT || reason == ELOOP)
        return -1;
    if (reason == EMFILE || reason == ENFILE || reason == ENOMEM)
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not open a file: %s", g_strerror(reason));
    else
        mail_refuse(mail,
                    g_error_new(WS_ERROR, WS_ERROR_INPUT, "could not open the file: %s", g_strerror(reason)));
    return -1;
}

/* The limit for what starts so: reports may be larger than mails, and an mbox has one for each mail in it. */
static guint64 limit_for(const guint8 *start, gsize n, const struct limits *limits, const char **name_r)
{
    switch (content_sniff(start, n, NULL)) {
    case CONTENT_XML:
    case CONTENT_JSON:
        *name_r = "unpacked_size";
        return limits->unpacked_size;
    case CONTENT_GZIP:
    case CONTENT_ZIP:
        *name_r = "attachment_size";
        return limits->attachment_size;
    case CONTENT_EMPTY:
    case CONTENT_OLE:
    case CONTENT_TNEF:
    case CONTENT_PKCS7:
    case CONTENT_OTHER_ARCHIVE:
    case CONTENT_FEEDBACK:
    case CONTENT_MAIL:
    case CONTENT_OTHER:
        break;
    }
    *name_r = "message_size";
    return mbox_starts(start, n) ? G_MAXINT64 : limits->message_size;
}

/* Reads until n bytes are there or the end is. */
static gssize read_full(int fd, void *buf, gsize n, GError **error)
{
    gsize have = 0;
    while (have < n) {
        ssize_t got = read(fd, (char *)buf + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "could not read the file: %s", g_strerror(errno));
            return -1;
        }
        if (got == 0)
            break;
        have += (gsize)got;
    }
    return (gssize)have;
}

static struct blob *body_of_pipe(int fd, const struct limits *limits, GError **error)
{
    guint8 buf[65536];
    const char *name = NULL;
    gssize got = read_full(fd, buf, sizeof buf, error);
    if (got < 0)
        return NULL;
    struct spool *spool = spool_new(limit_for(buf, (gsize)got, limits, &name), name);
    while (got > 0) {
        if (!spool_add(spool, buf, (gsize)got, error)) {
            spool_free(spool);
            return NULL;
        }
        got = read_full(fd, buf, sizeof buf, error);
    }
    if (got == 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}

struct blob *file_body(int fd, const struct limits *limits, GError **error)
{
    struct stat st;
    guint8 start[CONTENT_SNIFF];
    const char *name = NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return body_of_pipe(fd, limits, error);
    guint64 size = (guint64)st.st_size;
    if (size <= MIN(IN_MEMORY, limits->message_size)) {
        guint8 *data = g_malloc((gsize)size + 1);
        gssize got = read_full(fd, data, (gsize)size, error);
        g_autoptr(GBytes) bytes = g_bytes_new_take(data, got < 0 ? 0 : (gsize)got);
        return got < 0 ? NULL : blob_new_bytes(bytes);
    }
    ssize_t got = pread(fd, start, sizeof start, 0);
    guint64 limit = limit_for(start, got < 0 ? 0 : (gsize)got, limits, &name);
    if (size <= limit)
        return blob_new_fd(fd, 0, size, error);
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit %s: more than %" G_GUINT64_FORMAT " bytes", name,
                limit);
    return NULL;
}

static gboolean fail(GError **error, const char *what, const char *path, int reason)
{
    g_autofree char *safe = label_safe(path, -1, PATH_TEXT);
    g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not %s %s: %s", what, safe, g_strerror(reason));
    return FALSE;
}

/* Not every file system knows RENAME_NOREPLACE. */
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (access(to, F_OK) == 0)
        return EEXIST;
    return rename(from, to) == 0 ? 0 : errno;
}

/* Renames to the first name that is not taken: 0 and the path, owned by the caller, or an errno. */
static int rename_free(const char *from, const char *directory, const char *name, char **to_r)
{
    const char *info = strstr(name, ":2,");
    int stem = (int)(info ? (gsize)(info - name) : strlen(name));
    int reason = EEXIST;
    for (guint i = 0; i < TRIES && reason == EEXIST; i++) {
        g_autofree char *numbered =
            i ? g_strdup_printf("%.*s.%u%s", stem, name, i, info ? info : "") : g_strdup(name);
        g_autofree char *to = g_build_filename(directory, numbered, NULL);
        gboolean there = strcmp(from, to) == 0;
        step("moving a file");
        reason = there ? 0 : rename_new(from, to);
        step("a file was moved");
        if (reason == 0)
            *to_r = g_steal_pointer(&to);
    }
    return reason;
}

/* Down to the disk, and with its owner, mode and times where they can be kept: 0 or an errno. */
static int copy_file(int from, int to)
{
    struct stat st;
    ssize_t n;
    if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
        return EXDEV;
    do
        n = sendfile(to, from, NULL, COPIED_AT_ONCE);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return errno;
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    gboolean kept = fchown(to, st.st_uid, st.st_gid) == 0 && fchmod(to, st.st_mode & 0777) == 0;
    kept = futimens(to, times) == 0 && kept;
    (void)kept;
    return fsync(to) == 0 ? 0 : errno;
}

static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Moves to another file system, by way of a hidden copy: 0 or an errno, and then nothing was changed. */
static int carry(const char *path, const char *directory, const char *name)
{
    g_autofree char *copy = g_build_filename(directory, ".whosends-XXXXXX", NULL), *to = NULL;
    int in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (in < 0)
        return errno;
    int out = g_mkstemp_full(copy, O_WRONLY | O_CLOEXEC, 0600);
    int reason = out < 0 ? errno : copy_file(in, out);
    close(in);
    if (out < 0)
        return reason;
    if (close(out) != 0 && !reason)
        reason = errno;
    if (!reason)
        reason = rename_free(copy, directory, name, &to);
    if (!reason)
        sync_directory(directory);
    /* It may have been moved meanwhile by another run. */
    if (!reason && unlink(path) != 0)
        reason = errno;
    if (reason)
        unlink(to ? to : copy);
    return reason;
}

gboolean file_move(const char *path, const char *directory, const char *name, GError **error)
{
    g_autofree char *to = NULL;
    int reason = rename_free(path, directory, name, &to);
    if (reason == EXDEV)
        reason = carry(path, directory, name);
    /* ENOENT: it is gone, or the folder is. */
    return reason == 0 || (reason == ENOENT && access(path, F_OK) != 0) || fail(error, "move", path, reason);
}

gboolean file_settle(const char *path, const struct settle_rules *rules, enum outcome outcome, GError **error)
{
    enum after after = rules->after[outcome];
    if (after == AFTER_DELETE)
        return unlink(path) == 0 || errno == ENOENT || fail(error, "delete", path, errno);
    if (after != AFTER_MOVE)
        return TRUE;
    const char *folder = settle_rules_folder(rules, outcome);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *beside = g_path_get_dirname(path);
    g_autofree char *directory = g_canonicalize_filename(folder, beside);
    if (access(path, F_OK) != 0)
        return TRUE;
    if (g_mkdir_with_parents(directory, 0700) != 0)
        return fail(error, "create", directory, errno);
    return file_move(path, directory, name, error);
}
