-- A session that looks at a group sees its domains alone, of those that it may see.
\ir support.sql
SELECT plan(15);
\o /dev/null
SELECT pg_temp.report(1, d, '2026-10-01') FROM unnest('{a.example,b.example,c.example}'::text[]) d;
SELECT pg_temp.record(1, d, '2026-10-01', '192.0.2.1', 1) FROM unnest('{a.example,b.example,c.example}'::text[]) d;
SELECT pg_temp.sum_up();
INSERT INTO dmarc_store.failure_report (domain, day, identity, content, reporter, arrived, incidents)
SELECT d, '2026-10-01', md5(d)::uuid, md5(d)::uuid, 'r', '2026-10-01', 1 FROM unnest('{a.example,mail.a.example,c.example}'::text[]) d;
SELECT dmarc_store.join_group('x', '{a.example,B.example,d.example}');
SELECT dmarc_store.join_group('y', '{c.example}');
CREATE ROLE whosends_test_customer IN ROLE whosends_customer;
INSERT INTO dmarc_store.domain_grant (domain, role) VALUES ('b.example', 'whosends_test_customer'), ('c.example', 'whosends_test_customer');
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $fn$
    SELECT (SELECT string_agg(domain, ' ' ORDER BY domain) FROM dmarc.summary()) || ', ' || (SELECT string_agg(DISTINCT domain, ' ' ORDER BY domain) FROM dmarc.record)
$fn$;
\o

SELECT is(pg_temp.seen(), 'a.example b.example c.example, a.example b.example c.example', 'without a group: all');
SELECT is(dmarc.use_group('x'), true, 'a group');
SELECT is(pg_temp.seen(), 'a.example b.example, a.example b.example', 'of a group: its domains, in reports and views');
SELECT is_empty($$ SELECT * FROM dmarc.senders('c.example') $$, '... and no other that is asked for');
SELECT is((SELECT string_agg(domain, ' ' ORDER BY domain) FROM dmarc.failure_samples()), 'a.example mail.a.example', '... with failure reports of names below');
SELECT is((SELECT string_agg(name || ' ' || domain || ' ' || reports, ', ') FROM dmarc.groups()), 'x a.example 1, x b.example 1, x d.example 0', '... in the list of groups, too');
SELECT is(dmarc.use_group('z'), false, 'no such group');
SELECT is(pg_temp.seen(), NULL, '... shows nothing');
SELECT is(dmarc.use_group(NULL), true, 'none again');
SELECT is(pg_temp.seen(), 'a.example b.example c.example, a.example b.example c.example', '... shows all again');
SET dmarc.domain_group = 'y';
SELECT is(pg_temp.seen(), 'c.example, c.example', 'SET does the same');

SET ROLE whosends_test_customer;
SELECT is(dmarc.use_group('x'), true, 'a customer may look at a group');
SELECT is(dmarc.visible(), '{b.example}', '... of which he sees what is his');
RESET dmarc.domain_group;
SELECT is((SELECT array_agg(d ORDER BY d) FROM unnest(dmarc.visible()) d), '{b.example,c.example}', '... and without it all of that');
RESET ROLE;
SELECT is(dmarc_store.leave_group('x', '{A.example,c.example}'), 1::bigint, 'what is not in it cannot leave');

SELECT finish();
ROLLBACK;
