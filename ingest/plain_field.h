/* Header fields of mails that are written by the book (RFC 5322, RFC 2045 section 5.1): printable ASCII, no
 * comments, no escapes, no continued or encoded parameters (RFC 2231). Refuses everything else, so that a
 * full parser may look at it. */
#pragma once

#include "parser/arena.h"

/* What stands behind the colon, as it is in the mail, folded or not. */
struct plain_field {
    const char *text; /* lent; NULL when there is no such field */
    gsize n;
};

/* The text unfolded, without the blanks around it, in the arena; NULL for no field. FALSE when it is not
 * plain, or empty. Encoded words (RFC 2047) are plain, and left as they are. */
gboolean plain_field_text(const struct plain_field *field, struct arena *arena, char **text_r);

/* Of Content-Type or Content-Disposition; in the arena; NULL for what is not there. */
struct plain_params {
    const char *value; /* what stands in front of the parameters, in lower case */
    const char *name, *file_name, *boundary;
};

/* FALSE when the field is not plain. All NULL when there is none. */
gboolean plain_field_params(const struct plain_field *field, struct arena *arena,
                            struct plain_params *params);

/* The one address of a From, "a@b.example" or "Words <a@b.example>", in the arena; NULL for any other form.
 */
const char *plain_address(const char *text, struct arena *arena);
