/* The workers of a run: mails go out to confined processes (ingest/nursery.h), and what they found comes back
 * (ingest/wire.h) and is replayed here, one mail at a time.
 *
 * Several mails are in flight to each worker, so that they share the switches between processes. A worker
 * that crashes, hangs, eats its memory or tells lies is killed: the mail that it was at goes alone to a fresh
 * one, and the others in flight go out again. A mail is a problem only when two workers agree, the second one
 * fresh: whether both died of it, or both called it one. And two deaths count only while a fresh worker still
 * reads a sample: else it is this machine that has a problem, and no mail. A worker that somebody else kills
 * (SIGKILL: the kernel for want of memory, too) says less of its mail: six of them count as much. */
#pragma once

#include "ingest/journal.h"
#include "ingest/nursery.h"
#include "ingest/source.h"

struct run_settings;

/* What is done with the answers. `mail` is what crew_add was given. */
struct crew_verbs {
    /* An answer for this mail comes now; what an earlier one for it has told, without an end, is to be
     * forgotten. Returns where to replay it, lent, or NULL with an error that stops the run. */
    const struct journal *(*begin)(void *self, const struct mail *mail, GError **error);
    void *self;
};

struct crew;

/* Lends nursery, settings and verbs. Workers start when there is work for them, `most` at once. */
struct crew *crew_new(struct nursery *nursery, guint most, const struct run_settings *settings,
                      const struct crew_verbs *verbs);
/* Ends the workers; what is in flight is dropped. */
void crew_free(struct crew *crew);

/* Hands out a mail, which must have a body and stay until its end was told or the crew is freed. Waits while
 * all hands are full, and replays what has come meanwhile. */
gboolean crew_add(struct crew *crew, const struct mail *mail, GError **error);
/* Sends and reads what can be without waiting: before the caller waits for something else. */
gboolean crew_poke(struct crew *crew, GError **error);
/* Until all mails have their answer. */
gboolean crew_finish(struct crew *crew, GError **error);
/* TRUE with an error when there was a mail that two workers could not look at, because a file or the disk
 * failed them: nothing was told of it, and it stays where it is. */
gboolean crew_left(struct crew *crew, GError **error);
