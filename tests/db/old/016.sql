-- A row for each sum of a batch, some of which take away. Views of the user's own stand on those of the contract.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observed_202609 PARTITION OF observed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE profile_day_202609 PARTITION OF profile_day FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE VIEW dmarc.daily WITH (security_barrier) AS
SELECT d.domain, d.day, p.sender, p.class, p.header_from, p.dkim_aligned, p.spf_aligned, d.records, d.messages, d.quarantined, d.rejected,
       d.doubtful, p.sender_key, p.known, p.kind, p.confidence, p.evidence_said, p.rule, p.dkim_domains, p.spf_domains, p.reason_types, d.profile
FROM (SELECT s.domain, s.day, s.profile, s.doubtful, sum(s.records)::bigint AS records, sum(s.messages) AS messages,
             sum(s.quarantined) AS quarantined, sum(s.rejected) AS rejected
      FROM dmarc_store.profile_day s
      GROUP BY s.domain, s.day, s.profile, s.doubtful
      HAVING sum(s.records) <> 0) d
JOIN dmarc_store.profile p ON p.domain = d.domain AND p.hash = d.profile;
CREATE VIEW public.by_day AS SELECT d.domain, d.day, count(*) AS profiles, sum(d.messages) AS messages FROM dmarc.daily d GROUP BY d.domain, d.day;

-- What names n.example authenticates as, and nothing else.
CREATE FUNCTION pg_temp.profile(n int) RETURNS uuid LANGUAGE sql AS
$fn$ SELECT encode(substring(sha256(convert_to(octet_length(n || '.example') || ':' || n || '.example;000-;-;-;0[0[0[', 'UTF8')) FOR 16), 'hex')::uuid $fn$;
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, class, rule, sender, known, confidence, evidence_said, own_signed)
SELECT 'a.example', pg_temp.profile(n), n || '.example', false, false, 'unknown', 'nothing', 'nothing authenticates', false, 'none', 'nothing passed', false
FROM generate_series(1, 70) n;
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree, profile)
SELECT 'a.example', md5(n::text)::uuid, n || '.example', CASE n % 7 WHEN 1 THEN 'quarantine' WHEN 2 THEN 'reject' ELSE 'none' END, 'fail', 'fail', false, false,
       false, false, pg_temp.profile(n)
FROM generate_series(1, 70) n;
-- The third one was replaced; two records of the last come to more than a bigint holds.
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count,
                    incomplete, id_collision, trusted)
SELECT r.id, 'a.example', r.day, md5(r.id::text)::uuid, md5('c' || r.id)::uuid, 'big.example', 'r' || r.id, r.day::timestamp AT TIME ZONE 'UTC',
       (r.day + 1)::timestamp AT TIME ZONE 'UTC', 'none', r.records, r.records, r.messages, false, false, r.trusted
FROM (VALUES (1, date '2026-09-30', 70, 2485, NULL), (2, date '2026-09-30', 3, 30, false), (4, '1999-12-31', 3, 18446744073709551623, NULL))
     r (id, day, records, messages, trusted);
INSERT INTO observed (report, day, first_ordinal, domain, evidence, evidence_at, message_counts, source_ips)
SELECT 1, date '2026-09-30', 1 + 35 * k, 'a.example', array_agg(md5((35 * k + n)::text)::uuid ORDER BY n), array_agg(n::smallint ORDER BY n),
       array_agg((35 * k + n)::bigint ORDER BY n), array_agg(NULL::inet)
FROM generate_series(0, 1) k, generate_series(1, 35) n GROUP BY k
UNION ALL
SELECT 2, '2026-09-30', 1, 'a.example', array_agg(md5(n::text)::uuid ORDER BY n), '{1,2,3}', '{5,10,15}', '{NULL,NULL,NULL}' FROM generate_series(3, 5) n
UNION ALL
SELECT 4, '1999-12-31', 1, 'a.example', ARRAY[md5('1')::uuid, md5('9')::uuid], '{1,2,1}', '{9223372036854775807,9,9223372036854775807}', '{NULL,NULL,NULL}';
INSERT INTO profile_day (domain, day, profile, doubtful, records, messages, quarantined, rejected)
SELECT 'a.example', date '2026-09-30', pg_temp.profile(n), false, 1, n, CASE n % 7 WHEN 1 THEN n ELSE 0 END, CASE n % 7 WHEN 2 THEN n ELSE 0 END
FROM generate_series(70, 1, -1) n
UNION ALL
-- in two batches
SELECT 'a.example', '2026-09-30', pg_temp.profile(n), true, k, 3 * k + (5 * (n - 2) - 3) * (k = 2)::int, 0, 0 FROM generate_series(3, 5) n, (VALUES (2), (-1)) w (k)
UNION ALL
-- came, and was taken away: one that others have, and one that nobody has
SELECT 'a.example', '2026-09-30', pg_temp.profile(n), n = 9, k, k * 100, k * 50, 0 FROM (VALUES (8), (9)) v (n), (VALUES (1), (-1)) w (k)
UNION ALL
SELECT 'a.example', '1999-12-31', pg_temp.profile(1), false, v.records, v.messages, v.messages, 0
FROM (VALUES (3, 27670116110564327421::numeric), (-1, -9223372036854775807)) v (records, messages)
UNION ALL
SELECT 'a.example', '1999-12-31', pg_temp.profile(9), false, 1, 9, 0, 9;
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
SELECT d.domain, d.day, d.doubtful, 1, sum(d.records), sum(d.messages), 0, 0, 0, 0, sum(d.messages), 0, 0, sum(d.quarantined), sum(d.rejected)
FROM profile_day d GROUP BY d.domain, d.day, d.doubtful;
INSERT INTO unfolded (domain, day, report, records, doubtful)
SELECT r.domain, r.day, r.id, r.record_count, r.trusted IS FALSE FROM report r;

-- then

-- each sum is what it was
SELECT count(*), sum(d.records), sum(d.messages), sum(d.quarantined), sum(d.rejected) FROM dmarc_store.profile_day d
 WHERE d.day = '2026-09-30' AND NOT d.doubtful;
--= 70|70|2485|325|335

-- of its profile
SELECT count(*) FROM dmarc_store.profile_day d JOIN dmarc_store.profile p ON p.domain = d.domain AND p.hash = d.profile
 WHERE d.day = '2026-09-30' AND NOT d.doubtful AND d.records = 1 AND p.header_from = d.messages || '.example'
  AND d.quarantined = CASE WHEN d.messages % 7 = 1 THEN d.messages ELSE 0 END AND d.rejected = CASE WHEN d.messages % 7 = 2 THEN d.messages ELSE 0 END;
--= 70

-- several of one profile are one, and those that come to nothing none
SELECT d.records, d.messages, d.quarantined, d.rejected FROM dmarc_store.profile_day d WHERE d.doubtful ORDER BY 2;
--= 1|5|0|0
--= 1|10|0|0
--= 1|15|0|0

-- also in odd months, and of large numbers
SELECT d.records, d.messages, d.quarantined, d.rejected FROM dmarc_store.profile_day d WHERE d.day < '2000-01-01' ORDER BY 2;
--= 1|9|0|9
--= 2|18446744073709551614|18446744073709551614|0

-- in rows of their months, at most 32 in each
SELECT tableoid::regclass::text, doubtful, cardinality(profiles), quarantined IS NULL, rejected IS NULL FROM dmarc_store.summed ORDER BY 1, 2, profiles;
--= dmarc_store.summed_202609|f|32|f|f
--= dmarc_store.summed_202609|f|32|f|f
--= dmarc_store.summed_202609|f|6|t|t
--= dmarc_store.summed_202609|t|3|t|t
--= dmarc_store.summed_other|f|2|f|f

-- there is nothing to put together
SELECT count(*) FROM dmarc_store.compactable();
--= 0

-- what stood on them still does
SELECT * FROM public.by_day ORDER BY 2;
--= a.example|1999-12-31|2|18446744073709551623
--= a.example|2026-09-30|73|2515

-- and the old table is gone
SELECT to_regclass('dmarc_store.profile_day_before') IS NULL;
--= t
