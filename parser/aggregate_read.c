/* XML events to texts in their places. */
#include "parser/aggregate_int.h"

#include <string.h>

/* A wrapper may stand around feedback, and one around that. */
enum { WRAPPERS = 2 };

static enum node place_of(const struct reader *reader)
{
    return (enum node)reader->place[reader->depth];
}

static gboolean is_leaf(enum node node)
{
    return node >= NODE_FIRST_LEAF;
}

const char *reader_raw_word(struct arena *arena, const char *element, const char *raw)
{
    gsize a = strlen(element), b = strlen(raw);
    char *word = arena_alloc(arena, a + b + 2);
    memcpy(word, element, a);
    word[a] = '=';
    memcpy(word + a + 1, raw, b + 1);
    return word;
}

int reader_name(const char *local)
{
    gboolean standard;
    int name = tree_name(local, strlen(local), &standard);
    return name < 0 || standard ? name : name | XML_VARIANT;
}

/* ---- start tags ---- */

static gboolean is_foreign(const struct reader *reader, const char *uri)
{
    return uri != NULL && g_strcmp0(uri, reader->namespace_uri) != 0;
}

/* What says by its namespace that it has nothing to do with the report that it stands in, though its name may
 * be one of the report's (RFC 9990 section 3.1). Reporters mix the namespaces of reports. */
static gboolean is_stranger(const struct reader *reader, const char *uri)
{
    return is_foreign(reader, uri) && reader->namespace_uri != NULL && g_strrstr(uri, "dmarc") == NULL &&
           g_strrstr(reader->namespace_uri, "urn:ietf:params:xml:ns:dmarc-2.0") != NULL;
}

static enum node unknown_place(struct reader *reader, enum node parent, const char *local, const char *uri)
{
    gboolean foreign = is_foreign(reader, uri);
    if (foreign && (parent == NODE_FEEDBACK || parent == NODE_RECORD))
        return NODE_EXTENSION;
    if (!foreign)
        warnings_list(&reader->warnings, CODE_UNKNOWN_ELEM, local);
    return NODE_SKIP;
}

static enum node choose_place(struct reader *reader, int id, const char *local, const char *uri)
{
    enum node parent = place_of(reader);
    if (parent == NODE_SKIP || parent == NODE_EXTENSION)
        return parent;
    gboolean variant = id >= 0 && (id & XML_VARIANT) != 0;
    enum name name = (enum name)(id & ~XML_VARIANT);
    enum node node = id >= 0 ? tree_child(parent, name) : NODE_SKIP;
    if (parent == NODE_WRAPPER && node != NODE_FEEDBACK && strcmp(local, "schema") == 0)
        reader->schema = TRUE;
    if (parent == NODE_WRAPPER)
        return node == NODE_FEEDBACK || reader->depth >= WRAPPERS ? node : NODE_WRAPPER;
    if (reader->state != REPORT_OPEN)
        return NODE_SKIP;
    gboolean doubtful = node == NODE_RECORDS || tree_is_too_high(node, parent),
             extensible = (parent == NODE_FEEDBACK || parent == NODE_RECORD) && node != NODE_EXTENSION;
    if ((doubtful && is_foreign(reader, uri)) || (extensible && is_stranger(reader, uri)))
        return unknown_place(reader, parent, local, uri);
    if (node == NODE_EXTENSION && parent == NODE_FEEDBACK)
        reader->extension_element = TRUE;
    if (variant)
        warnings_list(&reader->warnings, CODE_CASE, local);
    if (id >= 0 && name == NAME_IDENTITIES && node != NODE_SKIP)
        warnings_add(&reader->warnings, CODE_IDENTITIES, NULL, NULL);
    return node != NODE_SKIP ? node : unknown_place(reader, parent, local, uri);
}

/* Elements that come once: the first one counts. Returns where the element stands then. */
static enum node once(struct reader *reader, enum node node, const char *local)
{
    guint bit = 1u << node, *seen;
    switch (node) {
    case NODE_METADATA:
    case NODE_DATE_RANGE:
    case NODE_POLICY:
        seen = &reader->head_seen;
        break;
    case NODE_ROW:
    case NODE_EVALUATED:
    case NODE_IDENTIFIERS:
    case NODE_AUTH:
        seen = &reader->record.seen;
        break;
    default:
        return node;
    }
    gboolean again = (*seen & bit) != 0;
    *seen |= bit;
    if (!again)
        return node;
    warnings_list(&reader->warnings, CODE_MULTI, local);
    /* All authentication results count, wherever they stand. */
    return node == NODE_AUTH ? node : NODE_SKIP;
}

/* What belongs beside the row and stands in it counts while there is nothing beside it. Returns where the
 * element stands then. */
static enum node beside_row(struct reader *reader, enum node node, const char *local)
{
    struct raw_record *record = &reader->record;
    guint bit = 1u << node;
    if (place_of(reader) == NODE_ROW) {
        warnings_list(&reader->warnings, CODE_MISPLACED, local);
        if ((record->seen & ~record->in_row & bit) != 0)
            return NODE_SKIP;
        record->in_row |= bit;
        return once(reader, node, local);
    }
    if ((record->in_row & bit) != 0) {
        record->in_row &= ~bit;
        record->seen &= ~bit;
        if (node == NODE_AUTH)
            record->dkim = record->spf = (struct entries){0};
        else
            record->text[RECORD_HEADER_FROM] = record->text[RECORD_ENVELOPE_FROM] =
                record->text[RECORD_ENVELOPE_TO] = NULL;
    }
    return once(reader, node, local);
}

/* Of one that stands above its place and one that stands there only the latter counts, whichever comes first.
 * TRUE when it has to be forgotten what the former said. */
static gboolean takes_place(struct reader *reader, enum node node, const char *local, gboolean known)
{
    guint64 *high =
        node < NODE_SOURCE_IP && node >= NODE_FIRST_LEAF ? &reader->head_high : &reader->record.high;
    guint64 bit = G_GUINT64_CONSTANT(1) << node;
    if (tree_is_too_high(node, place_of(reader))) {
        warnings_list(&reader->warnings, CODE_MISPLACED, local);
        *high |= known ? 0 : bit;
        return FALSE;
    }
    gboolean takes = (*high & bit) != 0;
    *high &= ~bit;
    if (takes)
        warnings_list(&reader->warnings, CODE_MULTI, local);
    return takes;
}

static enum node evaluated(struct reader *reader, const char *local)
{
    struct raw_record *record = &reader->record;
    guint bit = 1u << NODE_EVALUATED;
    if (takes_place(reader, NODE_EVALUATED, local, (record->seen & bit) != 0)) {
        record->seen &= ~bit;
        record->text[RECORD_DISPOSITION] = record->text[RECORD_DKIM] = record->text[RECORD_SPF] = NULL;
        record->reasons = (struct entries){0};
    }
    return once(reader, NODE_EVALUATED, local);
}

static struct entry *add_entry(struct reader *reader, struct entries *entries)
{
    if (entries->n >= reader->limits->auth_results) {
        warnings_add(&reader->warnings, CODE_AUTH_MANY, NULL, NULL);
        reader->waste = (struct entry){0};
        return &reader->waste;
    }
    if (entries->n == entries->room) {
        guint room = entries->room > 0 ? 2 * entries->room : 2;
        struct entry *items = arena_alloc(&reader->record_arena, room * sizeof *items);
        if (entries->n > 0)
            memcpy(items, entries->items, entries->n * sizeof *items);
        entries->items = items;
        entries->room = room;
    }
    struct entry *entry = &entries->items[entries->n++];
    *entry = (struct entry){0};
    return entry;
}

static gboolean enter(struct reader *reader, enum node node, const char *uri)
{
    switch (node) {
    case NODE_FEEDBACK:
        if (!report_settle(reader))
            return FALSE;
        report_open(reader, uri);
        if (reader->schema)
            warnings_add(&reader->warnings, CODE_XML_SCHEMA_TAG, NULL, NULL);
        reader->schema = FALSE;
        return TRUE;
    case NODE_RECORDS:
        warnings_list(&reader->warnings, CODE_MISPLACED, tree_names[NAME_RECORDS]);
        return TRUE;
    case NODE_RECORD:
        return report_record_open(reader);
    case NODE_DKIM:
        reader->entry = add_entry(reader, &reader->record.dkim);
        return TRUE;
    case NODE_SPF:
        reader->entry = add_entry(reader, &reader->record.spf);
        return TRUE;
    case NODE_REASON:
        reader->entry = add_entry(reader, &reader->record.reasons);
        reader->text.length = 0;
        return TRUE;
    default:
        return TRUE;
    }
}

static void grow(struct leaf_text *text, gsize n)
{
    text->room = 2 * (text->length + n + 1);
    text->bytes = g_realloc(text->bytes, text->room);
}

static inline void append(struct leaf_text *text, const char *bytes, gsize n)
{
    /* One byte more than the text, for a NUL behind it. */
    if (G_UNLIKELY(n >= text->room - text->length))
        grow(text, n);
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
}

/* The four characters of white space are the only ones below 0x21 that XML has. */
static gboolean is_space(char c)
{
    return (guchar)c <= ' ';
}

/* An element in the middle of a text parts it: neither half of "pa<b/>ss" is a pass, nor is the whole. */
static void part_text(struct leaf_text *text)
{
    if (text->length > 0 && !is_space(text->bytes[text->length - 1]))
        append(text, " ", 1);
}

/* How many bytes of blanks beyond ASCII a text begins or ends with: no-break spaces and byte order marks. */
static gsize wide_blank(const char *text, gsize length, gboolean at_end)
{
    static const char *const blanks[] = {"\xc2\xa0", "\xef\xbb\xbf"};
    for (gsize i = 0; i < G_N_ELEMENTS(blanks); i++) {
        gsize n = strlen(blanks[i]);
        if (length >= n && memcmp(text + (at_end ? length - n : 0), blanks[i], n) == 0)
            return n;
    }
    return 0;
}

static inline gsize blank(const char *text, gsize length, gboolean at_end)
{
    guchar c = (guchar)text[at_end ? length - 1 : 0];
    return is_space((char)c) ? 1 : c < 0x80 ? 0 : wide_blank(text, length, at_end);
}

/* The collected text without the blanks around it, and without half a character where it was cut. */
static inline char *take_text(struct reader *reader, struct arena *arena)
{
    struct leaf_text *text = &reader->text;
    gsize begin = 0, n;
    while (text->length > 0 && (n = blank(text->bytes, text->length, TRUE)) > 0)
        text->length -= n;
    while (begin < text->length && (n = blank(text->bytes + begin, text->length - begin, FALSE)) > 0)
        begin += n;
    if (reader->cut) {
        const char *end;
        if (!g_utf8_validate_len(text->bytes, text->length, &end))
            text->length = (gsize)(end - text->bytes);
        warnings_add(&reader->warnings, CODE_TEXT_CUT, NULL, NULL);
        reader->cut = FALSE;
        if (reader->cut_name) {
            g_autofree char *marked = g_strdup_printf("%.*s(cut)", (int)text->length, text->bytes);
            reader->cut_name = FALSE;
            return arena_text(arena, marked, strlen(marked));
        }
    }
    return arena_text(arena, text->bytes + begin, text->length - begin);
}

/* <reason>sampled_out</reason>, as old rspamd writes it: what stands there is the type. */
static void keep_bare_reason(struct reader *reader)
{
    struct entry *entry = reader->entry;
    if (entry->text[ENTRY_TYPE] != NULL || reader->text.length == 0)
        return;
    const char *text = take_text(reader, &reader->record_arena);
    entry->bare = *text != '\0';
    entry->text[ENTRY_TYPE] = entry->bare ? text : NULL;
}

static void open_leaf(struct reader *reader, enum node node)
{
    if (place_of(reader) == NODE_REASON)
        keep_bare_reason(reader);
    reader->collect = TRUE;
    reader->stray = reader->cut = reader->cut_name = FALSE;
    reader->text.length = 0;
    reader->place[++reader->depth] = (guint8)node;
}

/* Whatever is no leaf in the place where it belongs. */
static gboolean open_other(struct reader *reader, int id, const char *local, const char *uri,
                           guint n_attributes, const char *const *attributes)
{
    enum node node = choose_place(reader, id, local, uri);
    if (is_leaf(place_of(reader)))
        part_text(&reader->text);
    if (is_leaf(node)) {
        open_leaf(reader, node);
        return TRUE;
    }
    reader->collect = reader->stray = FALSE;
    if (node == NODE_EXTENSION) {
        if (reader->extension_depth == 0)
            reader->extension_depth = reader->depth + 1;
        extension_open(reader, local, uri, n_attributes, attributes);
    } else {
        node = node == NODE_IDENTIFIERS || node == NODE_AUTH ? beside_row(reader, node, local)
               : node == NODE_EVALUATED                      ? evaluated(reader, local)
                                                             : once(reader, node, local);
    }
    reader->place[++reader->depth] = (guint8)node;
    if (!enter(reader, node, uri))
        return FALSE;
    /* A feedback element right at the start may itself be spelt oddly, and belongs to the report it opens. */
    if (node == NODE_FEEDBACK && (id & XML_VARIANT) != 0)
        warnings_list(&reader->warnings, CODE_CASE, local);
    return TRUE;
}

static gboolean on_open(void *self, int id, const char *local, const char *uri, guint n_attributes,
                        const char *const *attributes)
{
    struct reader *reader = self;
    if (id >= 0 && id < NAME_LAST && reader->state == REPORT_OPEN) {
        enum node node = tree_child(place_of(reader), (enum name)id);
        if (is_leaf(node) && !tree_is_too_high(node, place_of(reader))) {
            open_leaf(reader, node);
            return TRUE;
        }
    }
    return open_other(reader, id, local, uri, n_attributes, attributes);
}

/* ---- text ---- */

/* Eight bytes at a time: most calls are for the white space between two tags. A byte is a blank when, one
 * less, it has none of the upper three bits. */
static gboolean is_blank_text(const char *text, gsize length)
{
    const guint64 ones = G_GUINT64_CONSTANT(0x0101010101010101);
    guint64 eight;
    for (; length >= sizeof eight; text += sizeof eight, length -= sizeof eight) {
        memcpy(&eight, text, sizeof eight);
        if (((eight - ones) & (ones * 0xe0)) != 0)
            return FALSE;
    }
    while (length > 0 && is_space(*text)) {
        text++;
        length--;
    }
    return length == 0;
}

/* Bytes of a text in a record: four times the longest name, and below what an index takes. */
enum { RECORD_TEXT = 1024 };

static gboolean too_long(struct reader *reader)
{
    report_refuse(reader, CODE_LIMIT, "a text is longer than text_length (%u bytes)",
                  reader->limits->text_length);
    return FALSE;
}

/* Texts of the head that are shown, and that nothing hangs on. */
static gboolean names_nothing(enum node node)
{
    return node == NODE_ORG_NAME || node == NODE_VERSION || node == NODE_GENERATOR || node == NODE_FO;
}

/* Keeps as much as allowed of a text that is too long. What stands in a record may be the choice of who sent
 * the mail, such as a selector: that costs the report nothing, and the begin of a name is no name. */
static gboolean cut_text(struct reader *reader, const char *text, gsize length, gboolean prose)
{
    gsize most = prose               ? reader->limits->prose_length
                 : reader->in_record ? MIN(reader->limits->text_length, RECORD_TEXT)
                                     : reader->limits->text_length;
    gsize fits = most > reader->text.length ? most - reader->text.length : 0;
    gsize take = MIN(length, fits);
    append(&reader->text, text, take);
    if (take == length || is_blank_text(text + take, length - take))
        return TRUE;
    reader->cut = TRUE;
    reader->cut_name = !prose;
    return prose || reader->in_record || names_nothing(place_of(reader)) ? TRUE : too_long(reader);
}

/* Keeps the text of a leaf within its bound; white space around it does not count. */
static inline gboolean collect_text(struct reader *reader, const char *text, gsize length)
{
    while (reader->text.length == 0 && length > 0 && is_space(*text)) {
        text++;
        length--;
    }
    if (length > 0 && reader->text.length + length > reader->short_text) {
        enum node node = place_of(reader);
        return cut_text(reader, text, length,
                        is_leaf(node) && tree_is_prose(node, (enum node)reader->place[reader->depth - 1]));
    }
    append(&reader->text, text, length);
    return TRUE;
}

static gboolean on_text(void *self, const char *text, gsize length)
{
    struct reader *reader = self;
    enum node node = place_of(reader);
    if (reader->collect)
        return collect_text(reader, text, length);
    if (node == NODE_EXTENSION) {
        extension_text(reader, text, length);
    } else if (node == NODE_REASON && reader->entry->text[ENTRY_TYPE] == NULL) {
        return collect_text(reader, text, length);
    } else if (node > NODE_EXTENSION && !reader->stray && !is_blank_text(text, length)) {
        reader->stray = TRUE;
        warnings_add(&reader->warnings, CODE_STRAY_TEXT, NULL, NULL);
    }
    return TRUE;
}

/* ---- end tags ---- */

static void keep_head_text(struct reader *reader, const char **slot, enum node node, const char *local)
{
    char *text = take_text(reader, &reader->head_arena);
    if (*slot == NULL || (node == NODE_ERROR && **slot == '\0')) {
        *slot = text;
    } else if (node == NODE_ERROR && *text == '\0') {
        return;
    } else if (node == NODE_ERROR) {
        g_autofree char *both = g_strjoin("; ", *slot, text, NULL);
        gsize most = reader->limits->prose_length;
        if (strlen(both) <= most)
            *slot = arena_text(&reader->head_arena, both, strlen(both));
        else
            warnings_add(&reader->warnings, CODE_TEXT_CUT, NULL, NULL);
    } else {
        warnings_list(&reader->warnings, CODE_MULTI, local);
    }
}

static void keep_text(struct reader *reader, enum node node, const char *local)
{
    const char *id = reader->head_text[HEAD_REPORT_ID];
    const char **slot = node < NODE_SOURCE_IP ? &reader->head_text[node - NODE_FIRST_LEAF]
                        : node < NODE_ENTRY_0 ? &reader->record.text[node - NODE_SOURCE_IP]
                                              : &reader->entry->text[node - NODE_ENTRY_0];
    if (takes_place(reader, node, local, *slot != NULL))
        *slot = NULL;
    if (!reader->begun && (id == NULL || *id == '\0') && node != NODE_REPORT_ID) {
        g_checksum_update(reader->id, (const guchar *)local, (gssize)strlen(local) + 1);
        reader->text.bytes[reader->text.length] = '\0';
        g_checksum_update(reader->id, (const guchar *)reader->text.bytes, (gssize)reader->text.length + 1);
    }
    if (node < NODE_SOURCE_IP) {
        keep_head_text(reader, slot, node, local);
        return;
    }
    char *text = take_text(reader, &reader->record_arena);
    gboolean bare = node == NODE_ENTRY_0 + ENTRY_TYPE && reader->entry->bare;
    if (*slot != NULL && !(bare && *text == '\0'))
        warnings_list(&reader->warnings, CODE_MULTI, local);
    if (*slot == NULL || (bare && *text != '\0')) {
        *slot = text;
        if (bare)
            reader->entry->bare = FALSE;
    }
}

static gboolean on_close(void *self, const char *local)
{
    struct reader *reader = self;
    enum node node = place_of(reader);
    enum node parent = (enum node)reader->place[--reader->depth];
    gboolean collected = reader->collect;
    reader->collect = is_leaf(parent);
    reader->stray = FALSE;
    if (is_leaf(node)) {
        if (collected)
            keep_text(reader, node, local);
        reader->text.length = 0;
        return TRUE;
    }
    switch (node) {
    case NODE_EXTENSION:
        extension_close(reader, local);
        return TRUE;
    case NODE_REASON:
        keep_bare_reason(reader);
        return TRUE;
    case NODE_DKIM:
    case NODE_SPF:
        if (reader->entry == &reader->waste)
            record_keep_nearer(reader, node == NODE_DKIM ? &reader->record.dkim : &reader->record.spf,
                               reader->entry);
        return TRUE;
    case NODE_METADATA:
    case NODE_POLICY:
        reader->head_done |= 1u << node;
        return TRUE;
    case NODE_RECORD:
        return report_record_close(reader);
    case NODE_FEEDBACK:
        return report_close(reader);
    default:
        return TRUE;
    }
}

/* What the repair did at this place. */
static void on_mark(void *self, const char *mark)
{
    struct reader *reader = self;
    if (strcmp(mark, "damaged") == 0) {
        reader->record.damaged = TRUE;
    } else if (strcmp(mark, "incomplete") == 0) {
        reader->incomplete = TRUE;
    } else {
        const struct code_row *row = code_find(mark);
        if (row != NULL)
            warnings_add(&reader->warnings, (enum code)(row - code_rows), NULL, NULL);
    }
}

const struct xml_events reader_events = {
    .open = on_open,
    .close = on_close,
    .text = on_text,
    .mark = on_mark,
};

void reader_init(struct reader *reader, const struct limits *limits, const struct domain_list *suffixes)
{
    *reader = (struct reader){.limits = limits};
    reader->short_text = MIN(MIN(limits->text_length, limits->prose_length), RECORD_TEXT);
    reader->names = names_new(suffixes);
    /* One place above the root, and one more for the root that the repair puts around everything. */
    reader->place = g_malloc((gsize)limits->xml_depth + 3);
    reader->text.room = 256;
    reader->text.bytes = g_malloc(reader->text.room);
    reader->extension = g_string_new(NULL);
    reader->head_extensions = g_string_new(NULL);
    reader->id = g_checksum_new(G_CHECKSUM_SHA256);
    reader->head_raw = g_ptr_array_new();
    reader->raw = g_ptr_array_new();
    reader->held = g_ptr_array_new();
}

void reader_start(struct reader *reader, const struct report_hints *hints, const struct report_sink *sink)
{
    static const struct report_hints no_hints = {0};
    reader->hints = hints != NULL ? hints : &no_hints;
    reader->sink = sink;
}

void reader_forget(struct reader *reader)
{
    warnings_reset(&reader->warnings);
    names_forget(reader->names);
    g_free(reader->namespace_uri);
    g_free(reader->detail);
    g_clear_error(&reader->error);
    g_string_truncate(reader->extension, 0);
    g_string_truncate(reader->head_extensions, 0);
    g_checksum_reset(reader->id);
    g_ptr_array_set_size(reader->head_raw, 0);
    g_ptr_array_set_size(reader->raw, 0);
    g_ptr_array_set_size(reader->held, 0);
    arena_reset(&reader->head_arena);
    arena_reset(&reader->record_arena);
    arena_reset(&reader->scratch);
    /* What is not named here begins with zeroes again. */
    *reader = (struct reader){
        .limits = reader->limits,
        .short_text = reader->short_text,
        .names = reader->names,
        .place = reader->place,
        .text = {.bytes = reader->text.bytes, .room = reader->text.room},
        .extension = reader->extension,
        .head_extensions = reader->head_extensions,
        .id = reader->id,
        .head_raw = reader->head_raw,
        .raw = reader->raw,
        .held = reader->held,
        .head_arena = reader->head_arena,
        .record_arena = reader->record_arena,
        .scratch = reader->scratch,
    };
}

void reader_clear(struct reader *reader)
{
    reader_forget(reader);
    names_free(reader->names);
    g_free(reader->place);
    g_free(reader->text.bytes);
    g_string_free(reader->extension, TRUE);
    g_string_free(reader->head_extensions, TRUE);
    g_checksum_free(reader->id);
    g_ptr_array_free(reader->head_raw, TRUE);
    g_ptr_array_free(reader->raw, TRUE);
    g_ptr_array_free(reader->held, TRUE);
    arena_clear(&reader->head_arena);
    arena_clear(&reader->record_arena);
    arena_clear(&reader->scratch);
}

void reader_rewind(struct reader *reader)
{
    reader->depth = 0;
    reader->place[0] = NODE_WRAPPER;
    reader->collect = FALSE;
    reader->extension_depth = 0;
    reader->extension_open = FALSE;
    g_string_truncate(reader->extension, 0);
    reader->closed = 0;
    reader->state = reader->state == REPORT_CLOSED ? REPORT_CLOSED : REPORT_NONE;
}
