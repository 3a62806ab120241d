/* Everything the ledger knows of some mails: the header, what became of each mail and each document in it,
 * why, and each report with its warnings. The same facts for people, one a line, and as JSON. */
#pragma once

#include "db/conn.h"

#include <stdio.h>

#define SHOW_MOST 50 /* mails */

/* The mails that `ref` means, see dmarc.find_mail. WS_ERROR_INPUT when there is none, WS_ERROR_SYSTEM when
 * out cannot be written, else the errors of the database. More than SHOW_MOST are left out: *more_r is TRUE
 * then. */
gboolean show_mails(struct db *db, const char *ref, gboolean json, FILE *out, gboolean *more_r,
                    GError **error);

/* The bytes of the mail that `ref` means, as they came. WS_ERROR_INPUT when there is none or it is not kept,
 * WS_ERROR_USAGE when `ref` means several mails, else as show_mails. */
gboolean show_raw(struct db *db, const char *ref, FILE *out, GError **error);
