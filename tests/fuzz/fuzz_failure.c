/* Failure reports, in fields and in words: what the header promises holds, and nothing comes out that is not
 * in the text. The input is the report, then a line of one dot, then the header of the message that it is
 * about. */
#include "parser/failure.h"
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

static char *decode(const char *text)
{
    return g_utf8_make_valid(text, -1);
}

static void must_be_list(raw_words words)
{
    MUST(words != NULL);
    for (; *words != NULL; words++)
        must_be_text(*words);
}

static void must_be_failure(const struct failure_report *report)
{
    const char *const texts[] = {
        report->domain,      report->reporter,      report->reporting_mta, report->user_agent,
        report->source_raw,  report->mail_from,     report->rcpt_domain,   report->header_from,
        report->from,        report->subject,       report->message_id,    report->envelope_id,
        report->dkim_domain, report->dkim_selector, report->recipient,     report->carrier};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        must_be_text(texts[i]);
    MUST(report->domain != NULL && *report->domain != '\0' && report->reporter != NULL);
    MUST(report->arrived > 0 && report->incidents > 0);
    must_be_list(report->auth_failures);
    for (raw_words word = report->auth_failures; *word != NULL; word++)
        must_be_one_of(*word, "adsp bodyhash revoked signature spf dmarc");
    MUST(report->alignment_failed == NULL || strcmp(report->alignment_failed, "dkim spf") == 0 ||
         strchr(report->alignment_failed, ' ') == NULL);
    must_be_one_of(report->alignment_failed, "none dkim spf");
    must_be_one_of(report->delivery_result, "delivered spam policy reject other");
    MUST(report->family == AF_UNSPEC || report->source_raw == NULL);
    for (guint i = 0; i < report->n_signatures; i++) {
        must_be_text(report->signature_domains[i]);
        must_be_text(report->signature_selectors[i]);
    }
    must_be_list(report->results);
    must_be_list(report->raw);
    for (guint i = 0; i < report->n_warnings; i++) {
        const struct code_row *row = code_find(report->warnings[i].code);
        MUST(row != NULL && row->warning && report->warnings[i].count > 0);
        must_be_text(report->warnings[i].detail);
    }
}

typedef enum parse_status (*parse_func)(const struct failure_source *, const struct limits *,
                                        struct failure *, struct parse_outcome *);

static void try(parse_func parse, const struct failure_source *source, const struct limits *limits)
{
    struct failure failure = {0};
    struct parse_outcome outcome = {0};
    enum parse_status status = parse(source, limits, &failure, &outcome);
    MUST(status == PARSE_OK || status == PARSE_REFUSED);
    must_be_text(failure.report.subject);
    if (status == PARSE_OK)
        must_be_failure(&failure.report);
    else
        MUST(outcome.code != NULL && code_find(outcome.code) != NULL);
    must_be_text(outcome.detail);
    parse_outcome_clear(&outcome);
    failure_clear(&failure);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static const char dot[] = "\n.\n";
    struct limits low = low_limits();
    const char *text = size > 0 ? (const char *)data : "";
    const char *part = g_strstr_len(text, (gssize)size, dot);
    struct failure_source source = {.text = text, .length = part != NULL ? (gsize)(part - text) + 1 : size};
    if (part != NULL) {
        source.sample = part + strlen(dot);
        source.sample_length = size - (gsize)(source.sample - text);
    }
    if (size % 2 == 1) {
        source.from_domain = "r.example";
        source.mail_id = "<1@r.example>";
        source.date = 1700000000;
        source.decode = decode;
    }
    const struct limits *limits = size % 8 == 3 ? &low : &limits_default;
    try(failure_parse, &source, limits);
    if (failure_is_words(text, size))
        try(failure_parse_words, &source, limits);
    return 0;
}
