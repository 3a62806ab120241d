/* The text of an HTML document as a reader of mail shows it, roughly: for whoever pasted a report into one.
 */
#pragma once

#include "ingest/blob.h"

/* Without tags, with a line's end where an element begins one, and with the characters that entities stand
 * for. NULL with an error when it could not be read or written. */
struct blob *html_seen(struct blob *html, GError **error);
