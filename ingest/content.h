/* What bytes are, by their first bytes alone; never by name or media type. */
#pragma once

#include <glib.h>

enum content_kind {
    CONTENT_EMPTY, /* nothing, or only white space */
    CONTENT_XML,   /* a tag, a declaration or a comment after BOM and white space, and it is not HTML */
    CONTENT_JSON,
    CONTENT_GZIP, /* gzip, or a bare zlib stream */
    CONTENT_ZIP,
    CONTENT_OLE,           /* Outlook's .msg and old Office files */
    CONTENT_TNEF,          /* winmail.dat */
    CONTENT_PKCS7,         /* S/MIME with the mail inside; a detached signature is CONTENT_OTHER */
    CONTENT_OTHER_ARCHIVE, /* tar, 7z, rar, bzip2, xz, zstd, lz4, compress, cab: see the name */
    CONTENT_FEEDBACK,      /* the fields of a message/feedback-report (RFC 5965) */
    CONTENT_MAIL,          /* looks like an RFC 5322 header */
    CONTENT_OTHER,
};

#define CONTENT_SNIFF 1024

/* From the first bytes (up to CONTENT_SNIFF are enough); `name_r`, when not NULL, gets "gzip", "7z", ... as a
 * static string. */
enum content_kind content_sniff(const guint8 *data, gsize n, const char **name_r);

/* Whether it may be, or hold, a report: XML, JSON, gzip or zip. */
gboolean content_is_candidate(enum content_kind kind);

/* Whether a media type (lower case), or the ending of a file name, claims another kind than this. Those that
 * claim nothing, like application/octet-stream, never lie; text may be any kind of text. */
gboolean content_belies_type(enum content_kind kind, const char *media_type);
gboolean content_belies_name(enum content_kind kind, const char *file_name);
/* What these two (either may be NULL) claim: XML, JSON, gzip or zip; CONTENT_OTHER when they claim nothing.
 */
enum content_kind content_claimed(const char *media_type, const char *file_name);
