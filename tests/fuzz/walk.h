/* Callbacks for the walks over mails and archives: every document is read to its end, XML by the aggregate
 * parser, and what came is written down. */
#pragma once

#include "ingest/message.h"
#include "ingest/unpack.h"
#include "tests/fuzz/checked_sink.h"

struct walk {
    const struct limits *limits;
    guint64 budget;
    GString *seen;
    guint64 given; /* bytes of what was handed in, where that is not the mail */
    guint documents;
};

static inline void must_be_label(const char *label)
{
    must_be_text(label);
    for (; label != NULL && *label != '\0'; label++)
        MUST((guchar)*label >= ' ' && *label != 0x7f);
}

static inline gboolean walk_refused(void *self, const char *label, const char *code, const char *detail,
                                    GError **error G_GNUC_UNUSED)
{
    struct walk *walk = self;
    const struct code_row *row = code_find(code);
    /* Yahoo's placeholder is told the same way, and is no problem. */
    MUST(row != NULL && (row->refusal || strcmp(code, "yahoo_unused") == 0));
    MUST(label != NULL);
    must_be_label(label);
    must_be_text(detail);
    g_string_append_printf(walk->seen, "refused %s %s\n", label, code);
    return TRUE;
}

/* Counts what the reader gives, so that the limits can be held against it. */
struct counted {
    struct byte_reader inner;
    guint64 bytes, most;
    gboolean ended;
    GError *error;
};

static inline gssize counted_read(void *self, void *buf, gsize n, GError **error)
{
    struct counted *counted = self;
    if (counted->ended || counted->error != NULL)
        return 0;
    gssize got = counted->inner.read(counted->inner.self, buf, n, &counted->error);
    MUST(got >= -1 && got <= (gssize)n);
    MUST((got < 0) == (counted->error != NULL));
    if (got < 0) {
        must_be_error(counted->error);
        if (!g_error_matches(counted->error, WS_ERROR, WS_ERROR_TRUNCATED))
            g_propagate_error(error, g_error_copy(counted->error));
        else
            got = 0;
        return got;
    }
    counted->ended = got == 0;
    counted->bytes += (guint64)got;
    MUST(counted->bytes <= counted->most);
    return got;
}

static inline gboolean walk_document(void *self, const struct unpacked *document, GError **error)
{
    struct walk *walk = self;
    struct counted counted = {.inner = document->reader, .most = walk->limits->attachment_size};
    /* What came unpacked is as long as it came. */
    counted.most = MAX(MAX(counted.most, walk->limits->unpacked_size), walk->given);
    MUST(document->label != NULL);
    must_be_label(document->label);
    must_be_label(document->name);
    walk->documents++;
    g_string_append_printf(walk->seen, "document %s %d\n", document->label, document->kind);
    if (document->kind == CONTENT_XML) {
        struct checked checked = {.limits = walk->limits};
        const struct report_hints hints = {.file_name = document->name};
        g_autofree char *came = checked_parse(&checked, (struct byte_reader){counted_read, &counted}, &hints);
        g_string_append(walk->seen, came);
    }
    guint8 buf[4096];
    g_autoptr(GError) rest = NULL;
    while (counted_read(&counted, buf, sizeof buf, &rest) > 0)
        ;
    g_string_append_printf(walk->seen, " bytes %" G_GUINT64_FORMAT " %d\n", counted.bytes,
                           counted.error != NULL ? counted.error->code : -1);
    gboolean ok = counted.error == NULL || ws_error_spoils(counted.error) == WS_SPOILS_DOCUMENT;
    if (!ok && error != NULL)
        *error = g_error_copy(counted.error);
    g_clear_error(&counted.error);
    return ok;
}

static inline gboolean walk_part(void *self, const struct message_part *part, GError **error)
{
    struct walk *walk = self;
    must_be_label(part->label);
    must_be_label(part->file_name);
    must_be_text(part->media_type);
    MUST(part->label != NULL && part->content != NULL);
    must_be_one_of(part->note, "cte mime");
    MUST(blob_size(part->content) <= walk->limits->attachment_size);
    g_string_append_printf(walk->seen, "part %s %s %s\n", part->label, part->media_type, part->note);
    guint64 before = walk->budget;
    gboolean ok = unpack_walk(part->content, part->label, part->file_name, walk->limits, &walk->budget,
                              walk_document, walk_refused, walk, error);
    MUST(walk->budget <= before);
    return ok;
}

/* The same bytes from a file that has no name. */
static inline struct blob *blob_in_file(const guint8 *data, gsize size)
{
    FILE *file = tmpfile();
    MUST(file != NULL && fwrite(data, 1, size, file) == size && fflush(file) == 0);
    struct blob *blob = blob_new_fd(fileno(file), 0, size, NULL);
    MUST(blob != NULL);
    fclose(file);
    return blob;
}
