/* Every code that a document or a report can carry, in one table: what was mended (a warning stored with the
 * report), and why something was put aside (a refusal in the ledger). The command line shows the hints, the
 * manual lists the table. Codes are stable words that users may match in SQL. */
#pragma once

#include <glib.h>

enum code {
    /* mail, MIME parts, archives */
    CODE_CTYPE,
    CODE_EXT,
    CODE_NESTING,
    CODE_ZIP_EXTRA,
    CODE_ZIP_METHOD,
    CODE_ARCHIVE,
    CODE_ARCHIVE_TYPE,
    CODE_CRC,
    CODE_MSG_OLE,
    CODE_TNEF,
    CODE_SMIME,
    CODE_CTE,
    CODE_MIME,
    CODE_YAHOO_UNUSED,
    CODE_LIMIT,
    CODE_UNREADABLE,
    CODE_DB_REFUSED,
    CODE_WORKER,
    /* XML as such */
    CODE_XML,
    CODE_DOCTYPE,
    CODE_NO_ROOT,
    CODE_EMPTY,
    CODE_XML_LEAD,
    CODE_XML_SCHEMA_TAG,
    CODE_ENCODING,
    CODE_XML_CTRL,
    CODE_XML_RECOVER,
    CODE_XML_TRAIL,
    CODE_TRUNCATED,
    CODE_STRAY_TEXT,
    CODE_CASE,
    CODE_MULTI,
    CODE_UNKNOWN_ELEM,
    CODE_MISPLACED,
    CODE_TEXT_CUT,
    CODE_EXT_CUT,
    /* report_metadata */
    CODE_ORG,
    CODE_EMAIL,
    CODE_NO_ID,
    CODE_NO_PERIOD,
    CODE_DATE,
    CODE_DATE_SWAP,
    CODE_DATE_ZERO,
    CODE_DATE_LONG,
    CODE_DATE_MS,
    CODE_DATE_ODD,
    CODE_FROM_FILENAME,
    /* policy_published */
    CODE_POLICY_VAL,
    CODE_NO_P,
    CODE_NO_DOMAIN,
    CODE_DOMAIN_FORM,
    /* records */
    CODE_NO_RECORDS,
    CODE_NULL_ROW,
    CODE_DAMAGED_ROW,
    CODE_NO_IP,
    CODE_IP_MASKED,
    CODE_IP_FORM,
    CODE_COUNT_FORM,
    CODE_BAD_COUNT,
    CODE_NO_PE,
    CODE_PE_PART,
    CODE_PE_VAL,
    CODE_DISP,
    CODE_REASON,
    CODE_DISP_CONFLICT,
    CODE_ALIGN_CONFLICT,
    CODE_FROM_OUTSIDE,
    CODE_IDENTITIES,
    CODE_ADDR_FORM,
    CODE_NO_FROM,
    CODE_MULTI_FROM,
    CODE_BAD_NAME,
    CODE_AUTH_EMPTY,
    CODE_AUTH_VAL,
    CODE_AUTH_DOUBLE,
    CODE_AUTH_MANY,
    CODE_DKIM_EMPTY,
    CODE_SCOPE,
    /* who brought it */
    CODE_REPORTER_MISMATCH,
    CODE_FOREIGN_DOMAIN,
    /* failure reports and TLS reports */
    CODE_FEEDBACK_TYPE,
    CODE_FEEDBACK_FIELD,
    CODE_NO_DATE,
    CODE_JSON,
    CODE_DATE_ZONE,
    CODE_NO_POLICIES,
    CODE_TLS_WORD,
    CODE_TLS_COUNT,
    CODE_TLS_SUM,
    CODE_TLS_LIST,
    CODE_LAST
};

struct code_row {
    const char *code;
    gboolean refusal;    /* something was put aside because of it */
    gboolean warning;    /* something was mended; a few codes are both */
    const char *meaning; /* one sentence */
    const char *hint;    /* one sentence for the postmaster, or NULL */
};

/* By enum code. */
extern const struct code_row code_rows[CODE_LAST];

/* NULL when there is no such code. */
const struct code_row *code_find(const char *code);
