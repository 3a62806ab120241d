#include "parser/repair.h"

#include "parser/aggregate_tree.h"
#include "parser/codes.h"
#include "parser/feed.h"

#include <string.h>

enum {
    SOON = 1024,        /* how far a leaf's end tag may be when markup stands in its text, */
    SOON_TAGS = 8,      /* and behind how many tags */
    UNKNOWN_MAX = 4096, /* how long an element may be that the format does not have */
    ATTRIBUTES_MAX = 16,
    OUT_ENOUGH = 4096,
    NAME_BYTES_MAX = 200,
};

/* Structural marks besides the codes; bits in `marked` follow those of the codes that the repair uses. */
enum mark {
    MARK_RECOVER,
    MARK_CTRL,
    MARK_ENCODING,
    MARK_SCHEMA,
    MARK_LEAD,
    MARK_TRAIL,
    MARK_DAMAGED,
    MARK_INCOMPLETE
};

struct tag {
    gsize name, name_length;   /* with the prefix */
    gsize local, local_length; /* without */
    gsize attributes, attributes_length;
    gsize end; /* behind '>' */
    gboolean closing, empty, quotes_broken;
    int id; /* enum name, or -1 */
};

struct repair {
    const guint8 *data;
    gsize length, at;
    guint skip;
    const struct limits *limits;
    GString *out;
    gsize taken;
    GArray *open; /* struct tag, outermost first */
    guint marked; /* bits of enum mark, since the last tag */
    gsize first,
        good; /* where the first tag of feedback is, and behind the last end tag that was passed over */
    gboolean started, found, doctype, done;
    gboolean no_end[3]; /* of comments, CDATA sections, instructions: none comes any more */
};

static const char *const section_start[3] = {"<!--", "<![CDATA[", "<?"};
static const char *const section_end[3] = {"-->", "]]>", "?>"};

static gboolean is_blank(guint8 c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void mark(struct repair *repair, enum mark which)
{
    static const int codes[] = {CODE_XML_RECOVER,    CODE_XML_CTRL, CODE_ENCODING,
                                CODE_XML_SCHEMA_TAG, CODE_XML_LEAD, CODE_XML_TRAIL};
    if ((repair->marked & 1u << which) != 0)
        return;
    repair->marked |= 1u << which;
    const char *word = which == MARK_DAMAGED      ? "damaged"
                       : which == MARK_INCOMPLETE ? "incomplete"
                                                  : code_rows[codes[which]].code;
    g_string_append_printf(repair->out, "<?whosends %s?>", word);
}

static gboolean looking_at(const struct repair *repair, gsize at, const char *text)
{
    gsize n = strlen(text);
    return repair->length - at >= n && memcmp(repair->data + at, text, n) == 0;
}

/* The offset behind the section of this kind that starts at `at`; 0 when none does, or when it has no end.
 * Never searches twice in vain. */
static gsize behind_section(struct repair *repair, gsize at, int kind)
{
    if (repair->no_end[kind] || !looking_at(repair, at, section_start[kind]))
        return 0;
    gsize n = strlen(section_end[kind]);
    gsize from = at + strlen(section_start[kind]);
    const guint8 *found = memmem(repair->data + from, repair->length - from, section_end[kind], n);
    repair->no_end[kind] = found == NULL;
    return found != NULL ? (gsize)(found - repair->data) + n : 0;
}

/* ---- tags ---- */

static gboolean is_name_start(guint8 c)
{
    return g_ascii_isalpha(c) || c == '_';
}

static gboolean is_name_char(guint8 c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static gboolean read_name(const struct repair *repair, struct tag *tag, gsize at)
{
    tag->name = tag->local = at;
    if (at >= repair->length || !is_name_start(repair->data[at]))
        return FALSE;
    for (; at < repair->length && is_name_char(repair->data[at]); at++) {
        if (repair->data[at] != ':')
            continue;
        if (tag->local != tag->name || at + 1 >= repair->length || !is_name_start(repair->data[at + 1]))
            return FALSE;
        tag->local = at + 1;
    }
    tag->name_length = at - tag->name;
    tag->local_length = at - tag->local;
    return tag->name_length <= NAME_BYTES_MAX && at < repair->length &&
           (is_blank(repair->data[at]) || repair->data[at] == '/' || repair->data[at] == '>');
}

/* The '>' that ends a tag, with or without respect for quotes; 0 when a '<' or the end comes first. */
static gsize find_end(const struct repair *repair, gsize at, gboolean quotes)
{
    guint8 quote = 0;
    gsize stop = MIN(repair->length, at + (gsize)MIN(repair->limits->xml_tag, (guint64)G_MAXINT));
    for (; at < stop && repair->data[at] != '<'; at++) {
        guint8 c = repair->data[at];
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (quotes && (c == '"' || c == '\''))
            quote = c;
        else if (c == '>')
            return at;
    }
    return 0;
}

/* The tag at a '<'. FALSE when none starts there. */
static gboolean read_tag(const struct repair *repair, gsize at, struct tag *tag)
{
    *tag = (struct tag){0};
    at++;
    tag->closing = at < repair->length && repair->data[at] == '/';
    if (!read_name(repair, tag, at + (tag->closing ? 1 : 0)))
        return FALSE;
    tag->attributes = tag->name + tag->name_length;
    gsize end = find_end(repair, tag->attributes, TRUE);
    if (end == 0) {
        end = find_end(repair, tag->attributes, FALSE);
        tag->quotes_broken = TRUE;
    }
    if (end == 0)
        return FALSE;
    tag->end = end + 1;
    tag->empty = !tag->closing && end > tag->attributes && repair->data[end - 1] == '/';
    tag->attributes_length = end - tag->attributes - (tag->empty ? 1 : 0);
    gboolean standard;
    tag->id = tree_name((const char *)repair->data + tag->local, tag->local_length, &standard);
    return TRUE;
}

static gboolean is_schema(const struct repair *repair, const struct tag *tag)
{
    return tag->local != tag->name && tag->local_length == 6 &&
           memcmp(repair->data + tag->local, "schema", 6) == 0;
}

static gboolean same_text(const struct repair *repair, gsize a, gsize b, gsize n)
{
    return g_ascii_strncasecmp((const char *)repair->data + a, (const char *)repair->data + b, n) == 0;
}

static gboolean same_local(const struct repair *repair, const struct tag *a, const struct tag *b)
{
    return a->local_length == b->local_length && same_text(repair, a->local, b->local, a->local_length);
}

/* ---- text ---- */

/* The length of "&...;" when it is a reference that every XML parser knows; else 0. */
static gsize reference(const struct repair *repair, gsize at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (looking_at(repair, at, known[i]))
            return strlen(known[i]);
    if (!looking_at(repair, at, "&#"))
        return 0;
    gboolean hex = looking_at(repair, at, "&#x");
    gunichar value = 0;
    gsize i = at + (hex ? 3 : 2), first = i;
    for (; i < repair->length && i < first + 7; i++) {
        int digit =
            hex ? g_ascii_xdigit_value((char)repair->data[i]) : g_ascii_digit_value((char)repair->data[i]);
        if (digit < 0)
            break;
        value = value * (hex ? 16 : 10) + (gunichar)digit;
    }
    gboolean allowed = value == '\t' || value == '\n' || value == '\r' ||
                       (value >= ' ' && g_unichar_validate(value) && value != 0xfffe && value != 0xffff);
    return i > first && allowed && i < repair->length && repair->data[i] == ';' ? i + 1 - at : 0;
}

/* Bytes of the character at `at` when it may stand in XML as it is; else 0, and *mend_r is what stands for
 * one byte. */
static gsize valid_character(const struct repair *repair, gsize at, gunichar *mend_r, enum mark *why_r)
{
    guint8 c = repair->data[at];
    *mend_r = 0xfffd;
    *why_r = MARK_CTRL;
    if (c < 0x80)
        return c >= ' ' || is_blank(c) ? 1 : 0;
    gsize left = MIN(repair->length - at, (gsize)6);
    gunichar wide = g_utf8_get_char_validated((const char *)repair->data + at, (gssize)left);
    if (wide == (gunichar)-1 || wide == (gunichar)-2) {
        *mend_r = feed_windows_1252(c);
        *why_r = MARK_ENCODING;
        return 0;
    }
    if (wide == 0xfffe || wide == 0xffff)
        return 0;
    return (gsize)g_utf8_skip[c];
}

/* U+FFFE and U+FFFF are whole characters that must go. */
static gsize bad_length(const struct repair *repair, gsize at, enum mark why)
{
    return why == MARK_CTRL && repair->data[at] >= 0x80 ? 3 : 1;
}

/* One character, or a run of plain ones, as text. Returns the bytes used. */
static gsize put_text(struct repair *repair, gsize at, gsize end)
{
    gsize run = at;
    while (run < end && repair->data[run] >= ' ' && repair->data[run] < 0x7f &&
           strchr("<>&", repair->data[run]) == NULL)
        run++;
    if (run > at) {
        g_string_append_len(repair->out, (const char *)repair->data + at, (gssize)(run - at));
        return run - at;
    }
    guint8 c = repair->data[at];
    if (c == '&') {
        gsize n = reference(repair, at);
        if (n > 0) {
            g_string_append_len(repair->out, (const char *)repair->data + at, (gssize)n);
            return n;
        }
    }
    if (c == '&' || c == '<') {
        mark(repair, MARK_RECOVER);
        g_string_append(repair->out, c == '&' ? "&amp;" : "&lt;");
        return 1;
    }
    if (c == '>') {
        g_string_append(repair->out, "&gt;");
        return 1;
    }
    gunichar mend;
    enum mark why;
    gsize n = valid_character(repair, at, &mend, &why);
    if (n > 0) {
        g_string_append_len(repair->out, (const char *)repair->data + at, (gssize)n);
        return n;
    }
    n = bad_length(repair, at, why);
    mark(repair, why);
    g_string_append_unichar(repair->out, mend);
    return n;
}

/* The same for the inside of a CDATA section, where '&' and '<' are as good as any character. */
static gsize put_cdata(struct repair *repair, gsize at, gsize end)
{
    guint8 c = repair->data[at];
    if (c != '&' && c != '<')
        return put_text(repair, at, end);
    g_string_append(repair->out, c == '&' ? "&amp;" : "&lt;");
    return 1;
}

/* ---- attributes ---- */

static gboolean valid_value(const struct repair *repair, gsize at, gsize end)
{
    while (at < end) {
        gunichar mend;
        enum mark why;
        gsize n = repair->data[at] == '&' ? reference(repair, at) : valid_character(repair, at, &mend, &why);
        if (n == 0)
            return FALSE;
        at += n;
    }
    return TRUE;
}

/* All attributes are as XML wants them, and none comes twice. */
static gboolean valid_attributes(const struct repair *repair, const struct tag *tag)
{
    gsize names[ATTRIBUTES_MAX], lengths[ATTRIBUTES_MAX], n = 0;
    gsize at = tag->attributes, end = tag->attributes + tag->attributes_length;
    while (TRUE) {
        gsize before = at;
        while (at < end && is_blank(repair->data[at]))
            at++;
        if (at == end)
            return TRUE;
        if (at == before || n == ATTRIBUTES_MAX || !is_name_start(repair->data[at]))
            return FALSE;
        names[n] = at;
        while (at < end && is_name_char(repair->data[at]))
            at++;
        lengths[n] = at - names[n];
        for (gsize i = 0; i < n; i++)
            if (lengths[i] == lengths[n] &&
                memcmp(repair->data + names[i], repair->data + names[n], lengths[n]) == 0)
                return FALSE;
        n++;
        while (at < end && is_blank(repair->data[at]))
            at++;
        if (at == end || repair->data[at++] != '=')
            return FALSE;
        while (at < end && is_blank(repair->data[at]))
            at++;
        if (at == end || (repair->data[at] != '"' && repair->data[at] != '\''))
            return FALSE;
        const guint8 *close = memchr(repair->data + at + 1, repair->data[at], end - at - 1);
        if (close == NULL || !valid_value(repair, at + 1, (gsize)(close - repair->data)))
            return FALSE;
        at = (gsize)(close - repair->data) + 1;
    }
}

/* ---- structure ---- */

static struct tag *innermost(const struct repair *repair)
{
    return repair->open->len > 0 ? &g_array_index(repair->open, struct tag, repair->open->len - 1) : NULL;
}

/* How many open elements lie above and including the innermost one that `wanted` tells; 0 when none is. */
static guint depth_of(const struct repair *repair, const struct tag *tag, int id)
{
    for (guint i = repair->open->len; i > 0; i--) {
        const struct tag *other = &g_array_index(repair->open, struct tag, i - 1);
        if (tag != NULL ? same_local(repair, other, tag) : other->id == id)
            return repair->open->len - i + 1;
    }
    return 0;
}

static void put_close(struct repair *repair)
{
    const struct tag *tag = innermost(repair);
    g_string_append_printf(repair->out, "</%.*s>", (int)tag->name_length,
                           (const char *)repair->data + tag->name);
    g_array_set_size(repair->open, repair->open->len - 1);
    repair->marked = 0;
}

/* Ends the innermost n elements, whose end tags are missing. */
static void force_close(struct repair *repair, guint n)
{
    while (n-- > 0) {
        mark(repair, MARK_RECOVER);
        if (depth_of(repair, NULL, NAME_RECORD) > 0)
            mark(repair, MARK_DAMAGED);
        put_close(repair);
    }
}

static void put_open(struct repair *repair, const struct tag *tag)
{
    g_string_append_printf(repair->out, "<%.*s", (int)tag->name_length,
                           (const char *)repair->data + tag->name);
    gboolean valid = !tag->quotes_broken && valid_attributes(repair, tag);
    if (valid)
        g_string_append_len(repair->out, (const char *)repair->data + tag->attributes,
                            (gssize)tag->attributes_length);
    g_string_append(repair->out, tag->empty ? "/>" : ">");
    repair->marked = 0;
    if (!valid)
        mark(repair, MARK_RECOVER);
    if (!tag->empty)
        g_array_append_val(repair->open, *tag);
}

static gboolean in_leaf(const struct repair *repair)
{
    const struct tag *tag = innermost(repair);
    if (tag == NULL || tag->id < 0)
        return FALSE;
    if (tree_always_leaf((enum name)tag->id))
        return TRUE;
    gboolean verdict = tag->id == NAME_DKIM || tag->id == NAME_SPF;
    return verdict && repair->open->len > 1 &&
           g_array_index(repair->open, struct tag, repair->open->len - 2).id == NAME_POLICY_EVALUATED;
}

/* The end tag of the innermost element is near: what looks like markup until there is its text. Behind what
 * looks like the tag of a record or of the document there is none that is. */
static gboolean ends_soon(const struct repair *repair, gsize at)
{
    const struct tag *inner = innermost(repair);
    const gsize first = at, stop = MIN(repair->length, at + SOON);
    for (int tags = 0; at < stop && tags < SOON_TAGS; tags++) {
        const guint8 *next = memchr(repair->data + at, '<', stop - at);
        if (next == NULL)
            return FALSE;
        at = (gsize)(next - repair->data);
        struct tag tag;
        gboolean is_tag = read_tag(repair, at, &tag);
        if (is_tag && same_local(repair, &tag, inner))
            return tag.closing;
        if (is_tag && at != first && (tag.id == NAME_RECORD || tag.id == NAME_FEEDBACK))
            return FALSE;
        at++;
    }
    return FALSE;
}

/* An element that the format does not have, and that ends: with sound attributes and an end tag not too far
 * away. */
static gboolean is_sound(const struct repair *repair, const struct tag *tag)
{
    if (tag->id >= 0 || is_schema(repair, tag))
        return TRUE;
    if (tag->quotes_broken || !valid_attributes(repair, tag))
        return FALSE;
    char end[NAME_BYTES_MAX + 3];
    int n =
        g_snprintf(end, sizeof end, "</%.*s", (int)tag->name_length, (const char *)repair->data + tag->name);
    gsize window = MIN(repair->length - tag->end, (gsize)UNKNOWN_MAX);
    return tag->empty || memmem(repair->data + tag->end, window, end, (gsize)n) != NULL;
}

static void step_open(struct repair *repair, const struct tag *tag)
{
    while (in_leaf(repair)) {
        if (tag->id < 0 || ends_soon(repair, repair->at)) {
            repair->at += put_text(repair, repair->at, repair->at + 1);
            return;
        }
        force_close(repair, 1);
    }
    if (is_schema(repair, tag)) {
        mark(repair, MARK_SCHEMA);
        repair->at = tag->end;
        return;
    }
    if (!is_sound(repair, tag)) {
        if (depth_of(repair, NULL, NAME_RECORD) > 0)
            mark(repair, MARK_DAMAGED);
        repair->at += put_text(repair, repair->at, repair->at + 1);
        return;
    }
    if (tag->id == NAME_RECORD || tag->id == NAME_REPORT_METADATA || tag->id == NAME_POLICY_PUBLISHED)
        force_close(repair, MAX(depth_of(repair, NULL, NAME_REPORT_METADATA),
                                depth_of(repair, NULL, NAME_POLICY_PUBLISHED)));
    if (tag->id == NAME_RECORD)
        force_close(repair, depth_of(repair, NULL, NAME_RECORD));
    if (tag->id == NAME_FEEDBACK) {
        mark(repair, MARK_INCOMPLETE);
        force_close(repair, repair->open->len);
        return; /* and again from outside */
    }
    put_open(repair, tag);
    repair->at = tag->end;
}

static void step_close(struct repair *repair, const struct tag *tag)
{
    const struct tag *inner = innermost(repair);
    if (same_local(repair, inner, tag)) {
        if (inner->name_length != tag->name_length ||
            memcmp(repair->data + inner->name, repair->data + tag->name, tag->name_length) != 0)
            mark(repair, MARK_RECOVER);
        put_close(repair);
        repair->at = tag->end;
        return;
    }
    guint depth = depth_of(repair, tag, -1);
    if (in_leaf(repair) && (depth == 0 || ends_soon(repair, repair->at))) {
        repair->at += put_text(repair, repair->at, repair->at + 1);
        return;
    }
    if (depth > 0) {
        force_close(repair, depth - 1);
        put_close(repair);
    } else {
        mark(repair, is_schema(repair, tag) ? MARK_SCHEMA : MARK_RECOVER);
        if (tag->id >= 0 && depth_of(repair, NULL, NAME_RECORD) > 0)
            mark(repair, MARK_DAMAGED);
    }
    repair->at = tag->end;
}

static void step_markup(struct repair *repair)
{
    enum { COMMENT, CDATA, INSTRUCTION };
    gsize at = repair->at, next;
    if ((next = behind_section(repair, at, COMMENT)) != 0 ||
        (next = behind_section(repair, at, INSTRUCTION)) != 0) {
        repair->at = next;
        return;
    }
    if ((next = behind_section(repair, at, CDATA)) != 0) {
        gsize end = next - strlen(section_end[CDATA]);
        for (at += strlen(section_start[CDATA]); at < end;)
            at += put_cdata(repair, at, end);
        repair->at = next;
        return;
    }
    struct tag tag;
    gboolean doctype = looking_at(repair, at, "<!DOCTYPE");
    if (doctype && !in_leaf(repair))
        repair->doctype = repair->done = TRUE;
    else if (doctype || !read_tag(repair, at, &tag))
        repair->at += put_text(repair, at, at + 1);
    else if (tag.closing)
        step_close(repair, &tag);
    else
        step_open(repair, &tag);
}

/* ---- outside of feedback ---- */

/* Passes over what may stand around a document, and over schema tags. Returns TRUE when there was more than
 * that. */
static gboolean is_litter(struct repair *repair, gsize at, gsize end, gboolean *schema_r)
{
    struct tag tag;
    *schema_r = FALSE;
    while (at < end) {
        gsize next = is_blank(repair->data[at]) ? at + 1 : 0;
        for (int kind = 0; kind < 3 && next == 0; kind += 2)
            next = behind_section(repair, at, kind);
        if (next == 0 && repair->data[at] == '<' && read_tag(repair, at, &tag) && is_schema(repair, &tag)) {
            *schema_r = TRUE;
            next = tag.end;
        }
        if (next == 0)
            return TRUE;
        at = next;
    }
    return FALSE;
}

/* The next start tag of feedback at or behind `at`. */
static gboolean find_feedback(struct repair *repair, gsize at, struct tag *tag)
{
    const guint8 *next;
    for (; (next = memchr(repair->data + at, '<', repair->length - at)) != NULL; at++) {
        at = (gsize)(next - repair->data);
        if (!repair->found && repair->skip == 0 && looking_at(repair, at, "<!DOCTYPE")) {
            repair->doctype = TRUE;
            return FALSE;
        }
        if (!read_tag(repair, at, tag) || tag->id != NAME_FEEDBACK)
            continue;
        if (repair->first == 0)
            repair->first = at;
        if (tag->closing)
            repair->good = tag->end;
        else if (repair->skip == 0)
            return TRUE;
        else
            repair->skip--;
    }
    return FALSE;
}

/* All reports were good, and then it broke: what stands behind the last one, or an element around them that
 * has no end. */
static void mark_rest(struct repair *repair)
{
    gboolean behind, around;
    if (is_litter(repair, repair->good, repair->length, &behind))
        mark(repair, MARK_TRAIL);
    else if (is_litter(repair, repair->at, repair->first, &around) || !around)
        mark(repair, MARK_RECOVER);
}

static void step_outside(struct repair *repair)
{
    struct tag tag;
    gsize from = repair->at;
    gboolean passed = repair->skip > 0; /* over good reports, after which it broke */
    gboolean found = find_feedback(repair, from, &tag), schema = FALSE;
    gsize start = found ? tag.name - 1 : repair->length;
    gboolean litter = !passed && is_litter(repair, from, start, &schema);
    if (litter && repair->found)
        mark(repair, MARK_TRAIL);
    if (passed && !found)
        mark_rest(repair);
    if (!found) {
        repair->done = TRUE;
        g_string_append(repair->out, "</whosends>");
        return;
    }
    gboolean first = !repair->found;
    repair->found = TRUE;
    put_open(repair, &tag);
    if (litter && first)
        mark(repair, MARK_LEAD);
    if (schema)
        mark(repair, MARK_SCHEMA);
    repair->at = tag.end;
}

static void step(struct repair *repair)
{
    if (!repair->started) {
        repair->started = TRUE;
        g_string_append(repair->out, "<whosends>");
    }
    if (repair->open->len == 0)
        step_outside(repair);
    else if (repair->at >= repair->length)
        repair->done = TRUE;
    else if (repair->data[repair->at] == '<')
        step_markup(repair);
    else
        repair->at += put_text(repair, repair->at, repair->length);
}

struct repair *repair_new(const guint8 *data, gsize length, guint skip, const struct limits *limits)
{
    struct repair *repair = g_new0(struct repair, 1);
    repair->data = data;
    repair->length = length;
    repair->skip = skip;
    repair->limits = limits;
    repair->out = g_string_sized_new(2 * OUT_ENOUGH);
    repair->open = g_array_new(FALSE, FALSE, sizeof(struct tag));
    return repair;
}

void repair_free(struct repair *repair)
{
    g_string_free(repair->out, TRUE);
    g_array_free(repair->open, TRUE);
    g_free(repair);
}

gssize repair_read(struct repair *repair, void *buf, gsize n)
{
    if (repair->taken == repair->out->len) {
        g_string_truncate(repair->out, 0);
        repair->taken = 0;
        while (!repair->done && repair->out->len < OUT_ENOUGH)
            step(repair);
    }
    gsize take = MIN(n, repair->out->len - repair->taken);
    memcpy(buf, repair->out->str + repair->taken, take);
    repair->taken += take;
    return (gssize)take;
}

gboolean repair_broke_off(const struct repair *repair)
{
    return repair->done && repair->open->len > 0 && !repair->doctype;
}

gboolean repair_found(const struct repair *repair)
{
    return repair->found;
}

gboolean repair_doctype(const struct repair *repair)
{
    return repair->doctype;
}
