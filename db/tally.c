#include "db/tally.h"

#include <string.h>

#define SUM_BASE G_GUINT64_CONSTANT(1000000000000000000)

enum { OTHER, QUARANTINE, REJECT };

struct tally {
    GHashTable *by_hash, *by_profile; /* of the two arrays, which do not move; both begin with the hash */
    struct tally_evidence *evidence;
    struct tally_profile *profiles;
    guint most, n_evidence, n_profiles; /* no more profiles than pieces of evidence */
};

void message_sum_add(struct message_sum *sum, gint64 messages)
{
    sum->low += (guint64)MAX(messages, 0);
    sum->high += sum->low / SUM_BASE;
    sum->low %= SUM_BASE;
}

struct tally *tally_new(guint most)
{
    struct tally *tally = g_new0(struct tally, 1);
    tally->by_hash = g_hash_table_new(digest_hash, digest_equal);
    tally->by_profile = g_hash_table_new(digest_hash, digest_equal);
    tally->most = most;
    tally->evidence = g_new(struct tally_evidence, most);
    tally->profiles = g_new(struct tally_profile, most);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    g_hash_table_unref(tally->by_hash);
    g_hash_table_unref(tally->by_profile);
    g_free(tally->evidence);
    g_free(tally->profiles);
    g_free(tally);
}

void tally_clear(struct tally *tally)
{
    g_hash_table_remove_all(tally->by_hash);
    g_hash_table_remove_all(tally->by_profile);
    tally->n_evidence = tally->n_profiles = 0;
}

struct tally_evidence *tally_find(struct tally *tally, const guint8 *evidence)
{
    return g_hash_table_lookup(tally->by_hash, evidence);
}

gboolean tally_is_full(const struct tally *tally)
{
    return tally->n_evidence == tally->most;
}

static guint32 find_profile(struct tally *tally, const guint8 *hash)
{
    struct tally_profile *profile = g_hash_table_lookup(tally->by_profile, hash);
    if (!profile) {
        profile = &tally->profiles[tally->n_profiles++];
        memset(profile, 0, sizeof *profile);
        memcpy(profile->hash, hash, DIGEST_BYTES);
        g_hash_table_add(tally->by_profile, profile);
    }
    return (guint32)(profile - tally->profiles);
}

struct tally_evidence *tally_learn(struct tally *tally, const guint8 *evidence, const guint8 *profile,
                                   const char *disposition)
{
    struct tally_evidence *entry = &tally->evidence[tally->n_evidence++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->hash, evidence, DIGEST_BYTES);
    entry->profile = find_profile(tally, profile);
    entry->disposition = g_strcmp0(disposition, "quarantine") == 0 ? QUARANTINE
                         : g_strcmp0(disposition, "reject") == 0   ? REJECT
                                                                   : OTHER;
    g_hash_table_add(tally->by_hash, entry);
    return entry;
}

void tally_count(struct tally *tally, const struct tally_evidence *evidence, gint64 messages)
{
    struct tally_profile *profile = &tally->profiles[evidence->profile];
    profile->records++;
    message_sum_add(&profile->messages, messages);
    if (evidence->disposition == QUARANTINE)
        message_sum_add(&profile->quarantined, messages);
    if (evidence->disposition == REJECT)
        message_sum_add(&profile->rejected, messages);
}

guint tally_length(const struct tally *tally)
{
    return tally->n_profiles;
}

const struct tally_profile *tally_at(const struct tally *tally, guint i)
{
    return &tally->profiles[i];
}
