/* A sink that holds the aggregate parser to everything parser/report.h promises, and writes down what came,
 * so that two readings of one document can be compared. */
#pragma once

#include "parser/codes.h"
#include "tests/fuzz/fuzz.h"

#include <netinet/in.h>

#define RESULT_WORDS "none pass fail policy neutral temperror permerror"

struct checked {
    const struct limits *limits;
    GString *seen; /* what came, in words */
    gboolean open;
    char *domain; /* of the policy */
    gboolean adkim_strict, aspf_strict;
    guint64 records;
    guint ends, passes;
    guint fail_at, calls; /* the n-th call fails; 0: none */
};

static inline const struct domain_list *checked_suffixes(void)
{
    static struct domain_list *list;
    if (list == NULL)
        list = domain_list_new();
    return list;
}

/* Text of a report: trimmed, too, and not longer than allowed. An A-label is longer than what was sent, and
 * raw words and the id of several messages are put together. */
static inline void must_be_trimmed(const struct checked *checked, const char *key, const char *text)
{
    must_be_text(text);
    if (text == NULL)
        return;
    gsize n = strlen(text);
    MUST(n <= (gsize)checked->limits->text_length * 6 + 64);
    MUST(n == 0 || (!g_ascii_isspace(text[0]) && !g_ascii_isspace(text[n - 1])));
    g_string_append_printf(checked->seen, " %s=%s", key, text);
}

static inline void must_be_raw(const struct checked *checked, raw_words raw)
{
    MUST(raw != NULL);
    for (; *raw != NULL; raw++) {
        must_be_text(*raw);
        MUST(strchr(*raw, '=') != NULL && **raw != '=');
        g_string_append_printf(checked->seen, " raw:%s", *raw);
    }
}

static inline gboolean checked_call(struct checked *checked, GError **error)
{
    if (++checked->calls != checked->fail_at)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "the sink fails");
    return FALSE;
}

static inline gboolean checked_begin(void *self, const struct report_head *head, GError **error)
{
    struct checked *checked = self;
    MUST(!checked->open);
    if (!checked_call(checked, error))
        return FALSE;
    checked->open = TRUE;
    checked->records = 0;
    g_string_append_printf(checked->seen, "begin %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d",
                           head->generation, head->begin, head->end, head->pct);
    must_be_trimmed(checked, "uri", head->namespace_uri);
    must_be_trimmed(checked, "version", head->version);
    must_be_trimmed(checked, "generator", head->generator);
    must_be_trimmed(checked, "org", head->org_name);
    must_be_trimmed(checked, "email", head->email);
    must_be_trimmed(checked, "contact", head->extra_contact_info);
    must_be_trimmed(checked, "error", head->error);
    must_be_trimmed(checked, "id", head->report_id);
    must_be_trimmed(checked, "reporter", head->reporter);
    must_be_trimmed(checked, "domain", head->domain);
    must_be_trimmed(checked, "fo", head->fo);
    must_be_text(head->extensions);
    must_be_raw(checked, head->raw);
    MUST(head->begin >= 0 && head->begin <= head->end);
    MUST(head->pct >= -1 && head->pct <= 100);
    MUST(head->domain != NULL && *head->domain != '\0');
    MUST(head->report_id != NULL && *head->report_id != '\0');
    MUST(head->reporter != NULL);
    must_be_one_of(head->p, "none quarantine reject");
    must_be_one_of(head->sp, "none quarantine reject");
    must_be_one_of(head->np, "none quarantine reject");
    must_be_one_of(head->adkim, "r s");
    must_be_one_of(head->aspf, "r s");
    must_be_one_of(head->testing, "y n");
    must_be_one_of(head->discovery_method, "psl treewalk");
    g_free(checked->domain);
    checked->domain = g_strdup(head->domain);
    checked->adkim_strict = g_strcmp0(head->adkim, "s") == 0;
    checked->aspf_strict = g_strcmp0(head->aspf, "s") == 0;
    g_string_append_c(checked->seen, '\n');
    return TRUE;
}

static inline gboolean is_pass(const char *word)
{
    return g_strcmp0(word, "pass") == 0;
}

/* A result that counts as passed says "pass" in the document, in those four letters. */
static inline gboolean truly_passes(const char *result, const char *raw)
{
    if (!is_pass(result))
        return FALSE;
    MUST(raw == NULL || g_ascii_strcasecmp(raw, "pass") == 0);
    return TRUE;
}

static inline void check_dkim(struct checked *checked, const struct report_record *record)
{
    gboolean found = FALSE;
    for (guint i = 0; i < record->n_dkim; i++) {
        const struct dkim_result *dkim = &record->dkim[i];
        must_be_trimmed(checked, "d", dkim->domain);
        must_be_trimmed(checked, "s", dkim->selector);
        must_be_trimmed(checked, "dkim", dkim->result);
        must_be_trimmed(checked, "sent", dkim->raw);
        must_be_trimmed(checked, "human", dkim->human_result);
        must_be_one_of(dkim->result, RESULT_WORDS);
        MUST(dkim->result == NULL || g_strcmp0(dkim->result, dkim->raw) != 0);
        if (truly_passes(dkim->result, dkim->raw) && record->dkim_aligned)
            found = found || (g_strcmp0(dkim->domain, record->dkim_aligned_domain) == 0 &&
                              g_strcmp0(dkim->selector, record->dkim_aligned_selector) == 0);
        checked->passes += (guint)is_pass(dkim->result);
    }
    MUST(record->dkim_aligned == found);
    MUST(record->dkim_aligned == (record->dkim_aligned_domain != NULL));
    MUST(record->dkim_aligned || record->dkim_aligned_selector == NULL);
    if (found)
        MUST(domain_aligned(checked_suffixes(), record->dkim_aligned_domain, record->header_from,
                            checked->adkim_strict));
}

static inline void check_spf(struct checked *checked, const struct report_record *record)
{
    gboolean found = FALSE;
    for (guint i = 0; i < record->n_spf; i++) {
        const struct spf_result *spf = &record->spf[i];
        must_be_trimmed(checked, "d", spf->domain);
        must_be_trimmed(checked, "scope", spf->scope);
        must_be_trimmed(checked, "spf", spf->result);
        must_be_trimmed(checked, "sent", spf->raw);
        must_be_trimmed(checked, "human", spf->human_result);
        must_be_one_of(spf->result, RESULT_WORDS " softfail");
        must_be_one_of(spf->scope, "mfrom helo");
        MUST(spf->result == NULL || g_strcmp0(spf->result, spf->raw) != 0);
        if (truly_passes(spf->result, spf->raw) && g_strcmp0(spf->scope, "helo") != 0)
            found = found || g_strcmp0(spf->domain, record->spf_aligned_domain) == 0;
        checked->passes += (guint)is_pass(spf->result);
    }
    MUST(!record->spf_aligned || found);
    MUST(record->spf_aligned == (record->spf_aligned_domain != NULL));
    if (record->spf_aligned)
        MUST(domain_aligned(checked_suffixes(), record->spf_aligned_domain, record->header_from,
                            checked->aspf_strict));
}

static inline void check_reasons(struct checked *checked, const struct report_record *record)
{
    for (guint i = 0; i < record->n_reasons; i++) {
        const struct override_reason *reason = &record->reasons[i];
        MUST(reason->type != NULL);
        must_be_one_of(reason->type, "local_policy forwarded trusted_forwarder mailing_list sampled_out "
                                     "policy_test_mode other");
        must_be_trimmed(checked, "reason", reason->type);
        must_be_trimmed(checked, "sent", reason->raw);
        must_be_trimmed(checked, "comment", reason->comment);
    }
}

static inline void check_address(struct checked *checked, const struct report_record *record)
{
    static const guint8 zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    gsize used = record->family == AF_INET ? 4 : record->family == AF_INET6 ? 16 : 0;
    MUST(used > 0 || record->family == AF_UNSPEC);
    MUST(memcmp(record->source_ip + used, zero, 16 - used) == 0);
    MUST(used < 16 || memcmp(record->source_ip, mapped, sizeof mapped) != 0);
    MUST(used == 0 || record->source_raw == NULL);
    must_be_trimmed(checked, "source", record->source_raw);
    for (gsize i = 0; i < used; i++)
        g_string_append_printf(checked->seen, "%02x", record->source_ip[i]);
}

static inline gboolean checked_record(void *self, const struct report_record *record, GError **error)
{
    struct checked *checked = self;
    guint most = checked->limits->auth_results;
    MUST(checked->open);
    MUST(++checked->records <= checked->limits->records);
    if (!checked_call(checked, error))
        return FALSE;
    g_string_append_printf(checked->seen, "record %" G_GINT64_FORMAT " ", record->message_count);
    check_address(checked, record);
    must_be_trimmed(checked, "from", record->header_from);
    must_be_trimmed(checked, "envelope_from", record->envelope_from);
    must_be_trimmed(checked, "envelope_to", record->envelope_to);
    must_be_trimmed(checked, "disposition", record->disposition);
    must_be_trimmed(checked, "dkim", record->dkim_verdict);
    must_be_trimmed(checked, "spf", record->spf_verdict);
    must_be_text(record->extensions);
    must_be_raw(checked, record->raw);
    MUST(record->message_count >= 0);
    MUST(record->header_from != NULL && *record->header_from != '\0');
    must_be_one_of(record->disposition, "none pass quarantine reject");
    MUST(record->dkim_verdict != NULL && record->spf_verdict != NULL);
    must_be_one_of(record->dkim_verdict, "pass fail");
    must_be_one_of(record->spf_verdict, "pass fail");
    MUST(record->n_dkim <= most && record->n_spf <= most && record->n_reasons <= most);
    check_dkim(checked, record);
    check_spf(checked, record);
    check_reasons(checked, record);
    gboolean differs = is_pass(record->dkim_verdict) != record->dkim_aligned ||
                       is_pass(record->spf_verdict) != record->spf_aligned;
    MUST(record->disagree == differs);
    checked->passes += (guint)is_pass(record->dkim_verdict) + (guint)is_pass(record->spf_verdict) +
                       (guint)is_pass(record->disposition);
    g_string_append_c(checked->seen, '\n');
    return TRUE;
}

static inline gboolean checked_end(void *self, const struct report_tail *tail, GError **error)
{
    struct checked *checked = self;
    gboolean truncated = FALSE;
    MUST(checked->open);
    checked->open = FALSE;
    MUST(checked->records <= tail->records_seen);
    g_string_append_printf(checked->seen, "end %" G_GUINT64_FORMAT " %d", tail->records_seen,
                           tail->incomplete);
    for (guint i = 0; i < tail->n_warnings; i++) {
        const struct report_warning *warning = &tail->warnings[i];
        const struct code_row *row = code_find(warning->code);
        MUST(row != NULL && row->warning && warning->count > 0);
        must_be_text(warning->detail);
        truncated = truncated || strcmp(warning->code, "truncated") == 0;
        g_string_append_printf(checked->seen, " %s:%u", warning->code, warning->count);
    }
    MUST(truncated == tail->incomplete);
    g_string_append_c(checked->seen, '\n');
    if (!checked_call(checked, error))
        return FALSE;
    checked->ends++;
    return TRUE;
}

static inline void checked_abandon(void *self)
{
    struct checked *checked = self;
    MUST(checked->open);
    checked->open = FALSE;
    g_string_append(checked->seen, "abandon\n");
}

/* Reads one document to its end, and checks the outcome, too. Owned by the caller: what came. */
static inline char *checked_parse_with(struct aggregate_parser *parser, struct checked *checked,
                                       struct byte_reader reader, const struct report_hints *hints)
{
    const struct report_sink sink = {checked_begin, checked_record, checked_end, checked_abandon, checked};
    struct parse_outcome outcome;
    GError *error = NULL;
    checked->seen = g_string_new(NULL);
    enum parse_status status = aggregate_parse(parser, reader, hints, &sink, &outcome, &error);
    MUST(!checked->open);
    MUST((status == PARSE_FAILED) == (error != NULL));
    if (status == PARSE_FAILED) {
        must_be_error(error);
    } else {
        const struct code_row *row = outcome.code != NULL ? code_find(outcome.code) : NULL;
        MUST(outcome.reports == checked->ends);
        MUST((status == PARSE_OK) == (outcome.code == NULL));
        MUST((status == PARSE_REFUSED) == (checked->ends == 0));
        MUST(status == PARSE_OK || (row != NULL && row->refusal && outcome.detail != NULL));
        must_be_text(outcome.detail);
    }
    g_string_append_printf(checked->seen, "%d %s", status, outcome.code != NULL ? outcome.code : "");
    parse_outcome_clear(&outcome);
    g_clear_error(&error);
    g_clear_pointer(&checked->domain, g_free);
    return g_string_free(checked->seen, FALSE);
}

/* The same with a parser that has read nothing before. */
static inline char *checked_parse(struct checked *checked, struct byte_reader reader,
                                  const struct report_hints *hints)
{
    struct aggregate_parser *parser = aggregate_parser_new(checked->limits, checked_suffixes());
    char *seen = checked_parse_with(parser, checked, reader, hints);
    aggregate_parser_free(parser);
    return seen;
}
