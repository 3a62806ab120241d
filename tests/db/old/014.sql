-- A row for each record. Views of the user's own stand on those of the contract.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observation_202609 PARTITION OF observation FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE VIEW dmarc.record AS
SELECT o.domain, o.report, o.day, o.ordinal, o.source_ip, o.source_raw, o.message_count,
       e.header_from, e.envelope_from, e.envelope_to, e.disposition,
       e.dkim_verdict, e.spf_verdict, e.verdict_computed, e.dkim_aligned, e.spf_aligned,
       e.dkim_aligned_domain, e.dkim_aligned_selector, e.spf_aligned_domain, e.disagree,
       e.extensions, e.raw, o.evidence
FROM dmarc_store.observation o
JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence;
CREATE VIEW fresh_source AS
SELECT o.domain, o.day, o.source_ip, e.profile, u.doubtful
FROM unfolded u
JOIN observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.report
JOIN evidence e ON e.domain = o.domain AND e.hash = o.evidence
WHERE o.source_ip IS NOT NULL;
CREATE VIEW public.places AS SELECT f.source_ip, count(*) AS days FROM fresh_source f GROUP BY f.source_ip;
CREATE VIEW public.mine AS SELECT r.domain, sum(r.message_count) AS messages FROM dmarc.record r GROUP BY r.domain;

INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count,
                    incomplete, id_collision)
VALUES (1, 'example.com', '2026-09-30', md5('1')::uuid, md5('c1')::uuid, 'big.example', 'r1', '2026-09-30 00:00Z', '2026-10-01 00:00Z', 'none',
        100, 100, 5050, false, false),
       (2, 'example.com', '1999-12-31', md5('2')::uuid, md5('c2')::uuid, 'big.example', 'r2', '1999-12-31 00:00Z', '2000-01-01 00:00Z', 'none',
        3, 3, 9223372036854775817, false, false);
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, class, rule, sender, known, confidence, evidence_said)
VALUES ('example.com', encode(substring(sha256('11:example.com;000-;-;-;0[0[0[') FOR 16), 'hex')::uuid, 'example.com', false, false, 'unknown', 'nothing', 'nothing authenticates', false, 'none', 'nothing passed');
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree, profile)
SELECT 'example.com', md5(n::text)::uuid, 'example.com', d, 'fail', 'fail', false, false, false, false, encode(substring(sha256('11:example.com;000-;-;-;0[0[0[') FOR 16), 'hex')::uuid
FROM (VALUES (0, 'none'), (1, 'quarantine'), (2, 'reject')) v (n, d);
-- Enough for several rows; the place of a record was once lost.
INSERT INTO observation (domain, day, report, ordinal, source_ip, message_count, evidence)
SELECT 'example.com', '2026-09-30', 1, n + (n > 50)::int, ('192.0.2.' || n)::inet, n, md5((n % 3)::text)::uuid FROM generate_series(100, 1, -1) n;
INSERT INTO observation (domain, day, report, ordinal, source_ip, message_count, evidence, source_raw)
VALUES ('example.com', '1999-12-31', 2, 1, '2001:db8::1', 9223372036854775807, md5('0')::uuid, NULL),
       ('example.com', '1999-12-31', 2, 2, NULL, 3, md5('2')::uuid, 'localhost, "and" {more}'),
       ('example.com', '1999-12-31', 2, 3, NULL, 7, md5('2')::uuid, NULL);
INSERT INTO profile_day (domain, day, profile, doubtful, records, messages, quarantined, rejected)
VALUES ('example.com', '2026-09-30', encode(substring(sha256('11:example.com;000-;-;-;0[0[0[') FOR 16), 'hex')::uuid, false, 100, 5050, 1717, 1650),
       ('example.com', '1999-12-31', encode(substring(sha256('11:example.com;000-;-;-;0[0[0[') FOR 16), 'hex')::uuid, false, 3, 9223372036854775817, 0, 10);
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
SELECT d.domain, d.day, false, 1, d.records, d.messages, 0, 0, 0, 0, d.messages, 0, 0, d.quarantined, d.rejected FROM profile_day d;
INSERT INTO unfolded (domain, day, report, records, doubtful)
VALUES ('example.com', '2026-09-30', 1, 100, false), ('example.com', '1999-12-31', 2, 3, false);

-- then

-- each record is what it was
SELECT count(*), count(DISTINCT o.ordinal) FROM dmarc_store.observation o WHERE o.report = 1 AND o.source_ip = ('192.0.2.' || o.message_count)::inet
    AND o.evidence = md5((o.message_count % 3)::text)::uuid AND o.ordinal = o.message_count + (o.message_count > 50)::int;
--= 100|100

-- also where there is no address, or a large number
SELECT o.ordinal, o.source_ip, o.message_count, o.source_raw, o.evidence = md5((CASE o.ordinal WHEN 1 THEN '0' ELSE '2' END))::uuid
 FROM dmarc_store.observation o WHERE o.report = 2 ORDER BY 1;
--= 1|2001:db8::1|9223372036854775807||t
--= 2||3|localhost, "and" {more}|t
--= 3||7||t

-- in rows of their months
SELECT tableoid::regclass::text, report, first_ordinal, cardinality(source_ips), cardinality(evidence) FROM dmarc_store.observed ORDER BY 2, 3;
--= dmarc_store.observed_202609|1|1|32|3
--= dmarc_store.observed_202609|1|33|18|3
--= dmarc_store.observed_202609|1|52|13|3
--= dmarc_store.observed_202609|1|65|32|3
--= dmarc_store.observed_202609|1|97|5|3
--= dmarc_store.observed_other|2|1|3|2

-- what stood on them still does
SELECT * FROM public.mine;
--= example.com|9223372036854780867

SELECT count(*) FROM public.places;
--= 101

-- and the old table is gone
SELECT to_regclass('dmarc_store.observation_before') IS NULL;
--= t
