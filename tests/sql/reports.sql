-- Each report over a set of data that is small enough to work its figures out by hand:
--   a.example  10-01 google.test  192.0.2.1     100  own mail, DKIM and SPF aligned
--                                 198.51.100.7   40  Mailchimp, as itself
--                                 2001:db8::1    10  evil.test, rejected
--              10-02 yahoo.test   192.0.2.1      50  own mail, DKIM aligned
--                                 203.0.113.9     5  brought by gmail.com, quarantined
--                                 198.51.100.8   20  Mailchimp, the reporter disagrees with itself
--              10-03 google.test  no record, broken off
--   b.example  10-01 google.test  192.0.2.1       7  nothing passes
\ir support.sql
SELECT plan(51);
\o /dev/null
SELECT pg_temp.report(1, 'a.example', '2026-10-01', 'google.test');
SELECT pg_temp.report(2, 'a.example', '2026-10-02', 'yahoo.test', 'quarantine', '{date_swap,null_row}');
SELECT pg_temp.report(3, 'a.example', '2026-10-03', 'google.test', 'reject', '{truncated}', true);
SELECT pg_temp.report(4, 'b.example', '2026-10-01', 'google.test');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 100, '{a.example|s2026|pass}', '{a.example|mfrom|pass}', 'a.example|s2026', 'a.example');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.7', 40, '{a.example|k2|fail,mcsv.net|k2|pass}', '{bounce.mcsv.net|mfrom|pass}');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '2001:db8::1', 10, NULL, '{evil.test|mfrom|pass}', disposition => 'reject');
SELECT pg_temp.record(2, 'a.example', '2026-10-02', '192.0.2.1', 50, '{a.example|s2026|pass}', '{a.example|mfrom|fail}', 'a.example|s2026');
SELECT pg_temp.record(2, 'a.example', '2026-10-02', '203.0.113.9', 5, '{a.example|s2026|fail}', '{gmail.com|mfrom|pass}', disposition => 'quarantine', reasons => '{local_policy}');
SELECT pg_temp.record(2, 'a.example', '2026-10-02', '198.51.100.8', 20, NULL, '{bounce.mcsv.net|mfrom|pass}', disagree => true);
SELECT pg_temp.record(4, 'b.example', '2026-10-01', '192.0.2.1', 7);
SELECT pg_temp.sum_up();
\o

SELECT is(pg_temp.rows($$ SELECT sender, class, messages, share, dkim_aligned, spf_aligned, sources, first_seen, last_seen, confidence, known, sender_key, kind
                           FROM dmarc.senders('a.example') $$),
    $$("own mail (selector s2026)",authorised,150,0.666667,150,100,1,2026-10-01,2026-10-02,high,f,,)
(Mailchimp,misconfigured,60,0.266667,0,0,2,2026-10-01,2026-10-02,high,t,mailchimp,marketing)
("evil.test (not known)",unknown,10,0.044444,0,0,1,2026-10-01,2026-10-01,medium,f,,)
("Google Workspace / Gmail",forwarded,5,0.022222,0,0,1,2026-10-02,2026-10-02,medium,t,google,mailbox)$$, 'senders');
SELECT is((SELECT string_agg(evidence, ' | ' ORDER BY messages DESC) FROM dmarc.senders('a.example')),
          'dkim d=a.example s=s2026, passed | dkim d=mcsv.net, passed | spf evil.test, passed | spf gmail.com, passed',
          'senders: the evidence behind most messages');
SELECT is((SELECT string_agg(sender_key, ' ') FROM dmarc.senders('a.example') WHERE advice IS NOT NULL), 'mailchimp', 'senders: advice for the one that needs it');
SELECT is((SELECT sum(share) FROM dmarc.senders() WHERE domain = 'b.example'), 1.0000, 'senders: shares are of the domain''s own mail');
SELECT is((SELECT sum(messages) FROM dmarc.senders()), 232::numeric, 'senders: all domains');
SELECT is((SELECT sum(messages) FROM dmarc.senders('A.Example')), 225::numeric, 'senders: a domain in any case');
SELECT is((SELECT sum(messages) FROM dmarc.senders('a.example', '2026-10-02')), 75::numeric, 'senders: the first day counts');
SELECT is((SELECT sum(messages) FROM dmarc.senders('a.example', NULL, '2026-10-02')), 150::numeric, 'senders: the day after the last does not');
SELECT is((SELECT sum(messages) FROM dmarc.senders(since => '2026-10-01', until => '2026-10-02')), 157::numeric, 'senders: arguments by name');
SELECT is_empty($$ SELECT * FROM dmarc.senders('c.example') $$, 'senders: none of an unknown domain');
SELECT is_empty($$ SELECT * FROM dmarc.senders('example') $$, 'senders: a domain is the policy domain, not what is below it');

SELECT is(pg_temp.rows($$ SELECT source_ip, sender_key, class, messages, share, dkim_aligned, spf_aligned, first_seen, last_seen FROM dmarc.sources('a.example') $$),
    $$(192.0.2.1,,authorised,150,0.666667,150,100,2026-10-01,2026-10-02)
(198.51.100.7,mailchimp,misconfigured,40,0.177778,0,0,2026-10-01,2026-10-01)
(198.51.100.8,mailchimp,misconfigured,20,0.088889,0,0,2026-10-02,2026-10-02)
(2001:db8::1,,unknown,10,0.044444,0,0,2026-10-01,2026-10-01)
(203.0.113.9,google,forwarded,5,0.022222,0,0,2026-10-02,2026-10-02)$$, 'sources');
SELECT is((SELECT string_agg(n::text, ' ' ORDER BY dmarc_store.sortable(n) DESC, dmarc_store.beyond(n) DESC NULLS LAST)
           FROM unnest('{5,4611686018427387904,1e30,0,4611686018427387905,7}'::numeric[]) n),
          '1000000000000000000000000000000 4611686018427387905 4611686018427387904 7 5 0', 'sources: sorted by messages, whatever a reporter counts');
SELECT is((SELECT count(*)::int FROM dmarc.sources() WHERE source_ip = '192.0.2.1'), 2, 'sources: an address stands with each domain');

SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.reporters('a.example') $$),
    $$(a.example,google.test,Google.Test,2,3,150,100,100,0,1,{truncated=1},2026-10-01,2026-10-03)
(a.example,yahoo.test,Yahoo.Test,1,3,75,50,0,20,0,"{date_swap=1,null_row=1}",2026-10-02,2026-10-02)$$, 'reporters');
SELECT is((SELECT reports FROM dmarc.reporters('a.example', '2026-10-03') ), 1::bigint, 'reporters: a report without records counts');
INSERT INTO dmarc_store.document (mail_sha256, message, ordinal, path, kind, outcome, domain, day, report, warnings)
    SELECT 'z', 99, v.n, 'part 1', v.kind, v.outcome, r.domain, r.day, r.id, v.warnings
    FROM (SELECT * FROM dmarc_store.report WHERE domain = 'a.example' AND reporter = 'yahoo.test') r,
         (VALUES (1, 'aggregate', 'stored', '{ctype,null_row}'::text[]), (2, 'aggregate', 'duplicate', '{ctype,ext}'),
                 (3, 'tls', 'stored', '{mime}')) v (n, kind, outcome, warnings);
SELECT is((SELECT warnings FROM dmarc.reporters('a.example') WHERE reporter = 'yahoo.test'), '{ctype=1,date_swap=1,ext=1,null_row=1}',
          'reporters: warnings about what a report came in count once');
DELETE FROM dmarc_store.document WHERE message = 99;

SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.timeline('a.example') $$),
    $$(a.example,2026-10-01,150,100,0.666667,100,40,0,10,100,100,0,10,1)
(a.example,2026-10-02,75,50,0.666667,50,20,5,0,50,0,5,0,1)
(a.example,2026-10-03,0,0,,0,0,0,0,0,0,0,0,1)$$, 'timeline');
SELECT is((SELECT string_agg(concat_ws(' ', coalesce(domain, 'all'), messages, reports), ', ') FROM dmarc.timeline(NULL, '2026-10-01', '2026-10-02')),
          (SELECT concat_ws(' ', 'all', sum(messages), sum(reports)) FROM dmarc.summary(NULL, '2026-10-01', '2026-10-02')), 'timeline: one row a day, of all domains together');
SELECT is_empty($$ SELECT * FROM dmarc.timeline() WHERE messages <> authorised + misconfigured + forwarded + unknown $$, 'timeline: the classes are all of it');

SELECT is(pg_temp.rows($$ SELECT sender_key, class, header_from, dkim, spf, disposition, overrides, messages, sources, disagree, first_seen FROM dmarc.failures('a.example') $$),
    $$(mailchimp,misconfigured,a.example,"d=a.example s=k2 fail","bounce.mcsv.net passed, not aligned",none,,40,1,f,2026-10-01)
(mailchimp,misconfigured,a.example,"not signed","bounce.mcsv.net passed, not aligned",none,,20,1,t,2026-10-02)
(,unknown,a.example,"not signed","evil.test passed, not aligned",reject,,10,1,f,2026-10-01)
(google,forwarded,a.example,"d=a.example s=s2026 fail","gmail.com passed, not aligned",quarantine,{local_policy},5,1,f,2026-10-02)$$, 'failures');
SELECT is((SELECT sum(messages) FROM dmarc.failures()), (SELECT sum(message_count) FROM dmarc.record WHERE NOT dkim_aligned AND NOT spf_aligned), 'failures: all that fails');
SELECT is((SELECT string_agg(concat_ws(' ', messages, dkim_why, dkim_selector, spf_why), ', ' ORDER BY messages) FROM dmarc.failures()),
          '5 fail s2026 other domain, 7 missing missing, 10 missing other domain, 20 missing other domain, 40 fail k2 other domain', 'failures: why, in words, and which selector');
SELECT is((SELECT string_agg(concat_ws(' ', (dmarc.dkim_why('a.example', 'a.example', ARRAY[v.d], ARRAY['s'], ARRAY[v.r])).why,
                                       dmarc.spf_why('a.example', 'a.example', ARRAY[v.d], ARRAY[v.s], ARRAY[v.r])), ', ' ORDER BY v.n)
           FROM (VALUES (1, 'mail.a.example', 'mfrom', 'pass'), (2, 'b.test', NULL, 'pass'), (3, 'b.test', 'helo', 'pass'), (4, 'a.example', NULL, NULL),
                        (5, NULL, NULL, 'temperror')) v (n, d, s, r)),
          'alignment alignment, other domain other domain, other domain helo, unknown unknown, temperror temperror', 'failures: the words');
CREATE TEMPORARY VIEW pairs AS
    WITH one AS (SELECT * FROM unnest(ARRAY['a.example', 'x.a.example', 'b.a.example', 'c.test', NULL]) d, unnest(ARRAY['mfrom', 'helo', NULL]) s,
                               unnest(ARRAY['pass', 'fail', NULL]) r)
    SELECT ARRAY[a.d, b.d] AS d, ARRAY[a.s, b.s] AS s, ARRAY[a.r, b.r] AS r FROM one a CROSS JOIN one b;
SELECT is((SELECT array_agg(DISTINCT dmarc_store.telling_dkim('x.a.example', 'a.example', d, r)) FROM pairs
           WHERE dmarc_store.telling_dkim('x.a.example', 'a.example', d, r) = dmarc_store.telling_dkim_of_many('x.a.example', 'a.example', d, r)
           HAVING count(*) = (SELECT count(*) FROM pairs)), '{1,2}', 'failures: of two DKIM results the same as of many');
SELECT is((SELECT array_agg(DISTINCT dmarc_store.telling_spf('x.a.example', 'a.example', d, s, r)) FROM pairs
           WHERE dmarc_store.telling_spf('x.a.example', 'a.example', d, s, r) = dmarc_store.telling_spf_of_many('x.a.example', 'a.example', d, s, r)
           HAVING count(*) = (SELECT count(*) FROM pairs)), '{1,2}', 'failures: of two SPF results the same as of many');
SELECT is((SELECT string_agg(sender || ' ' || messages, ', ') FROM dmarc.senders_new('a.example', '2026-10-02')), 'Google Workspace / Gmail 5', 'senders_new: who was not there before');
SELECT is((SELECT count(*) FROM dmarc.senders_new()), (SELECT count(*) FROM dmarc.senders()), 'senders_new: without a first day, all are');
SELECT is((SELECT dkim || ' / ' || spf FROM dmarc.failures('b.example')), 'not signed / no result', 'failures: nothing at all');

SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.summary() $$),
    $$(a.example,225,150,0.666667,150,60,5,10,150,100,5,10,reject,4,5,2,3,2026-10-01,2026-10-03,"{150,75,0}")
(b.example,7,0,0.000000,0,0,0,7,0,0,0,0,none,1,1,1,1,2026-10-01,2026-10-01,"{7,0,0}")$$, 'summary');
SELECT is((SELECT policy FROM dmarc.summary('a.example', NULL, '2026-10-03')), 'quarantine', 'summary: the policy last seen in the period');
SELECT is((SELECT messages FROM dmarc.summary('a.example', '2026-10-03')), 0::numeric, 'summary: a report without records is no mail');

-- Views.
SELECT is((SELECT sum(message_count) FROM dmarc.record), 232::numeric, 'record: every message once');
SELECT is(pg_temp.rows($$ SELECT position, signing_domain, selector, result FROM dmarc.dkim_result
                           WHERE domain = 'a.example' AND day = '2026-10-01' AND report = 1 AND ordinal = 2 ORDER BY position $$),
    $$(1,a.example,k2,fail)
(2,mcsv.net,k2,pass)$$, 'dkim_result: all of a record, in order');
SELECT is((SELECT string_agg(spf_domain || ' ' || scope || ' ' || result, ', ' ORDER BY report, ordinal) FROM dmarc.spf_result WHERE report = 1),
          'a.example mfrom pass, bounce.mcsv.net mfrom pass, evil.test mfrom pass', 'spf_result');
SELECT is(pg_temp.rows('SELECT report, ordinal, position, type FROM dmarc.override_reason'), '(2,2,1,local_policy)', 'override_reason');

-- The ledger.
INSERT INTO dmarc_store.message (id, sha256, source, identity, subject, size, outcome, code, detail, ingested_at) VALUES
    (1, 'a', 'file:1', true, 'one', 1, 'stored', NULL, NULL, '2026-10-01'),
    (2, 'b', 'file:2', true, 'two', 1, 'duplicate', NULL, NULL, '2026-10-01'),
    (3, 'c', 'file:3', true, 'three', 1, 'no_report', NULL, NULL, '2026-10-01'),
    (4, 'd', 'file:4', true, 'four', 1, 'problem', NULL, NULL, '2026-10-02'),
    (5, 'e', 'file:5', true, 'five', 1, 'problem', 'limit', 'too big', '2026-10-03'),
    (6, 'f', 'file:6', true, 'six', 1, 'problem', NULL, NULL, '2026-10-04');
INSERT INTO dmarc_store.document (mail_sha256, message, ordinal, path, kind, outcome, code, detail) VALUES
    ('a', 1, 1, 'part 1', 'aggregate', 'stored', NULL, NULL),
    ('a', 1, 2, 'part 2', 'archive', 'problem', 'crc', 'cut off'),
    ('d', 4, 1, 'part 1', 'archive', 'problem', 'crc', 'cut off, too'),
    ('d', 4, 2, 'part 2', 'text', 'no_report', NULL, NULL);
SELECT is(pg_temp.rows($$ SELECT what, code, detail, path, source, subject, alike FROM dmarc.problem ORDER BY message, path $$),
    $$(document,crc,"cut off","part 2",file:1,one,2)
(document,crc,"cut off, too","part 1",file:4,four,2)
(mail,limit,"too big",,file:5,five,1)
(mail,,,,file:6,six,1)$$, 'problem: what a person should look at, each once');
SELECT is(pg_temp.rows('SELECT code, what, problems, first_seen::date, last_seen::date, detail, source, subject FROM dmarc.problems()'),
    $$(crc,document,2,2026-10-01,2026-10-02,"cut off, too",file:4,four)
(limit,mail,1,2026-10-03,2026-10-03,"too big",file:5,five)
(,mail,1,2026-10-04,2026-10-04,,file:6,six)$$, 'problems');
SELECT is(pg_temp.rows('SELECT mails, stored, duplicate, no_report, problem, documents, problem_documents, domains, reports, failure_reports, tls_reports, first_day, last_day, last_mail::date FROM dmarc.status()'),
    '(6,1,1,1,3,4,2,2,4,0,0,2026-10-01,2026-10-03,2026-10-04)', 'status');
SELECT cmp_ok((SELECT database_size FROM dmarc.status()), '>', 1000000::bigint, 'status: the size of the database');

-- Trends: 25 days in twelve parts, of which the first has three and all others two.
\o /dev/null
SELECT pg_temp.report(100 + i, 't.example', date '2026-08-01' + i) FROM generate_series(0, 24) i;
SELECT pg_temp.record(100 + i, 't.example', date '2026-08-01' + i, '192.0.2.1', 6, '{t.example|s|pass}', NULL, 't.example|s') FROM generate_series(0, 24) i;
SELECT pg_temp.record(101, 't.example', '2026-08-02', '192.0.2.2', 6 + i) FROM generate_series(0, 1) i;
SELECT pg_temp.record(124, 't.example', '2026-08-25', '192.0.2.2', 1, '{mcsv.net|k2|pass}');
SELECT pg_temp.record(124, 't.example', '2026-08-25', '192.0.2.2', 2, '{mcsv.net|k3|pass}', header_from => 'news.t.example');
SELECT pg_temp.sum_up();
\o
SELECT is(pg_temp.rows($$ SELECT sender, messages, trend FROM dmarc.senders('t.example') $$),
    $$("own mail (selector s)",150,"{6,6,6,6,6,6,6,6,6,6,6,6}")
("nothing authenticates",13,"{4.333,0,0,0,0,0,0,0,0,0,0,0}")
(Mailchimp,3,"{0,0,0,0,0,0,0,0,0,0,0,1.5}")$$, 'trend: messages a day in each part, whatever its length');
SELECT is((SELECT trend FROM dmarc.summary('t.example')), '{10.333,6,6,6,6,6,6,6,6,6,6,7.5}'::numeric[], 'trend: of a domain');
SELECT is((SELECT trend FROM dmarc.senders('t.example', '2026-08-24', '2026-08-27') WHERE sender_key = 'mailchimp'), '{0,3}'::numeric[],
          'trend: no part is shorter than a day, and none is of days that nobody reported');
SELECT is((SELECT string_agg(trend::text, ' ' ORDER BY domain) FROM dmarc.summary(NULL, '2026-08-25', '2026-10-02') WHERE domain < 'c'),
          '{0,0,0,0,0,0,0,0,0,0,0,50} {0,0,0,0,0,0,0,0,0,0,0,2.333}', 'trend: all domains over the same days');
\o /dev/null
SELECT pg_temp.report(200, 't.example', '2999-01-01');
SELECT pg_temp.record(200, 't.example', '2999-01-01', '192.0.2.2', 2, '{mcsv.net|k2|pass}');
SELECT pg_temp.sum_up();
\o
SELECT is((SELECT trend FROM dmarc.senders('t.example') WHERE sender_key = 'mailchimp'), '{0,0,0,0,0,0,0,0,0,0,0,2.5}'::numeric[],
          'trend: what a reporter puts into the future makes no day small');
SELECT is((SELECT trend FROM dmarc.senders('t.example', '2998-01-01')), '{2}'::numeric[], '... and is one part when there is nothing else');

-- Whose machines they are, by confirmed reverse names.
\o /dev/null
SELECT pg_temp.report(300, 'h.example', '2026-10-01');
SELECT pg_temp.record(300, 'h.example', '2026-10-01', '10.1.0.' || i, 10, '{h.example|own|pass}', NULL, 'h.example|own') FROM generate_series(1, 14) i;
SELECT pg_temp.record(300, 'h.example', '2026-10-01', '10.1.1.1', 9, NULL, '{h.example|mfrom|pass}', NULL, 'h.example');
SELECT pg_temp.record(300, 'h.example', '2026-10-01', '10.1.2.' || i, 8, '{mcsv.net|k2|pass}') FROM generate_series(1, 2) i;
SELECT pg_temp.record(300, 'h.example', '2026-10-01', '10.1.3.' || i, 1) FROM generate_series(1, 3) i;
SELECT pg_temp.sum_up();
\o
SELECT is((SELECT count(hosts) FROM dmarc.senders('h.example')), 0::bigint, 'hosts: none where nothing was looked up');
INSERT INTO dmarc_store.address (source_ip, name, name_status)
SELECT ('10.1.0.' || i)::inet, CASE WHEN i <= 9 THEN 'mail-' || i || '.google.com' WHEN i = 10 THEN 'google.com' WHEN i = 11 THEN 'a.b.c.d.e.f.g.1e100.net'
                                    WHEN i = 12 THEN 'a1.smtp-out.amazonses.com' WHEN i = 13 THEN 'stranger.test' END, CASE WHEN i = 14 THEN 'unconfirmed' ELSE 'confirmed' END
FROM generate_series(1, 14) i;
INSERT INTO dmarc_store.address (source_ip, name, name_status)
VALUES ('10.1.1.1', 'smtp.salesforce.com', 'confirmed'), ('10.1.2.1', 'mail.google.com', 'confirmed'), ('10.1.3.1', 'o1.ptr.sendgrid.net', 'confirmed'),
       ('10.1.3.2', 'evil\.google.com', 'confirmed'), ('10.1.3.3', 'notgoogle.com', 'confirmed');
SELECT is(pg_temp.rows($$ SELECT sender, class, confidence, evidence, hosts FROM dmarc.senders('h.example') $$),
    $$("own mail (selector own)",authorised,high,"dkim d=h.example s=own, passed; 11 of 14 addresses have confirmed reverse names of Google Workspace / Gmail, 1 of Amazon SES","{""Google Workspace / Gmail=11"",""Amazon SES=1""}")
(Mailchimp,misconfigured,high,"dkim d=mcsv.net, passed",)
("own mail (spf h.example)",authorised,high,"spf h.example, passed; 1 of 1 address has a confirmed reverse name of Salesforce",{Salesforce=1})
("nothing authenticates",unknown,low,"nothing passed; 1 of 3 addresses has a confirmed reverse name of Twilio SendGrid","{""Twilio SendGrid=1""}")$$,
    'hosts: of what names no sender of the catalogue, and of confirmed names alone');
SELECT is((SELECT hosts FROM dmarc.senders_new('h.example') WHERE class = 'unknown'), '{"Twilio SendGrid=1"}', 'hosts: of new senders, too');
INSERT INTO dmarc_store.sender (key, name, kind, origin) VALUES ('ours', 'Our relay', 'own', 'user');
INSERT INTO dmarc_store.sender_rule (kind, pattern, sender, origin) VALUES ('ptr_domain', 'stranger.test', 'ours', 'user'), ('ptr_domain', 'f.g.1e100.net', 'ours', 'user');
SELECT is((SELECT hosts FROM dmarc.senders('h.example') WHERE messages = 140), '{"Google Workspace / Gmail=10","Our relay=2","Amazon SES=1"}', 'hosts: by rules of one''s own first');
SELECT is((SELECT string_agg(n.name || ' ' || coalesce((dmarc_store.sender_by_name(n.name)).key, '-'), ', ' ORDER BY n.name COLLATE "C")
           FROM unnest('{google.com,x.google.com,com,"",stranger.test,x.f.g.1e100.net,f.g.1e100.net,g.1e100.net,"evil\\.google.com"}'::text[]) n (name)),
          ' -, com -, evil\.google.com -, f.g.1e100.net ours, g.1e100.net google, google.com google, stranger.test ours, x.f.g.1e100.net ours, x.google.com google',
          'sender_by_name: by labels, the name itself included');

SELECT finish();
ROLLBACK;
