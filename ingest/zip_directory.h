/* A look at the central directory of a zip (APPNOTE 4.3.12, 4.3.16), to choose the way in which it is read.
 */
#pragma once

#include "ingest/blob.h"

/* Whether the directory is there, in one piece, and has 1 to `members` entries: libarchive reads all of it
 * into memory before it gives out the first member. If not (zip64, cut off, damaged, too large), the archive
 * is to be read from front to back by its local headers. */
gboolean zip_directory_is_sane(struct blob *blob, guint members);
