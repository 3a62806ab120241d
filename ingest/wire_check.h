/* What the fields of a frame say together. Each returns NULL, or what is wrong. Internal to the wire. */
#pragma once

#include "ingest/wire_tables.h"
#include "parser/names.h"

const char *wire_check_auth(const struct mail_auth *auth);
const char *wire_check_head(const struct report_head *head);
/* Against the policy of its report. The names are a cache. */
const char *wire_check_record(const struct report_record *record, struct names *names, gboolean adkim_strict,
                              gboolean aspf_strict);
const char *wire_check_tail(const struct report_tail *tail, guint64 records, const struct limits *limits);
const char *wire_check_warnings(guint n, const struct report_warning *warnings);
const char *wire_check_tls_failure(const struct tls_failure *failure);
const char *wire_check_failure(const struct failure_report *report);
/* `reports` that came since the document before. */
const char *wire_check_document(const struct ledger_document *document, guint64 reports);
const char *wire_check_end(const struct mail_end *end, const struct mail_auth *auth,
                           const struct domain_list *suffixes);
