/* Memory for one unit of work: handed out from blocks, given back all at once. Never fails (GLib aborts when
 * memory is out); bounds are the caller's, who asks arena_size. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <string.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* the one in use; older ones hang behind it */
    char *next;                /* of that block, what is free */
    gsize left;
    gsize size; /* of all blocks together */
};

/* A zeroed struct is an empty arena. */
void arena_clear(struct arena *arena);

/* Forgets everything that was handed out, keeping one ordinary block for the next round. */
void arena_reset(struct arena *arena);

/* For arena_alloc alone: the same in a block that has room. */
void *arena_alloc_block(struct arena *arena, gsize need);

/* More than 0 bytes, aligned for any type, not zeroed. Lives until reset or clear. */
static inline void *arena_alloc(struct arena *arena, gsize n)
{
    gsize need = (n + G_ALIGNOF(max_align_t) - 1) & ~(G_ALIGNOF(max_align_t) - 1);
    if (G_UNLIKELY(need > arena->left))
        return arena_alloc_block(arena, need);
    void *result = arena->next;
    arena->next += need;
    arena->left -= need;
    return result;
}

/* A copy with a NUL behind it. */
static inline char *arena_text(struct arena *arena, const char *text, gsize length)
{
    char *copy = (char *)arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* Bytes that the arena holds from the system. */
static inline gsize arena_size(const struct arena *arena)
{
    return arena->size;
}
