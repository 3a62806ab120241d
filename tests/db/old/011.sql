-- Profiles that did not tell whether the domain itself signed, with sums by them.
SET search_path = dmarc_store, pg_catalog;
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count,
                    incomplete, id_collision)
VALUES (1, 'example.com', '2026-09-30', md5('1')::uuid, md5('c1')::uuid, 'big.example', 'r1', '2026-09-30 00:00Z', '2026-10-01 00:00Z', 'none',
        2, 2, 12, false, false);
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, class, rule, sender, known, confidence, evidence_said)
VALUES ('example.com', md5('old')::uuid, 'example.com', false, false, 'unknown', 'nothing', 'nothing authenticates', false, 'none', 'nothing passed');
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree,
                      dkim_domains, dkim_selectors, dkim_results, profile)
VALUES ('example.com', md5('unsigned')::uuid, 'example.com', 'none', 'fail', 'fail', false, false, false, false, NULL, NULL, NULL, md5('old')::uuid),
       ('example.com', md5('broken')::uuid, 'example.com', 'none', 'fail', 'fail', false, false, false, false, '{example.com}', '{s1}', '{fail}', md5('old')::uuid);
INSERT INTO observation (domain, day, report, ordinal, source_ip, message_count, evidence)
VALUES ('example.com', '2026-09-30', 1, 1, '192.0.2.1', 5, md5('unsigned')::uuid), ('example.com', '2026-09-30', 1, 2, '192.0.2.2', 7, md5('broken')::uuid);
INSERT INTO profile_day (domain, day, profile, doubtful, records, messages, quarantined, rejected)
VALUES ('example.com', '2026-09-30', md5('old')::uuid, false, 2, 12, 0, 0);
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
VALUES ('example.com', '2026-09-30', false, 1, 2, 12, 0, 0, 0, 0, 12, 0, 0, 0, 0);
INSERT INTO unfolded (domain, day, report, records, doubtful) VALUES ('example.com', '2026-09-30', 1, 2, false);
INSERT INTO sender (key, name, kind) VALUES ('ours', 'Our newsletter', 'own');
INSERT INTO sender_rule (kind, pattern, sender) VALUES ('dkim_domain', 'mailer.example.net', 'ours');

-- then

-- each has a profile of its own now
SELECT p.own_signed, d.messages FROM dmarc_store.profile p JOIN dmarc_store.profile_day d ON d.domain = p.domain AND d.profile = p.hash ORDER BY 1;
--= f|5
--= t|7

-- the old one is gone
SELECT count(*) FROM dmarc_store.profile;
--= 2

-- rules of one's own are still there, and may have the new kind
SELECT count(*) FROM dmarc.sender_rule WHERE origin = 'user';
--= 1
