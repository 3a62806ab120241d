/* To which network an address belongs: its country and its autonomous system, from MMDB files that the user
 * has (GeoLite2, DB-IP, IPinfo, ip-location-db and the like; for countries, for autonomous systems or for
 * both). The only file that knows libmaxminddb. Asks nobody.
 *
 * The layout is found by the names of the fields, for each record anew. What does not look like a country's
 * code, an AS number or text is left out. The files are mapped into memory: replace one by renaming a new one
 * over it, as their updaters do, and never write into it while it is in use. */
#pragma once

#include <glib.h>

enum { NETWORK_PREFIX_MAX = 43, NETWORK_NAME_MAX = 200 };

struct network {
    char prefix[NETWORK_PREFIX_MAX + 1]; /* "192.0.2.0/24": all of its addresses get the same answer */
    char country[3];                     /* two capital letters (ISO 3166), or "" */
    guint32 as_number;                   /* 0: unknown */
    char as_name[NETWORK_NAME_MAX + 1];  /* UTF-8 without control characters, cut between characters; or "" */
};

struct networks;

/* Opens the files; ends with NULL. Owned by the caller. WS_ERROR_INPUT, with a hint, for one that is not
 * there, cannot be read or is no MMDB file. */
struct networks *networks_open(const char *const *paths, GError **error);
/* Takes NULL. */
void networks_close(struct networks *networks);

/* What the files say about an address. Where several know its country or its AS, the one that was named first
 * counts; the prefix is the longest of all. FALSE without an error when none knows anything: the prefix is
 * there all the same, or "" when the text is no address or no file is for its kind. WS_ERROR_INPUT when a
 * file turns out to be broken. */
gboolean networks_find(const struct networks *networks, const char *address, struct network *network_r,
                       GError **error);
