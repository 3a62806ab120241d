/* A failure report out of a mail and into the journal: its fields or words, together with the header of the
 * message that it is about, which stands beside it. The body of that message is never read. */
#pragma once

#include "ingest/journal.h"
#include "ingest/message.h"

/* Whether the part is text that says in words what a failure report says in fields. */
gboolean failure_mail_is_words(const struct message_part *part);

/* Reads the document to its end, or to limits->failure_size. As aggregate_parse: PARSE_FAILED with the error
 * of the reader, of the mail's bytes, or of the journal. */
enum parse_status failure_mail_read(const struct journal *journal, const struct limits *limits,
                                    const struct message_part *part, gboolean words,
                                    struct byte_reader reader, struct parse_outcome *outcome_r,
                                    GError **error);
