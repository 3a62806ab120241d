/* An attachment to its innermost documents, by magic bytes alone. The only file that knows libarchive.
 *
 * gzip (RFC 1952, several members, junk behind them ignored), bare zlib streams, zip (all members, stored or
 * deflated), any of them in another, up to limits->unpack_depth; everything else is handed out as it is, with
 * its kind, and so are the zips that office programs write. Folders,
 * __MACOSX and .DS_Store are left out. Names of members are labels, never paths. gzip goes through
 * ingest/gunzip.h and not through libarchive, which neither checks CRC and length (3.6.2) nor shows where a
 * member ends.
 *
 * Refusals: archive (empty, broken), crc, nesting, zip_method (encrypted, or another method), msg_ole, tnef,
 * smime, archive_type, yahoo_unused, limit. */
#pragma once

#include "ingest/blob.h"
#include "ingest/content.h"
#include "parser/aggregate.h"
#include "parser/limits.h"

/* A document, lent for one call: read it once, to the end or not. */
struct unpacked {
    const char *label; /* "report.zip / a.xml" */
    const char *name;  /* the innermost file name, a hint, made harmless; or NULL */
    enum content_kind kind;
    gboolean office;     /* a zip of an office program, which is not opened */
    const guint8 *start; /* its first bytes, up to CONTENT_SNIFF of them */
    gsize start_n;
    struct byte_reader reader;
};

/* How reading a member ended: known after its reader returned 0 or -1. */
typedef gboolean (*unpacked_func)(void *self, const struct unpacked *document, GError **error);
typedef gboolean (*unpack_refusal_func)(void *self, const char *label, const char *code, const char *detail,
                                        GError **error);

/* `budget` is what is left of limits->unpacked_total for this mail, and is reduced; a member costs at least
 * 64 KiB of it. unpack_members is counted over everything in `content`, nested archives included. Readers
 * return -1 with WS_ERROR_LIMIT (unpacked_size, unpacked_total, unpack_ratio), WS_ERROR_TRUNCATED (the
 * archive broke off: the bytes before are good), WS_ERROR_CHECKSUM (wrong CRC or length), WS_ERROR_DATA
 * (corrupt) or WS_ERROR_INPUT (the blob cannot be read) as the stream goes. FALSE only with an error of a
 * callback, or WS_ERROR_SYSTEM. */
gboolean unpack_walk(struct blob *content, const char *label, const char *name, const struct limits *limits,
                     guint64 *budget, unpacked_func document, unpack_refusal_func refuse, void *self,
                     GError **error);

/* The code of codes.h for an error of a reader that spoils its document: limit, crc, archive. */
const char *unpack_code(const GError *error);
