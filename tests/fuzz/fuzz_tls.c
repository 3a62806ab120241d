/* TLS reports: what the header promises holds, and the pieces in which a document comes make no difference.
 */
#include "parser/codes.h"
#include "parser/tls.h"
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

struct seen {
    GString *text;
    gboolean open, in_policy;
    guint reports;
};

static void note(struct seen *seen, const char *text)
{
    must_be_text(text);
    g_string_append_printf(seen->text, " %s", text != NULL ? text : "-");
}

static void note_list(struct seen *seen, raw_words words)
{
    MUST(words != NULL);
    for (; *words != NULL; words++)
        note(seen, *words);
}

static gboolean on_begin(void *self, const struct tls_head *head, GError **error G_GNUC_UNUSED)
{
    struct seen *seen = self;
    MUST(!seen->open);
    seen->open = TRUE;
    seen->in_policy = FALSE;
    MUST(head->reporter != NULL && head->report_id != NULL && *head->report_id != '\0');
    MUST(head->domain != NULL && *head->domain != '\0');
    MUST(head->begin <= head->end && head->begin >= 0);
    note(seen, head->reporter);
    note(seen, head->organization);
    note(seen, head->contact);
    note(seen, head->report_id);
    note(seen, head->domain);
    return TRUE;
}

static gboolean on_policy(void *self, const struct tls_policy *policy, GError **error G_GNUC_UNUSED)
{
    struct seen *seen = self;
    MUST(seen->open && policy->type != NULL);
    MUST(policy->successes >= -1 && policy->failures >= -1);
    seen->in_policy = TRUE;
    note(seen, policy->type);
    note_list(seen, policy->strings);
    note_list(seen, policy->mx_hosts);
    return TRUE;
}

static gboolean on_failure(void *self, const struct tls_failure *failure, GError **error G_GNUC_UNUSED)
{
    struct seen *seen = self;
    MUST(seen->open && seen->in_policy && failure->result_type != NULL && failure->sessions >= -1);
    const struct tls_address *const addresses[] = {&failure->sending, &failure->receiving};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        MUST(addresses[i]->family == AF_UNSPEC || addresses[i]->raw == NULL);
        note(seen, addresses[i]->raw);
    }
    note(seen, failure->result_type);
    note(seen, failure->mx_hostname);
    note(seen, failure->mx_helo);
    note(seen, failure->information);
    note(seen, failure->reason_code);
    return TRUE;
}

static gboolean on_end(void *self, guint n_warnings, const struct report_warning *warnings,
                       GError **error G_GNUC_UNUSED)
{
    struct seen *seen = self;
    MUST(seen->open);
    seen->open = FALSE;
    seen->reports++;
    for (guint i = 0; i < n_warnings; i++) {
        const struct code_row *row = code_find(warnings[i].code);
        MUST(row != NULL && row->warning && warnings[i].count > 0);
        note(seen, warnings[i].code);
        must_be_text(warnings[i].detail);
    }
    return TRUE;
}

static char *parse(const guint8 *data, gsize size, gsize step, const struct limits *limits)
{
    struct pieces pieces = {data, size, step};
    struct seen seen = {.text = g_string_new(NULL)};
    const struct report_hints hints = {
        .file_name = size % 2 == 1 ? "r.example!example.org!1600000000!1600086399!x.json.gz" : NULL};
    const struct tls_sink sink = {on_begin, on_policy, on_failure, on_end, &seen};
    struct parse_outcome outcome = {0};
    GError *error = NULL;
    enum parse_status status =
        tls_parse((struct byte_reader){pieces_read, &pieces}, limits, &hints, &sink, &outcome, &error);
    MUST(!seen.open && error == NULL);
    MUST(status == PARSE_OK || status == PARSE_REFUSED);
    MUST((status == PARSE_OK) == (seen.reports > 0));
    MUST(status == PARSE_OK || (outcome.code != NULL && code_find(outcome.code) != NULL));
    must_be_text(outcome.detail);
    note(&seen, outcome.code);
    parse_outcome_clear(&outcome);
    return g_string_free(seen.text, FALSE);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    struct limits low = low_limits();
    const struct limits *limits = size % 8 == 3 ? &low : &limits_default;
    g_autofree char *first = parse(data, size, 0, limits), *second = parse(data, size, 1 + size % 7, limits);
    must_be_same(first, second);
    return 0;
}
