-- What is made in portions, by several processes, is the same and in the same order as what is made at once.
\ir support.sql
SELECT plan(38);
\o /dev/null
-- Domains of different size, and one without records.
CREATE TEMP TABLE made AS
SELECT d.name AS domain, day, 10 * d.n + r AS report, CASE d.name WHEN 'k.example' THEN 20 WHEN 'c.example' THEN 0 ELSE d.n + 1 END AS records
FROM unnest('{m.example,b.example,z.example,a-b.example,k.example,c.example,b2.example,y.example}'::text[]) WITH ORDINALITY d (name, n)
CROSS JOIN unnest('{2026-08-01,2026-09-03,2026-10-02}'::date[]) WITH ORDINALITY u (day, r);
SELECT pg_temp.report(m.report, m.domain, m.day) FROM made m;
SELECT pg_temp.record(m.report, m.domain, m.day, '192.0.' || n % 3 || '.' || n, n * m.report,
                      dkim => CASE n % 4 WHEN 0 THEN ARRAY[m.domain || '|s' || n % 3 || '|pass'] WHEN 1 THEN '{mcsv.net|k1|pass}' WHEN 2 THEN '{who.invalid|x|fail}' END,
                      dkim_by => CASE n % 4 WHEN 0 THEN m.domain || '|s' || n % 3 END, reasons => CASE n % 5 WHEN 0 THEN '{forwarded}'::text[] END,
                      header_from => CASE n % 7 WHEN 0 THEN 'mail.' || m.domain END, disposition => CASE n % 6 WHEN 3 THEN 'quarantine' ELSE 'none' END)
FROM made m CROSS JOIN generate_series(1, m.records) n;
-- An address that a name is known of, once with nothing that passed and twice with something, and as many messages.
SELECT pg_temp.record(23, 'b.example', '2026-10-02', '192.0.2.99', 5000);
SELECT pg_temp.record(23, 'b.example', '2026-10-02', '192.0.2.99', 5000, spf => '{mcsv.net|mfrom|pass}');
SELECT pg_temp.record(23, 'b.example', '2026-10-02', '192.0.2.99', 5000, spf => '{zzz.invalid|mfrom|pass}');
INSERT INTO dmarc_store.address (source_ip, name, name_status) VALUES ('192.0.2.99', 'a1.amazonses.com', 'confirmed');
SELECT pg_temp.sum_up();
SELECT dmarc_store.join_group('x', '{k.example,b.example,z.example}');
CREATE ROLE whosends_test_customer IN ROLE whosends_customer;
INSERT INTO dmarc_store.domain_grant (domain, role) VALUES ('b.example', 'whosends_test_customer'), ('k.example', 'whosends_test_customer');
CREATE FUNCTION pg_temp.reports() RETURNS SETOF text LANGUAGE sql AS $fn$
    SELECT left(p.proname, -6) FROM pg_proc p WHERE p.pronamespace = 'dmarc_store'::regnamespace AND p.proname LIKE '%\_among' ORDER BY 1
$fn$;
CREATE FUNCTION pg_temp.told(report text) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
    one text;
    all_of_it text := '';
BEGIN
    EXECUTE format('SELECT string_agg(t::text, E''\n'') FROM dmarc.%I() t', report) INTO all_of_it;
    EXECUTE format('SELECT $1 || string_agg(t::text, E''\n'') FROM dmarc.%I(since => ''2026-08-15'', until => ''2026-10-01'', only_trusted => true) t', report)
        USING all_of_it INTO one;
    all_of_it := one;
    SET dmarc.domain_group = 'x';
    EXECUTE format('SELECT $1 || string_agg(t::text, E''\n'') FROM dmarc.%I() t', report) USING all_of_it INTO one;
    RESET dmarc.domain_group;
    RETURN one;
END
$fn$;
CREATE FUNCTION pg_temp.plan_of(report text) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
    line text;
    lines text := '';
    call text := format('SELECT * FROM dmarc_store.%I(NULL, NULL, NULL, NULL, false%s)', report || '_among',
                        CASE WHEN report IN ('senders', 'summary') THEN ', ''2026-08-01'', 3, 3' END);
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) %s UNION ALL %s', call, call) LOOP
        lines := lines || line;
    END LOOP;
    RETURN lines;
END
$fn$;
CREATE TEMP TABLE once AS SELECT r AS report, pg_temp.told(r) AS rows FROM pg_temp.reports() r;
\o

SELECT is((SELECT string_agg(r, ' ') FROM pg_temp.reports() r), 'failures networks overrides senders sources subdomains summary verdict', 'reports that can be made in portions');
SELECT is((SELECT count(*) FROM once WHERE rows LIKE '%k.example%'), 8::bigint, '... have something to tell');
SELECT is((SELECT domains FROM dmarc_store.portions(NULL, NULL, NULL, NULL)), NULL, 'of few records there are no portions');
UPDATE dmarc_store.domain_day SET records = 10000 * records; -- which no report reads
SELECT is(pg_temp.rows($$ SELECT * FROM dmarc_store.portions(NULL, NULL, NULL, NULL) $$),
          '("{a-b.example,b.example,b2.example,c.example,k.example,m.example,y.example,z.example}","{0,2,4,4,5,6,8}")', 'of many, the domains in order and where each portion ends');
SELECT is((SELECT domains FROM dmarc_store.portions(NULL, '{z.example,b.example}', NULL, NULL)), NULL, 'of a few domains there are none');
SELECT is((SELECT domains FROM dmarc_store.portions(NULL, '{y.example,k.example,b2.example,a-b.example}', '2026-09-01', '2026-10-01')), '{a-b.example,b2.example,k.example,y.example}', 'of some domains, in a period');
SELECT is((SELECT domains FROM dmarc_store.portions('k.example', NULL, NULL, NULL)), NULL, 'of one domain there are none');
SELECT is(pg_temp.told(o.report), o.rows, o.report || ': the same in portions') FROM once o ORDER BY 1;
SET max_parallel_workers_per_gather = 0;
SELECT is(pg_temp.told(o.report), o.rows, o.report || ': ... without workers') FROM once o ORDER BY 1;
SET max_parallel_workers_per_gather = 2;
SELECT matches(pg_temp.plan_of(o.report), 'Gather.*Parallel Append', o.report || ': workers take portions') FROM once o ORDER BY 1;
SET SESSION AUTHORIZATION whosends_test_customer;
SELECT is((SELECT string_agg(domain, ' ') FROM dmarc.summary()), 'k.example b.example', 'a customer has his own domains in portions');
SELECT is((SELECT string_agg(DISTINCT domain, ' ') FROM dmarc.sources()), 'b.example k.example', '... in another report, too');
SELECT is_empty($$ SELECT * FROM dmarc.senders('m.example') $$, '... and no other');
SELECT throws_ok($$ SELECT * FROM dmarc_store.summary_among(NULL, NULL, NULL, NULL, false, NULL, NULL, NULL) $$, '42501', NULL, '... nor by what makes them');
RESET SESSION AUTHORIZATION;
INSERT INTO dmarc_store.domain_day (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned, spf_aligned,
                                    quarantined, rejected)
SELECT 'd' || n || '.example', '2025-01-01', false, 1, 10, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0 FROM generate_series(1, 50000) n;
SELECT is((SELECT cardinality(domains) FROM dmarc_store.portions(NULL, NULL, NULL, '2026-01-01')), 50000, 'of many domains');
SELECT is((SELECT domains FROM dmarc_store.portions(NULL, NULL, NULL, NULL)), NULL, '... and of too many');
UPDATE dmarc_store.domain_day SET records = 900000 WHERE domain = 'd7.example';
SELECT is((SELECT domains FROM dmarc_store.portions(NULL, NULL, NULL, '2026-01-01')), NULL, 'none where one domain has most records');
SELECT * FROM finish();
ROLLBACK;
