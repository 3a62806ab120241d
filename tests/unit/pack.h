/* Archives for tests: gzip and zip, whole or with a fault. */
#pragma once

#include <glib.h>
#include <string.h>
#include <zlib.h>

/* window: 15 + 16 is gzip, 15 is zlib, -15 is bare deflate. */
static inline GByteArray *pack_deflate(const void *data, gsize n, int window)
{
    z_stream z = {0};
    g_assert_cmpint(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    GByteArray *out = g_byte_array_new();
    guint8 buf[4096];
    z.next_in = (Bytef *)(guintptr)data;
    z.avail_in = (uInt)n;
    int status;
    do {
        z.next_out = buf;
        z.avail_out = sizeof buf;
        status = deflate(&z, Z_FINISH);
        g_byte_array_append(out, buf, (guint)(sizeof buf - z.avail_out));
    } while (status == Z_OK);
    g_assert_cmpint(status, ==, Z_STREAM_END);
    deflateEnd(&z);
    return out;
}

static inline GByteArray *pack_gzip(const char *text)
{
    return pack_deflate(text, strlen(text), 15 + 16);
}

enum {
    PACK_STORED = 1,
    PACK_DESCRIPTOR = 2,
    PACK_ENCRYPTED = 4,
    PACK_BZIP2 = 8,
    PACK_BAD_CRC = 16,
    PACK_ZIP64 = 32
};

struct pack_zip {
    GByteArray *out, *directory;
    guint count;
};

static inline void pack_le(GByteArray *out, guint64 value, guint bytes)
{
    for (guint i = 0; i < bytes; i++) {
        guint8 byte = (guint8)(i < 8 ? value >> (8 * i) : 0);
        g_byte_array_append(out, &byte, 1);
    }
}

static inline struct pack_zip pack_zip_begin(void)
{
    return (struct pack_zip){.out = g_byte_array_new(), .directory = g_byte_array_new()};
}

static inline void pack_zip_add(struct pack_zip *zip, const char *name, const void *data, gsize n,
                                guint faults)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    if (faults & PACK_STORED)
        g_byte_array_append(body, data, (guint)n);
    else
        g_byte_array_unref(g_steal_pointer(&body)), body = pack_deflate(data, n, -15);
    guint32 crc = (guint32)crc32(0, data, (uInt)n) ^ (faults & PACK_BAD_CRC ? 1 : 0);
    guint flags = (faults & PACK_DESCRIPTOR ? 8 : 0) | (faults & PACK_ENCRYPTED ? 1 : 0);
    guint method = faults & PACK_BZIP2 ? 12 : faults & PACK_STORED ? 0 : 8;
    gboolean later = (faults & PACK_DESCRIPTOR) != 0, wide = (faults & PACK_ZIP64) != 0;
    gsize length = strlen(name), offset = zip->out->len;
    pack_le(zip->out, 0x04034b50, 4);
    pack_le(zip->out, wide ? 45 : 20, 2);
    pack_le(zip->out, flags, 2);
    pack_le(zip->out, method, 2);
    pack_le(zip->out, 0, 4);
    pack_le(zip->out, later ? 0 : crc, 4);
    pack_le(zip->out, wide ? G_MAXUINT32 : later ? 0 : body->len, 4);
    pack_le(zip->out, wide ? G_MAXUINT32 : later ? 0 : n, 4);
    pack_le(zip->out, length, 2);
    pack_le(zip->out, wide ? 20 : 0, 2);
    g_byte_array_append(zip->out, (const guint8 *)name, (guint)length);
    if (wide) {
        pack_le(zip->out, 1, 2);
        pack_le(zip->out, 16, 2);
        pack_le(zip->out, n, 8);
        pack_le(zip->out, body->len, 8);
    }
    g_byte_array_append(zip->out, body->data, body->len);
    if (later) {
        pack_le(zip->out, 0x08074b50, 4);
        pack_le(zip->out, crc, 4);
        pack_le(zip->out, body->len, 4);
        pack_le(zip->out, n, 4);
    }
    pack_le(zip->directory, 0x02014b50, 4);
    pack_le(zip->directory, 20, 2);
    pack_le(zip->directory, 20, 2);
    pack_le(zip->directory, flags, 2);
    pack_le(zip->directory, method, 2);
    pack_le(zip->directory, 0, 4);
    pack_le(zip->directory, crc, 4);
    pack_le(zip->directory, body->len, 4);
    pack_le(zip->directory, n, 4);
    pack_le(zip->directory, length, 2);
    pack_le(zip->directory, 0, 12);
    pack_le(zip->directory, offset, 4);
    g_byte_array_append(zip->directory, (const guint8 *)name, (guint)length);
    zip->count++;
}

/* Frees all of it but what it returns. Without a directory: as a zip that was cut off in front of it. */
static inline GByteArray *pack_zip_end(struct pack_zip *zip, gboolean directory)
{
    gsize start = zip->out->len;
    if (directory) {
        g_byte_array_append(zip->out, zip->directory->data, zip->directory->len);
        pack_le(zip->out, 0x06054b50, 4);
        pack_le(zip->out, 0, 4);
        pack_le(zip->out, zip->count, 2);
        pack_le(zip->out, zip->count, 2);
        pack_le(zip->out, zip->directory->len, 4);
        pack_le(zip->out, start, 4);
        pack_le(zip->out, 0, 2);
    }
    g_byte_array_unref(zip->directory);
    return zip->out;
}

/* A zip of one member. */
static inline GByteArray *pack_zip(const char *name, const char *text, guint faults)
{
    struct pack_zip zip = pack_zip_begin();
    pack_zip_add(&zip, name, text, strlen(text), faults);
    return pack_zip_end(&zip, TRUE);
}
