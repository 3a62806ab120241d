/* Modified UTF-7, the spelling of folder names in IMAP4rev1 (RFC 3501 section 5.1.3). */
#pragma once

#include <glib.h>

/* Valid UTF-8 to modified UTF-7, owned by the caller. What comes out is printable ASCII whatever went in:
 * control characters are encoded too, so that a name can never end a command line. NULL when `name` is not
 * valid UTF-8. */
char *mutf7_encode(const char *name);
