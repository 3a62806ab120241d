/* Names of addresses by reverse lookups, and where names point to by CNAMEs, thousands at a time. The only
 * file that knows libunbound.
 *
 * Whoever holds an address writes any name into its PTR record, so a name counts only when it is confirmed
 * (FCrDNS, "iprev" of RFC 8601 section 3): one of the A or AAAA records of that name is the address again. A
 * name that is not confirmed never leaves this module. Of several names the first one in alphabetical order
 * that is confirmed counts. CNAMEs are followed, in reverse zones too (RFC 2317).
 *
 * Whoever holds a name decides where it points to, so that needs no confirmation. What the name at its end
 * has is not asked for.
 *
 * For a command of its own, and never on the way of a mail: a stranger's name servers decide how long it
 * takes. All the same a run ends when its time is up, even with a resolver that is dead.
 *
 * Questions go to the resolvers of the settings and nowhere else. libunbound asks in a thread of its own,
 * which lives only during a run and gets no signals: a child process of ours instead would run our exit
 * handlers and write what stands in our stdio buffers a second time. So do not fork from the verbs below. */
#pragma once

#include <glib.h>
#include <signal.h>

struct reverse_settings {
    /* "192.0.2.53", "192.0.2.53@5353" and the same with IPv6; ends with NULL. NULL: as in /etc/resolv.conf.
     */
    const char *const *resolvers;
    gboolean cnames;       /* names are asked about, for their CNAMEs; else addresses */
    guint at_once;         /* addresses asked about at the same time, reached step by step; 1,000 */
    guint names;           /* names of one address that are tried, CNAMEs that are followed; 4 */
    guint address_seconds; /* for one address, all questions together; 10 */
    guint run_seconds;     /* for all; 300 */
    /* For how many seconds an answer holds: a confirmed name as long as its records, within these bounds ...
     */
    guint least_ttl, most_ttl;         /* 3,600 and 604,800 */
    guint none_ttl;                    /* REVERSE_NONE and REVERSE_UNCONFIRMED; 86,400 */
    guint failed_ttl;                  /* REVERSE_FAILED; 3,600 */
    const volatile sig_atomic_t *stop; /* NULL, or ends the run when it becomes nonzero */
};

extern const struct reverse_settings reverse_settings_default;

enum reverse_status {
    REVERSE_CONFIRMED,   /* it has a name that points back at it; a name: it has a CNAME */
    REVERSE_UNCONFIRMED, /* it claims names, and none of those tried points back at it */
    REVERSE_NONE,   /* it has no name, or none that can be a host's, or it is no public address; no CNAME */
    REVERSE_FAILED, /* no answer, or none in time: ask again later */
    REVERSE_STATUSES,
};

/* "confirmed", "unconfirmed", "none", "failed". */
const char *reverse_status_name(enum reverse_status status);

/* Lent for the call. */
struct reverse_answer {
    const char *address; /* as it was given, or a name */
    enum reverse_status status;
    /* Lower case, no dot at the end, at most 253 characters; NULL unless CONFIRMED. Of a name the targets of
     * its CNAME, of the CNAME there and so on, with blanks between. */
    const char *name;
    gint64 expires; /* seconds since 1970 */
};

struct reverse_verbs {
    /* TRUE and the next address, or a name that is asked for its CNAME, lent until the next call; FALSE at
     * the end, or with an error. It is called only when there is room for one more, so that memory does not
     * grow with their number. */
    gboolean (*next)(gpointer data, const char **address_r, GError **error);
    /* Gets the answers in whatever order they come, one for each address; FALSE with an error ends the run.
     */
    gboolean (*answer)(gpointer data, const struct reverse_answer *answer, GError **error);
};

struct reverse_totals {
    guint64 answers[REVERSE_STATUSES];
    guint most_at_once;
    /* The run ended before the addresses did: those asked about were answered with FAILED, the rest stays. */
    gboolean late;   /* its time was up */
    gboolean silent; /* no resolver gave an answer for as long as one address may take */
};

/* Asks about all addresses. TRUE at their end, and when it was late or silent. Errors: WS_ERROR_CONFIG for
 * resolvers that are no addresses or cannot be read, WS_ERROR_SYSTEM, WS_ERROR_INTERRUPTED after a stop, and
 * those of the verbs; addresses under way then get no answer. Raises the number of files that may be open to
 * what it needs, if it may, until it returns. */
gboolean reverse_run(const struct reverse_settings *settings, const struct reverse_verbs *verbs,
                     gpointer data, struct reverse_totals *totals_r, GError **error);
