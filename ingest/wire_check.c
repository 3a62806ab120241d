#include "ingest/wire_check.h"

#include "parser/codes.h"

#include <string.h>
#include <sys/socket.h>

static gboolean is_pass(const char *word)
{
    return word && strcmp(word, "pass") == 0;
}

const char *wire_check_auth(const struct mail_auth *auth)
{
    return (auth->result == AUTH_PASS) == (auth->domain != NULL)
               ? NULL
               : "a domain passes exactly when one is named";
}

const char *wire_check_head(const struct report_head *head)
{
    return head->begin <= head->end ? NULL : "it ends before it begins";
}

/* Some result gives the alignment that the record claims: it passed, says so in these four letters, and is of
 * the identity that is named. */
static gboolean dkim_is_given(const struct report_record *record)
{
    for (guint i = 0; i < record->n_dkim; i++) {
        const struct dkim_result *result = &record->dkim[i];
        if (is_pass(result->result) && g_strcmp0(result->domain, record->dkim_aligned_domain) == 0 &&
            g_strcmp0(result->selector, record->dkim_aligned_selector) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean spf_is_given(const struct report_record *record)
{
    for (guint i = 0; i < record->n_spf; i++) {
        const struct spf_result *result = &record->spf[i];
        if (is_pass(result->result) && g_strcmp0(result->scope, "helo") != 0 &&
            g_strcmp0(result->domain, record->spf_aligned_domain) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean is_aligned(struct names *names, const char *domain, const char *from, gboolean strict)
{
    /* A name that is not as it is when it is normalised cannot be one. */
    const struct known_name *name = names_get(names, domain);
    return strcmp(name->name, domain) == 0 && names_aligned(names, name, names_get(names, from), strict);
}

/* A pass that was sent in other letters is none: the parser reads it in any case only. */
static gboolean is_invented(const char *result, const char *raw)
{
    return raw && is_pass(result) && g_ascii_strcasecmp(raw, "pass") != 0;
}

static const char *check_results(const struct report_record *record)
{
    for (guint i = 0; i < record->n_dkim; i++)
        if (is_invented(record->dkim[i].result, record->dkim[i].raw))
            return "a DKIM result that passes was sent as another word";
    for (guint i = 0; i < record->n_spf; i++)
        if (is_invented(record->spf[i].result, record->spf[i].raw))
            return "an SPF result that passes was sent as another word";
    return NULL;
}

static const char *check_verdicts(const struct report_record *record)
{
    gboolean dkim = is_pass(record->dkim_verdict) != record->dkim_aligned;
    gboolean spf = is_pass(record->spf_verdict) != record->spf_aligned;
    if (record->disagree != (dkim || spf))
        return "whether the verdicts agree is wrong";
    if (record->verdict_computed && dkim && spf)
        return "verdicts that were worked out are others";
    return NULL;
}

const char *wire_check_record(const struct report_record *record, struct names *names, gboolean adkim_strict,
                              gboolean aspf_strict)
{
    if (record->family != AF_UNSPEC && record->source_raw)
        return "an address stands beside a text that is none";
    if (record->dkim_aligned != (record->dkim_aligned_domain != NULL) ||
        (!record->dkim_aligned && record->dkim_aligned_selector))
        return "DKIM is aligned exactly when the identity is named";
    if (record->spf_aligned != (record->spf_aligned_domain != NULL))
        return "SPF is aligned exactly when the identity is named";
    if (record->dkim_aligned && (!dkim_is_given(record) || !is_aligned(names, record->dkim_aligned_domain,
                                                                       record->header_from, adkim_strict)))
        return "no DKIM result gives the alignment";
    if (record->spf_aligned && (!spf_is_given(record) || !is_aligned(names, record->spf_aligned_domain,
                                                                     record->header_from, aspf_strict)))
        return "no SPF result gives the alignment";
    const char *wrong = check_results(record);
    return wrong ? wrong : check_verdicts(record);
}

const char *wire_check_warnings(guint n, const struct report_warning *warnings)
{
    const struct code_row *last = NULL;
    for (guint i = 0; i < n; i++) {
        const struct code_row *row = code_find(warnings[i].code);
        if (!row->warning)
            return "a code that is no warning";
        if (last && row <= last)
            return "warnings that are not in order";
        last = row;
    }
    return NULL;
}

const char *wire_check_tail(const struct report_tail *tail, guint64 records, const struct limits *limits)
{
    gboolean truncated = FALSE;
    if (tail->records_seen < records || tail->records_seen > limits->records)
        return "another number of records than came";
    for (guint i = 0; i < tail->n_warnings; i++)
        truncated = truncated || strcmp(tail->warnings[i].code, "truncated") == 0;
    if (truncated != tail->incomplete)
        return "incomplete without a warning, or the other way round";
    return wire_check_warnings(tail->n_warnings, tail->warnings);
}

static gboolean has_both(const struct tls_address *address)
{
    return address->family != AF_UNSPEC && address->raw;
}

const char *wire_check_tls_failure(const struct tls_failure *failure)
{
    return has_both(&failure->sending) || has_both(&failure->receiving)
               ? "an address stands beside a text that is none"
               : NULL;
}

const char *wire_check_failure(const struct failure_report *report)
{
    if (report->family != AF_UNSPEC && report->source_raw)
        return "an address stands beside a text that is none";
    return wire_check_warnings(report->n_warnings, report->warnings);
}

const char *wire_check_document(const struct ledger_document *document, guint64 reports)
{
    switch (document->outcome) {
    case OUTCOME_STORED:
        return !reports ? "stored, and no report came" : document->code ? "stored, and a code why not" : NULL;
    case OUTCOME_NO_REPORT:
        return reports ? "no report, and one came" : NULL;
    case OUTCOME_PROBLEM:
        return document->code ? NULL : "a problem without a code";
    default:
        return "an outcome that only the database knows";
    }
}

const char *wire_check_end(const struct mail_end *end, const struct mail_auth *auth,
                           const struct domain_list *suffixes)
{
    /* As mail_auth_read has it: only what is aligned with From: passes. */
    if (auth->domain &&
        (!end->from_domain || !domain_aligned(suffixes, auth->domain, end->from_domain, FALSE)))
        return "its authentication is not that of its From:";
    return NULL;
}
