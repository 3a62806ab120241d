/* The way of one mail: message, parts, members, documents, reports, into the writer. Decides by content what
 * a document is, and gives the ledger one row for each that was looked at. */
#pragma once

#include "ingest/run.h"

/* What the ledger has of a mail before it is looked into; lends its texts. */
struct ledger_message journey_row(const struct mail *mail, const guint8 *sha256);

/* Writes the mail and everything in it. FALSE only for errors that spoil more than this mail. */
gboolean journey_mail(struct writer *writer, const struct mail *mail, const guint8 *sha256,
                      const struct run_settings *settings, GError **error);
