/* Unpacks gzip (RFC 1952) and zlib (RFC 1950) data, by ISA-L, which does it in half of zlib's time.
 *
 * Members that follow each other are one stream, as gzip(1) has it; junk behind the last one is ignored.
 * Check sum and length are checked. What came out in front of damage is given out first. */
#pragma once

#include "ingest/blob.h"

struct gunzip;

/* Lends the blob. */
struct gunzip *gunzip_new(struct blob *blob);
void gunzip_free(struct gunzip *gunzip);
/* Up to n bytes; 0 at the end; -1 with WS_ERROR_TRUNCATED when the data break off, WS_ERROR_CHECKSUM,
 * WS_ERROR_DATA, or the error of the blob. */
gssize gunzip_read(struct gunzip *gunzip, void *buf, gsize n, GError **error);
/* Packed bytes that were needed for what came out so far, a few more or less. */
guint64 gunzip_taken(const struct gunzip *gunzip);
