/* An attachment to its documents: bounded in every direction, and the same from a file as from memory. */
#include "tests/fuzz/walk.h"

static char *walk_archive(struct blob *content, const struct limits *limits)
{
    struct walk walk = {.limits = limits,
                        .budget = limits->unpacked_total,
                        .given = blob_size(content),
                        .seen = g_string_new(NULL)};
    GError *error = NULL;
    gboolean ok = unpack_walk(content, "input", "input.bin", limits, &walk.budget, walk_document,
                              walk_refused, &walk, &error);
    MUST(ok && error == NULL);
    MUST(walk.budget <= limits->unpacked_total);
    return g_string_free(walk.seen, FALSE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    struct limits limits = size % 8 == 3 ? low_limits() : usual_limits();
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    struct blob *content = blob_new_bytes(bytes);
    g_autofree char *first = walk_archive(content, &limits);
    blob_unref(content);
    if (size % 4 == 1) {
        content = blob_in_file(data, size);
        g_autofree char *second = walk_archive(content, &limits);
        blob_unref(content);
        must_be_same(first, second);
    }
    return 0;
}
