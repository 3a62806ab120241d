-- One mail with one report, and one with nothing.
INSERT INTO message (id, sha256, source, identity, message_id, mail_from, subject, mail_date, size, outcome, ingested_at) VALUES
    (1, sha256('one'), 'imap://mx/INBOX;UIDVALIDITY=1/;UID=7', true, 'one@reporter.example', 'dmarc@reporter.example',
     'Report Domain: example.com', '2026-09-11 06:00Z', 1234, 'stored', '2026-09-11 07:00Z'),
    (2, sha256('two'), 'maildir:x/cur/two', false, NULL, NULL, NULL, NULL, 12, 'no_report', '2026-09-11 07:00Z');
INSERT INTO document (mail_sha256, message, ordinal, path, kind, size, sha256, outcome, domain, day, report) VALUES
    (sha256('one'), 1, 1, 'part 2 / a.xml.gz', 'aggregate', 999, sha256('doc'), 'stored', 'example.com', '2026-09-10', 1);
INSERT INTO report (id, domain, day, identity, content, reporter, org_name, report_id, period_begin, period_end, p, raw,
                    record_count, records_seen, message_count, incomplete, id_collision, warnings) VALUES
    (1, 'example.com', '2026-09-10', md5('identity')::uuid, md5('content')::uuid, 'reporter.example', 'Reporter', '2026-09-10.1',
     '2026-09-10', '2026-09-11', 'none', '{p=NONE}', 2, 2, 15, false, false, '{null_row}');
INSERT INTO evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned,
                      dkim_aligned_domain, dkim_aligned_selector, disagree, dkim_domains, dkim_selectors, dkim_results) VALUES
    ('example.com', md5('own')::uuid, 'example.com', 'none', 'pass', 'fail', false, true, false, 'example.com', 'mail', false,
     '{example.com}', '{mail}', '{pass}');
INSERT INTO observation (domain, day, report, ordinal, source_ip, message_count, evidence) VALUES
    ('example.com', '2026-09-10', 1, 1, '192.0.2.1', 10, md5('own')::uuid),
    ('example.com', '2026-09-10', 1, 2, '2001:db8::1', 5, md5('own')::uuid);
SELECT setval('message_id', 2), setval('report_no', 1);

-- then

-- ledger, reports and records are what they were
SELECT mails, stored, no_report, documents, reports, records, messages FROM dmarc.status();
--= 2|1|1|1|1|2|15
SELECT source, identity, subject, size, outcome, auth_result, original FROM dmarc.message ORDER BY id;
--= imap://mx/INBOX;UIDVALIDITY=1/;UID=7|t|Report Domain: example.com|1234|stored||
--= maildir:x/cur/two|f||12|no_report||
SELECT report_id, p, raw, warnings, trusted, foreign_domain, replaced, dkim_aligned_count, spf_aligned_count FROM dmarc.report;
--= 2026-09-10.1|none|{p=NONE}|{null_row}||f|f|15|0
SELECT ordinal, source_ip, message_count, dkim_aligned FROM dmarc.record ORDER BY ordinal;
--= 1|192.0.2.1|10|t
--= 2|2001:db8::1|5|t

-- and the sums know them
SELECT sender, class, messages, sources FROM dmarc.senders('example.com');
--= own mail (selector mail)|authorised|15|2

-- numbers go on where they were
SELECT nextval('dmarc_store.message_id'), nextval('dmarc_store.report_no');
--= 3|2
