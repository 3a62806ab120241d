/* Reports that stand in a text: a base64 block of a gzip, a zip or an XML document, a uuencoded file, and XML
 * or a TLS report's JSON as it is; also in a quote, whose lines all begin with the same ">", which is taken
 * off then. */
#pragma once

#include "ingest/blob.h"

struct block {
    struct blob *raw;     /* to keep */
    const char *what;     /* it is, in a word: static */
    const char *encoding; /* "base64", "x-uuencode", or NULL */
    const char *name;     /* of the file that was encoded, made harmless, or NULL; lent for the call */
};

typedef gboolean (*block_func)(void *self, const struct block *block, GError **error);

/* From a place in the text to another. Of XML and of JSON only the first, which reaches to the end; of each
 * quote in front of it the first, which reaches to the quote's end. FALSE with the callback's error, or when
 * the text cannot be read. */
gboolean block_search(struct blob *text, guint64 from, guint64 to, block_func block, void *self,
                      GError **error);
