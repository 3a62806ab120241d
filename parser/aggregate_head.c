/* report_metadata and policy_published: from texts to struct report_head. */
#include "parser/aggregate_int.h"

#include "parser/address.h"
#include "parser/dates.h"
#include "parser/words.h"

#include <string.h>

/* Zones lie at most so far from UTC; a period of more than LONG is odd. */
enum { DAY = 86400, ZONE_MOST = 14 * 3600, LONG = 8 * DAY };

/* What the file name tells; asked for at most once a report, and only when something is missing. */
struct file_name {
    gboolean asked, known;
    char *receiver, *domain;
    gint64 begin, end;
};

static gboolean file_name_ask(struct reader *reader, struct file_name *file)
{
    if (!file->asked && reader->hints->file_name != NULL)
        file->known = address_report_file_name(reader->hints->file_name, &file->receiver, &file->domain,
                                               &file->begin, &file->end);
    file->asked = TRUE;
    return file->known;
}

static void file_name_clear(struct file_name *file)
{
    g_free(file->receiver);
    g_free(file->domain);
}

static gboolean has_text(const char *text)
{
    return text != NULL && *text != '\0';
}

static char *keep(struct reader *reader, const char *text)
{
    return arena_text(&reader->head_arena, text, strlen(text));
}

static void warn(struct reader *reader, enum code code, const char *what, const char *foreign)
{
    warnings_add(&reader->warnings, code, what, foreign);
}

static void add_raw(struct reader *reader, const char *element, const char *raw)
{
    g_ptr_array_add(reader->head_raw, (gpointer)(guintptr)reader_raw_word(&reader->head_arena, element, raw));
}

/* ---- who ---- */

static void build_reporter(struct reader *reader, struct file_name *file)
{
    struct report_head *head = &reader->head;
    const char *email = reader->head_text[HEAD_EMAIL], *org = reader->head_text[HEAD_ORG_NAME];
    gboolean plain = FALSE;
    g_autofree char *domain = email != NULL ? address_mail_domain(email, &plain) : NULL;
    if (!plain || domain == NULL)
        warn(reader, CODE_EMAIL, has_text(email) ? "email" : "no email", has_text(email) ? email : NULL);
    head->email = email;
    head->org_name = org;
    if (!has_text(org)) {
        const char *substitute = domain != NULL ? domain : reader->hints->from_domain;
        if (substitute == NULL && file_name_ask(reader, file)) {
            substitute = file->receiver;
            warn(reader, CODE_FROM_FILENAME, "org_name", NULL);
        }
        if (substitute != NULL)
            head->org_name = keep(reader, substitute);
        warn(reader, CODE_ORG, NULL, NULL);
    }
    g_autofree char *lower = g_ascii_strdown(domain != NULL           ? domain
                                             : head->org_name != NULL ? head->org_name
                                                                      : "",
                                             -1);
    head->reporter = keep(reader, lower);
}

static void build_id(struct reader *reader)
{
    const char *id = reader->head_text[HEAD_REPORT_ID];
    gsize length = id != NULL ? strlen(id) : 0;
    if (length >= 2 && id[0] == '<' && id[length - 1] == '>') {
        g_autofree char *bare = g_strstrip(g_strndup(id + 1, length - 2));
        id = keep(reader, bare);
    }
    if (!has_text(id)) {
        id = keep(reader, g_checksum_get_string(reader->id));
        warn(reader, CODE_NO_ID, NULL, NULL);
    }
    reader->head.report_id = id;
}

/* ---- when ---- */

/* Whether the file name has the number of what the text says without its zone, or without all of its digits.
 */
static gboolean is_named(struct reader *reader, struct file_name *file, enum head_text which, gint64 seconds)
{
    return file_name_ask(reader, file) &&
           ABS((which == HEAD_BEGIN ? file->begin : file->end) - seconds) <= ZONE_MOST;
}

/* One end of the period. FALSE when the text holds none; and when it does not say all, while the file name
 * does. */
static gboolean read_date(struct reader *reader, enum head_text which, const char *element,
                          struct file_name *file, gint64 *seconds_r)
{
    const char *text = reader->head_text[which];
    *seconds_r = 0;
    if (text == NULL)
        return FALSE;
    enum date_form form = date_parse(text, seconds_r);
    gboolean vague = form == DATE_NO_ZONE || form == DATE_ROUNDED;
    gboolean known = form != DATE_NONE && !(vague && is_named(reader, file, which, *seconds_r));
    if (form == DATE_FRACTION || form == DATE_ROUNDED || !known)
        warn(reader, CODE_DATE, element, text);
    else if (form == DATE_OTHER)
        warn(reader, CODE_DATE_MS, element, text);
    else if (form == DATE_NO_ZONE)
        warn(reader, CODE_DATE_ZONE, element, text);
    if (form != DATE_PLAIN)
        add_raw(reader, element, text);
    return known;
}

/* The period where the report itself does not tell both of its ends. */
static gboolean period_from_elsewhere(struct reader *reader, struct file_name *file, gboolean has_begin,
                                      gboolean has_end)
{
    struct report_head *head = &reader->head;
    gboolean zero = has_begin && has_end; /* both ends are 0: better than nothing, worse than a hint */
    if (file_name_ask(reader, file)) {
        head->begin = has_begin && !zero ? head->begin : file->begin;
        head->end = has_end && !zero ? head->end : file->end;
        warn(reader, CODE_FROM_FILENAME, "date_range", NULL);
    } else if (has_begin != has_end) {
        head->begin = head->end = has_begin ? head->begin : head->end;
        warn(reader, CODE_DATE, "one end of date_range is missing", NULL);
    } else if (reader->hints->date > 0) {
        head->begin = reader->hints->date - reader->hints->date % DAY;
        head->end = head->begin + DAY - 1;
        warn(reader, CODE_DATE, "date_range is taken from the date of the mail", NULL);
    } else if (zero) {
        warn(reader, CODE_DATE, "date_range is 0", NULL);
    } else {
        report_refuse(reader, CODE_NO_PERIOD,
                      "date_range is missing or unreadable, and the file name has none");
        return FALSE;
    }
    return TRUE;
}

static void judge_period(struct reader *reader)
{
    struct report_head *head = &reader->head;
    gint64 now = reader->hints->now;
    if (head->begin > head->end) {
        gint64 begin = head->end;
        head->end = head->begin;
        head->begin = begin;
        warn(reader, CODE_DATE_SWAP, NULL, NULL);
    }
    if (head->begin == head->end)
        warn(reader, CODE_DATE_ZERO, NULL, NULL);
    if (head->end - head->begin > LONG)
        warn(reader, CODE_DATE_LONG, NULL, NULL);
    if (now > 0 && (head->begin > now + DAY || head->begin < now - 2 * 366 * (gint64)DAY))
        warn(reader, CODE_DATE_ODD, NULL, NULL);
}

static gboolean build_period(struct reader *reader, struct file_name *file)
{
    struct report_head *head = &reader->head;
    gboolean has_begin = read_date(reader, HEAD_BEGIN, "begin", file, &head->begin);
    gboolean has_end = read_date(reader, HEAD_END, "end", file, &head->end);
    /* One end at 0, and the other years away: the former was not told. */
    if (has_begin && has_end && MIN(head->begin, head->end) == 0 && MAX(head->begin, head->end) > LONG) {
        gboolean *untold = head->begin == 0 ? &has_begin : &has_end;
        warn(reader, CODE_DATE, untold == &has_begin ? "begin is 0" : "end is 0", NULL);
        *untold = FALSE;
    }
    gboolean told = has_begin && has_end && head->begin + head->end > 0;
    if (!told && !period_from_elsewhere(reader, file, has_begin, has_end))
        return FALSE;
    judge_period(reader);
    return TRUE;
}

/* ---- which domain, which policy ---- */

gboolean head_names_domain(struct reader *reader)
{
    const char *text = reader->head_text[HEAD_DOMAIN];
    const struct known_name *name = has_text(text) ? names_get(reader->names, text) : NULL;
    return name != NULL && name->ok && *name->name != '\0';
}

static const char *domain_as_published(struct reader *reader)
{
    const char *text = reader->head_text[HEAD_DOMAIN];
    if (!has_text(text))
        return NULL;
    const struct known_name *name = names_get(reader->names, text);
    if (!name->ok || name->address)
        warn(reader, CODE_DOMAIN_FORM, "domain", text);
    if (!name->ok || name->address)
        add_raw(reader, "domain", text);
    return head_names_domain(reader) ? keep(reader, name->name) : NULL;
}

static gboolean build_domain(struct reader *reader, struct file_name *file, const struct raw_record *first)
{
    reader->head.domain = domain_as_published(reader);
    if (reader->head.domain != NULL)
        return TRUE;
    const char *from = first != NULL ? record_header_from(reader, first) : NULL;
    const struct known_name *name = from != NULL ? names_get(reader->names, from) : NULL;
    if (name != NULL && name->ok) {
        reader->head.domain = keep(reader, names_organizational(reader->names, name));
        warn(reader, CODE_NO_DOMAIN, "taken from header_from", NULL);
    } else if (file_name_ask(reader, file)) {
        reader->head.domain = keep(reader, file->domain);
        warn(reader, CODE_NO_DOMAIN, "taken from the file name", NULL);
        warn(reader, CODE_FROM_FILENAME, "domain", NULL);
    } else {
        report_refuse(reader, CODE_NO_DOMAIN,
                      "the policy domain is missing or no domain name, and nothing tells it");
        return FALSE;
    }
    return TRUE;
}

/* A word of the policy; NULL and a warning for anything else. */
static const char *policy_word(struct reader *reader, enum head_text which, const char *element,
                               const char *(*find)(const char *))
{
    const char *text = reader->head_text[which];
    if (text == NULL)
        return NULL;
    const char *word = find(text);
    if (word == NULL || strcmp(word, text) != 0) {
        warn(reader, CODE_POLICY_VAL, element, text);
        add_raw(reader, element, text);
    }
    return word;
}

static int build_pct(struct reader *reader)
{
    const char *text = reader->head_text[HEAD_PCT];
    if (text == NULL)
        return -1;
    gsize digits = strspn(text, "0123456789");
    gboolean plain = digits > 0 && digits <= 3 && text[digits] == '\0';
    gint64 value = plain ? g_ascii_strtoll(text, NULL, 10) : -1;
    if (value >= 0 && value <= 100)
        return (int)value;
    warn(reader, CODE_POLICY_VAL, "pct", text);
    add_raw(reader, "pct", text);
    return -1;
}

static void build_policy(struct reader *reader)
{
    struct report_head *head = &reader->head;
    head->p = policy_word(reader, HEAD_P, "p", word_policy);
    head->sp = policy_word(reader, HEAD_SP, "sp", word_policy);
    head->np = policy_word(reader, HEAD_NP, "np", word_policy);
    head->adkim = policy_word(reader, HEAD_ADKIM, "adkim", word_alignment);
    head->aspf = policy_word(reader, HEAD_ASPF, "aspf", word_alignment);
    head->testing = policy_word(reader, HEAD_TESTING, "testing", word_yes_no);
    head->discovery_method = policy_word(reader, HEAD_DISCOVERY, "discovery_method", word_discovery);
    head->fo = reader->head_text[HEAD_FO];
    head->pct = build_pct(reader);
    if (!has_text(reader->head_text[HEAD_P]))
        warn(reader, CODE_NO_P, NULL, NULL);
    reader->adkim_strict = g_strcmp0(head->adkim, "s") == 0;
    reader->aspf_strict = g_strcmp0(head->aspf, "s") == 0;
}

/* RFC 9990 or RFC 7489, by the strongest evidence first; np proves nothing. */
static enum report_generation generation(const struct reader *reader, const char *uri)
{
    if (g_strcmp0(uri, "urn:ietf:params:xml:ns:dmarc-2.0") == 0)
        return GENERATION_RFC9990;
    if (reader->head_text[HEAD_GENERATOR] != NULL || reader->head_text[HEAD_TESTING] != NULL ||
        reader->head_text[HEAD_DISCOVERY] != NULL || reader->extension_element)
        return GENERATION_RFC9990;
    if (reader->head_text[HEAD_PCT] != NULL || g_strcmp0(uri, "http://dmarc.org/dmarc-xml/0.1") == 0)
        return GENERATION_RFC7489;
    return GENERATION_UNKNOWN;
}

gboolean head_build(struct reader *reader, const struct raw_record *first)
{
    struct file_name file = {0};
    struct report_head *head = &reader->head;
    *head = (struct report_head){0};
    g_ptr_array_set_size(reader->head_raw, 0);
    gboolean ok = build_period(reader, &file) && build_domain(reader, &file, first);
    if (ok) {
        build_reporter(reader, &file);
        build_id(reader);
        build_policy(reader);
        char *uri = reader->namespace_uri != NULL ? g_strstrip(keep(reader, reader->namespace_uri)) : NULL;
        head->generation = generation(reader, uri);
        if (uri != NULL && strlen(uri) <= reader->limits->text_length)
            head->namespace_uri = uri;
        head->version = reader->head_text[HEAD_VERSION];
        head->generator = reader->head_text[HEAD_GENERATOR];
        head->extra_contact_info = reader->head_text[HEAD_CONTACT];
        head->error = reader->head_text[HEAD_ERROR];
        head->extensions = reader->head_extensions->len > 0 ? reader->head_extensions->str : NULL;
        g_ptr_array_add(reader->head_raw, NULL);
        head->raw = (raw_words)(gconstpointer)reader->head_raw->pdata;
    }
    file_name_clear(&file);
    return ok;
}
