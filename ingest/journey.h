/* The way of one mail: message, parts, members, documents, reports, into a journal. Decides by content what
 * a document is, and gives the ledger one row for each that was looked at. */
#pragma once

#include "ingest/journal.h"
#include "ingest/run.h"

/* What the ledger has of a mail before it is looked into; lends its texts and its body. */
struct ledger_message journey_row(const struct mail *mail, const guint8 *sha256);

/* Tells the mail and everything in it. Of the mail it needs body, name and may_be_bare, or the refusal; of
 * the settings limits, writer->trust, suffixes, parser, now and keep_subject. FALSE only for errors that
 * spoil more than this mail: then the end was not told. */
gboolean journey_tell(const struct journal *journal, const struct mail *mail,
                      const struct run_settings *settings, GError **error);

/* The same into the database. */
gboolean journey_mail(struct writer *writer, const struct mail *mail, const guint8 *sha256,
                      const struct run_settings *settings, GError **error);
