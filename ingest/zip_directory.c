#include "ingest/zip_directory.h"

#include <string.h>

#define TAIL_MAX (65536 + 22) /* where the end record is looked for: it ends in a comment of up to 64 KiB */

static guint le16(const guint8 *p)
{
    return p[0] | (guint)p[1] << 8;
}

static guint32 le32(const guint8 *p)
{
    return le16(p) | (guint32)le16(p + 2) << 16;
}

/* Offset of the end record (APPNOTE 4.3.16) in the last bytes of the blob, or -1. */
static gint64 find_end_record(struct blob *blob, guint8 *record)
{
    g_autofree guint8 *tail = g_malloc(TAIL_MAX);
    guint64 from = blob_size(blob) > TAIL_MAX ? blob_size(blob) - TAIL_MAX : 0;
    gsize n = 0;
    gssize got;
    while ((got = blob_read(blob, from + n, tail + n, TAIL_MAX - n, NULL)) > 0)
        n += (gsize)got;
    for (gsize i = n >= 22 ? n - 22 + 1 : 0; i-- > 0;) {
        if (memcmp(tail + i, "PK\x05\x06", 4) == 0) {
            memcpy(record, tail + i, 22);
            return (gint64)(from + i);
        }
    }
    return -1;
}

gboolean zip_directory_is_sane(struct blob *blob, guint members)
{
    guint8 record[46];
    gint64 end = find_end_record(blob, record);
    if (end < 0)
        return FALSE;
    guint count = le16(record + 10);
    guint64 at = le32(record + 16);
    if (count == 0 || count > members)
        return FALSE;
    for (guint i = 0; i < count; i++) {
        if (blob_read(blob, at, record, sizeof record, NULL) != sizeof record ||
            memcmp(record, "PK\x01\x02", 4) != 0)
            return FALSE;
        at += sizeof record + le16(record + 28) + le16(record + 30) + le16(record + 32);
    }
    return at <= (guint64)end && (blob_read(blob, at, record, 4, NULL) == 4) &&
           memcmp(record, "PK\x01\x02", 4) != 0;
}

/* Whether the name of n bytes at an offset is this one. */
static gboolean is_name(struct blob *blob, guint64 at, guint n, const char *name)
{
    char text[32];
    gsize length = strlen(name);
    return n == length && length <= sizeof text &&
           blob_read(blob, at, text, length, NULL) == (gssize)length && memcmp(text, name, length) == 0;
}

gboolean zip_directory_is_office(struct blob *blob)
{
    static const char types[] = "[Content_Types].xml";
    guint8 record[46];
    /* The first member, by its own header (APPNOTE 4.3.7), which all but a few programs put in front. */
    if (blob_read(blob, 0, record, 30, NULL) == 30 && memcmp(record, "PK\x03\x04", 4) == 0 &&
        (is_name(blob, 30, le16(record + 26), types) || is_name(blob, 30, le16(record + 26), "mimetype")))
        return TRUE;
    gint64 end = find_end_record(blob, record);
    guint count = end < 0 ? 0 : le16(record + 10);
    guint64 at = end < 0 ? 0 : le32(record + 16);
    for (guint i = 0; i < count; i++) {
        if (blob_read(blob, at, record, sizeof record, NULL) != sizeof record ||
            memcmp(record, "PK\x01\x02", 4) != 0)
            return FALSE;
        if (is_name(blob, at + sizeof record, le16(record + 28), types))
            return TRUE;
        at += sizeof record + le16(record + 28) + le16(record + 30) + le16(record + 32);
    }
    return FALSE;
}
