-- What nobody vouches for, what was replaced, who disagrees, and which mail a text means.
\ir support.sql
SELECT plan(34);
\o /dev/null
SELECT pg_temp.report(1, 'a.example', '2026-10-01', 'google.test');
SELECT pg_temp.report(2, 'a.example', '2026-10-01', 'forged.test');
SELECT pg_temp.report(3, 'a.example', '2026-10-02', 'unknown.test');
SELECT pg_temp.report(4, 'b.example', '2026-10-01', 'google.test');
SELECT pg_temp.report(5, 'a.example', '2026-10-03', 'cut.test', 'reject', '{truncated}', true);
UPDATE dmarc_store.report SET trusted = true WHERE id IN (1, 4);
UPDATE dmarc_store.report SET trusted = false WHERE id = 2;
UPDATE dmarc_store.report SET foreign_domain = true WHERE id = 4;
UPDATE dmarc_store.report SET replaced = true, trusted = false WHERE id = 5;
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 100, '{a.example|s2026|pass}', NULL, 'a.example|s2026');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.2', 25, disagree => true);
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.3', 25, disagree => true);
SELECT pg_temp.record(2, 'a.example', '2026-10-01', '198.51.100.7', 4000, disagree => true);
SELECT pg_temp.record(3, 'a.example', '2026-10-02', '192.0.2.1', 50, '{a.example|s2026|pass}', NULL, 'a.example|s2026');
SELECT pg_temp.record(4, 'b.example', '2026-10-01', '192.0.2.1', 7);
SELECT pg_temp.sum_up();
\o

SELECT is((SELECT sum(messages) FROM dmarc.senders()), 4207::numeric, 'senders: all of it');
SELECT is((SELECT sum(messages) FROM dmarc.senders(only_trusted => true)), 200::numeric, 'senders: without what is flagged, with what is not known');
SELECT is((SELECT sum(messages) FROM dmarc.sources(NULL, NULL, NULL, true)), 200::numeric, 'sources, too');
SELECT is((SELECT sum(messages) FROM dmarc.failures(NULL, NULL, NULL, true)), 50::numeric, 'failures, too');
SELECT is(pg_temp.rows($$ SELECT domain, day, messages, reports FROM dmarc.timeline('a.example') UNION ALL SELECT domain, day, messages, reports FROM dmarc.timeline('b.example') $$),
    $$(a.example,2026-10-01,4150,2)
(a.example,2026-10-02,50,1)
(b.example,2026-10-01,7,1)$$, 'timeline: a day with nothing but a replaced report is none');
SELECT is(pg_temp.rows($$ SELECT domain, day, messages, reports FROM dmarc.timeline('a.example', NULL, NULL, true) $$),
    $$(a.example,2026-10-01,150,1)
(a.example,2026-10-02,50,1)$$, 'timeline: only what is trusted');
SELECT is(pg_temp.rows($$ SELECT domain, messages, policy, reporters, reports FROM dmarc.summary() $$),
    $$(a.example,4200,none,3,3)
(b.example,7,none,1,1)$$, 'summary: a replaced report is no report, and its policy is none');
SELECT is(pg_temp.rows($$ SELECT domain, messages, policy, reporters, reports FROM dmarc.summary(NULL, NULL, NULL, true) $$),
    $$(a.example,200,none,2,2)$$, 'summary: only what is trusted');
SELECT is(pg_temp.rows($$ SELECT domain, reporter, reports, messages, disagree, incomplete FROM dmarc.reporters('a.example') $$),
    $$(a.example,forged.test,1,4000,4000,0)
(a.example,google.test,1,150,50,0)
(a.example,unknown.test,1,50,0,0)$$, 'reporters');
SELECT is((SELECT string_agg(reporter, ' ' ORDER BY reporter) FROM dmarc.reporters(NULL, NULL, NULL, true)), 'google.test unknown.test', 'reporters: only what is trusted');
SELECT is((SELECT reports FROM dmarc.status()), 4::bigint, 'status: a replaced report is no report');
SELECT is((SELECT sum(messages) FROM dmarc.senders('a.example', '2026-10-02', NULL, true)), 50::numeric, 'a period and trust go together');

SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.disagreements() $$),
    $$(a.example,forged.test,1,4000,1.000000,1,2026-10-01,2026-10-01,"198.51.100.7 From: a.example said dkim=fail spf=fail, its results say dkim=fail spf=fail")
(a.example,google.test,2,50,0.333333,1,2026-10-01,2026-10-01,"192.0.2.2 From: a.example said dkim=fail spf=fail, its results say dkim=fail spf=fail")$$, 'disagreements');
SELECT is((SELECT string_agg(reporter, ' ') FROM dmarc.disagreements(only_trusted => true)), 'google.test', 'disagreements: only what is trusted');
SELECT is_empty($$ SELECT FROM dmarc.disagreements('b.example') $$, 'disagreements: of a domain');
SELECT is_empty($$ SELECT FROM dmarc.disagreements(since => '2026-10-02') $$, 'disagreements: in a period');

-- The ledger.
INSERT INTO dmarc_store.message (id, sha256, source, identity, message_id, subject, mail_from, size, outcome, auth_result, auth_domain) VALUES
    (11, '\xabcdef01' || decode(repeat('00', 28), 'hex'), 'imap://h/INBOX;UID=1', true, 'one@x', 'one', 'a@google.test', 1, 'stored', 'pass', 'google.test'),
    (12, '\xabcdef02' || decode(repeat('00', 28), 'hex'), 'imap://h/INBOX;UID=2', true, 'two@x', 'two', 'b@evil.test', 1, 'stored', 'pass', 'evil.test'),
    (13, '\xffff0000' || decode(repeat('00', 28), 'hex'), 'imap://h/INBOX;UID=3', true, NULL, 'three', NULL, 1, 'duplicate', NULL, NULL);
INSERT INTO dmarc_store.document (mail_sha256, message, ordinal, path, kind, outcome, domain, day, report)
SELECT sha256, m.id, 1, 'part 1', 'aggregate', m.outcome, 'a.example', '2026-10-01', CASE m.id WHEN 11 THEN 1 ELSE 2 END FROM dmarc_store.message m;
SELECT is(pg_temp.rows($$ SELECT code, domain, reporter, report_id, day, mail_from, auth_result, auth_domain, message, source FROM dmarc.untrusted() ORDER BY report_id $$),
    $$(reporter_mismatch,a.example,forged.test,r2,2026-10-01,b@evil.test,pass,evil.test,12,imap://h/INBOX;UID=2)
(foreign_domain,b.example,google.test,r4,2026-10-01,,,,,)$$, 'untrusted: what is flagged, with the mail that brought it first');
UPDATE dmarc_store.report SET foreign_domain = true WHERE id = 2;
SELECT is((SELECT string_agg(code, ' ') FROM dmarc.untrusted() WHERE report_id = 'r2'), 'foreign_domain reporter_mismatch', 'untrusted: each flag');
SELECT throws_ok($$ UPDATE dmarc_store.message SET auth_result = 'neutral' $$, '23514', NULL, 'the result is pass, fail or none');

SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('12') $$), '(12)', 'find_mail: by number');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('abcdef') $$), E'(11)\n(12)', 'find_mail: by the beginning of the hash');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('ABCDEF02') $$), '(12)', 'find_mail: in capitals');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('abcdef0') $$), E'(11)\n(12)', 'find_mail: half a byte');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail(repeat('f', 4) || repeat('0', 60)) $$), '(13)', 'find_mail: the whole hash');
SELECT is_empty($$ SELECT message FROM dmarc.find_mail('abcde') $$, 'find_mail: five digits are too few');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('imap://h/INBOX;UID=3') $$), '(13)', 'find_mail: by where it came from');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('<one@x>') $$), '(11)', 'find_mail: by Message-ID');
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('r2') $$), E'(12)\n(13)', 'find_mail: by report_id, all that brought it');
UPDATE dmarc_store.report SET report_id = '987654321' WHERE id = 1;
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('987654321') $$), '(11)', 'find_mail: a report_id of digits alone');
UPDATE dmarc_store.report SET report_id = '12' WHERE id = 1;
SELECT is(pg_temp.rows($$ SELECT message FROM dmarc.find_mail('12') $$), '(12)', 'find_mail: the number of a mail comes first');
SELECT is_empty($$ SELECT message FROM dmarc.find_mail('nothing') $$, 'find_mail: nothing');
SELECT is_empty($$ SELECT message FROM dmarc.find_mail('') $$, 'find_mail: an empty text');
SELECT is_empty($$ SELECT message FROM dmarc.find_mail('999999999999999999999999') $$, 'find_mail: a number that is too large');
SELECT is_empty($$ SELECT message FROM dmarc.find_mail('%') $$, 'find_mail: no patterns');

SELECT finish();
ROLLBACK;
