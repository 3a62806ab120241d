/* One record: from texts to struct report_record, with the alignment worked out again. */
#include "parser/aggregate_int.h"

#include "parser/address.h"
#include "parser/number.h"
#include "parser/words.h"

#include <string.h>
#include <sys/socket.h>

static gboolean has_text(const char *text)
{
    return text != NULL && *text != '\0';
}

static void warn(struct reader *reader, enum code code, const char *what, const char *foreign)
{
    warnings_add(&reader->warnings, code, what, foreign);
}

static void add_raw(struct reader *reader, const char *element, const char *raw)
{
    g_ptr_array_add(reader->raw, (gpointer)(guintptr)reader_raw_word(&reader->scratch, element, raw));
}

static const char *lower(struct reader *reader, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (!g_ascii_isupper(*c))
            continue;
        char *copy = arena_text(&reader->scratch, text, strlen(text));
        for (char *d = copy; *d != '\0'; d++)
            *d = g_ascii_tolower(*d);
        return copy;
    }
    return text;
}

/* ---- address and count ---- */

static void build_address(struct reader *reader, const struct raw_record *raw, struct report_record *record)
{
    const char *text = raw->text[RECORD_SOURCE_IP];
    record->family = AF_UNSPEC;
    if (!has_text(text)) {
        warn(reader, CODE_NO_IP, "no source_ip", NULL);
        return;
    }
    enum ip_form form;
    record->family = address_parse_ip(text, record->source_ip, &form);
    switch (form) {
    case IP_PLAIN:
        break;
    case IP_REWRITTEN:
        warn(reader, CODE_IP_FORM, "source_ip", text);
        add_raw(reader, "source_ip", text);
        break;
    case IP_MASKED:
        warn(reader, CODE_IP_MASKED, "source_ip", text);
        record->source_raw = text;
        break;
    case IP_NONE:
        warn(reader, CODE_NO_IP, "source_ip", text);
        record->source_raw = text;
        break;
    }
}

/* The digits up to the end or a fraction, which is dropped; more than fits becomes G_MAXINT64. FALSE for
 * anything else. */
static gboolean read_digits(const char *text, gint64 *value_r)
{
    gsize n = strspn(text, "0123456789");
    const char *rest = text + n;
    gboolean fraction = *rest == '.' && rest[1 + strspn(rest + 1, "0123456789")] == '\0';
    if (n == 0 || (*rest != '\0' && !fraction))
        return FALSE;
    *value_r = g_ascii_strtoll(text, NULL, 10);
    return TRUE;
}

/* A number as people and programs write it. */
static gboolean read_number(const char *text, gint64 *value_r)
{
    gdouble number;
    if (read_digits(text, value_r))
        return TRUE;
    if (number_scientific(text, &number)) {
        *value_r = number > (gdouble)RECORD_COUNT_MAX ? G_MAXINT64 : (gint64)number;
        return TRUE;
    }
    g_autofree char *plain = number_ungrouped(text);
    return plain != NULL && read_digits(plain, value_r);
}

/* The count, or -1 for one that cannot be. A record stands for one mail at least, whatever its count looks
 * like. */
static gint64 build_count(struct reader *reader, const char *text)
{
    gint64 value;
    if (!has_text(text)) {
        warn(reader, CODE_COUNT_FORM, "no count", NULL);
        return 1;
    }
    if (!read_number(text + (*text == '+' || *text == '-'), &value)) {
        warn(reader, CODE_COUNT_FORM, "count", text);
        add_raw(reader, "count", text);
        return 1;
    }
    if (value > RECORD_COUNT_MAX || (*text == '-' && value != 0)) {
        warn(reader, CODE_BAD_COUNT, "count", text);
        return -1;
    }
    if (text[strspn(text, "0123456789")] != '\0') {
        warn(reader, CODE_COUNT_FORM, "count", text);
        add_raw(reader, "count", text);
    }
    return value;
}

/* ---- identifiers ---- */

static gboolean is_plain(const struct known_name *name)
{
    return name->ok && !name->address;
}

/* A name of the record, with a warning where it is not in order. */
static const struct known_name *know_name(struct reader *reader, const char *element, const char *text)
{
    const struct known_name *name = names_get(reader->names, text);
    if (is_plain(name))
        return name;
    if (!name->ok)
        warn(reader, CODE_BAD_NAME, element, text);
    else
        warn(reader, CODE_ADDR_FORM, element, text);
    add_raw(reader, element, text);
    return name;
}

/* NULL stays NULL. */
static const char *take_name(struct reader *reader, const char *element, const char *text)
{
    return text != NULL ? know_name(reader, element, text)->name : NULL;
}

const char *record_header_from(struct reader *reader, const struct raw_record *raw)
{
    static const char between[] = ",; \t\r\n";
    const char *text = raw->text[RECORD_HEADER_FROM];
    if (!has_text(text) || strchr(text, '@') != NULL)
        return has_text(text) ? text : NULL;
    const char *first = text + strspn(text, between);
    if (*first != '<' && strchr(first, '<') != NULL)
        return text;
    gsize length = strcspn(first, between);
    if (length == 0)
        return NULL;
    if (length == strlen(text))
        return text;
    /* Asked for once more with each result beyond those that are kept. */
    if (reader->cut_from_of != text) {
        reader->cut_from_of = text;
        reader->cut_from = arena_text(&reader->scratch, first, length);
    }
    return reader->cut_from;
}

gboolean record_names_domain(struct reader *reader, const struct raw_record *raw)
{
    const char *from = record_header_from(reader, raw);
    const struct known_name *name = from != NULL ? names_get(reader->names, from) : NULL;
    return name != NULL && name->ok && *name->name != '\0';
}

static gboolean names_several(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL ? strchr(at + 1, '@') != NULL : strpbrk(text, ",; \t\r\n") != NULL;
}

/* A From domain that is more, less or other than one name. */
static const struct known_name *build_odd_from(struct reader *reader, const struct raw_record *raw)
{
    const char *all = raw->text[RECORD_HEADER_FROM], *from = record_header_from(reader, raw);
    if (from != NULL && names_several(all)) {
        warn(reader, CODE_MULTI_FROM, "header_from", all);
        if (from != all)
            add_raw(reader, "header_from", all);
    }
    const struct known_name *name = from != NULL ? know_name(reader, "header_from", from) : NULL;
    if (name != NULL && has_text(name->name))
        return name;
    warn(reader, CODE_NO_FROM, NULL, NULL);
    return names_get(reader->names, reader->head.domain);
}

/* Returns the From domain. */
static const struct known_name *build_identifiers(struct reader *reader, const struct raw_record *raw,
                                                  struct report_record *record)
{
    const char *text = raw->text[RECORD_HEADER_FROM];
    const struct known_name *from = has_text(text) ? names_get(reader->names, text) : NULL;
    if (from == NULL || !is_plain(from) || !has_text(from->name))
        from = build_odd_from(reader, raw);
    record->header_from = from->name;
    if (strcmp(record->header_from, reader->head.domain) != 0 &&
        !domain_is_below(record->header_from, reader->head.domain))
        warn(reader, CODE_FROM_OUTSIDE, "header_from", record->header_from);
    record->envelope_from = take_name(reader, "envelope_from", raw->text[RECORD_ENVELOPE_FROM]);
    record->envelope_to = take_name(reader, "envelope_to", raw->text[RECORD_ENVELOPE_TO]);
    return from;
}

/* ---- auth_results ---- */

/* A result word; *raw_r gets the text when it is not the standard's word. */
static const char *result_word(struct reader *reader, const char *text, gboolean dkim, const char **raw_r)
{
    const char *word = has_text(text) ? (dkim ? word_dkim_result(text) : word_spf_result(text)) : NULL;
    if (word == NULL || !word_is(word, text)) {
        warn(reader, CODE_AUTH_VAL, dkim ? "dkim result" : "spf result", text);
        *raw_r = text;
    }
    return word;
}

/* NULL where there is no name. */
static const struct known_name *auth_name(struct reader *reader, const char *element, const char *text)
{
    const struct known_name *name = has_text(text) ? know_name(reader, element, text) : NULL;
    return name != NULL && has_text(name->name) ? name : NULL;
}

static gboolean is_pass(const char *result)
{
    return result != NULL && word_is(result, "pass");
}

/* rspamd writes neither selector nor scope nor envelope_from, and each temperror once more as permerror. */
static gboolean is_rspamd_like(const struct raw_record *raw)
{
    if (raw->text[RECORD_ENVELOPE_FROM] != NULL)
        return FALSE;
    for (guint i = 0; i < raw->dkim.n; i++)
        if (has_text(raw->dkim.items[i].text[ENTRY_SELECTOR]))
            return FALSE;
    for (guint i = 0; i < raw->spf.n; i++)
        if (has_text(raw->spf.items[i].text[ENTRY_SCOPE]))
            return FALSE;
    return TRUE;
}

static gboolean repeats_temperror(const struct raw_record *raw, const struct entry *entry)
{
    if (entry->text[ENTRY_RESULT] == NULL || g_ascii_strcasecmp(entry->text[ENTRY_RESULT], "permerror") != 0)
        return FALSE;
    for (guint i = 0; i < raw->dkim.n; i++) {
        const struct entry *other = &raw->dkim.items[i];
        if (other->text[ENTRY_RESULT] != NULL &&
            g_ascii_strcasecmp(other->text[ENTRY_RESULT], "temperror") == 0 &&
            g_strcmp0(other->text[ENTRY_DOMAIN], entry->text[ENTRY_DOMAIN]) == 0)
            return is_rspamd_like(raw);
    }
    return FALSE;
}

/* FALSE for an entry that is left out. */
static gboolean wanted_dkim(struct reader *reader, const struct raw_record *raw, const struct entry *entry)
{
    if (!has_text(entry->text[ENTRY_DOMAIN])) {
        const char *result = entry->text[ENTRY_RESULT];
        warn(reader, CODE_DKIM_EMPTY, NULL, NULL);
        if (!has_text(entry->text[ENTRY_SELECTOR]) &&
            (!has_text(result) || g_strcmp0(word_dkim_result(result), "none") == 0))
            return FALSE;
    } else if (repeats_temperror(raw, entry)) {
        warn(reader, CODE_AUTH_DOUBLE, NULL, NULL);
        return FALSE;
    }
    return TRUE;
}

/* The identity that is the From domain itself is preferred to one that only shares its organization. */
static void align_dkim(struct reader *reader, struct report_record *record, const struct known_name *name,
                       const struct known_name *from)
{
    const struct dkim_result *result = &record->dkim[record->n_dkim - 1];
    if (!is_pass(result->result) || name == NULL)
        return;
    gboolean same = strcmp(name->name, from->name) == 0;
    if (record->dkim_aligned && (!same || strcmp(record->dkim_aligned_domain, from->name) == 0))
        return;
    if (!names_aligned(reader->names, name, from, reader->adkim_strict))
        return;
    record->dkim_aligned = TRUE;
    record->dkim_aligned_domain = result->domain;
    record->dkim_aligned_selector = result->selector;
}

static void build_dkim(struct reader *reader, const struct raw_record *raw, const struct known_name *from,
                       struct report_record *record)
{
    if (raw->dkim.n == 0)
        return;
    struct dkim_result *results = arena_alloc(&reader->scratch, raw->dkim.n * sizeof *results);
    record->dkim = results;
    for (guint i = 0; i < raw->dkim.n; i++) {
        const struct entry *entry = &raw->dkim.items[i];
        if (!wanted_dkim(reader, raw, entry))
            continue;
        struct dkim_result *result = &results[record->n_dkim++];
        *result = (struct dkim_result){0};
        const struct known_name *name = auth_name(reader, "dkim.domain", entry->text[ENTRY_DOMAIN]);
        result->domain = name != NULL ? name->name : NULL;
        if (has_text(entry->text[ENTRY_SELECTOR]))
            result->selector = lower(reader, entry->text[ENTRY_SELECTOR]);
        result->result = result_word(reader, entry->text[ENTRY_RESULT], TRUE, &result->raw);
        result->human_result = entry->text[ENTRY_HUMAN];
        align_dkim(reader, record, name, from);
    }
}

static const char *scope_word(struct reader *reader, const char *text)
{
    const char *word = has_text(text) ? word_scope(text) : NULL;
    if (has_text(text) && (word == NULL || !word_is(word, text))) {
        warn(reader, CODE_SCOPE, "scope", text);
        add_raw(reader, "scope", text);
    }
    return word;
}

/* A scope that was not understood is no MAIL FROM: only a missing one is. */
static gboolean is_mail_from(const struct spf_result *result, const char *scope_text)
{
    return result->scope != NULL ? word_is(result->scope, "mfrom") : !has_text(scope_text);
}

static void align_spf(struct reader *reader, struct report_record *record, const struct known_name *name,
                      const struct known_name *from)
{
    if (record->spf_aligned || name == NULL || !names_aligned(reader->names, name, from, reader->aspf_strict))
        return;
    record->spf_aligned = TRUE;
    record->spf_aligned_domain = name->name;
}

static void build_spf(struct reader *reader, const struct raw_record *raw, const struct known_name *from,
                      struct report_record *record)
{
    if (raw->spf.n == 0)
        return;
    struct spf_result *results = arena_alloc(&reader->scratch, raw->spf.n * sizeof *results);
    for (guint i = 0; i < raw->spf.n; i++) {
        const struct entry *entry = &raw->spf.items[i];
        if (!has_text(entry->text[ENTRY_DOMAIN]) && !has_text(entry->text[ENTRY_SCOPE]) &&
            !has_text(entry->text[ENTRY_RESULT]) && !has_text(entry->text[ENTRY_HUMAN]))
            continue;
        struct spf_result *result = &results[record->n_spf++];
        *result = (struct spf_result){0};
        const struct known_name *name = auth_name(reader, "spf.domain", entry->text[ENTRY_DOMAIN]);
        result->domain = name != NULL ? name->name : NULL;
        result->scope = scope_word(reader, entry->text[ENTRY_SCOPE]);
        result->result = result_word(reader, entry->text[ENTRY_RESULT], FALSE, &result->raw);
        result->human_result = entry->text[ENTRY_HUMAN];
        if (is_pass(result->result) && is_mail_from(result, entry->text[ENTRY_SCOPE]))
            align_spf(reader, record, name, from);
    }
    record->spf = results;
}

/* What a result aligns with, as far as it is known before the record ends; or NULL. */
static const struct known_name *likely_from(struct reader *reader)
{
    const char *text = record_header_from(reader, &reader->record);
    text = text != NULL ? text : reader->head_text[HEAD_DOMAIN];
    return has_text(text) ? names_get(reader->names, text) : NULL;
}

/* A pass that can align. */
static gboolean may_align(const struct entry *entry, gboolean dkim)
{
    const char *result = entry->text[ENTRY_RESULT], *scope = entry->text[ENTRY_SCOPE];
    return has_text(entry->text[ENTRY_DOMAIN]) && has_text(result) &&
           is_pass(dkim ? word_dkim_result(result) : word_spf_result(result)) &&
           (dkim || !has_text(scope) || g_strcmp0(word_scope(scope), "mfrom") == 0);
}

/* 2 for a pass of the From domain itself, 1 for one of its organization, else 0. */
static guint nearness(struct reader *reader, const struct entry *entry, gboolean dkim,
                      const struct known_name *from)
{
    if (!may_align(entry, dkim))
        return 0;
    const struct known_name *name = names_get(reader->names, entry->text[ENTRY_DOMAIN]);
    if (!names_aligned(reader->names, name, from, FALSE))
        return 0;
    return strcmp(name->name, from->name) == 0 ? 2 : 1;
}

void record_keep_nearer(struct reader *reader, struct entries *kept, const struct entry *entry)
{
    gboolean dkim = kept == &reader->record.dkim;
    if (kept->n == 0 || !may_align(entry, dkim))
        return;
    const struct known_name *from = likely_from(reader);
    if (from == NULL)
        return;
    for (guint i = 0; !kept->looked && i < kept->n; i++)
        kept->nearest = MAX(kept->nearest, nearness(reader, &kept->items[i], dkim, from));
    kept->looked = TRUE;
    guint near = nearness(reader, entry, dkim, from);
    if (near > kept->nearest) {
        kept->items[kept->n - 1] = *entry;
        kept->nearest = near;
    }
    names_forget(reader->names);
}

/* ---- policy_evaluated ---- */

static const char *verdict(struct reader *reader, const struct raw_record *raw, enum record_text which,
                           const char *element, struct report_record *record)
{
    const char *text = raw->text[which];
    gboolean ours = which == RECORD_DKIM ? record->dkim_aligned : record->spf_aligned;
    if (text == NULL) {
        record->verdict_computed = TRUE;
        return ours ? "pass" : "fail";
    }
    const char *word = word_verdict(text);
    if (!word_is(word, text)) {
        warn(reader, CODE_PE_VAL, element, text);
        add_raw(reader, element, text);
    }
    if (is_pass(word) != ours)
        record->disagree = TRUE;
    return word;
}

static void build_verdicts(struct reader *reader, const struct raw_record *raw, struct report_record *record)
{
    record->dkim_verdict = verdict(reader, raw, RECORD_DKIM, "dkim", record);
    record->spf_verdict = verdict(reader, raw, RECORD_SPF, "spf", record);
    gboolean none = raw->text[RECORD_DKIM] == NULL && raw->text[RECORD_SPF] == NULL;
    if (none && raw->text[RECORD_DISPOSITION] == NULL)
        warn(reader, CODE_NO_PE, NULL, NULL);
    else if (record->verdict_computed)
        warn(reader, CODE_PE_PART, NULL, NULL);
    if (record->disagree)
        warn(reader, CODE_ALIGN_CONFLICT, NULL, NULL);
}

static void build_disposition(struct reader *reader, const char *text, struct report_record *record)
{
    if (text == NULL)
        return;
    record->disposition = word_disposition(text);
    if (record->disposition == NULL || !word_is(record->disposition, text)) {
        warn(reader, CODE_DISP, "disposition", text);
        add_raw(reader, "disposition", text);
    }
}

static void build_reasons(struct reader *reader, const struct raw_record *raw, struct report_record *record)
{
    if (raw->reasons.n == 0)
        return;
    struct override_reason *reasons = arena_alloc(&reader->scratch, raw->reasons.n * sizeof *reasons);
    for (guint i = 0; i < raw->reasons.n; i++) {
        const struct entry *entry = &raw->reasons.items[i];
        const char *type = entry->text[ENTRY_TYPE], *comment = entry->text[ENTRY_COMMENT];
        if (!has_text(type) && !has_text(comment)) {
            warn(reader, CODE_REASON, "empty", NULL);
            continue;
        }
        const char *word = has_text(type) ? word_reason(type) : NULL;
        gboolean standard = word != NULL && strcmp(word, type) == 0;
        if (!standard || entry->bare)
            warn(reader, CODE_REASON, "type", type);
        reasons[record->n_reasons++] = (struct override_reason){
            .type = word != NULL ? word : "other", .raw = standard ? NULL : type, .comment = comment};
    }
    record->reasons = reasons;
}

/* What was done against what the policy asks for, without a word why. */
static void judge_disposition(struct reader *reader, const struct report_record *record)
{
    const struct report_head *head = &reader->head;
    if (record->disposition == NULL || record->n_reasons > 0)
        return;
    gboolean passes = is_pass(record->dkim_verdict) || is_pass(record->spf_verdict);
    gboolean punished = word_is(record->disposition, "quarantine") || word_is(record->disposition, "reject");
    const char *policy =
        head->sp != NULL && strcmp(record->header_from, head->domain) != 0 ? head->sp : head->p;
    gboolean sampled = (head->pct >= 0 && head->pct < 100) || g_strcmp0(head->testing, "y") == 0;
    gboolean spared =
        !passes && !sampled && word_is(record->disposition, "none") && g_strcmp0(policy, "reject") == 0;
    if ((passes && punished) || spared)
        warn(reader, CODE_DISP_CONFLICT, NULL, NULL);
}

static void build_record(struct reader *reader, const struct raw_record *raw, struct report_record *record)
{
    build_address(reader, raw, record);
    const struct known_name *from = build_identifiers(reader, raw, record);
    build_dkim(reader, raw, from, record);
    build_spf(reader, raw, from, record);
    build_verdicts(reader, raw, record);
    build_disposition(reader, raw->text[RECORD_DISPOSITION], record);
    build_reasons(reader, raw, record);
    judge_disposition(reader, record);
    if (record->n_dkim + record->n_spf == 0 && reader->head.generation != GENERATION_RFC9990)
        warn(reader, CODE_AUTH_EMPTY, NULL, NULL);
    record->extensions = raw->extensions;
    if (reader->raw->len > 0) {
        g_ptr_array_add(reader->raw, NULL);
        record->raw = (raw_words)(gconstpointer)reader->raw->pdata;
    } else {
        static const char *const no_words[] = {NULL};
        record->raw = no_words;
    }
}

/* Neither an address nor a mail: the row says nothing. */
static gboolean is_null_row(const struct raw_record *raw)
{
    const char *count = raw->text[RECORD_COUNT];
    if (has_text(raw->text[RECORD_SOURCE_IP]))
        return FALSE;
    return has_text(count) ? strspn(count, "0.") == strlen(count) : !has_text(raw->text[RECORD_HEADER_FROM]);
}

gboolean record_push(struct reader *reader, const struct raw_record *raw)
{
    if (is_null_row(raw)) {
        warn(reader, CODE_NULL_ROW, NULL, NULL);
        return TRUE;
    }
    struct report_record record = {0};
    g_ptr_array_set_size(reader->raw, 0);
    record.message_count = build_count(reader, raw->text[RECORD_COUNT]);
    gboolean ok = TRUE;
    if (record.message_count >= 0) {
        build_record(reader, raw, &record);
        ok = reader->sink->record(reader->sink->self, &record, &reader->error);
        reader->records_out++;
        if (record.family != AF_UNSPEC)
            reader->addresses_out++;
    }
    arena_reset(&reader->scratch);
    reader->cut_from_of = NULL;
    names_forget(reader->names);
    return ok;
}
