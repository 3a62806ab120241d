#include "dns/arpa.h"

#include <sys/socket.h>

enum { LABEL_MAX_BYTES = 63, NAME_MAX_BYTES = 253 };

struct network {
    guint8 bytes[16];
    guint bits;
};

static const struct network special4[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private, RFC 1918 */
    {{100, 64}, 10},      /* shared by a provider's customers, RFC 6598 */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation, RFC 5737 */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 3},           /* multicast and reserved */
};

static const struct network public6 = {{0x20}, 3};

static const struct network special6[] = {
    {{0x20, 0x01}, 23},             /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation, RFC 3849 */
    {{0x3f, 0xff}, 20},             /* documentation, RFC 9637 */
};

static gboolean is_in(const guint8 *address, const struct network *network)
{
    guint whole = network->bits / 8, rest = network->bits % 8;
    for (guint i = 0; i < whole; i++)
        if (address[i] != network->bytes[i])
            return FALSE;
    return !rest || (address[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

static gboolean is_in_any(const guint8 *address, const struct network *networks, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (is_in(address, &networks[i]))
            return TRUE;
    return FALSE;
}

gboolean arpa_is_public(int family, const guint8 *address)
{
    if (family == AF_INET)
        return !is_in_any(address, special4, G_N_ELEMENTS(special4));
    return family == AF_INET6 && is_in(address, &public6) &&
           !is_in_any(address, special6, G_N_ELEMENTS(special6));
}

char *arpa_question(int family, const guint8 *address)
{
    if (family == AF_INET)
        return g_strdup_printf("%u.%u.%u.%u.in-addr.arpa", address[3], address[2], address[1], address[0]);
    GString *name = g_string_sized_new(73);
    for (int i = 15; i >= 0; i--)
        g_string_append_printf(name, "%x.%x.", address[i] & 0xfu, address[i] >> 4);
    return g_string_free(g_string_append(name, "ip6.arpa"), FALSE);
}

static gboolean add_label(GString *name, const guint8 *label, gsize length, gboolean is_host)
{
    if (length > LABEL_MAX_BYTES || label[0] == '-' || label[length - 1] == '-')
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && (is_host || label[i] != '_'))
            return FALSE;
        g_string_append_c(name, g_ascii_tolower((char)label[i]));
    }
    return TRUE;
}

static gboolean is_number(const char *label)
{
    while (g_ascii_isdigit(*label))
        label++;
    return !*label;
}

static char *read_name(const guint8 *wire, gsize n, gboolean is_host)
{
    g_autoptr(GString) name = g_string_sized_new(64);
    gsize at = 0, last = 0, labels = 0;
    while (at < n && wire[at] != 0) {
        gsize length = wire[at++];
        if (length >= n - at || name->len + length > NAME_MAX_BYTES)
            return NULL;
        if (labels++)
            g_string_append_c(name, '.');
        last = name->len;
        if (!add_label(name, wire + at, length, is_host))
            return NULL;
        at += length;
    }
    if (at + 1 != n || labels < 2 || name->len > NAME_MAX_BYTES || is_number(name->str + last))
        return NULL;
    return g_string_free(g_steal_pointer(&name), FALSE);
}

char *arpa_host(const guint8 *wire, gsize n)
{
    return read_name(wire, n, TRUE);
}

char *arpa_name(const guint8 *wire, gsize n)
{
    return read_name(wire, n, FALSE);
}
