#include "ingest/html_seen.h"

#include <string.h>

#define CHUNK 16384
#define WORD_MAX 10 /* of the names of tags and entities that matter */

enum state { TEXT, TAG, ENTITY };

struct reader {
    enum state state;
    char word[WORD_MAX + 1]; /* the first characters of the tag or entity */
    gsize n;
    GString *out;
};

/* Elements that begin a line, or end one. */
static gboolean breaks_line(const char *tag)
{
    static const char *const names[] = {"br", "p", "div", "pre", "tr", "li", "blockquote", NULL};
    g_autofree char *name = g_ascii_strdown(tag + (*tag == '/'), -1);
    name[strspn(name, "abcdefghijklmnopqrstuvwxyz")] = '\0';
    return g_strv_contains(names, name);
}

/* The character that an entity stands for; 0 for those that are left as they are. */
static gunichar character(const char *entity)
{
    static const struct {
        const char *name;
        gunichar c;
    } names[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(entity, names[i].name) == 0)
            return names[i].c;
    }
    gboolean hex = entity[0] == '#' && (entity[1] == 'x' || entity[1] == 'X');
    guint64 number = 0;
    if (entity[0] != '#' ||
        !g_ascii_string_to_unsigned(entity + (hex ? 2 : 1), hex ? 16 : 10, 1, 0x10ffff, &number, NULL))
        return 0;
    return number == 0xa0 ? ' ' : g_unichar_validate((gunichar)number) ? (gunichar)number : 0;
}

static void end_entity(struct reader *reader, gboolean closed)
{
    gunichar c = closed ? character(reader->word) : 0;
    reader->state = TEXT;
    if (c) {
        g_string_append_unichar(reader->out, c);
        return;
    }
    g_string_append_c(reader->out, '&');
    g_string_append(reader->out, reader->word);
    if (closed)
        g_string_append_c(reader->out, ';');
}

static void begin(struct reader *reader, enum state state)
{
    reader->state = state;
    reader->n = 0;
    reader->word[0] = '\0';
}

static void add(struct reader *reader, char c)
{
    if (reader->n == WORD_MAX)
        return;
    reader->word[reader->n++] = c;
    reader->word[reader->n] = '\0';
}

static void put(struct reader *reader, char c)
{
    if (reader->state == ENTITY && (g_ascii_isalnum(c) || c == '#') && reader->n < WORD_MAX) {
        add(reader, c);
        return;
    }
    if (reader->state == ENTITY) {
        end_entity(reader, c == ';');
        if (c == ';')
            return;
    }
    if (reader->state == TAG && c == '>') {
        if (breaks_line(reader->word))
            g_string_append_c(reader->out, '\n');
        reader->state = TEXT;
    } else if (reader->state == TAG) {
        add(reader, c);
    } else if (c == '<' || c == '&') {
        begin(reader, c == '<' ? TAG : ENTITY);
    } else {
        g_string_append_c(reader->out, c);
    }
}

struct blob *html_seen(struct blob *html, GError **error)
{
    char bytes[CHUNK];
    g_autoptr(GString) out = g_string_sized_new(CHUNK);
    struct reader reader = {.out = out};
    struct spool *spool = spool_new(G_MAXUINT64, "message_size");
    gssize got;
    for (guint64 at = 0; (got = blob_read(html, at, bytes, sizeof bytes, error)) > 0; at += (guint64)got) {
        g_string_truncate(out, 0);
        for (gssize i = 0; i < got; i++)
            put(&reader, bytes[i]);
        if (!spool_add(spool, out->str, out->len, error))
            break;
    }
    if (got == 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}
