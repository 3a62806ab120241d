-- A sender whom nobody could know: it signs with a key of the domain itself.
SET search_path = dmarc_store, pg_catalog;
CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observed_202609 PARTITION OF observed FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
INSERT INTO profile (domain, hash, header_from, dkim_aligned, spf_aligned, dkim_aligned_domain, dkim_aligned_selector, dkim_domains, dkim_selectors, class, rule, sender,
                     known, confidence, evidence_said, own_signed)
VALUES ('example.com',
        encode(substring(sha256(convert_to('11:example.com;10011:example.com;2:s1;-;1[11:example.com;2:s1;0[0[', 'UTF8')) FOR 16), 'hex')::uuid, 'example.com', true, false, 'example.com', 's1', '{example.com}', '{s1}', 'authorised', 'dkim_aligned', 'own mail (selector s1)',
        false, 'high', 'dkim d=example.com s=s1, passed', false);
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen, message_count, dkim_aligned_count,
                    incomplete, id_collision)
VALUES (1, 'example.com', '2026-09-30', md5('1')::uuid, md5('c1')::uuid, 'big.example', 'r1', '2026-09-30 00:00Z', '2026-10-01 00:00Z', 'none', 1, 1, 7, 7, false, false);
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned, disagree, dkim_aligned_domain,
                      dkim_aligned_selector, dkim_domains, dkim_selectors, dkim_results, profile)
VALUES ('example.com', md5('signed')::uuid, 'example.com', 'none', 'pass', 'fail', false, true, false, false, 'example.com', 's1', '{example.com}', '{s1}', '{pass}', (SELECT p.hash FROM profile p));
INSERT INTO observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips)
VALUES ('example.com', '2026-09-30', 1, 1, ARRAY[md5('signed')::uuid], '{1}', '{7}', '{192.0.2.1}');
INSERT INTO summed (domain, day, doubtful, profiles, records, messages) SELECT 'example.com', '2026-09-30', false, ARRAY[p.hash], '{1}', '{7}' FROM profile p;
INSERT INTO domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned,
                        spf_aligned, quarantined, rejected)
VALUES ('example.com', '2026-09-30', false, 1, 1, 7, 7, 7, 0, 0, 0, 7, 0, 0, 0);
INSERT INTO unfolded (domain, day, report, records, doubtful) VALUES ('example.com', '2026-09-30', 1, 1, false);

-- then

-- its name is asked for
SELECT n FROM dmarc_store.cnames_to_ask('2026-09-01', 10) n;
--= s1._domainkey.example.com

-- and the answer names it, in what is stored, too
SELECT * FROM dmarc_store.take_cnames('{s1._domainkey.example.com}', '{found}', '{s1.domainkey.u1.wl.sendgrid.net}', ARRAY['2099-01-01'::timestamptz]);
--= example.com
SELECT dmarc_store.reclassify('example.com');
--= 1
SELECT s.sender, s.class, s.messages FROM dmarc.senders('example.com') s;
--= Twilio SendGrid|authorised|7
