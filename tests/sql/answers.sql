-- Overrides, sub-domains, coverage, changes and records that are looked for, over data whose figures can be worked out by hand.
\ir support.sql
SELECT plan(46);
\o /dev/null
-- Overrides: reasons of two reporters; the comments are put in by hand below.
SELECT pg_temp.report(1, 'o.example', '2026-10-01', 'google.test');
SELECT pg_temp.report(2, 'o.example', '2026-10-02', 'yahoo.test');
SELECT pg_temp.record(1, 'o.example', '2026-10-01', '192.0.2.1', 10, NULL, NULL, NULL, NULL, '{mailing_list}');
SELECT pg_temp.record(1, 'o.example', '2026-10-01', '192.0.2.2', 5, NULL, NULL, NULL, NULL, '{local_policy,mailing_list}');
SELECT pg_temp.record(2, 'o.example', '2026-10-02', '192.0.2.2', 3, NULL, NULL, NULL, NULL, '{local_policy,local_policy}');
SELECT pg_temp.record(2, 'o.example', '2026-10-02', '192.0.2.3', 2, NULL, NULL, NULL, NULL, '{local_policy}', disposition => 'quarantine');
SELECT pg_temp.record(2, 'o.example', '2026-10-02', '192.0.2.3', 80);
UPDATE dmarc_store.evidence SET reason_comments = '{arc=pass,list}' WHERE domain = 'o.example' AND reason_types = '{local_policy,mailing_list}';
-- Sub-domains.
SELECT pg_temp.report(1, 's.example', '2026-10-01', p => 'reject');
UPDATE dmarc_store.report SET sp = 'none' WHERE domain = 's.example';
SELECT pg_temp.record(1, 's.example', '2026-10-01', '192.0.2.1', 50, '{s.example|a|pass}', NULL, 's.example|a');
SELECT pg_temp.record(1, 's.example', '2026-10-01', '192.0.2.1', 30, '{s.example|a|pass}', NULL, 's.example|a', header_from => 'news.s.example');
SELECT pg_temp.record(1, 's.example', '2026-10-01', '192.0.2.2', 10, '{mcsv.net|a|pass}', header_from => 'news.s.example');
SELECT pg_temp.record(1, 's.example', '2026-10-01', '192.0.2.3', 6, NULL, header_from => 'nothere.s.example');
SELECT pg_temp.record(1, 's.example', '2026-10-01', '192.0.2.4', 4, '{s.example|a|fail}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.report(1, 'out.example', '2026-10-01', p => 'reject');
SELECT pg_temp.record(1, 'out.example', '2026-10-01', '192.0.2.9', 6, '{evil.test|a|pass}', NULL, 'evil.test|a', header_from => 'evil.test');
-- Coverage: google daily to 09-30 but for the 12th, and again to 10-10 but for the 3rd; yahoo daily to 10-04; weekly.test on
-- Mondays; once.test twice. On 09-12 nobody.
SELECT pg_temp.report(i, 'c.example', date '2026-08-31' + i, 'google.test') FROM generate_series(1, 40) i WHERE i NOT IN (12, 33);
SELECT pg_temp.report(100 + i, 'c.example', date '2026-08-31' + i, 'yahoo.test') FROM generate_series(1, 34) i WHERE i <> 12;
SELECT pg_temp.report(200 + i, 'c.example', date '2026-08-31' + i * 7, 'weekly.test') FROM generate_series(1, 5) i;
SELECT pg_temp.report(300 + i, 'c.example', date '2026-09-19' + i, 'once.test') FROM generate_series(1, 2) i;
SELECT pg_temp.record(i, 'c.example', date '2026-08-31' + i, '192.0.2.1', CASE WHEN i <= 33 THEN 30 ELSE 2 END) FROM generate_series(1, 40) i WHERE i NOT IN (12, 33);
SELECT pg_temp.record(100 + i, 'c.example', date '2026-08-31' + i, '192.0.2.1', 10) FROM generate_series(1, 34) i WHERE i <> 12;
SELECT pg_temp.report(i, 'e.example', date '2024-12-31' + i, 'r.test') FROM generate_series(1, 10) i;
-- Quiet weeks: 700 messages a week up to 10-11, but for that of 09-14, and that of 09-28; the first weeks of one that grows are not.
SELECT pg_temp.report(i, 'w.example', date '2026-07-05' + i, 'r.test'), pg_temp.record(i, 'w.example', date '2026-07-05' + i, '192.0.2.1', CASE WHEN (i - 1) / 7 IN (10, 12) THEN 10 ELSE 100 END) FROM generate_series(1, 98) i;
SELECT pg_temp.report(i, 'young.example', date '2026-08-30' + i, 'r.test'), pg_temp.record(i, 'young.example', date '2026-08-30' + i, '192.0.2.1', CASE WHEN (i - 1) / 7 IN (0, 3) THEN 2 ELSE 100 END) FROM generate_series(1, 42) i;
SELECT pg_temp.report(i, 'often.example', date '2026-07-05' + i, 'r.test'), pg_temp.record(i, 'often.example', date '2026-07-05' + i, '192.0.2.1', CASE WHEN (i - 1) / 7 IN (7, 9, 11, 12, 13) THEN 10 ELSE 100 END) FROM generate_series(1, 98) i;
SELECT pg_temp.report(1, 'd.example', '2026-10-01');
SELECT pg_temp.report(2, 'd.example', '2099-01-01');
-- Changes: 10-01 to 10-10 before, 10-11 to 10-20 after.
SELECT pg_temp.report(i, 'x.example', date '2026-09-30' + i, 'r.test', CASE WHEN i <= 13 THEN 'none' ELSE 'quarantine' END) FROM generate_series(1, 20) i;
SELECT pg_temp.report(30, 'x.example', '2026-08-01', 'r.test');
SELECT pg_temp.record(30, 'x.example', '2026-08-01', '192.0.2.9', 7, '{sendgrid.net|k|pass}');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.1', 1000, '{x.example|s|pass}', NULL, 'x.example|s');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.1', 1100, '{x.example|s|pass}', NULL, 'x.example|s');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.2', 100, '{x.example|mte1|pass,mandrillapp.com|mte1|pass}', NULL, 'x.example|mte1');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.2', 60, '{x.example|mte1|pass,mandrillapp.com|mte1|pass}', NULL, 'x.example|mte1');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.2', 40, '{x.example|mte1|fail,mandrillapp.com|mte1|pass}');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.3', 20, '{mcsv.net|k|pass}');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.3', 20, '{mcsv.net|k|pass,x.example|k2|pass}', NULL, 'x.example|k2');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.4', 30, '{amazonses.com|k|pass}');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.5', 11, '{evil.test|k|pass}');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.6', 12, '{other.test|k|pass}');
SELECT pg_temp.record(11, 'x.example', '2026-10-11', '192.0.2.6', 14, '{third.test|k|pass}');
SELECT pg_temp.record(12, 'x.example', '2026-10-12', '192.0.2.9', 1, '{sendgrid.net|k|pass}');
SELECT pg_temp.record(12, 'x.example', '2026-10-12', '192.0.2.10', 2, '{x.example|new|pass}', NULL, 'x.example|new');
SELECT pg_temp.record(1, 'x.example', '2026-10-01', '192.0.2.7', 50);
SELECT pg_temp.record(20, 'x.example', '2026-10-20', '192.0.2.7', 20);
SELECT pg_temp.record(20, 'x.example', '2026-10-20', '192.0.2.8', 33, '{x.example|s|fail}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.record(2, 'x.example', '2026-10-02', '192.0.2.8', 3, '{x.example|s|fail}', '{gmail.com|mfrom|pass}');
-- A forger that sends a hundred times as much; who was the small one among forgers is not told.
SELECT pg_temp.report(i, 'f.example', date '2026-09-30' + i, 'r.test') FROM generate_series(1, 20) i;
SELECT pg_temp.record(i, 'f.example', date '2026-09-30' + i, '192.0.2.1', 10000, '{f.example|s|pass}', NULL, 'f.example|s') FROM unnest(ARRAY[1, 11]) i;
SELECT pg_temp.record(1, 'f.example', '2026-10-01', '192.0.2.2', 9000, '{f.example|k2|pass,mcsv.net|k|pass}', NULL, 'f.example|k2');
SELECT pg_temp.record(1, 'f.example', '2026-10-01', '192.0.2.3', 150, '{amazonses.com|k|pass}');
SELECT pg_temp.record(1, 'f.example', '2026-10-01', '192.0.2.4', 9000, '{evil.test|k|pass}');
SELECT pg_temp.record(11, 'f.example', '2026-10-11', '192.0.2.5', 1200000);
SELECT pg_temp.report(1, 'y.example', '2026-10-15');
SELECT pg_temp.report(1, 'rare.example', '2025-10-01'), pg_temp.report(2, 'rare.example', '2026-10-01');
SELECT pg_temp.record(1, 'y.example', '2026-10-15', '192.0.2.1', 100, '{y.example|s|pass}', NULL, 'y.example|s');
SELECT pg_temp.sum_up();
\o

SELECT is(pg_temp.rows($$ SELECT type, disposition, messages, share, reporters, sources, example_comment, first_seen, last_seen FROM dmarc.overrides('o.example') $$),
    $$(mailing_list,none,15,0.150000,1,2,list,2026-10-01,2026-10-01)
(local_policy,none,8,0.080000,2,1,arc=pass,2026-10-01,2026-10-02)
(local_policy,quarantine,2,0.020000,1,1,,2026-10-02,2026-10-02)$$, 'overrides: each type and what was done; a type once for a record');
SELECT is((SELECT sum(messages) FROM dmarc.overrides('o.example', '2026-10-02')), 5::numeric, 'overrides: of a period');
UPDATE dmarc_store.evidence SET reason_types = NULL, reason_raw = '{strange}' WHERE domain = 'o.example' AND reason_types = '{local_policy,local_policy}';
SELECT is((SELECT string_agg(type || ' ' || messages, ', ' ORDER BY type, messages) FROM dmarc.overrides('o.example')), 'local_policy 2, local_policy 5, mailing_list 15, strange 3', 'overrides: a word that is unknown is told as it is');
UPDATE dmarc_store.report SET foreign_domain = true WHERE domain = 'o.example' AND id = 2;
SELECT is((SELECT sum(messages) FROM dmarc.overrides('o.example', NULL, NULL, true)), 20::numeric, 'overrides: without what nobody vouches for');
SELECT is_empty($$ SELECT * FROM dmarc.overrides('s.example') $$, 'overrides: none where there is none');

SELECT is(pg_temp.rows($$ SELECT header_from, messages, share, passed, pass_share, senders, sources, authorised, misconfigured, forwarded, unknown, policy, last_seen FROM dmarc.subdomains('s.example') $$),
    $$(s.example,54,0.540000,50,0.925926,2,2,50,0,4,0,p=reject,2026-10-01)
(news.s.example,40,0.400000,30,0.750000,2,2,30,10,0,0,sp=none,2026-10-01)
(nothere.s.example,6,0.060000,0,0.000000,1,1,0,0,0,6,sp=none,2026-10-01)$$, 'subdomains');
SELECT is((SELECT string_agg(header_from || ': ' || policy, ', ') FROM dmarc.subdomains('out.example')), 'evil.test: none, it is outside', 'subdomains: a name outside of the domain');
UPDATE dmarc_store.report SET np = 'reject' WHERE domain = 's.example';
SELECT is((SELECT string_agg(DISTINCT policy, ', ') FROM dmarc.subdomains('s.example')), 'p=reject, sp=none np=reject', 'subdomains: np, where it is another one');
SELECT is((SELECT sum(messages) FROM dmarc.subdomains()), (SELECT sum(messages) FROM dmarc.senders()), 'subdomains: every message once');

SELECT is(pg_temp.rows($$ SELECT reporter, usual_per_week, last_seen, silent_days, missing_days, messages_share, note FROM dmarc.coverage('c.example', NULL, '2026-10-11') $$),
    $$(,6.8,2026-10-10,0,{2026-09-12},1.000000,"no report at all of 1 day between; a quiet week from 2026-10-04: 24 messages, usually 250; reporters of 25.9% of the messages are silent")
(yahoo.test,6.8,2026-10-04,6,"{2026-09-12,2026-10-05,2026-10-06,2026-10-07,2026-10-08,2026-10-09,2026-10-10}",0.259027,"silent for 6 days; no report of 1 day between")
(google.test,6.6,2026-10-10,0,"{2026-09-12,2026-10-03}",0.740973,"no report of 2 days between")
(weekly.test,1.0,2026-10-05,5,{},0.000000,)$$, 'coverage: the domain, then who usually reports');
SELECT is((SELECT string_agg(concat_ws(' ', reporter, silent_days, missing), ', ') FROM dmarc.coverage('c.example', '2026-10-08', '2026-10-11')),
          '0 0, yahoo.test 6 3, google.test 0 0, weekly.test 5 0', 'coverage: of a short period, by the habits from before');
SELECT is((SELECT note FROM dmarc.coverage('c.example', NULL, '2026-10-26') WHERE reporter = 'weekly.test'), 'silent for 20 days', 'coverage: who is silent for two of his turns');
SELECT is((SELECT note FROM dmarc.coverage('c.example', NULL, '2026-10-14') WHERE reporter IS NULL), 'no report at all for 3 days; no report at all of 1 day between; a quiet week from 2026-10-07: 8 messages, usually 260', 'coverage: nobody reports any more');
SELECT is((SELECT note FROM dmarc.coverage('w.example', '2026-09-12', '2026-10-12') WHERE reporter IS NULL), 'a quiet week from 2026-09-28: 70 messages, usually 700; a quiet week from 2026-09-14: 70 messages, usually 700', 'coverage: every week of the period that is quiet');
SELECT is((SELECT note FROM dmarc.coverage('w.example', '2026-09-15', '2026-10-12') WHERE reporter IS NULL), 'a quiet week from 2026-09-28: 70 messages, usually 700', 'coverage: whole weeks alone');
SELECT is((SELECT note FROM dmarc.coverage('w.example', '2026-10-10', '2026-10-12') WHERE reporter IS NULL), NULL, 'coverage: of two days, the week that ends with them');
SELECT is((SELECT note FROM dmarc.coverage('young.example', NULL, '2026-10-12') WHERE reporter IS NULL), 'a quiet week from 2026-09-21: 14 messages, usually 700', 'coverage: by the weeks around it where few are known before; to begin is not quiet');
SELECT is((SELECT note FROM dmarc.coverage('often.example', NULL, '2026-10-12') WHERE reporter IS NULL),
    'a quiet week from 2026-10-05: 70 messages, usually 385; a quiet week from 2026-09-28: 70 messages, usually 700; a quiet week from 2026-09-21: 70 messages, usually 700; 2 more quiet weeks before', 'coverage: three quiet weeks in words');
SELECT is((SELECT current_date - 2 - last_seen = silent_days FROM dmarc.coverage('d.example') WHERE reporter IS NULL), true, 'coverage: up to the day before yesterday, whatever a report claims');
SELECT is((SELECT count(*)::int FROM dmarc.coverage('d.example')), 1, 'coverage: one report is no habit');
SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.coverage('c.example', NULL, current_date + 9) $$), pg_temp.rows($$ SELECT * FROM dmarc.coverage('c.example') $$),
          'coverage: of a period that is not over');
SELECT is((SELECT concat_ws(' ', missing, cardinality(missing_days), missing_days[1], missing_days[100]) FROM dmarc.coverage('e.example', NULL, '2025-09-01') WHERE reporter = 'r.test'),
          '233 100 2025-05-24 2025-08-31', 'coverage: the last hundred days that are missing');
SELECT is_empty($$ SELECT * FROM dmarc.coverage('none.example') $$, 'coverage: none of an unknown domain');
SELECT is((SELECT concat_ws(' ', usual_per_week, silent_days, note) FROM dmarc.coverage('rare.example', NULL, '2026-10-11') WHERE reporter IS NULL), '0.0 9', 'coverage: twice a year is seldom');
SELECT is((SELECT note FROM dmarc.coverage('rare.example', NULL, '2027-03-01') WHERE reporter IS NULL), NULL, 'coverage: and after today nothing is missed');
UPDATE dmarc_store.report SET trusted = false WHERE domain = 'c.example' AND reporter = 'yahoo.test';
SELECT is((SELECT count(*)::int FROM dmarc.coverage('c.example', NULL, '2026-10-11', true)), 3, 'coverage: without what nobody vouches for');

SELECT is(pg_temp.rows($$ SELECT what, sender, class, before, after, factor, note FROM dmarc.changes('x.example', '2026-10-11', '2026-10-21') $$),
    $$("new policy",,,,,,"p=quarantine since 2026-10-14, before p=none")
("new sender","third.test (not known)",unknown,0,14,,"never seen before")
("new sender","own mail (selector new)",authorised,0,2,,"never seen before")
("new sender","Twilio SendGrid",misconfigured,0,1,,"seen before, last on 2026-08-01")
("gained alignment",Mailchimp,authorised,0.000000,1.000000,,"100.0% of 20 messages pass, before 0.0%")
("lost alignment","Mailchimp Transactional (Mandrill)",authorised,1.000000,0.600000,,"60.0% of 100 messages pass, before 100.0%")
(gone,"Amazon SES",misconfigured,30,0,,)
(more,"Google Workspace / Gmail",forwarded,3,33,11.00,)
(less,"nothing authenticates",unknown,50,20,0.40,)$$, 'changes: what is new, gone, more, less; what is small is left out');
SELECT is((SELECT string_agg(what || ' ' || sender, ', ') FROM dmarc.changes('f.example', '2026-10-11', '2026-10-21')),
    'new sender nothing authenticates, gone Mailchimp', 'changes: what forgers send does not make others small');
SELECT is((SELECT count(*)::int FROM dmarc.changes('X.example', '2026-10-11', '2026-10-21')), 9, 'changes: a domain in any case');
SELECT is((SELECT string_agg(DISTINCT domain, ' ') FROM dmarc.changes(NULL, '2026-10-11', '2026-10-21')), 'c.example f.example o.example often.example s.example w.example x.example young.example', 'changes: all domains, of which there is mail before');
SELECT is_empty($$ SELECT * FROM dmarc.changes('y.example', '2026-10-11', '2026-10-21') $$, 'changes: none without a period before');
SELECT is_empty($$ SELECT * FROM dmarc.changes('none.example') $$, 'changes: none of an unknown domain');
SELECT is_empty($$ SELECT * FROM dmarc.changes('x.example', '2026-10-11', '2026-10-11') $$, 'changes: none of no day');
SELECT is((SELECT count(*)::int FROM dmarc.changes('x.example') WHERE what = 'new sender'), (SELECT count(*)::int FROM dmarc.changes('x.example', '2026-09-21', '2026-10-21') WHERE what = 'new sender'),
          'changes: without a period, 30 days up to the last report');
UPDATE dmarc_store.report SET trusted = false WHERE domain = 'x.example' AND id = 12;
SELECT dmarc_store.rebuild('x.example', NULL, NULL);
SELECT is((SELECT string_agg(sender, ' ') FROM dmarc.changes('x.example', '2026-10-11', '2026-10-21', true) WHERE what = 'new sender'), 'third.test (not known)', 'changes: without what nobody vouches for');

-- Records by address, network and signing domain, as the views have them.
SELECT is(pg_temp.rows($$ SELECT domain, day, ordinal, reporter, source_ip, message_count, header_from, dkim_aligned, sender, class FROM dmarc.find_records('192.0.2.2', NULL, 's.example') $$),
    '(s.example,2026-10-01,3,reporter.example,192.0.2.2,10,news.s.example,f,Mailchimp,misconfigured)', 'find_records: of an address');
SELECT is(pg_temp.rows($$ SELECT domain, report, day, ordinal, source_ip, message_count, header_from FROM dmarc.find_records('192.0.2.0/30') $$),
    pg_temp.rows($$ SELECT domain, report, day, ordinal, source_ip, message_count, header_from FROM dmarc.record WHERE source_ip <<= '192.0.2.0/30' ORDER BY domain, day, report, ordinal $$),
    'find_records: of a network');
SELECT is(pg_temp.rows($$ SELECT domain, report, day, ordinal FROM dmarc.find_records(signing_domain => 'S.example') $$),
    pg_temp.rows($$ SELECT DISTINCT domain, report, day, ordinal FROM dmarc.dkim_result WHERE signing_domain = 's.example' ORDER BY domain, day, report, ordinal $$),
    'find_records: of a signing domain, whatever the result');
SELECT is(pg_temp.rows($$ SELECT domain, report, day, ordinal FROM dmarc.find_records('192.0.2.2', 'mandrillapp.com', NULL, '2026-10-05', '2026-11-01') $$),
    pg_temp.rows($$ SELECT domain, report, day, ordinal FROM dmarc.record JOIN dmarc.dkim_result USING (domain, report, day, ordinal)
       WHERE source_ip = '192.0.2.2' AND signing_domain = 'mandrillapp.com' AND day >= '2026-10-05' AND day < '2026-11-01' ORDER BY domain, day, report, ordinal $$),
    'find_records: of both, of a period');
SELECT isnt_empty($$ SELECT FROM dmarc.find_records('192.0.2.2', 'mandrillapp.com', NULL, '2026-10-05', '2026-11-01') $$, 'find_records: which there are');
SELECT is((SELECT count(*) FROM dmarc.find_records()), (SELECT count(*) FROM dmarc.record), 'find_records: all');
SELECT is_empty($$ SELECT FROM dmarc.find_records('198.51.100.0/24') $$, 'find_records: none of another network');
SELECT is_empty($$ SELECT FROM dmarc.find_records(NULL, 'nobody.example') $$, 'find_records: none of who never signed');

-- What somebody forged, or was quicker with, is no measure of others.
\o /dev/null
SELECT pg_temp.report(900 + i, 'quick.example', current_date - 2 - i, 'slow.test') FROM generate_series(1, 30) i;
SELECT pg_temp.record(900 + i, 'quick.example', current_date - 2 - i, '192.0.2.1', 10, '{quick.example|s|pass}', NULL, 'quick.example|s') FROM generate_series(1, 30) i;
SELECT pg_temp.report(960, 'quick.example', current_date, 'quick.test');
UPDATE dmarc_store.report SET trusted = false WHERE id = 960;
SELECT pg_temp.sum_up();
\o
SELECT is((SELECT concat_ws(' ', c.silent_days, c.missing) FROM dmarc.coverage('quick.example') c WHERE c.reporter = 'slow.test'), '1 1',
          'coverage: a report of today makes nobody else late');
SELECT is((SELECT count(*) FROM dmarc.changes('quick.example', NULL, NULL, true)), (SELECT count(*) FROM dmarc.changes('quick.example', NULL, current_date - 2, true)),
          'changes: what nobody vouches for does not move the period');

\o /dev/null
SELECT pg_temp.report(961, 'names.example', '2026-10-10');
SELECT pg_temp.record(961, 'names.example', '2026-10-10', '192.0.2.1', 20, '{mcsv.net|k|pass}', header_from => 'news.names.example');
SELECT pg_temp.record(961, 'names.example', '2026-10-10', '192.0.2.1', 5, '{mcsv.net|k|pass}');
SELECT pg_temp.sum_up();
\o
SELECT matches((SELECT advice FROM dmarc.senders('names.example')), '_domainkey[.]names[.]example', 'senders: the advice is for the domain itself before its sub-domains');

SELECT finish();
ROLLBACK;
