/* Broken XML made well-formed, byte by byte, for a second reading by the same strict parser.
 *
 * Starts at the first feedback element and drops everything outside of such elements. Bytes that are not
 * UTF-8 are taken as windows-1252, control characters become U+FFFD, stray '&' and '<' are escaped, comments
 * and stray schema tags are left out, tags that are missing are closed. Each mend leaves a processing
 * instruction
 * <?whosends code?> at its place; where it touches the structure of a record, "damaged", so that no verdict
 * is read out of what was glued together. A text that breaks off is left broken off. Nothing is invented:
 * what comes out between two tags is what stood there, or more than that, never less. */
#pragma once

#include "parser/xml.h"

struct repair;

/* Lends the data. `limits` gives the longest tag. The first `skip` feedback elements are passed over: they
 * were good. */
struct repair *repair_new(const guint8 *data, gsize length, guint skip, const struct limits *limits);
void repair_free(struct repair *repair);

/* As byte_reader's, never fails. */
gssize repair_read(struct repair *repair, void *buf, gsize n);

/* After reading to the end: the text broke off inside an element. */
gboolean repair_broke_off(const struct repair *repair);
/* A feedback element was found. */
gboolean repair_found(const struct repair *repair);
/* A DOCTYPE was found; the text ends there. */
gboolean repair_doctype(const struct repair *repair);
