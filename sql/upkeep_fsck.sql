-- What "whosends fsck" proves: each check is one statement over one month, or over everything that is small, so that it sees one
-- state of the database beside any number of ingesters, in bounded memory. Nothing here changes anything but dmarc_store.repair().

-- The checks, in their order: what is wrong when one fails, whether it goes by months, and what mends it.
CREATE OR REPLACE FUNCTION dmarc_store.checks() RETURNS TABLE (n int, check_name text, part text, repair text) LANGUAGE sql IMMUTABLE AS $fn$
    VALUES (1, 'mail_once', NULL, NULL), (2, 'mail_outcome', NULL, NULL), (3, 'document_has_mail', NULL, NULL),
           (4, 'document_has_report', 'month', NULL), (5, 'original_has_mail', NULL, NULL), (6, 'mail_has_original', NULL, NULL),
           (7, 'reading_has_mail', NULL, NULL), (8, 'report_once', NULL, NULL), (9, 'report_has_document', 'month', NULL),
           (10, 'report_totals', 'month', 'totals'), (11, 'record_has_report', 'month', NULL), (12, 'record_has_evidence', 'month', NULL),
           (13, 'tls_totals', NULL, NULL), (14, 'evidence_has_profile', NULL, NULL), (15, 'profile_hash', 'digit', 'profiles'),
           (16, 'profile_class', NULL, 'classes'), (17, 'profile_day', 'month', 'sums'), (18, 'profile_source', 'month', 'sums'),
           (19, 'unfolded', 'month', 'sums'), (20, 'domain_day', 'month', 'sums'), (21, 'partition', 'month', NULL),
           (22, 'rule_has_sender', NULL, NULL)
$fn$;
COMMENT ON FUNCTION dmarc_store.checks() IS 'The checks of "whosends fsck": name, what it goes by, what repairs what it finds (NULL: nothing)';

-- Each check with its parts.
CREATE OR REPLACE FUNCTION dmarc_store.check_parts() RETURNS TABLE (check_name text, part text, repair text) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT c.check_name, p.part, c.repair
    FROM dmarc_store.checks() c
    JOIN (SELECT 'month' AS kind, m::text AS part
          FROM (SELECT m FROM dmarc_store.stored_months() m
                UNION SELECT dmarc_store.month_of(d.day) FROM dmarc_store.document d WHERE d.report IS NOT NULL) m (m)
          UNION ALL SELECT 'digit', to_hex(d) FROM generate_series(0, 15) d
          UNION ALL VALUES (NULL, NULL)) p ON p.kind IS NOT DISTINCT FROM c.part
    ORDER BY c.n, p.part
$fn$;
COMMENT ON FUNCTION dmarc_store.check_parts() IS 'Each check of "whosends fsck" with its parts, in their order, and what repairs it';

-- ---- the ledger ----

CREATE OR REPLACE FUNCTION dmarc_store.look_mail_once(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.n, x.n, x.example
    FROM (SELECT count(*) AS n FROM dmarc_store.message) a,
         (SELECT count(*) AS n, min(format('mail %s and %s', g.first, g.last)) AS example
          FROM (SELECT min(m.id) AS first, max(m.id) AS last FROM dmarc_store.message m WHERE m.identity
                GROUP BY m.sha256, m.source HAVING count(*) > 1) g) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_mail_once(text) IS 'Check of fsck: no mail is in the ledger twice';

-- What is new in a mail decides, then problems, then what was there before.
CREATE OR REPLACE FUNCTION dmarc_store.look_mail_outcome(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE x.outcome IS DISTINCT FROM x.follows),
           min(format('mail %s is %s, its documents say %s', x.id, x.outcome, x.follows)) FILTER (WHERE x.outcome IS DISTINCT FROM x.follows)
    FROM (SELECT m.id, m.outcome,
                 CASE WHEN d.stored THEN 'stored'
                      WHEN m.code IS NOT NULL OR d.problem THEN 'problem'
                      WHEN d.duplicate OR (d.message IS NULL AND m.outcome = 'duplicate') THEN 'duplicate'
                      ELSE 'no_report' END AS follows
          FROM dmarc_store.message m
          LEFT JOIN (SELECT s.mail_sha256, s.message, bool_or(s.outcome = 'stored') AS stored, bool_or(s.outcome = 'problem') AS problem,
                            bool_or(s.outcome = 'duplicate') AS duplicate
                     FROM dmarc_store.document s GROUP BY s.mail_sha256, s.message) d ON d.mail_sha256 = m.sha256 AND d.message = m.id) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_mail_outcome(text) IS 'Check of fsck: each mail is stored, duplicate, no_report or problem, as its documents say';

CREATE OR REPLACE FUNCTION dmarc_store.look_document_has_mail(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE m.id IS NULL), min(format('mail %s, document %s', d.message, d.ordinal)) FILTER (WHERE m.id IS NULL)
    FROM dmarc_store.document d LEFT JOIN dmarc_store.message m ON m.sha256 = d.mail_sha256 AND m.id = d.message;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_document_has_mail(text) IS 'Check of fsck: each document is of a mail';

-- Of what was pruned the documents may be left, in mails that came later. Documents and reports may lie on different nodes.
CREATE OR REPLACE FUNCTION dmarc_store.look_document_has_report(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
DECLARE
    pruned date := coalesce((SELECT max(p.before) FROM dmarc_store.pruning p), '-infinity');
BEGIN
    RETURN QUERY
    WITH documents AS MATERIALIZED (
        SELECT d.message, d.ordinal, d.report, d.domain, d.day FROM dmarc_store.document d
        WHERE d.report IS NOT NULL AND d.day >= part::date AND d.day < dmarc_store.month_behind(part::date)
    ), reports AS MATERIALIZED (
        SELECT r.domain, r.day, r.id FROM dmarc_store.report r WHERE r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
        UNION ALL
        SELECT t.domain, t.day, t.id FROM dmarc_store.tls_report t WHERE t.day >= part::date AND t.day < dmarc_store.month_behind(part::date)
        UNION ALL
        SELECT f.domain, f.day, f.id FROM dmarc_store.failure_report f WHERE f.day >= part::date AND f.day < dmarc_store.month_behind(part::date)
    )
    SELECT count(*), count(*) FILTER (WHERE x.lost), min(format('mail %s, document %s: report %s of %s, %s', x.message, x.ordinal, x.report, x.domain, x.day)) FILTER (WHERE x.lost)
    FROM (SELECT d.message, d.ordinal, d.report, d.domain, d.day, r.id IS NULL AND d.day >= pruned AS lost
          FROM documents d LEFT JOIN reports r ON r.domain = d.domain AND r.day = d.day AND r.id = d.report) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_document_has_report(text) IS 'Check of fsck: the report that a document names is there, unless it was pruned';

CREATE OR REPLACE FUNCTION dmarc_store.look_original_has_mail(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE x.lost), min(encode(x.mail_sha256, 'hex')) FILTER (WHERE x.lost)
    FROM (SELECT o.mail_sha256, NOT EXISTS (SELECT FROM dmarc_store.message m WHERE m.sha256 = o.mail_sha256) AS lost FROM dmarc_store.original o) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_original_has_mail(text) IS 'Check of fsck: each original is of a mail';

CREATE OR REPLACE FUNCTION dmarc_store.look_mail_has_original(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE o.mail_sha256 IS NULL), min(format('mail %s', m.id)) FILTER (WHERE o.mail_sha256 IS NULL)
    FROM dmarc_store.message m LEFT JOIN dmarc_store.original o ON o.mail_sha256 = m.sha256
    WHERE m.original = 'kept';
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_mail_has_original(text) IS 'Check of fsck: an original that is kept, as the ledger says, is there';

CREATE OR REPLACE FUNCTION dmarc_store.look_reading_has_mail(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE m.id IS NULL), min(format('mail %s', d.message)) FILTER (WHERE m.id IS NULL)
    FROM dmarc_store.reading d LEFT JOIN dmarc_store.message m ON m.sha256 = d.mail_sha256 AND m.id = d.message;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_reading_has_mail(text) IS 'Check of fsck: what was known of a mail before is of a mail';

-- ---- reports and records ----

CREATE OR REPLACE FUNCTION dmarc_store.look_report_once(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.n, x.n, x.example
    FROM (SELECT count(*) AS n FROM dmarc_store.report) a,
         (SELECT count(*) AS n, min(format('reports %s and %s of %s', g.first, g.last, g.domain)) AS example
          FROM (SELECT r.domain, min(r.id) AS first, max(r.id) AS last FROM dmarc_store.report r
                GROUP BY r.domain, r.identity, r.content HAVING count(*) > 1) g) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_report_once(text) IS 'Check of fsck: no report is stored twice';

CREATE OR REPLACE FUNCTION dmarc_store.look_report_has_document(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH documents AS MATERIALIZED (
        SELECT d.domain, d.day, d.report, count(*) AS n FROM dmarc_store.document d
        WHERE d.report IS NOT NULL AND d.outcome = 'stored' AND d.day >= part::date AND d.day < dmarc_store.month_behind(part::date)
        GROUP BY d.domain, d.day, d.report
    ), reports AS MATERIALIZED (
        SELECT r.domain, r.day, r.id FROM dmarc_store.report r WHERE r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
        UNION ALL
        SELECT t.domain, t.day, t.id FROM dmarc_store.tls_report t WHERE t.day >= part::date AND t.day < dmarc_store.month_behind(part::date)
        UNION ALL
        SELECT f.domain, f.day, f.id FROM dmarc_store.failure_report f WHERE f.day >= part::date AND f.day < dmarc_store.month_behind(part::date)
    )
    SELECT count(*), count(*) FILTER (WHERE x.documents <> 1),
           min(format('report %s of %s, %s, is brought by %s documents', x.id, x.domain, x.day, x.documents)) FILTER (WHERE x.documents <> 1)
    FROM (SELECT r.id, r.domain, r.day, coalesce(d.n, 0) AS documents
          FROM reports r LEFT JOIN documents d ON d.report = r.id AND d.domain = r.domain AND d.day = r.day) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_report_has_document(text) IS 'Check of fsck: each report was brought by exactly one document';

-- What the records of each report come to. Those of a report that was replaced are gone, and its totals say what they were.
CREATE OR REPLACE FUNCTION dmarc_store.true_totals(month date)
RETURNS TABLE (domain text, day date, id bigint, record_count bigint, message_count numeric, dkim_aligned_count numeric,
               spf_aligned_count numeric, disagree_count numeric, wrong boolean)
LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.domain, r.day, r.id, coalesce(o.records, 0), coalesce(o.messages, 0), coalesce(o.dkim, 0), coalesce(o.spf, 0), coalesce(o.disagree, 0),
           (r.record_count, r.message_count, r.dkim_aligned_count, r.spf_aligned_count, r.disagree_count)
           IS DISTINCT FROM (coalesce(o.records, 0), coalesce(o.messages, 0), coalesce(o.dkim, 0), coalesce(o.spf, 0), coalesce(o.disagree, 0))
    FROM dmarc_store.report r
    LEFT JOIN (SELECT s.domain, s.day, s.report, count(*) AS records, sum(s.message_count) AS messages,
                      sum(s.message_count) FILTER (WHERE e.dkim_aligned) AS dkim, sum(s.message_count) FILTER (WHERE e.spf_aligned) AS spf,
                      sum(s.message_count) FILTER (WHERE e.disagree) AS disagree
               FROM dmarc_store.observation s
               LEFT JOIN dmarc_store.evidence e ON e.domain = s.domain AND e.hash = s.evidence
               WHERE s.day >= month AND s.day < dmarc_store.month_behind(month)
               GROUP BY s.domain, s.day, s.report) o ON o.domain = r.domain AND o.day = r.day AND o.report = r.id
    WHERE r.day >= month AND r.day < dmarc_store.month_behind(month) AND NOT r.replaced;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.true_totals(date) IS 'The totals of the reports of a month by their records, and whether what is stored is something else';

CREATE OR REPLACE FUNCTION dmarc_store.look_report_totals(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE t.wrong),
           min(format('report %s of %s, %s: %s records, %s messages', t.id, t.domain, t.day, t.record_count, t.message_count)) FILTER (WHERE t.wrong)
    FROM dmarc_store.true_totals(part::date) t;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_report_totals(text) IS 'Check of fsck: the totals of each report are the sums of its records';

CREATE OR REPLACE FUNCTION dmarc_store.look_record_has_report(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE r.id IS NULL OR r.replaced),
           min(format('record %s of report %s of %s, %s', o.ordinal, o.report, o.domain, o.day)) FILTER (WHERE r.id IS NULL OR r.replaced)
    FROM dmarc_store.observation o
    LEFT JOIN dmarc_store.report r ON r.domain = o.domain AND r.day = o.day AND r.id = o.report
         AND r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
    WHERE o.day >= part::date AND o.day < dmarc_store.month_behind(part::date);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_record_has_report(text) IS 'Check of fsck: each record is of a report, and of none that was replaced';

CREATE OR REPLACE FUNCTION dmarc_store.look_record_has_evidence(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE e.hash IS NULL),
           min(format('record %s of report %s of %s, %s', o.ordinal, o.report, o.domain, o.day)) FILTER (WHERE e.hash IS NULL)
    FROM dmarc_store.observation o
    LEFT JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
    WHERE o.day >= part::date AND o.day < dmarc_store.month_behind(part::date);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_record_has_evidence(text) IS 'Check of fsck: each record has its evidence';

CREATE OR REPLACE FUNCTION dmarc_store.look_tls_totals(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE x.wrong), min(format('TLS report %s of %s, %s', x.id, x.domain, x.day)) FILTER (WHERE x.wrong)
    FROM (SELECT coalesce(t.id, p.report, f.report) AS id, coalesce(t.domain, p.domain, f.domain) AS domain, coalesce(t.day, p.day, f.day) AS day,
                 t.id IS NULL OR t.policy_count <> coalesce(p.n, 0) OR t.failure_count <> coalesce(f.n, 0) OR f.lost > 0 AS wrong
          FROM dmarc_store.tls_report t
          FULL JOIN (SELECT k.domain, k.day, k.report, count(*) AS n FROM dmarc_store.tls_policy k GROUP BY k.domain, k.day, k.report) p
               ON p.domain = t.domain AND p.day = t.day AND p.report = t.id
          FULL JOIN (SELECT k.domain, k.day, k.report, count(*) AS n, count(*) FILTER (WHERE y.ordinal IS NULL) AS lost
                     FROM dmarc_store.tls_failure k
                     LEFT JOIN dmarc_store.tls_policy y ON y.domain = k.domain AND y.day = k.day AND y.report = k.report AND y.ordinal = k.policy
                     GROUP BY k.domain, k.day, k.report) f
               ON f.domain = t.domain AND f.day = t.day AND f.report = t.id) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_tls_totals(text) IS 'Check of fsck: the policies and failures of TLS reports are all there, of a report, and each failure of a policy';

-- ---- what was made of them ----

CREATE OR REPLACE FUNCTION dmarc_store.look_evidence_has_profile(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE p.hash IS NULL), min(format('evidence %s of %s', e.hash, e.domain)) FILTER (WHERE p.hash IS NULL)
    FROM dmarc_store.evidence e LEFT JOIN dmarc_store.profile p ON p.domain = e.domain AND p.hash = e.profile;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_evidence_has_profile(text) IS 'Check of fsck: each piece of evidence has its profile';

-- The evidence whose hash begins with a digit, its profile as it follows from it, and whether something else is stored. In portions,
-- and of evidence only what a profile is made of: the rest may be as long as strangers like.
CREATE OR REPLACE FUNCTION dmarc_store.true_profiles(digit text) RETURNS TABLE (domain text, hash uuid, profile dmarc_store.profile, wrong boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    chunk     dmarc_store.evidence[];
    at_domain text := '';
    at_hash   uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        SELECT array_agg(ROW(e.domain, e.hash, e.header_from, NULL, NULL, NULL, NULL, NULL, NULL, e.dkim_aligned, e.spf_aligned,
                   e.dkim_aligned_domain, e.dkim_aligned_selector, e.spf_aligned_domain, NULL, e.dkim_domains, e.dkim_selectors, e.dkim_results,
                   NULL, NULL, e.spf_domains, e.spf_scopes, e.spf_results, NULL, NULL, e.reason_types, NULL, NULL, NULL, NULL, e.profile)::dmarc_store.evidence)
        INTO chunk
        FROM (SELECT x.domain, x.hash, x.header_from, x.dkim_aligned, x.spf_aligned, x.dkim_aligned_domain, x.dkim_aligned_selector,
                     x.spf_aligned_domain, x.dkim_domains, x.dkim_selectors, x.dkim_results, x.spf_domains, x.spf_scopes, x.spf_results,
                     x.reason_types, x.profile
              FROM dmarc_store.evidence x WHERE left(x.hash::text, 1) = digit AND (x.domain, x.hash) > (at_domain, at_hash)
              ORDER BY x.domain, x.hash LIMIT 5000) e;
        EXIT WHEN chunk IS NULL;
        RETURN QUERY
        WITH meant AS MATERIALIZED (
            SELECT c.domain, c.hash AS evidence, c.profile AS stored, p.hash, p.header_from, p.dkim_aligned, p.spf_aligned, p.dkim_aligned_domain,
                   p.dkim_aligned_selector, p.spf_aligned_domain, p.dkim_domains, p.dkim_selectors, p.spf_domains, p.spf_scopes, p.reason_types, p.own_signed
            FROM unnest(chunk) WITH ORDINALITY c
            JOIN dmarc_store.profiles_of(chunk) WITH ORDINALITY p ON p.ordinality = c.ordinality
        ), wanted AS MATERIALIZED (
            SELECT DISTINCT m.domain, m.hash FROM meant m
        ), there AS MATERIALIZED (
            SELECT k.domain, k.hash, k.header_from, k.dkim_aligned, k.spf_aligned, k.dkim_aligned_domain, k.dkim_aligned_selector, k.spf_aligned_domain,
                   k.dkim_domains, k.dkim_selectors, k.spf_domains, k.spf_scopes, k.reason_types, k.own_signed
            FROM wanted w JOIN dmarc_store.profile k ON k.domain = w.domain AND k.hash = w.hash
        )
        SELECT m.domain, m.evidence, ROW(m.domain, m.hash, m.header_from, m.dkim_aligned, m.spf_aligned, m.dkim_aligned_domain, m.dkim_aligned_selector,
                   m.spf_aligned_domain, m.dkim_domains, m.dkim_selectors, m.spf_domains, m.spf_scopes, m.reason_types,
                   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, m.own_signed)::dmarc_store.profile,
               m.stored IS DISTINCT FROM m.hash OR k.hash IS NULL
               OR (k.header_from, k.dkim_aligned, k.spf_aligned, k.dkim_aligned_domain, k.dkim_aligned_selector, k.spf_aligned_domain,
                   k.dkim_domains, k.dkim_selectors, k.spf_domains, k.spf_scopes, k.reason_types, k.own_signed)
                  IS DISTINCT FROM (m.header_from, m.dkim_aligned, m.spf_aligned, m.dkim_aligned_domain, m.dkim_aligned_selector,
                                    m.spf_aligned_domain, m.dkim_domains, m.dkim_selectors, m.spf_domains, m.spf_scopes, m.reason_types, m.own_signed)
        FROM meant m
        LEFT JOIN there k ON k.domain = m.domain AND k.hash = m.hash;
        at_domain := chunk[cardinality(chunk)].domain;
        at_hash := chunk[cardinality(chunk)].hash;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.true_profiles(text) IS 'The profile of each piece of evidence whose hash begins with this digit, and whether what is stored is something else';

CREATE OR REPLACE FUNCTION dmarc_store.look_profile_hash(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE t.wrong), min(format('evidence %s of %s', t.hash, t.domain)) FILTER (WHERE t.wrong)
    FROM dmarc_store.true_profiles(part) t;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_profile_hash(text) IS 'Check of fsck: the profile of each piece of evidence is the one that follows from it';

CREATE OR REPLACE FUNCTION dmarc_store.look_profile_class(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT coalesce(sum(m.looked_at), 0)::bigint, coalesce(sum(m.wrong), 0)::bigint, min(m.example) FROM dmarc_store.misjudged() m;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_profile_class(text) IS 'Check of fsck: class and name of each profile are what the catalogue says now';

-- ---- the sums ----

CREATE OR REPLACE FUNCTION dmarc_store.look_profile_day(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH grouped AS MATERIALIZED (
        SELECT o.domain, o.day, r.trusted IS FALSE OR r.foreign_domain AS doubtful, o.evidence, count(*) AS records, sum(o.message_count) AS messages
        FROM dmarc_store.observation o
        JOIN dmarc_store.report r ON r.domain = o.domain AND r.day = o.day AND r.id = o.report
        WHERE o.day >= part::date AND o.day < dmarc_store.month_behind(part::date) AND r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
          AND NOT r.replaced
        GROUP BY o.domain, o.day, r.trusted IS FALSE OR r.foreign_domain, o.evidence
    ), sums AS MATERIALIZED (
        SELECT g.domain, g.day, e.profile, g.doubtful, sum(g.records)::bigint AS records, sum(g.messages) AS messages,
               coalesce(sum(g.messages) FILTER (WHERE e.disposition = 'quarantine'), 0) AS quarantined,
               coalesce(sum(g.messages) FILTER (WHERE e.disposition = 'reject'), 0) AS rejected
        FROM grouped g JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
        GROUP BY g.domain, g.day, e.profile, g.doubtful
    ), stored AS MATERIALIZED (
        SELECT t.domain, t.day, t.profile, t.doubtful, sum(t.records)::bigint AS records, sum(t.messages) AS messages,
               sum(t.quarantined) AS quarantined, sum(t.rejected) AS rejected
        FROM dmarc_store.profile_day t WHERE t.day >= part::date AND t.day < dmarc_store.month_behind(part::date)
        GROUP BY t.domain, t.day, t.profile, t.doubtful
        HAVING sum(t.records) <> 0 OR sum(t.messages) <> 0 OR sum(t.quarantined) <> 0 OR sum(t.rejected) <> 0
    ), both_sides AS (
        SELECT coalesce(s.domain, d.domain) AS domain, coalesce(s.day, d.day) AS day, coalesce(s.profile, d.profile) AS profile,
               (s.records, s.messages, s.quarantined, s.rejected) IS DISTINCT FROM (d.records, d.messages, d.quarantined, d.rejected) AS wrong,
               s.messages AS should, d.messages AS is
        FROM sums s
        FULL JOIN stored d
             ON d.domain = s.domain AND d.day = s.day AND d.profile = s.profile AND d.doubtful = s.doubtful
    )
    SELECT count(*), count(*) FILTER (WHERE b.wrong),
           min(format('%s, %s, profile %s: %s messages, its records have %s', b.domain, b.day, b.profile, coalesce(b.is, 0), coalesce(b.should, 0))) FILTER (WHERE b.wrong)
    FROM both_sides b;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_profile_day(text) IS 'Check of fsck: the daily sums are those of the records, both ways';

CREATE OR REPLACE FUNCTION dmarc_store.look_profile_source(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH grouped AS MATERIALIZED (
        SELECT o.domain, o.source_ip, r.trusted IS FALSE OR r.foreign_domain AS doubtful, o.evidence,
               bit_or(1 << (extract(day FROM o.day)::int - 1)) AS days
        FROM dmarc_store.observation o
        JOIN dmarc_store.report r ON r.domain = o.domain AND r.day = o.day AND r.id = o.report
        LEFT JOIN dmarc_store.unfolded u ON u.domain = o.domain AND u.day = o.day AND u.report = o.report
        WHERE o.day >= part::date AND o.day < dmarc_store.month_behind(part::date) AND r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
          AND NOT r.replaced AND o.source_ip IS NOT NULL AND u.report IS NULL
        GROUP BY o.domain, o.source_ip, r.trusted IS FALSE OR r.foreign_domain, o.evidence
    ), sent AS MATERIALIZED (
        SELECT g.domain, g.source_ip, e.profile, g.doubtful, bit_or(g.days) AS days
        FROM grouped g JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
        GROUP BY g.domain, g.source_ip, e.profile, g.doubtful
    ), stored AS MATERIALIZED (
        SELECT t.domain, t.source_ip, t.profile, t.doubtful, min(t.days) AS days, count(*) = 1 AND min(t.day) = part::date AS once
        FROM dmarc_store.profile_source t
        WHERE t.day >= part::date AND t.day < dmarc_store.month_behind(part::date)
        GROUP BY t.domain, t.source_ip, t.profile, t.doubtful
    ), both_sides AS (
        SELECT coalesce(s.domain, d.domain) AS domain, coalesce(s.source_ip, d.source_ip) AS source_ip, coalesce(s.profile, d.profile) AS profile,
               s.days IS DISTINCT FROM d.days OR NOT d.once AS wrong
        FROM sent s
        FULL JOIN stored d
             ON d.domain = s.domain AND d.source_ip = s.source_ip AND d.profile = s.profile AND d.doubtful = s.doubtful
    )
    SELECT count(*), count(*) FILTER (WHERE b.wrong),
           min(format('%s, %s, month of %s, profile %s', b.domain, host(b.source_ip), part, b.profile)) FILTER (WHERE b.wrong)
    FROM both_sides b;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_profile_source(text) IS 'Check of fsck: the addresses of each month are those of the records of reports that are folded, both ways';

CREATE OR REPLACE FUNCTION dmarc_store.look_unfolded(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE x.wrong), min(format('report %s of %s, %s', x.report, x.domain, x.day)) FILTER (WHERE x.wrong)
    FROM (SELECT u.report, u.domain, u.day,
                 r.id IS NULL OR r.replaced OR (r.trusted IS FALSE OR r.foreign_domain) <> u.doubtful
                 OR r.record_count <> u.records AS wrong
          FROM dmarc_store.unfolded u
          LEFT JOIN dmarc_store.report r ON r.domain = u.domain AND r.day = u.day AND r.id = u.report
               AND r.day >= part::date AND r.day < dmarc_store.month_behind(part::date)
          WHERE u.day >= part::date AND u.day < dmarc_store.month_behind(part::date)) x;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_unfolded(text) IS 'Check of fsck: the reports whose addresses wait are there, with as many records and as doubtful as it says';

CREATE OR REPLACE FUNCTION dmarc_store.look_domain_day(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH sums AS MATERIALIZED (
        SELECT s.domain, s.day, s.doubtful, sum(s.records)::bigint AS records, sum(s.messages) AS messages,
               coalesce(sum(s.messages) FILTER (WHERE p.dkim_aligned OR p.spf_aligned), 0) AS passed,
               coalesce(sum(s.messages) FILTER (WHERE p.class = 'authorised'), 0) AS authorised,
               coalesce(sum(s.messages) FILTER (WHERE p.class = 'misconfigured'), 0) AS misconfigured,
               coalesce(sum(s.messages) FILTER (WHERE p.class = 'forwarded'), 0) AS forwarded,
               coalesce(sum(s.messages) FILTER (WHERE p.class = 'unknown'), 0) AS unknown,
               coalesce(sum(s.messages) FILTER (WHERE p.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(s.messages) FILTER (WHERE p.spf_aligned), 0) AS spf_aligned,
               sum(s.quarantined) AS quarantined, sum(s.rejected) AS rejected
        FROM dmarc_store.profile_day s LEFT JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
        WHERE s.day >= part::date AND s.day < dmarc_store.month_behind(part::date)
        GROUP BY s.domain, s.day, s.doubtful
        HAVING sum(s.records) <> 0
    ), heads AS MATERIALIZED (
        SELECT r.domain, r.day, r.trusted IS FALSE OR r.foreign_domain AS doubtful, count(*) AS reports
        FROM dmarc_store.report r
        WHERE r.day >= part::date AND r.day < dmarc_store.month_behind(part::date) AND NOT r.replaced
        GROUP BY r.domain, r.day, r.trusted IS FALSE OR r.foreign_domain
    ), stored AS MATERIALIZED (
        SELECT t.* FROM dmarc_store.domain_day t WHERE t.day >= part::date AND t.day < dmarc_store.month_behind(part::date)
    ), both_sides AS (
        SELECT coalesce(h.domain, s.domain, d.domain) AS domain, coalesce(h.day, s.day, d.day) AS day,
               d.domain IS NULL OR (h.domain IS NULL AND s.domain IS NULL)
               OR (d.reports, d.records, d.messages, d.passed, d.authorised, d.misconfigured, d.forwarded, d.unknown, d.dkim_aligned, d.spf_aligned,
                   d.quarantined, d.rejected)
                  IS DISTINCT FROM (coalesce(h.reports, 0), coalesce(s.records, 0), coalesce(s.messages, 0), coalesce(s.passed, 0),
                                    coalesce(s.authorised, 0), coalesce(s.misconfigured, 0), coalesce(s.forwarded, 0), coalesce(s.unknown, 0),
                                    coalesce(s.dkim_aligned, 0), coalesce(s.spf_aligned, 0), coalesce(s.quarantined, 0), coalesce(s.rejected, 0)) AS wrong
        FROM heads h
        FULL JOIN sums s ON s.domain = h.domain AND s.day = h.day AND s.doubtful = h.doubtful
        FULL JOIN stored d
             ON d.domain = coalesce(h.domain, s.domain) AND d.day = coalesce(h.day, s.day) AND d.doubtful = coalesce(h.doubtful, s.doubtful)
    )
    SELECT count(*), count(*) FILTER (WHERE b.wrong), min(format('%s, %s', b.domain, b.day)) FILTER (WHERE b.wrong) FROM both_sides b;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_domain_day(text) IS 'Check of fsck: what is summed up for each domain and day is what the profiles of that day and the reports come to';

-- PostgreSQL sees to it that a partition holds what its bounds say: so that these are those of its name, and hold.
CREATE OR REPLACE FUNCTION dmarc_store.look_partition(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    first   date := part::date;
    last    date := dmarc_store.month_behind(first);
    parent  text;
    child   text;
    outside bigint;
BEGIN
    looked_at := 0;
    wrong := 0;
    FOREACH parent IN ARRAY dmarc_store.month_tables() LOOP
        child := parent || '_' || to_char(first, 'YYYYMM');
        CONTINUE WHEN to_regclass(format('dmarc_store.%I', child)) IS NULL;
        EXECUTE format('SELECT count(*) FROM dmarc_store.%I WHERE day < %L OR day >= %L', child, first, last) INTO outside;
        looked_at := looked_at + 1;
        IF outside > 0 OR NOT EXISTS (
            SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhrelid = to_regclass(format('dmarc_store.%I', child)) AND i.inhparent = to_regclass(format('dmarc_store.%I', parent))
              AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES FROM (%L) TO (%L)', first, last)) THEN
            wrong := wrong + 1;
            example := least(example, child);
        END IF;
    END LOOP;
    RETURN NEXT;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_partition(text) IS 'Check of fsck: each partition holds the month of its name and nothing else';

CREATE OR REPLACE FUNCTION dmarc_store.look_rule_has_sender(part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT count(*), count(*) FILTER (WHERE s.key IS NULL),
           min(format('rule %s %s names nobody: no sender has the key %s', r.kind, r.pattern, r.sender)) FILTER (WHERE s.key IS NULL)
    FROM dmarc_store.sender_rule r LEFT JOIN dmarc_store.sender s ON s.key = r.sender;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look_rule_has_sender(text) IS 'Check of fsck: each rule of the catalogue is of a sender';

-- ---- all of it ----

-- One part of one check. The planner takes pairs of keys for far rarer than they are, and would loop.
CREATE OR REPLACE FUNCTION dmarc_store.look(check_name text, part text) RETURNS TABLE (looked_at bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_nestloop = off SET enable_mergejoin = off
SET jit = off SET work_mem = '64MB' SET DateStyle = 'ISO' AS $fn$
BEGIN
    IF NOT EXISTS (SELECT FROM dmarc_store.checks() c WHERE c.check_name = $1) THEN
        RAISE EXCEPTION 'no check: %', check_name;
    END IF;
    RETURN QUERY EXECUTE format('SELECT * FROM dmarc_store.%I(%L)', 'look_' || check_name, part);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.look(text, text) IS 'Makes one part of one check: how many were looked at, how many are wrong, and an example';

CREATE OR REPLACE FUNCTION dmarc.fsck() RETURNS TABLE (check_name text, looked_at bigint, wrong bigint, example text) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    one   pg_catalog.record;
    found pg_catalog.record;
BEGIN
    FOR one IN SELECT p.check_name AS name, p.part, lead(p.check_name) OVER () AS next FROM dmarc_store.check_parts() p LOOP
        SELECT * INTO found FROM dmarc_store.look(one.name, one.part);
        looked_at := coalesce(looked_at, 0) + coalesce(found.looked_at, 0);
        wrong := coalesce(wrong, 0) + coalesce(found.wrong, 0);
        example := coalesce(example, found.example);
        IF one.next IS DISTINCT FROM one.name THEN
            check_name := one.name;
            RETURN NEXT;
            looked_at := 0;
            wrong := 0;
            example := NULL;
        END IF;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc.fsck() IS 'Proves that what is stored holds together: each check with how many were looked at, how many are wrong, and an example. For who may read the tables';

-- Makes anew what one part of a check found wrong, from the records, which it never touches. Sums are left unfolded.
CREATE OR REPLACE FUNCTION dmarc_store.repair(repair text, part text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET jit = off SET DateStyle = 'ISO' AS $fn$
DECLARE
    profiles dmarc_store.profile[];
BEGIN
    PERFORM dmarc_store.lock_alone();
    IF repair = 'totals' THEN
        -- First what is wrong: of many nodes each would call the function for itself.
        WITH wrong AS MATERIALIZED (
            SELECT t.* FROM dmarc_store.true_totals(part::date) t WHERE t.wrong
        )
        UPDATE dmarc_store.report r
        SET record_count = w.record_count, message_count = w.message_count, dkim_aligned_count = w.dkim_aligned_count,
            spf_aligned_count = w.spf_aligned_count, disagree_count = w.disagree_count
        FROM wrong w
        WHERE r.domain = w.domain AND r.day = w.day AND r.id = w.id;
    ELSIF repair = 'profiles' THEN
        WITH wrong AS MATERIALIZED (
            SELECT t.domain, t.hash, t.profile FROM dmarc_store.true_profiles(part) t WHERE t.wrong
        ), done AS (
            UPDATE dmarc_store.evidence e SET profile = (w.profile).hash FROM wrong w WHERE e.domain = w.domain AND e.hash = w.hash
            RETURNING e.hash
        ), gone AS (
            -- What stands under its hash is something else: it is judged and stored anew.
            DELETE FROM dmarc_store.profile k USING wrong w WHERE k.domain = w.domain AND k.hash = (w.profile).hash
            RETURNING k.hash
        )
        SELECT array_agg(w.profile) INTO profiles FROM wrong w;
        PERFORM dmarc_store.take_profiles(profiles);
    ELSIF repair = 'classes' THEN
        PERFORM dmarc_store.reclassify();
    ELSIF repair = 'sums' THEN
        PERFORM dmarc_store.rebuild(NULL, part::date, part::date);
    ELSE
        RAISE EXCEPTION 'no repair: %', repair;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.repair(text, text) IS 'Makes anew what a part of a check found wrong (totals, profiles, classes, sums), from the records';
