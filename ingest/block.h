/* Reports that stand in the text of a mail, outside of all MIME: a base64 block of a gzip, a zip or an XML
 * document, and XML as it is. */
#pragma once

#include "ingest/blob.h"

/* Gets the stretch to keep; packed: it is base64. FALSE with an error to stop. */
typedef gboolean (*block_func)(void *self, struct blob *raw, gboolean packed, GError **error);

/* From a place in the mail on. Ends with the first XML, which reaches to the end. FALSE with the callback's
 * error, or when the mail cannot be read. */
gboolean block_search(struct blob *mail, guint64 from, block_func block, void *self, GError **error);
