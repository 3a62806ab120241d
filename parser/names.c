#include "parser/names.h"

#include "parser/address.h"

#include <string.h>

/* Pairs of places: of two names that hash to the same pair both stay. What is longer than a name and a bit is
 * not worth keeping. */
enum { PAIRS = 256, KEPT_BYTES = 512 };

struct names {
    const struct domain_list *list;
    struct known_name *pairs[PAIRS][2]; /* the newer one first */
    GPtrArray *evicted;                 /* still lent */
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
    for (gsize i = 0; i < PAIRS; i++) {
        name_free(names->pairs[i][0]);
        name_free(names->pairs[i][1]);
    }
    g_ptr_array_free(names->evicted, TRUE);
    g_free(names);
}

static struct known_name *make(const char *raw)
{
    struct known_name *name = g_new0(struct known_name, 1);
    name->raw = g_strdup(raw);
    name->length = strlen(raw);
    gboolean plain;
    name->address = strpbrk(raw, "@<>") != NULL;
    if (name->address)
        name->name = address_mail_domain(raw, &plain);
    name->ok = name->name != NULL;
    if (name->name == NULL)
        name->name = domain_normalise(raw, &name->ok);
    name->as_sent = strcmp(name->name, raw) == 0;
    return name;
}

/* Eight bytes at a time; the last ones once more where the length is no multiple of eight. */
static guint64 hash_of(const char *text, gsize length)
{
    const guint64 prime = G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    guint64 hash = length, word = 0;
    if (length < sizeof word) {
        memcpy(&word, text, length);
        return (hash ^ word) * prime;
    }
    for (gsize i = 0; i + sizeof word < length; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    memcpy(&word, text + length - sizeof word, sizeof word);
    return (hash ^ word) * prime;
}

static gboolean is_raw(const struct known_name *name, const char *raw, gsize length)
{
    return name != NULL && name->length == length && memcmp(name->raw, raw, length) == 0;
}

const struct known_name *names_get(struct names *names, const char *raw)
{
    gsize length = strlen(raw);
    struct known_name **pair = names->pairs[(hash_of(raw, length) >> 40) % PAIRS];
    for (gsize i = 0; i < 2; i++)
        if (is_raw(pair[i], raw, length))
            return pair[i];
    struct known_name *name = make(raw);
    if (length > KEPT_BYTES) {
        g_ptr_array_add(names->evicted, name);
        return name;
    }
    if (pair[1] != NULL)
        g_ptr_array_add(names->evicted, pair[1]);
    pair[1] = pair[0];
    pair[0] = name;
    return name;
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
