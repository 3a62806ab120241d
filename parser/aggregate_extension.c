/* Extensions of a report (RFC 9990 section 3.1): kept as XML text. */
#include "parser/aggregate_int.h"

#include <string.h>

static void extension_finish_tag(struct reader *reader)
{
    if (reader->extension_open)
        g_string_append_c(reader->extension, '>');
    reader->extension_open = FALSE;
}

static gboolean extension_full(const struct reader *reader)
{
    return reader->extension->len > reader->limits->text_length;
}

void extension_text(struct reader *reader, const char *text, gsize length)
{
    extension_finish_tag(reader);
    if (extension_full(reader))
        return;
    /* One byte more than allowed tells that it was too much. */
    g_autofree char *escaped =
        g_markup_escape_text(text, (gssize)MIN(length, reader->limits->text_length + 1));
    g_string_append(reader->extension, escaped);
}

static void extension_attribute(struct reader *reader, const char *const *attribute)
{
    g_autoptr(GString) value = g_string_new_len(attribute[3], attribute[4] - attribute[3]);
    g_string_replace(value, "&#38;", "&", 0);
    g_autofree char *escaped = g_markup_escape_text(value->str, (gssize)value->len);
    const char *prefix = attribute[1], *uri = attribute[2];
    if (prefix != NULL && uri != NULL && strcmp(prefix, "xml") != 0)
        g_string_append_printf(reader->extension, " xmlns:%s=\"%s\"", prefix, uri);
    g_string_append_printf(reader->extension, " %s%s%s=\"%s\"", prefix != NULL ? prefix : "",
                           prefix != NULL ? ":" : "", attribute[0], escaped);
}

void extension_open(struct reader *reader, const char *local, const char *uri, guint n_attributes,
                    const char *const *attributes)
{
    extension_finish_tag(reader);
    if (extension_full(reader))
        return;
    g_string_append_printf(reader->extension, "<%s", local);
    if (uri != NULL) {
        g_autofree char *escaped = g_markup_escape_text(uri, -1);
        g_string_append_printf(reader->extension, " xmlns=\"%s\"", escaped);
    }
    for (guint i = 0; i < n_attributes; i++)
        extension_attribute(reader, attributes + (gsize)5 * i);
    reader->extension_open = TRUE;
}

/* An extension has ended: it goes to the record that it stands in, or to the head. */
static void extension_keep(struct reader *reader)
{
    reader->extension_depth = 0;
    if (extension_full(reader) || reader->head_extensions->len > reader->limits->text_length) {
        warnings_add(&reader->warnings, CODE_EXT_CUT, "longer than text_length", NULL);
    } else if (reader->in_record) {
        const char *before = reader->record.extensions;
        g_autofree char *both = g_strconcat(before != NULL ? before : "", reader->extension->str, NULL);
        if (strlen(both) <= reader->limits->text_length)
            reader->record.extensions = arena_text(&reader->record_arena, both, strlen(both));
        else
            warnings_add(&reader->warnings, CODE_EXT_CUT, "longer than text_length", NULL);
    } else {
        g_string_append(reader->head_extensions, reader->extension->str);
    }
    g_string_truncate(reader->extension, 0);
}

void extension_close(struct reader *reader, const char *local)
{
    if (reader->extension_open)
        g_string_append(reader->extension, "/>");
    else if (!extension_full(reader))
        g_string_append_printf(reader->extension, "</%s>", local);
    reader->extension_open = FALSE;
    if (reader->depth + 1 == reader->extension_depth)
        extension_keep(reader);
}
