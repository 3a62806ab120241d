-- A signature of a name beside the From:, whose selector was left out, and mail without any.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observed_202609 PARTITION OF observed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, dkim_domains, class, rule, sender, known, confidence, evidence_said, advice)
VALUES ('example.com', md5('old')::uuid, 'news.example.com', false, false, '{send.example.com}', 'misconfigured', 'unaligned', 'own mail (send.example.com)', false, 'medium',
        'dkim d=send.example.com, passed', 'alignment is strict'),
       ('example.com', encode(substring(sha256(convert_to('11:example.com;000-;-;-;0[0[0[', 'UTF8')) FOR 16), 'hex')::uuid, 'example.com', false, false, NULL, 'unknown', 'nothing',
        'nothing authenticates', false, 'none', 'nothing passed', NULL);
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, adkim, record_count, records_seen, message_count,
                    incomplete, id_collision)
VALUES (1, 'example.com', '2026-09-30', md5('1')::uuid, md5('c1')::uuid, 'big.example', 'r1', '2026-09-30 00:00Z', '2026-10-01 00:00Z', 'none', 's', 2, 2, 12, false, false);
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree,
                      dkim_domains, dkim_selectors, dkim_results, profile)
VALUES ('example.com', md5('beside')::uuid, 'news.example.com', 'none', 'fail', 'fail', false, false, false, false, '{send.example.com}', '{kl}', '{pass}', md5('old')::uuid),
       ('example.com', md5('unsigned')::uuid, 'example.com', 'none', 'fail', 'fail', false, false, false, false, NULL, NULL, NULL,
        (SELECT p.hash FROM profile p WHERE p.header_from = 'example.com'));
INSERT INTO observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips)
VALUES ('example.com', '2026-09-30', 1, 1, ARRAY[md5('beside')::uuid, md5('unsigned')::uuid], '{1,2}', '{5,7}', '{192.0.2.1,192.0.2.2}');
INSERT INTO summed (domain, day, doubtful, profiles, records, messages)
SELECT 'example.com', '2026-09-30', false, array_agg(p.hash ORDER BY p.header_from), '{1,1}', '{7,5}' FROM profile p;
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
VALUES ('example.com', '2026-09-30', false, 1, 2, 12, 0, 0, 5, 0, 7, 0, 0, 0, 0);
INSERT INTO unfolded (domain, day, report, records, doubtful) VALUES ('example.com', '2026-09-30', 1, 2, false);

-- then

-- its selector names the sender now, with all its messages
SELECT s.sender, s.class, s.messages FROM dmarc.senders('example.com') s ORDER BY 3;
--= Klaviyo|misconfigured|5
--= nothing authenticates|unknown|7

-- a rule may tell host and selector together
INSERT INTO dmarc.sender_rule (kind, pattern, sender) VALUES ('spf_host', 'xy#/k1', 'klaviyo') RETURNING origin;
--= user
DELETE FROM dmarc.sender_rule WHERE origin = 'user';
