/* A mail's journal with every member filled in, and its way through the wire. */
#pragma once

#include "ingest/wire.h"
#include "tests/unit/recorder.h"

#include <sys/socket.h>

/* Every member has a value of its own, and none is left out: one that is new does not compile here before it
 * stands in its table. */
struct told {
    struct mail_auth auth;
    struct report_head head;
    struct dkim_result dkim[2];
    struct spf_result spf[1];
    struct override_reason reasons[1];
    struct report_record record;
    struct report_warning warnings[2];
    struct report_tail tail;
    struct tls_head tls_head;
    struct tls_policy policy;
    struct tls_failure failure;
    struct failure_report report;
    struct ledger_document document;
    guint warn;
    struct mail_end end;
};

static const char *const told_words[] = {"domain=Example.ORG", "p=None", NULL};
static const char *const told_more[] = {"mx1.example.org", "", NULL};
static const char *const told_codes[] = {"ctype", "ext", NULL};
static const char *const failures[] = {"spf", "dmarc", NULL};
static const char *const domains[] = {"a.example", NULL, "b.example"}, *const selectors[] = {NULL, "S1",
                                                                                             "s2"};
static const guint8 sum[32] = {1, 2, 3, [31] = 255};
static char org[] = "r.example";

static inline void tell_all(struct told *t)
{
    t->auth = (struct mail_auth){AUTH_PASS, org};
    t->head = (struct report_head){GENERATION_RFC9990,
                                   "urn:x",
                                   "1.0",
                                   "made",
                                   "Org",
                                   "a@r.example",
                                   "call",
                                   "none so far",
                                   "id-1",
                                   "r.example",
                                   100,
                                   200,
                                   "example.org",
                                   "reject",
                                   "none",
                                   "quarantine",
                                   "r",
                                   "r",
                                   "y",
                                   "psl",
                                   "1:d",
                                   50,
                                   "<x/>",
                                   told_words};
    t->dkim[0] = (struct dkim_result){"mail.example.org", "s1", "pass", "PASS", "fine"};
    t->dkim[1] = (struct dkim_result){"esp.example", NULL, "fail", "bad", NULL};
    t->spf[0] = (struct spf_result){"example.org", "mfrom", "pass", "Pass", ""};
    t->reasons[0] = (struct override_reason){"forwarded", "Forwarded", "by hand"};
    t->record = (struct report_record){AF_INET,
                                       {192, 0, 2, 1},
                                       NULL,
                                       7,
                                       "example.org",
                                       "example.org",
                                       "",
                                       "none",
                                       "pass",
                                       "fail",
                                       FALSE,
                                       TRUE,
                                       TRUE,
                                       "mail.example.org",
                                       "s1",
                                       "example.org",
                                       TRUE,
                                       2,
                                       1,
                                       1,
                                       t->dkim,
                                       t->spf,
                                       t->reasons,
                                       "<y/>",
                                       told_words};
    t->warnings[0] = (struct report_warning){"ctype", 3, "\303\244 detail"};
    t->warnings[1] = (struct report_warning){"truncated", 1, NULL};
    t->tail = (struct report_tail){5, TRUE, 2, t->warnings};
    t->tls_head = (struct tls_head){"r.example", "Org", "c@r.example", "id-2", "example.org", 5, 5};
    t->policy = (struct tls_policy){"sts", told_more, told_words, 10, -1};
    t->failure = (struct tls_failure){"validation-failure",
                                      {AF_INET6, {0x20, 1, [15] = 1}, NULL},
                                      {AF_UNSPEC, {0}, "somewhere"},
                                      "mx",
                                      "helo",
                                      "more",
                                      "why",
                                      4};
    t->report = (struct failure_report){"example.org",
                                        "r.example",
                                        "mta",
                                        "agent",
                                        1000,
                                        2,
                                        failures,
                                        "dkim spf",
                                        "reject",
                                        AF_UNSPEC,
                                        {0},
                                        "unknown",
                                        "",
                                        "to.example",
                                        "example.org",
                                        "From",
                                        "Subject",
                                        "mid",
                                        "eid",
                                        "d.example",
                                        "sel",
                                        3,
                                        domains,
                                        selectors,
                                        told_more,
                                        told_words,
                                        1,
                                        t->warnings,
                                        "rcpt",
                                        "carrier"};
    t->document = (struct ledger_document){"part 1 / a.xml", "aggregate", 99,  sum, OUTCOME_STORED, NULL,
                                           "detail",         told_codes,  TRUE};
    t->warn = 0;
    t->end = (struct mail_end){"mid", "From", "mail.r.example", "Subject", -5, "limit", "too much"};
}

/* Tells a journal what the letters ask for. */
static inline gboolean tell(const struct journal *to, const struct told *t, const char *script)
{
    gboolean ok = TRUE;
    for (; *script && ok; script++) {
        switch (*script) {
        case 'b':
            to->brought_by(to->self, &t->auth);
            break;
        case 'h':
            ok = to->reports->begin(to->reports->self, &t->head, NULL);
            break;
        case 'r':
            ok = to->reports->record(to->reports->self, &t->record, NULL);
            break;
        case 't':
            ok = to->reports->end(to->reports->self, &t->tail, NULL);
            break;
        case 'a':
            to->reports->abandon(to->reports->self);
            break;
        case 'H':
            ok = to->tls->begin(to->tls->self, &t->tls_head, NULL);
            break;
        case 'P':
            ok = to->tls->policy(to->tls->self, &t->policy, NULL);
            break;
        case 'F':
            ok = to->tls->failure(to->tls->self, &t->failure, NULL);
            break;
        case 'T':
            ok = to->tls->end(to->tls->self, t->tail.n_warnings, t->tail.warnings, NULL);
            break;
        case 'f':
            ok = to->failure(to->self, &t->report, NULL);
            break;
        case 'd':
            ok = to->document(to->self, &t->document, NULL);
            break;
        case 'x':
            to->drop_reports(to->self);
            break;
        case 'w':
            to->warn(to->self, t->warn, "zip_extra");
            break;
        case 'e':
            ok = to->end(to->self, &t->end, NULL);
            break;
        }
    }
    return ok;
}

static inline gboolean keep(gpointer data, const guint8 *bytes, gsize n, GError **error G_GNUC_UNUSED)
{
    g_byte_array_append(data, bytes, (guint)n);
    return TRUE;
}

static inline GByteArray *bytes_of(const struct told *t, const char *script)
{
    GByteArray *bytes = g_byte_array_new();
    struct wire_writer *writer = wire_writer_new(keep, bytes);
    g_assert_true(tell(wire_writer_journal(writer), t, script));
    g_assert_true(wire_writer_flush(writer, NULL));
    wire_writer_free(writer);
    return bytes;
}

static struct domain_list *suffixes;

/* Feeds bytes cut after `first`; 0: one by one. */
static inline enum wire_status hear(const struct limits *limits, const guint8 *bytes, gsize n, gsize first,
                                    struct recorder *to, gsize *used_r, GError **error)
{
    struct wire_reader *reader = wire_reader_new(limits, suffixes);
    enum wire_status status = WIRE_MORE;
    gsize used;
    wire_reader_begin(reader, &to->journal);
    for (*used_r = 0; *used_r < n && status == WIRE_MORE; *used_r += used) {
        gsize left = first > *used_r ? first - *used_r : n - *used_r;
        status = wire_reader_feed(reader, bytes + *used_r, first ? left : 1, &used, error);
    }
    wire_reader_free(reader);
    return status;
}
