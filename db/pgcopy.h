/* Encodes rows in PostgreSQL's COPY BINARY format into a GByteArray. Knows the format, not libpq. */
#pragma once

#include <glib.h>

void pgcopy_header(GByteArray *out);
void pgcopy_trailer(GByteArray *out);
void pgcopy_row(GByteArray *out, guint columns);
void pgcopy_null(GByteArray *out);
void pgcopy_text(GByteArray *out, const char *text); /* NULL is SQL NULL */
void pgcopy_bytea(GByteArray *out, const guint8 *data, gsize n);
void pgcopy_int2(GByteArray *out, gint16 value);
void pgcopy_int4(GByteArray *out, gint32 value);
void pgcopy_int8(GByteArray *out, gint64 value);
void pgcopy_bool(GByteArray *out, gboolean value);
void pgcopy_date(GByteArray *out, gint64 unix_day);            /* days since 1970-01-01, clamped */
void pgcopy_timestamptz(GByteArray *out, gint64 unix_seconds); /* clamped to what PostgreSQL can hold */
void pgcopy_uuid(GByteArray *out, const guint8 *bytes16);
void pgcopy_inet(GByteArray *out, int family, const guint8 *address); /* AF_UNSPEC is SQL NULL */

/* Types of elements, by their numbers in the server, which are the same in all versions. */
enum pgcopy_type {
    PGCOPY_INT8 = 20,
    PGCOPY_INT2 = 21,
    PGCOPY_INT4 = 23,
    PGCOPY_TEXT = 25,
    PGCOPY_INET = 869,
    PGCOPY_UUID = 2950
};
/* n elements that were put into a GByteArray of their own, none of them NULL unless `nulls`. */
void pgcopy_array(GByteArray *out, enum pgcopy_type type, guint n, gboolean nulls,
                  const GByteArray *elements);
void pgcopy_text_array(GByteArray *out, const char *const *texts,
                       guint n); /* n == 0 is SQL NULL; elements may be NULL */

/* The nearest time that a timestamptz can hold, and the UTC day of that time. */
gint64 pgcopy_clamp(gint64 unix_seconds);
gint64 pgcopy_day(gint64 unix_seconds);
