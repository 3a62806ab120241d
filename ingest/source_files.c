/* Files, directories, Maildirs, mboxes and standard input as one source: a list of names, made when it is
 * opened. */
#include "ingest/source_file.h"

#include "ingest/label.h"
#include "ingest/mbox.h"
#include "parser/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 64         /* directories inside of each other */
#define NO_TOKEN G_MAXUINT64 /* a mail of an mbox or of a pipe: nothing to settle */

/* What an entry of the list is: the byte in front of its name. */
enum entry {
    ENTRY_FILE = 'f',
    ENTRY_NAMED = 'n',
    ENTRY_MAILDIR = 'm',
    ENTRY_UNREADABLE = 'u',
    ENTRY_STDIN = '-'
};

struct file_source {
    struct source source;
    struct settle_rules rules; /* its strings are owned */
    struct limits limits;
    char *root;     /* names of the list are below it */
    GString *names; /* entries, each ending in NUL */
    GArray *starts; /* guint64: where each one starts */
    guint at;
    struct mbox *mbox; /* that is open, or NULL */
    char *mbox_ref;    /* what the number of its mail is put behind: "mbox:PATH" */
    guint64 mbox_number;
    gboolean mbox_is_pipe;
};

static void add(struct file_source *files, enum entry kind, const char *name)
{
    guint64 start = files->names->len;
    g_array_append_val(files->starts, start);
    g_string_append_c(files->names, (char)kind);
    g_string_append_len(files->names, name, (gssize)strlen(name) + 1);
}

static enum entry entry_at(const struct file_source *files, guint i, char **path_r)
{
    const char *entry = files->names->str + g_array_index(files->starts, guint64, i);
    *path_r = entry[1] ? g_build_filename(files->root, entry + 1, NULL) : g_strdup(files->root);
    return (enum entry)entry[0];
}

/* The list. */

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

/* Names of a directory in order, without the hidden ones unless they are wanted, each behind the byte that
 * says what it is (DT_REG); NULL when it cannot be read. */
static GPtrArray *names_of(const char *path, gboolean hidden)
{
    DIR *dir = opendir(path);
    if (!dir)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        gboolean itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (itself || (!hidden && entry->d_name[0] == '.'))
            continue;
        gsize size = strlen(entry->d_name) + 1;
        char *name = g_malloc(1 + size);
        name[0] = (char)entry->d_type;
        memcpy(name + 1, entry->d_name, size);
        g_ptr_array_add(names, name);
    }
    closedir(dir);
    g_ptr_array_sort(names, by_name);
    return names;
}

static gboolean is_same_directory(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Whether `relative`, below the root, is where files of directories above or beside it are moved to. */
static gboolean is_target(const struct file_source *files, const char *path, const char *relative)
{
    gboolean found = FALSE;
    for (guint i = 0; i < OUTCOMES && !found; i++) {
        const char *folder = files->rules.folder[i];
        if (files->rules.after[i] != AFTER_MOVE)
            continue;
        /* Without "." and "..", and with a '/' in front. */
        g_autofree char *tail = g_canonicalize_filename(folder, "/");
        g_autofree char *whole = g_strconcat("/", relative, NULL);
        found = g_path_is_absolute(folder) ? is_same_directory(path, folder) : g_str_has_suffix(whole, tail);
        /* In a Maildir: maildir_settle. */
        g_autofree char *dotted = g_strconcat("/.", folder, NULL);
        g_strdelimit(dotted + 1, "/", '.');
        found |= g_str_has_suffix(whole, dotted);
    }
    return found;
}

static void list_maildir(struct file_source *files, const char *below)
{
    static const char *const subs[] = {"cur", "new"};
    for (gsize i = 0; i < G_N_ELEMENTS(subs); i++) {
        g_autofree char *sub = g_build_filename(below, subs[i], NULL);
        g_autofree char *path = g_build_filename(files->root, sub, NULL);
        g_autoptr(GPtrArray) names = names_of(path, FALSE);
        if (!names)
            add(files, ENTRY_UNREADABLE, sub);
        for (guint n = 0; names && n < names->len; n++) {
            g_autofree char *name = g_build_filename(sub, (const char *)names->pdata[n] + 1, NULL);
            add(files, ENTRY_MAILDIR, name);
        }
    }
}

/* Not every file system tells it with the name. */
static guchar type_of(const char *directory, const char *entry)
{
    guchar type = (guchar)*entry;
    struct stat st;
    if (type != DT_UNKNOWN)
        return type;
    g_autofree char *path = g_build_filename(directory, entry + 1, NULL);
    return lstat(path, &st) == 0 ? (guchar)IFTODT(st.st_mode) : DT_UNKNOWN;
}

/* What may lie in a Maildir besides its mails: folders of a Maildir++, and directories that are not hidden.
 */
static gboolean is_below_maildir(const char *path, const char *name)
{
    static const char *const own[] = {"cur", "new", "tmp", NULL};
    g_autofree char *whole = g_build_filename(path, name, NULL);
    return name[0] == '.' ? maildir_is(whole) : !g_strv_contains(own, name);
}

/* `below` is "" for the root, which is read whatever it is; where it is a Maildir, nothing else is. Links,
 * pipes and devices are passed over. */
static void list_directory(struct file_source *files, const char *below, guint depth)
{
    g_autofree char *path = *below ? g_build_filename(files->root, below, NULL) : g_strdup(files->root);
    if (*below && is_target(files, path, below))
        return;
    gboolean maildir = maildir_is(path);
    if (maildir)
        list_maildir(files, below);
    if (maildir && depth == 0)
        return;
    g_autoptr(GPtrArray) names = depth < DEPTH_MAX ? names_of(path, maildir) : NULL;
    if (!names)
        add(files, ENTRY_UNREADABLE, below);
    for (guint i = 0; names && i < names->len; i++) {
        const char *name = (const char *)names->pdata[i] + 1;
        g_autofree char *relative = *below ? g_build_filename(below, name, NULL) : g_strdup(name);
        guchar type = type_of(path, names->pdata[i]);
        if (type == DT_REG && !maildir)
            add(files, ENTRY_FILE, relative);
        else if (type == DT_DIR && (!maildir || is_below_maildir(path, name)))
            list_directory(files, relative, depth + 1);
    }
}

/* The mails. */

/* Fills what is known of an entry before it is opened. */
static void describe(struct mail *mail, enum entry kind, const char *path, guint i)
{
    mail->token = kind == ENTRY_STDIN ? NO_TOKEN : i;
    mail->may_be_bare = kind != ENTRY_MAILDIR;
    mail->ref_is_identity = kind == ENTRY_MAILDIR;
    if (kind == ENTRY_STDIN) {
        mail->ref = g_strdup("stdin:");
        return;
    }
    g_autofree char *name = g_path_get_basename(path);
    mail->name = label_safe(name, -1, 255);
    mail->ref = kind == ENTRY_MAILDIR ? maildir_ref(path) : file_ref("file", path);
}

static int open_entry(enum entry kind, const char *path, struct mail *mail, GError **error)
{
    if (kind == ENTRY_STDIN) {
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not open standard input: %s",
                        g_strerror(errno));
        return fd;
    }
    if (kind != ENTRY_MAILDIR)
        return file_open(path, kind == ENTRY_NAMED, mail, error);
    g_autofree char *now = maildir_find(path);
    return now ? file_open(now, FALSE, mail, error) : -1;
}

static gboolean next_of_mbox(struct file_source *files, struct mail *mail, GError **error)
{
    g_autoptr(GError) refusal = NULL;
    if (!mbox_next(files->mbox, &mail->body, &refusal, error))
        return FALSE;
    mail->token = NO_TOKEN;
    mail->ref = g_strdup_printf("%s#%" G_GUINT64_FORMAT, files->mbox_ref, ++files->mbox_number);
    mail->ref_is_identity = !files->mbox_is_pipe;
    if (refusal)
        mail_refuse(mail, g_steal_pointer(&refusal));
    return TRUE;
}

static void close_mbox(struct file_source *files)
{
    g_clear_pointer(&files->mbox, mbox_close);
    g_clear_pointer(&files->mbox_ref, g_free);
}

/* One entry: TRUE when there is a mail of it, FALSE with an error, or without one when it is gone or an mbox.
 */
static gboolean take_entry(struct file_source *files, guint i, struct mail *mail, GError **error)
{
    g_autofree char *path = NULL;
    struct stat st;
    enum entry kind = entry_at(files, i, &path);
    describe(mail, kind, path, i);
    if (kind == ENTRY_UNREADABLE) {
        mail->token = NO_TOKEN;
        mail_refuse(mail, g_error_new(WS_ERROR, WS_ERROR_INPUT, "could not read the directory"));
        return TRUE;
    }
    int fd = open_entry(kind, path, mail, error);
    if (fd < 0)
        return mail->refusal_code != NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        mail->token = NO_TOKEN;
    g_autoptr(GError) failure = NULL;
    mail->body = file_body(fd, &files->limits, &failure);
    close(fd);
    /* Whoever hands a mail over keeps it as long as it was not read. */
    gboolean unread = failure && kind == ENTRY_STDIN && failure->code == WS_ERROR_INPUT;
    if (unread || (failure && failure->code == WS_ERROR_SYSTEM)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (failure)
        mail_refuse(mail, g_steal_pointer(&failure));
    if (!mail->body || kind == ENTRY_MAILDIR || !mbox_is(mail->body))
        return TRUE;
    files->mbox_is_pipe = kind == ENTRY_STDIN;
    files->mbox_ref = files->mbox_is_pipe ? g_strdup("stdin:") : file_ref("mbox", path);
    files->mbox_number = 0;
    files->mbox = mbox_open(mail->body, files->mbox_is_pipe, files->limits.message_size);
    return FALSE;
}

static gboolean files_next(struct source *source, struct mail *mail, GError **error)
{
    struct file_source *files = (struct file_source *)source;
    g_autoptr(GError) failure = NULL;
    *mail = (struct mail){0};
    while (files->mbox || files->at < files->starts->len) {
        gboolean have = files->mbox ? next_of_mbox(files, mail, &failure)
                                    : take_entry(files, files->at++, mail, &failure);
        if (have)
            return TRUE;
        gboolean opened = files->mbox && mail->body;
        mail_clear(mail);
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        if (!opened)
            close_mbox(files);
    }
    return FALSE;
}

static gboolean files_settle(struct source *source, const guint64 *tokens, const enum outcome *outcomes,
                             guint n, GError **error)
{
    struct file_source *files = (struct file_source *)source;
    for (guint i = 0; i < n; i++) {
        if (tokens[i] >= files->starts->len)
            continue;
        g_autofree char *path = NULL;
        enum entry kind = entry_at(files, (guint)tokens[i], &path);
        gboolean ok = kind == ENTRY_MAILDIR ? maildir_settle(path, &files->rules, outcomes[i], error)
                                            : file_settle(path, &files->rules, outcomes[i], error);
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

static gint64 files_remaining(struct source *source)
{
    const struct file_source *files = (const struct file_source *)source;
    return files->mbox ? -1 : (gint64)files->starts->len - files->at;
}

static void files_close(struct source *source)
{
    struct file_source *files = (struct file_source *)source;
    close_mbox(files);
    g_string_free(files->names, TRUE);
    g_array_unref(files->starts);
    g_free(files->root);
    for (guint i = 0; i < OUTCOMES; i++)
        g_free((char *)(guintptr)files->rules.folder[i]);
    g_free(files->source.description);
    g_free(files);
}

static const struct source_kind files_kind = {
    .name = "files",
    .next = files_next,
    .settle = files_settle,
    .remaining = files_remaining,
    .close = files_close,
};

static gboolean list_named(struct file_source *files, const char *path, GError **error)
{
    struct stat st;
    g_autofree char *safe = label_safe(path, -1, 1000);
    if (strcmp(path, "-") == 0) {
        files->source.description = g_strdup("standard input");
        add(files, ENTRY_STDIN, "");
        return TRUE;
    }
    if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "cannot read %s: %s", safe, g_strerror(errno));
        return FALSE;
    }
    files->source.description = g_strconcat(!S_ISDIR(st.st_mode) ? "file "
                                            : maildir_is(path)   ? "Maildir "
                                                                 : "directory ",
                                            safe, NULL);
    if (S_ISDIR(st.st_mode))
        list_directory(files, "", 0);
    else
        add(files, ENTRY_NAMED, "");
    return TRUE;
}

struct source *source_open_path(const char *path, const struct settle_rules *rules,
                                const struct limits *limits, GError **error)
{
    struct file_source *files = g_new0(struct file_source, 1);
    files->source.kind = &files_kind;
    files->rules = *rules;
    for (guint i = 0; i < OUTCOMES; i++)
        files->rules.folder[i] = g_strdup(settle_rules_folder(rules, (enum outcome)i));
    files->limits = *limits;
    files->root = g_canonicalize_filename(path, NULL);
    files->names = g_string_new(NULL);
    files->starts = g_array_new(FALSE, FALSE, sizeof(guint64));
    if (list_named(files, path, error))
        return &files->source;
    files_close(&files->source);
    return NULL;
}
