-- What the SQL tests share: reports and records with a word or two each. Everything is gone with the transaction.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;

CREATE FUNCTION pg_temp.report(id bigint, domain text, day date, reporter text DEFAULT 'reporter.example', p text DEFAULT 'none',
                               warnings text[] DEFAULT NULL, incomplete boolean DEFAULT false) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO dmarc_store.report (id, domain, day, identity, content, reporter, org_name, report_id, period_begin, period_end, p,
                              record_count, records_seen, message_count, incomplete, id_collision, warnings)
    VALUES (id, domain, day, md5(id::text)::uuid, md5('c' || id)::uuid, reporter, initcap(reporter), 'r' || id, day, day + 1, p,
            0, 0, 0, incomplete, false, warnings)
$fn$;

-- dkim: 'domain|selector|result', spf: 'domain|scope|result'; dkim_by and spf_by: the identity that aligned,
-- 'domain|selector' and 'domain'.
CREATE FUNCTION pg_temp.record(report bigint, domain text, day date, ip text, messages bigint, dkim text[] DEFAULT NULL,
                               spf text[] DEFAULT NULL, dkim_by text DEFAULT NULL, spf_by text DEFAULT NULL,
                               reasons text[] DEFAULT NULL, header_from text DEFAULT NULL, disposition text DEFAULT 'none',
                               disagree boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $fn$
DECLARE
    e dmarc_store.evidence;
BEGIN
    e.domain := domain;
    e.hash := md5(row(dkim, spf, dkim_by, spf_by, reasons, header_from, disposition, disagree)::text)::uuid;
    e.header_from := coalesce(header_from, domain);
    e.disposition := disposition;
    e.dkim_verdict := CASE WHEN dkim_by IS NULL THEN 'fail' ELSE 'pass' END;
    e.spf_verdict := CASE WHEN spf_by IS NULL THEN 'fail' ELSE 'pass' END;
    e.verdict_computed := false;
    e.dkim_aligned := dkim_by IS NOT NULL;
    e.spf_aligned := spf_by IS NOT NULL;
    e.dkim_aligned_domain := split_part(dkim_by, '|', 1);
    e.dkim_aligned_selector := nullif(split_part(dkim_by, '|', 2), '');
    e.spf_aligned_domain := spf_by;
    e.disagree := disagree;
    e.dkim_domains := (SELECT array_agg(nullif(split_part(x, '|', 1), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n));
    e.dkim_selectors := (SELECT array_agg(nullif(split_part(x, '|', 2), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n));
    e.dkim_results := (SELECT array_agg(nullif(split_part(x, '|', 3), '') ORDER BY n) FROM unnest(dkim) WITH ORDINALITY u (x, n));
    e.spf_domains := (SELECT array_agg(nullif(split_part(x, '|', 1), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n));
    e.spf_scopes := (SELECT array_agg(nullif(split_part(x, '|', 2), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n));
    e.spf_results := (SELECT array_agg(nullif(split_part(x, '|', 3), '') ORDER BY n) FROM unnest(spf) WITH ORDINALITY u (x, n));
    e.reason_types := reasons;
    e.profile := (dmarc_store.profile_of(e)).hash;
    INSERT INTO dmarc_store.evidence SELECT e.* ON CONFLICT DO NOTHING;
    PERFORM dmarc_store.take_profiles(ARRAY[dmarc_store.profile_of(e)]);
    INSERT INTO dmarc_store.observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, great_counts, source_ips)
    SELECT $2, $3, $1, (SELECT count(*) + 1 FROM dmarc_store.observation o WHERE o.domain = $2 AND o.day = $3 AND o.report = $1),
           ARRAY[e.hash], '{1}', CASE WHEN messages <= 2147483647 THEN ARRAY[messages] END, CASE WHEN messages > 2147483647 THEN ARRAY[messages] END,
           ARRAY[ip::inet];
    UPDATE dmarc_store.report r
    SET record_count = r.record_count + 1, records_seen = r.records_seen + 1, message_count = r.message_count + messages,
        dkim_aligned_count = r.dkim_aligned_count + CASE WHEN e.dkim_aligned THEN messages ELSE 0 END,
        spf_aligned_count = r.spf_aligned_count + CASE WHEN e.spf_aligned THEN messages ELSE 0 END,
        disagree_count = r.disagree_count + CASE WHEN e.disagree THEN messages ELSE 0 END
    WHERE r.domain = $2 AND r.day = $3 AND r.id = $1;
END
$fn$;

-- The sums of what was put there by hand, and classes by the catalogue as it is now.
CREATE FUNCTION pg_temp.sum_up() RETURNS void LANGUAGE sql AS $fn$
    SELECT dmarc_store.rebuild(NULL, NULL, NULL), dmarc_store.reclassify();
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
