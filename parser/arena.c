#include "parser/arena.h"

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
    *arena = (struct arena){0};
}

static void begin_block(struct arena *arena)
{
    arena->next = (char *)arena->block->data;
    arena->left = arena->block->room;
}

void arena_reset(struct arena *arena)
{
    if (arena->block == NULL)
        return;
    if (arena->block->older != NULL)
        drop_older(arena);
    begin_block(arena);
    if (arena->block->room > BLOCK)
        arena_clear(arena);
}

void *arena_alloc_block(struct arena *arena, gsize need)
{
    gsize room = MAX(need, (gsize)BLOCK);
    struct arena_block *block = g_malloc(sizeof *block + room);
    block->older = arena->block;
    block->room = room;
    arena->block = block;
    arena->size += room;
    begin_block(arena);
    return arena_alloc(arena, need);
}
