/* Looks at XML bytes before the parser does, and refuses a tag that is too long.
 *
 * libxml2 2.9 needs time that grows with the square of the attributes of a tag, and asks nobody before it has
 * read all of them; so the length of a tag is bounded before. Comments, CDATA sections and processing
 * instructions are passed over, quoted attribute values are not mistaken for the end of a tag. */
#pragma once

#include <glib.h>

enum tag_place { TAG_TEXT, TAG_OPEN, TAG_INSIDE, TAG_QUOTED, TAG_COMMENT, TAG_CDATA, TAG_PI };

struct tag_guard {
    guint64 limit; /* bytes of one tag */
    enum tag_place place;
    guint64 length; /* of the tag so far */
    char quote;
    char start[9]; /* its first bytes, as many as tell what it is */
    guint matched; /* bytes of "-->", "]]>" or "?>" seen in a row */
};

/* The next bytes of the document, in pieces of any size. FALSE when a tag is longer than the limit. */
gboolean tag_guard_pass(struct tag_guard *guard, const char *bytes, gsize n);
