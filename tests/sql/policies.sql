-- The published policy over time, as most reporters saw it; and addresses by networks.
\ir support.sql
SELECT plan(11);
\o /dev/null
-- 10-01: none. 10-02: two see none, one quarantine already. 10-03, 10-05: quarantine, and who tells it knows pct 50 and np.
SELECT pg_temp.report(1, 'a.example', '2026-10-01', 'r1.test');
SELECT pg_temp.report(2, 'a.example', '2026-10-02', 'r1.test');
SELECT pg_temp.report(3, 'a.example', '2026-10-02', 'r2.test');
SELECT pg_temp.report(4, 'a.example', '2026-10-02', 'r3.test', 'quarantine');
SELECT pg_temp.report(5, 'a.example', '2026-10-03', 'r1.test', 'quarantine');
SELECT pg_temp.report(6, 'a.example', '2026-10-05', 'r2.test', 'quarantine');
SELECT pg_temp.report(7, 'a.example', '2026-10-06', 'r2.test', 'quarantine');
SELECT pg_temp.report(8, 'a.example', '2026-10-07', 'r2.test', 'quarantine');
-- One that reports twice a day is one reporter; of as many reporters, more messages decide.
SELECT pg_temp.report(11, 'b.example', '2026-10-01', 'r1.test', 'reject');
SELECT pg_temp.report(12, 'b.example', '2026-10-01', 'r1.test', 'reject');
SELECT pg_temp.report(13, 'b.example', '2026-10-01', 'r2.test', 'none');
SELECT pg_temp.record(13, 'b.example', '2026-10-01', '192.0.2.1', 5);
-- What has no policy that can be read is no vote.
SELECT pg_temp.report(14, 'b.example', '2026-10-02', 'r1.test', NULL);
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 100, '{a.example|s|pass}', NULL, 'a.example|s');
SELECT pg_temp.record(2, 'a.example', '2026-10-02', '192.0.2.200', 20, '{a.example|s|pass}', NULL, 'a.example|s');
SELECT pg_temp.record(2, 'a.example', '2026-10-02', '192.0.2.201', 10);
SELECT pg_temp.record(4, 'a.example', '2026-10-02', '192.0.3.1', 7, '{a.example|s|pass}', '{a.example|mfrom|pass}', 'a.example|s', 'a.example');
SELECT pg_temp.record(5, 'a.example', '2026-10-03', '2001:db8:1:2::1', 2);
SELECT pg_temp.record(5, 'a.example', '2026-10-03', '2001:db8:1:ffff::9', 1);
SELECT pg_temp.record(5, 'a.example', '2026-10-03', NULL, 60);
-- Defaults: absent, or said.
UPDATE dmarc_store.report SET sp = 'none', adkim = 'r', pct = 100 WHERE domain = 'a.example' AND id IN (1, 3);
UPDATE dmarc_store.report SET pct = 50, np = 'reject' WHERE domain = 'a.example' AND id IN (5, 7);
UPDATE dmarc_store.report SET testing = 'n' WHERE domain = 'a.example' AND id = 7;
UPDATE dmarc_store.report SET testing = 'y' WHERE domain = 'a.example' AND id = 8;
SELECT pg_temp.sum_up();
\o

SELECT is(pg_temp.rows($$ SELECT first_seen, last_seen, p, sp, np, adkim, aspf, pct, testing, reports, reporters, messages, differing FROM dmarc.policies('a.example') $$),
    $$(2026-10-01,2026-10-02,none,none,,r,r,100,n,3,2,130,1)
(2026-10-03,2026-10-06,quarantine,quarantine,reject,r,r,50,n,3,2,63,0)
(2026-10-07,2026-10-07,quarantine,quarantine,reject,r,r,50,y,1,1,0,0)$$, 'policies: what most saw, with defaults; what is not told is as before');
SELECT is(pg_temp.rows($$ SELECT p, reports, reporters, messages, differing FROM dmarc.policies('b.example') $$), '(none,1,1,5,2)', 'policies: a reporter has one vote, messages break a tie');
SELECT is((SELECT count(*)::int FROM dmarc.policies()), 4, 'policies: all domains');
SELECT is(pg_temp.rows($$ SELECT first_seen, last_seen, pct FROM dmarc.policies('A.Example', '2026-10-05', '2026-10-07') $$), '(2026-10-05,2026-10-06,50)', 'policies: of a period');
UPDATE dmarc_store.report SET trusted = false WHERE domain = 'a.example' AND id IN (1, 2, 3);
SELECT is((SELECT string_agg(first_seen || ' ' || p, ', ') FROM dmarc.policies('a.example', NULL, '2026-10-04', true)), '2026-10-02 quarantine', 'policies: without what nobody vouches for');
UPDATE dmarc_store.report SET replaced = true WHERE domain = 'b.example' AND id = 13;
SELECT is((SELECT p FROM dmarc.policies('b.example')), 'reject', 'policies: what was replaced is no vote');

UPDATE dmarc_store.report SET trusted = NULL WHERE domain = 'a.example';
SELECT is(pg_temp.rows($$ SELECT network, sender, class, messages, share, sources, dkim_aligned, spf_aligned, first_seen, last_seen FROM dmarc.networks('a.example') $$),
    $$(192.0.2.0/24,"own mail (selector s)",authorised,120,0.600000,2,120,0,2026-10-01,2026-10-02)
(,"nothing authenticates",unknown,60,0.300000,0,0,0,2026-10-03,2026-10-03)
(192.0.2.0/24,"nothing authenticates",unknown,10,0.050000,1,0,0,2026-10-02,2026-10-02)
(192.0.3.0/24,"own mail (selector s)",authorised,7,0.035000,1,7,7,2026-10-02,2026-10-02)
(2001:db8:1::/48,"nothing authenticates",unknown,3,0.015000,2,0,0,2026-10-03,2026-10-03)$$, 'networks');
SELECT is((SELECT sum(messages) FROM dmarc.networks()), (SELECT sum(messages) FROM dmarc.sources()), 'networks: all domains, every message once');
SELECT is((SELECT sum(messages) FROM dmarc.networks('a.example', '2026-10-02', '2026-10-03')), 37::numeric, 'networks: of a period');
UPDATE dmarc_store.report SET foreign_domain = true WHERE domain = 'a.example' AND id = 5;
SELECT is((SELECT sum(messages) FROM dmarc.networks('a.example', NULL, NULL, true)), 137::numeric, 'networks: without what nobody vouches for');
SELECT is_empty($$ SELECT * FROM dmarc.networks('c.example') $$, 'networks: none of an unknown domain');

SELECT finish();
ROLLBACK;
