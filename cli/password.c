#include "cli/password.h"

#include "parser/error.h"
#include "reports/render.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_MOST 16384 /* access tokens are long */

void password_free(char *password)
{
    if (password)
        explicit_bzero(password, strlen(password));
    g_free(password);
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

static char *from_file(const char *path, gboolean guarded, GError **error)
{
    g_autofree char *safe = render_safe(path), *what = g_strdup_printf("password file '%s'", safe);
    char buf[PASSWORD_MOST];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        fail(error, "cannot read %s: %s", what, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *password = NULL;
    if (!guarded && (st.st_mode & 077)) {
        fail(error, "cannot use %s: others than its owner may read or write it\nhint: chmod 600 it", what);
    } else {
        gssize n = read(fd, buf, sizeof buf);
        password = n < 0 ? fail(error, "cannot read %s: %s", what, g_strerror(errno))
                         : first_line(buf, (gsize)n, what, error);
        explicit_bzero(buf, sizeof buf);
    }
    close(fd);
    return password;
}

static char *from_command(const char *command, GError **error)
{
    char shell[] = "/bin/sh", option[] = "-c";
    g_autofree char *line = g_strdup(command);
    char *argv[] = {shell, option, line, NULL};
    char *output = NULL, *password = NULL;
    int status = 0;
    g_autoptr(GError) broken = NULL;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &broken) ||
        !g_spawn_check_wait_status(status, &broken))
        fail(error, "cannot use imap.password_command: %s", broken->message);
    else
        password = first_line(output, strlen(output), "the output of imap.password_command", error);
    password_free(output);
    return password;
}

char *password_get(const struct config *config, const char *user, const char *host, GError **error)
{
    const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *credential = credentials ? g_build_filename(credentials, "imap_password", NULL) : NULL;
    guint places = (config->password ? 1u : 0u) + (config->password_file ? 1u : 0u) +
                   (config->password_command ? 1u : 0u);
    if (places > 1)
        return fail(error,
                    "more than one of imap.password, imap.password_file and imap.password_command is set");
    if (config->password)
        return g_strdup(config->password);
    if (config->password_file)
        return from_file(config->password_file, FALSE, error);
    if (config->password_command)
        return from_command(config->password_command, error);
    if (credential && g_file_test(credential, G_FILE_TEST_EXISTS))
        return from_file(credential, TRUE, error);
    g_autofree char *safe_user = render_safe(user), *safe_host = render_safe(host);
    return fail(
        error,
        "no password is configured for '%s' at '%s'\nhint: set imap.password_file or imap.password_command, "
        "see whosends.conf(5)",
        safe_user, safe_host);
}
