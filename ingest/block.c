#include "ingest/block.h"

#include "ingest/base64.h"
#include "ingest/label.h"
#include "ingest/lines.h"

#include <string.h>

#define BLOCKS_MAX 20  /* that are looked at */
#define TRIES_MAX 1000 /* quotes, and braces, of which more than their line is looked at */
#define NAME_MAX_BYTES 255
#define BLOCK_LINE 16 /* a line of a block has at least so many characters, unless it is the last */

static gboolean starts(const struct line *line, const char *text)
{
    gsize n = strlen(text);
    return line->n >= n && memcmp(line->text, text, n) == 0;
}

static gboolean is_block_line(const struct line *line)
{
    for (gsize i = 0; i < line->n; i++) {
        if (!base64_is_character((guint8)line->text[i]) && !g_ascii_isspace(line->text[i]) &&
            line->text[i] != '=')
            return FALSE;
    }
    return TRUE;
}

/* The stretch from the line that begins a block to its last line. */
static guint64 block_end(struct lines *lines, const struct line *first, GError **error)
{
    struct line line;
    guint64 end = first->offset + first->length;
    while (lines_next(lines, &line, error) && is_block_line(&line)) {
        end = line.offset + line.length;
        if (line.n && line.n < BLOCK_LINE)
            break;
    }
    return end;
}

/* A declaration, or the first tag of a report, maybe with a prefix: "<?xml version", "<r:feedback>". Mailers
 * of Microsoft write "<?xml:namespace" into HTML. */
static gboolean is_xml(const struct line *line)
{
    gsize at = 0;
    while (at < line->n && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    struct line rest = {.text = line->text + at, .n = line->n - at};
    if (starts(&rest, "<?xml"))
        return rest.n > strlen("<?xml") && g_ascii_isspace(rest.text[strlen("<?xml")]);
    if (!starts(&rest, "<"))
        return FALSE;
    gsize n = 1;
    while (n < rest.n && (g_ascii_isalnum(rest.text[n]) || strchr("-_.:", rest.text[n])))
        n++;
    const char *colon = memrchr(rest.text, ':', n);
    const char *name = colon ? colon + 1 : rest.text + 1;
    return n - (gsize)(name - rest.text) == strlen("feedback") &&
           memcmp(name, "feedback", strlen("feedback")) == 0 &&
           (n == rest.n || strchr(" \t\r>/", rest.text[n]));
}

/* The name behind "begin 644 ", made harmless, or NULL. Owned by the caller. */
static char *begun_name(const struct line *line)
{
    gsize at = strlen("begin ");
    if (!starts(line, "begin "))
        return NULL;
    while (at < line->n && line->text[at] >= '0' && line->text[at] <= '7')
        at++;
    gsize digits = at - strlen("begin ");
    if (digits < 3 || digits > 4 || at + 1 >= line->n || line->text[at] != ' ')
        return NULL;
    return label_safe(line->text + at + 1, (gssize)(line->n - at - 1), NAME_MAX_BYTES);
}

/* Whether it has as many characters as its first one says, and maybe a check sum; some leave out those that
 * hold nothing. */
static gboolean is_uu_line(const struct line *line)
{
    if (line->n == 0 || line->text[0] < ' ' || line->text[0] > '`')
        return FALSE;
    gsize bytes = (gsize)(line->text[0] - ' ') & 63, whole = (bytes + 2) / 3 * 4;
    gsize needed = (bytes * 4 + 2) / 3;
    return line->n - 1 >= needed && line->n - 1 <= whole + 2;
}

/* The end of a uuencoded file, behind its "end"; or `from` when no line of one follows. */
static guint64 uu_end(struct lines *lines, guint64 from, GError **error)
{
    struct line line;
    guint64 end = from;
    while (lines_next(lines, &line, error)) {
        gboolean last = starts(&line, "end") && line.n == 3;
        if (!last && !is_uu_line(&line))
            break;
        end = line.offset + line.length;
        if (last)
            break;
    }
    return end;
}

/* A line of base64, as long as it would be when more follows, and no words. */
static gboolean is_packed(const struct line *line)
{
    for (gsize i = 0; i < BLOCK_LINE; i++) {
        if (i == line->n || !base64_is_character((guint8)line->text[i]))
            return FALSE;
    }
    /* gzip, zip, "<?xml", "<feedback" */
    return starts(line, "H4sI") || starts(line, "UEsDB") || starts(line, "PD94bWw") ||
           starts(line, "PGZlZWRiYWNr");
}

/* The quote signs in front of a line: "> ", ">> ", "> > ". */
static gsize quote_of(const struct line *line)
{
    gsize n = 0;
    while (n < line->n && line->text[n] == '>') {
        n++;
        if (n < line->n && line->text[n] == ' ')
            n++;
    }
    return n;
}

static struct line without(const struct line *line, gsize quote)
{
    struct line rest = *line;
    rest.offset += quote;
    rest.length -= quote;
    rest.text += quote;
    rest.n -= quote;
    return rest;
}

/* Whether the line has the same quote in front, of which an empty line may lack the last blank. */
static gboolean is_quoted(const struct line *line, const char *quote, gsize n, gsize *length_r)
{
    gsize bare = quote[n - 1] == ' ' ? n - 1 : n;
    *length_r = line->n == bare ? bare : n;
    return line->n >= *length_r && memcmp(line->text, quote, *length_r) == 0;
}

/* A brace, with nothing or a text behind it. */
static gboolean is_brace(const struct line *line)
{
    gsize at = 0;
    while (at < line->n && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    if (at == line->n || line->text[at++] != '{')
        return FALSE;
    while (at < line->n && g_ascii_isspace(line->text[at]))
        at++;
    return at == line->n || line->text[at] == '"';
}

/* Whether the first key of the object at this place is one of a TLS report's own (RFC 8460 section 4.4). */
static gboolean is_tls_report(struct blob *text, guint64 at)
{
    static const char *const keys[] = {"organization-name", "date-range", "contact-info", "report-id",
                                       "policies"};
    char start[128];
    gssize got = blob_read(text, at, start, sizeof start - 1, NULL);
    start[MAX(got, 0)] = '\0';
    const char *brace = strchr(start, '{');
    const char *key = brace ? brace + 1 + strspn(brace + 1, " \t\r\n") : "";
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        gsize n = strlen(keys[i]);
        if (*key == '"' && strncmp(key + 1, keys[i], n) == 0 && key[n + 1] == '"')
            return TRUE;
    }
    return FALSE;
}

/* What was done so far, also in quotes. */
struct effort {
    guint blocks, quotes, braces;
};

/* What is searched, and for what. */
struct search {
    struct blob *text;
    gboolean quoted;    /* the text was quoted, and quotes in it are left alone */
    gboolean xml, json; /* some was found, which reaches to the end */
    struct effort *effort;
    block_func block;
    void *self;
};

/* What begins in a line. */
struct begin {
    gboolean packed, xml;
    gboolean json; /* perhaps */
    char *name;    /* of a uuencoded file, owned; or NULL */
};

static gboolean begins(const struct search *search, const struct line *line, struct begin *begin_r)
{
    *begin_r = (struct begin){.packed = is_packed(line)};
    begin_r->xml = !begin_r->packed && !search->xml && is_xml(line);
    begin_r->json = !begin_r->packed && !search->json && is_brace(line);
    begin_r->name = begin_r->packed || begin_r->xml || begin_r->json ? NULL : begun_name(line);
    return begin_r->packed || begin_r->xml || begin_r->json || begin_r->name;
}

static gboolean search_lines(struct search *search, guint64 from, guint64 to, GError **error);

/* The line without its quote, of which most are in memory. */
static gboolean copy_rest(struct spool *spool, struct blob *text, const struct line *line, gsize quote,
                          GError **error)
{
    guint8 buf[16384];
    gssize got = 0;
    guint64 at = line->offset + quote, end = line->offset + line->length;
    if (line->length <= line->n + LINE_END)
        return spool_add(spool, line->text + quote, (gsize)line->length - quote, error);
    while (at < end && (got = blob_read(text, at, buf, (gsize)MIN(sizeof buf, end - at), error)) > 0) {
        if (!spool_add(spool, buf, (gsize)got, error))
            return FALSE;
        at += (guint64)got;
    }
    return got >= 0;
}

/* The lines from `first` on that have its quote in front, without it; lines->at goes behind them. NULL with
 * an error. */
static struct blob *unquote(struct search *search, struct lines *lines, const struct line *first, gsize n,
                            GError **error)
{
    g_autofree char *quote = g_strndup(first->text, n);
    g_autoptr(GError) failure = NULL;
    struct spool *spool = spool_new(G_MAXUINT64, "message_size");
    struct line line;
    guint64 end = lines->at = first->offset;
    gsize length;
    while (lines_next(lines, &line, &failure) && is_quoted(&line, quote, n, &length) &&
           copy_rest(spool, search->text, &line, length, &failure))
        end = line.offset + line.length;
    lines->at = end;
    if (!failure)
        return spool_finish(spool, error);
    spool_free(spool);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* Searches what stands in quotes from this line on, when something begins in it. */
static gboolean search_quote(struct search *search, struct lines *lines, const struct line *line,
                             GError **error)
{
    gsize n = search->quoted ? 0 : quote_of(line);
    struct begin begin = {0};
    struct line rest = without(line, n);
    if (n == 0 || !begins(search, &rest, &begin))
        return TRUE;
    g_free(begin.name);
    if (++search->effort->quotes > TRIES_MAX)
        return TRUE;
    struct blob *text = unquote(search, lines, line, n, error);
    if (!text)
        return FALSE;
    struct search inner = {.text = text,
                           .quoted = TRUE,
                           .xml = search->xml,
                           .json = search->json,
                           .effort = search->effort,
                           .block = search->block,
                           .self = search->self};
    gboolean ok = search_lines(&inner, 0, blob_size(text), error);
    blob_unref(text);
    return ok;
}

/* A block that begins in this line; lines->at goes behind those that end somewhere. */
static gboolean take_block(struct search *search, struct lines *lines, const struct line *line,
                           const struct begin *begin, GError **error)
{
    guint64 start = line->offset, begun = line->offset + line->length, end = lines->end;
    g_autoptr(GError) failure = NULL;
    if (begin->json && (++search->effort->braces > TRIES_MAX || !is_tls_report(search->text, start)))
        return TRUE;
    if (begin->packed)
        end = block_end(lines, line, &failure);
    else if (begin->name)
        end = uu_end(lines, begun, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    /* The line that ended it may begin another. */
    if (begin->packed || begin->name)
        lines->at = end;
    if (begin->name && end == begun)
        return TRUE;
    search->xml |= begin->xml;
    search->json |= begin->json;
    search->effort->blocks++;
    const struct block found = {.raw = blob_slice(search->text, start, end - start),
                                .what = begin->packed ? "base64"
                                        : begin->xml  ? "XML"
                                        : begin->json ? "JSON"
                                                      : "uuencode",
                                .encoding = begin->packed ? "base64"
                                            : begin->name ? "x-uuencode"
                                                          : NULL,
                                .name = begin->name};
    return search->block(search->self, &found, error);
}

static gboolean search_lines(struct search *search, guint64 from, guint64 to, GError **error)
{
    struct lines lines;
    struct line line;
    g_autoptr(GError) failure = NULL;
    gboolean ok = TRUE;
    lines_init(&lines, search->text, from, to);
    while (ok && search->effort->blocks < BLOCKS_MAX && lines_next(&lines, &line, &failure)) {
        struct begin begin;
        if (begins(search, &line, &begin))
            ok = take_block(search, &lines, &line, &begin, &failure);
        else
            ok = search_quote(search, &lines, &line, &failure);
        g_free(begin.name);
    }
    lines_clear(&lines);
    if (!failure)
        return ok;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean block_search(struct blob *text, guint64 from, guint64 to, block_func block, void *self,
                      GError **error)
{
    struct effort effort = {0};
    struct search search = {.text = text, .effort = &effort, .block = block, .self = self};
    return search_lines(&search, from, MIN(to, blob_size(text)), error);
}
