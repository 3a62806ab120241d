/* What is the same report: the hashes are pinned, since a changed one would count old reports twice, and each
 * field of the report moves the one that it belongs to. */
#include "db/digest.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

struct hashes {
    guint8 identity[DIGEST_BYTES], content[DIGEST_BYTES], evidence[DIGEST_BYTES];
};

/* A report of one record that has everything. */
struct sample {
    struct report_head head;
    struct report_record record;
    struct dkim_result dkim[2];
    struct spf_result spf[1];
    struct override_reason reasons[1];
    const char *head_raw[2], *record_raw[2];
};

static void make(struct sample *s)
{
    memset(s, 0, sizeof *s);
    s->head_raw[0] = "p=NONE";
    s->record_raw[0] = "disposition=NONE";
    s->head = (struct report_head){.generation = GENERATION_RFC9990,
                                   .namespace_uri = "ns",
                                   .version = "1.0",
                                   .generator = "g",
                                   .org_name = "Org",
                                   .email = "a@b.example",
                                   .extra_contact_info = "x",
                                   .error = "e",
                                   .report_id = "id",
                                   .reporter = "b.example",
                                   .begin = 1000,
                                   .end = 2000,
                                   .domain = "example.org",
                                   .p = "none",
                                   .sp = "reject",
                                   .np = "reject",
                                   .adkim = "r",
                                   .aspf = "s",
                                   .testing = "n",
                                   .discovery_method = "psl",
                                   .fo = "1",
                                   .pct = 100,
                                   .extensions = "<x/>",
                                   .raw = s->head_raw};
    s->dkim[0] = (struct dkim_result){"d.example", "s1", "pass", NULL, "h"};
    s->dkim[1] = (struct dkim_result){"e.example", "s2", "fail", "Fail", NULL};
    s->spf[0] = (struct spf_result){"f.example", "mfrom", "pass", "PASS", "h"};
    s->reasons[0] = (struct override_reason){"forwarded", "Forwarded", "c"};
    s->record = (struct report_record){.family = AF_INET,
                                       .source_ip = {192, 0, 2, 1},
                                       .message_count = 300,
                                       .header_from = "example.org",
                                       .envelope_from = "f.example",
                                       .envelope_to = "t.example",
                                       .disposition = "none",
                                       .dkim_verdict = "pass",
                                       .spf_verdict = "fail",
                                       .dkim_aligned = TRUE,
                                       .dkim_aligned_domain = "d.example",
                                       .dkim_aligned_selector = "s1",
                                       .spf_aligned_domain = NULL,
                                       .n_dkim = 2,
                                       .n_spf = 1,
                                       .n_reasons = 1,
                                       .dkim = s->dkim,
                                       .spf = s->spf,
                                       .reasons = s->reasons,
                                       .extensions = "<y/>",
                                       .raw = s->record_raw};
}

static void hash(const struct sample *s, guint records, struct hashes *hashes)
{
    struct digest *digest = digest_new();
    digest_begin(digest, &s->head, hashes->identity);
    for (guint i = 0; i < records; i++)
        digest_record(digest, &s->record, hashes->evidence);
    digest_end(digest, hashes->content);
    digest_free(digest);
}

static char *hex(const guint8 *bytes)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < DIGEST_BYTES; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

static void test_pinned(void)
{
    struct sample s;
    struct hashes h;
    make(&s);
    hash(&s, 1, &h);
    g_autofree char *identity = hex(h.identity), *content = hex(h.content), *evidence = hex(h.evidence);
    g_assert_cmpstr(identity, ==, "0084bad8f9d5cb379ff896a25c0818c0");
    g_assert_cmpstr(content, ==, "1c5caa8b008efe6553bca2da0d6010ae");
    g_assert_cmpstr(evidence, ==, "4d00a91ce24d997d1ca956bf2da31406");
}

/* One change after the other; `moves` says which of identity, content, evidence must differ from the
 * original. */
static void test_fields(void)
{
    struct sample s;
    struct hashes original, now;
    make(&s);
    hash(&s, 1, &original);
#define moves(expected, change)                                                                              \
    do {                                                                                                     \
        make(&s);                                                                                            \
        change;                                                                                              \
        hash(&s, 1, &now);                                                                                   \
        char is[] = {memcmp(now.identity, original.identity, DIGEST_BYTES) ? 'i' : '-',                      \
                     memcmp(now.content, original.content, DIGEST_BYTES) ? 'c' : '-',                        \
                     memcmp(now.evidence, original.evidence, DIGEST_BYTES) ? 'e' : '-', 0};                  \
        g_test_message("%s", #change);                                                                       \
        g_assert_cmpstr(is, ==, expected);                                                                   \
    } while (0)
    moves("---", (void)0);
    moves("ic-", s.head.report_id = "ID");
    moves("ic-", s.head.reporter = "c.example");
    moves("ice", s.head.domain = "example.net");
    moves("ic-", s.head.begin++);
    moves("ic-", s.head.end++);
    /* the head */
    moves("-c-", s.head.generation = GENERATION_RFC7489);
    moves("-c-", s.head.namespace_uri = NULL);
    moves("-c-", s.head.version = "");
    moves("-c-", s.head.generator = NULL);
    moves("-c-", s.head.org_name = "org");
    moves("-c-", s.head.email = NULL);
    moves("-c-", s.head.extra_contact_info = NULL);
    moves("-c-", s.head.error = NULL);
    moves("-c-", s.head.p = "reject");
    moves("-c-", s.head.sp = NULL);
    moves("-c-", s.head.np = NULL);
    moves("-c-", s.head.adkim = "s");
    moves("-c-", s.head.aspf = NULL);
    moves("-c-", s.head.testing = "y");
    moves("-c-", s.head.discovery_method = NULL);
    moves("-c-", s.head.fo = NULL);
    moves("-c-", s.head.pct = -1);
    moves("-c-", s.head.extensions = NULL);
    moves("-c-", s.head_raw[0] = NULL);
    /* address and count are no evidence */
    moves("-c-", s.record.source_ip[3]++);
    moves("---", s.record.source_ip[4]++);
    moves("-c-", s.record.family = AF_INET6);
    moves("-c-", s.record.family = AF_UNSPEC);
    moves("-c-", s.record.source_raw = "");
    moves("-c-", s.record.message_count++);
    /* what was said */
    moves("-ce", s.record.header_from = "");
    moves("-ce", s.record.envelope_from = "");
    moves("-ce", s.record.envelope_to = NULL);
    moves("-ce", s.record.disposition = NULL);
    moves("-ce", s.record.dkim_verdict = "fail");
    moves("-ce", s.record.spf_verdict = "pass");
    moves("-ce", s.record.n_dkim = 1);
    moves("-ce", s.record.n_spf = 0);
    moves("-ce", s.record.n_reasons = 0);
    moves("-ce", s.dkim[1].domain = NULL);
    moves("-ce", s.dkim[1].selector = "s");
    moves("-ce", s.dkim[1].result = NULL);
    moves("-ce", s.dkim[1].raw = NULL);
    moves("-ce", s.dkim[1].human_result = "");
    moves("-ce", s.spf[0].domain = NULL);
    moves("-ce", s.spf[0].scope = NULL);
    moves("-ce", s.spf[0].result = NULL);
    moves("-ce", s.spf[0].raw = NULL);
    moves("-ce", s.spf[0].human_result = NULL);
    moves("-ce", s.reasons[0].type = "other");
    moves("-ce", s.reasons[0].raw = NULL);
    moves("-ce", s.reasons[0].comment = NULL);
    moves("-ce", s.record.extensions = NULL);
    moves("-ce", s.record_raw[0] = NULL);
    /* what we made of it may change with a newer list of suffixes, and the report is the same still */
    moves("--e", s.record.dkim_aligned = FALSE);
    moves("--e", s.record.spf_aligned = TRUE);
    moves("--e", s.record.dkim_aligned_domain = NULL);
    moves("--e", s.record.dkim_aligned_selector = NULL);
    moves("--e", s.record.spf_aligned_domain = "");
    moves("--e", s.record.disagree = TRUE);
    moves("-ce", s.record.verdict_computed = TRUE);
#undef moves
}

/* Texts must not run into each other, and the number of records counts. */
static void test_borders(void)
{
    struct sample one, other;
    struct hashes a, b;
    make(&one), make(&other);
    one.head.org_name = "ab", one.head.email = "c";
    other.head.org_name = "a", other.head.email = "bc";
    hash(&one, 1, &a), hash(&other, 1, &b);
    g_assert_true(memcmp(a.content, b.content, DIGEST_BYTES));
    hash(&one, 2, &b);
    g_assert_true(memcmp(a.content, b.content, DIGEST_BYTES));
    g_assert_false(memcmp(a.evidence, b.evidence, DIGEST_BYTES));
}

/* Says "there" only of what was added; may forget. */
static void test_set(void)
{
    struct digest_set *set = digest_set_new();
    for (guint round = 0; round < 2; round++) {
        for (guint32 i = 1; i <= 100000; i++) {
            guint8 key[DIGEST_BYTES] = {0};
            guint32 spread = i * 2654435761u;
            memcpy(key, &spread, sizeof spread);
            memcpy(key + 8, &i, sizeof i);
            g_assert_true(digest_set_add(set, key));
            g_assert_false(digest_set_add(set, key));
        }
        digest_set_clear(set);
    }
    digest_set_free(set);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/digest/pinned", test_pinned);
    g_test_add_func("/digest/fields", test_fields);
    g_test_add_func("/digest/borders", test_borders);
    g_test_add_func("/digest/set", test_set);
    return g_test_run();
}
