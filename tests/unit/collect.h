/* A sink that writes down what the aggregate parser pushes, as lines of text that tests compare. */
#pragma once

#include "parser/aggregate.h"
#include "parser/error.h"

#include <arpa/inet.h>
#include <string.h>

struct bytes_reader {
    const char *bytes;
    gsize length, at, chunk; /* chunk 0: as much as fits */
    gboolean fails;          /* at the end, instead of ending */
};

static inline gssize bytes_read(void *self, void *buf, gsize n, GError **error)
{
    struct bytes_reader *bytes = self;
    gsize left = bytes->length - bytes->at;
    if (left == 0 && bytes->fails) {
        g_set_error(error, WS_ERROR, WS_ERROR_DATA, "the source broke");
        return -1;
    }
    gsize take = MIN(MIN(n, left), bytes->chunk > 0 ? bytes->chunk : left);
    memcpy(buf, bytes->bytes + bytes->at, take);
    bytes->at += take;
    return (gssize)take;
}

struct collect {
    GString *lines;
    int fail_at; /* the n-th call of the sink fails; 0: none */
    int calls;
    gboolean open;
};

static inline gboolean collect_call(struct collect *collect, GError **error)
{
    if (++collect->calls != collect->fail_at)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "the sink broke");
    return FALSE;
}

static inline void collect_pair(GString *lines, const char *key, const char *value)
{
    if (value != NULL)
        g_string_append_printf(lines, " %s=%s", key, value);
}

static inline void collect_raw(GString *lines, raw_words raw)
{
    for (; *raw != NULL; raw++)
        g_string_append_printf(lines, "  raw %s\n", *raw);
}

static inline gboolean collect_begin(void *self, const struct report_head *head, GError **error)
{
    static const char *const generations[] = {"unknown", "7489", "9990"};
    struct collect *collect = self;
    GString *l = collect->lines;
    g_assert_false(collect->open);
    g_assert_true(head->begin <= head->end);
    g_assert_true(head->domain != NULL && *head->domain != '\0');
    if (!collect_call(collect, error))
        return FALSE;
    collect->open = TRUE;
    g_string_append_printf(l, "head generation=%s", generations[head->generation]);
    collect_pair(l, "uri", head->namespace_uri);
    collect_pair(l, "version", head->version);
    collect_pair(l, "generator", head->generator);
    collect_pair(l, "org", head->org_name);
    collect_pair(l, "email", head->email);
    collect_pair(l, "contact", head->extra_contact_info);
    collect_pair(l, "error", head->error);
    collect_pair(l, "id", head->report_id);
    collect_pair(l, "reporter", head->reporter);
    g_string_append_printf(l, " period=%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT " domain=%s", head->begin,
                           head->end, head->domain);
    collect_pair(l, "p", head->p);
    collect_pair(l, "sp", head->sp);
    collect_pair(l, "np", head->np);
    collect_pair(l, "adkim", head->adkim);
    collect_pair(l, "aspf", head->aspf);
    collect_pair(l, "testing", head->testing);
    collect_pair(l, "discovery", head->discovery_method);
    collect_pair(l, "fo", head->fo);
    g_string_append_printf(l, " pct=%d;\n", head->pct);
    if (head->extensions != NULL)
        g_string_append_printf(l, "  extensions %s\n", head->extensions);
    collect_raw(l, head->raw);
    return TRUE;
}

static inline void collect_results(GString *l, const struct report_record *record)
{
    for (guint i = 0; i < record->n_dkim; i++) {
        const struct dkim_result *dkim = &record->dkim[i];
        g_string_append(l, "  dkim");
        collect_pair(l, "d", dkim->domain);
        collect_pair(l, "s", dkim->selector);
        collect_pair(l, "result", dkim->result);
        collect_pair(l, "sent", dkim->raw);
        collect_pair(l, "human", dkim->human_result);
        g_string_append(l, ";\n");
    }
    for (guint i = 0; i < record->n_spf; i++) {
        const struct spf_result *spf = &record->spf[i];
        g_string_append(l, "  spf");
        collect_pair(l, "d", spf->domain);
        collect_pair(l, "scope", spf->scope);
        collect_pair(l, "result", spf->result);
        collect_pair(l, "sent", spf->raw);
        collect_pair(l, "human", spf->human_result);
        g_string_append(l, ";\n");
    }
    for (guint i = 0; i < record->n_reasons; i++) {
        const struct override_reason *reason = &record->reasons[i];
        g_string_append(l, "  reason");
        collect_pair(l, "type", reason->type);
        collect_pair(l, "sent", reason->raw);
        collect_pair(l, "comment", reason->comment);
        g_string_append(l, ";\n");
    }
}

static inline gboolean collect_record(void *self, const struct report_record *record, GError **error)
{
    struct collect *collect = self;
    GString *l = collect->lines;
    char address[INET6_ADDRSTRLEN] = "-";
    g_assert_true(collect->open);
    g_assert_true(record->message_count >= 0);
    g_assert_nonnull(record->header_from);
    if (!collect_call(collect, error))
        return FALSE;
    if (record->family != AF_UNSPEC)
        inet_ntop(record->family, record->source_ip, address, sizeof address);
    g_string_append_printf(l, "record ip=%s", address);
    collect_pair(l, "text", record->source_raw);
    g_string_append_printf(l, " count=%" G_GINT64_FORMAT " from=%s", record->message_count,
                           record->header_from);
    collect_pair(l, "envelope_from", record->envelope_from);
    collect_pair(l, "envelope_to", record->envelope_to);
    collect_pair(l, "disp", record->disposition);
    g_string_append_printf(l, " verdict=%s/%s%s aligned=%s/%s", record->dkim_verdict, record->spf_verdict,
                           record->verdict_computed ? " computed" : "",
                           record->dkim_aligned ? "pass" : "fail", record->spf_aligned ? "pass" : "fail");
    collect_pair(l, "dkim_by", record->dkim_aligned_domain);
    collect_pair(l, "selector", record->dkim_aligned_selector);
    collect_pair(l, "spf_by", record->spf_aligned_domain);
    g_string_append_printf(l, "%s;\n", record->disagree ? " disagree" : "");
    collect_results(l, record);
    if (record->extensions != NULL)
        g_string_append_printf(l, "  extensions %s\n", record->extensions);
    collect_raw(l, record->raw);
    return TRUE;
}

static inline gboolean collect_end(void *self, const struct report_tail *tail, GError **error)
{
    struct collect *collect = self;
    g_assert_true(collect->open);
    collect->open = FALSE;
    if (!collect_call(collect, error))
        return FALSE;
    g_string_append_printf(collect->lines, "end seen=%" G_GUINT64_FORMAT "%s;\n", tail->records_seen,
                           tail->incomplete ? " incomplete" : "");
    for (guint i = 0; i < tail->n_warnings; i++)
        g_string_append_printf(collect->lines, "warning %s:%u\n", tail->warnings[i].code,
                               tail->warnings[i].count);
    return TRUE;
}

static inline void collect_abandon(void *self)
{
    struct collect *collect = self;
    g_assert_true(collect->open);
    collect->open = FALSE;
    g_string_append(collect->lines, "abandoned\n");
}

/* The most memory that this process ever had. */
static inline long resident_kib(void)
{
    g_autofree char *status = NULL;
    g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
    const char *line = strstr(status, "VmHWM:");
    g_assert_nonnull(line);
    return (long)g_ascii_strtoll(line + 6, NULL, 10);
}

static inline struct aggregate_parser *collect_parser(const struct limits *limits)
{
    static struct domain_list *suffixes;
    if (suffixes == NULL)
        suffixes = domain_list_new();
    return aggregate_parser_new(limits, suffixes);
}

/* What the parser makes of these bytes, ending in a line that says how it went. */
static inline char *collect_parse_with(struct aggregate_parser *parser, struct bytes_reader *bytes,
                                       const struct report_hints *hints, int fail_at)
{
    static const char *const ends[] = {"ok", "refused", "partly", "failed"};
    struct collect collect = {.lines = g_string_new(NULL), .fail_at = fail_at};
    struct report_sink sink = {collect_begin, collect_record, collect_end, collect_abandon, &collect};
    struct byte_reader reader = {bytes_read, bytes};
    struct parse_outcome outcome;
    g_autoptr(GError) error = NULL;
    enum parse_status status = aggregate_parse(parser, reader, hints, &sink, &outcome, &error);
    g_assert_false(collect.open);
    g_assert_cmpint(error != NULL, ==, status == PARSE_FAILED);
    g_assert_cmpint(outcome.code != NULL, ==, status == PARSE_REFUSED || status == PARSE_PARTLY);
    g_string_append_printf(collect.lines, "%s", ends[status]);
    collect_pair(collect.lines, "code", outcome.code);
    collect_pair(collect.lines, "detail", error != NULL ? error->message : outcome.detail);
    g_string_append(collect.lines, "\n");
    parse_outcome_clear(&outcome);
    return g_string_free(collect.lines, FALSE);
}

/* The same with a parser that has read nothing before. */
static inline char *collect_parse(struct bytes_reader *bytes, const struct limits *limits,
                                  const struct report_hints *hints, int fail_at)
{
    struct aggregate_parser *parser = collect_parser(limits);
    char *lines = collect_parse_with(parser, bytes, hints, fail_at);
    aggregate_parser_free(parser);
    return lines;
}

/* The usual case: text, fed whole. */
static inline char *collect_text(const char *text, const struct report_hints *hints)
{
    struct bytes_reader bytes = {.bytes = text, .length = strlen(text)};
    return collect_parse(&bytes, &limits_default, hints, 0);
}

/* Fails the test, and goes on to the next vector. */
G_GNUC_PRINTF(1, 2) static inline void collect_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_test_message("%s", text);
    g_test_fail();
}

/* Every part of `wanted` between '|' must occur in the text. */
static inline void assert_holds(const char *name, const char *text, const char *wanted)
{
    g_auto(GStrv) parts = g_strsplit(wanted, "|", -1);
    for (char **part = parts; *part != NULL; part++)
        if (strstr(text, *part) == NULL)
            collect_complain("%s: \"%s\" is missing in:\n%s", name, *part, text);
}

/* No part of `unwanted` may. */
static inline void assert_lacks(const char *name, const char *text, const char *unwanted)
{
    g_auto(GStrv) parts = g_strsplit(unwanted, "|", -1);
    for (char **part = parts; *part != NULL; part++)
        if (strstr(text, *part) != NULL)
            collect_complain("%s: \"%s\" should not be in:\n%s", name, *part, text);
}

/* Pieces of documents. */
#define META_(id, begin, end)                                                                                \
    "<report_metadata><org_name>Reporter</org_name><email>dmarc@r.example</email><report_id>" id             \
    "</report_id><date_range><begin>" begin "</begin><end>" end "</end></date_range></report_metadata>"
#define META META_("id1", "1700000000", "1700086399")
#define POLICY_(more) "<policy_published><domain>example.com</domain><p>none</p>" more "</policy_published>"
#define POLICY POLICY_("")
#define EVALUATED(disposition, dkim, spf)                                                                    \
    "<policy_evaluated><disposition>" disposition "</disposition><dkim>" dkim "</dkim><spf>" spf             \
    "</spf></policy_evaluated>"
#define ROW(ip, count, evaluated)                                                                            \
    "<row><source_ip>" ip "</source_ip><count>" count "</count>" evaluated "</row>"
#define FROM(domain) "<identifiers><header_from>" domain "</header_from></identifiers>"
#define DKIM(domain, selector, result)                                                                       \
    "<dkim><domain>" domain "</domain><selector>" selector "</selector><result>" result "</result></dkim>"
#define SPF(domain, scope, result)                                                                           \
    "<spf><domain>" domain "</domain><scope>" scope "</scope><result>" result "</result></spf>"
#define AUTH(results) "<auth_results>" results "</auth_results>"
#define RECORD(row, identifiers, auth) "<record>" row identifiers auth "</record>"
#define GOOD_ROW ROW("192.0.2.1", "2", EVALUATED("none", "pass", "fail"))
#define GOOD_AUTH AUTH(DKIM("example.com", "s1", "pass") SPF("example.net", "mfrom", "pass"))
#define GOOD_RECORD RECORD(GOOD_ROW, FROM("example.com"), GOOD_AUTH)
#define FEEDBACK(content) "<feedback>" content "</feedback>"
