#include "db/rows_other.h"

#include "db/pgcopy.h"
#include "db/rows.h"

#include <sys/socket.h>

#define FAILURE_SAME                                                                                         \
    "id, domain, day, identity, content, reporter, reporting_mta, user_agent, arrived, incidents, "          \
    "source_ip, source_raw, auth_failures, alignment_failed, delivery_result, header_from, from_text, "      \
    "mail_from, rcpt_domain, message_id, envelope_id, subject, subject_hash, dkim_domain, dkim_selector, "   \
    "signature_domains, signature_selectors, authentication_results, raw, warnings, warning_notes"
#define FAILURE_COLUMNS 31

#define TLS_SAME                                                                                             \
    "id, domain, day, identity, reporter, organization, contact, report_id, period_begin, period_end, "      \
    "content, policy_count, failure_count, warnings, warning_notes"
#define TLS_COLUMNS 16 /* TLS_SAME, collision */

#define POLICY_COLUMNS 9
#define DETAIL_COLUMNS 15

const char rows_other_staging[] =
    "CREATE TEMP TABLE IF NOT EXISTS stage_failure ON COMMIT DELETE ROWS AS"
    " SELECT " FAILURE_SAME " FROM dmarc_store.failure_report WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stage_tls ON COMMIT DELETE ROWS AS"
    " SELECT " TLS_SAME ", id_collision AS collision FROM dmarc_store.tls_report WITH NO DATA";

/* There is one at most of each. */
#define KNOWN(table, stage)                                                                                  \
    "SELECT s.id, r.id FROM pg_temp." stage " s JOIN dmarc_store." table                                     \
    " r ON r.domain = s.domain AND r.day = s.day AND r.identity = s.identity AND r.content = s.content"
#define LAST " ORDER BY domain, day, identity, content ON CONFLICT DO NOTHING RETURNING id"
#define INSERT_FAILURE                                                                                       \
    "INSERT INTO dmarc_store.failure_report (" FAILURE_SAME ")"                                              \
    " SELECT " FAILURE_SAME " FROM pg_temp.stage_failure" LAST
/* Rivals are looked for where all is stored, or among those that were fetched. */
#define INSERT_TLS(tls_report)                                                                               \
    "INSERT INTO dmarc_store.tls_report (" TLS_SAME ", id_collision)"                                        \
    " SELECT " TLS_SAME ", collision OR EXISTS (SELECT FROM " tls_report " r"                                \
    " WHERE r.domain = s.domain AND r.day = s.day AND r.identity = s.identity"                               \
    " AND r.content <> s.content) FROM pg_temp.stage_tls s" LAST

const char rows_other_gathering[] =
    "CREATE TEMP TABLE IF NOT EXISTS stored_tls_report ON COMMIT DELETE ROWS AS"
    " SELECT domain, day, id, identity, content FROM dmarc_store.tls_report WITH NO DATA";
const char rows_tls_gather[] =
    "DELETE FROM pg_temp.stored_tls_report;"
    "INSERT INTO pg_temp.stored_tls_report SELECT r.domain, r.day, r.id, r.identity, r.content"
    " FROM (SELECT DISTINCT o.domain, o.day, o.identity FROM pg_temp.stage_tls o) s"
    " JOIN dmarc_store.tls_report r ON r.domain = s.domain AND r.day = s.day AND r.identity = s.identity";

const struct other_table rows_other_tables[OTHER_KINDS] = {
    [OTHER_FAILURE] = {.copy = "COPY pg_temp.stage_failure (" FAILURE_SAME ") FROM STDIN (FORMAT binary)",
                       .insert = {INSERT_FAILURE, INSERT_FAILURE},
                       .known = KNOWN("failure_report", "stage_failure")},
    [OTHER_TLS] = {.copy = "COPY pg_temp.stage_tls (" TLS_SAME ", collision) FROM STDIN (FORMAT binary)",
                   .insert = {INSERT_TLS("dmarc_store.tls_report"), INSERT_TLS("pg_temp.stored_tls_report")},
                   .known = KNOWN("tls_report", "stage_tls")},
};

const char rows_tls_policy_copy[] = "COPY dmarc_store.tls_policy (domain, day, report, ordinal, policy_type, "
                                    "policy_string, mx_hosts, successful, failed) FROM STDIN (FORMAT binary)";
const char rows_tls_failure_copy[] =
    "COPY dmarc_store.tls_failure (domain, day, report, policy, ordinal, result_type, sending_ip, "
    "sending_raw, "
    "receiving_ip, receiving_raw, mx_hostname, mx_helo, failed, reason_code, information)"
    " FROM STDIN (FORMAT binary)";

static void put_texts(GByteArray *out, const char *const *texts, gsize n)
{
    for (gsize i = 0; i < n; i++)
        pgcopy_text(out, texts[i]);
}

/* Sessions; -1 is unknown. */
static void put_sessions(GByteArray *out, gint64 sessions)
{
    if (sessions < 0)
        pgcopy_null(out);
    else
        pgcopy_int8(out, sessions);
}

const char *const rows_reread_tls[2] = {
    "DELETE FROM dmarc_store.tls_failure WHERE domain = $1 AND day = $2::date AND report = $3::bigint",
    "DELETE FROM dmarc_store.tls_policy WHERE domain = $1 AND day = $2::date AND report = $3::bigint",
};
const char rows_reread_tls_delete[] =
    "DELETE FROM dmarc_store.tls_report WHERE domain = $1 AND day = $2::date"
    " AND id = $3::bigint RETURNING ingested_at";
const char rows_reread_tls_came[] = "UPDATE dmarc_store.tls_report SET ingested_at = $4::timestamptz"
                                    " WHERE domain = $1 AND day = $2::date AND id = $3::bigint";

void rows_failure(GByteArray *out, gint64 id, const guint8 *key, const struct failure_report *report,
                  const char *subject, const guint8 *subject_hash)
{
    const char *const before[] = {report->reporter, report->reporting_mta, report->user_agent};
    const char *const middle[] = {report->alignment_failed,
                                  report->delivery_result,
                                  report->header_from,
                                  report->from,
                                  report->mail_from,
                                  report->rcpt_domain,
                                  report->message_id,
                                  report->envelope_id,
                                  subject};
    pgcopy_row(out, FAILURE_COLUMNS);
    pgcopy_int8(out, id);
    pgcopy_text(out, report->domain);
    pgcopy_date(out, pgcopy_day(report->arrived));
    pgcopy_uuid(out, key);
    pgcopy_uuid(out, key + 16);
    put_texts(out, before, G_N_ELEMENTS(before));
    pgcopy_timestamptz(out, report->arrived);
    pgcopy_int8(out, (gint64)MIN(report->incidents, G_MAXINT64));
    pgcopy_inet(out, report->family, report->source_ip);
    pgcopy_text(out, report->source_raw);
    rows_words(out, report->auth_failures);
    put_texts(out, middle, G_N_ELEMENTS(middle));
    if (subject_hash)
        pgcopy_uuid(out, subject_hash);
    else
        pgcopy_null(out);
    pgcopy_text(out, report->dkim_domain);
    pgcopy_text(out, report->dkim_selector);
    pgcopy_text_array(out, report->signature_domains, report->n_signatures);
    pgcopy_text_array(out, report->signature_selectors, report->n_signatures);
    rows_words(out, report->results);
    rows_words(out, report->raw);
    rows_warnings(out, report->n_warnings, report->warnings);
}

void rows_tls_head(GByteArray *out, gint64 id, const guint8 *identity, const struct tls_head *head)
{
    const char *const texts[] = {head->reporter, head->organization, head->contact, head->report_id};
    pgcopy_row(out, TLS_COLUMNS);
    pgcopy_int8(out, id);
    pgcopy_text(out, head->domain);
    pgcopy_date(out, pgcopy_day(head->begin));
    pgcopy_uuid(out, identity);
    put_texts(out, texts, G_N_ELEMENTS(texts));
    pgcopy_timestamptz(out, head->begin);
    pgcopy_timestamptz(out, head->end);
}

void rows_tls_tail(GByteArray *out, const guint8 *content, guint policies, guint failures, guint n_warnings,
                   const struct report_warning *warnings)
{
    pgcopy_uuid(out, content);
    pgcopy_int4(out, (gint32)policies);
    pgcopy_int8(out, failures);
    rows_warnings(out, n_warnings, warnings);
}

void rows_tls_end(GByteArray *out, gboolean collision)
{
    pgcopy_bool(out, collision);
}

static void put_place(GByteArray *out, const struct other_report *report)
{
    pgcopy_text(out, report->domain);
    pgcopy_date(out, report->day);
    pgcopy_int8(out, report->id);
}

void rows_tls_policy(GByteArray *out, const struct other_report *report, guint ordinal,
                     const struct tls_policy *policy)
{
    pgcopy_row(out, POLICY_COLUMNS);
    put_place(out, report);
    pgcopy_int4(out, (gint32)ordinal);
    pgcopy_text(out, policy->type);
    rows_words(out, policy->strings);
    rows_words(out, policy->mx_hosts);
    put_sessions(out, policy->successes);
    put_sessions(out, policy->failures);
}

static void put_address(GByteArray *out, const struct tls_address *address)
{
    pgcopy_inet(out, address->family, address->ip);
    pgcopy_text(out, address->raw);
}

void rows_tls_failure(GByteArray *out, const struct other_report *report, guint policy, guint ordinal,
                      const struct tls_failure *failure)
{
    pgcopy_row(out, DETAIL_COLUMNS);
    put_place(out, report);
    pgcopy_int4(out, (gint32)policy);
    pgcopy_int4(out, (gint32)ordinal);
    pgcopy_text(out, failure->result_type);
    put_address(out, &failure->sending);
    put_address(out, &failure->receiving);
    pgcopy_text(out, failure->mx_hostname);
    pgcopy_text(out, failure->mx_helo);
    put_sessions(out, failure->sessions);
    pgcopy_text(out, failure->reason_code);
    pgcopy_text(out, failure->information);
}
