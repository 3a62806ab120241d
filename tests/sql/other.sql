-- Failure reports and TLS reports, over a few rows each.
\ir support.sql
SELECT plan(16);

CREATE FUNCTION pg_temp.failed(id bigint, domain text, arrived timestamptz, subject text DEFAULT NULL, d text DEFAULT NULL, s text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc_store.failure_report (id, domain, day, identity, content, reporter, arrived, incidents, source_ip, auth_failures, alignment_failed,
                                      delivery_result, header_from, mail_from, subject, subject_hash, dkim_domain, dkim_selector,
                                      signature_domains, signature_selectors)
    VALUES (id, domain, (arrived AT TIME ZONE 'UTC')::date, md5(id::text)::uuid, md5('c' || id)::uuid, 'reporter.example', arrived, 1, '192.0.2.1',
            '{dmarc,spf}', 'dkim spf', 'reject', domain, '', subject, md5('subject')::uuid, d, s, '{sig.example,NULL}', '{s1,s2}')
$fn$;
CREATE FUNCTION pg_temp.tls(id bigint, domain text, day date, reporter text) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc_store.tls_report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count, failure_count, id_collision)
    VALUES (id, domain, day, md5(id::text)::uuid, md5('c' || id)::uuid, reporter, 'r' || id, day, day + 1, 1, 0, false)
$fn$;
CREATE FUNCTION pg_temp.policy(report bigint, domain text, day date, ordinal int, type text, successful bigint, failed bigint) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc_store.tls_policy (domain, day, report, ordinal, policy_type, successful, failed) VALUES (domain, day, report, ordinal, type, successful, failed)
$fn$;
CREATE FUNCTION pg_temp.detail(report bigint, domain text, day date, policy int, ordinal int, type text, failed bigint) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc_store.tls_failure (domain, day, report, policy, ordinal, result_type, failed) VALUES (domain, day, report, policy, ordinal, type, failed)
$fn$;
\o /dev/null
SELECT pg_temp.failed(1, 'a.example', '2026-10-01 23:30:00+00');
SELECT pg_temp.failed(2, 'sub.a.example', '2026-10-02 08:00:00+00', 'Kept', 'd.example', 'k');
SELECT pg_temp.failed(3, 'b.example', '2026-10-03 00:00:00+00', NULL, 'd.example');
SELECT pg_temp.failed(4, 'nota.example', '2026-10-03 00:00:00+00');
SELECT pg_temp.tls(11, 'a.example', '2026-10-01', 'google.test');
SELECT pg_temp.policy(11, 'a.example', '2026-10-01', 1, 'sts', 90, 10);
SELECT pg_temp.detail(11, 'a.example', '2026-10-01', 1, 1, 'certificate-expired', 7);
SELECT pg_temp.detail(11, 'a.example', '2026-10-01', 1, 2, 'validation-failure', 3);
SELECT pg_temp.policy(11, 'a.example', '2026-10-01', 2, 'tlsa', 5, 0);
SELECT pg_temp.tls(12, 'a.example', '2026-10-02', 'microsoft.test');
SELECT pg_temp.policy(12, 'a.example', '2026-10-02', 1, 'sts', 100, NULL);
SELECT pg_temp.detail(12, 'a.example', '2026-10-02', 1, 1, 'validation-failure', 8);
SELECT pg_temp.detail(12, 'a.example', '2026-10-02', 1, 2, 'odd', NULL);
SELECT pg_temp.tls(13, 'b.example', '2026-10-02', 'google.test');
SELECT pg_temp.policy(13, 'b.example', '2026-10-02', 1, 'no-policy-found', NULL, NULL);
SELECT pg_temp.tls(14, 'c.example', '2026-10-02', 'google.test');
\o

SELECT is(pg_temp.rows($$ SELECT domain, arrived, reporter, source_ip, header_from, mail_from, auth_failures, alignment_failed, delivery_result, dkim_domain,
                                 dkim_selector, subject FROM dmarc.failure_samples('a.example') $$),
    $$(sub.a.example,"2026-10-02 08:00:00+00",reporter.example,192.0.2.1,sub.a.example,"","{dmarc,spf}","dkim spf",reject,d.example,k,Kept)
(a.example,"2026-10-01 23:30:00+00",reporter.example,192.0.2.1,a.example,"","{dmarc,spf}","dkim spf",reject,sig.example,s1,)$$,
    'failure_samples: the latest first, with what is below the domain');
SELECT is((SELECT dkim_selector FROM dmarc.failure_samples('b.example')), NULL, 'failure_samples: no selector of another signature');
SELECT is((SELECT count(*)::int FROM dmarc.failure_samples()), 4, 'failure_samples: all domains');
SELECT is((SELECT count(*)::int FROM dmarc.failure_samples('A.Example', '2026-10-02')), 1, 'failure_samples: the first day counts');
SELECT is((SELECT count(*)::int FROM dmarc.failure_samples(until => '2026-10-02')), 1, 'failure_samples: the day after the last does not');
SELECT is_empty($$ SELECT * FROM dmarc.failure_samples('example') WHERE domain = 'example' $$, 'failure_samples: none of another domain');
SELECT is((SELECT count(*)::int FROM dmarc.failure_samples('%')), 0, 'failure_samples: a domain is no pattern');

SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.tls('a.example') $$),
    $$(a.example,sts,2,2,190,10,0.050000,"{""validation-failure 11"",""certificate-expired 7"",""odd 0""}",2026-10-01,2026-10-02)
(a.example,tlsa,1,1,5,0,0.000000,,2026-10-01,2026-10-01)$$, 'tls: a row for each kind of policy');
SELECT is(pg_temp.rows($$ SELECT * FROM dmarc.tls('b.example') $$), '(b.example,no-policy-found,1,1,0,0,,,2026-10-02,2026-10-02)',
          'tls: what is not said adds nothing');
SELECT is((SELECT sum(successful) FROM dmarc.tls()), 195::numeric, 'tls: every session once');
SELECT is((SELECT sum(failed) FROM dmarc.tls()), 10::numeric, 'tls: failures are those of the summaries');
SELECT is((SELECT successful FROM dmarc.tls('A.Example', '2026-10-02')), 100::numeric, 'tls: the first day counts');
SELECT is((SELECT sum(successful) FROM dmarc.tls('a.example', NULL, '2026-10-02')), 95::numeric, 'tls: the day after the last does not');
SELECT is_empty($$ SELECT * FROM dmarc.tls('c.example') $$, 'tls: a report without policies has no figures');

SELECT throws_ok($$ INSERT INTO dmarc_store.failure_report (domain, day, identity, content, reporter, arrived, incidents)
                    SELECT domain, day, identity, content, reporter, arrived, incidents FROM dmarc_store.failure_report WHERE id = 1 $$, '23505', NULL,
                 'no failure report is there twice');
SELECT throws_ok($$ INSERT INTO dmarc_store.tls_report (domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count, failure_count, id_collision)
                    SELECT domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count, failure_count, id_collision
                    FROM dmarc_store.tls_report WHERE id = 11 $$, '23505', NULL, 'no TLS report is there twice');

SELECT finish();
ROLLBACK;
