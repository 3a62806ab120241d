/* Base64 as it really comes (RFC 2045 section 6.8, read leniently): whatever is not of the alphabet is
 * skipped, padding may be missing or stand in the middle, lines may have any length. Never fails. */
#pragma once

#include <glib.h>

/* All zero at the start. */
struct base64 {
    guint32 bits;
    guint n; /* characters in bits, 0 to 3 */
};

/* How many bytes may come out of n characters. */
#define BASE64_SPACE(n) ((n) / 4 * 3 + 6)

/* Decodes n characters into out, which has BASE64_SPACE(n) bytes, and returns how many came out. */
gsize base64_decode(struct base64 *state, const guint8 *in, gsize n, guint8 *out);
/* What unpadded characters are left over: up to two bytes. */
gsize base64_finish(struct base64 *state, guint8 *out);
/* Whether the byte is of the alphabet. */
gboolean base64_is_character(guint8 c);
