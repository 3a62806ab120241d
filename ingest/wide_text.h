/* Text in UTF-16, which is searched for reports as any other text once it is UTF-8. */
#pragma once

#include "ingest/blob.h"

/* The text as UTF-8, when it begins with a BOM of UTF-16 or, with ASCII, as only UTF-16 does. NULL without an
 * error when it is no UTF-16; with one when it could not be read or written. */
struct blob *wide_text_narrow(struct blob *text, GError **error);
