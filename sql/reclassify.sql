-- When the catalogue changes, or what the program makes of evidence: stored profiles get their classes and names anew.

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
    reached dmarc_store.profile;
    touched text[] := '{}';
    total   bigint := 0;
BEGIN
    PERFORM dmarc_store.alone();
    LOOP
        WITH next AS MATERIALIZED (
            SELECT k.* FROM dmarc_store.profile k
            WHERE k.domain = coalesce(of_domain, k.domain)
              AND (reached.domain IS NULL OR (k.domain, k.hash) > (reached.domain, reached.hash))
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
        reached := chunk[cardinality(chunk)];
    END LOOP;
    PERFORM dmarc_store.recount_days(d.domain) FROM (SELECT DISTINCT u.domain FROM unnest(touched) u (domain)) d;
    RETURN total;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.reclassify(text) IS 'Judges stored profiles again by the catalogue as it is now, and brings the daily classes up to date; how many changed';

-- What an upgrade leaves to be done once all functions are there: evidence from before there were profiles, and a new catalogue.
CREATE OR REPLACE FUNCTION dmarc_store.settle() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    chunk   dmarc_store.profile[];
    domains text[];
    hashes  uuid[];
    old     boolean := false;
BEGIN
    PERFORM dmarc_store.alone();
    LOOP
        WITH unfilled AS MATERIALIZED (
            SELECT e.* FROM dmarc_store.evidence e WHERE e.profile IS NULL ORDER BY e.domain, e.hash LIMIT 20000
        )
        SELECT array_agg(u.domain), array_agg(u.hash), array_agg(dmarc_store.profile_of(ROW(u.*)::dmarc_store.evidence))
        INTO domains, hashes, chunk FROM unfilled u;
        EXIT WHEN chunk IS NULL;
        WITH meant AS MATERIALIZED (
            SELECT u.domain, u.hash, u.profile
            FROM unnest(domains, hashes, ARRAY(SELECT c.hash FROM unnest(chunk) WITH ORDINALITY c ORDER BY c.ordinality)) u (domain, hash, profile)
        )
        UPDATE dmarc_store.evidence e SET profile = m.profile FROM meant m WHERE e.domain = m.domain AND e.hash = m.hash;
        PERFORM dmarc_store.take_profiles(chunk);
        old := true;
    END LOOP;
    IF old THEN
        PERFORM dmarc_store.rebuild(NULL, NULL, NULL);
    END IF;
    PERFORM dmarc_store.reclassify();
END
$fn$;
COMMENT ON FUNCTION dmarc_store.settle() IS 'Ends an installation or upgrade: profiles of old evidence, sums, classes by the new catalogue';

-- For users who added senders or rules of their own: what is stored already gets its names by them.
CREATE OR REPLACE FUNCTION dmarc.reclassify(policy_domain text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $fn$
    SELECT dmarc_store.reclassify($1)
$fn$;
COMMENT ON FUNCTION dmarc.reclassify(text) IS 'Gives stored mail its names and classes by the catalogue as it is now; how many changed. To be called after one''s own changes of sender and sender_rule';
