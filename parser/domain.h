/* Domain names as DMARC compares them (RFC 9989 section 4.4, RFC 7489 section 3.1), and the
 * organizational domain by the Public Suffix List. The only file that knows libpsl. */
#pragma once

#include <glib.h>

/* The Public Suffix List of the system, or the one built into libpsl when there is none. */
struct domain_list;

/* Never NULL. Owned by the caller; domain_list_free. */
struct domain_list *domain_list_new(void);
void domain_list_free(struct domain_list *list);

/* "2026-07-01 (/usr/share/publicsuffix/public_suffix_list.dafsa)" or what is known; lent by the list. */
const char *domain_list_describe(const struct domain_list *list);

/* Trims, takes what follows the last '@', strips <> and a trailing dot, lower-cases and converts U-labels to
 * A-labels. A name that cannot be one (spaces, control characters, longer than 253 bytes) comes back in lower
 * case as it is, with *ok_r FALSE. Owned by the caller; "" stays "". */
char *domain_normalise(const char *text, gboolean *ok_r);

/* Whether it is a name that can be one, and as domain_normalise leaves it. */
gboolean domain_is_normal(const char *name);

/* The organizational domain of a normalised name; the name itself where the list knows no shorter. Points
 * into `name`. */
const char *domain_organizational(const struct domain_list *list, const char *name);

/* Whether strangers have domains of their own below this normalised name, as below co.uk and github.io. */
gboolean domain_is_public_suffix(const struct domain_list *list, const char *name);

/* Whether a name stands below a domain, both normalised; not the domain itself, and nothing below "". */
gboolean domain_is_below(const char *name, const char *domain);

/* Strict: the same name. Relaxed: the same organizational domain. Both normalised. "" aligns with nothing. */
gboolean domain_aligned(const struct domain_list *list, const char *authenticated, const char *header_from,
                        gboolean strict);
