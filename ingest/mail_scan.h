/* A cheap look at a mail before GMime sees it: where its header and body are, and whether it is fit to be
 * walked.
 *
 * Counts header lines, parts and nesting against the limits, so that a mail that is built to exhaust a MIME
 * parser is refused after one pass over its lines, or is cut in front of the part that passes a limit.
 * Decides nothing about contents. */
#pragma once

#include "ingest/blob.h"
#include "parser/limits.h"

#define MAIL_HEADER_TOTAL 64   /* times header_line: bytes of all headers of a mail and its parts */
#define MAIL_HEADER_LINES 32   /* times message_headers: lines of them */
#define MAIL_AUTHRES_FIELDS 20 /* that are looked at: ours is above those that came with the mail */

struct mail_scan {
    guint64 header; /* first byte of the header, behind a BOM, blank lines and an mbox "From " line */
    guint64 body;   /* first byte behind the blank line; == header when there is no header at all */
    /* FALSE when a MIME parser would have to hold much text in memory that belongs to no part (a boundary
     * that is never found), or when the structure is not clear and the mail is large: the body is one leaf
     * then. */
    gboolean walkable;
    /* The header has lines that are no fields, or a second Content-Type, or ends in blanks: MIME parsers
     * differ over such, and are only to see `head` and the body. */
    gboolean odd;
    GString *head;      /* the fields of the header that are of use, with a blank line behind them */
    GError *limit;      /* the limit that a part passes, or NULL */
    guint64 cut;        /* then: the end of what stands in front of that part */
    GPtrArray *authres; /* char *: what follows the colon of the first Authentication-Results fields, topmost
                           first; one that is too long is left unreadable for authres_parse */
};

/* FALSE with WS_ERROR_LIMIT (message_depth, message_headers, header_line) when there is nothing in front of
 * what passes it, or when the blob cannot be read; *scan is to be cleared in any case. */
gboolean mail_scan(struct blob *mail, const struct limits *limits, struct mail_scan *scan, GError **error);
void mail_scan_clear(struct mail_scan *scan);
