-- Everything is in schema dmarc, and nothing is summed up. Two months and the default partition; reports that are incomplete, replaced,
-- doubted, foreign and empty; several results and reasons; records without an address; names that are none.

-- Views and functions of then have other columns now: that they are there is what counts. So do rights on what were the tables.
CREATE VIEW record AS SELECT o.domain, o.report, o.message_count FROM observation o;
CREATE VIEW dkim_result AS SELECT 1 AS old;
CREATE VIEW spf_result AS SELECT 1 AS old;
CREATE VIEW override_reason AS SELECT 1 AS old;
CREATE VIEW classification AS SELECT 1 AS old;
CREATE VIEW problem AS SELECT 1 AS old;
DO $do$
DECLARE
    old text;
BEGIN
    FOREACH old IN ARRAY ARRAY['senders(text, date, date, boolean)', 'sources(text, date, date, boolean)', 'reporters(text, date, date, boolean)',
        'disagreements(text, date, date, boolean)', 'timeline(text, date, date, boolean)', 'failures(text, date, date, boolean)',
        'summary(text, date, date, boolean)', 'failure_samples(text, date, date)', 'tls(text, date, date)', 'status()', 'problems()',
        'problem_list(text)', 'find_mail(text)', 'untrusted()', 'rereadable(text, text, boolean, text, date)', 'load_sender()', 'load_sender_rule()',
        'authenticated(text, text, text, text, text[], text[], text[], text[], text[], text[])'] LOOP
        EXECUTE format('CREATE FUNCTION %s RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', old);
    END LOOP;
END
$do$;
DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['whosends_read', 'whosends_ingest'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA dmarc TO %I', wanted);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA dmarc TO %I', wanted);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA dmarc GRANT SELECT ON TABLES TO %I', wanted);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE ON report, observation, evidence, message, document TO whosends_ingest;
END
$do$;

CREATE TABLE report_202609 PARTITION OF report FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE observation_202609 PARTITION OF observation FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE report_202610 PARTITION OF report FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
CREATE TABLE observation_202610 PARTITION OF observation FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');

-- A user's own table and view on what were tables.
CREATE VIEW public.per_day AS SELECT day, count(*) AS reports FROM report GROUP BY day;
INSERT INTO sender (key, name, kind) VALUES ('ours', 'Our newsletter', 'own');
INSERT INTO sender_rule (kind, pattern, sender) VALUES ('dkim_domain', 'mailer.example.net', 'ours');

CREATE FUNCTION pg_temp.report(id bigint, domain text, day date, reporter text, records bigint, messages numeric, incomplete boolean, trusted boolean,
                               alien boolean, replaced boolean, warnings text[]) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc.report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, p, record_count, records_seen,
                              message_count, incomplete, id_collision, trusted, foreign_domain, replaced, warnings)
    VALUES (id, domain, day, md5(id::text)::uuid, md5('c' || id)::uuid, reporter, 'r' || id, day, day + 1, 'quarantine', records, records, messages,
            incomplete, false, trusted, alien, replaced, warnings)
$fn$;
--                    id  domain                day           reporter      records messages incomplete trusted foreign replaced
SELECT pg_temp.report(1, 'example.com',        '2026-09-30', 'big.example',   4,  20, false, true,  false, false, NULL),
       pg_temp.report(2, 'example.com',        '2026-10-01', 'big.example',   2,   5, false, NULL,  false, false, '{null_row}'),
       pg_temp.report(3, 'example.com',        '2026-10-01', 'small.example', 1,   6, true,  NULL,  false, false, NULL),
       pg_temp.report(4, 'example.com',        '2026-10-01', 'small.example', 9,  99, true,  NULL,  false, true,  NULL),
       pg_temp.report(5, 'example.com',        '2026-10-02', 'big.example',   1, 100, false, false, false, false, NULL),
       pg_temp.report(6, 'example.org',        '1999-12-31', 'big.example',   2,  15, false, NULL,  false, false, NULL),
       pg_temp.report(7, 'example.org',        '2026-10-31', 'big.example',   1,   9, false, true,  true,  false, NULL),
       pg_temp.report(8, 'xn--bcher-kva.example', '2026-10-31', 'big.example', 2, 9223372036854775810, false, NULL, false, false, NULL),
       pg_temp.report(9, 'example.net',        '2026-10-31', 'big.example',   0,   0, false, NULL,  false, false, NULL);

CREATE FUNCTION pg_temp.evidence(domain text, name text, disposition text, dkim text, spf text, dkim_by text, spf_by text, reasons text[],
                                 header_from text, disagree boolean) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc.evidence (domain, hash, header_from, envelope_to, disposition, dkim_verdict, spf_verdict, verdict_computed, dkim_aligned, spf_aligned,
        dkim_aligned_domain, dkim_aligned_selector, spf_aligned_domain, disagree, dkim_domains, dkim_selectors, dkim_results, dkim_human,
        spf_domains, spf_scopes, spf_results, reason_types, reason_comments, extensions)
    SELECT domain, md5(name)::uuid, header_from, name, disposition, 'fail', 'fail', false, dkim_by IS NOT NULL, spf_by IS NOT NULL,
           split_part(dkim_by, '/', 1), split_part(dkim_by, '/', 2), spf_by, disagree, d.domains, d.selectors, d.results, d.humans, s.domains, s.scopes, s.results,
           reasons, CASE WHEN reasons IS NOT NULL THEN ARRAY['comment'] END, '<x>' || name || '</x>'
    FROM (SELECT array_agg(nullif(split_part(x, '/', 1), '') ORDER BY n), array_agg(nullif(split_part(x, '/', 2), '') ORDER BY n),
                 array_agg(nullif(split_part(x, '/', 3), '') ORDER BY n), CASE WHEN count(*) > 0 THEN array_agg('human ' || name) END
          FROM unnest(string_to_array(dkim, ' ')) WITH ORDINALITY u (x, n)) d (domains, selectors, results, humans),
         (SELECT array_agg(nullif(split_part(x, '/', 1), '') ORDER BY n), array_agg(nullif(split_part(x, '/', 2), '') ORDER BY n),
                 array_agg(nullif(split_part(x, '/', 3), '') ORDER BY n)
          FROM unnest(string_to_array(spf, ' ')) WITH ORDINALITY u (x, n)) s (domains, scopes, results)
$fn$;
--                      domain        name      disposition   DKIM results                                  SPF results                     aligned by
SELECT pg_temp.evidence('example.com', 'own',   'none',       'example.com/mail/pass',                      'example.com/mfrom/pass',       'example.com/mail', 'example.com', NULL, 'example.com', false),
       pg_temp.evidence('example.com', 'grid1', 'quarantine', 'sendgrid.net/s1/pass example.com/s1/fail',   'sendgrid.net/mfrom/pass',      NULL, NULL, NULL, 'example.com', false),
       pg_temp.evidence('example.com', 'grid2', 'reject',     '//temperror sendgrid.net/s2/pass sendgrid.net/s3/pass', 'sendgrid.net/mfrom/pass sendgrid.net/mfrom/pass', NULL, NULL, NULL, 'example.com', false),
       pg_temp.evidence('example.com', 'none',  'reject',     NULL,                                         'example.com//fail',            NULL, NULL, NULL, 'example.com', true),
       pg_temp.evidence('example.com', 'list',  'none',       'example.com/mail/pass',                      'lists.example.net/mfrom/pass', 'example.com/mail', NULL, '{mailing_list,NULL,mailing_list}', 'example.com', false),
       pg_temp.evidence('example.org', 'odd',   NULL,         'not_a_name/s/pass <script>/x/pass',          '/helo/pass',                   NULL, NULL, NULL, '', false),
       pg_temp.evidence('example.org', 'ours',  'none',       'mailer.example.net/k/pass',                  NULL,                           NULL, NULL, '{local_policy}', 'www.example.org', false),
       pg_temp.evidence('xn--bcher-kva.example', 'odd', 'none', 'stranger.example/s/pass',                  NULL,                           NULL, NULL, NULL, 'xn--bcher-kva.example', false);

INSERT INTO observation (domain, day, report, ordinal, source_ip, message_count, evidence, source_raw) VALUES
    ('example.com', '2026-09-30', 1, 1, '192.0.2.1', 10, md5('own')::uuid, NULL),
    ('example.com', '2026-09-30', 1, 2, '198.51.100.1', 5, md5('grid1')::uuid, NULL),
    ('example.com', '2026-09-30', 1, 3, '198.51.100.2', 3, md5('grid2')::uuid, NULL),
    ('example.com', '2026-09-30', 1, 4, NULL, 2, md5('none')::uuid, 'unknown'),
    ('example.com', '2026-10-01', 2, 1, '192.0.2.1', 4, md5('own')::uuid, NULL),
    ('example.com', '2026-10-01', 2, 2, '203.0.113.9', 1, md5('list')::uuid, NULL),
    ('example.com', '2026-10-01', 3, 1, '2001:db8::1', 6, md5('own')::uuid, NULL),
    ('example.com', '2026-10-02', 5, 1, '192.0.2.66', 100, md5('none')::uuid, NULL),
    ('example.org', '1999-12-31', 6, 1, '192.0.2.7', 7, md5('odd')::uuid, NULL),
    ('example.org', '1999-12-31', 6, 2, '192.0.2.7', 8, md5('ours')::uuid, NULL),
    ('example.org', '2026-10-31', 7, 1, '192.0.2.8', 9, md5('ours')::uuid, NULL),
    ('xn--bcher-kva.example', '2026-10-31', 8, 1, '192.0.2.9', 9223372036854775807, md5('odd')::uuid, NULL),
    ('xn--bcher-kva.example', '2026-10-31', 8, 2, '192.0.2.9', 3, md5('odd')::uuid, NULL);

-- then

-- who sends, worked out by hand
SELECT domain, sender, class, messages, dkim_aligned, spf_aligned, sources, first_seen, last_seen, confidence FROM dmarc.senders() ORDER BY domain, messages DESC;
--= example.com|nothing authenticates|unknown|102|0|0|1|2026-09-30|2026-10-02|none
--= example.com|own mail (selector mail)|authorised|20|20|20|2|2026-09-30|2026-10-01|high
--= example.com|Twilio SendGrid|misconfigured|8|0|0|2|2026-09-30|2026-09-30|high
--= example.com|own mail (selector mail)|forwarded|1|1|0|1|2026-10-01|2026-10-01|high
--= example.org|Our newsletter|misconfigured|17|0|0|2|1999-12-31|2026-10-31|high
--= example.org|nothing authenticates|unknown|7|0|0|1|1999-12-31|1999-12-31|none
--= xn--bcher-kva.example|stranger.example (not known)|unknown|9223372036854775810|0|0|1|2026-10-31|2026-10-31|medium
SELECT domain, messages, sources FROM dmarc.senders(only_trusted => true) WHERE sender IN ('nothing authenticates', 'Our newsletter') ORDER BY 1, 2;
--= example.com|2|0
--= example.org|7|1
--= example.org|8|1

-- each day
SELECT day, messages, passed, authorised, misconfigured, forwarded, unknown, dkim_aligned, spf_aligned, quarantined, rejected, reports FROM dmarc.timeline('example.com');
--= 2026-09-30|20|10|10|8|0|2|10|10|5|5|1
--= 2026-10-01|11|11|10|0|1|0|11|10|0|0|2
--= 2026-10-02|100|0|0|0|0|100|0|0|0|100|1
SELECT day, messages FROM dmarc.timeline('example.com', only_trusted => true);
--= 2026-09-30|20
--= 2026-10-01|11

-- each domain
SELECT domain, messages, passed, authorised, misconfigured, forwarded, unknown, policy, senders, sources, reporters, reports FROM dmarc.summary() ORDER BY domain;
--= example.com|131|21|20|8|1|102|quarantine|3|6|2|4
--= example.net|0|0|0|0|0|0|quarantine|0|0|1|1
--= example.org|24|0|0|17|0|7|quarantine|2|2|1|2
--= xn--bcher-kva.example|9223372036854775810|0|0|0|0|9223372036854775810|quarantine|1|1|1|1

-- each reporter
SELECT reporter, reports, records, messages, dkim_aligned, spf_aligned, disagree, incomplete, warnings FROM dmarc.reporters('example.com');
--= big.example|3|7|125|15|14|102|0|{null_row=1}
--= small.example|1|1|6|6|6|0|1|

-- records as they were, each piece of evidence with its profile
SELECT count(*), sum(message_count) FROM dmarc.record;
--= 13|9223372036854775965
SELECT count(*), count(profile), count(DISTINCT (domain, profile)) FROM dmarc_store.evidence;
--= 8|8|8
SELECT string_agg(signing_domain || '/' || selector || '/' || result, ' ' ORDER BY position) FROM dmarc.dkim_result WHERE domain = 'example.com' AND report = 1 AND ordinal = 2;
--= sendgrid.net/s1/pass example.com/s1/fail

-- what was in months is in months, and so are its sums
SELECT tableoid::regclass::text, count(*) FROM dmarc_store.domain_day GROUP BY 1 ORDER BY 1;
--= dmarc_store.domain_day_202609|1
--= dmarc_store.domain_day_202610|5
--= dmarc_store.domain_day_other|1
SELECT tableoid::regclass::text, sum(cardinality(source_ips)) FROM dmarc_store.observed GROUP BY 1 ORDER BY 1;
--= dmarc_store.observed_202609|4
--= dmarc_store.observed_202610|7
--= dmarc_store.observed_other|2

-- a user's view goes on, and so do his senders
SELECT sum(reports), count(*) FROM public.per_day;
--= 9|5
SELECT name FROM dmarc.sender WHERE origin = 'user';
--= Our newsletter

-- who reads, reads the views, and no table any more
SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c WHERE c.relnamespace = 'dmarc_store'::regnamespace AND has_table_privilege('whosends_read', c.oid, 'SELECT') AND c.relkind IN ('r', 'p', 'v');
--= 
SELECT bool_and(has_table_privilege('whosends_read', c.oid, 'SELECT')) FROM pg_class c WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind IN ('r', 'v');
--= t
SELECT has_schema_privilege('whosends_read', 'dmarc_store', 'USAGE'), has_table_privilege('whosends_ingest', 'dmarc_store.summed', 'INSERT');
--= f|t
SELECT count(*) FROM pg_default_acl;
--= 0
