-- A row for each folded address. A user's own view stands on one of the contract.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observed_202609 PARTITION OF observed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE profile_source_202609 PARTITION OF profile_source FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE VIEW dmarc.source AS
SELECT o.domain, o.day AS month, o.source_ip, p.sender, p.class, o.day AS first_seen, o.day AS last_seen, 1 AS days, o.doubtful, p.sender_key, o.profile
FROM profile_source o JOIN profile p ON p.domain = o.domain AND p.hash = o.profile;
CREATE VIEW public.mine AS SELECT s.domain, count(*) AS addresses FROM dmarc.source s GROUP BY s.domain;

INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, class, rule, sender, known, confidence, evidence_said)
SELECT 'example.com', encode(substring(sha256(convert_to(length(f) || ':' || f || ';000-;-;-;0[0[0[', 'UTF8')) FOR 16), 'hex')::uuid, f, false, false, 'unknown', 'nothing',
       'nothing authenticates', false, 'none', 'nothing passed'
FROM (VALUES ('example.com'), ('a.example.com')) v (f);
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count,
                    incomplete, id_collision)
SELECT n, 'example.com', d::date, md5(n::text)::uuid, md5('c' || n)::uuid, 'big.example', 'r' || n, d::timestamptz, d::timestamptz + interval '1 day', 'none', c, c, c,
       false, false
FROM (VALUES (1, '2026-09-01 00:00Z', 60), (2, '2026-09-30 00:00Z', 60), (3, '1999-12-31 00:00Z', 2)) v (n, d, c);
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree, profile)
SELECT 'example.com', md5(p.header_from)::uuid, p.header_from, 'none', 'fail', 'fail', false, false, false, false, p.hash FROM profile p;
INSERT INTO observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips)
SELECT 'example.com', d::date, r, 1, ARRAY[md5('example.com')::uuid, md5('a.example.com')::uuid], array_agg((1 + n % 2)::smallint ORDER BY n), array_agg(1 ORDER BY n),
       array_agg(ip ORDER BY n)
FROM (SELECT '2026-09-01' AS d, 1 AS r, n, ('192.0.2.' || n)::inet AS ip FROM generate_series(1, 60) n
      UNION ALL SELECT '2026-09-30', 2, n, ('192.0.2.' || n + 30)::inet FROM generate_series(1, 60) n
      UNION ALL SELECT '1999-12-31', 3, n, ('2001:db8::' || n)::inet FROM generate_series(1, 2) n) v
GROUP BY d, r;
INSERT INTO profile_source (domain, day, source_ip, profile, doubtful, days)
SELECT o.domain, date_trunc('month', o.day::timestamp)::date, o.source_ip, e.profile, false, bit_or(1 << (extract(day FROM o.day)::int - 1))
FROM observation o JOIN evidence e ON e.domain = o.domain AND e.hash = o.evidence
GROUP BY 1, 2, 3, 4;
INSERT INTO summed (domain, day, doubtful, profiles, records, messages)
SELECT o.domain, o.day, false, ARRAY[e.profile], ARRAY[count(*)], ARRAY[count(*)] FROM observation o JOIN evidence e ON e.domain = o.domain AND e.hash = o.evidence GROUP BY o.domain, o.day, e.profile;
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
SELECT d.domain, d.day, false, 1, sum(d.records), sum(d.messages), 0, 0, 0, 0, sum(d.messages), 0, 0, 0, 0 FROM profile_day d GROUP BY d.domain, d.day;

-- then

-- each address is on its days
SELECT count(*), count(*) FILTER (WHERE s.days = 1), count(*) FILTER (WHERE s.days = 1 << 29), count(*) FILTER (WHERE s.days = (1 << 29) + 1)
FROM dmarc_store.profile_source s WHERE s.day = '2026-09-01';
--= 90|30|30|30

SELECT s.source_ip, s.day, s.days FROM dmarc_store.profile_source s WHERE s.day < '2000-01-01' ORDER BY 1;
--= 2001:db8::1|1999-12-01|1073741824
--= 2001:db8::2|1999-12-01|1073741824

-- in rows of their months
SELECT tableoid::regclass::text, day, cardinality(profiles), cardinality(source_ips) FROM dmarc_store.folded ORDER BY 2, 4 DESC;
--= dmarc_store.folded_other|1999-12-01|2|2
--= dmarc_store.folded_202609|2026-09-01|2|48
--= dmarc_store.folded_202609|2026-09-01|1|42

-- what stood on them still does
SELECT * FROM public.mine;
--= example.com|92

-- and the old table is gone
SELECT to_regclass('dmarc_store.profile_source_before') IS NULL;
--= t
