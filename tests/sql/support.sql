-- What the SQL tests share: reports and records with a word or two each. Everything is gone with the transaction.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;

CREATE FUNCTION pg_temp.report(id bigint, domain text, day date, reporter text DEFAULT 'reporter.example', p text DEFAULT 'none',
                               warnings text[] DEFAULT NULL, incomplete boolean DEFAULT false) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc.report (id, domain, day, identity, content, reporter, org_name, report_id, period_begin, period_end, p,
                              record_count, records_seen, message_count, incomplete, id_collision, warnings)
    VALUES (id, domain, day, md5(id::text)::uuid, md5('c' || id)::uuid, reporter, initcap(reporter), 'r' || id, day, day + 1, p,
            0, 0, 0, incomplete, false, warnings)
$fn$;

-- dkim: 'domain|selector|result', spf: 'domain|scope|result'; dkim_by and spf_by: the identity that aligned,
-- 'domain|selector' and 'domain'.
CREATE FUNCTION pg_temp.record(report bigint, domain text, day date, ip text, messages bigint, dkim text[] DEFAULT NULL,
                               spf text[] DEFAULT NULL, dkim_by text DEFAULT NULL, spf_by text DEFAULT NULL,
                               reasons text[] DEFAULT NULL, header_from text DEFAULT NULL, disposition text DEFAULT 'none',
                               disagree boolean DEFAULT false) RETURNS void LANGUAGE sql AS $fn$
    WITH e AS (
        SELECT domain, md5(row(dkim, spf, dkim_by, spf_by, reasons, header_from, disposition, disagree)::text)::uuid AS hash,
               coalesce(header_from, domain) AS header_from
    ), i AS (
        INSERT INTO dmarc.evidence (domain, hash, header_from, disposition, dkim_verdict, spf_verdict, verdict_computed,
                                    dkim_aligned, spf_aligned, dkim_aligned_domain, dkim_aligned_selector, spf_aligned_domain, disagree,
                                    dkim_domains, dkim_selectors, dkim_results, spf_domains, spf_scopes, spf_results, reason_types)
        SELECT e.domain, e.hash, e.header_from, disposition, CASE WHEN dkim_by IS NULL THEN 'fail' ELSE 'pass' END,
               CASE WHEN spf_by IS NULL THEN 'fail' ELSE 'pass' END, false, dkim_by IS NOT NULL, spf_by IS NOT NULL,
               split_part(dkim_by, '|', 1), nullif(split_part(dkim_by, '|', 2), ''), spf_by, disagree,
               (SELECT array_agg(nullif(split_part(x, '|', 1), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n)),
               (SELECT array_agg(nullif(split_part(x, '|', 2), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n)),
               (SELECT array_agg(nullif(split_part(x, '|', 3), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n)),
               (SELECT array_agg(nullif(split_part(x, '|', 1), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n)),
               (SELECT array_agg(nullif(split_part(x, '|', 2), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n)),
               (SELECT array_agg(nullif(split_part(x, '|', 3), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n)),
               reasons
        FROM e
        ON CONFLICT DO NOTHING
    )
    INSERT INTO dmarc.observation (domain, day, report, ordinal, source_ip, message_count, evidence)
    SELECT e.domain, day, report,
           (SELECT count(*) + 1 FROM dmarc.observation o WHERE o.domain = e.domain AND o.day = record.day AND o.report = record.report),
           ip::inet, messages, e.hash
    FROM e
$fn$;

-- The rows of a query as lines of text, in its order.
CREATE FUNCTION pg_temp.rows(query text) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE
    one record;
    all_of_them text;
BEGIN
    FOR one IN EXECUTE query LOOP
        all_of_them := concat_ws(E'\n', all_of_them, one::text);
    END LOOP;
    RETURN all_of_them;
END
$fn$;
