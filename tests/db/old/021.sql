-- Counts as numbers of eight bytes. A view of the user's own stands on the contract.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observed_202609 PARTITION OF observed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE summed_202609 PARTITION OF summed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE VIEW public.mine AS SELECT o.domain, sum(o.message_count) AS messages FROM observation o GROUP BY o.domain;
CREATE VIEW public.days AS SELECT d.domain, d.day, sum(d.records) AS records FROM profile_day d GROUP BY d.domain, d.day;

INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count,
                    incomplete, id_collision)
VALUES (1, 'example.com', '2026-09-30', md5('1')::uuid, md5('c1')::uuid, 'big.example', 'r1', '2026-09-30 00:00Z', '2026-10-01 00:00Z', 'none', 5, 5, 6442451000, false, false),
       (2, 'example.com', '1999-12-31', md5('2')::uuid, md5('c2')::uuid, 'big.example', 'r2', '1999-12-31 00:00Z', '2000-01-01 00:00Z', 'none', 1, 1, 9223372036854775807, false, false);
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, class, rule, sender, known, confidence, evidence_said, own_signed)
VALUES ('example.com', encode(substring(sha256('11:example.com;000-;-;-;0[0[0[') FOR 16), 'hex')::uuid, 'example.com', false, false, 'unknown', 'nothing', 'nothing authenticates', false, 'none', 'nothing passed', false);
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree, profile)
SELECT 'example.com', md5('0')::uuid, 'example.com', 'none', 'fail', 'fail', false, false, false, false, p.hash FROM profile p;
-- The largest that fits, and the least that does not.
INSERT INTO observed (report, day, first_ordinal, domain, evidence, evidence_at, message_counts, source_ips, sources_raw)
VALUES (1, '2026-09-30', 1, 'example.com', ARRAY[md5('0')::uuid], '{1,1}', '{2147483647,0}', '{192.0.2.1,192.0.2.2}', NULL),
       (1, '2026-09-30', 3, 'example.com', ARRAY[md5('0')::uuid], '{1,1,1}', '{3,2147483648,2147483702}', '{192.0.2.3,2001:db8::4,NULL}', '{NULL,NULL,localhost}'),
       (2, '1999-12-31', 1, 'example.com', ARRAY[md5('0')::uuid], '{1}', '{9223372036854775807}', '{192.0.2.1}', NULL);
INSERT INTO summed (domain, day, doubtful, profiles, records, messages)
SELECT 'example.com', s.day, false, ARRAY[p.hash], s.records, s.messages
FROM profile p, (VALUES ('2026-09-30'::date, '{5}'::bigint[], '{6442451000}'::numeric[]), ('1999-12-31', '{1}', '{9223372036854775807}')) s (day, records, messages);
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
SELECT r.domain, r.day, false, 1, r.record_count, r.message_count, 0, 0, 0, 0, r.message_count, 0, 0, 0, 0 FROM report r;
INSERT INTO unfolded (domain, day, report, records, doubtful) SELECT r.domain, r.day, r.id, r.record_count, false FROM report r;

-- then

-- each record is what it was
SELECT o.report, o.ordinal, o.source_ip, o.message_count, o.source_raw FROM dmarc_store.observation o ORDER BY 1, 2;
--= 1|1|192.0.2.1|2147483647|
--= 1|2|192.0.2.2|0|
--= 1|3|192.0.2.3|3|
--= 1|4|2001:db8::4|2147483648|
--= 1|5||2147483702|localhost
--= 2|1|192.0.2.1|9223372036854775807|

-- in rows of their months, large ones apart
SELECT tableoid::regclass::text, report, first_ordinal, message_counts, great_counts FROM dmarc_store.observed ORDER BY 2, 3;
--= dmarc_store.observed_202609|1|1|{2147483647,0}|
--= dmarc_store.observed_202609|1|3||{3,2147483648,2147483702}
--= dmarc_store.observed_other|2|1||{9223372036854775807}

SELECT tableoid::regclass::text, records, messages FROM dmarc_store.summed ORDER BY 1;
--= dmarc_store.summed_202609|{5}|{6442451000}
--= dmarc_store.summed_other|{1}|{9223372036854775807}

-- what stood on them still does
SELECT * FROM public.mine;
--= example.com|9223372043297226807

SELECT day, records FROM public.days ORDER BY day;
--= 1999-12-31|1
--= 2026-09-30|5

-- and the old tables are gone
SELECT to_regclass('dmarc_store.observed_before') IS NULL, to_regclass('dmarc_store.summed_202609_before') IS NULL;
--= t|t
