#include "db/digest.h"

#include "parser/sha256.h"

#include <string.h>
#include <sys/socket.h>

struct digest {
    struct sha256 *content, *other;
    GByteArray *scratch;
    char *domain;
};

struct digest *digest_new(void)
{
    struct digest *digest = g_new0(struct digest, 1);
    digest->content = sha256_new();
    digest->other = sha256_new();
    digest->scratch = g_byte_array_new();
    return digest;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    sha256_free(digest->content);
    sha256_free(digest->other);
    g_byte_array_unref(digest->scratch);
    g_free(digest->domain);
    g_free(digest);
}

static void number(GByteArray *out, guint64 value)
{
    guint8 bytes[10];
    guint n = 0;
    do {
        bytes[n] = (guint8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (bytes[n++] & 0x80);
    g_byte_array_append(out, bytes, n);
}

static void text(GByteArray *out, const char *value)
{
    gsize n = value ? strlen(value) : 0;
    number(out, value ? n + 1 : 0);
    if (n)
        g_byte_array_append(out, (const guint8 *)value, (guint)n);
}

static void words(GByteArray *out, raw_words list)
{
    guint n = list ? g_strv_length((char **)list) : 0;
    number(out, n);
    for (guint i = 0; i < n; i++)
        text(out, list[i]);
}

/* Ends the sum and makes it ready for the next. */
static void take(struct sha256 *sum, guint8 *hash)
{
    guint8 whole[SHA256_BYTES];
    sha256_take(sum, whole);
    memcpy(hash, whole, DIGEST_BYTES);
}

static void put_head(GByteArray *out, const struct report_head *head)
{
    const char *const texts[] = {head->namespace_uri,
                                 head->version,
                                 head->generator,
                                 head->org_name,
                                 head->email,
                                 head->extra_contact_info,
                                 head->error,
                                 head->p,
                                 head->sp,
                                 head->np,
                                 head->adkim,
                                 head->aspf,
                                 head->testing,
                                 head->discovery_method,
                                 head->fo,
                                 head->extensions};
    number(out, head->generation);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        text(out, texts[i]);
    number(out, (guint64)(head->pct + 1));
    words(out, head->raw);
}

void digest_begin(struct digest *digest, const struct report_head *head, guint8 *identity)
{
    GByteArray *out = digest->scratch;
    g_byte_array_set_size(out, 0);
    text(out, head->reporter);
    text(out, head->report_id);
    text(out, head->domain);
    number(out, (guint64)head->begin);
    number(out, (guint64)head->end);
    sha256_add(digest->other, out->data, out->len);
    take(digest->other, identity);
    put_head(out, head);
    sha256_reset(digest->content);
    sha256_add(digest->content, out->data, out->len);
    g_free(digest->domain);
    digest->domain = g_strdup(head->domain);
}

/* What the reporter said of the mails, without address and count. */
static void put_said(GByteArray *out, const struct report_record *record)
{
    text(out, record->header_from);
    text(out, record->envelope_from);
    text(out, record->envelope_to);
    text(out, record->disposition);
    text(out, record->verdict_computed ? NULL : record->dkim_verdict);
    text(out, record->verdict_computed ? NULL : record->spf_verdict);
    number(out, record->n_dkim);
    for (guint i = 0; i < record->n_dkim; i++) {
        const struct dkim_result *dkim = &record->dkim[i];
        text(out, dkim->domain);
        text(out, dkim->selector);
        text(out, dkim->result);
        text(out, dkim->raw);
        text(out, dkim->human_result);
    }
    number(out, record->n_spf);
    for (guint i = 0; i < record->n_spf; i++) {
        const struct spf_result *spf = &record->spf[i];
        text(out, spf->domain);
        text(out, spf->scope);
        text(out, spf->result);
        text(out, spf->raw);
        text(out, spf->human_result);
    }
    number(out, record->n_reasons);
    for (guint i = 0; i < record->n_reasons; i++) {
        const struct override_reason *reason = &record->reasons[i];
        text(out, reason->type);
        text(out, reason->raw);
        text(out, reason->comment);
    }
    text(out, record->extensions);
    words(out, record->raw);
}

/* What we made of it. */
static void put_ours(GByteArray *out, const struct report_record *record)
{
    number(out, (record->verdict_computed ? 1u : 0u) | (record->dkim_aligned ? 2u : 0u) |
                    (record->spf_aligned ? 4u : 0u) | (record->disagree ? 8u : 0u));
    text(out, record->dkim_verdict);
    text(out, record->spf_verdict);
    text(out, record->dkim_aligned_domain);
    text(out, record->dkim_aligned_selector);
    text(out, record->spf_aligned_domain);
}

void digest_record(struct digest *digest, const struct report_record *record, guint8 *evidence)
{
    GByteArray *out = digest->scratch;
    guint address = record->family == AF_INET ? 4 : record->family == AF_INET6 ? 16 : 0;
    g_byte_array_set_size(out, 0);
    number(out, address);
    g_byte_array_append(out, record->source_ip, address);
    text(out, record->source_raw);
    number(out, (guint64)record->message_count);
    guint said = out->len;
    put_said(out, record);
    sha256_add(digest->content, out->data, out->len);
    put_ours(out, record);
    text(out, digest->domain);
    sha256_add(digest->other, out->data + said, out->len - said);
    take(digest->other, evidence);
}

void digest_end(struct digest *digest, guint8 *content)
{
    take(digest->content, content);
}

static void address(GByteArray *out, int family, const guint8 *bytes, const char *raw)
{
    guint n = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
    number(out, n);
    g_byte_array_append(out, bytes, n);
    text(out, raw);
}

/* What stands in front keeps the hashes of the kinds apart. */
void digest_failure(struct digest *digest, const struct failure_report *report, guint8 *identity,
                    guint8 *content)
{
    GByteArray *out = digest->scratch;
    const char *const texts[] = {report->reporting_mta,   report->user_agent,    report->alignment_failed,
                                 report->delivery_result, report->mail_from,     report->rcpt_domain,
                                 report->header_from,     report->from,          report->subject,
                                 report->dkim_domain,     report->dkim_selector, report->recipient};
    g_byte_array_set_size(out, 0);
    text(out, "failure");
    text(out, report->reporter);
    text(out, report->domain);
    number(out, (guint64)report->arrived);
    address(out, report->family, report->source_ip, report->source_raw);
    text(out, report->message_id);
    text(out, report->envelope_id);
    text(out, report->carrier);
    sha256_add(digest->other, out->data, out->len);
    take(digest->other, identity);
    number(out, report->incidents);
    words(out, report->auth_failures);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        text(out, texts[i]);
    number(out, report->n_signatures);
    for (guint i = 0; i < report->n_signatures; i++) {
        text(out, report->signature_domains[i]);
        text(out, report->signature_selectors[i]);
    }
    words(out, report->results);
    words(out, report->raw);
    sha256_reset(digest->content);
    sha256_add(digest->content, out->data, out->len);
    take(digest->content, content);
}

void digest_tls_begin(struct digest *digest, const struct tls_head *head, guint8 *identity)
{
    GByteArray *out = digest->scratch;
    g_byte_array_set_size(out, 0);
    text(out, "tls");
    text(out, head->reporter);
    text(out, head->report_id);
    text(out, head->domain);
    number(out, (guint64)head->begin);
    number(out, (guint64)head->end);
    sha256_add(digest->other, out->data, out->len);
    take(digest->other, identity);
    text(out, head->organization);
    text(out, head->contact);
    sha256_reset(digest->content);
    sha256_add(digest->content, out->data, out->len);
}

void digest_tls_policy(struct digest *digest, const struct tls_policy *policy)
{
    GByteArray *out = digest->scratch;
    g_byte_array_set_size(out, 0);
    number(out, 1);
    text(out, policy->type);
    words(out, policy->strings);
    words(out, policy->mx_hosts);
    number(out, (guint64)policy->successes + 1);
    number(out, (guint64)policy->failures + 1);
    sha256_add(digest->content, out->data, out->len);
}

void digest_tls_failure(struct digest *digest, const struct tls_failure *failure)
{
    GByteArray *out = digest->scratch;
    g_byte_array_set_size(out, 0);
    number(out, 2);
    text(out, failure->result_type);
    address(out, failure->sending.family, failure->sending.ip, failure->sending.raw);
    address(out, failure->receiving.family, failure->receiving.ip, failure->receiving.raw);
    text(out, failure->mx_hostname);
    text(out, failure->mx_helo);
    text(out, failure->information);
    text(out, failure->reason_code);
    number(out, (guint64)failure->sessions + 1);
    sha256_add(digest->content, out->data, out->len);
}

guint digest_hash(gconstpointer key)
{
    guint32 start; /* as good as random */
    memcpy(&start, key, sizeof start);
    return start;
}

gboolean digest_equal(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, DIGEST_BYTES);
}

gboolean digest_equal_pair(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, (gsize)2 * DIGEST_BYTES);
}

gboolean digest_equal_in_mail(gconstpointer a, gconstpointer b)
{
    const struct report_key *x = a, *y = b;
    return x->mail == y->mail && digest_equal(x, y);
}

/* Open addressing; the hash is its own hash. A slot of zeros is empty, which a SHA-256 never is. */
#define SET_MOST 262144u
#define SET_FIRST 256u

struct digest_set {
    guint8 (*slots)[DIGEST_BYTES];
    guint used, size; /* size is a power of two, at least twice as large as used */
};

struct digest_set *digest_set_new(void)
{
    struct digest_set *set = g_new0(struct digest_set, 1);
    set->size = SET_FIRST;
    set->slots = g_malloc0_n(set->size, DIGEST_BYTES);
    return set;
}

void digest_set_free(struct digest_set *set)
{
    if (!set)
        return;
    g_free(set->slots);
    g_free(set);
}

void digest_set_clear(struct digest_set *set)
{
    if (set->used)
        memset(set->slots, 0, (gsize)set->size * DIGEST_BYTES);
    set->used = 0;
}

/* The slot that holds it, or the empty one where it belongs. */
static guint8 *find_slot(struct digest_set *set, const guint8 *hash)
{
    static const guint8 empty[DIGEST_BYTES];
    guint i = digest_hash(hash) & (set->size - 1);
    while (memcmp(set->slots[i], empty, DIGEST_BYTES) && memcmp(set->slots[i], hash, DIGEST_BYTES))
        i = (i + 1) & (set->size - 1);
    return set->slots[i];
}

static void grow(struct digest_set *set)
{
    guint8(*old)[DIGEST_BYTES] = set->slots;
    guint n = set->size;
    static const guint8 empty[DIGEST_BYTES];
    set->size *= 2;
    set->slots = g_malloc0_n(set->size, DIGEST_BYTES);
    for (guint i = 0; i < n; i++)
        if (memcmp(old[i], empty, DIGEST_BYTES))
            memcpy(find_slot(set, old[i]), old[i], DIGEST_BYTES);
    g_free(old);
}

gboolean digest_set_add(struct digest_set *set, const guint8 *hash)
{
    guint8 *slot = find_slot(set, hash);
    if (!memcmp(slot, hash, DIGEST_BYTES))
        return FALSE;
    if (set->used == SET_MOST) {
        digest_set_clear(set);
        slot = find_slot(set, hash);
    } else if (set->used * 2 >= set->size) {
        grow(set);
        slot = find_slot(set, hash);
    }
    memcpy(slot, hash, DIGEST_BYTES);
    set->used++;
    return TRUE;
}
