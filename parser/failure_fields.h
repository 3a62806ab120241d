/* Header-like fields (RFC 5322 section 2.2) out of bytes, and what stands in them. Internal to the parser of
 * failure reports. */
#pragma once

#include <glib.h>

/* Told each field in its order: name without blanks, value unfolded, trimmed, valid UTF-8 without control
 * characters. Lent for the call. */
typedef void (*field_func)(void *self, const char *name, const char *value);

/* Lines may end in LF, CRLF or CR. Blank lines end the fields when `header` is TRUE and fields came already;
 * else they are passed over. Indented lines go on a field, unless `indented`: then they are fields, too.
 * Returns how many bytes were read. */
gsize fields_read(const char *text, gsize length, gboolean header, gboolean indented, field_func field,
                  void *self);

/* The text without comments in parentheses (RFC 5322 section 3.2.2), trimmed. Owned by the caller. */
char *fields_plain(const char *text);

/* The address in a From:, To: or Original-Mail-From: what stands in angle brackets outside of quotes, else
 * all of it. "<>" is "". Of several the first. Owned by the caller. */
char *fields_address(const char *text);

/* The value of tag=value in a list with semicolons (RFC 6376 section 3.2), without white space; NULL when it
 * is not there. Owned by the caller. */
char *fields_tag(const char *text, const char *tag);
