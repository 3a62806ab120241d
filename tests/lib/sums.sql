-- Each sum that is not what the records say: one row each, none when all is well. The way from a record to its profile and class is
-- that of the stored evidence; what is added up is worked out here once more.
-- Tables that were only just filled have no statistics.
SET enable_nestloop = off;
WITH counted AS MATERIALIZED (
    SELECT o.domain, o.day, o.source_ip, o.message_count, e.profile, e.disposition, (r.trusted IS FALSE OR r.foreign_domain) AS doubtful,
           e.dkim_aligned, e.spf_aligned, e.disagree, r.id AS report, p.class
    FROM dmarc_store.observation o
    JOIN dmarc_store.report r ON r.domain = o.domain AND r.day = o.day AND r.id = o.report
    JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
    LEFT JOIN dmarc_store.profile p ON p.domain = e.domain AND p.hash = e.profile
    WHERE NOT r.replaced
), profile_day AS (
    SELECT c.domain, c.day, c.profile, c.doubtful, count(*) AS records, sum(c.message_count) AS messages,
           coalesce(sum(c.message_count) FILTER (WHERE c.disposition = 'quarantine'), 0) AS quarantined,
           coalesce(sum(c.message_count) FILTER (WHERE c.disposition = 'reject'), 0) AS rejected
    FROM counted c GROUP BY c.domain, c.day, c.profile, c.doubtful
), stored_day AS (
    SELECT d.domain, d.day, d.profile, d.doubtful, sum(d.records)::bigint AS records, sum(d.messages) AS messages,
           sum(d.quarantined) AS quarantined, sum(d.rejected) AS rejected
    FROM dmarc_store.profile_day d GROUP BY d.domain, d.day, d.profile, d.doubtful HAVING sum(d.records) <> 0
), domain_day AS (
    SELECT r.domain, r.day, (r.trusted IS FALSE OR r.foreign_domain) AS doubtful, count(*) AS reports
    FROM dmarc_store.report r WHERE NOT r.replaced GROUP BY 1, 2, 3
), classes AS (
    SELECT d.domain, d.day, d.doubtful, d.reports, count(c.report) AS records, coalesce(sum(c.message_count), 0) AS messages,
           coalesce(sum(c.message_count) FILTER (WHERE c.dkim_aligned OR c.spf_aligned), 0) AS passed,
           coalesce(sum(c.message_count) FILTER (WHERE c.class = 'authorised'), 0) AS authorised,
           coalesce(sum(c.message_count) FILTER (WHERE c.class = 'misconfigured'), 0) AS misconfigured,
           coalesce(sum(c.message_count) FILTER (WHERE c.class = 'forwarded'), 0) AS forwarded,
           coalesce(sum(c.message_count) FILTER (WHERE c.class = 'unknown'), 0) AS unknown,
           coalesce(sum(c.message_count) FILTER (WHERE c.dkim_aligned), 0) AS dkim_aligned,
           coalesce(sum(c.message_count) FILTER (WHERE c.spf_aligned), 0) AS spf_aligned,
           coalesce(sum(c.message_count) FILTER (WHERE c.disposition = 'quarantine'), 0) AS quarantined,
           coalesce(sum(c.message_count) FILTER (WHERE c.disposition = 'reject'), 0) AS rejected
    FROM domain_day d LEFT JOIN counted c ON c.domain = d.domain AND c.day = d.day AND c.doubtful = d.doubtful
    GROUP BY d.domain, d.day, d.doubtful, d.reports
), seen AS (
    SELECT c.domain, date_trunc('month', greatest(c.day, '4713-01-01 BC')::timestamp)::date AS month, c.source_ip, c.profile, c.doubtful, extract(day FROM c.day)::int AS day
    FROM counted c WHERE c.source_ip IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
), stored_seen AS (
    SELECT s.domain, s.day AS month, s.source_ip, s.profile, s.doubtful, n AS day
    FROM dmarc_store.profile_source s, generate_series(1, 31) n WHERE (s.days & (1 << n - 1)) <> 0
    UNION
    SELECT f.domain, date_trunc('month', greatest(f.day, '4713-01-01 BC')::timestamp)::date, f.source_ip, f.profile, f.doubtful, extract(day FROM f.day)::int
    FROM dmarc_store.fresh_source f
), report_sums AS (
    SELECT r.domain, r.day, r.id FROM dmarc_store.report r
    LEFT JOIN (SELECT c.domain, c.day, c.report, sum(c.message_count) AS messages, coalesce(sum(c.message_count) FILTER (WHERE c.dkim_aligned), 0) AS dkim,
                      coalesce(sum(c.message_count) FILTER (WHERE c.spf_aligned), 0) AS spf, coalesce(sum(c.message_count) FILTER (WHERE c.disagree), 0) AS disagree
               FROM counted c GROUP BY 1, 2, 3) c ON c.domain = r.domain AND c.day = r.day AND c.report = r.id
    WHERE NOT r.replaced AND (r.message_count, r.dkim_aligned_count, r.spf_aligned_count, r.disagree_count)
                             IS DISTINCT FROM (coalesce(c.messages, 0), coalesce(c.dkim, 0), coalesce(c.spf, 0), coalesce(c.disagree, 0))
)
SELECT 'profile_day', x::text FROM ((TABLE profile_day EXCEPT TABLE stored_day) UNION ALL (TABLE stored_day EXCEPT TABLE profile_day)) x
UNION ALL
SELECT 'domain_day', x::text FROM ((TABLE classes EXCEPT TABLE dmarc_store.domain_day) UNION ALL (TABLE dmarc_store.domain_day EXCEPT TABLE classes)) x
UNION ALL
SELECT 'profile_source', x::text FROM ((TABLE seen EXCEPT TABLE stored_seen) UNION ALL (TABLE stored_seen EXCEPT TABLE seen)) x
UNION ALL
SELECT 'report', x::text FROM report_sums x
UNION ALL
SELECT 'profile', s.domain || ' ' || s.hash
FROM (SELECT e.domain, e.hash, e.profile, row_number() OVER (ORDER BY e.domain, e.hash) AS n FROM dmarc_store.evidence e) s
FULL JOIN dmarc_store.profiles_of((SELECT array_agg(e ORDER BY e.domain, e.hash) FROM dmarc_store.evidence e)) WITH ORDINALITY p ON p.ordinality = s.n
WHERE s.profile IS DISTINCT FROM p.hash
ORDER BY 1, 2;
