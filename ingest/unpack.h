/* An attachment to its innermost documents, by magic bytes alone. The only file that knows libarchive.
 *
 * gzip, zip (all members), either in the other, up to limits->unpack_depth; everything else is handed out as it
 * is, with its kind. CRC and length of gzip are checked here, because libarchive does not. Names of members are
 * labels, never paths. */
#pragma once

#include "ingest/blob.h"
#include "parser/aggregate.h"
#include "parser/limits.h"

enum content_kind {
    CONTENT_EMPTY, CONTENT_XML, CONTENT_JSON, CONTENT_GZIP, CONTENT_ZIP, CONTENT_OLE, CONTENT_TNEF, CONTENT_PKCS7,
    CONTENT_OTHER_ARCHIVE, /* tar, 7z, rar, bzip2, xz, zstd: named in the detail */
    CONTENT_MAIL,          /* looks like an RFC 5322 header */
    CONTENT_OTHER,
};
/* From the first bytes (up to 1,024 are enough); `name_r`, when not NULL, gets "gzip", "7z", ... as a static string. */
enum content_kind content_sniff(const guint8 *data, gsize n, const char **name_r);

/* A document, lent for one call: read it once, to the end or not. */
struct unpacked {
    const char *label;           /* "report.zip / a.xml" */
    const char *name;            /* the innermost file name, a hint */
    enum content_kind kind;
    struct byte_reader reader;
};

/* How reading a member ended: known after its reader returned 0 or -1. */
typedef gboolean (*unpacked_func)(void *self, const struct unpacked *document, GError **error);
typedef gboolean (*unpack_refusal_func)(void *self, const char *label, const char *code, const char *detail, GError **error);

/* `budget` is what is left of limits->unpacked_total for this mail, and is reduced. Readers return -1 with
 * WS_ERROR_LIMIT (unpacked_size, unpacked_total, unpack_ratio), WS_ERROR_TRUNCATED (the archive broke off: the bytes before are
 * good) or WS_ERROR_DATA (corrupt, wrong CRC or length) as the stream goes.
 * FALSE only with an error of a callback. */
gboolean unpack_walk(struct blob *content, const char *label, const char *name, const struct limits *limits, guint64 *budget,
                     unpacked_func document, unpack_refusal_func refuse, void *self, GError **error);
