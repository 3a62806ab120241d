/* What makes two failure reports, and two TLS reports, the same. The pinned values are a contract: were they
 * to change, what comes again after an upgrade would be stored twice. */
#include "db/digest.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

struct hashes {
    guint8 identity[DIGEST_BYTES], content[DIGEST_BYTES];
};

static const char *hex(const guint8 *hash, char out[33])
{
    for (guint i = 0; i < DIGEST_BYTES; i++)
        g_snprintf(out + i * 2, 3, "%02x", hash[i]);
    return out;
}

static void assert_hashes(const struct hashes *got, const char *identity, const char *content)
{
    char text[33];
    g_assert_cmpstr(hex(got->identity, text), ==, identity);
    g_assert_cmpstr(hex(got->content, text), ==, content);
}

/* 'i' and 'c' where identity and content differ. */
static const char *differ(const struct hashes *a, const struct hashes *b)
{
    gboolean identity = memcmp(a->identity, b->identity, DIGEST_BYTES) != 0;
    gboolean content = memcmp(a->content, b->content, DIGEST_BYTES) != 0;
    return identity && content ? "ic" : identity ? "i-" : content ? "-c" : "--";
}

static const char *const failures[] = {"dmarc", "spf", NULL}, *const results[] = {"mx; dmarc=fail", NULL},
                         *const raw[] = {"a=b", NULL}, *const domains[] = {"d.example", NULL},
                         *const selectors[] = {"s", NULL}, *const nothing[] = {NULL};

static struct failure_report make_failure(void)
{
    return (struct failure_report){.domain = "a.example",
                                   .reporter = "r.example",
                                   .reporting_mta = "mx.r.example",
                                   .user_agent = "agent",
                                   .arrived = 1791763200,
                                   .incidents = 1,
                                   .auth_failures = failures,
                                   .alignment_failed = "dkim",
                                   .delivery_result = "reject",
                                   .family = AF_INET,
                                   .source_ip = {192, 0, 2, 1},
                                   .mail_from = "b@c.example",
                                   .rcpt_domain = "v.example",
                                   .header_from = "a.example",
                                   .from = "A <x@a.example>",
                                   .subject = "S",
                                   .message_id = "m@a.example",
                                   .envelope_id = "q",
                                   .dkim_domain = "d.example",
                                   .dkim_selector = "s",
                                   .n_signatures = 1,
                                   .signature_domains = domains,
                                   .signature_selectors = selectors,
                                   .results = results,
                                   .raw = raw,
                                   .recipient = "v@v.example",
                                   .carrier = "carrier"};
}

static struct hashes hash_failure(const struct failure_report *report)
{
    struct hashes hashes;
    struct digest *digest = digest_new();
    digest_failure(digest, report, hashes.identity, hashes.content);
    /* A second one is not moved by the first. */
    struct hashes again;
    digest_failure(digest, report, again.identity, again.content);
    g_assert_cmpstr(differ(&hashes, &again), ==, "--");
    digest_free(digest);
    return hashes;
}

static void test_failure(void)
{
    struct failure_report report = make_failure();
    struct hashes first = hash_failure(&report);
    assert_hashes(&first, "8a27bf160f6466fcb45ae8fb385e8093", "4616e24e088c0e0526522a83d3dde8f9");
#define moves(expected, change)                                                                              \
    do {                                                                                                     \
        struct failure_report other = make_failure();                                                        \
        other.change;                                                                                        \
        struct hashes hashes = hash_failure(&other);                                                         \
        g_assert_cmpstr(differ(&first, &hashes), ==, expected);                                              \
    } while (0)
    moves("ic", domain = "b.example");
    moves("ic", reporter = "");
    moves("ic", arrived = 1);
    moves("ic", source_ip[3] = 2);
    moves("--", source_ip[4] = 2);
    moves("ic", family = AF_UNSPEC);
    moves("ic", source_raw = "x");
    moves("ic", message_id = NULL);
    moves("ic", envelope_id = "");
    moves("ic", carrier = NULL);
    moves("-c", incidents = 2);
    moves("-c", reporting_mta = NULL);
    moves("-c", user_agent = NULL);
    moves("-c", auth_failures = nothing);
    moves("-c", alignment_failed = "spf");
    moves("-c", delivery_result = NULL);
    moves("-c", mail_from = "");
    moves("-c", rcpt_domain = NULL);
    moves("-c", header_from = NULL);
    moves("-c", from = NULL);
    moves("-c", subject = NULL);
    moves("-c", dkim_domain = NULL);
    moves("-c", dkim_selector = NULL);
    moves("-c", n_signatures = 0);
    moves("-c", signature_domains = selectors);
    moves("-c", signature_selectors = domains);
    moves("-c", results = nothing);
    moves("-c", raw = nothing);
    moves("-c", recipient = NULL);
    /* What we think of it is not what it says. */
    moves("--", n_warnings = 1);
#undef moves
}

struct tls_sample {
    struct tls_head head;
    struct tls_policy policy;
    struct tls_failure failure;
    guint policies, failures;
};

static struct tls_sample make_tls(void)
{
    return (struct tls_sample){
        .head = {.reporter = "r.example",
                 .organization = "R",
                 .contact = "tls@r.example",
                 .report_id = "id",
                 .domain = "a.example",
                 .begin = 1791763200,
                 .end = 1791849599},
        .policy = {.type = "sts", .strings = results, .mx_hosts = domains, .successes = 90, .failures = 10},
        .failure = {.result_type = "certificate-expired",
                    .sending = {.family = AF_INET, .ip = {192, 0, 2, 1}},
                    .receiving = {.family = AF_INET6, .ip = {32, 1}},
                    .mx_hostname = "mx",
                    .mx_helo = "helo",
                    .information = "info",
                    .reason_code = "code",
                    .sessions = 10},
        .policies = 1,
        .failures = 1};
}

static struct hashes hash_tls(const struct tls_sample *sample)
{
    struct hashes hashes;
    struct digest *digest = digest_new();
    for (guint round = 0; round < 2; round++) {
        digest_tls_begin(digest, &sample->head, hashes.identity);
        for (guint i = 0; i < sample->policies; i++) {
            digest_tls_policy(digest, &sample->policy);
            for (guint k = 0; k < sample->failures; k++)
                digest_tls_failure(digest, &sample->failure);
        }
        digest_end(digest, hashes.content);
    }
    digest_free(digest);
    return hashes;
}

static void test_tls(void)
{
    struct tls_sample sample = make_tls();
    struct hashes first = hash_tls(&sample);
    assert_hashes(&first, "057f43732a16e8cf480b4cd88bcf8c52", "a13922e9f0299d0ce4a2c899f8e98608");
#define moves(expected, change)                                                                              \
    do {                                                                                                     \
        struct tls_sample s = make_tls();                                                                    \
        s.change;                                                                                            \
        struct hashes hashes = hash_tls(&s);                                                                 \
        g_assert_cmpstr(differ(&first, &hashes), ==, expected);                                              \
    } while (0)
    moves("ic", head.reporter = "");
    moves("ic", head.report_id = "x");
    moves("ic", head.domain = "b.example");
    moves("ic", head.begin = 1);
    moves("ic", head.end = 1791849600);
    moves("-c", head.organization = NULL);
    moves("-c", head.contact = NULL);
    moves("-c", policies = 2);
    moves("-c", failures = 0);
    moves("-c", failures = 2);
    moves("-c", policy.type = "");
    moves("-c", policy.strings = nothing);
    moves("-c", policy.mx_hosts = nothing);
    moves("-c", policy.successes = -1);
    moves("-c", policy.failures = 11);
    moves("-c", failure.result_type = "");
    moves("-c", failure.sending.family = AF_UNSPEC);
    moves("-c", failure.sending.ip[0] = 1);
    moves("-c", failure.sending.raw = "x");
    moves("-c", failure.receiving.family = AF_INET);
    moves("-c", failure.receiving.raw = "x");
    moves("-c", failure.mx_hostname = NULL);
    moves("-c", failure.mx_helo = NULL);
    moves("-c", failure.information = NULL);
    moves("-c", failure.reason_code = NULL);
    moves("-c", failure.sessions = -1);
#undef moves
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/digest_other/failure", test_failure);
    g_test_add_func("/digest_other/tls", test_tls);
    return g_test_run();
}
