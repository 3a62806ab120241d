#include "dns/network.h"

#include "parser/address.h"
#include "parser/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <string.h>

enum { VERSION4_BITS = 32, VERSION6_BITS = 128 };

struct networks {
    guint n;
    MMDB_s files[];
};

/* Where the known makers keep a thing, the most telling place first. */
typedef const char *const field_path[3];

static field_path country_paths[] = {
    {"country", "iso_code", NULL},            /* GeoLite2, DB-IP */
    {"country_code", NULL, NULL},             /* ip-location-db, IPinfo Lite */
    {"country", NULL, NULL},                  /* IPinfo */
    {"registered_country", "iso_code", NULL}, /* GeoLite2, where it does not know the place */
};
static field_path number_paths[] = {
    {"autonomous_system_number", NULL, NULL}, /* GeoLite2, DB-IP, ip-location-db */
    {"asn", NULL, NULL},                      /* IPinfo: "AS64496" */
    {"as_number", NULL, NULL},
};
static field_path name_paths[] = {
    {"autonomous_system_organization", NULL, NULL},
    {"as_organization", NULL, NULL},
    {"as_name", NULL, NULL}, /* IPinfo */
};

static gboolean refuse_file(const char *path, const char *why, const char *hint, GError **error)
{
    g_autofree char *valid = g_utf8_make_valid(path, -1);
    g_autofree char *quoted = g_strescape(valid, NULL);
    g_set_error(error, WS_ERROR, WS_ERROR_INPUT, "cannot use '%s' as a file of networks: %s\nhint: %s",
                quoted, why, hint);
    return FALSE;
}

/* --- files --- */

static gboolean open_file(const char *path, MMDB_s *file_r, GError **error)
{
    /* Not a FIFO, which would be waited for. */
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return refuse_file(path, "it is no regular file", "name an .mmdb file", error);
    int status = MMDB_open(path, MMDB_MODE_MMAP, file_r);
    if (status == MMDB_SUCCESS)
        return TRUE;
    if (status == MMDB_FILE_OPEN_ERROR)
        return refuse_file(path, g_strerror(errno), "check its name and who may read it", error);
    return refuse_file(path, MMDB_strerror(status),
                       "it has to be an .mmdb file, unpacked and whole: fetch it again", error);
}

struct networks *networks_open(const char *const *paths, GError **error)
{
    guint n = g_strv_length((char **)(guintptr)paths);
    struct networks *networks = g_malloc0(sizeof *networks + n * sizeof *networks->files);
    for (; networks->n < n; networks->n++)
        if (!open_file(paths[networks->n], &networks->files[networks->n], error)) {
            networks_close(networks);
            return NULL;
        }
    return networks;
}

void networks_close(struct networks *networks)
{
    if (!networks)
        return;
    for (guint i = 0; i < networks->n; i++)
        MMDB_close(&networks->files[i]);
    g_free(networks);
}

/* --- fields --- */

/* TRUE when there is one; FALSE with *status_r when the record is broken. */
static gboolean find_field(MMDB_entry_s *entry, field_path *paths, gsize n, guint32 type,
                           MMDB_entry_data_s *field_r, int *status_r)
{
    for (gsize i = 0; i < n; i++) {
        int status = MMDB_aget_value(entry, field_r, (const char *const *)paths[i]);
        if (status == MMDB_SUCCESS && field_r->has_data && (!type || field_r->type == type))
            return TRUE;
        if (status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) {
            *status_r = status;
            return FALSE;
        }
    }
    return FALSE;
}

static void read_country(MMDB_entry_s *entry, char country_r[3], int *status_r)
{
    for (gsize i = 0; i < G_N_ELEMENTS(country_paths) && !*country_r; i++) {
        MMDB_entry_data_s field;
        if (find_field(entry, &country_paths[i], 1, MMDB_DATA_TYPE_UTF8_STRING, &field, status_r) &&
            field.data_size == 2 && g_ascii_isalpha(field.utf8_string[0]) &&
            g_ascii_isalpha(field.utf8_string[1])) {
            country_r[0] = g_ascii_toupper(field.utf8_string[0]);
            country_r[1] = g_ascii_toupper(field.utf8_string[1]);
        }
    }
}

/* "AS64496" or "64496". */
static guint64 number_in(const char *text, gsize n)
{
    char digits[24];
    guint64 number = 0;
    gsize skip = n > 2 && g_ascii_strncasecmp(text, "AS", 2) == 0 ? 2 : 0;
    if (n - skip >= sizeof digits)
        return 0;
    memcpy(digits, text + skip, n - skip);
    digits[n - skip] = '\0';
    return g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32, &number, NULL) ? number : 0;
}

static guint32 read_number(MMDB_entry_s *entry, int *status_r)
{
    MMDB_entry_data_s field;
    if (!find_field(entry, number_paths, G_N_ELEMENTS(number_paths), 0, &field, status_r))
        return 0;
    guint64 number = field.type == MMDB_DATA_TYPE_UINT32   ? field.uint32
                     : field.type == MMDB_DATA_TYPE_UINT16 ? field.uint16
                     : field.type == MMDB_DATA_TYPE_UINT64 ? field.uint64
                     : field.type == MMDB_DATA_TYPE_INT32  ? (guint64)MAX(field.int32, 0)
                     : field.type == MMDB_DATA_TYPE_UTF8_STRING
                         ? number_in(field.utf8_string, field.data_size)
                         : 0;
    return number <= G_MAXUINT32 ? (guint32)number : 0;
}

static void read_name(MMDB_entry_s *entry, char *name_r, int *status_r)
{
    MMDB_entry_data_s field;
    if (!find_field(entry, name_paths, G_N_ELEMENTS(name_paths), MMDB_DATA_TYPE_UTF8_STRING, &field,
                    status_r))
        return;
    gsize length = 0;
    g_autofree char *valid =
        g_utf8_make_valid(field.utf8_string, (gssize)MIN(field.data_size, 2 * NETWORK_NAME_MAX));
    for (const char *c = g_strstrip(valid); *c; c = g_utf8_next_char(c)) {
        gsize n = (gsize)(g_utf8_next_char(c) - c);
        if (length + n > NETWORK_NAME_MAX)
            break;
        if (g_unichar_iscntrl(g_utf8_get_char(c)))
            name_r[length++] = ' ';
        else
            memcpy(name_r + length, c, n), length += n;
    }
    name_r[length] = '\0';
}

static int read_record(MMDB_entry_s *entry, struct network *network_r)
{
    int status = MMDB_SUCCESS;
    if (!*network_r->country)
        read_country(entry, network_r->country, &status);
    guint32 number = read_number(entry, &status);
    if (!network_r->as_number)
        network_r->as_number = number;
    if (number && number == network_r->as_number && !*network_r->as_name)
        read_name(entry, network_r->as_name, &status);
    return status;
}

/* --- addresses --- */

static void set_prefix(struct network *network_r, int family, const guint8 *address, guint bits)
{
    guint8 masked[16];
    char text[INET6_ADDRSTRLEN] = "";
    for (guint i = 0; i < sizeof masked; i++) {
        guint left = bits > 8 * i ? MIN(bits - 8 * i, 8) : 0;
        masked[i] = (guint8)(address[i] & (0xff00 >> left));
    }
    inet_ntop(family, masked, text, sizeof text);
    g_snprintf(network_r->prefix, sizeof network_r->prefix, "%s/%u", text, bits);
}

/* Of a lookup: a file for IPv6 has IPv4 in ::/96. */
static guint prefix_bits(const MMDB_s *file, int family, guint bits)
{
    if (family == AF_INET6)
        return MIN(bits, VERSION6_BITS);
    guint before = file->metadata.ip_version == 6 ? VERSION6_BITS - VERSION4_BITS : 0;
    return bits > before ? MIN(bits - before, VERSION4_BITS) : 0;
}

static MMDB_lookup_result_s look_up(const MMDB_s *file, int family, const guint8 *address, int *status_r)
{
    struct sockaddr_in version4 = {.sin_family = AF_INET};
    struct sockaddr_in6 version6 = {.sin6_family = AF_INET6};
    memcpy(&version4.sin_addr, address, sizeof version4.sin_addr);
    memcpy(&version6.sin6_addr, address, sizeof version6.sin6_addr);
    return MMDB_lookup_sockaddr(
        file, family == AF_INET ? (const struct sockaddr *)&version4 : (const struct sockaddr *)&version6,
        status_r);
}

gboolean networks_find(const struct networks *networks, const char *address, struct network *network_r,
                       GError **error)
{
    guint8 bytes[16];
    enum ip_form form;
    int family = address_parse_ip(address, bytes, &form);
    guint longest = 0;
    *network_r = (struct network){0};
    for (guint i = 0; i < networks->n && family != AF_UNSPEC; i++) {
        const MMDB_s *file = &networks->files[i];
        int status = MMDB_SUCCESS;
        if (family == AF_INET6 && file->metadata.ip_version == 4)
            continue;
        MMDB_lookup_result_s found = look_up(file, family, bytes, &status);
        if (status == MMDB_SUCCESS && found.found_entry)
            status = read_record(&found.entry, network_r);
        if (status != MMDB_SUCCESS)
            return refuse_file(file->filename, MMDB_strerror(status), "it is broken: fetch it again", error);
        longest = MAX(longest, prefix_bits(file, family, found.netmask));
        set_prefix(network_r, family, bytes, longest);
    }
    return *network_r->country || network_r->as_number;
}
