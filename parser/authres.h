/* One Authentication-Results header field (RFC 8601): what a mail server found out about a mail.
 *
 * Takes the grammar of section 2.2 with comments, quoted strings, folding and versions, and what servers
 * write beside it: properties without a type ("action=none"), values with "/" and "=" in them, a ";" at the
 * end. Only says what stands there; whom to believe is decided in trust.h. Everything is bounded, nothing
 * recurses. */
#pragma once

#include <glib.h>

#define AUTHRES_BYTES 16384    /* of a field */
#define AUTHRES_RESULTS 100    /* of a field */
#define AUTHRES_PROPERTIES 500 /* of a field */

struct authres_property {
    guint result; /* whose it is: index in results */
    char *name;   /* "header.from", "reason": lower case */
    char *value;
};

struct authres_result {
    char *method, *result; /* "dkim", "pass": lower case */
};

struct authres {
    char *authserv_id;  /* as sent; NULL when the field does not even begin with one */
    GArray *results;    /* struct authres_result; those of a method version that is not 1 are left out */
    GArray *properties; /* struct authres_property */
};

/* Reads the body of a field (what follows the colon). FALSE when it cannot be read to its end, is of a
 * version other than 1 or over a bound: it has no results then, since what a stranger can break a stranger
 * may have written; authserv_id is there if it could be read. authres_clear in any case. */
gboolean authres_parse(const char *text, struct authres *authres_r);
void authres_clear(struct authres *authres);

/* The first property of that name of a result; NULL when it has none. Lent. */
const char *authres_property(const struct authres *authres, guint result, const char *name);
