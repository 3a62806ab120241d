/* The configuration: a file of any bytes is taken or refused with a reason that can be shown, and its secret
 * is not in that reason. */
#include "cli/config.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void must_be_account(const struct account *account)
{
    for (const struct config_key *key = config_keys; key->group != NULL; key++) {
        if (key->kind == CONFIG_CHOICE && strcmp(key->group, "imap") == 0)
            must_be_one_of(G_STRUCT_MEMBER(char *, account, key->offset), key->range);
    }
    MUST(account->port <= 65535);
    MUST(account->folders != NULL && account->folders[0] != NULL);
    for (const char *c = account->name; *c != '\0'; c++)
        MUST(g_ascii_isgraph(*c));
}

static void must_be_config(const struct config *config)
{
    for (const struct config_key *key = config_keys; key->group != NULL; key++) {
        if (key->kind == CONFIG_CHOICE && strcmp(key->group, "imap") != 0)
            must_be_one_of(G_STRUCT_MEMBER(char *, config, key->offset), key->range);
    }
    MUST(config->accounts->len > 0 && config->accounts->len <= CONFIG_ACCOUNTS + 1);
    for (guint i = 0; i < config->accounts->len; i++)
        must_be_account(config->accounts->pdata[i]);
}

static void must_be_message(GError *error)
{
    must_be_error(error);
    MUST(error->code == WS_ERROR_CONFIG || error->code == WS_ERROR_USAGE);
    for (const char *c = error->message; *c != '\0'; c++)
        MUST((guchar)*c >= ' ' || *c == '\n');
    g_error_free(error);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static char home[] = "HOME=/nonexistent";
    char *environment[] = {home, NULL}, path[64];
    struct config config;
    GError *error = NULL;
    int fd = memfd_create("config", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    MUST(fchmod(fd, size % 4 == 1 ? 0644 : 0600) == 0);
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (config_load(&config, path, environment, NULL, &error))
        must_be_config(&config);
    else
        must_be_message(error);
    error = NULL;
    /* The same bytes as a setting of the command line. */
    g_autofree char *setting = g_strndup((const char *)data, size);
    char *settings[] = {setting, NULL};
    config_clear(&config);
    if (config_load(&config, "/dev/null", environment, settings, &error))
        must_be_config(&config);
    else
        must_be_message(error);
    config_clear(&config);
    close(fd);
    return 0;
}
