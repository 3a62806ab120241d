#include "ingest/wire_tables.h"

#include <stddef.h>

/* A date of this program lies between 1970 and 5138; a period may reach a day further. */
#define DATE_MOST (G_GINT64_CONSTANT(100000000000) + 86400)

#define WORDS(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}
WORDS(policies, "none", "quarantine", "reject");
WORDS(alignments, "r", "s");
WORDS(yes_no, "y", "n");
WORDS(discoveries, "psl", "treewalk");
WORDS(dispositions, "none", "pass", "quarantine", "reject");
WORDS(verdicts, "pass", "fail");
WORDS(dkim_words, "pass", "fail", "none", "neutral", "temperror", "permerror", "policy");
WORDS(spf_words, "pass", "fail", "none", "neutral", "softfail", "temperror", "permerror", "policy");
WORDS(scopes, "mfrom", "helo");
WORDS(reason_types, "local_policy", "forwarded", "trusted_forwarder", "mailing_list", "sampled_out",
      "policy_test_mode", "other");
WORDS(auth_failure_words, "adsp", "bodyhash", "revoked", "signature", "spf", "dmarc");
WORDS(alignment_words, "none", "dkim", "spf", "dkim spf");
WORDS(deliveries, "delivered", "spam", "policy", "reject", "other");
WORDS(kinds, "aggregate", "failure", "tls", "archive", "text", "empty", "feedback", "other");

#define AT(member) .name = #member, .offset = offsetof(S, member), .size = sizeof(((S *)NULL)->member)
#define BOOL(member)                                                                                         \
    {                                                                                                        \
        AT(member), .kind = FIELD_BOOL                                                                       \
    }
#define INT(member, from, to)                                                                                \
    {                                                                                                        \
        AT(member), .kind = FIELD_INT, .least = from, .most = to                                             \
    }
#define LONG(member, from, to)                                                                               \
    {                                                                                                        \
        AT(member), .kind = FIELD_LONG, .least = from, .most = to                                            \
    }
#define TEXT(member, most)                                                                                   \
    {                                                                                                        \
        AT(member), .kind = FIELD_TEXT, .bound = most                                                        \
    }
#define MUST_TEXT(member, most, more)                                                                        \
    {                                                                                                        \
        AT(member), .kind = FIELD_TEXT, .bound = most, .flags = FIELD_REQUIRED | more                        \
    }
#define LOWER(member, most)                                                                                  \
    {                                                                                                        \
        AT(member), .kind = FIELD_LOWER, .bound = most                                                       \
    }
#define NAME(member, most)                                                                                   \
    {                                                                                                        \
        AT(member), .kind = FIELD_NAME, .bound = most                                                        \
    }
#define DOMAIN(member, more)                                                                                 \
    {                                                                                                        \
        AT(member), .kind = FIELD_DOMAIN, .bound = BOUND_HINT, .flags = more                                 \
    }
#define WORD(member, list_of, more)                                                                          \
    {                                                                                                        \
        AT(member), .kind = FIELD_WORD, .words = list_of, .flags = more                                      \
    }
#define CODE(member, more)                                                                                   \
    {                                                                                                        \
        AT(member), .kind = FIELD_CODE, .flags = more                                                        \
    }
#define ADDRESS(member, behind)                                                                              \
    {                                                                                                        \
        .name = #behind, .offset = offsetof(S, member), .size = sizeof(int) + 16, .kind = FIELD_ADDRESS      \
    }
#define LIST(member, number, most)                                                                           \
    {                                                                                                        \
        AT(member), .kind = FIELD_LIST, .list = number, .bound = most                                        \
    }
#define ARRAY(member, what, number) AT(member), .kind = what, .count = offsetof(S, number)
#define ROWS(member, number, most, table)                                                                    \
    {                                                                                                        \
        ARRAY(member, FIELD_ROWS, number), .list = most, .rows = table                                       \
    }
#define TABLE(symbol, title, fields)                                                                         \
    const struct wire_table symbol = {title, sizeof(S), fields, G_N_ELEMENTS(fields)}

#define S struct mail_auth
static const struct wire_field mail_auth_fields[] = {
    INT(result, AUTH_UNKNOWN, AUTH_NONE),
    DOMAIN(domain, FIELD_FILLED),
};
TABLE(wire_mail_auth, "brought_by", mail_auth_fields);
#undef S

#define S struct report_warning
static const struct wire_field warning_fields[] = {
    CODE(code, FIELD_REQUIRED),
    INT(count, 1, G_MAXINT),
    TEXT(detail, BOUND_WARNING),
};
TABLE(wire_report_warning, "warning", warning_fields);
#undef S

#define S struct report_head
static const struct wire_field head_fields[] = {
    INT(generation, GENERATION_UNKNOWN, GENERATION_RFC9990),
    TEXT(namespace_uri, BOUND_TEXT),
    TEXT(version, BOUND_TEXT),
    TEXT(generator, BOUND_TEXT),
    TEXT(org_name, BOUND_HINT),
    TEXT(email, BOUND_TEXT),
    TEXT(extra_contact_info, BOUND_PROSE),
    TEXT(error, BOUND_PROSE),
    MUST_TEXT(report_id, BOUND_HINT, FIELD_FILLED),
    MUST_TEXT(reporter, BOUND_HINT, 0),
    LONG(begin, 0, DATE_MOST),
    LONG(end, 0, DATE_MOST),
    DOMAIN(domain, FIELD_REQUIRED | FIELD_FILLED),
    WORD(p, policies, 0),
    WORD(sp, policies, 0),
    WORD(np, policies, 0),
    WORD(adkim, alignments, 0),
    WORD(aspf, alignments, 0),
    WORD(testing, yes_no, 0),
    WORD(discovery_method, discoveries, 0),
    TEXT(fo, BOUND_TEXT),
    INT(pct, -1, 100),
    TEXT(extensions, BOUND_EXTENSIONS),
    LIST(raw, BOUND_FEW, BOUND_RAW),
};
TABLE(wire_report_head, "report", head_fields);
#undef S

#define S struct dkim_result
static const struct wire_field dkim_fields[] = {
    NAME(domain, BOUND_HINT), LOWER(selector, BOUND_TEXT),     WORD(result, dkim_words, 0),
    TEXT(raw, BOUND_TEXT),    TEXT(human_result, BOUND_PROSE),
};
TABLE(wire_dkim_result, "dkim", dkim_fields);
#undef S

#define S struct spf_result
static const struct wire_field spf_fields[] = {
    NAME(domain, BOUND_HINT), WORD(scope, scopes, 0),          WORD(result, spf_words, 0),
    TEXT(raw, BOUND_TEXT),    TEXT(human_result, BOUND_PROSE),
};
TABLE(wire_spf_result, "spf", spf_fields);
#undef S

#define S struct override_reason
static const struct wire_field reason_fields[] = {
    WORD(type, reason_types, FIELD_REQUIRED),
    TEXT(raw, BOUND_TEXT),
    TEXT(comment, BOUND_PROSE),
};
TABLE(wire_override_reason, "reason", reason_fields);
#undef S

#define S struct report_record
static const struct wire_field record_fields[] = {
    ADDRESS(family, source_ip),
    TEXT(source_raw, BOUND_TEXT),
    LONG(message_count, 0, RECORD_COUNT_MAX),
    {AT(header_from), .kind = FIELD_NAME, .bound = BOUND_HINT, .flags = FIELD_REQUIRED | FIELD_FILLED},
    NAME(envelope_from, BOUND_HINT),
    NAME(envelope_to, BOUND_HINT),
    WORD(disposition, dispositions, 0),
    WORD(dkim_verdict, verdicts, FIELD_REQUIRED),
    WORD(spf_verdict, verdicts, FIELD_REQUIRED),
    BOOL(verdict_computed),
    BOOL(dkim_aligned),
    BOOL(spf_aligned),
    NAME(dkim_aligned_domain, BOUND_HINT),
    LOWER(dkim_aligned_selector, BOUND_TEXT),
    NAME(spf_aligned_domain, BOUND_HINT),
    BOOL(disagree),
    ROWS(dkim, n_dkim, BOUND_RESULTS, &wire_dkim_result),
    ROWS(spf, n_spf, BOUND_RESULTS, &wire_spf_result),
    ROWS(reasons, n_reasons, BOUND_RESULTS, &wire_override_reason),
    TEXT(extensions, BOUND_TEXT),
    LIST(raw, BOUND_RAW_LIST, BOUND_RAW),
};
TABLE(wire_report_record, "record", record_fields);
#undef S

#define S struct report_tail
static const struct wire_field tail_fields[] = {
    LONG(records_seen, 0, G_MAXINT64),
    BOOL(incomplete),
    ROWS(warnings, n_warnings, BOUND_CODES, &wire_report_warning),
};
TABLE(wire_report_tail, "end of the report", tail_fields);
#undef S

#define S struct tls_head
static const struct wire_field tls_head_fields[] = {
    MUST_TEXT(reporter, BOUND_LOWERED, 0),
    TEXT(organization, BOUND_TEXT),
    TEXT(contact, BOUND_TEXT),
    MUST_TEXT(report_id, BOUND_HINT, FIELD_FILLED),
    DOMAIN(domain, FIELD_REQUIRED | FIELD_FILLED),
    LONG(begin, 0, DATE_MOST),
    LONG(end, 0, DATE_MOST),
};
TABLE(wire_tls_head, "TLS report", tls_head_fields);
#undef S

#define S struct tls_policy
static const struct wire_field tls_policy_fields[] = {
    MUST_TEXT(type, BOUND_PROSE, 0),        LIST(strings, BOUND_FEW, BOUND_PROSE),
    LIST(mx_hosts, BOUND_FEW, BOUND_PROSE), LONG(successes, -1, G_MAXINT64),
    LONG(failures, -1, G_MAXINT64),
};
TABLE(wire_tls_policy, "TLS policy", tls_policy_fields);
#undef S

#define S struct tls_address
static const struct wire_field tls_address_fields[] = {
    ADDRESS(family, ip),
    TEXT(raw, BOUND_PROSE),
};
TABLE(wire_tls_address, "TLS address", tls_address_fields);
#undef S

#define S struct tls_failure
static const struct wire_field tls_failure_fields[] = {
    MUST_TEXT(result_type, BOUND_PROSE, 0),
    {AT(sending), .kind = FIELD_STRUCT, .rows = &wire_tls_address},
    {AT(receiving), .kind = FIELD_STRUCT, .rows = &wire_tls_address},
    TEXT(mx_hostname, BOUND_PROSE),
    TEXT(mx_helo, BOUND_PROSE),
    TEXT(information, BOUND_PROSE),
    TEXT(reason_code, BOUND_PROSE),
    LONG(sessions, -1, G_MAXINT64),
};
TABLE(wire_tls_failure, "TLS failure", tls_failure_fields);
#undef S

#define S struct wire_tls_end
static const struct wire_field tls_end_fields[] = {
    ROWS(warnings, n_warnings, BOUND_CODES, &wire_report_warning),
};
TABLE(wire_tls_end_table, "end of the TLS report", tls_end_fields);
#undef S

#define S struct failure_report
static const struct wire_field failure_fields[] = {
    DOMAIN(domain, FIELD_REQUIRED | FIELD_FILLED),
    DOMAIN(reporter, FIELD_REQUIRED),
    TEXT(reporting_mta, BOUND_TEXT),
    TEXT(user_agent, BOUND_PROSE),
    LONG(arrived, 1, G_MAXINT64),
    LONG(incidents, 1, G_MAXINT64),
    {AT(auth_failures), .kind = FIELD_WORDS, .list = BOUND_FEW, .words = auth_failure_words},
    WORD(alignment_failed, alignment_words, 0),
    WORD(delivery_result, deliveries, 0),
    ADDRESS(family, source_ip),
    TEXT(source_raw, BOUND_PROSE),
    TEXT(mail_from, BOUND_TEXT),
    DOMAIN(rcpt_domain, FIELD_FILLED),
    DOMAIN(header_from, FIELD_FILLED),
    TEXT(from, BOUND_PROSE),
    TEXT(subject, BOUND_PROSE),
    TEXT(message_id, BOUND_TEXT),
    TEXT(envelope_id, BOUND_TEXT),
    DOMAIN(dkim_domain, FIELD_FILLED),
    TEXT(dkim_selector, BOUND_TEXT),
    {ARRAY(signature_domains, FIELD_NAMES, n_signatures), .list = BOUND_FEW, .bound = BOUND_HINT},
    {ARRAY(signature_selectors, FIELD_TEXTS, n_signatures), .list = BOUND_FEW, .bound = BOUND_TEXT,
     .flags = FIELD_SHARED},
    LIST(results, BOUND_FEW, BOUND_PROSE),
    LIST(raw, BOUND_FEW, BOUND_PROSE),
    ROWS(warnings, n_warnings, BOUND_CODES, &wire_report_warning),
    TEXT(recipient, BOUND_TEXT),
    TEXT(carrier, BOUND_TEXT),
};
TABLE(wire_failure_report, "failure report", failure_fields);
#undef S

#define S struct ledger_document
static const struct wire_field document_fields[] = {
    MUST_TEXT(path, BOUND_PATH, 0),
    WORD(kind, kinds, FIELD_REQUIRED),
    LONG(size, -1, G_MAXINT64),
    {AT(sha256), .kind = FIELD_SUM},
    INT(outcome, OUTCOME_STORED, OUTCOME_PROBLEM),
    CODE(code, 0),
    TEXT(detail, BOUND_DETAIL),
    {AT(warnings), .kind = FIELD_CODES, .list = BOUND_CODES},
    BOOL(in_words),
};
TABLE(wire_ledger_document, "document", document_fields);
#undef S

#define S struct wire_warn
static const struct wire_field warn_fields[] = {
    INT(first, 0, G_MAXINT),
    CODE(code, FIELD_REQUIRED),
};
TABLE(wire_warn_table, "later warning", warn_fields);
#undef S

#define S struct mail_end
static const struct wire_field end_fields[] = {
    TEXT(message_id, BOUND_DETAIL), TEXT(mail_from, BOUND_DETAIL),      DOMAIN(from_domain, FIELD_FILLED),
    TEXT(subject, BOUND_DETAIL),    LONG(date, G_MININT64, G_MAXINT64), CODE(code, 0),
    TEXT(detail, BOUND_DETAIL),
};
TABLE(wire_mail_end, "end of the mail", end_fields);
#undef S

#define S struct wire_gave_up
static const struct wire_field gave_up_fields[] = {
    BOOL(unread),
    MUST_TEXT(message, BOUND_DETAIL, 0),
};
TABLE(wire_gave_up_table, "why it gave up", gave_up_fields);
#undef S
