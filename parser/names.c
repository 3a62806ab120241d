#include "parser/names.h"

#include "parser/address.h"

#include <string.h>

enum { SLOTS = 256 };

struct names {
    const struct domain_list *list;
    struct known_name *slots[SLOTS];
    GPtrArray *evicted; /* still lent */
};

static void name_free(gpointer data)
{
    struct known_name *name = data;
    if (name == NULL)
        return;
    g_free(name->raw);
    g_free(name->name);
    g_free(name);
}

struct names *names_new(const struct domain_list *list)
{
    struct names *names = g_new0(struct names, 1);
    names->list = list;
    names->evicted = g_ptr_array_new_with_free_func(name_free);
    return names;
}

void names_free(struct names *names)
{
    for (gsize i = 0; i < SLOTS; i++)
        name_free(names->slots[i]);
    g_ptr_array_free(names->evicted, TRUE);
    g_free(names);
}

static struct known_name *make(const char *raw)
{
    struct known_name *name = g_new0(struct known_name, 1);
    name->raw = g_strdup(raw);
    gboolean plain;
    name->address = strpbrk(raw, "@<>") != NULL;
    if (name->address)
        name->name = address_mail_domain(raw, &plain);
    name->ok = name->name != NULL;
    if (name->name == NULL)
        name->name = domain_normalise(raw, &name->ok);
    return name;
}

const struct known_name *names_get(struct names *names, const char *raw)
{
    guint32 hash = 2166136261u;
    for (const char *c = raw; *c != '\0'; c++)
        hash = (hash ^ (guint8)*c) * 16777619u;
    struct known_name **slot = &names->slots[(hash ^ hash >> 16) % SLOTS];
    if (*slot != NULL && strcmp((*slot)->raw, raw) == 0)
        return *slot;
    if (*slot != NULL)
        g_ptr_array_add(names->evicted, *slot);
    *slot = make(raw);
    return *slot;
}

const char *names_organizational(struct names *names, const struct known_name *name)
{
    struct known_name *mine = (struct known_name *)(guintptr)name;
    if (mine->organizational == NULL)
        mine->organizational = domain_organizational(names->list, mine->name);
    return mine->organizational;
}

gboolean names_aligned(struct names *names, const struct known_name *authenticated,
                       const struct known_name *from, gboolean strict)
{
    if (!authenticated->ok || !from->ok || *authenticated->name == '\0' || *from->name == '\0')
        return FALSE;
    if (strcmp(authenticated->name, from->name) == 0)
        return TRUE;
    return !strict &&
           strcmp(names_organizational(names, authenticated), names_organizational(names, from)) == 0;
}

void names_forget(struct names *names)
{
    if (names->evicted->len > 0)
        g_ptr_array_set_size(names->evicted, 0);
}
