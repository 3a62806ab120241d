/* Names of addresses in the DNS: which addresses can have one, what to ask for, and what of an answer is a
 * name of a host at all. Asks nobody. */
#pragma once

#include <glib.h>

/* Whether the address (AF_INET: 4 bytes, AF_INET6: 16) is one of the public Internet: not private, of this
 * host or link, for documentation, benchmarks or multicast, nor reserved (IANA's registries of
 * special-purpose addresses, RFC 6890). IPv6 is public in 2000::/3 only. Others say nothing about who sends,
 * and nobody outside is to be asked about them. */
gboolean arpa_is_public(int family, const guint8 *address);

/* The name that a PTR record of the address has (RFC 1035 section 3.5, RFC 3596 section 2.5):
 * "1.2.0.192.in-addr.arpa". Owned by the caller. */
char *arpa_question(int family, const guint8 *address);

/* The host name in a domain name as it stands in a record, uncompressed (RFC 1035 section 3.1): lower case,
 * without the dot at the end. NULL for whatever is none (RFC 1123 section 2.1): other bytes than letters,
 * digits and hyphens, a hyphen at an end of a label, fewer than two labels, digits alone as the last one, so
 * that no name passes for an address, more than 253 characters, or bytes that are no name. Owned by the
 * caller. */
char *arpa_host(const guint8 *wire, gsize n);

/* The same of any name: underscores are letters, too (RFC 8552). */
char *arpa_name(const guint8 *wire, gsize n);
