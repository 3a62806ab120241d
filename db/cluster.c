#include "db/cluster.h"

#include "db/conn.h"
#include "db/server_process.h"
#include "parser/error.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT "5432"
#define SOCKET_NAME "/.s.PGSQL." PORT
#define OLDEST 15
#define WAIT_SECONDS 60
#define ORPHAN_SECONDS 5 /* what a lost server's children need to notice */
#define DEBIAN_ROOT "/usr/lib/postgresql"

/* DIRECTORY/            ours: lock, socket (where the socket is, when not below)
 * DIRECTORY/postgresql/ the server user's: data/, log, run/ (the socket) */
struct cluster {
    char *directory, *home, *data, *log, *sockets, *bin;
    struct server_user user;
    int lock;
};

static void clear(struct cluster *cluster)
{
    if (cluster->lock >= 0)
        close(cluster->lock);
    g_free(cluster->directory);
    g_free(cluster->home);
    g_free(cluster->data);
    g_free(cluster->log);
    g_free(cluster->sockets);
    g_free(cluster->bin);
}

char *cluster_default_directory(void)
{
    return geteuid() == 0 ? g_strdup("/var/lib/whosends")
                          : g_build_filename(g_get_user_data_dir(), "whosends", NULL);
}

static gboolean system_error(const char *what, const char *path, GError **error)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not %s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

static gboolean init(struct cluster *cluster, const char *directory, GError **error)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->lock = -1;
    cluster->directory = g_canonicalize_filename(directory, NULL);
    cluster->home = g_build_filename(cluster->directory, "postgresql", NULL);
    cluster->data = g_build_filename(cluster->home, "data", NULL);
    cluster->log = g_build_filename(cluster->home, "log", NULL);
    return server_user_find(cluster->data, &cluster->user, error);
}

/* One at a time, from looking to running. */
static gboolean lock(struct cluster *cluster, GError **error)
{
    g_autofree char *path = g_build_filename(cluster->directory, "lock", NULL);
    cluster->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (cluster->lock < 0)
        return system_error("open", path, error);
    while (flock(cluster->lock, LOCK_EX))
        if (errno != EINTR)
            return system_error("lock", path, error);
    return TRUE;
}

/* Makes a directory for the server user alone. */
static gboolean make_private(const struct cluster *cluster, const char *path, GError **error)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return system_error("make", path, error);
    struct stat st;
    if (lstat(path, &st))
        return system_error("look at", path, error);
    if (S_ISDIR(st.st_mode) && st.st_uid == cluster->user.uid)
        return TRUE;
    if (!S_ISDIR(st.st_mode) || !cluster->user.drop || st.st_uid != 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot use %s for the private database: it belongs to somebody else", path);
        return FALSE;
    }
    return lchown(path, cluster->user.uid, cluster->user.gid) == 0 || system_error("give away", path, error);
}

static gboolean make_directories(const struct cluster *cluster, GError **error)
{
    /* Others only pass through: what is below is private. */
    if (g_mkdir_with_parents(cluster->directory, cluster->user.drop ? 0711 : 0700))
        return system_error("make", cluster->directory, error);
    if (!make_private(cluster, cluster->home, error))
        return FALSE;
    if (server_user_reaches(&cluster->user, cluster->home))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                "cannot run the private database in %s: as root it is run by user \"%s\", who cannot enter "
                "that directory: name "
                "another one, such as /var/lib/whosends, or let others pass (chmod o+x) through all "
                "directories above it",
                cluster->directory, cluster->user.name);
    return FALSE;
}

/* ---- which server programs ---- */

static gboolean has_server(const char *bin)
{
    g_autofree char *initdb = g_build_filename(bin, "initdb", NULL);
    g_autofree char *postgres = g_build_filename(bin, "postgres", NULL);
    return g_file_test(initdb, G_FILE_TEST_IS_EXECUTABLE) && g_file_test(postgres, G_FILE_TEST_IS_EXECUTABLE);
}

/* "postgres (PostgreSQL) 15.20 (Debian ...)": 15 */
static int server_major(const char *bin)
{
    g_autofree char *postgres = g_build_filename(bin, "postgres", NULL);
    g_autofree char *out = NULL;
    char *argv[] = {postgres, "--version", NULL};
    if (!g_spawn_sync("/", argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, NULL, NULL) ||
        !out)
        return 0;
    const char *number = strpbrk(out, "0123456789");
    return number ? (int)g_ascii_strtoll(number, NULL, 10) : 0;
}

/* pg_config's directory, or that of initdb in PATH; NULL for none. */
static char *elsewhere(void)
{
    g_autofree char *out = NULL;
    char *argv[] = {"pg_config", "--bindir", NULL};
    if (g_spawn_sync("/", argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
                     NULL, NULL, NULL) &&
        out && has_server(g_strchomp(out)))
        return g_steal_pointer(&out);
    g_autofree char *initdb = g_find_program_in_path("initdb");
    g_autofree char *bin = initdb ? g_path_get_dirname(initdb) : NULL;
    return bin && has_server(bin) ? g_steal_pointer(&bin) : NULL;
}

/* The newest installed, or exactly `wanted` where that is not 0. Owned by the caller; NULL for none. */
static char *find_server(int wanted, int *newest_r)
{
    GDir *dir = g_dir_open(DEBIAN_ROOT, 0, NULL);
    char *found = NULL;
    int best = 0;
    *newest_r = 0;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        int major = (int)g_ascii_strtoll(name, NULL, 10);
        g_autofree char *bin = g_build_filename(DEBIAN_ROOT, name, "bin", NULL);
        if (major < OLDEST || !has_server(bin))
            continue;
        *newest_r = MAX(*newest_r, major);
        if (major > best && (!wanted || wanted == major)) {
            g_free(found);
            found = g_steal_pointer(&bin);
            best = major;
        }
    }
    if (dir)
        g_dir_close(dir);
    if (found)
        return found;
    g_autofree char *bin = elsewhere();
    int major = bin ? server_major(bin) : 0;
    *newest_r = MAX(*newest_r, major);
    return major >= OLDEST && (!wanted || wanted == major) ? g_steal_pointer(&bin) : NULL;
}

/* Finds the programs that fit the data. */
static gboolean choose_server(struct cluster *cluster, int data_major, GError **error)
{
    int newest;
    cluster->bin = find_server(data_major, &newest);
    if (cluster->bin)
        return TRUE;
    if (!newest)
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot find the server programs of PostgreSQL %d or later: install them (Debian: apt "
                    "install postgresql) or "
                    "name a database of your own",
                    OLDEST);
    else if (data_major)
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot start the private database in %s: its files are of PostgreSQL %d, and that is "
                    "not installed (the newest "
                    "is %d): install version %d again, then move the data with pg_dump or pg_upgrade",
                    cluster->directory, data_major, newest, data_major);
    else
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "cannot use PostgreSQL %d for a private database: %d or later is needed", newest, OLDEST);
    return FALSE;
}

/* The major version of the data; 0 when there are none, -1 with an error. */
static int data_version(const struct cluster *cluster, GError **error)
{
    g_autofree char *path = g_build_filename(cluster->data, "PG_VERSION", NULL);
    g_autofree char *text = NULL;
    if (!g_file_test(cluster->data, G_FILE_TEST_EXISTS))
        return 0;
    gint64 major = g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoll(text, NULL, 10) : 0;
    if (major > 0 && major < 1000)
        return (int)major;
    g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                "cannot use the private database in %s: %s cannot be read or holds no version",
                cluster->directory, path);
    return -1;
}

/* ---- where the socket is ---- */

/* sun_path is short, and libpq and the server take a comma for the end of a name. */
static gboolean socket_fits(const char *directory)
{
    struct sockaddr_un address;
    return strlen(directory) + strlen(SOCKET_NAME) < sizeof address.sun_path && !strchr(directory, ',');
}

/* Nobody else can have put a socket there. */
static gboolean is_private(const struct cluster *cluster, const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == cluster->user.uid &&
           !(st.st_mode & 077);
}

/* A fresh directory outside, remembered in a file. */
static gboolean make_sockets_outside(struct cluster *cluster, const char *memory, GError **error)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    gboolean usable =
        runtime && g_path_is_absolute(runtime) && !cluster->user.drop && access(runtime, W_OK | X_OK) == 0;
    g_autofree char *path = g_build_filename(usable ? runtime : "/tmp", "whosends-XXXXXX", NULL);
    g_autoptr(GError) reason = NULL;
    if (usable && !socket_fits(path)) {
        g_free(path);
        path = g_strdup("/tmp/whosends-XXXXXX");
    }
    if (!g_mkdtemp(path))
        return system_error("make", path, error);
    if (!make_private(cluster, path, error))
        return FALSE;
    if (!g_file_set_contents(memory, path, -1, &reason)) {
        rmdir(path);
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write %s: %s", memory, reason->message);
        return FALSE;
    }
    cluster->sockets = g_steal_pointer(&path);
    return TRUE;
}

static gboolean find_sockets(struct cluster *cluster, GError **error)
{
    g_autofree char *memory = g_build_filename(cluster->directory, "socket", NULL);
    cluster->sockets = g_build_filename(cluster->home, "run", NULL);
    if (socket_fits(cluster->sockets))
        return make_private(cluster, cluster->sockets, error);
    g_clear_pointer(&cluster->sockets, g_free);
    if (g_file_get_contents(memory, &cluster->sockets, NULL, NULL) && is_private(cluster, cluster->sockets))
        return TRUE;
    g_clear_pointer(&cluster->sockets, g_free);
    return make_sockets_outside(cluster, memory, error);
}

/* Where the running server has them. */
static gboolean take_sockets(struct cluster *cluster, GError **error)
{
    cluster->sockets = server_sockets(cluster->data);
    if (cluster->sockets && is_private(cluster, cluster->sockets))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN,
                "could not reach the private database in %s: it runs, but the directory of its socket, %s, "
                "is gone or open to others",
                cluster->directory, cluster->sockets ? cluster->sockets : "unknown");
    return FALSE;
}

/* ---- making, starting, stopping ---- */

/* Made beside its place and moved there when it is whole. */
static gboolean make_data(struct cluster *cluster, GError **error)
{
    g_autofree char *fresh = g_strconcat(cluster->data, ".new", NULL);
    g_autofree char *initdb = g_build_filename(cluster->bin, "initdb", NULL);
    g_autofree char *postgres = g_build_filename(cluster->bin, "postgres", NULL);
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    char *clear_up[] = {"/bin/rm", "-rf", "--", fresh, NULL};
    char *make[] = {initdb,
                    "-D",
                    fresh,
                    "-U",
                    "whosends",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--data-checksums",
                    utf8 ? "--locale=C.UTF-8" : "--locale=C",
                    NULL};
    char *add[] = {postgres, "--single", "-D", fresh, "template1", NULL};
    if (utf8)
        freelocale(utf8);
    if (!server_run(&cluster->user, "clear up an unfinished private database", clear_up, NULL, error) ||
        !server_run(&cluster->user, "make the private database", make, NULL, error) ||
        !server_run(&cluster->user, "make the private database", add, "CREATE DATABASE whosends\n", error))
        return FALSE;
    return rename(fresh, cluster->data) == 0 || system_error("rename", fresh, error);
}

static gboolean could_not_start(const struct cluster *cluster, GError **error)
{
    g_autofree char *said = server_last_lines(cluster->log);
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN,
                "could not start the private database in %s: %s (more in %s)", cluster->directory,
                *said ? said : "no reason was given", cluster->log);
    return FALSE;
}

/* Waits until it takes connections; `pid` is a process of ours that must live as long. */
static gboolean wait_ready(const struct cluster *cluster, pid_t pid, GError **error)
{
    gint64 until = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
    while (g_get_monotonic_time() < until) {
        if (server_pid(cluster->data) == pid && server_ready(cluster->data))
            return TRUE;
        if (kill(pid, 0) && errno == ESRCH)
            break;
        g_usleep(10 * 1000);
    }
    return could_not_start(cluster, error);
}

/* After a crash the server itself clears up, but not where the dead one's number belongs to another process
 * by now or the dead one has not been waited for, as happens in containers. Only when nobody at all works on
 * the data. */
static void clear_stale(const struct cluster *cluster)
{
    g_autofree char *pid_file = g_build_filename(cluster->data, "postmaster.pid", NULL);
    g_autofree char *socket = g_strconcat(cluster->sockets, SOCKET_NAME, NULL);
    g_autofree char *socket_lock = g_strconcat(socket, ".lock", NULL);
    gint64 until = g_get_monotonic_time() + ORPHAN_SECONDS * G_USEC_PER_SEC;
    if (!g_file_test(pid_file, G_FILE_TEST_EXISTS) && !g_file_test(socket_lock, G_FILE_TEST_EXISTS))
        return;
    while (server_in_use(cluster->data) && g_get_monotonic_time() < until)
        g_usleep(20 * 1000);
    if (server_in_use(cluster->data))
        return;
    unlink(pid_file);
    unlink(socket_lock);
    unlink(socket);
}

static gboolean start(const struct cluster *cluster, GError **error)
{
    clear_stale(cluster);
    g_autofree char *postgres = g_build_filename(cluster->bin, "postgres", NULL);
    g_auto(GStrv) pieces = g_strsplit(cluster->sockets, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", pieces);
    g_autofree char *sockets = g_strdup_printf("unix_socket_directories=\"%s\"", doubled);
    /* Settings travel with the start, so that a newer program changes them without touching files of the
     * server's. */
    char *argv[] = {postgres,
                    "-D",
                    cluster->data,
                    "-c",
                    sockets,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "port=" PORT,
                    "-c",
                    "unix_socket_permissions=0700",
                    "-c",
                    "max_connections=100",
                    "-c",
                    "shared_buffers=128MB",
                    "-c",
                    "wal_level=minimal",
                    "-c",
                    "max_wal_senders=0",
                    "-c",
                    "max_wal_size=512MB",
                    "-c",
                    "wal_compression=on",
                    "-c",
                    "log_checkpoints=off",
                    "-c",
                    "timezone=UTC",
                    "-c",
                    "log_timezone=UTC",
                    NULL};
    GPid pid;
    return server_spawn(&cluster->user, argv, cluster->log, &pid, error) && wait_ready(cluster, pid, error);
}

static gboolean ensure(struct cluster *cluster, GError **error)
{
    if (!make_directories(cluster, error) || !lock(cluster, error))
        return FALSE;
    pid_t pid = server_pid(cluster->data);
    if (pid)
        return wait_ready(cluster, pid, error) && take_sockets(cluster, error);
    int major = data_version(cluster, error);
    if (major < 0 || !choose_server(cluster, major, error) || !find_sockets(cluster, error))
        return FALSE;
    return (major || make_data(cluster, error)) && start(cluster, error);
}

char *cluster_ensure(const char *directory, GError **error)
{
    struct cluster cluster;
    GString *conninfo = NULL;
    if (init(&cluster, directory, error) && ensure(&cluster, error)) {
        conninfo = g_string_new(NULL);
        db_conninfo_add(conninfo, "host", cluster.sockets);
        g_string_append(conninfo, " port=" PORT " user=whosends dbname=whosends");
    }
    clear(&cluster);
    return conninfo ? g_string_free(conninfo, FALSE) : NULL;
}

static gboolean stop(struct cluster *cluster, gboolean *ran_r, GError **error)
{
    gint64 until = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
    pid_t pid = server_pid(cluster->data);
    if (!pid)
        return TRUE;
    *ran_r = TRUE;
    if (kill(pid, SIGINT) && errno != ESRCH) /* its fast shutdown */
        return system_error("stop the server of", cluster->data, error);
    while (server_pid(cluster->data) == pid) {
        if (g_get_monotonic_time() > until) {
            g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN,
                        "could not stop the private database in %s within %d seconds (more in %s)",
                        cluster->directory, WAIT_SECONDS, cluster->log);
            return FALSE;
        }
        g_usleep(10 * 1000);
    }
    /* A socket directory outside is made anew at the next start. */
    g_autofree char *memory = g_build_filename(cluster->directory, "socket", NULL);
    g_autofree char *outside = NULL;
    if (g_file_get_contents(memory, &outside, NULL, NULL) && is_private(cluster, outside) &&
        rmdir(outside) == 0)
        unlink(memory);
    return TRUE;
}

gboolean cluster_stop(const char *directory, gboolean *ran_r, GError **error)
{
    struct cluster cluster;
    *ran_r = FALSE;
    gboolean ok = init(&cluster, directory, error);
    if (ok && g_file_test(cluster.data, G_FILE_TEST_IS_DIR))
        ok = lock(&cluster, error) && stop(&cluster, ran_r, error);
    clear(&cluster);
    return ok;
}
