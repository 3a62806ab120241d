/* The profile of a record: what of a message authenticated, without address, count, recipient and what
 * failed. Class and name of the sender depend on nothing else, so the sums are kept by it, see
 * sql/010_store.sql.
 *
 * Signatures and SPF domains that passed are in it once each and in the order of their bytes, those alone
 * that can be names of domains; a selector only with a signature of the domain itself, since anybody may
 * choose any for his own. The hash is the first half of a SHA-256 over a text that dmarc_store.profile_of()
 * in sql/sums.sql makes, too: both must change together. */
#pragma once

#include "db/digest.h"

struct profile_name {
    const char *name, *detail; /* d= and selector, or SPF domain and scope; detail may be NULL */
};

struct profile {
    guint8 hash[DIGEST_BYTES];
    GArray *dkim, *spf; /* struct profile_name, lent from the record */
    GPtrArray *reasons; /* types, lent */
    gboolean
        own_signed; /* nothing aligns, and a signature of the domain itself is there, whatever became of it */
};

struct profiler;
struct profiler *profiler_new(void);
void profiler_free(struct profiler *profiler);
/* Lent until the next call. */
const struct profile *profiler_look(struct profiler *profiler, const char *domain,
                                    const struct report_record *record);
