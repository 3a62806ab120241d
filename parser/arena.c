#include "parser/arena.h"

#include <stddef.h>
#include <string.h>

enum { BLOCK = 32 * 1024 };

struct arena_block {
    struct arena_block *older;
    gsize room;
    max_align_t data[];
};

static void drop_older(struct arena *arena)
{
    while (arena->block->older != NULL) {
        struct arena_block *older = arena->block->older;
        arena->block->older = older->older;
        arena->size -= older->room;
        g_free(older);
    }
}

void arena_clear(struct arena *arena)
{
    if (arena->block == NULL)
        return;
    drop_older(arena);
    g_clear_pointer(&arena->block, g_free);
    arena->used = arena->size = 0;
}

void arena_reset(struct arena *arena)
{
    if (arena->block == NULL)
        return;
    drop_older(arena);
    arena->used = 0;
    if (arena->block->room > BLOCK)
        arena_clear(arena);
}

void *arena_alloc(struct arena *arena, gsize n)
{
    gsize need = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    if (arena->block == NULL || arena->block->room - arena->used < need) {
        gsize room = MAX(need, (gsize)BLOCK);
        struct arena_block *block = g_malloc(sizeof *block + room);
        block->older = arena->block;
        block->room = room;
        arena->block = block;
        arena->used = 0;
        arena->size += room;
    }
    void *result = (char *)arena->block->data + arena->used;
    arena->used += need;
    return result;
}

char *arena_text(struct arena *arena, const char *text, gsize length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}
