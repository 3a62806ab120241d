#include "db/server_process.h"

#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_MOST (1024 * 1024) /* a larger log is begun anew at the next start */
#define LAST_LINES 3

/* English messages, nothing of ours that a server would take for settings. */
static char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/", "TZ=UTC", NULL};

static void user_from(struct server_user *user, const struct passwd *entry)
{
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    g_strlcpy(user->name, entry->pw_name, sizeof user->name);
}

gboolean server_user_find(const char *data, struct server_user *user_r, GError **error)
{
    struct stat st;
    const struct passwd *entry;
    gboolean there = stat(data, &st) == 0;
    user_r->drop = geteuid() == 0;
    if (!user_r->drop) {
        user_r->uid = geteuid();
        user_r->gid = getegid();
        g_strlcpy(user_r->name, g_get_user_name(), sizeof user_r->name);
        if (!there || st.st_uid == user_r->uid)
            return TRUE;
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot use the private database in %s: it belongs to another user", data);
        return FALSE;
    }
    if (there && st.st_uid != 0)
        entry = getpwuid(st.st_uid);
    else if (!(entry = getpwnam("postgres")))
        entry = getpwnam("nobody");
    if (entry && entry->pw_uid != 0) {
        user_from(user_r, entry);
        return TRUE;
    }
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                "cannot run a private database as root: there is neither a user \"postgres\" nor \"nobody\" "
                "to run it as");
    return FALSE;
}

/* In the child. A server that stays root by mistake must not start. */
static void become(const struct server_user *user)
{
    if (user->drop && (setgroups(0, NULL) || setgid(user->gid) || setuid(user->uid) || setuid(0) == 0))
        _exit(126);
    umask(077);
}

gboolean server_user_reaches(const struct server_user *user, const char *directory)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        become(user);
        _exit(access(directory, X_OK | W_OK) ? 1 : 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The last few lines that say something, joined by " / ". */
static char *last_lines_of(const char *text)
{
    g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint n = g_strv_length(lines); n && kept->len < LAST_LINES; n--)
        if (*g_strstrip(lines[n - 1]))
            g_ptr_array_insert(kept, 0, lines[n - 1]);
    g_ptr_array_add(kept, NULL);
    g_autofree char *joined = g_strjoinv(" / ", (char **)kept->pdata);
    char *valid = g_utf8_make_valid(joined, -1);
    for (char *p = valid; *p; p++)
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    return valid;
}

char *server_last_lines(const char *path)
{
    char buffer[4096];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        off_t size = lseek(fd, 0, SEEK_END);
        n = pread(fd, buffer, sizeof buffer - 1, MAX(size - (off_t)sizeof buffer + 1, 0));
        close(fd);
    }
    buffer[MAX(n, 0)] = '\0';
    return last_lines_of(buffer);
}

struct child {
    const struct server_user *user;
    const char *log; /* or NULL */
    int input;       /* or -1 */
};

static void set_up(gpointer data)
{
    const struct child *child = data;
    become(child->user);
    if (child->input >= 0 && dup2(child->input, STDIN_FILENO) < 0)
        _exit(126);
    if (!child->log)
        return;
    struct stat st;
    int reset = stat(child->log, &st) == 0 && st.st_size > LOG_MOST ? O_TRUNC : 0;
    int fd = open(child->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | reset, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    setsid();
}

/* A descriptor from which `text` (well under the size of a pipe) can be read; -1 for none. */
static int input_of(const char *text)
{
    int ends[2];
    if (!text || pipe2(ends, O_CLOEXEC))
        return -1;
    if (write(ends[1], text, strlen(text)) < 0)
        g_debug("could not fill a pipe: %s", g_strerror(errno));
    close(ends[1]);
    return ends[0];
}

gboolean server_run(const struct server_user *user, const char *what, char **argv, const char *input,
                    GError **error)
{
    struct child child = {user, NULL, input_of(input)};
    g_autofree char *out = NULL, *err = NULL;
    g_autoptr(GError) reason = NULL;
    int status = 0;
    gboolean ran =
        g_spawn_sync("/", argv, environment, G_SPAWN_DEFAULT, set_up, &child, &out, &err, &status, &reason);
    if (child.input >= 0)
        close(child.input);
    if (ran && g_spawn_check_wait_status(status, &reason))
        return TRUE;
    g_autofree char *said = last_lines_of(err && *err ? err : out ? out : "");
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "could not %s: %s: %s", what, argv[0],
                *said ? said : reason->message);
    return FALSE;
}

gboolean server_spawn(const struct server_user *user, char **argv, const char *log, GPid *pid_r,
                      GError **error)
{
    struct child child = {user, log, -1};
    g_autoptr(GError) reason = NULL;
    if (g_spawn_async("/", argv, environment, G_SPAWN_DEFAULT, set_up, &child, pid_r, &reason))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "could not start %s: %s", argv[0], reason->message);
    return FALSE;
}

/* The lines of postmaster.pid: pid, data directory, start, port, socket directory, address, shared memory,
 * state. */
static GStrv read_pid_file(const char *data)
{
    g_autofree char *path = g_build_filename(data, "postmaster.pid", NULL);
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strsplit(text, "\n", -1) : NULL;
}

/* A server and its children work in their data directory; a process that got a dead one's number does not,
 * and neither does a dead one that nobody has waited for. */
static gboolean works_in(const char *pid, const struct stat *data)
{
    struct stat its;
    g_autofree char *cwd = g_strconcat("/proc/", pid, "/cwd", NULL);
    return stat(cwd, &its) == 0 && its.st_dev == data->st_dev && its.st_ino == data->st_ino;
}

pid_t server_pid(const char *data)
{
    g_auto(GStrv) lines = read_pid_file(data);
    gint64 pid = lines && lines[0] ? g_ascii_strtoll(lines[0], NULL, 10) : 0;
    struct stat st;
    if (pid < 2 || pid > G_MAXINT32 || stat(data, &st))
        return 0;
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    return works_in(number, &st) ? (pid_t)pid : 0;
}

gboolean server_in_use(const char *data)
{
    struct stat st;
    gboolean found = FALSE;
    GDir *proc = stat(data, &st) == 0 ? g_dir_open("/proc", 0, NULL) : NULL;
    if (!proc)
        return TRUE; /* cannot tell */
    for (const char *name; !found && (name = g_dir_read_name(proc));)
        found = g_ascii_isdigit(*name) && works_in(name, &st);
    g_dir_close(proc);
    return found;
}

gboolean server_ready(const char *data)
{
    g_auto(GStrv) lines = read_pid_file(data);
    return lines && g_strv_length(lines) >= 8 && g_str_has_prefix(lines[7], "ready");
}

char *server_sockets(const char *data)
{
    g_auto(GStrv) lines = read_pid_file(data);
    return lines && g_strv_length(lines) >= 5 && *lines[4] ? g_strdup(lines[4]) : NULL;
}
