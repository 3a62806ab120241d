/* The reading side of the wire: whatever comes, it ends in a status with an error that fits, tells only what
 * can be true, and the pieces in which it comes make no difference. The first byte of an input tells what the
 * rest is: 0 the bytes of an answer, else changes to a true answer (place in two bytes, new byte). */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/told.h"

static GByteArray *answer(const guint8 *data, gsize size)
{
    struct told t;
    if (size == 0 || data[0] == 0) {
        GByteArray *raw = g_byte_array_new();
        return size > 0 ? g_byte_array_append(raw, data + 1, (guint)(size - 1)) : raw;
    }
    tell_all(&t);
    GByteArray *bytes = bytes_of(&t, "bhrrtdwHPFFPTdfdhahrtxhrtdwe");
    for (gsize i = 1; i + 3 <= size; i += 3)
        bytes->data[(data[i] * 256u + data[i + 1]) % bytes->len] = data[i + 2];
    return bytes;
}

/* Owned by the caller: what was told, and how it ended. */
static char *hear_all(const GByteArray *bytes, const struct limits *limits, gsize step, guint fail_at)
{
    struct wire_reader *reader = wire_reader_new(limits, suffixes);
    struct recorder to;
    GError *error = NULL;
    enum wire_status status = WIRE_MORE;
    gsize at = 0, used, found = 0;
    recorder_init(&to);
    to.fail_at = fail_at;
    wire_reader_begin(reader, &to.journal);
    while (at < bytes->len && status == WIRE_MORE) {
        status = wire_reader_feed(reader, bytes->data + at, MIN(step, bytes->len - at), &used, &error);
        MUST(used > 0 || status == WIRE_LIE);
        at += used;
    }
    MUST((error != NULL) == (status >= WIRE_GAVE_UP));
    must_be_text(to.text->str);
    if (error != NULL)
        must_be_error(error);
    if (status == WIRE_MAIL_END || status == WIRE_GAVE_UP) {
        MUST(wire_find_end(limits, bytes->data, bytes->len, &found) == WIRE_MAIL_END);
        MUST(found == at);
    }
    MUST(at == bytes->len || status != WIRE_MORE);
    g_string_append_printf(to.text, "%d %s", status, error != NULL ? error->message : "");
    g_clear_error(&error);
    wire_reader_free(reader);
    return g_string_free(to.text, FALSE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    if (suffixes == NULL)
        suffixes = domain_list_new();
    struct limits low = low_limits();
    const struct limits *limits = size % 8 == 3 ? &low : &limits_default;
    guint fail_at = size % 8 == 5 ? 1 + (guint)(size % 11) : 0;
    g_autoptr(GByteArray) bytes = answer(data, size);
    g_autofree char *first = hear_all(bytes, limits, G_MAXUINT, fail_at);
    g_autofree char *second = hear_all(bytes, limits, 1 + size % 37, fail_at);
    must_be_same(first, second);
    return 0;
}
