/* Looks the addresses on standard input up in MMDB files by dns/network.h, one a line, and prints a line for
 * each: address, prefix, country, AS number, AS name, with "-" for what is not known. Exit status as whosends
 * has it.
 *
 *   network_find FILE...
 *   network_find --broken N FILE: does that with N files that are broken off copies of FILE, from nothing to
 * all of it, and N in which some bytes are others, and says how many were opened and how many lookups said
 * what. What comes out has to be well-formed all the same. */
#include "dns/network.h"
#include "parser/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken;
static guint opened, refused, found, nothing, failed;

static const GOptionEntry entries[] = {
    {"broken", 0, 0, G_OPTION_ARG_INT, &broken, NULL, NULL},
    G_OPTION_ENTRY_NULL,
};

static GPtrArray *read_lines(void)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    char line[100];
    while (fgets(line, sizeof line, stdin))
        g_ptr_array_add(lines, g_strdup(g_strchomp(line)));
    return lines;
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static int find_all(const struct networks *networks, const GPtrArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++) {
        const char *address = g_ptr_array_index(addresses, i);
        struct network network;
        GError *error = NULL;
        if (!networks_find(networks, address, &network, &error) && error) {
            fprintf(stderr, "network_find: %s\n", error->message);
            return ws_error_exit_status(error);
        }
        printf("%s\t%s\t%s\t%u\t%s\n", address, or_dash(network.prefix), or_dash(network.country),
               network.as_number, or_dash(network.as_name));
    }
    return 0;
}

static void check(const struct network *network)
{
    gsize length = strlen(network->country);
    if (!g_utf8_validate(network->as_name, -1, NULL) || !strchr(network->prefix, '/') ||
        (length &&
         (length != 2 || !g_ascii_isupper(network->country[0]) || !g_ascii_isupper(network->country[1])))) {
        fprintf(stderr, "network_find: '%s' '%s' '%s' came out\n", network->prefix, network->country,
                network->as_name);
        exit(1);
    }
}

static void try_bytes(const char *path, const char *bytes, gsize n, const GPtrArray *addresses)
{
    const char *const paths[] = {path, NULL};
    g_autoptr(GError) error = NULL;
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0)
        g_error("cannot write %s", path);
    struct networks *networks = networks_open(paths, &error);
    if (!networks) {
        refused++;
        return;
    }
    opened++;
    for (guint i = 0; i < addresses->len; i++) {
        struct network network;
        GError *wrong = NULL;
        if (networks_find(networks, g_ptr_array_index(addresses, i), &network, &wrong))
            found++;
        else if (wrong)
            failed++;
        else
            nothing++;
        if (!wrong)
            check(&network);
        g_clear_error(&wrong);
    }
    networks_close(networks);
}

static int try_broken(const char *from, const GPtrArray *addresses)
{
    g_autofree char *bytes = NULL, *directory = g_dir_make_tmp(NULL, NULL);
    g_autofree char *path = g_build_filename(directory, "broken.mmdb", NULL);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    gsize n;
    if (!g_file_get_contents(from, &bytes, &n, NULL))
        return 66;
    for (int i = 0; i <= broken; i++)
        try_bytes(path, bytes, n * (gsize)i / (gsize)broken, addresses);
    printf("cut: %u opened, %u refused\n", opened, refused);
    opened = refused = 0;
    for (int i = 0; i < broken; i++) {
        g_autofree char *changed = g_memdup2(bytes, n);
        for (int times = 1 + i % 8; times; times--)
            changed[g_rand_int_range(random, 0, (gint32)n)] = (char)g_rand_int_range(random, 0, 256);
        try_bytes(path, changed, n, addresses);
    }
    printf("changed: %u opened, %u refused\nlookups: %u found, %u nothing, %u failed\n", opened, refused,
           found, nothing, failed);
    remove(path);
    remove(directory);
    return 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) addresses = NULL;
    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        fprintf(stderr, "network_find: %s\n", error->message);
        return 64;
    }
    addresses = read_lines();
    if (broken && argc > 1)
        return try_broken(argv[1], addresses);
    struct networks *networks = networks_open((const char *const *)argv + 1, &error);
    if (!networks) {
        fprintf(stderr, "network_find: %s\n", error->message);
        return ws_error_exit_status(error);
    }
    int status = find_all(networks, addresses);
    networks_close(networks);
    return status;
}
