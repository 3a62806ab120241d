#include "ingest/wire_fields.h"

#include "parser/codes.h"
#include "parser/domain.h"

#include <string.h>
#include <sys/socket.h>

#define SUM_BYTES 32
#define LONG_TEXT 255 /* a length that does not fit into one byte follows in four */
#define PATH_BYTES 1000
#define DETAIL_BYTES 2000

G_STATIC_ASSERT(CODE_LAST < 255);

/* The address of a member. */
static const void *member(const void *object, const struct wire_field *field)
{
    return (const guint8 *)object + field->offset;
}

static guint count_of(const void *object, const struct wire_field *field)
{
    guint n;
    memcpy(&n, (const guint8 *)object + field->count, sizeof n);
    return n;
}

static const void *pointer_of(const void *object, const struct wire_field *field)
{
    const void *pointer;
    memcpy(&pointer, member(object, field), sizeof pointer);
    return pointer;
}

/* ---- writing ---- */

void wire_out_clear(struct wire_out *out)
{
    g_free(out->data);
    *out = (struct wire_out){0};
}

static void grow(struct wire_out *out, gsize n)
{
    out->room = MAX(out->room * 2, out->length + n + 1024);
    out->data = g_realloc(out->data, out->room);
}

static inline guint8 *add(struct wire_out *out, gsize n)
{
    if (G_UNLIKELY(out->room - out->length < n))
        grow(out, n);
    guint8 *at = out->data + out->length;
    out->length += n;
    return at;
}

guint8 *wire_out_add(struct wire_out *out, gsize n)
{
    return add(out, n);
}

static void put_byte(struct wire_out *out, guint8 byte)
{
    *add(out, 1) = byte;
}

static void put_count(struct wire_out *out, guint n)
{
    memcpy(add(out, sizeof n), &n, sizeof n);
}

/* Length plus one, bytes, NUL; NULL is 0. */
static void put_bytes(struct wire_out *out, const char *text, gsize n)
{
    guint8 *at = add(out, n + (n + 1 < LONG_TEXT ? 2 : 6));
    if (n + 1 < LONG_TEXT) {
        *at++ = (guint8)(n + 1);
    } else {
        guint32 length = (guint32)n;
        *at++ = LONG_TEXT;
        memcpy(at, &length, sizeof length);
        at += sizeof length;
    }
    memcpy(at, text, n);
    at[n] = '\0';
}

static void put_text(struct wire_out *out, const char *text)
{
    if (text)
        put_bytes(out, text, strlen(text));
    else
        put_byte(out, 0);
}

/* As the ledger will keep it: valid, and cut between two characters. */
static void put_cut(struct wire_out *out, const char *text, gsize most)
{
    const char *bad;
    if (!text || (g_utf8_validate(text, -1, &bad) && (gsize)(bad - text) <= most)) {
        put_text(out, text);
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    gsize n = strlen(valid);
    if (n > most) {
        for (n = most; n && ((guint8)valid[n] & 0xc0) == 0x80; n--)
            ;
    }
    put_bytes(out, valid, n);
}

static gboolean put_word(struct wire_out *out, const char *word, const char *const *words)
{
    guint8 i = 0;
    while (word && words[i] && words[i] != word && strcmp(words[i], word) != 0)
        i++;
    put_byte(out, word ? (guint8)(i + 1) : 0);
    return !word || words[i];
}

static gboolean put_code(struct wire_out *out, const char *code)
{
    guint8 i = 0;
    while (code && i < CODE_LAST && code_rows[i].code != code)
        i++;
    if (code && i == CODE_LAST)
        for (i = 0; i < CODE_LAST && strcmp(code_rows[i].code, code) != 0; i++)
            ;
    put_byte(out, code ? (guint8)(i + 1) : 0);
    return i < CODE_LAST;
}

static void put_address(struct wire_out *out, const void *object)
{
    int family;
    memcpy(&family, object, sizeof family);
    guint n = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
    put_byte(out, (guint8)n);
    memcpy(add(out, n), (const guint8 *)object + sizeof family, n);
}

static gboolean put_list(struct wire_out *out, const struct wire_field *field, const char *const *list)
{
    gboolean ok = TRUE;
    guint n = 0;
    while (list && list[n])
        n++;
    put_count(out, n);
    for (guint i = 0; i < n; i++) {
        if (field->kind == FIELD_WORDS)
            ok = put_word(out, list[i], field->words) && ok;
        else if (field->kind == FIELD_CODES)
            ok = put_code(out, list[i]) && ok;
        else
            put_text(out, list[i]);
    }
    return ok;
}

static gboolean put_rows(struct wire_out *out, const struct wire_field *field, const void *object)
{
    const guint8 *row = pointer_of(object, field);
    guint n = count_of(object, field);
    gboolean ok = TRUE;
    put_count(out, n);
    for (guint i = 0; i < n && ok; i++, row += field->rows->size)
        ok = wire_put(out, field->rows, row);
    return ok;
}

static void put_texts(struct wire_out *out, const struct wire_field *field, const void *object)
{
    const char *const *texts = pointer_of(object, field);
    guint n = count_of(object, field);
    put_count(out, n);
    for (guint i = 0; i < n; i++)
        put_text(out, texts[i]);
}

static gboolean put_field(struct wire_out *out, const struct wire_field *field, const void *object)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_BOOL: {
        gboolean value;
        memcpy(&value, member(object, field), sizeof value);
        put_byte(out, value ? 1 : 0);
        return TRUE;
    }
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_LOWER:
    case FIELD_NAME:
    case FIELD_DOMAIN:
        if (field->bound == BOUND_PATH || field->bound == BOUND_DETAIL)
            put_cut(out, pointer_of(object, field), field->bound == BOUND_PATH ? PATH_BYTES : DETAIL_BYTES);
        else
            put_text(out, pointer_of(object, field));
        return TRUE;
    case FIELD_WORD:
        return put_word(out, pointer_of(object, field), field->words);
    case FIELD_CODE:
        return put_code(out, pointer_of(object, field));
    case FIELD_SUM: {
        const guint8 *sum = pointer_of(object, field);
        put_byte(out, sum ? SUM_BYTES : 0);
        if (sum)
            memcpy(add(out, SUM_BYTES), sum, SUM_BYTES);
        return TRUE;
    }
    case FIELD_ADDRESS:
        put_address(out, member(object, field));
        return TRUE;
    case FIELD_LIST:
    case FIELD_WORDS:
    case FIELD_CODES:
        return put_list(out, field, pointer_of(object, field));
    case FIELD_ROWS:
        return put_rows(out, field, object);
    case FIELD_TEXTS:
    case FIELD_NAMES:
        put_texts(out, field, object);
        return TRUE;
    case FIELD_STRUCT:
        return wire_put(out, field->rows, member(object, field));
    case FIELD_INT:
    case FIELD_LONG:
    case FIELD_RAW:
        break;
    }
    memcpy(add(out, field->size), member(object, field), field->size);
    return TRUE;
}

gboolean wire_put(struct wire_out *out, const struct wire_table *table, const void *object)
{
    for (guint i = 0; i < table->n; i++) {
        const struct wire_field *field = &table->fields[i];
        if (put_field(out, field, object))
            continue;
        if (!out->bad) {
            out->table = table->name;
            out->field = field->name;
            out->bad = "a word that nobody knows";
        }
        return FALSE;
    }
    return TRUE;
}

gsize wire_frame_begin(struct wire_out *out)
{
    wire_out_add(out, sizeof(struct wire_head));
    out->bad = NULL;
    return out->length - sizeof(struct wire_head);
}

void wire_frame_end(struct wire_out *out, gsize begin, guint32 kind)
{
    const struct wire_head head = {(guint32)(out->length - begin - sizeof head), kind};
    memcpy(out->data + begin, &head, sizeof head);
}

/* ---- reading ---- */

void wire_bounds(const struct limits *limits, gsize bounds_r[BOUND_LAST])
{
    const gsize text = limits->text_length;
    const gsize bounds[BOUND_LAST] = {
        [BOUND_TEXT] = text,
        [BOUND_PROSE] = limits->prose_length,
        [BOUND_HINT] = MAX(text, 4096),
        [BOUND_LOWERED] = MAX(3 * text, 1024),
        [BOUND_RAW] = MAX(text, limits->prose_length) + 64,
        [BOUND_EXTENSIONS] = 2 * text,
        [BOUND_WARNING] = 1024,
        [BOUND_PATH] = PATH_BYTES,
        [BOUND_DETAIL] = DETAIL_BYTES,
        [BOUND_RESULTS] = limits->auth_results,
        [BOUND_RAW_LIST] = 32 + 3 * (gsize)limits->auth_results,
        [BOUND_CODES] = CODE_LAST,
        [BOUND_FEW] = 100,
    };
    memcpy(bounds_r, bounds, sizeof bounds);
}

static gboolean lie(struct wire_in *in, const char *what)
{
    in->bad = what;
    return FALSE;
}

static gboolean get(struct wire_in *in, void *to, gsize n)
{
    if ((gsize)(in->end - in->at) < n)
        return lie(in, "the frame ends inside of it");
    memcpy(to, in->at, n);
    in->at += n;
    return TRUE;
}

/* UTF-8 without NUL. Nearly all of it is ASCII: eight bytes at once. */
static gboolean is_text(const char *text, gsize n)
{
    const guint64 low = G_GUINT64_CONSTANT(0x0101010101010101), high = low << 7;
    gsize i = 0;
    for (; i + sizeof(guint64) <= n; i += sizeof(guint64)) {
        guint64 eight;
        memcpy(&eight, text + i, sizeof eight);
        if (((eight - low) | eight) & high)
            return g_utf8_validate_len(text, n, NULL);
    }
    for (; i < n; i++)
        if (text[i] <= 0)
            return g_utf8_validate_len(text, n, NULL);
    return TRUE;
}

static gboolean is_lower(const char *text)
{
    for (; *text; text++)
        if (g_ascii_isupper(*text))
            return FALSE;
    return TRUE;
}

/* A text of at most so many bytes, which points into the frame. */
static gboolean get_bytes(struct wire_in *in, gsize most, const char **text_r, gsize *n_r)
{
    guint8 first;
    *text_r = NULL;
    *n_r = 0;
    if (!get(in, &first, 1) || !first)
        return !in->bad;
    gsize n = (gsize)first - 1;
    if (first == LONG_TEXT) {
        guint32 length;
        if (!get(in, &length, sizeof length))
            return FALSE;
        n = length;
    }
    if (n > most)
        return lie(in, "longer than it can be");
    if ((gsize)(in->end - in->at) <= n)
        return lie(in, "the frame ends inside of it");
    if (in->at[n] != '\0')
        return lie(in, "no NUL behind it");
    *text_r = (const char *)in->at;
    *n_r = n;
    in->at += n + 1;
    return TRUE;
}

static gboolean get_text(struct wire_in *in, enum field_kind kind, gsize most, const char **text_r)
{
    gsize n;
    if (!get_bytes(in, most, text_r, &n))
        return FALSE;
    const char *text = *text_r;
    if (!text)
        return TRUE;
    if (kind == FIELD_BYTES)
        return memchr(text, '\0', n) ? lie(in, "a NUL in it") : TRUE;
    if (!is_text(text, n))
        return lie(in, "no UTF-8, or a NUL in it");
    if (((kind == FIELD_LOWER || kind == FIELD_NAME) && !is_lower(text)) ||
        (kind == FIELD_NAME && strchr(text, '@')))
        return lie(in, "not in the form of a name");
    if ((kind == FIELD_DOMAIN || kind == FIELD_NAMES) && n && !domain_is_normal(text))
        return lie(in, "no normalised domain");
    return TRUE;
}

static gboolean get_word(struct wire_in *in, const char *const *words, const char **word_r)
{
    guint8 which, n = 0;
    *word_r = NULL;
    if (!get(in, &which, 1))
        return FALSE;
    while (n < which && words[n])
        n++;
    if (which > n)
        return lie(in, "an unknown word");
    if (which)
        *word_r = words[which - 1];
    return TRUE;
}

static gboolean get_code(struct wire_in *in, const char **code_r)
{
    guint8 which;
    *code_r = NULL;
    if (!get(in, &which, 1))
        return FALSE;
    if (which > CODE_LAST)
        return lie(in, "an unknown code");
    if (which)
        *code_r = code_rows[which - 1].code;
    return TRUE;
}

static gboolean get_count(struct wire_in *in, gsize most, guint *n_r)
{
    if (!get(in, n_r, sizeof *n_r))
        return FALSE;
    return *n_r <= most ? TRUE : lie(in, "more elements than it can have");
}

static gboolean get_address(struct wire_in *in, void *object)
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    guint8 n, *ip = (guint8 *)object + sizeof(int);
    if (!get(in, &n, 1))
        return FALSE;
    if (n != 0 && n != 4 && n != 16)
        return lie(in, "an unknown kind of address");
    const int family = n == 4 ? AF_INET : n == 16 ? AF_INET6 : AF_UNSPEC;
    memcpy(object, &family, sizeof family);
    memset(ip, 0, 16);
    if (!get(in, ip, n))
        return FALSE;
    if (n == 16 && memcmp(ip, mapped, sizeof mapped) == 0)
        return lie(in, "an IPv4 address in the form of an IPv6 address");
    return TRUE;
}

static gboolean get_list(struct wire_in *in, const struct wire_field *field, void *object)
{
    static const char *const nothing[] = {NULL};
    const char *const *list = field->kind == FIELD_CODES ? NULL : nothing;
    guint n;
    if (!get_count(in, in->bounds[field->list], &n))
        return FALSE;
    const char **texts = n ? arena_alloc(in->arena, (n + 1) * sizeof *texts) : NULL;
    for (guint i = 0; i < n; i++) {
        gboolean ok = field->kind == FIELD_WORDS ? get_word(in, field->words, &texts[i])
                      : field->kind == FIELD_CODES
                          ? get_code(in, &texts[i])
                          : get_text(in, FIELD_TEXT, in->bounds[field->bound], &texts[i]);
        if (!ok)
            return FALSE;
        if (!texts[i])
            return lie(in, "an element is missing");
    }
    if (n) {
        texts[n] = NULL;
        list = texts;
    }
    memcpy(object, &list, sizeof list);
    return TRUE;
}

/* The number of elements, which several arrays may share. */
static gboolean get_shared_count(struct wire_in *in, const struct wire_field *field, void *object, guint *n_r)
{
    if (!get_count(in, in->bounds[field->list], n_r))
        return FALSE;
    if (field->flags & FIELD_SHARED && count_of(object, field) != *n_r)
        return lie(in, "another number of elements than beside it");
    memcpy((guint8 *)object + field->count, n_r, sizeof *n_r);
    return TRUE;
}

static gboolean get_rows(struct wire_in *in, const struct wire_field *field, void *object)
{
    guint n;
    if (!get_shared_count(in, field, object, &n))
        return FALSE;
    guint8 *rows = n ? arena_alloc(in->arena, n * field->rows->size) : NULL;
    for (guint i = 0; i < n; i++)
        if (!wire_get(in, field->rows, rows + i * field->rows->size))
            return FALSE;
    memcpy((guint8 *)object + field->offset, &rows, sizeof rows);
    return TRUE;
}

static gboolean get_texts(struct wire_in *in, const struct wire_field *field, void *object)
{
    guint n;
    if (!get_shared_count(in, field, object, &n))
        return FALSE;
    const char **texts = arena_alloc(in->arena, (n + 1) * sizeof *texts);
    for (guint i = 0; i < n; i++)
        if (!get_text(in, field->kind, in->bounds[field->bound], &texts[i]))
            return FALSE;
    texts[n] = NULL;
    memcpy((guint8 *)object + field->offset, &texts, sizeof texts);
    return TRUE;
}

static gboolean get_number(struct wire_in *in, const struct wire_field *field, void *object)
{
    gint64 value;
    if (!get(in, object, field->size))
        return FALSE;
    if (field->kind == FIELD_INT) {
        int narrow;
        memcpy(&narrow, object, sizeof narrow);
        value = narrow;
    } else {
        memcpy(&value, object, sizeof value);
    }
    return value >= field->least && value <= field->most ? TRUE : lie(in, "out of range");
}

static gboolean get_pointer(struct wire_in *in, const struct wire_field *field, void *object)
{
    const char *text = NULL;
    gboolean ok;
    if (field->kind == FIELD_WORD)
        ok = get_word(in, field->words, &text);
    else if (field->kind == FIELD_CODE)
        ok = get_code(in, &text);
    else
        ok = get_text(in, field->kind, in->bounds[field->bound], &text);
    if (!ok)
        return FALSE;
    if (!text && field->flags & FIELD_REQUIRED)
        return lie(in, "missing");
    if (text && !*text && field->flags & FIELD_FILLED)
        return lie(in, "empty");
    memcpy(object, &text, sizeof text);
    return TRUE;
}

static gboolean get_sum(struct wire_in *in, void *object)
{
    guint8 n;
    if (!get(in, &n, 1))
        return FALSE;
    const guint8 *sum = n ? in->at : NULL;
    if (n && (n != SUM_BYTES || in->end - in->at < SUM_BYTES))
        return lie(in, "no SHA-256");
    in->at += n;
    memcpy(object, &sum, sizeof sum);
    return TRUE;
}

static gboolean get_field(struct wire_in *in, const struct wire_field *field, void *object)
{
    void *at = (guint8 *)object + field->offset;
    switch ((enum field_kind)field->kind) {
    case FIELD_BOOL: {
        guint8 value;
        if (!get(in, &value, 1))
            return FALSE;
        const gboolean wide = value;
        memcpy(at, &wide, sizeof wide);
        return value <= 1 ? TRUE : lie(in, "neither true nor false");
    }
    case FIELD_INT:
    case FIELD_LONG:
        return get_number(in, field, at);
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_LOWER:
    case FIELD_NAME:
    case FIELD_DOMAIN:
    case FIELD_WORD:
    case FIELD_CODE:
        return get_pointer(in, field, at);
    case FIELD_SUM:
        return get_sum(in, at);
    case FIELD_ADDRESS:
        return get_address(in, at);
    case FIELD_LIST:
    case FIELD_WORDS:
    case FIELD_CODES:
        return get_list(in, field, at);
    case FIELD_ROWS:
        return get_rows(in, field, object);
    case FIELD_TEXTS:
    case FIELD_NAMES:
        return get_texts(in, field, object);
    case FIELD_STRUCT:
        return wire_get(in, field->rows, at);
    case FIELD_RAW:
        break;
    }
    return get(in, at, field->size);
}

gboolean wire_get(struct wire_in *in, const struct wire_table *table, void *object)
{
    for (guint i = 0; i < table->n; i++) {
        if (get_field(in, &table->fields[i], object))
            continue;
        if (!in->field) {
            in->table = table->name;
            in->field = table->fields[i].name;
        }
        return FALSE;
    }
    return TRUE;
}
