-- Each step of how a record was judged.
\ir support.sql
SELECT plan(21);
\o /dev/null
SELECT pg_temp.report(1, 'a.example', '2026-10-01', 'google.test', 'quarantine');
UPDATE dmarc_store.report SET sp = 'none', np = 'reject', adkim = 's', pct = 100 WHERE id = 1;
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 1200, '{a.example|s1|pass,mandrillapp.com|mte1|pass,a.example|s0|fail}',
                      '{em1.a.example|mfrom|pass,gmail.com|helo|pass}', 'a.example|s1', 'em1.a.example', disagree => true);
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '2001:db8::1', 1, '{mail.a.example|k|pass,not a name|x|pass}', NULL, NULL, NULL, '{local_policy,forwarded}', 'news.a.example');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', NULL, 2, NULL, '{mail.shop.test|mfrom|pass}');
UPDATE dmarc_store.evidence SET reason_comments = '{NULL,list}', envelope_from = '', envelope_to = 'b.test' WHERE domain = 'a.example' AND reason_types IS NOT NULL;
UPDATE dmarc_store.observed SET sources_raw = '{300.1.2.3}' WHERE domain = 'a.example' AND source_ips = '{NULL}';
INSERT INTO dmarc_store.approval (domain, sender, approved, note) VALUES ('a.example', 'shop.test', true, 'asked Jo'), ('a.example', 'mandrill', false, NULL);
SELECT pg_temp.sum_up();
\o

SELECT is(pg_temp.rows($$ SELECT what, found, so FROM dmarc.explain('A.example', '2026-10-01', 1, 1) $$),
    $$(record,"1,200 messages from 192.0.2.1, From: a.example","record 1 of report r1 by google.test, of 2026-10-01")
(policy,"p=quarantine sp=none np=reject adkim=s pct=100","p decides: quarantine")
("DKIM signature","d=a.example s=s1 pass","aligns: the very name of From:")
("DKIM signature","d=mandrillapp.com s=mte1 pass","another domain: does not align")
("DKIM signature","d=a.example s=s0 fail","did not pass: counts for nothing")
("SPF of MAIL FROM","em1.a.example pass","aligns: of the same organizational domain as From:")
("SPF of HELO","gmail.com pass","HELO never aligns")
(DMARC,"DKIM aligns, SPF aligns","it passes")
("reporter's verdict","dkim=pass spf=pass, disposition none","differs from what its own results say, which were taken")
("catalogue: d=",a.example,"nobody that is known")
("catalogue: d=",mandrillapp.com,"mandrillapp.com is Mailchimp Transactional (Mandrill)")
("catalogue: selector",s1,"nobody that is known")
("catalogue: SPF domain",em1.a.example,"nobody that is known")
("catalogue: SPF domain",gmail.com,"gmail.com is Google Workspace / Gmail, who relays")
("catalogue: host and selector",em#/s1,"em#/s1 is Twilio SendGrid")
("catalogue: host below the domain",em1,"nobody that is known")
("owner's word","disowned mandrill","it passes, so that changes nothing")
(sender,"Mailchimp Transactional (Mandrill) (dkim d=mandrillapp.com, passed)","confidence: high")
(class,"rule spf_aligned: SPF passed and aligns",authorised)$$, 'a record that passes');
SELECT is((SELECT string_agg(step::text, ' ') FROM dmarc.explain('a.example', '2026-10-01', 1, 1)), (SELECT string_agg(i::text, ' ') FROM generate_series(1, 19) i), 'the steps are numbered');
SELECT is(pg_temp.rows($$ SELECT what, found, so FROM dmarc.explain('a.example', '2026-10-01', 1, 2) $$),
    $$(record,"1 message from 2001:db8::1, From: news.a.example, MAIL FROM <>, to b.test","record 2 of report r1 by google.test, of 2026-10-01")
(policy,"p=quarantine sp=none np=reject adkim=s pct=100","From: is not the policy domain: sp decides: none, or np where it does not exist: reject")
("DKIM signature","d=mail.a.example s=k pass","of the domain itself, but alignment is strict: it does not align")
("DKIM signature","d=not a name s=x pass","cannot be the name of a domain: counts for nothing")
(SPF,"no result","nothing to align")
(DMARC,"DKIM does not align, SPF does not align","it does not pass")
("reporter's verdict","dkim=fail spf=fail, disposition none","the same as its results say")
(override,local_policy,"says nothing of forwarding")
(override,"forwarded: list","the reporter takes it for forwarded")
("catalogue: d=",mail.a.example,"nobody that is known")
("catalogue: selector",k,"nobody that is known")
(sender,"own mail (mail.a.example) (dkim d=mail.a.example s=k, passed; reporter says: forwarded, local_policy)","confidence: medium")
(class,"rule reason: the reporter says that it was forwarded, or went through a list",forwarded)$$, 'a record from a sub-domain, with reasons');
SELECT is(pg_temp.rows($$ SELECT what, found, so FROM dmarc.explain('a.example', '2026-10-01', 1, 3) WHERE what IN ('record', 'owner''s word', 'class', 'advice') $$),
    format($$(record,"2 messages from 300.1.2.3, From: a.example","record 3 of report r1 by google.test, of 2026-10-01")
("owner's word","approved shop.test (asked Jo)","on %s")
(class,"rule approved: a sender that is approved passed as itself",misconfigured)
(advice,"let it sign with DKIM as a.example, or send with a MAIL FROM below a.example",)$$, current_date), 'a record of a sender that is approved');

-- What is known of the address comes last, and only where that is something.
INSERT INTO dmarc_store.address (source_ip, name, name_status, name_expires, network, country, as_number, as_name) VALUES
    ('192.0.2.1', 'o1.ptr.sendgrid.net', 'confirmed', '2099-01-02 03:04:05+00', '192.0.2.0/24', 'NL', 64500, 'Example Net'),
    ('2001:db8::1', NULL, 'failed', '2099-01-02 03:04:05+00', NULL, NULL, NULL, NULL);
SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.explain('a.example', '2026-10-01', 1, 1) WHERE step > 18 $$),
    $$(19,class,"rule spf_aligned: SPF passed and aligns",authorised)
(20,address,"reverse name o1.ptr.sendgrid.net, confirmed, which holds until 2099-01-02 03:04 UTC; network 192.0.2.0/24, country NL, AS64500 Example Net","of Twilio SendGrid by the catalogue; no reason for class or verdict")$$,
    'a confirmed name that the catalogue knows, and the network');
SELECT is_empty($$ SELECT * FROM dmarc.explain('a.example', '2026-10-01', 1, 2) WHERE what = 'address' $$, 'no answer is nothing to tell of');
UPDATE dmarc_store.address SET name = 'o1.ptr.stranger.example', name_expires = '2026-01-02 03:04:05+00', network = NULL, country = NULL, as_number = NULL, as_name = NULL
WHERE source_ip = '192.0.2.1';
SELECT is(pg_temp.rows($$ SELECT found, so FROM dmarc.explain('a.example', '2026-10-01', 1, 1) WHERE what = 'address' $$),
    '("reverse name o1.ptr.stranger.example, confirmed, to be asked for again since 2026-01-02 03:04 UTC","of nobody that is known; no reason for class or verdict")',
    'a name that nobody is known by, and that has expired');
UPDATE dmarc_store.address SET name = NULL, name_status = 'unconfirmed', country = 'NL' WHERE source_ip = '192.0.2.1';
SELECT is(pg_temp.rows($$ SELECT found, so FROM dmarc.explain('a.example', '2026-10-01', 1, 1) WHERE what = 'address' $$),
    '("a reverse name that does not point back, so that it counts for nothing, to be asked for again since 2026-01-02 03:04 UTC; country NL",'
    '"no reason for class or verdict")', 'a name that is not confirmed');
UPDATE dmarc_store.address SET name_status = NULL, name_expires = NULL, country = NULL, network = '192.0.2.0/24' WHERE source_ip = '192.0.2.1';
SELECT is(pg_temp.rows($$ SELECT found, so FROM dmarc.explain('a.example', '2026-10-01', 1, 1) WHERE what = 'address' $$),
    '("network 192.0.2.0/24","no reason for class or verdict")', 'a network alone');
UPDATE dmarc_store.address SET network = NULL;
SELECT is((SELECT max(step) FROM dmarc.explain('a.example', '2026-10-01', 1, 1)), 19, 'a row that knows nothing');
DELETE FROM dmarc_store.address;

SELECT is_empty($$ SELECT * FROM dmarc.explain('a.example', '2026-10-01', 1, 4) $$, 'no such record');
SELECT is_empty($$ SELECT * FROM dmarc.explain('b.example', '2026-10-01', 1, 1) $$, 'no such domain');
SELECT is(dmarc_store.result_said('dkim', 'a.example', NULL, 'pass', 'out.example', 'a.example', NULL, false), 'of the policy domain, and From: is outside of that', 'From: outside');
SELECT is(dmarc_store.result_said('dkim', 'mail.a.example', NULL, 'pass', 'a.example', 'a.example', NULL, true), 'of the domain itself, but alignment is strict: it does not align', 'strict');
SELECT is(dmarc_store.result_said('dkim', 'b.a.example', NULL, 'pass', 'a.example', 'a.example', 'c.a.example', false), 'of the domain itself; another one was found to align', 'one of several');
SELECT is(dmarc_store.result_said('spf', 'a.example', 'helo', 'pass', 'a.example', 'a.example', NULL, false), 'HELO never aligns', 'HELO of the domain itself');
SELECT is(dmarc_store.result_said('spf', 'a.example', 'mfrom', NULL, 'a.example', 'a.example', NULL, false), 'did not pass: counts for nothing', 'a result that is unknown');
SELECT is_empty($$ SELECT r FROM unnest('{spf_aligned,reason,survived,dkim_aligned,approved,known,unaligned,relay,disowned,stranger,nothing}'::text[]) r
                   WHERE dmarc_store.rule_said(r) IS NULL $$, 'each rule has its words');

-- A customer sees the records of his domains alone.
CREATE ROLE whosends_test_customer IN ROLE whosends_customer;
SET ROLE whosends_test_customer;
SELECT is_empty($$ SELECT * FROM dmarc.explain('a.example', '2026-10-01', 1, 1) $$, 'not of what he may not see');
RESET ROLE;
INSERT INTO dmarc_store.domain_grant (domain, role) VALUES ('a.example', 'whosends_test_customer');
SET ROLE whosends_test_customer;
SELECT is((SELECT count(*)::int FROM dmarc.explain('a.example', '2026-10-01', 1, 1)), 19, 'of what he may');
SELECT lives_ok($$ SELECT * FROM dmarc.networks(), dmarc.policies(), dmarc.overrides(), dmarc.subdomains(), dmarc.coverage(), dmarc.changes(),
                                 dmarc.senders_new(), dmarc.verdict(), dmarc.verdict_line(), dmarc.approvals() $$, 'and each report');
RESET ROLE;

SELECT finish();
ROLLBACK;
