#include "parser/tls.h"

#include "parser/address.h"
#include "parser/arena.h"
#include "parser/dates.h"
#include "parser/error.h"
#include "parser/json_check.h"
#include "parser/warnings.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>

#define LIST_MAX 100        /* texts of a policy-string or mx-host that are kept */
#define DAY (24 * 3600 - 1) /* what one report is about, RFC 8460 section 4.1 */

/* One document while it is read. */
struct reading {
    const struct limits *limits;
    const struct report_hints *hints;
    const struct tls_sink *sink;
    struct parse_outcome *outcome;
    struct arena arena;   /* of the head */
    struct arena details; /* of one policy or detail */
    struct warnings warnings;
    struct tls_head head;
    GHashTable *domains; /* normalised -> index into groups + 1 */
    GPtrArray *groups;   /* GPtrArray of JsonObject: the policies of each domain */
    GPtrArray *names;    /* the domains */
};

static enum parse_status refuse(struct reading *reading, const char *code, char *detail)
{
    if (!reading->outcome->code) {
        reading->outcome->code = code;
        reading->outcome->detail = detail;
    } else {
        g_free(detail);
    }
    return PARSE_REFUSED;
}

/* ---- bytes ---- */

/* UTF-16 becomes UTF-8: told by its BOM, or by the NUL beside the first character, which is ASCII. */
static void narrow(struct reading *reading, GString *text)
{
    const char *start = text->str;
    const char *from = text->len < 4                        ? NULL
                       : memcmp(start, "\xff\xfe", 2) == 0  ? "UTF-16LE"
                       : memcmp(start, "\xfe\xff", 2) == 0  ? "UTF-16BE"
                       : start[0] && !start[1] && !start[3] ? "UTF-16LE"
                       : !start[0] && start[1] && !start[2] ? "UTF-16BE"
                                                            : NULL;
    gsize n = 0;
    g_autofree char *utf8 =
        from ? g_convert(start, (gssize)(text->len & ~(gsize)1), "UTF-8", from, NULL, &n, NULL) : NULL;
    if (!utf8)
        return;
    g_string_truncate(text, 0);
    g_string_append_len(text, utf8, (gssize)n);
    warnings_add(&reading->warnings, CODE_ENCODING, NULL, NULL);
}

/* The document as UTF-8 with a NUL behind it; NULL when the reader failed (*error) or it is too large. */
static GString *read_all(struct reading *reading, struct byte_reader reader, GError **error)
{
    GString *text = g_string_new(NULL);
    char buf[16384];
    gssize got;
    while ((got = reader.read(reader.self, buf, sizeof buf, error)) > 0) {
        g_string_append_len(text, buf, got);
        if (text->len > reading->limits->json_size) {
            refuse(reading, "limit",
                   g_strdup_printf("limit json_size: more than %" G_GUINT64_FORMAT " bytes",
                                   reading->limits->json_size));
            got = -1;
            break;
        }
    }
    if (got < 0) {
        g_string_free(text, TRUE);
        return NULL;
    }
    narrow(reading, text);
    if (text->len >= 3 && memcmp(text->str, "\xef\xbb\xbf", 3) == 0)
        g_string_erase(text, 0, 3);
    if (!g_utf8_validate(text->str, (gssize)text->len, NULL) && !memchr(text->str, '\0', text->len)) {
        g_autofree char *valid = g_utf8_make_valid(text->str, (gssize)text->len);
        g_string_assign(text, valid);
        warnings_add(&reading->warnings, CODE_ENCODING, NULL, NULL);
    }
    return text;
}

/* The tree, of which the reading keeps nothing. Owned by the caller. */
static JsonParser *parse_json(struct reading *reading, const GString *text)
{
    gboolean limit = FALSE;
    gsize end = 0;
    g_autoptr(GError) broken = NULL;
    char *problem = json_check(text->str, text->len, reading->limits, &end, &limit);
    if (problem) {
        refuse(reading, limit ? "limit" : "json", problem);
        return NULL;
    }
    if (end < text->len)
        warnings_add(&reading->warnings, CODE_XML_TRAIL, NULL, NULL);
    JsonParser *parser = json_parser_new_immutable();
    if (json_parser_load_from_data(parser, text->str, (gssize)end, &broken))
        return parser;
    g_autofree char *quoted = warnings_quote(broken->message);
    refuse(reading, "json", g_strconcat("no JSON: ", quoted, NULL));
    g_object_unref(parser);
    return NULL;
}

/* ---- values ---- */

static JsonObject *object_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* A list of objects, in which there may be something else; or one object, which stands for a list of one. */
struct objects {
    JsonArray *array;
    JsonObject *one;
    guint n;
};

static JsonArray *array_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static struct objects objects_of(struct reading *reading, JsonObject *object, const char *name)
{
    struct objects objects = {.array = array_of(object, name), .one = object_of(object, name)};
    if (objects.one)
        warnings_list(&reading->warnings, CODE_TLS_LIST, name);
    objects.n = objects.array ? json_array_get_length(objects.array) : objects.one ? 1 : 0;
    return objects;
}

/* NULL for something else. */
static JsonObject *element_of(const struct objects *objects, guint i)
{
    if (objects->one)
        return objects->one;
    JsonNode *node = json_array_get_element(objects->array, i);
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* A value as trimmed text: a text, or a number. NULL for anything else and for nothing. Owned by the caller.
 */
static char *text_of_node(JsonNode *node)
{
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return NULL;
    if (json_node_get_value_type(node) == G_TYPE_INT64)
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    if (json_node_get_value_type(node) != G_TYPE_STRING)
        return NULL;
    char *text = g_utf8_make_valid(json_node_get_string(node), -1);
    g_strstrip(text);
    if (!*text)
        g_clear_pointer(&text, g_free);
    return text;
}

static char *text_of(JsonObject *object, const char *name)
{
    return text_of_node(object ? json_object_get_member(object, name) : NULL);
}

/* Cut to limits->prose_length. */
static const char *keep_prose(struct reading *reading, struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    gsize n = strlen(text);
    if (n > reading->limits->prose_length) {
        for (n = reading->limits->prose_length; n > 0 && ((guchar)text[n] & 0xc0) == 0x80; n--)
            ;
        warnings_add(&reading->warnings, CODE_TEXT_CUT, NULL, NULL);
    }
    return arena_text(arena, text, n);
}

static const char *prose_of(struct reading *reading, JsonObject *object, const char *name)
{
    g_autofree char *text = text_of(object, name);
    return keep_prose(reading, &reading->details, text);
}

/* A name of the report: longer than limits->text_length refuses it. */
static const char *name_of(struct reading *reading, JsonObject *object, const char *name)
{
    g_autofree char *text = text_of(object, name);
    if (text && strlen(text) > reading->limits->text_length)
        refuse(reading, "limit",
               g_strdup_printf("limit text_length: %s has more than %u bytes", name,
                               reading->limits->text_length));
    return text ? arena_text(&reading->arena, text, strlen(text)) : NULL;
}

/* A list of texts, or one text. */
static raw_words list_of(struct reading *reading, JsonObject *object, const char *name, const char *strip)
{
    JsonArray *array = object ? array_of(object, name) : NULL;
    guint n = array ? json_array_get_length(array) : 1, kept = 0;
    const char **list = arena_alloc(&reading->details, (MIN(n, LIST_MAX) + 1) * sizeof *list);
    for (guint i = 0; i < n && kept < LIST_MAX; i++) {
        g_autofree char *text =
            array ? text_of_node(json_array_get_element(array, i)) : text_of(object, name);
        if (!text)
            continue;
        const char *from = text;
        if (strip && g_ascii_strncasecmp(from, strip, strlen(strip)) == 0)
            from += strlen(strip) + strspn(from + strlen(strip), " ");
        list[kept++] = keep_prose(reading, &reading->details, from);
    }
    list[kept] = NULL;
    return list;
}

/* A number of sessions, or -1. The largest number is none: json-glib 1.10.8 takes it for all that are larger.
 */
static gint64 count_of(struct reading *reading, JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    g_autofree char *text = text_of_node(node);
    guint64 number = 0;
    if (text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64 - 1, &number, NULL))
        return (gint64)number;
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_DOUBLE) {
        gdouble value = json_node_get_double(node);
        if (value >= 0 && value < 9e15 && value == (gdouble)(gint64)value)
            return (gint64)value;
    }
    warnings_list(&reading->warnings, CODE_TLS_COUNT, name);
    return -1;
}

/* In lower case; "" when there is none. Unknown words are kept. */
static const char *word_of(struct reading *reading, JsonObject *object, const char *name,
                           const char *const *known)
{
    g_autofree char *text = text_of(object, name);
    g_autofree char *lower = g_ascii_strdown(text ? text : "", -1);
    if (!g_strv_contains(known, lower))
        warnings_add(&reading->warnings, CODE_TLS_WORD, name, lower);
    return keep_prose(reading, &reading->details, lower);
}

static struct tls_address address_of(struct reading *reading, JsonObject *object, const char *name)
{
    struct tls_address address = {.family = AF_UNSPEC};
    g_autofree char *text = text_of(object, name);
    enum ip_form form;
    if (!text)
        return address;
    address.family = address_parse_ip(text, address.ip, &form);
    if (address.family == AF_UNSPEC) {
        address.raw = keep_prose(reading, &reading->details, text);
        warnings_add(&reading->warnings, form == IP_MASKED ? CODE_IP_MASKED : CODE_NO_IP, name, text);
    } else if (form != IP_PLAIN) {
        warnings_add(&reading->warnings, CODE_IP_FORM, name, text);
    }
    return address;
}

/* ---- the head ---- */

/* RFC 3339; without a zone it is UTC. */
static gboolean date_of(struct reading *reading, JsonObject *range, const char *name, gint64 *seconds_r)
{
    g_autofree char *text = text_of(range, name);
    if (!text || strlen(text) > 60)
        return FALSE;
    enum date_form form = date_parse(text, seconds_r);
    if (form == DATE_NO_ZONE)
        warnings_add(&reading->warnings, CODE_DATE_ZONE, name, text);
    return form != DATE_NONE;
}

static gboolean read_period(struct reading *reading, JsonObject *root)
{
    struct tls_head *head = &reading->head;
    JsonObject *range = object_of(root, "date-range");
    gboolean begin = date_of(reading, range, "start-datetime", &head->begin);
    gboolean end = date_of(reading, range, "end-datetime", &head->end);
    if (!begin && !end) {
        const char *file = reading->hints->file_name;
        g_autofree char *receiver = NULL, *domain = NULL;
        if (!file || !address_report_file_name(file, &receiver, &domain, &head->begin, &head->end)) {
            refuse(reading, "no_period", g_strdup("no start-datetime and no end-datetime"));
            return FALSE;
        }
        warnings_list(&reading->warnings, CODE_FROM_FILENAME, "date-range");
    } else if (!begin) {
        head->begin = MAX(head->end - DAY, 0);
        warnings_list(&reading->warnings, CODE_DATE, "start-datetime");
    } else if (!end) {
        head->end = head->begin + DAY;
        warnings_list(&reading->warnings, CODE_DATE, "end-datetime");
    }
    if (head->end < head->begin) {
        gint64 swap = head->begin;
        head->begin = head->end;
        head->end = swap;
        warnings_add(&reading->warnings, CODE_DATE_SWAP, NULL, NULL);
    }
    return TRUE;
}

static void read_reporter(struct reading *reading)
{
    struct tls_head *head = &reading->head;
    gboolean plain = FALSE;
    g_autofree char *domain = head->contact ? address_mail_domain(head->contact, &plain) : NULL;
    if (!domain || !plain)
        warnings_add(&reading->warnings, CODE_EMAIL, NULL, NULL);
    if (!head->organization)
        warnings_add(&reading->warnings, CODE_ORG, NULL, NULL);
    if (!domain)
        domain = g_utf8_strdown(head->organization ? head->organization : "", -1);
    head->reporter = arena_text(&reading->arena, domain, strlen(domain));
}

static gboolean read_head(struct reading *reading, JsonObject *root, const GString *text)
{
    struct tls_head *head = &reading->head;
    head->organization = name_of(reading, root, "organization-name");
    head->contact = name_of(reading, root, "contact-info");
    head->report_id = name_of(reading, root, "report-id");
    if (reading->outcome->code || !read_period(reading, root))
        return FALSE;
    read_reporter(reading);
    if (!head->report_id) {
        g_autofree char *made =
            g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text->str, text->len);
        head->report_id = arena_text(&reading->arena, made, 32);
        warnings_add(&reading->warnings, CODE_NO_ID, NULL, NULL);
    }
    return TRUE;
}

/* ---- the policies ---- */

/* The list of policies of a domain, which is made when it is new. */
static GPtrArray *group_of(struct reading *reading, const char *domain)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(reading->domains, domain));
    if (!at) {
        g_ptr_array_add(reading->groups, g_ptr_array_new());
        g_ptr_array_add(reading->names, g_strdup(domain));
        at = reading->groups->len;
        g_hash_table_insert(reading->domains, reading->names->pdata[at - 1], GUINT_TO_POINTER(at));
    }
    return reading->groups->pdata[at - 1];
}

static char *policy_domain(JsonObject *policy)
{
    g_autofree char *text = text_of(policy ? object_of(policy, "policy") : NULL, "policy-domain");
    gboolean ok = FALSE;
    char *domain = text ? domain_normalise(text, &ok) : NULL;
    if (!ok || !*domain)
        g_clear_pointer(&domain, g_free);
    return domain;
}

/* For policies that name no domain: the first one named, else the one of the mail's header, else that of the
 * file name. */
static char *fallback_domain(struct reading *reading, const struct objects *policies)
{
    char *domain = NULL;
    for (guint i = 0; !domain && i < policies->n; i++)
        domain = policy_domain(element_of(policies, i));
    if (domain)
        return domain;
    if (reading->hints->tls_domain && *reading->hints->tls_domain) {
        warnings_add(&reading->warnings, CODE_NO_DOMAIN, "taken from TLS-Report-Domain", NULL);
        return g_strdup(reading->hints->tls_domain);
    }
    g_autofree char *receiver = NULL;
    gint64 begin, end;
    const char *file = reading->hints->file_name;
    if (file && address_report_file_name(file, &receiver, &domain, &begin, &end))
        warnings_list(&reading->warnings, CODE_FROM_FILENAME, "policy-domain");
    return domain;
}

static gboolean group_policies(struct reading *reading, JsonObject *root)
{
    struct objects policies = objects_of(reading, root, "policies");
    g_autofree char *fallback = fallback_domain(reading, &policies);
    if (!fallback) {
        refuse(reading, "no_domain", g_strdup("no policy-domain"));
        return FALSE;
    }
    if (!policies.n) {
        warnings_add(&reading->warnings, CODE_NO_POLICIES, NULL, NULL);
        group_of(reading, fallback);
    }
    for (guint i = 0; i < policies.n; i++) {
        JsonObject *policy = element_of(&policies, i);
        g_autofree char *domain = policy_domain(policy);
        if (!policy)
            continue;
        if (!domain)
            warnings_add(&reading->warnings, CODE_NO_DOMAIN, NULL, NULL);
        g_ptr_array_add(group_of(reading, domain ? domain : fallback), policy);
    }
    if (!reading->groups->len)
        refuse(reading, "json", g_strdup("policies holds no object"));
    return reading->groups->len > 0;
}

/* RFC 8460 section 4.3 and 4.4. */
static const char *const policy_types[] = {"tlsa", "sts", "no-policy-found", NULL};
static const char *const result_types[] = {"starttls-not-supported", "certificate-host-mismatch",
                                           "certificate-expired",    "certificate-not-trusted",
                                           "validation-failure",     "tlsa-invalid",
                                           "dnssec-invalid",         "dane-required",
                                           "sts-policy-fetch-error", "sts-policy-invalid",
                                           "sts-webpki-invalid",     NULL};

static gboolean push_failure(struct reading *reading, JsonObject *detail, guint64 *sum, GError **error)
{
    arena_reset(&reading->details);
    const struct tls_failure failure = {.result_type = word_of(reading, detail, "result-type", result_types),
                                        .sending = address_of(reading, detail, "sending-mta-ip"),
                                        .receiving = address_of(reading, detail, "receiving-ip"),
                                        .mx_hostname = prose_of(reading, detail, "receiving-mx-hostname"),
                                        .mx_helo = prose_of(reading, detail, "receiving-mx-helo"),
                                        .information = prose_of(reading, detail, "additional-information"),
                                        .reason_code = prose_of(reading, detail, "failure-reason-code"),
                                        .sessions = count_of(reading, detail, "failed-session-count")};
    if (failure.sessions > 0)
        *sum = *sum > G_MAXINT64 ? *sum : *sum + (guint64)failure.sessions;
    return reading->sink->failure(reading->sink->self, &failure, error);
}

static gboolean push_policy(struct reading *reading, JsonObject *object, GError **error)
{
    JsonObject *named = object_of(object, "policy"), *summary = object_of(object, "summary");
    struct objects details = objects_of(reading, object, "failure-details");
    guint64 sum = 0;
    arena_reset(&reading->details);
    const struct tls_policy policy = {.type = word_of(reading, named, "policy-type", policy_types),
                                      .strings = list_of(reading, named, "policy-string", NULL),
                                      .mx_hosts = list_of(reading, named, "mx-host", "mx:"),
                                      .successes =
                                          count_of(reading, summary, "total-successful-session-count"),
                                      .failures = count_of(reading, summary, "total-failure-session-count")};
    gint64 failures = policy.failures;
    if (!reading->sink->policy(reading->sink->self, &policy, error))
        return FALSE;
    for (guint i = 0; i < details.n; i++) {
        JsonObject *detail = element_of(&details, i);
        if (detail && !push_failure(reading, detail, &sum, error))
            return FALSE;
    }
    if (details.n && failures >= 0 && sum != (guint64)failures)
        warnings_add(&reading->warnings, CODE_TLS_SUM, NULL, NULL);
    return TRUE;
}

static enum parse_status push(struct reading *reading, GError **error)
{
    const struct tls_sink *sink = reading->sink;
    for (guint g = 0; g < reading->groups->len; g++) {
        const GPtrArray *policies = reading->groups->pdata[g];
        struct report_warning rows[CODE_LAST];
        reading->head.domain = reading->names->pdata[g];
        if (!sink->begin(sink->self, &reading->head, error))
            return PARSE_FAILED;
        for (guint i = 0; i < policies->len; i++) {
            if (!push_policy(reading, policies->pdata[i], error))
                return PARSE_FAILED;
        }
        guint n = warnings_rows(&reading->warnings, rows);
        if (!sink->end(sink->self, n, rows, error))
            return PARSE_FAILED;
        reading->outcome->reports++;
    }
    return PARSE_OK;
}

static enum parse_status read_tree(struct reading *reading, const GString *text, GError **error)
{
    g_autoptr(JsonParser) parser = parse_json(reading, text);
    JsonNode *node = parser ? json_parser_get_root(parser) : NULL;
    JsonObject *root = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    if (!parser)
        return PARSE_REFUSED;
    if (!root || !(json_object_has_member(root, "policies") || json_object_has_member(root, "report-id") ||
                   json_object_has_member(root, "organization-name")))
        return refuse(reading, "json", g_strdup("no TLS report"));
    if (!read_head(reading, root, text) || !group_policies(reading, root))
        return PARSE_REFUSED;
    return push(reading, error);
}

enum parse_status tls_parse(struct byte_reader reader, const struct limits *limits,
                            const struct report_hints *hints, const struct tls_sink *sink,
                            struct parse_outcome *outcome_r, GError **error)
{
    *outcome_r = (struct parse_outcome){0};
    struct reading reading = {.limits = limits, .hints = hints, .sink = sink, .outcome = outcome_r};
    reading.names = g_ptr_array_new_with_free_func(g_free);
    reading.groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    reading.domains = g_hash_table_new(g_str_hash, g_str_equal);
    enum parse_status status;
    GString *text = read_all(&reading, reader, error);
    if (text)
        status = read_tree(&reading, text, error);
    else
        status = outcome_r->code ? PARSE_REFUSED : PARSE_FAILED;
    if (text)
        g_string_free(text, TRUE);
    g_hash_table_unref(reading.domains);
    g_ptr_array_unref(reading.groups);
    g_ptr_array_unref(reading.names);
    warnings_reset(&reading.warnings);
    arena_clear(&reading.arena);
    arena_clear(&reading.details);
    return status;
}
