#include "db/rows.h"

#include "db/pgcopy.h"

#include <string.h>

#define REPORT_SAID                                                                                          \
    "domain, day, identity, reporter, org_name, email, extra_contact_info, report_id, period_begin, "        \
    "period_end, generation, namespace_uri, version, generator, error, p, sp, np, adkim, aspf, pct, fo, "    \
    "testing, discovery_method, extensions, raw, content, record_count, records_seen"
#define REPORT_SAME "id, " REPORT_SAID ", incomplete, warnings, warning_notes"
#define REPORT_TOTALS "total, total_dkim, total_spf, total_disagree"
#define REPORT_END REPORT_TOTALS ", collision, trusted, foreign_domain"
#define REPORT_COLUMNS 40 /* REPORT_SAME, REPORT_END */

/* Of one of several tables: "" or "t.". */
#define EVIDENCE_OF(t)                                                                                       \
    t "header_from, " t "envelope_from, " t "envelope_to, " t "disposition, " t "dkim_verdict, " t           \
      "spf_verdict, " t "verdict_computed, " t "dkim_aligned, " t "spf_aligned, " t                          \
      "dkim_aligned_domain, " t "dkim_aligned_selector, " t "spf_aligned_domain, " t "disagree, " t          \
      "dkim_domains, " t "dkim_selectors, " t "dkim_results, " t "dkim_raw, " t "dkim_human, " t             \
      "spf_domains, " t "spf_scopes, " t "spf_results, " t "spf_raw, " t "spf_human, " t "reason_types, " t  \
      "reason_raw, " t "reason_comments, " t "extensions, " t "raw"
#define EVIDENCE_SAID EVIDENCE_OF("")
#define EVIDENCE_OF_SAME(t) t "domain, " t "hash, " EVIDENCE_OF(t)
#define EVIDENCE_SAME EVIDENCE_OF_SAME("")
/* And the profile, of which the rest is in these columns. */
#define PROFILE_SAID "passed_dkim, passed_selectors, passed_spf, passed_scopes, reasons, own_signed"
#define EVIDENCE_COLUMNS 37 /* EVIDENCE_SAME, profile, PROFILE_SAID */

#define MESSAGE_SAME                                                                                         \
    "id, sha256, source, identity, message_id, mail_from, from_domain, subject, mail_date, size, outcome, "  \
    "code, detail, auth_result, auth_domain, original"
#define MESSAGE_COLUMNS 16

#define OBSERVED_COLUMNS 10
#define SUM_COLUMNS 6
#define ORIGINAL_COLUMNS 3
#define DOCUMENT_COLUMNS 14

/* What is stored, and on many nodes the part of it that is asked about, see rows_gathering. */
#define ALL(table) "dmarc_store." table
#define GATHERED(table) "pg_temp.stored_" table

const char rows_staging[] =
    "CREATE TEMP TABLE IF NOT EXISTS stage_report ON COMMIT DELETE ROWS AS"
    " SELECT " REPORT_SAME
    ", ''::text AS total, ''::text AS total_dkim, ''::text AS total_spf, ''::text AS total_disagree,"
    " id_collision AS collision, trusted, foreign_domain"
    " FROM dmarc_store.report WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stage_evidence ON COMMIT DELETE ROWS AS"
    " SELECT " EVIDENCE_SAME ", profile, dkim_domains AS passed_dkim, dkim_domains AS passed_selectors,"
    " spf_domains AS passed_spf, spf_domains AS passed_scopes, reason_types AS reasons, false AS own_signed"
    " FROM dmarc_store.evidence WITH NO DATA;"
    /* Short texts: a table that may hold long ones is three. */
    "CREATE TEMP TABLE IF NOT EXISTS stage_sum (report bigint, profile uuid, records bigint,"
    " messages varchar(48), quarantined varchar(48), rejected varchar(48)) ON COMMIT DELETE ROWS";
const char rows_mail_staging[] = "CREATE TEMP TABLE IF NOT EXISTS stage_message ON COMMIT DELETE ROWS AS"
                                 " SELECT " MESSAGE_SAME " FROM dmarc_store.message WITH NO DATA;"
                                 "CREATE TEMP TABLE IF NOT EXISTS stage_original ON COMMIT DELETE ROWS AS"
                                 " SELECT mail_sha256, size, data FROM dmarc_store.original WITH NO DATA;"
                                 "ALTER TABLE pg_temp.stage_original ALTER COLUMN data SET STORAGE EXTERNAL";

const char rows_report_copy[] =
    "COPY pg_temp.stage_report (" REPORT_SAME ", " REPORT_END ") FROM STDIN (FORMAT binary)";

/* How far a copy is trusted, as in enum trust: not known stands between the two. */
#define RANK_R "coalesce(r.trusted::int * 2, 1)"
#define RANK_S "coalesce(s.trusted::int * 2, 1)"
#define IDENTITY_R "r.domain = s.domain AND r.day = s.day AND r.identity = s.identity"
/* A staged copy s tells more than the row r. */
#define BETTERS "(s.trusted AND r.trusted IS NOT TRUE OR r.incomplete AND NOT s.incomplete)"

/* The subquery with LIMIT looks at the index once a row, whatever the planner thinks of the staging table. */
#define INSERT(report)                                                                                       \
    "INSERT INTO dmarc_store.report (" REPORT_SAME                                                           \
    ", message_count, dkim_aligned_count, spf_aligned_count, disagree_count, id_collision, trusted, "        \
    "foreign_domain)"                                                                                        \
    " SELECT " REPORT_SAME ", total::numeric, total_dkim::numeric, total_spf::numeric,"                      \
    " total_disagree::numeric, collision OR coalesce((SELECT true FROM " report " r"                         \
    " WHERE " IDENTITY_R " AND r.content <> s.content AND NOT r.replaced LIMIT 1), false),"                  \
    " trusted, foreign_domain"                                                                               \
    " FROM pg_temp.stage_report s ORDER BY domain, day, identity, content ON CONFLICT DO NOTHING"            \
    " RETURNING id, id_collision"
const char *const rows_report_insert[2] = {INSERT(ALL("report")), INSERT(GATHERED("report"))};

#define KNOWN(report)                                                                                        \
    "SELECT s.id, k.id, k.bettered FROM pg_temp.stage_report s LEFT JOIN LATERAL"                            \
    " (SELECT r.id, " BETTERS " AS bettered FROM " report " r"                                               \
    " WHERE " IDENTITY_R " AND r.content = s.content LIMIT 1) k ON true"
const char *const rows_report_known[2] = {KNOWN(ALL("report")), KNOWN(GATHERED("report"))};

#define FEW "LIMIT " G_STRINGIFY(RIVALS_MOST)

/* The rows that s gives way to when they hold what it does. */
#define BETTER(report)                                                                                       \
    "SELECT s.id, b.domain, b.day, b.id FROM pg_temp.stage_report s CROSS JOIN LATERAL"                      \
    " (SELECT r.domain, r.day, r.id, r.incomplete, r.record_count FROM " report " r"                         \
    " WHERE " IDENTITY_R " AND r.content <> s.content AND NOT r.replaced AND " RANK_R " >= " RANK_S          \
    " AND r.record_count >= s.record_count AND (NOT r.incomplete OR r.record_count > s.record_count)"        \
    " ORDER BY r.incomplete, r.record_count DESC, r.id " FEW ") b"                                           \
    " WHERE s.incomplete ORDER BY s.id, b.incomplete, b.record_count DESC, b.id"
const char *const rows_report_better[2] = {BETTER(ALL("report")), BETTER(GATHERED("report"))};
const char rows_report_drop[] = "DELETE FROM pg_temp.stage_report s WHERE s.id = ANY ($1::bigint[])";

/* The row of each staged report, new or not, where the copy betters it; and the incomplete rows whose place
 * it takes, as it will be then (w), when it holds what they do. */
#define CHANGES(report)                                                                                      \
    "SELECT k.domain, k.day, k.id, false AS replaced, s.trusted, s.incomplete, k.undoubted,"                 \
    " NULL::bigint AS staged, NULL::bigint AS records"                                                       \
    " FROM pg_temp.stage_report s CROSS JOIN LATERAL"                                                        \
    " (SELECT r.domain, r.day, r.id, " BETTERS " AS bettered,"                                               \
    " coalesce(s.trusted AND r.trusted IS FALSE AND NOT r.foreign_domain AND NOT r.replaced, false) AS "     \
    "undoubted FROM " report " r"                                                                            \
    " WHERE " IDENTITY_R " AND r.content = s.content LIMIT 1) k"                                             \
    " WHERE k.bettered"                                                                                      \
    " UNION "                                                                                                \
    "SELECT v.domain, v.day, v.id, true, NULL, NULL, false, s.id, v.record_count"                            \
    " FROM pg_temp.stage_report s CROSS JOIN LATERAL"                                                        \
    " (SELECT CASE WHEN s.trusted THEN 2 ELSE " RANK_R                                                       \
    " END AS rank, r.incomplete AND s.incomplete AS incomplete,"                                             \
    " r.record_count, r.replaced FROM " report " r"                                                          \
    " WHERE " IDENTITY_R " AND r.content = s.content LIMIT 1) w"                                             \
    " CROSS JOIN LATERAL"                                                                                    \
    " (SELECT r.domain, r.day, r.id, r.record_count FROM " report " r"                                       \
    " WHERE " IDENTITY_R " AND r.content <> s.content AND r.incomplete AND NOT r.replaced"                   \
    " AND w.rank >= " RANK_R " AND w.record_count >= r.record_count"                                         \
    " AND (NOT w.incomplete OR w.record_count > r.record_count)"                                             \
    " ORDER BY r.record_count DESC, r.id " FEW ") v"                                                         \
    " WHERE NOT w.replaced"                                                                                  \
    " ORDER BY 1, 2, 3, 4"
const char *const rows_report_changes[2] = {CHANGES(ALL("report")), CHANGES(GATHERED("report"))};

#define ONE_REPORT " WHERE domain = $1 AND day = $2::date AND id = $3::bigint"
const char rows_report_replace[] =
    "UPDATE dmarc_store.report SET replaced = true" ONE_REPORT " AND NOT replaced";
const char rows_report_improve[] = "UPDATE dmarc_store.report SET incomplete = incomplete AND $5::boolean,"
                                   " trusted = CASE WHEN $4::boolean THEN true ELSE trusted END" ONE_REPORT;
#define FLAGGED(report)                                                                                      \
    "SELECT s.domain, s.day, s.id FROM pg_temp.stage_report s CROSS JOIN LATERAL"                            \
    " (SELECT r.id FROM " report " r WHERE r.domain = s.domain AND r.day = s.day AND r.id = s.id"            \
    " AND r.id_collision LIMIT 1) n"                                                                         \
    " WHERE NOT EXISTS (SELECT FROM " report " r"                                                            \
    " WHERE " IDENTITY_R " AND r.content <> s.content AND NOT r.replaced)"
const char *const rows_report_flagged[2] = {FLAGGED(ALL("report")), FLAGGED(GATHERED("report"))};
const char rows_report_unflag[] = "UPDATE dmarc_store.report SET id_collision = false" ONE_REPORT;

/* Everything that is stored under the identities of staged reports. */
const char rows_gathering[] =
    "CREATE TEMP TABLE IF NOT EXISTS stored_report ON COMMIT DELETE ROWS AS"
    " SELECT * FROM dmarc_store.report WITH NO DATA;"
    "CREATE INDEX IF NOT EXISTS stored_report_ix ON pg_temp.stored_report (identity)";
const char rows_report_gather[] =
    "DELETE FROM pg_temp.stored_report;"
    "INSERT INTO pg_temp.stored_report SELECT r.* FROM"
    " (SELECT DISTINCT o.domain, o.day, o.identity FROM pg_temp.stage_report o) s"
    " JOIN dmarc_store.report r ON " IDENTITY_R;

const char rows_evidence_copy[] =
    "COPY pg_temp.stage_evidence (" EVIDENCE_SAME ", profile, " PROFILE_SAID ") FROM STDIN (FORMAT binary)";
const char rows_profile_insert[] = "SELECT dmarc_store.take_staged_profiles()";
const char rows_evidence_insert[] =
    "INSERT INTO dmarc_store.evidence (" EVIDENCE_SAME ", profile) SELECT " EVIDENCE_SAME ", profile"
    " FROM pg_temp.stage_evidence ORDER BY domain, hash ON CONFLICT DO NOTHING";
const char rows_report_count[] = "SELECT dmarc_store.count_staged($1::bigint[])";

const char rows_try_reports[] =
    "DELETE FROM dmarc_store.report r USING pg_temp.stage_report s WHERE " IDENTITY_R;
const char rows_try_evidence[] = "DELETE FROM dmarc_store.evidence e USING pg_temp.stage_evidence s WHERE "
                                 "e.domain = s.domain AND e.hash = "
                                 "s.hash";

#define OBSERVED_SAME                                                                                        \
    "domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips, sources_raw, "   \
    "great_counts"
const char rows_observed_copy[] = "COPY dmarc_store.observed (" OBSERVED_SAME ") FROM STDIN (FORMAT binary)";
const char rows_sum_copy[] =
    "COPY pg_temp.stage_sum (report, profile, records, messages, quarantined, rejected)"
    " FROM STDIN (FORMAT binary)";

const char rows_report_uncount[] = "SELECT dmarc_store.uncount_report($1, $2::date, $3::bigint, true)";
const char rows_report_undoubt[] = "SELECT dmarc_store.uncount_report($1, $2::date, $3::bigint, false)";

#define COPY_MESSAGES(schema) "COPY " schema "message (" MESSAGE_SAME ") FROM STDIN (FORMAT binary)"
#define COPY_ORIGINALS(schema) "COPY " schema "original (mail_sha256, size, data) FROM STDIN (FORMAT binary)"
const char *const rows_message_copy[2] = {COPY_MESSAGES("dmarc_store."), COPY_MESSAGES("pg_temp.stage_")};
const char *const rows_original_copy[2] = {COPY_ORIGINALS("dmarc_store."), COPY_ORIGINALS("pg_temp.stage_")};
const char rows_message_insert[] = "INSERT INTO dmarc_store.message (" MESSAGE_SAME ") SELECT " MESSAGE_SAME
                                   " FROM pg_temp.stage_message ORDER BY sha256, source COLLATE \"C\", id"
                                   " ON CONFLICT DO NOTHING RETURNING id";
const char rows_original_insert[] =
    "INSERT INTO dmarc_store.original (mail_sha256, size, data) SELECT mail_sha256, size, data"
    " FROM pg_temp.stage_original ORDER BY mail_sha256 ON CONFLICT DO NOTHING";
const char rows_original_known[] =
    "SELECT 1 FROM dmarc_store.original WHERE mail_sha256 = ANY"
    " (ARRAY(SELECT decode(h, 'hex') FROM string_to_table($1, ',') h)) LIMIT 1";

#define DOCUMENT_SAME                                                                                        \
    "mail_sha256, message, ordinal, path, kind, size, sha256, outcome, code, detail, domain, day, report, "  \
    "warnings"
const char rows_document_copy[] = "COPY dmarc_store.document (" DOCUMENT_SAME ") FROM STDIN (FORMAT binary)";

/* ---- what was read again ---- */

#define OBSERVATION_SAID "ordinal, source_ip, message_count, evidence, source_raw"
#define OBSERVATION_SAME "domain, day, report, " OBSERVATION_SAID
/* What a mail is known by, but its source, and who brought it: that was found out when it came. */
#define MAIL_OF(t)                                                                                           \
    t "message_id, " t "mail_from, " t "from_domain, " t "subject, " t "mail_date, " t "outcome, " t         \
      "code, " t "detail"
#define MAIL_SAID MAIL_OF("")

const char rows_reread_staging[] = "CREATE TEMP TABLE IF NOT EXISTS stage_observed ON COMMIT DELETE ROWS AS"
                                   " SELECT " OBSERVED_SAME " FROM dmarc_store.observed WITH NO DATA;"
                                   "CREATE TEMP TABLE IF NOT EXISTS stage_document ON COMMIT DELETE ROWS AS"
                                   " SELECT " DOCUMENT_SAME " FROM dmarc_store.document WITH NO DATA";
const char rows_reread_observed_copy[] =
    "COPY pg_temp.stage_observed (" OBSERVED_SAME ") FROM STDIN (FORMAT binary)";
const char rows_reread_document_copy[] =
    "COPY pg_temp.stage_document (" DOCUMENT_SAME ") FROM STDIN (FORMAT binary)";

#define OLD_RECORDS(observation)                                                                             \
    "SELECT " OBSERVATION_SAID " FROM " observation                                                          \
    " WHERE domain = $1 AND day = $2::date AND report = $3::bigint"
/* As the view dmarc_store.observation does it: where rows end may differ, what is in them not. */
#define NEW_RECORDS                                                                                          \
    "SELECT o.first_ordinal + r.place - 1, r.source_ip, r.message_count, o.evidence[r.evidence_at], "        \
    "r.source_raw"                                                                                           \
    " FROM pg_temp.stage_observed o CROSS JOIN LATERAL"                                                      \
    " (SELECT unnest(dmarc_store.places(cardinality(o.source_ips))) AS place,"                               \
    " unnest(o.source_ips) AS source_ip,"                                                                    \
    " unnest(dmarc_store.counts(o.message_counts, o.great_counts)) AS message_count,"                        \
    " unnest(o.evidence_at) AS evidence_at, unnest(o.sources_raw) AS source_raw) r"                          \
    " WHERE o.report = $4::bigint"
#define NEW_HASHES "SELECT unnest(evidence) FROM pg_temp.stage_observed WHERE report = $4::bigint"
#define DIFFERS(report, observation, evidence)                                                               \
    "SELECT (SELECT ROW(" REPORT_SAID ", warnings, warning_notes, message_count) FROM " report ONE_REPORT    \
    ") IS DISTINCT FROM (SELECT ROW(" REPORT_SAID ", warnings, warning_notes, total::numeric)"               \
    " FROM pg_temp.stage_report WHERE id = $4::bigint)"                                                      \
    " OR EXISTS ((" OLD_RECORDS(observation) " EXCEPT ALL " NEW_RECORDS ") UNION ALL (" NEW_RECORDS          \
                                             " EXCEPT ALL " OLD_RECORDS(                                     \
                                                 observation) "))"                                           \
                                                              " OR EXISTS (SELECT " EVIDENCE_SAME            \
                                                              " FROM pg_temp.stage_evidence WHERE domain = " \
                                                              "$1 AND hash IN (" NEW_HASHES                  \
                                                              ") EXCEPT SELECT " EVIDENCE_SAME               \
                                                              " FROM " evidence                              \
                                                              " WHERE domain = $1 AND hash IN (" NEW_HASHES  \
                                                              "))"
const char *const rows_reread_differs[2] = {
    DIFFERS(ALL("report"), ALL("observation"), ALL("evidence")),
    DIFFERS(GATHERED("report"), GATHERED("observation"), GATHERED("evidence")),
};

/* A report that is trusted, or whole, by another copy stays so. */
const char rows_reread_inherit[] =
    "UPDATE pg_temp.stage_report s SET trusted = CASE WHEN r.trusted THEN true ELSE s.trusted END,"
    " incomplete = s.incomplete AND (r.incomplete OR r.content <> s.content)"
    " FROM dmarc_store.report r WHERE s.id = $4::bigint AND r.domain = $1 AND r.day = $2::date AND r.id = "
    "$3::bigint";
const char rows_reread_delete[] = "DELETE FROM dmarc_store.report" ONE_REPORT " RETURNING ingested_at";
const char rows_reread_came[] = "UPDATE dmarc_store.report SET ingested_at = $4::timestamptz" ONE_REPORT;

/* The same hash may stand for what is understood in another way now. */
const char rows_reread_evidence[] =
    "UPDATE dmarc_store.evidence k SET (" EVIDENCE_SAID ") = ROW(" EVIDENCE_OF(
        "e.") ")"
              " FROM pg_temp.stage_evidence e WHERE k.domain = e.domain AND k.hash = e.hash"
              " AND ROW(" EVIDENCE_OF("k.") ") IS DISTINCT FROM ROW(" EVIDENCE_OF("e.") ")";
const char rows_reread_profiles[] = "SELECT dmarc_store.change_profiles()";
const char rows_reread_observed_insert[] =
    "INSERT INTO dmarc_store.observed (" OBSERVED_SAME ") SELECT " OBSERVED_SAME
    " FROM pg_temp.stage_observed WHERE report = ANY ($1::bigint[])";

#define OLD_MAIL "sha256 = decode($1, 'hex') AND id = $2::bigint"
#define OLD_DOCUMENTS "mail_sha256 = decode($1, 'hex') AND message = $2::bigint"
#define OLD_ROWS(document) "SELECT " DOCUMENT_SAME " FROM " document " WHERE " OLD_DOCUMENTS
#define NEW_ROWS "SELECT " DOCUMENT_SAME " FROM pg_temp.stage_document"
#define MAIL_DIFFERS(message, document)                                                                      \
    "SELECT (SELECT ROW(" MAIL_SAID ") FROM " message " WHERE " OLD_MAIL                                     \
    ") IS DISTINCT FROM (SELECT ROW(" MAIL_SAID ") FROM pg_temp.stage_message)"                              \
    " OR EXISTS ((" OLD_ROWS(document) " EXCEPT ALL " NEW_ROWS ") UNION ALL (" NEW_ROWS                      \
                                       " EXCEPT ALL " OLD_ROWS(document) "))"
const char *const rows_reread_mail_differs[2] = {
    MAIL_DIFFERS(ALL("message"), ALL("document")),
    MAIL_DIFFERS(GATHERED("message"), GATHERED("document")),
};
const char rows_reread_ordinal[] = "SELECT count(*) + 1 FROM dmarc_store.reading WHERE " OLD_DOCUMENTS;
#define HISTORY(message, document)                                                                           \
    "INSERT INTO dmarc_store.reading (mail_sha256, message, ordinal, command, outcome, problems)"            \
    " SELECT m.sha256, m.id, $4::int, $3, m.outcome,"                                                        \
    " (SELECT array_agg(concat_ws(': ', p.code, p.detail) ORDER BY p.ordinal) FROM"                          \
    " (SELECT m.code, m.detail, 0 AS ordinal WHERE m.code IS NOT NULL UNION ALL"                             \
    " (SELECT code, detail, ordinal FROM " document " WHERE " OLD_DOCUMENTS                                  \
    " AND outcome = 'problem' ORDER BY ordinal LIMIT 100)) p)"                                               \
    " FROM " message " m WHERE " OLD_MAIL
const char *const rows_reread_history[2] = {
    HISTORY(ALL("message"), ALL("document")),
    HISTORY(GATHERED("message"), GATHERED("document")),
};
const char *const rows_reread_mail[3] = {
    "UPDATE dmarc_store.message m SET (" MAIL_SAID ", reread_at) = ROW(" MAIL_OF(
        "s.") ", now())"
              " FROM pg_temp.stage_message s WHERE m.sha256 = decode($1, 'hex') AND m.id = $2::bigint",
    "DELETE FROM dmarc_store.document WHERE " OLD_DOCUMENTS,
    "INSERT INTO dmarc_store.document (" DOCUMENT_SAME ") " NEW_ROWS " WHERE " OLD_DOCUMENTS,
};

#define OLD_REPORTS(document, report, tls_report, failure_report)                                            \
    "SELECT d.path, d.kind, d.outcome, d.domain, d.day, d.report,"                                           \
    " replace(coalesce(r.identity, t.identity, f.identity)::text"                                            \
    " || coalesce(r.content, t.content, f.content)::text, '-', ''),"                                         \
    " coalesce(r.incomplete, false), coalesce(r.replaced, false)"                                            \
    " FROM " document " d"                                                                                   \
    " LEFT JOIN " report " r ON r.domain = d.domain AND r.day = d.day AND r.id = d.report"                   \
    " LEFT JOIN " tls_report " t ON t.domain = d.domain AND t.day = d.day AND t.id = d.report"               \
    " LEFT JOIN " failure_report " f ON f.domain = d.domain AND f.day = d.day AND f.id = d.report"           \
    " WHERE d.mail_sha256 = decode($1, 'hex') AND d.message = $2::bigint AND d.report IS NOT NULL"           \
    " ORDER BY d.ordinal"
const char *const rows_reread_old[2] = {
    OLD_REPORTS(ALL("document"), ALL("report"), ALL("tls_report"), ALL("failure_report")),
    OLD_REPORTS(GATHERED("document"), GATHERED("report"), GATHERED("tls_report"), GATHERED("failure_report")),
};

/* ---- what of it is fetched from many nodes ---- */

const char rows_reread_gathering[] =
    "CREATE TEMP TABLE IF NOT EXISTS stored_message ON COMMIT DELETE ROWS AS"
    " SELECT " MESSAGE_SAME " FROM dmarc_store.message WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stored_document ON COMMIT DELETE ROWS AS"
    " SELECT " DOCUMENT_SAME " FROM dmarc_store.document WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stored_failure_report ON COMMIT DELETE ROWS AS"
    " SELECT domain, day, id, identity, content FROM dmarc_store.failure_report WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stored_observation ON COMMIT DELETE ROWS AS"
    " SELECT " OBSERVATION_SAME " FROM dmarc_store.observation WITH NO DATA;"
    "CREATE TEMP TABLE IF NOT EXISTS stored_evidence ON COMMIT DELETE ROWS AS"
    " SELECT " EVIDENCE_SAME " FROM dmarc_store.evidence WITH NO DATA";
const char rows_reread_gather_begin[] = "DELETE FROM pg_temp.stored_message;"
                                        "DELETE FROM pg_temp.stored_document";
const char *const rows_reread_gather_mail[2] = {
    "INSERT INTO pg_temp.stored_message SELECT " MESSAGE_SAME " FROM dmarc_store.message WHERE " OLD_MAIL,
    "INSERT INTO pg_temp.stored_document SELECT " DOCUMENT_SAME
    " FROM dmarc_store.document WHERE " OLD_DOCUMENTS,
};
#define OF_DOCUMENTS                                                                                         \
    " FROM (SELECT DISTINCT o.domain, o.day, o.report FROM pg_temp.stored_document o"                        \
    " WHERE o.report IS NOT NULL) d JOIN dmarc_store."
#define BY_DOCUMENT " r ON r.domain = d.domain AND r.day = d.day AND r.id = d.report;"
#define KEY "SELECT r.domain, r.day, r.id, r.identity, r.content"
const char rows_reread_gather_old[] =
    "DELETE FROM pg_temp.stored_report;"
    "INSERT INTO pg_temp.stored_report SELECT r.*" OF_DOCUMENTS "report" BY_DOCUMENT
    "DELETE FROM pg_temp.stored_tls_report;"
    "INSERT INTO pg_temp.stored_tls_report " KEY OF_DOCUMENTS "tls_report" BY_DOCUMENT
    "DELETE FROM pg_temp.stored_failure_report;"
    "INSERT INTO pg_temp.stored_failure_report " KEY OF_DOCUMENTS "failure_report" BY_DOCUMENT;
const char rows_reread_gather_evidence[] =
    "DELETE FROM pg_temp.stored_report;"
    "DELETE FROM pg_temp.stored_observation;"
    "DELETE FROM pg_temp.stored_evidence;"
    "INSERT INTO pg_temp.stored_evidence SELECT " EVIDENCE_OF_SAME(
        "e.") " FROM (SELECT DISTINCT o.domain, o.hash FROM pg_temp.stage_evidence o) s"
              " JOIN dmarc_store.evidence e ON e.domain = s.domain AND e.hash = s.hash";
const char *const rows_reread_gather_report[2] = {
    "INSERT INTO pg_temp.stored_report SELECT * FROM dmarc_store.report" ONE_REPORT,
    "INSERT INTO pg_temp.stored_observation SELECT " OBSERVATION_SAME " FROM dmarc_store.observation"
    " WHERE domain = $1 AND day = $2::date AND report = $3::bigint",
};

const char rows_reread_forget[] = "DELETE FROM dmarc_store.original WHERE mail_sha256 = decode($1, 'hex')";
const char rows_reread_private[] = "UPDATE dmarc_store.message SET original = 'private' WHERE sha256 = "
                                   "decode($1, 'hex') AND original = 'kept'";

void rows_words(GByteArray *out, raw_words list)
{
    pgcopy_text_array(out, list, list ? g_strv_length((char **)list) : 0);
}

/* One member of each struct of an array as a text[]: NULL when all of them are. */
static void put_members(GByteArray *out, const void *array, gsize size, gsize offset, guint n)
{
    if (!n) {
        pgcopy_null(out);
        return;
    }
    const char *few[32] = {NULL};
    const char **texts = n > G_N_ELEMENTS(few) ? g_new(const char *, n) : few;
    gboolean any = FALSE;
    for (guint i = 0; i < n; i++) {
        memcpy(&texts[i], (const char *)array + i * size + offset, sizeof texts[i]);
        any = any || texts[i];
    }
    pgcopy_text_array(out, texts, any ? n : 0);
    if (texts != few)
        g_free(texts);
}

void rows_report_begin(GByteArray *out)
{
    pgcopy_row(out, REPORT_COLUMNS);
}

void rows_report_head(GByteArray *out, gint64 id, const guint8 *identity, const struct report_head *head)
{
    static const char *const generations[] = {
        [GENERATION_UNKNOWN] = NULL, [GENERATION_RFC7489] = "rfc7489", [GENERATION_RFC9990] = "rfc9990"};
    const char *const before[] = {head->reporter, head->org_name, head->email, head->extra_contact_info,
                                  head->report_id};
    const char *const middle[] = {generations[head->generation],
                                  head->namespace_uri,
                                  head->version,
                                  head->generator,
                                  head->error,
                                  head->p,
                                  head->sp,
                                  head->np,
                                  head->adkim,
                                  head->aspf};
    const char *const after[] = {head->fo, head->testing, head->discovery_method, head->extensions};
    pgcopy_int8(out, id);
    pgcopy_text(out, head->domain);
    pgcopy_date(out, pgcopy_day(head->begin));
    pgcopy_uuid(out, identity);
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
        pgcopy_text(out, before[i]);
    pgcopy_timestamptz(out, head->begin);
    pgcopy_timestamptz(out, head->end);
    for (gsize i = 0; i < G_N_ELEMENTS(middle); i++)
        pgcopy_text(out, middle[i]);
    if (head->pct < 0)
        pgcopy_null(out);
    else
        pgcopy_int4(out, head->pct);
    for (gsize i = 0; i < G_N_ELEMENTS(after); i++)
        pgcopy_text(out, after[i]);
    rows_words(out, head->raw);
}

/* "3 times, first: detail" */
static char *warning_note(const struct report_warning *warning)
{
    if (warning->count <= 1)
        return g_strdup(warning->detail);
    return g_strdup_printf("%u times%s%s", warning->count, warning->detail ? ", first: " : "",
                           warning->detail ? warning->detail : "");
}

void rows_warnings(GByteArray *out, guint n, const struct report_warning *warnings)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    gboolean any = FALSE;
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(notes, warning_note(&warnings[i]));
        any = any || notes->pdata[i];
    }
    put_members(out, warnings, sizeof *warnings, offsetof(struct report_warning, code), n);
    pgcopy_text_array(out, (const char *const *)notes->pdata, any ? notes->len : 0);
}

static void put_sum(GByteArray *out, const struct message_sum *sum)
{
    char digits[48];
    if (sum->high)
        g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT "%018" G_GUINT64_FORMAT, sum->high, sum->low);
    else
        g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, sum->low);
    pgcopy_text(out, digits);
}

void rows_report_tail(GByteArray *out, const struct report_totals *totals, const struct report_tail *tail)
{
    pgcopy_uuid(out, totals->content);
    pgcopy_int8(out, (gint64)totals->records);
    pgcopy_int8(out, (gint64)tail->records_seen);
    pgcopy_bool(out, tail->incomplete);
    rows_warnings(out, tail->n_warnings, tail->warnings);
    put_sum(out, &totals->messages);
    put_sum(out, &totals->dkim_aligned);
    put_sum(out, &totals->spf_aligned);
    put_sum(out, &totals->disagree);
}

void rows_report_end(GByteArray *out, const struct batch_report *report)
{
    pgcopy_bool(out, report->collision);
    if (report->trust == TRUST_UNKNOWN)
        pgcopy_null(out);
    else
        pgcopy_bool(out, report->trust == TRUST_YES);
    pgcopy_bool(out, report->foreign);
}

static void put_profile(GByteArray *out, const struct profile *profile)
{
    static const gsize members[] = {offsetof(struct profile_name, name),
                                    offsetof(struct profile_name, detail)};
    const GArray *const lists[] = {profile->dkim, profile->spf};
    pgcopy_uuid(out, profile->hash);
    for (gsize l = 0; l < G_N_ELEMENTS(lists); l++)
        for (gsize m = 0; m < G_N_ELEMENTS(members); m++)
            put_members(out, lists[l]->data, sizeof(struct profile_name), members[m], lists[l]->len);
    pgcopy_text_array(out, (const char *const *)profile->reasons->pdata, profile->reasons->len);
    pgcopy_bool(out, profile->own_signed);
}

void rows_evidence(GByteArray *out, const char *domain, const guint8 *hash,
                   const struct report_record *record, const struct profile *profile)
{
    static const gsize dkim[] = {offsetof(struct dkim_result, domain), offsetof(struct dkim_result, selector),
                                 offsetof(struct dkim_result, result), offsetof(struct dkim_result, raw),
                                 offsetof(struct dkim_result, human_result)};
    static const gsize spf[] = {offsetof(struct spf_result, domain), offsetof(struct spf_result, scope),
                                offsetof(struct spf_result, result), offsetof(struct spf_result, raw),
                                offsetof(struct spf_result, human_result)};
    static const gsize reason[] = {offsetof(struct override_reason, type),
                                   offsetof(struct override_reason, raw),
                                   offsetof(struct override_reason, comment)};
    const char *const said[] = {record->header_from, record->envelope_from, record->envelope_to,
                                record->disposition, record->dkim_verdict,  record->spf_verdict};
    const char *const aligned[] = {record->dkim_aligned_domain, record->dkim_aligned_selector,
                                   record->spf_aligned_domain};
    pgcopy_row(out, EVIDENCE_COLUMNS);
    pgcopy_text(out, domain);
    pgcopy_uuid(out, hash);
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
        pgcopy_text(out, said[i]);
    pgcopy_bool(out, record->verdict_computed);
    pgcopy_bool(out, record->dkim_aligned);
    pgcopy_bool(out, record->spf_aligned);
    for (gsize i = 0; i < G_N_ELEMENTS(aligned); i++)
        pgcopy_text(out, aligned[i]);
    pgcopy_bool(out, record->disagree);
    for (gsize i = 0; i < G_N_ELEMENTS(dkim); i++)
        put_members(out, record->dkim, sizeof *record->dkim, dkim[i], record->n_dkim);
    for (gsize i = 0; i < G_N_ELEMENTS(spf); i++)
        put_members(out, record->spf, sizeof *record->spf, spf[i], record->n_spf);
    for (gsize i = 0; i < G_N_ELEMENTS(reason); i++)
        put_members(out, record->reasons, sizeof *record->reasons, reason[i], record->n_reasons);
    pgcopy_text(out, record->extensions);
    rows_words(out, record->raw);
    put_profile(out, profile);
}

void rows_observed(GByteArray *out, const char *domain, gint64 day, gint64 report, struct pack *pack)
{
    pgcopy_row(out, OBSERVED_COLUMNS);
    pgcopy_text(out, domain);
    pgcopy_date(out, day);
    pgcopy_int8(out, report);
    pack_put(pack, out);
}

void rows_sum(GByteArray *out, gint64 report, const struct tally_profile *profile)
{
    pgcopy_row(out, SUM_COLUMNS);
    pgcopy_int8(out, report);
    pgcopy_uuid(out, profile->hash);
    pgcopy_int8(out, (gint64)profile->records);
    put_sum(out, &profile->messages);
    put_sum(out, &profile->quarantined);
    put_sum(out, &profile->rejected);
}

void rows_message(GByteArray *out, const struct batch_message *message)
{
    static const char *const originals[] = {
        [ORIGINAL_KEPT] = "kept", [ORIGINAL_PRIVATE] = "private", [ORIGINAL_LARGE] = "too_large"};
    const struct ledger_message *ledger = &message->ledger;
    pgcopy_row(out, MESSAGE_COLUMNS);
    pgcopy_int8(out, message->id);
    pgcopy_bytea(out, ledger->sha256, 32);
    pgcopy_text(out, ledger->source);
    pgcopy_bool(out, ledger->identity);
    pgcopy_text(out, ledger->message_id);
    pgcopy_text(out, ledger->mail_from);
    pgcopy_text(out, ledger->from_domain);
    pgcopy_text(out, ledger->subject);
    if (ledger->date)
        pgcopy_timestamptz(out, ledger->date);
    else
        pgcopy_null(out);
    pgcopy_int8(out, (gint64)MIN(ledger->size, G_MAXINT64));
    pgcopy_text(out, outcome_words[message->outcome]);
    pgcopy_text(out, ledger->code);
    pgcopy_text(out, ledger->detail);
    pgcopy_text(out, ledger->auth_result);
    pgcopy_text(out, ledger->auth_domain);
    pgcopy_text(out, originals[message->original]);
}

void rows_original(GByteArray *out, const guint8 *sha256, guint64 size, const GByteArray *data)
{
    pgcopy_row(out, ORIGINAL_COLUMNS);
    pgcopy_bytea(out, sha256, 32);
    pgcopy_int8(out, (gint64)size);
    pgcopy_bytea(out, data->data, data->len);
}

static void put_codes(GByteArray *out, const char *codes)
{
    g_auto(GStrv) list = codes ? g_strsplit(codes, " ", -1) : NULL;
    pgcopy_text_array(out, (const char *const *)list, list ? g_strv_length(list) : 0);
}

void rows_document(GByteArray *out, const struct batch_message *message, guint ordinal,
                   const struct batch_document *document, const struct batch_report *report)
{
    pgcopy_row(out, DOCUMENT_COLUMNS);
    pgcopy_bytea(out, message->ledger.sha256, 32);
    pgcopy_int8(out, message->id);
    pgcopy_int4(out, (gint32)ordinal);
    pgcopy_text(out, document->path);
    pgcopy_text(out, document->kind);
    if (document->size < 0)
        pgcopy_null(out);
    else
        pgcopy_int8(out, document->size);
    if (document->sha256)
        pgcopy_bytea(out, document->sha256, 32);
    else
        pgcopy_null(out);
    if (report) {
        pgcopy_text(out, outcome_words[report->fresh ? OUTCOME_STORED : OUTCOME_DUPLICATE]);
        pgcopy_null(out);
        pgcopy_null(out);
        pgcopy_text(out, report->domain);
        pgcopy_date(out, report->day);
        if (report->stored_id)
            pgcopy_int8(out, report->stored_id);
        else
            pgcopy_null(out); /* deleted while we looked */
    } else {
        pgcopy_text(out, outcome_words[document->outcome]);
        pgcopy_text(out, document->code);
        pgcopy_text(out, document->detail);
        pgcopy_null(out);
        pgcopy_null(out);
        pgcopy_null(out);
    }
    put_codes(out, document->warnings);
}
