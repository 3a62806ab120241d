/* The sums of one report while it is read: messages for each profile, as dmarc_store.profile_day has them for
 * each day. And what is known of each piece of evidence, so that it is looked at once.
 *
 * Bounded: when it is full, its rows are stored and it begins anew. Several rows for one profile are added up
 * by the server. Internal to the writer. */
#pragma once

#include "db/digest.h"

/* high * 10^18 + low, low less than 10^18: a report has up to 2^31 records of up to 2^63 messages. */
struct message_sum {
    guint64 high, low;
};
void message_sum_add(struct message_sum *sum, gint64 messages);

struct tally_profile {
    guint8 hash[DIGEST_BYTES];
    guint64 records;
    struct message_sum messages, quarantined, rejected;
};

struct tally_evidence {
    guint8 hash[DIGEST_BYTES];
    guint32 profile;
    guint32 pack;  /* for the writer: in which pack of records it was last, 0 in none */
    guint16 place; /* and where */
    guint8 disposition;
};

struct tally;
struct tally *tally_new(guint most); /* pieces of evidence, about 150 bytes each */
void tally_free(struct tally *tally);
void tally_clear(struct tally *tally);

/* NULL when it has to be learnt. Lent until the next call of tally_clear(). */
struct tally_evidence *tally_find(struct tally *tally, const guint8 *evidence);
/* Whether there is no room for one more; then take the rows and clear it. */
gboolean tally_is_full(const struct tally *tally);
/* The disposition is "quarantine", "reject", anything else or NULL. */
struct tally_evidence *tally_learn(struct tally *tally, const guint8 *evidence, const guint8 *profile,
                                   const char *disposition);
void tally_count(struct tally *tally, const struct tally_evidence *evidence, gint64 messages);

/* The rows, in the order in which the profiles came. */
guint tally_length(const struct tally *tally);
const struct tally_profile *tally_at(const struct tally *tally, guint i);
