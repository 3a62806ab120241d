/* Mails whose lines end in CR alone, as old Macs and some converters wrote them. */
#pragma once

#include "ingest/blob.h"

/* The mail with LF for each CR when its first kilobytes have CRs and no LF; else the mail itself. Owned by
 * the caller. NULL when bytes could not be read or written. */
struct blob *line_ends_mend(struct blob *mail, GError **error);
