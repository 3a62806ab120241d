-- What stored evidence means by another catalogue, and what an upgrade leaves to be done. See sums.sql for the rules of locking.

-- The classes of each day, from profile_day. Only for who holds the lock alone.
CREATE OR REPLACE FUNCTION dmarc_store.recount_days(of_domain text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    INSERT INTO dmarc_store.domain_day AS t (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured,
                                             forwarded, unknown, dkim_aligned, spf_aligned, quarantined, rejected)
    SELECT s.domain, s.day, s.doubtful, 0, 0, 0, 0,
           coalesce(sum(s.messages) FILTER (WHERE p.class = 'authorised'), 0),
           coalesce(sum(s.messages) FILTER (WHERE p.class = 'misconfigured'), 0),
           coalesce(sum(s.messages) FILTER (WHERE p.class = 'forwarded'), 0),
           coalesce(sum(s.messages) FILTER (WHERE p.class = 'unknown'), 0), 0, 0, 0, 0
    FROM dmarc_store.profile_day s
    JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
    WHERE s.domain = of_domain AND p.domain = of_domain
    GROUP BY s.domain, s.day, s.doubtful
    HAVING sum(s.records) <> 0 OR sum(s.messages) <> 0
    ORDER BY s.domain, s.day, s.doubtful
    ON CONFLICT (domain, day, doubtful) DO UPDATE
    SET authorised = excluded.authorised, misconfigured = excluded.misconfigured, forwarded = excluded.forwarded, unknown = excluded.unknown;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.recount_days(text) IS 'The daily classes of a policy domain anew, from profile_day';

-- Judges the profiles again, of one domain or of all (NULL), and brings the daily classes up to date. How many changed.
CREATE OR REPLACE FUNCTION dmarc_store.reclassify(of_domain text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    chunk   dmarc_store.profile[];
    changed dmarc_store.profile[];
    at_domain text := '';
    at_hash uuid := '00000000-0000-0000-0000-000000000000';
    touched text[] := '{}';
    total   bigint := 0;
BEGIN
    PERFORM dmarc_store.alone();
    LOOP
        WITH next AS MATERIALIZED (
            SELECT k.* FROM dmarc_store.profile k
            WHERE k.domain = coalesce(of_domain, k.domain)
              AND (k.domain, k.hash) > (at_domain, at_hash)
            ORDER BY k.domain, k.hash LIMIT 5000
        )
        SELECT array_agg(ROW(n.*)::dmarc_store.profile ORDER BY n.domain, n.hash) INTO chunk FROM next n;
        EXIT WHEN chunk IS NULL;
        SELECT array_agg(j ORDER BY j.domain, j.hash) INTO changed
        FROM dmarc_store.judge(chunk) j JOIN unnest(chunk) k ON k.domain = j.domain AND k.hash = j.hash
        WHERE (j.class, j.rule, j.sender_key, j.sender, j.known, j.kind, j.confidence, j.evidence_said, j.advice)
              IS DISTINCT FROM (k.class, k.rule, k.sender_key, k.sender, k.known, k.kind, k.confidence, k.evidence_said, k.advice);
        IF changed IS NOT NULL THEN
            INSERT INTO dmarc_store.profile AS t SELECT d.* FROM unnest(changed) d
            ON CONFLICT (domain, hash) DO UPDATE
            SET class = excluded.class, rule = excluded.rule, sender_key = excluded.sender_key, sender = excluded.sender,
                known = excluded.known, kind = excluded.kind, confidence = excluded.confidence,
                evidence_said = excluded.evidence_said, advice = excluded.advice;
            touched := touched || ARRAY(SELECT DISTINCT d.domain FROM unnest(changed) d);
            total := total + cardinality(changed);
        END IF;
        at_domain := chunk[cardinality(chunk)].domain;
        at_hash := chunk[cardinality(chunk)].hash;
    END LOOP;
    PERFORM dmarc_store.recount_days(d.domain) FROM (SELECT DISTINCT u.domain FROM unnest(touched) u (domain)) d;
    RETURN total;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.reclassify(text) IS 'Judges stored profiles again by the catalogue as it is now, and brings the daily classes up to date; how many changed';

-- What an upgrade leaves to be done once all functions are there: evidence from before there were profiles, sums of old reports,
-- and a new catalogue.
CREATE OR REPLACE FUNCTION dmarc_store.settle() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    chunk     dmarc_store.evidence[];
    found     dmarc_store.profile[];
    at_domain text := '';
    at_hash   uuid := '00000000-0000-0000-0000-000000000000';
    touched   text[] := '{}';
    -- Reports without records have no evidence that tells how old they are.
    old       boolean := (SELECT count(*) = 0 FROM (SELECT 1 FROM dmarc_store.domain_day LIMIT 1) d)
                     AND (SELECT count(*) > 0 FROM (SELECT 1 FROM dmarc_store.report r WHERE NOT r.replaced LIMIT 1) r);
BEGIN
    PERFORM dmarc_store.alone();
    LOOP
        -- Only what a profile is made of: the rest may be as long as strangers like.
        WITH unfilled AS MATERIALIZED (
            SELECT x.domain, x.hash, x.header_from, x.dkim_aligned, x.spf_aligned, x.dkim_aligned_domain, x.dkim_aligned_selector,
                   x.spf_aligned_domain, x.dkim_domains, x.dkim_selectors, x.dkim_results, x.spf_domains, x.spf_scopes, x.spf_results, x.reason_types
            FROM dmarc_store.evidence x
            WHERE x.profile IS NULL AND (x.domain, x.hash) > (at_domain, at_hash)
            ORDER BY x.domain, x.hash LIMIT 5000
        )
        SELECT array_agg(ROW(e.domain, e.hash, e.header_from, NULL, NULL, NULL, NULL, NULL, NULL, e.dkim_aligned, e.spf_aligned,
                   e.dkim_aligned_domain, e.dkim_aligned_selector, e.spf_aligned_domain, NULL, e.dkim_domains, e.dkim_selectors, e.dkim_results,
                   NULL, NULL, e.spf_domains, e.spf_scopes, e.spf_results, NULL, NULL, e.reason_types, NULL, NULL, NULL, NULL, NULL)::dmarc_store.evidence
                   ORDER BY e.domain, e.hash)
        INTO chunk FROM unfilled e;
        EXIT WHEN chunk IS NULL;
        SELECT array_agg(p) INTO found FROM dmarc_store.profiles_of(chunk) p;
        PERFORM dmarc_store.take_profiles(found);
        WITH meant AS MATERIALIZED (
            SELECT c.domain, c.hash, p.hash AS profile
            FROM unnest(chunk) WITH ORDINALITY c JOIN unnest(found) WITH ORDINALITY p ON c.ordinality = p.ordinality
        )
        UPDATE dmarc_store.evidence e SET profile = m.profile FROM meant m WHERE e.domain = m.domain AND e.hash = m.hash;
        at_domain := chunk[cardinality(chunk)].domain;
        at_hash := chunk[cardinality(chunk)].hash;
        touched := touched || ARRAY(SELECT DISTINCT u.domain FROM unnest(chunk) u WHERE u.domain <> ALL (touched));
    END LOOP;
    IF old THEN
        -- The sums have their months where reports have them.
        PERFORM dmarc_store.make_month(dmarc_store.month_named(c.relname), t.name)
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid, unnest(dmarc_store.month_tables()) t (name)
        WHERE i.inhparent = 'dmarc_store.report'::regclass AND c.relname ~ '^report_[0-9]{6}$';
        PERFORM dmarc_store.rebuild(NULL, NULL, NULL);
    ELSE
        PERFORM dmarc_store.rebuild(t.domain, NULL, NULL) FROM unnest(touched) t (domain);
    END IF;
    PERFORM dmarc_store.reclassify();
    IF to_regclass('dmarc_store.observation_before') IS NOT NULL THEN
        DROP TABLE dmarc_store.observation_before;
    END IF;
    IF to_regclass('dmarc_store.profile_source_before') IS NOT NULL THEN
        DROP TABLE dmarc_store.profile_source_before;
    END IF;
    IF to_regclass('dmarc_store.profile_day_before') IS NOT NULL THEN
        DROP TABLE dmarc_store.profile_day_before;
    END IF;
    IF to_regclass('dmarc_store.observed_before') IS NOT NULL THEN
        DROP TABLE dmarc_store.observed_before, dmarc_store.summed_before;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.settle() IS 'Ends an installation or upgrade: profiles of old evidence, sums, classes by the new catalogue';

-- For users who added senders or rules of their own: what is stored already gets its names by them.
CREATE OR REPLACE FUNCTION dmarc.reclassify(policy_domain text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $fn$
    SELECT dmarc_store.reclassify($1)
$fn$;
COMMENT ON FUNCTION dmarc.reclassify(text) IS 'Gives stored mail its names and classes by the catalogue as it is now; how many changed. To be called after one''s own changes of sender and sender_rule';
