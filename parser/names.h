/* Domain names, normalised once each: the same few come back in every record and every report. What is known
 * of a name depends on its text alone; how many are kept, and how long ones, is bounded. */
#pragma once

#include "parser/domain.h"

struct known_name {
    char *raw;                  /* as sent */
    gsize length;               /* of raw */
    char *name;                 /* normalised as in domain.h */
    gboolean ok;                /* it can be a domain name */
    gboolean address;           /* an address stood there, or more than a name */
    gboolean as_sent;           /* there was nothing to normalise */
    const char *organizational; /* points into name; NULL until it was asked for */
};

struct names;

/* Lends the list. */
struct names *names_new(const struct domain_list *list);
void names_free(struct names *names);

/* The name for a text as sent, of whose addresses the first one counts. Valid until names_forget. */
const struct known_name *names_get(struct names *names, const char *raw);

/* Its organizational domain; points into the name. */
const char *names_organizational(struct names *names, const struct known_name *name);

/* TRUE when both can be names and align (RFC 9989 section 4.4). */
gboolean names_aligned(struct names *names, const struct known_name *authenticated,
                       const struct known_name *from, gboolean strict);

/* What was handed out so far may go. */
void names_forget(struct names *names);
