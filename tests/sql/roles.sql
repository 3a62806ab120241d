-- What the two roles may and may not.
\ir support.sql
SELECT plan(23);
\o /dev/null
SELECT pg_temp.report(1, 'a.example', '2026-10-01');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 3);
SELECT pg_temp.sum_up();
\o
CREATE ROLE whosends_test_reader IN ROLE whosends_read;
CREATE ROLE whosends_test_writer IN ROLE whosends_ingest;
CREATE ROLE whosends_test_nobody;

SELECT ok(NOT rolcanlogin AND NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb, rolname || ' is a plain role') FROM pg_roles
WHERE rolname IN ('whosends_read', 'whosends_ingest') ORDER BY rolname;

SET ROLE whosends_test_reader;
SELECT is((SELECT sum(messages) FROM dmarc.senders('a.example')), 3::numeric, 'a reader may ask for senders');
SELECT lives_ok($$ SELECT * FROM dmarc.summary(), dmarc.timeline(), dmarc.sources(), dmarc.failures(), dmarc.reporters(), dmarc.status(), dmarc.problems(), dmarc.failure_samples(), dmarc.tls(), dmarc.networks(), dmarc.policies(), dmarc.verdict(), dmarc.verdict_line(), dmarc.approvals(), dmarc.overrides(), dmarc.subdomains(), dmarc.coverage(), dmarc.changes(), dmarc.senders_new() $$, 'a reader may ask for each report');
SELECT lives_ok($$ SELECT FROM dmarc.record, dmarc.dkim_result, dmarc.spf_result, dmarc.override_reason, dmarc.classification, dmarc.daily, dmarc.source, dmarc.problem,
                               dmarc.message, dmarc.document, dmarc.report, dmarc.sender, dmarc.sender_rule,
                               dmarc.failure_report, dmarc.tls_report, dmarc.tls_policy, dmarc.tls_failure $$, 'a reader may query tables and views');
SELECT throws_ok($$ SELECT FROM dmarc_store.original $$, '42501', NULL, 'a reader may not see the mails themselves');
SELECT throws_ok($$ DELETE FROM dmarc_store.observed $$, '42501', NULL, 'a reader may not delete');
SELECT throws_ok($$ INSERT INTO dmarc.sender (key, name, kind) VALUES ('x', 'X', 'saas') $$, '42501', NULL, 'a reader may not add senders');
SELECT throws_ok($$ UPDATE dmarc.message SET outcome = 'stored' $$, '42501', NULL, 'a reader may not change the ledger');
SELECT throws_ok($$ DELETE FROM dmarc.failure_report $$, '42501', NULL, 'a reader may not delete failure reports');
SELECT throws_ok($$ SELECT nextval('dmarc_store.report_no') $$, '42501', NULL, 'a reader may not take numbers');
SELECT throws_ok($$ SELECT dmarc_store.ensure_month(current_date, 'report') $$, '42501', NULL, 'a reader may not make partitions');
SELECT throws_ok($$ CREATE TABLE dmarc.x () $$, '42501', NULL, 'a reader may not make tables');
RESET ROLE;

SET ROLE whosends_test_writer;
SELECT lives_ok($$ SELECT dmarc_store.ensure_month(current_date, t) FROM unnest(dmarc_store.month_tables()) t $$, 'a writer may make partitions');
SELECT lives_ok($$ INSERT INTO dmarc_store.message (sha256, source, identity, size, outcome) VALUES ('x', 'x', false, 1, 'no_report') $$, 'a writer may write the ledger');
SELECT lives_ok($$ INSERT INTO dmarc_store.observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips)
                   VALUES ('a.example', current_date, nextval('dmarc_store.report_no'), 1, ARRAY[md5('x')::uuid], '{1}', '{1}', '{NULL}') $$, 'a writer may write into a month that was just made');
SELECT lives_ok($$ WITH f AS (INSERT INTO dmarc_store.failure_report (domain, day, identity, content, reporter, arrived, incidents)
                               VALUES ('a.example', current_date, md5('f')::uuid, md5('f')::uuid, '', now(), 1) RETURNING id)
                   INSERT INTO dmarc_store.tls_policy (domain, day, report, ordinal, policy_type) SELECT 'a.example', current_date, id, 1, 'sts' FROM f $$,
                'a writer may write failure reports and TLS reports');
SELECT lives_ok($$ WITH o AS (INSERT INTO dmarc_store.original (mail_sha256, size, data) VALUES ('x', 1, 'x') RETURNING mail_sha256)
                   INSERT INTO dmarc_store.reading (mail_sha256, message, ordinal, command, outcome) SELECT mail_sha256, 1, 1, 'retry', 'problem' FROM o $$,
                'a writer may keep mails, and what was known of them');
SELECT throws_ok($$ INSERT INTO dmarc.schema_version (version, name) VALUES (999, 'x') $$, '42501', NULL, 'a writer may not claim a version');
SELECT throws_ok($$ INSERT INTO dmarc.sender (key, name, kind) VALUES ('x', 'X', 'saas') $$, '42501', NULL, 'a writer may not add senders');
SELECT throws_ok($$ DROP TABLE dmarc_store.evidence $$, '42501', NULL, 'a writer may not drop');
RESET ROLE;

SET ROLE whosends_test_nobody;
SELECT throws_ok($$ SELECT * FROM dmarc.record $$, '42501', NULL, 'anybody else sees nothing');
SELECT throws_ok($$ SELECT * FROM dmarc.senders() $$, '42501', NULL, '... and may not ask');
RESET ROLE;

SELECT finish();
ROLLBACK;
