#include "db/pgcopy.h"

#include <string.h>
#include <sys/socket.h>

/* Seconds and days between 1970-01-01 and 2000-01-01, where PostgreSQL counts from. */
#define EPOCH_SECONDS G_GINT64_CONSTANT(946684800)
#define EPOCH_DAYS G_GINT64_CONSTANT(10957)
/* What timestamptz can hold: from 4714-11-24 BC up to the end of 294276. */
#define SECONDS_MIN (G_GINT64_CONSTANT(-211813488000) + EPOCH_SECONDS)
#define SECONDS_MAX (G_GINT64_CONSTANT(9223371331199) + EPOCH_SECONDS)

#define ARRAY_FIELDS 6

static void put(GByteArray *out, const void *data, gsize n)
{
    g_byte_array_append(out, data, (guint)n);
}

static void put16(GByteArray *out, guint16 value)
{
    value = GUINT16_TO_BE(value);
    put(out, &value, sizeof value);
}

static void put32(GByteArray *out, guint32 value)
{
    value = GUINT32_TO_BE(value);
    put(out, &value, sizeof value);
}

void pgcopy_header(GByteArray *out)
{
    static const guint8 signature[11] = "PGCOPY\n\377\r\n";
    put(out, signature, sizeof signature);
    put32(out, 0); /* flags */
    put32(out, 0); /* length of the header's extension */
}

void pgcopy_trailer(GByteArray *out)
{
    put16(out, G_MAXUINT16);
}

void pgcopy_row(GByteArray *out, guint columns)
{
    put16(out, (guint16)columns);
}

void pgcopy_null(GByteArray *out)
{
    put32(out, G_MAXUINT32);
}

void pgcopy_text(GByteArray *out, const char *text)
{
    if (text)
        pgcopy_bytea(out, (const guint8 *)text, strlen(text));
    else
        pgcopy_null(out);
}

void pgcopy_bytea(GByteArray *out, const guint8 *data, gsize n)
{
    put32(out, (guint32)n);
    put(out, data, n);
}

void pgcopy_int2(GByteArray *out, gint16 value)
{
    put32(out, sizeof value);
    put16(out, (guint16)value);
}

void pgcopy_int4(GByteArray *out, gint32 value)
{
    put32(out, sizeof value);
    put32(out, (guint32)value);
}

void pgcopy_int8(GByteArray *out, gint64 value)
{
    guint8 field[12] = {0, 0, 0, sizeof value};
    guint64 swapped = GUINT64_TO_BE((guint64)value);
    memcpy(field + 4, &swapped, sizeof swapped);
    put(out, field, sizeof field);
}

void pgcopy_bool(GByteArray *out, gboolean value)
{
    guint8 byte = value ? 1 : 0;
    pgcopy_bytea(out, &byte, 1);
}

gint64 pgcopy_clamp(gint64 unix_seconds)
{
    return CLAMP(unix_seconds, SECONDS_MIN, SECONDS_MAX);
}

gint64 pgcopy_day(gint64 unix_seconds)
{
    unix_seconds = pgcopy_clamp(unix_seconds);
    return unix_seconds / 86400 - (unix_seconds % 86400 < 0);
}

void pgcopy_date(GByteArray *out, gint64 unix_day)
{
    pgcopy_int4(out,
                (gint32)(CLAMP(unix_day, pgcopy_day(SECONDS_MIN), pgcopy_day(SECONDS_MAX)) - EPOCH_DAYS));
}

void pgcopy_timestamptz(GByteArray *out, gint64 unix_seconds)
{
    pgcopy_int8(out, (pgcopy_clamp(unix_seconds) - EPOCH_SECONDS) * G_USEC_PER_SEC);
}

void pgcopy_uuid(GByteArray *out, const guint8 *bytes16)
{
    pgcopy_bytea(out, bytes16, 16);
}

void pgcopy_inet(GByteArray *out, int family, const guint8 *address)
{
    /* family, bits of the mask, is it a cidr, bytes: the server's own numbers, not those of the system's
     * headers. */
    static const guint8 inet4[4] = {2, 32, 0, 4}, inet6[4] = {3, 128, 0, 16};
    if (family != AF_INET && family != AF_INET6) {
        pgcopy_null(out);
        return;
    }
    const guint8 *head = family == AF_INET ? inet4 : inet6;
    put32(out, 4u + head[3]);
    put(out, head, 4);
    put(out, address, head[3]);
}

/* In front of so many bytes of elements. */
static void array_head(guint32 *head, enum pgcopy_type type, guint n, gboolean nulls, guint length)
{
    /* length of what follows, dimensions, whether there are nulls, type, elements, lower bound */
    const guint32 fields[ARRAY_FIELDS] = {20 + length, 1, nulls ? 1 : 0, type, n, 1};
    for (guint i = 0; i < ARRAY_FIELDS; i++)
        head[i] = GUINT32_TO_BE(fields[i]);
}

void pgcopy_array(GByteArray *out, enum pgcopy_type type, guint n, gboolean nulls, const GByteArray *elements)
{
    guint32 head[ARRAY_FIELDS];
    array_head(head, type, n, nulls, elements->len);
    put(out, head, sizeof head);
    put(out, elements->data, elements->len);
}

void pgcopy_text_array(GByteArray *out, const char *const *texts, guint n)
{
    if (!n) {
        pgcopy_null(out);
        return;
    }
    guint32 head[ARRAY_FIELDS] = {0};
    guint begin = out->len;
    gboolean nulls = FALSE;
    put(out, head, sizeof head);
    for (guint i = 0; i < n; i++) {
        nulls = nulls || !texts[i];
        pgcopy_text(out, texts[i]);
    }
    array_head(head, PGCOPY_TEXT, n, nulls, out->len - begin - (guint)sizeof head);
    memcpy(out->data + begin, head, sizeof head);
}
