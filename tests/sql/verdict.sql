-- What a stricter policy would have done, and each rule of the sentence. One policy domain a case.
\ir support.sql
SELECT plan(61);
-- n reports of n days from 10-01 on; own mail in the first one, so many messages, aligned by both.
CREATE FUNCTION pg_temp.days(domain text, n int, p text, own bigint DEFAULT 1000, sp text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    PERFORM pg_temp.report(i, $1, date '2026-09-30' + i, 'r' || i % 3 || '.test', $3) FROM generate_series(1, n) i;
    UPDATE dmarc_store.report r SET sp = $5 WHERE r.domain = $1;
    IF own > 0 THEN
        PERFORM pg_temp.record(1, $1, '2026-10-01', '192.0.2.1', own, ARRAY[$1 || '|s|pass'], ARRAY[$1 || '|mfrom|pass'], $1 || '|s', $1);
    END IF;
END
$fn$;
CREATE FUNCTION pg_temp.more(domain text, messages bigint, dkim text[], spf text[] DEFAULT NULL, dkim_by text DEFAULT NULL, spf_by text DEFAULT NULL,
                             header_from text DEFAULT NULL) RETURNS void LANGUAGE sql AS $fn$
    SELECT pg_temp.record(1, domain, '2026-10-01', '198.51.100.1', messages, dkim, spf, dkim_by, spf_by, NULL, header_from)
$fn$;
CREATE FUNCTION pg_temp.line(domain text) RETURNS text LANGUAGE sql AS $fn$
    SELECT concat_ws(' | ', v.ready, v.now, v.next, v.lost, v.lost_share, v.stopped, v.forwarded) FROM dmarc.verdict_line(domain) v
$fn$;
\o /dev/null
SELECT pg_temp.days('ready.example', 14, 'none');
SELECT pg_temp.more('ready.example', 5, '{mcsv.net|k|pass}');
SELECT pg_temp.more('ready.example', 100000, NULL);
SELECT pg_temp.more('ready.example', 7, NULL, '{evil.test|mfrom|pass}');
SELECT pg_temp.more('ready.example', 3, '{ready.example|s|fail}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.more('ready.example', 2, '{ready.example|s|pass}', '{gmail.com|mfrom|pass}', 'ready.example|s');
SELECT pg_temp.days('six.example', 14, 'none', 994);
SELECT pg_temp.more('six.example', 6, '{mcsv.net|k|pass}');
SELECT pg_temp.days('approved.example', 14, 'none');
SELECT pg_temp.more('approved.example', 4, '{mail.shop.test|k|pass}');
SELECT pg_temp.more('approved.example', 1, '{shop.test|k|pass}');
SELECT pg_temp.days('partly.example', 14, 'none');
SELECT pg_temp.more('partly.example', 1, '{mcsv.net|k|pass}');
SELECT pg_temp.more('partly.example', 500, '{mcsv.net|k|pass,partly.example|k2|pass}', NULL, 'partly.example|k2');
SELECT pg_temp.days('disowned.example', 14, 'quarantine');
SELECT pg_temp.more('disowned.example', 5000, '{sendgrid.net|k|pass}');
SELECT pg_temp.more('disowned.example', 40, '{sendgrid.net|k|pass,disowned.example|s1|pass}', NULL, 'disowned.example|s1');
SELECT pg_temp.days('many.example', 14, 'none', 984);
SELECT pg_temp.more('many.example', 4, ARRAY[d || '|k|pass']) FROM unnest(ARRAY['mcsv.net', 'sendgrid.net', 'amazonses.com', 'mandrillapp.com']) d;
SELECT pg_temp.days('days.example', 13, 'none');
SELECT pg_temp.more('days.example', 100, '{mcsv.net|k|pass}');
SELECT pg_temp.report(1, 'nine.example', '2026-10-01');
SELECT pg_temp.report(2, 'nine.example', '2026-10-31');
SELECT pg_temp.days('silent.example', 14, 'none', 0);
SELECT pg_temp.more('silent.example', 50, NULL);
SELECT pg_temp.days('apart.example', 14, 'none');
SELECT pg_temp.more('apart.example', 50, '{mcsv.net|k|pass}', header_from => 'news.apart.example');
SELECT pg_temp.days('below.example', 14, 'quarantine', sp => 'none');
SELECT pg_temp.more('below.example', 50, '{mcsv.net|k|pass}', header_from => 'news.below.example');
SELECT pg_temp.days('last.example', 14, 'reject', sp => 'none');
SELECT pg_temp.more('last.example', 50, '{mcsv.net|k|pass}', header_from => 'news.last.example');
SELECT pg_temp.days('strict-sp.example', 14, 'none', sp => 'reject');
SELECT pg_temp.days('testing.example', 14, 'reject');
UPDATE dmarc_store.report SET testing = 'y' WHERE domain = 'testing.example';
SELECT pg_temp.days('pct.example', 14, 'quarantine');
UPDATE dmarc_store.report SET pct = 20 WHERE domain = 'pct.example';
SELECT pg_temp.days('spf.example', 14, 'quarantine', 980);
SELECT pg_temp.more('spf.example', 20, NULL, '{bounce.spf.example|mfrom|pass}', NULL, 'bounce.spf.example');
SELECT pg_temp.days('fine.example', 14, 'reject');
SELECT pg_temp.days('lossy.example', 14, 'reject', 900);
SELECT pg_temp.more('lossy.example', 100, '{mcsv.net|k|pass}');
SELECT pg_temp.days('both.example', 14, 'none', 990);
SELECT pg_temp.more('both.example', 4, '{mcsv.net|k|pass}', header_from => h) FROM unnest(ARRAY['both.example', 'news.both.example']) h;
SELECT pg_temp.days('spf-below.example', 14, 'quarantine', 0);
SELECT pg_temp.more('spf-below.example', 100, '{mcsv.net|k|pass}', header_from => 'news.spf-below.example');
SELECT pg_temp.more('spf-below.example', 500, NULL, '{news.spf-below.example|mfrom|pass}', NULL, 'news.spf-below.example', 'news.spf-below.example');
SELECT pg_temp.days('spf-pct.example', 14, 'reject', 980);
SELECT pg_temp.more('spf-pct.example', 20, NULL, '{bounce.spf-pct.example|mfrom|pass}', NULL, 'bounce.spf-pct.example');
SELECT pg_temp.days('pct-below.example', 14, 'reject', sp => 'none');
SELECT pg_temp.more('pct-below.example', 100, '{mcsv.net|k|pass}', header_from => 'news.pct-below.example');
UPDATE dmarc_store.report SET pct = 50 WHERE domain IN ('spf-pct.example', 'pct-below.example');
SELECT pg_temp.days('testing-none.example', 14, 'none', 100);
SELECT pg_temp.more('testing-none.example', 100, '{mcsv.net|k|pass}');
UPDATE dmarc_store.report SET testing = 'y' WHERE domain = 'testing-none.example';
SELECT pg_temp.days('carried.example', 14, 'none', 0);
SELECT pg_temp.more('carried.example', 100, '{carried.example|s|pass}', '{gmail.com|mfrom|pass}', 'carried.example|s');
SELECT pg_temp.days('future.example', 13, 'none');
SELECT pg_temp.report(99, 'future.example', '2099-01-01', 'r.test', 'reject');
SELECT pg_temp.days('untold.example', 14, NULL);
-- Strict alignment: below, beside, HELO.
SELECT pg_temp.days('strict.example', 14, 'none', 10);
SELECT pg_temp.more('strict.example', 20, '{mail.strict.example|s|pass}', NULL, 'mail.strict.example|s');
SELECT pg_temp.more('strict.example', 30, '{mail.strict.example|s|pass}', '{strict.example|helo|pass}', 'mail.strict.example|s');
SELECT pg_temp.more('strict.example', 40, '{mail.strict.example|s|pass}', '{strict.example|mfrom|pass}', 'mail.strict.example|s', 'strict.example');
SELECT pg_temp.more('strict.example', 50, '{strict.example|s|pass}', NULL, 'strict.example|s', header_from => 'news.strict.example');
-- What the policy loses as it is: of the domain itself while sub-domains are next, and the other way round; of a part.
SELECT pg_temp.days('lost-itself.example', 14, 'reject', 2000, 'none');
SELECT pg_temp.more('lost-itself.example', 1000, '{mcsv.net|k|pass}');
SELECT pg_temp.more('lost-itself.example', 500, '{mcsv.net|k|pass}', header_from => 'news.lost-itself.example');
SELECT pg_temp.days('lost-below.example', 14, 'none', 980, 'reject');
SELECT pg_temp.more('lost-below.example', 20, '{mcsv.net|k|pass}', header_from => 'news.lost-below.example');
SELECT pg_temp.days('lost-both.example', 14, 'quarantine', 900);
SELECT pg_temp.more('lost-both.example', 100, '{mcsv.net|k|pass}', header_from => 'news.lost-both.example');
SELECT pg_temp.days('lost-little.example', 14, 'reject', 10000, 'none');
SELECT pg_temp.more('lost-little.example', 4, '{mcsv.net|k|pass}', header_from => h) FROM unnest(ARRAY['lost-little.example', 'news.lost-little.example']) h;
SELECT pg_temp.days('lost-testing.example', 14, 'quarantine');
SELECT pg_temp.more('lost-testing.example', 2, '{mcsv.net|k|pass}');
UPDATE dmarc_store.report SET testing = 'y' WHERE domain = 'lost-testing.example';
SELECT pg_temp.days('lost-pct.example', 14, 'reject');
SELECT pg_temp.more('lost-pct.example', 2, '{mcsv.net|k|pass}');
UPDATE dmarc_store.report SET pct = 50 WHERE domain = 'lost-pct.example';
-- Others go on through the half that stays at none.
SELECT pg_temp.days('let.example', 14, 'quarantine', sp => 'none');
SELECT pg_temp.more('let.example', 70, NULL);
SELECT pg_temp.more('let.example', 800, NULL, header_from => 'x.let.example');
-- By SPF alone: at reject already, of sub-domains whatever p is, and those below a hundredth of what is at reject.
SELECT pg_temp.days(d, 14, p, 1000, sp),
       pg_temp.more(d, n, NULL, ARRAY['x.' || d || '|mfrom|pass'], NULL, 'x.' || d, CASE WHEN below THEN 'x.' || d ELSE d END)
FROM (VALUES ('spf-stay.example', 'reject', 'reject', 500, false), ('spf-q.example', 'quarantine', 'quarantine', 500, true), ('spf-sp.example', 'reject', 'quarantine', 500, true),
             ('spf-now.example', 'none', 'reject', 500, true), ('spf-none.example', 'quarantine', 'none', 500, true), ('spf-few.example', 'reject', 'quarantine', 10, true)) v (d, p, sp, n, below);
-- np: weaker than sp, and who knows which names there are; of a domain that sends nothing; stronger, which no step takes away.
SELECT pg_temp.days('np.example', 14, 'reject');
SELECT pg_temp.more('np.example', 30, '{a.mail.np.example|s|pass}', NULL, 'a.mail.np.example|s', header_from => 'np.example');
SELECT pg_temp.more('np.example', n, NULL, header_from => h)
FROM (VALUES (180000, 'nx.np.example'), (40, 'mail.np.example'), (20, 'a.mail.np.example'), (8, 'b.mail.np.example'), (5, 'np.example')) v (n, h);
SELECT pg_temp.days('np-quarantine.example', 14, 'reject');
SELECT pg_temp.more('np-quarantine.example', 70, NULL, header_from => 'nx.np-quarantine.example');
SELECT pg_temp.days('np-testing.example', 14, 'none', sp => 'quarantine');
SELECT pg_temp.days('np-silent.example', 14, 'reject', 0);
SELECT pg_temp.more('np-silent.example', 60, NULL, header_from => 'nx.np-silent.example');
SELECT pg_temp.days('np-same.example', 14, 'quarantine');
SELECT pg_temp.days('np-reject.example', 14, 'none');
SELECT pg_temp.days('np-apart.example', 14, 'none');
SELECT pg_temp.more('np-apart.example', 50, '{mcsv.net|k|pass}', header_from => 'news.np-apart.example');
SELECT pg_temp.days('np-above.example', 14, 'reject', sp => 'none');
UPDATE dmarc_store.report SET np = v.np, testing = v.testing
FROM (VALUES ('np', 'none', 'n'), ('np-quarantine', 'quarantine', 'n'), ('np-testing', 'none', 'y'), ('np-silent', 'none', 'n'), ('np-same', 'quarantine', 'n'),
             ('np-reject', 'reject', 'n'), ('np-apart', 'reject', 'n'), ('np-above', 'quarantine', 'n')) v (domain, np, testing) WHERE report.domain = v.domain || '.example';
SELECT pg_temp.days('parked.example', 14, 'reject', 0);
SELECT pg_temp.more('parked.example', 50, NULL);
SELECT pg_temp.days('forged.example', 14, 'reject');
SELECT pg_temp.more('forged.example', 1, NULL);
SELECT pg_temp.more('forged.example', 10, '{mcsv.net|k|pass}');
SELECT pg_temp.more('forged.example', 1, '{forged.example|s|fail}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.days('unused.example', 14, 'none', 0);
SELECT pg_temp.days('ended.example', 45, 'none');
SELECT pg_temp.more('ended.example', 100, '{mcsv.net|k|pass}');
SELECT pg_temp.days('own.example', 14, 'none');
SELECT pg_temp.more('own.example', 400, '{mail.own.example|s|pass}');
INSERT INTO dmarc_store.approval (domain, sender, approved) VALUES ('approved.example', 'shop.test', true), ('disowned.example', 'sendgrid', false);
SELECT pg_temp.sum_up();
\o

SELECT is(pg_temp.rows($$ SELECT sender, class, approved, known, messages, passing, lost_quarantine, lost_reject, lost_strict, subdomain, kind, share FROM dmarc.verdict('ready.example') $$),
    $$(Mailchimp,misconfigured,,t,5,0,5,5,0,f,fix,0.000049)
("own mail (selector s)",authorised,,f,1000,1000,0,0,0,f,keep,0.009899)
("Google Workspace / Gmail",forwarded,,t,5,2,3,3,0,f,forwarded,0.000049)
("nothing authenticates",unknown,,f,100000,0,100000,100000,0,f,stop,0.989932)
("evil.test (not known)",unknown,,f,7,0,7,7,0,f,stop,0.000069)$$, 'verdict: each sender, and its kind');
SELECT is((SELECT sentence FROM dmarc.verdict_line('Ready.Example')),
    'ready.example is ready for p=quarantine: of 1,005 messages that may be sent, 5 (0.5%) would be lost, and 100,007 messages of others would be stopped; receivers decide on 3 forwarded messages that do not pass.',
    'ready, however much is forged');
SELECT is(pg_temp.line('ready.example'), 't | p=none | p=quarantine | 5 | 0.004975 | 100007 | 3', '... in figures');
SELECT is((SELECT days || ' ' || reports FROM dmarc.verdict_line('ready.example')), '14 14', '... and of how many days and reports');
SELECT is((SELECT sentence FROM dmarc.verdict_line('six.example')),
    'six.example is not ready for p=quarantine: Mailchimp would lose 6 messages, 0.6% of what may be sent (disown it if it is not yours).', 'a known sender that would lose more than 0.5 % of all');
SELECT is(pg_temp.line('six.example'), 'f | p=none | p=quarantine | 6 | 0.006000 | 0 | 0', '... in figures');
SELECT is((SELECT sentence FROM dmarc.verdict_line('approved.example')),
    'approved.example is not ready for p=quarantine: shop.test (approved) would lose 5 messages, 0.5% of what may be sent.', 'an approved sender that would lose more than 0.5 % of its own');
SELECT is(pg_temp.line('partly.example'), 't | p=none | p=quarantine | 1 | 0.000666 | 0 | 0', 'a known sender that loses little of much');
INSERT INTO dmarc_store.approval (domain, sender, approved) VALUES ('partly.example', 'mailchimp', true);
SELECT is(pg_temp.line('partly.example'), 't | p=none | p=quarantine | 1 | 0.000666 | 0 | 0', '... the same when it is approved');
SELECT is(pg_temp.line('disowned.example'), 't | p=quarantine | p=reject | 0 | 0.000000 | 5000 | 0', 'what is disowned would be stopped, and blocks nothing');
SELECT is((SELECT string_agg(concat_ws(' ', kind, approved, messages, left(advice, 34)), ', ' ORDER BY messages) FROM dmarc.verdict('disowned.example') WHERE sender_key = 'sendgrid'),
          'keep f 40 it is disowned, and passes DMARC: , stop f 5000', 'disowned: what aligns passes all the same, and that is told');
SELECT is((SELECT sentence FROM dmarc.verdict_line('many.example')),
    'many.example is not ready for p=quarantine: Amazon SES would lose 4 messages, Mailchimp would lose 4 messages, '
    'Mailchimp Transactional (Mandrill) would lose 4 messages and 1 more, 1.6% of what may be sent (disown what is not yours).', 'many that lose little');
SELECT is((SELECT sentence FROM dmarc.verdict_line('own.example')),
    'own.example is not ready for p=quarantine: own mail (mail.own.example) would lose 400 messages, 28.6% of what may be sent.', 'own mail cannot be disowned');
SELECT is((SELECT sentence FROM dmarc.verdict_line('days.example')),
    'days.example: too little is known to say: 13 reports of 13 days, and it takes 10 reports and 14 days; so far Mailchimp would lose 100 messages (disown it if it is not yours).', 'too few days');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('nine.example')),
    'false nine.example: too little is known to say: 2 reports of 31 days, and it takes 10 reports and 14 days.', 'too few reports');
SELECT is((SELECT ready || ' ' || next || ' ' || sentence FROM dmarc.verdict_line('silent.example')),
    'true p=reject silent.example sends no mail of its own, and is ready for p=reject: 50 messages of others would be stopped.', 'a domain that sends nothing');
SELECT is(pg_temp.line('apart.example'), 't | p=none | p=quarantine sp=none | 0 | 0.000000 | 0 | 0', 'only sub-domains would lose: sp stays');
SELECT is((SELECT sentence FROM dmarc.verdict_line('apart.example')),
    'apart.example is ready for p=quarantine sp=none: of 1,000 messages that may be sent, none would be lost, and there is nothing to stop; sub-domains stay at none, where Mailchimp would lose 50 messages (disown it if it is not yours).',
    '... in words');
SELECT is((SELECT string_agg(sender || ' ' || subdomain, ', ' ORDER BY sender) FROM dmarc.verdict('apart.example')), 'Mailchimp true, own mail (selector s) false', '... by line');
SELECT is(pg_temp.line('below.example'), 't | p=quarantine sp=none | p=reject sp=none | 0 | 0.000000 | 0 | 0', 'where sp is another policy, p is looked at alone');
SELECT is(pg_temp.line('last.example'), 'f | p=reject sp=none | p=reject sp=quarantine | 50 | 0.047619 | 0 | 0', '... and sp comes last');
SELECT is(pg_temp.line('strict-sp.example'), 't | p=none sp=reject | p=quarantine sp=reject | 0 | 0.000000 | 0 | 0', 'sp that is stricter stays');
SELECT is(pg_temp.line('testing.example'), 't | p=reject t=y | p=reject | 0 | 0.000000 | 0 | 0', 't=y goes first');
SELECT is(pg_temp.line('pct.example'), 't | p=quarantine pct=20 | p=quarantine | 0 | 0.000000 | 0 | 0', 'pct goes first');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('spf.example')),
    'false spf.example is not ready for p=reject: 20 messages that may be sent pass by SPF alone, which does not outlive forwarding: they are to be signed with DKIM first.', 'SPF alone is too little for reject');
SELECT matches((SELECT advice FROM dmarc.verdict('spf.example') WHERE spf_alone = 20), '^it passes by SPF alone', '... and its sender is told');
UPDATE dmarc_store.report SET p = 'none' WHERE domain = 'spf.example';
SELECT is(pg_temp.line('spf.example'), 't | p=none | p=quarantine | 0 | 0.000000 | 0 | 0', '... not for quarantine');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('fine.example')),
    'true fine.example has p=reject, and it is fine: of 1,000 messages that may be sent, none is lost, and there is nothing to stop.', 'at the end, and fine');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('lossy.example')),
    'false lossy.example has p=reject, and it is not fine: Mailchimp loses 100 messages, 10.0% of what may be sent (disown it if it is not yours).', 'at the end, and not fine');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('parked.example')),
    'true parked.example has p=reject, and it is fine: 50 messages of others are stopped.', 'at the end, of a domain that sends nothing');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('forged.example')),
    'false forged.example has p=reject, and it is not fine: Mailchimp loses 10 messages, 1.0% of what may be sent (disown it if it is not yours); '
    '1 message of others is stopped; receivers decide on 1 forwarded message that does not pass.', 'one message, and what is stopped already');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('unused.example')),
    'true unused.example sends no mail of its own, and is ready for p=reject: there is nothing to stop.', 'a domain that nobody sends as');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('ended.example')),
    'false ended.example is not ready for p=quarantine: Mailchimp would lose 100 messages (the last on 2026-10-01), 9.1% of what may be sent (disown it if it is not yours).',
    'what ended long ago has its day');
SELECT is(pg_temp.line('both.example'), 't | p=none | p=quarantine sp=none | 4 | 0.004024 | 0 | 0', 'what a sender loses counts together, from the domain and below');
SELECT is(pg_temp.line('spf-below.example'), 'f | p=quarantine | p=reject | 100 | 0.166667 | 0 | 0', 'sub-domains lose at quarantine already');
SELECT is((SELECT string_agg(concat_ws(' ', domain, ready, next), ', ' ORDER BY domain) FROM dmarc.verdict_line() WHERE domain ~ '^spf-(q|sp|now|none|few)'),
    'spf-few.example t p=reject, spf-none.example t p=reject sp=none, spf-now.example f p=quarantine sp=reject, spf-q.example f p=reject, spf-sp.example f p=reject',
    'SPF alone is too little for whatever is at reject after the step, and for nothing else');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('spf-stay.example')),
    'false spf-stay.example has p=reject, and it is not fine: 500 messages that may be sent pass by SPF alone, which does not outlive forwarding: they are to be signed with DKIM.', '... and where reject is there already');
SELECT is(pg_temp.line('spf-pct.example'), 'f | p=reject pct=50 | p=reject | 0 | 0.000000 | 0 | 0', 'SPF alone is too little for all of reject, too');
SELECT is(pg_temp.line('pct-below.example'), 't | p=reject sp=none pct=50 | p=reject sp=none | 0 | 0.000000 | 0 | 0', 'without pct nothing changes where sp is none');
SELECT is(pg_temp.line('testing-none.example'), 'f | p=none t=y | p=quarantine | 100 | 0.500000 | 0 | 0', 'nothing is lost at none, t=y or not');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('lost-itself.example')),
    'false lost-itself.example is not ready for p=reject sp=quarantine: Mailchimp would lose 1,500 messages, 42.9% of what may be sent (disown it if it is not yours); 1,000 of these are lost already.',
    'what p loses already counts when sp is next');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('lost-below.example')),
    'false lost-below.example is not ready for p=quarantine sp=reject: Mailchimp loses 20 messages, 2.0% of what may be sent (disown it if it is not yours).', '... and what sp loses when p is next');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('lost-both.example')),
    'false lost-both.example is not ready for p=reject: Mailchimp loses 100 messages, 10.0% of what may be sent (disown it if it is not yours).', 'a step that leaves sub-domains at quarantine is none while they lose');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('lost-little.example')),
    'true lost-little.example is ready for p=reject sp=quarantine: of 10,008 messages that may be sent, 8 (less than 0.1%) would be lost, 4 of these already, and there is nothing to stop.',
    'little that is lost already is told, too');
SELECT is((SELECT sentence FROM dmarc.verdict_line('lost-testing.example')),
    'lost-testing.example is ready for p=quarantine: of 1,002 messages that may be sent, 2 (0.2%) would be lost, and there is nothing to stop.', 't=y at quarantine loses nothing yet');
SELECT is((SELECT sentence FROM dmarc.verdict_line('lost-pct.example')),
    'lost-pct.example is ready for p=reject: of 1,002 messages that may be sent, 2 (0.2%) are lost already, and there is nothing to stop.', 'reject of a part is quarantine for the rest');
SELECT is(pg_temp.line('let.example'), 't | p=quarantine sp=none | p=reject sp=none | 0 | 0.000000 | 70 | 0', 'what sp=none lets through is not stopped');
SELECT is((SELECT ready || ' ' || now || ', ' || next || ': ' || sentence FROM dmarc.verdict_line('np.example')),
    'true p=reject np=none, p=reject: np.example is ready for p=reject: of 1,030 messages that may be sent, none would be lost, and 180,073 messages of others would be stopped; '
    'np=none lets through 180,008 messages of others if the sub-domains in their From: do not exist: nothing ever authenticated as these.', 'np that is weaker than sp goes first, and what it may let through is told');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('np-quarantine.example')),
    'true np-quarantine.example is ready for p=reject: of 1,000 messages that may be sent, none would be lost, and 70 messages of others would be stopped; '
    'np=quarantine does not refuse 70 messages of others if the sub-domains in their From: do not exist: nothing ever authenticated as these.', '... or does not refuse');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('np-silent.example')),
    'true np-silent.example sends no mail of its own, and is ready for p=reject: 60 messages of others would be stopped; '
    'np=none lets through 60 messages of others if the sub-domains in their From: do not exist: nothing ever authenticated as these.', '... of a domain that sends nothing');
SELECT is((SELECT string_agg(concat_ws(' ', domain, ready, now, 'to', next), ', ' ORDER BY domain) FROM dmarc.verdict_line() WHERE domain ~ '^np-(same|testing|reject|apart|above)'),
    'np-above.example t p=reject sp=none np=quarantine to p=reject sp=quarantine, np-apart.example t p=none np=reject to p=quarantine sp=none np=reject, '
    'np-reject.example t p=none np=reject to p=quarantine np=reject, np-same.example t p=quarantine to p=reject, '
    'np-testing.example t p=none sp=quarantine np=none t=y to p=none sp=quarantine', 'np is shown where it is another one than sp');
SELECT is(pg_temp.line('carried.example'), 't | p=none | p=quarantine | 0 | 0 | 0', 'what forwarders carry with its signature was sent by somebody who may');
SELECT is((SELECT days || ' ' || now FROM dmarc.verdict_line('future.example')), '13 p=none', 'a day that is still to come tells nothing');
SELECT is((SELECT ready || ' ' || sentence FROM dmarc.verdict_line('untold.example')), 'false untold.example: no report tells which policy it publishes.', 'without a policy there is no next step');
SELECT is((SELECT string_agg(messages || ' ' || lost_strict || ' ' || subdomain, ', ' ORDER BY messages) FROM dmarc.verdict('strict.example')),
          '50 50 true, 100 50 false', 'strict alignment: what is neither signed nor sent by the very name');
SELECT is((SELECT sum(messages) FROM dmarc.verdict()), (SELECT sum(messages) FROM dmarc.senders()), 'all domains, every message once');
SELECT is((SELECT count(*) FROM dmarc.verdict_line()), (SELECT count(*) FROM dmarc.summary()), 'a line for each domain');
SELECT is_empty($$ SELECT * FROM dmarc.verdict_line('ready.example', '2026-11-01') $$, 'none where there is no report');
SELECT is((SELECT days FROM dmarc.verdict_line('ready.example', '2026-10-03', '2026-10-09')), 6, 'of a period');
UPDATE dmarc_store.report SET trusted = false WHERE domain = 'ready.example' AND id > 9;
SELECT is((SELECT ready || ' ' || reports FROM dmarc.verdict_line('ready.example', NULL, NULL, true)), 'false 9', 'without what nobody vouches for');
SELECT is((SELECT dmarc_store.percent(0.0004) || ', ' || dmarc_store.percent(0) || ', ' || dmarc_store.amount(1) || ', ' || dmarc_store.amount(126000000000000000000)),
    'less than 0.1%, 0.0%, 1 message, 126,000,000,000,000,000,000 messages', 'figures in words');

SELECT finish();
ROLLBACK;
