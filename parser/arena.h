/* Memory for one unit of work: handed out from blocks, given back all at once. Never fails (GLib aborts when
 * memory is out); bounds are the caller's, who asks arena_size. */
#pragma once

#include <glib.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* the one in use; older ones hang behind it */
    gsize used;                /* of that block */
    gsize size;                /* of all blocks together */
};

/* A zeroed struct is an empty arena. */
void arena_clear(struct arena *arena);

/* Forgets everything that was handed out, keeping one ordinary block for the next round. */
void arena_reset(struct arena *arena);

/* Aligned for any type, not zeroed. Lives until reset or clear. */
void *arena_alloc(struct arena *arena, gsize n);

/* A copy with a NUL behind it. */
char *arena_text(struct arena *arena, const char *text, gsize length);

/* Bytes that the arena holds from the system. */
static inline gsize arena_size(const struct arena *arena)
{
    return arena->size;
}
