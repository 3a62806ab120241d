/* A look at the central directory of a zip (APPNOTE 4.3.12, 4.3.16), to choose whether and in which way it is
 * read. */
#pragma once

#include "ingest/blob.h"

/* Whether the directory is there, in one piece, and has 1 to `members` entries: libarchive reads all of it
 * into memory before it gives out the first member. If not (zip64, cut off, damaged, too large), the archive
 * is to be read from front to back by its local headers. */
gboolean zip_directory_is_sane(struct blob *blob, guint members);

/* Whether the zip is a text, a table or the like, of which the members are nobody's but an office program's:
 * an Open Packaging container (ECMA-376 part 2: .docx, .xlsx, .pptx) or an OpenDocument or EPUB file. */
gboolean zip_directory_is_office(struct blob *blob);
