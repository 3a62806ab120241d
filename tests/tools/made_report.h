/* Reports out of nothing, for the tests of the database floor: what record n of report r says depends on n
 * and r alone. */
#pragma once

#include "parser/report.h"

#include <string.h>
#include <sys/socket.h>

#define MADE_DAY G_GINT64_CONSTANT(86400)
/* 2026-11-20 00:00:00 UTC */
#define MADE_BEGIN G_GINT64_CONSTANT(1795132800)

static inline struct report_head made_head(const char *report_id, const char *domain)
{
    return (struct report_head){
        .generation = GENERATION_RFC7489,
        .org_name = "Made Mail",
        .email = "dmarc@reporter.example",
        .report_id = report_id,
        .reporter = "reporter.example",
        .begin = MADE_BEGIN,
        .end = MADE_BEGIN + MADE_DAY - 1,
        .domain = domain,
        .p = "none",
        .adkim = "r",
        .aspf = "r",
        .pct = 100,
    };
}

/* Texts and arrays of one record; lives as long as the record is used. */
struct made_record {
    struct report_record record;
    struct dkim_result dkim[2];
    struct spf_result spf[1];
    char selector[32], sender[48];
};

/* Two DKIM results, one SPF result; one of `kinds` different pieces of evidence, and addresses that repeat
 * rarely. */
static inline const struct report_record *made_record(struct made_record *made, guint n, guint kinds)
{
    guint kind = n % kinds;
    guint32 address = GUINT32_TO_BE(0xc6120000u + n % 65536u);
    g_snprintf(made->selector, sizeof made->selector, "s%u", kind % 97);
    g_snprintf(made->sender, sizeof made->sender, "bounce%u.sender.example", kind);
    made->dkim[0] =
        (struct dkim_result){"example.org", made->selector, kind % 3 ? "pass" : "fail", NULL, NULL};
    made->dkim[1] = (struct dkim_result){"sender.example", "k1", "pass", NULL, NULL};
    made->spf[0] = (struct spf_result){made->sender, "mfrom", "pass", NULL, NULL};
    made->record = (struct report_record){
        .family = AF_INET,
        .message_count = 1 + n % 5,
        .header_from = "example.org",
        .envelope_from = made->sender,
        .disposition = "none",
        .dkim_verdict = kind % 3 ? "pass" : "fail",
        .spf_verdict = "fail",
        .dkim_aligned = kind % 3 != 0,
        .dkim_aligned_domain = kind % 3 ? "example.org" : NULL,
        .dkim_aligned_selector = kind % 3 ? made->selector : NULL,
        .n_dkim = 2,
        .n_spf = 1,
        .dkim = made->dkim,
        .spf = made->spf,
    };
    memcpy(made->record.source_ip, &address, sizeof address);
    return &made->record;
}

/* Pushes a whole report of n records from made_record(first), (first + 1), ... */
static inline gboolean made_push(const struct report_sink *sink, const struct report_head *head, guint first,
                                 guint n, guint kinds, GError **error)
{
    struct made_record made;
    struct report_tail tail = {.records_seen = n};
    if (!sink->begin(sink->self, head, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        if (!sink->record(sink->self, made_record(&made, first + i, kinds), error))
            return FALSE;
    return sink->end(sink->self, &tail, error);
}
