#include "parser/failure.h"

#include "parser/address.h"
#include "parser/dates.h"
#include "parser/failure_fields.h"

#include <string.h>
#include <sys/socket.h>

/* Exim goes on in the next line. */
#define WORDS_BEGIN "A message claiming to be from you has failed the published DMARC"
#define WORDS_START 4096
#define RESULTS_MAX 10    /* Authentication-Results that are kept */
#define SIGNATURES_MAX 10 /* DKIM-Signatures that are kept */
#define RAW_MAX 8

/* What is wanted of the fields: of the report, and of the header of the message. */
enum wanted {
    FEEDBACK_TYPE,
    USER_AGENT,
    AUTH_FAILURE,
    IDENTITY_ALIGNMENT,
    REPORTED_DOMAIN,
    DELIVERY_RESULT,
    SOURCE_IP,
    ARRIVAL_DATE,
    MAIL_FROM,
    RCPT_TO,
    ENVELOPE_ID,
    REPORTING_MTA,
    INCIDENTS,
    DKIM_DOMAIN,
    DKIM_SELECTOR,
    SPF_ALIGNMENT,
    DKIM_ALIGNMENT,
    DMARC_RESULTS,
    SAMPLE_FROM,
    SAMPLE_TO,
    SAMPLE_SUBJECT,
    SAMPLE_ID,
    WANTED
};

struct name {
    const char *name;
    enum wanted wanted;
};

static const struct name feedback_names[] = {
    {"feedback-type", FEEDBACK_TYPE},
    {"user-agent", USER_AGENT},
    {"auth-failure", AUTH_FAILURE},
    {"identity-alignment", IDENTITY_ALIGNMENT},
    {"reported-domain", REPORTED_DOMAIN},
    {"delivery-result", DELIVERY_RESULT},
    {"source-ip", SOURCE_IP},
    {"arrival-date", ARRIVAL_DATE},
    {"received-date", ARRIVAL_DATE},
    {"original-mail-from", MAIL_FROM},
    {"original-rcpt-to", RCPT_TO},
    {"original-envelope-id", ENVELOPE_ID},
    {"reporting-mta", REPORTING_MTA},
    {"incidents", INCIDENTS},
    {"dkim-domain", DKIM_DOMAIN},
    {"dkim-selector", DKIM_SELECTOR},
    {NULL, WANTED},
};

/* What Exim's and cPanel's mails call the same. */
static const struct name words_names[] = {
    {"sender domain", REPORTED_DOMAIN},
    {"sender ip address", SOURCE_IP},
    {"received date", ARRIVAL_DATE},
    {"spf alignment", SPF_ALIGNMENT},
    {"dkim alignment", DKIM_ALIGNMENT},
    {"dmarc results", DMARC_RESULTS},
    {NULL, WANTED},
};

static const struct name sample_names[] = {
    {"from", SAMPLE_FROM},     {"to", SAMPLE_TO}, {"subject", SAMPLE_SUBJECT},
    {"message-id", SAMPLE_ID}, {NULL, WANTED},
};

/* One report while it is read. */
struct reading {
    const struct failure_source *source;
    const struct limits *limits;
    struct failure *failure;
    const struct name *names;
    const char *first[WANTED]; /* in the arena */
    const char *results[RESULTS_MAX + 1];
    const char *sample_result;
    guint n_results;
    const char *signature_domains[SIGNATURES_MAX], *signature_selectors[SIGNATURES_MAX];
    guint n_signatures;
    const char *raw[RAW_MAX + 1];
    guint n_raw;
};

void failure_clear(struct failure *failure)
{
    arena_clear(&failure->arena);
    warnings_reset(&failure->warnings);
    memset(failure, 0, sizeof *failure);
}

/* Mailing lists break lines anew: any white space is as good as a blank. */
static gboolean begins_words(const char *at, const char *end)
{
    for (const char *known = WORDS_BEGIN; *known; known++) {
        if (at == end || (*known == ' ' ? !g_ascii_isspace(*at) : *known != *at))
            return FALSE;
        for (at++; *known == ' ' && at < end && g_ascii_isspace(*at); at++)
            ;
    }
    return TRUE;
}

gboolean failure_is_words(const char *text, gsize length)
{
    const char *end = text + MIN(length, WORDS_START);
    for (const char *at = text; at < end;) {
        if (begins_words(at, end))
            return TRUE;
        const char *line = memchr(at, '\n', (gsize)(end - at));
        if (!line)
            return FALSE;
        for (at = line + 1; at < end && (*at == ' ' || *at == '\t'); at++)
            ;
    }
    return FALSE;
}

/* ---- text ---- */

/* A copy, cut to so many bytes between two characters. */
static const char *keep(struct reading *reading, const char *text, gsize most)
{
    gsize n = strlen(text);
    if (n > most) {
        for (n = most; n > 0 && ((guchar)text[n] & 0xc0) == 0x80; n--)
            ;
        warnings_add(&reading->failure->warnings, CODE_TEXT_CUT, NULL, NULL);
    }
    return arena_text(&reading->failure->arena, text, n);
}

static const char *keep_name(struct reading *reading, const char *text)
{
    return text && *text ? keep(reading, text, reading->limits->text_length) : NULL;
}

static const char *keep_prose(struct reading *reading, const char *text)
{
    return text && *text ? keep(reading, text, reading->limits->prose_length) : NULL;
}

/* A field of the message's header as people read it. */
static const char *keep_decoded(struct reading *reading, const char *text)
{
    if (!text || !reading->source->decode)
        return keep_prose(reading, text);
    g_autofree char *decoded = reading->source->decode(text);
    g_autofree char *valid = g_utf8_make_valid(decoded ? decoded : "", -1);
    for (char *at = valid; *at; at++) {
        if ((guchar)*at < 32 || *at == 127)
            *at = ' ';
    }
    return keep_prose(reading, g_strstrip(valid));
}

/* A domain name, or NULL where it cannot be one. */
static const char *keep_domain(struct reading *reading, const char *text)
{
    if (!text || strlen(text) > 1000)
        return NULL;
    gboolean ok = FALSE;
    g_autofree char *domain = domain_normalise(text, &ok);
    return ok && *domain ? arena_text(&reading->failure->arena, domain, strlen(domain)) : NULL;
}

static void keep_raw(struct reading *reading, const char *name, const char *text)
{
    g_autofree char *joined = g_strconcat(name, "=", text, NULL);
    if (reading->n_raw < RAW_MAX)
        reading->raw[reading->n_raw++] = keep_prose(reading, joined);
}

static const char *const *keep_list(struct reading *reading, const char *const *texts, guint n)
{
    const char **list = arena_alloc(&reading->failure->arena, (n + 1) * sizeof *list);
    if (n)
        memcpy(list, texts, n * sizeof *list);
    list[n] = NULL;
    return list;
}

static void lacks(struct reading *reading, const char *name)
{
    warnings_list(&reading->failure->warnings, CODE_FEEDBACK_FIELD, name);
}

/* ---- fields ---- */

/* Of a field that comes several times the first one counts. */
static void take(struct reading *reading, const char *name, const char *value)
{
    for (const struct name *row = reading->names; row->name; row++) {
        if (strcmp(row->name, name) == 0 && !reading->first[row->wanted])
            reading->first[row->wanted] = arena_text(&reading->failure->arena, value, strlen(value));
    }
}

static void on_field(void *self, const char *name, const char *value)
{
    struct reading *reading = self;
    take(reading, name, value);
    if (strcmp(name, "authentication-results") == 0 && *value && reading->n_results < RESULTS_MAX)
        reading->results[reading->n_results++] = keep_prose(reading, value);
}

static void on_words_field(void *self, const char *name, const char *value)
{
    take(self, name, value);
}

static void on_sample_field(void *self, const char *name, const char *value)
{
    struct reading *reading = self;
    take(reading, name, value);
    if (strcmp(name, "authentication-results") == 0 && !reading->sample_result)
        reading->sample_result = keep_prose(reading, value);
    if (strcmp(name, "dkim-signature") != 0 || reading->n_signatures == SIGNATURES_MAX)
        return;
    g_autofree char *domain = fields_tag(value, "d"), *selector = fields_tag(value, "s");
    reading->signature_domains[reading->n_signatures] = keep_domain(reading, domain);
    reading->signature_selectors[reading->n_signatures] = keep_name(reading, selector);
    reading->n_signatures++;
}

static void read_sample(struct reading *reading, const char *text, gsize length)
{
    reading->names = sample_names;
    if (text)
        fields_read(text, MIN(length, reading->limits->failure_size), TRUE, FALSE, on_sample_field, reading);
}

/* ---- what they say ---- */

/* The words of a list with commas or blanks, in lower case. */
static GStrv words_of(const char *text)
{
    g_autofree char *plain = fields_plain(text);
    g_autofree char *lower = g_ascii_strdown(plain, -1);
    return g_strsplit_set(lower, ", \t;", 20);
}

static void read_auth_failure(struct reading *reading)
{
    static const char *const known[] = {"adsp", "bodyhash", "revoked", "signature", "spf", "dmarc", NULL};
    struct failure_report *report = &reading->failure->report;
    const char *text = reading->first[AUTH_FAILURE], *found[G_N_ELEMENTS(known)] = {NULL};
    guint n = 0;
    gboolean odd = FALSE;
    g_auto(GStrv) words = words_of(text ? text : "");
    for (guint i = 0; words[i]; i++) {
        gsize k = 0;
        while (known[k] && strcmp(known[k], words[i]) != 0)
            k++;
        odd = odd || (!known[k] && *words[i]);
        if (known[k] && !g_strv_contains(found, known[k]))
            found[n++] = known[k];
    }
    if (odd)
        keep_raw(reading, "Auth-Failure", text);
    report->auth_failures = keep_list(reading, found, n);
}

static const char *const alignments[] = {"none", "dkim", "spf", "dkim spf"};

/* RFC 9991 section 4: the mechanisms that failed, or "none". */
static void read_alignment(struct reading *reading)
{
    const char *text = reading->first[IDENTITY_ALIGNMENT];
    guint failed = 0;
    gboolean none = FALSE, odd = FALSE;
    g_auto(GStrv) words = words_of(text ? text : "");
    for (guint i = 0; words[i]; i++) {
        gboolean dkim = strcmp(words[i], "dkim") == 0, spf = strcmp(words[i], "spf") == 0;
        failed |= (dkim ? 1u : 0u) | (spf ? 2u : 0u);
        none = none || strcmp(words[i], "none") == 0;
        odd = odd || (!dkim && !spf && *words[i] && strcmp(words[i], "none") != 0);
    }
    odd = odd || (none && failed);
    if (text && odd)
        keep_raw(reading, "Identity-Alignment", text);
    reading->failure->report.alignment_failed = failed || none ? alignments[failed] : NULL;
}

/* "SPF Alignment: no": 1 failed, 0 not, -1 nothing is said. */
static int words_alignment(struct reading *reading, enum wanted which, const char *name)
{
    const char *text = reading->first[which];
    int failed = !text                                  ? -1
                 : g_ascii_strcasecmp(text, "no") == 0  ? 1
                 : g_ascii_strcasecmp(text, "yes") == 0 ? 0
                                                        : -1;
    if (text && *text && failed < 0)
        keep_raw(reading, name, text);
    return failed;
}

static void read_words_alignment(struct reading *reading)
{
    int dkim = words_alignment(reading, DKIM_ALIGNMENT, "DKIM Alignment");
    int spf = words_alignment(reading, SPF_ALIGNMENT, "SPF Alignment");
    guint failed = (dkim == 1 ? 1u : 0u) | (spf == 1 ? 2u : 0u);
    reading->failure->report.alignment_failed = failed || (dkim == 0 && spf == 0) ? alignments[failed] : NULL;
}

static void read_delivery(struct reading *reading)
{
    static const struct {
        const char *text, *word;
    } known[] = {{"delivered", "delivered"}, {"spam", "spam"},         {"policy", "policy"},
                 {"reject", "reject"},       {"other", "other"},       {"rejected", "reject"},
                 {"accept", "delivered"},    {"accepted", "delivered"}};
    const char *text = reading->first[DELIVERY_RESULT], *name = "Delivery-Result";
    if (!text) {
        /* Exim: policy and action, "None, Accept". */
        text = reading->first[DMARC_RESULTS];
        name = "DMARC Results";
    }
    if (!text || !*text)
        return;
    g_autofree char *plain = fields_plain(text);
    const char *comma = strrchr(plain, ',');
    const char *last = comma ? comma + 1 + strspn(comma + 1, " ") : plain;
    const char *word = "other";
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_ascii_strcasecmp(last, known[i].text) == 0)
            word = known[i].word;
    }
    if (strcmp(word, text) != 0)
        keep_raw(reading, name, text);
    reading->failure->report.delivery_result = word;
}

/* The first word; what stands behind it is a host's name, or a comment. */
static void read_source(struct reading *reading)
{
    struct failure_report *report = &reading->failure->report;
    const char *text = reading->first[SOURCE_IP];
    if (!text || !*text) {
        lacks(reading, "Source-IP");
        return;
    }
    enum ip_form form;
    g_autofree char *word = g_strndup(text, strcspn(text, " \t,;("));
    report->family = address_parse_ip(word, report->source_ip, &form);
    if (report->family != AF_UNSPEC)
        return;
    report->source_raw = keep_prose(reading, text);
    warnings_add(&reading->failure->warnings, form == IP_MASKED ? CODE_IP_MASKED : CODE_NO_IP, NULL, NULL);
}

/* The domain that a result names as the one of From:. Owned by the caller. */
static char *header_from_of(const char *result)
{
    const char *at = result ? strstr(result, "header.from=") : NULL;
    if (!at)
        return NULL;
    at += strlen("header.from=");
    at += *at == '"';
    return g_strndup(at, strcspn(at, " \t;,\"()"));
}

static void read_message(struct reading *reading)
{
    struct failure_report *report = &reading->failure->report;
    const char *const *first = reading->first;
    g_autofree char *from = first[SAMPLE_FROM] ? fields_address(first[SAMPLE_FROM]) : NULL;
    g_autofree char *to = first[RCPT_TO]     ? fields_address(first[RCPT_TO])
                          : first[SAMPLE_TO] ? fields_address(first[SAMPLE_TO])
                                             : NULL;
    g_autofree char *id = first[SAMPLE_ID] ? fields_address(first[SAMPLE_ID]) : NULL;
    report->from = keep_decoded(reading, first[SAMPLE_FROM]);
    report->subject = keep_decoded(reading, first[SAMPLE_SUBJECT]);
    report->message_id = keep_name(reading, id);
    report->header_from = from && strchr(from, '@') ? keep_domain(reading, from) : NULL;
    report->rcpt_domain = to && strchr(to, '@') ? keep_domain(reading, to) : NULL;
    report->recipient = keep_name(reading, first[RCPT_TO]);
    if (!reading->n_results && reading->sample_result)
        reading->results[reading->n_results++] = reading->sample_result;
    report->results = keep_list(reading, reading->results, reading->n_results);
    report->n_signatures = reading->n_signatures;
    report->signature_domains = keep_list(reading, reading->signature_domains, reading->n_signatures);
    report->signature_selectors = keep_list(reading, reading->signature_selectors, reading->n_signatures);
    for (guint i = 0; i < reading->n_results && !report->header_from; i++) {
        g_autofree char *name = header_from_of(reading->results[i]);
        report->header_from = keep_domain(reading, name);
    }
}

static void read_reporter(struct reading *reading)
{
    struct failure_report *report = &reading->failure->report;
    const char *mta = reading->first[REPORTING_MTA];
    const char *semicolon = mta ? strchr(mta, ';') : NULL;
    g_autofree char *host = g_strdup(semicolon ? semicolon + 1 : mta ? mta : "");
    report->reporting_mta = keep_name(reading, g_strstrip(host));
    report->reporter = keep_domain(reading, reading->source->from_domain);
    if (!report->reporter)
        report->reporter = keep_domain(reading, report->reporting_mta);
    if (!report->reporter && reading->n_results) {
        /* RFC 8601 section 2.5: the name of the server stands first. */
        const char *result = reading->results[0];
        g_autofree char *server = g_strndup(result, strcspn(result, "; \t"));
        report->reporter = strchr(server, '.') && !strchr(server, '=') ? keep_domain(reading, server) : NULL;
    }
    if (!report->reporter)
        report->reporter = "";
}

static void read_plain(struct reading *reading)
{
    struct failure_report *report = &reading->failure->report;
    const char *const *first = reading->first;
    guint64 incidents = 0;
    report->user_agent = keep_prose(reading, first[USER_AGENT]);
    report->envelope_id = keep_name(reading, first[ENVELOPE_ID]);
    report->dkim_domain = keep_domain(reading, first[DKIM_DOMAIN]);
    report->dkim_selector = keep_name(reading, first[DKIM_SELECTOR]);
    if (first[MAIL_FROM]) {
        g_autofree char *address = fields_address(first[MAIL_FROM]);
        report->mail_from = keep(reading, address, reading->limits->text_length);
    }
    if (first[INCIDENTS] &&
        !g_ascii_string_to_unsigned(first[INCIDENTS], 10, 1, G_MAXINT64, &incidents, NULL))
        keep_raw(reading, "Incidents", first[INCIDENTS]);
    report->incidents = MAX(incidents, 1);
}

static enum parse_status refuse(struct parse_outcome *outcome, enum code code, char *detail)
{
    outcome->code = code_rows[code].code;
    outcome->detail = detail;
    return PARSE_REFUSED;
}

/* All that both forms have in common, once their own words are read. */
static enum parse_status finish(struct reading *reading, struct parse_outcome *outcome)
{
    struct failure *failure = reading->failure;
    struct failure_report *report = &failure->report;
    read_plain(reading);
    read_delivery(reading);
    read_source(reading);
    read_message(reading);
    read_reporter(reading);
    report->raw = keep_list(reading, reading->raw, reading->n_raw);
    if (!report->message_id && !report->envelope_id)
        report->carrier = keep_name(reading, reading->source->mail_id);
    const char *reported = reading->first[REPORTED_DOMAIN];
    g_autofree char *domain = reported ? g_strndup(reported, strcspn(reported, ",;")) : NULL;
    report->domain = keep_domain(reading, domain);
    if (!report->domain) {
        warnings_add(&failure->warnings, CODE_NO_DOMAIN, "Reported-Domain", reported);
        report->domain = report->header_from;
    }
    if (!report->domain)
        return refuse(outcome, CODE_NO_DOMAIN, g_strdup("no Reported-Domain and no From: of the message"));
    if (!reading->first[ARRIVAL_DATE] || !date_parse_mail(reading->first[ARRIVAL_DATE], &report->arrived)) {
        lacks(reading, "Arrival-Date");
        report->arrived = reading->source->date;
    }
    if (report->arrived <= 0)
        return refuse(outcome, CODE_NO_DATE, g_strdup("no Arrival-Date, and no Date: of the carrying mail"));
    report->n_warnings = warnings_rows(&failure->warnings, failure->warning_rows);
    report->warnings = failure->warning_rows;
    return PARSE_OK;
}

static gboolean begin(struct reading *reading, const struct failure_source *source,
                      const struct limits *limits, struct failure *failure_r, struct parse_outcome *outcome)
{
    memset(failure_r, 0, sizeof *failure_r);
    memset(outcome, 0, sizeof *outcome);
    *reading = (struct reading){.source = source, .limits = limits, .failure = failure_r};
    failure_r->report.family = AF_UNSPEC;
    if (source->length <= limits->failure_size)
        return TRUE;
    refuse(
        outcome, CODE_LIMIT,
        g_strdup_printf("limit failure_size: more than %" G_GUINT64_FORMAT " bytes", limits->failure_size));
    return FALSE;
}

/* RFC 5965 section 3.1, RFC 6591 section 3.1. Without a type the fields of RFC 6591 decide. */
static gboolean is_failure(struct reading *reading)
{
    static const char *const others[] = {"abuse", "fraud", "virus", "not-spam", "other", "opt-out", NULL};
    const char *text = reading->first[FEEDBACK_TYPE];
    g_autofree char *plain = fields_plain(text ? text : "");
    g_autofree char *type = g_ascii_strdown(plain, -1);
    if (strcmp(type, "auth-failure") == 0)
        return TRUE;
    if (!*type)
        lacks(reading, "Feedback-Type");
    else
        keep_raw(reading, "Feedback-Type", text);
    if (g_strv_contains(others, type))
        return FALSE;
    return !*type || reading->first[AUTH_FAILURE] || reading->first[IDENTITY_ALIGNMENT];
}

enum parse_status failure_parse(const struct failure_source *source, const struct limits *limits,
                                struct failure *failure_r, struct parse_outcome *outcome_r)
{
    struct reading reading;
    if (!begin(&reading, source, limits, failure_r, outcome_r))
        return PARSE_REFUSED;
    reading.names = feedback_names;
    fields_read(source->text, source->length, FALSE, FALSE, on_field, &reading);
    read_sample(&reading, source->sample, source->sample_length);
    if (!is_failure(&reading)) {
        failure_r->report.subject = keep_decoded(&reading, reading.first[SAMPLE_SUBJECT]);
        g_autofree char *quoted = warnings_quote(reading.first[FEEDBACK_TYPE]);
        return refuse(outcome_r, CODE_FEEDBACK_TYPE, g_strconcat("Feedback-Type ", quoted, NULL));
    }
    if (!reading.first[AUTH_FAILURE])
        lacks(&reading, "Auth-Failure");
    read_auth_failure(&reading);
    read_alignment(&reading);
    return finish(&reading, outcome_r);
}

/* Where the copy of the message's header begins: behind the line of dashes that introduces it. */
static gsize words_length(const char *text, gsize length)
{
    gsize at = 0;
    while (at < length && !(length - at > 3 && memcmp(text + at, "---", 3) == 0)) {
        const char *line = memchr(text + at, '\n', length - at);
        at = line ? (gsize)(line - text) + 1 : length;
    }
    return at;
}

enum parse_status failure_parse_words(const struct failure_source *source, const struct limits *limits,
                                      struct failure *failure_r, struct parse_outcome *outcome_r)
{
    static const char *const dmarc[] = {"dmarc"};
    struct reading reading;
    if (!begin(&reading, source, limits, failure_r, outcome_r))
        return PARSE_REFUSED;
    gsize n = words_length(source->text, source->length);
    reading.names = words_names;
    fields_read(source->text, n, FALSE, TRUE, on_words_field, &reading);
    const char *line = n < source->length ? memchr(source->text + n, '\n', source->length - n) : NULL;
    if (line)
        read_sample(&reading, line + 1, source->length - (gsize)(line + 1 - source->text));
    else
        read_sample(&reading, source->sample, source->sample_length);
    /* That is what the mail says. */
    failure_r->report.auth_failures = keep_list(&reading, dmarc, 1);
    read_words_alignment(&reading);
    return finish(&reading, outcome_r);
}
