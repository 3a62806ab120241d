-- The addresses behind the sums: how they are put together, and how reports ask for them. See sums.sql for the rules of locking.

-- Where addresses wait to be folded and that is worth it now. Folding writes what a policy domain has in a month anew: as long as
-- the month goes on, it waits until a quarter of that has come.
CREATE OR REPLACE FUNCTION dmarc_store.foldable(whatever boolean) RETURNS TABLE (domain text, month date, reports bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    going_on date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
BEGIN
    RETURN QUERY
    WITH waiting AS MATERIALIZED (
        SELECT w.domain, w.month, count(*) AS reports, sum(w.records) AS records
        FROM (SELECT u.domain, date_trunc('month', u.day::timestamp)::date AS month, u.records FROM dmarc_store.unfolded u) w
        GROUP BY w.domain, w.month
    ), there AS MATERIALIZED (
        SELECT f.domain, f.day, sum(cardinality(f.source_ips)) AS addresses
        FROM dmarc_store.folded f WHERE f.day >= going_on
        GROUP BY f.domain, f.day
    )
    SELECT w.domain, w.month, w.reports
    FROM waiting w LEFT JOIN there t ON t.domain = w.domain AND t.day = w.month
    WHERE whatever OR w.month < going_on OR 4 * w.records >= coalesce(t.addresses, 0);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.foldable(boolean) IS 'Policy domains and months with reports whose addresses are to be folded now, or which wait at all (whatever), and how many these are';

-- Addresses as rows of dmarc_store.folded, those of one profile next to each other.
CREATE OR REPLACE FUNCTION dmarc_store.packed_sources(month date, domains text[], doubts boolean[], profiles uuid[], source_ips inet[], days int[])
RETURNS SETOF dmarc_store.folded LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT $1, p.doubtful, p.domain, array_agg(DISTINCT p.profile ORDER BY p.profile),
           array_agg(p.profile_at::smallint ORDER BY p.profile, p.source_ip), array_agg(p.source_ip ORDER BY p.profile, p.source_ip),
           array_agg(p.days ORDER BY p.profile, p.source_ip)
    FROM (SELECT n.*, dense_rank() OVER (PARTITION BY n.domain, n.doubtful, n.pack ORDER BY n.profile) AS profile_at
          FROM (SELECT u.domain, u.doubtful, u.profile, u.source_ip, u.days,
                       (row_number() OVER (PARTITION BY u.domain, u.doubtful ORDER BY u.profile, u.source_ip) - 1) / 48 AS pack
                FROM unnest($2, $3, $4, $5, $6) u (domain, doubtful, profile, source_ip, days)) n) p
    GROUP BY p.domain, p.doubtful, p.pack
$fn$;
COMMENT ON FUNCTION dmarc_store.packed_sources(date, text[], boolean[], uuid[], inet[], int[]) IS 'Addresses of one month, each once for a policy domain and profile, as rows of dmarc_store.folded';

-- Folds the addresses of reports that wait for it and are worth it (or, whatever, of all that wait), of one month and of about so many
-- records at most. How many reports; 0 when none is left. Nobody adds or takes away reports meanwhile.
CREATE OR REPLACE FUNCTION dmarc_store.fold(most bigint DEFAULT 100000, whatever boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_sort = off
SET enable_incremental_sort = off SET enable_material = off SET jit = off SET work_mem = '64MB' AS $fn$
DECLARE
    first    date;
    last     date;
    chosen   text[];
    domains  text[];
    taken    date[];
    reports  bigint[];
    doubts   boolean[];
    kept_domains text[];
    kept_doubts boolean[];
    kept_profiles uuid[];
    kept_ips inet[];
    kept_days int[];
BEGIN
    PERFORM dmarc_store.alone();
    SELECT f.month, array_agg(f.domain) INTO first, chosen
    FROM dmarc_store.foldable(whatever) f GROUP BY f.month ORDER BY f.month LIMIT 1;
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    last := (first + interval '1 month')::date - 1;
    WITH waiting AS MATERIALIZED (
        SELECT u.domain, u.day, u.report, u.records FROM dmarc_store.unfolded u WHERE u.day BETWEEN first AND last AND u.domain = ANY (chosen)
    ), picked AS MATERIALIZED (
        SELECT p.domain, p.day, p.report
        FROM (SELECT w.*, sum(w.records) OVER (ORDER BY w.domain, w.day, w.report) - w.records AS before FROM waiting w) p
        WHERE p.before < most
    ), gone AS (
        DELETE FROM dmarc_store.unfolded u USING picked p
        WHERE u.domain = p.domain AND u.day = p.day AND u.report = p.report
        RETURNING u.domain, u.day, u.report, u.doubtful
    )
    SELECT array_agg(g.domain), array_agg(g.day), array_agg(g.report), array_agg(g.doubtful)
    INTO domains, taken, reports, doubts FROM gone g;

    -- What is there is put together with what comes.
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT u.domain FROM unnest(domains) u (domain)
    ), gone AS (
        DELETE FROM dmarc_store.folded f USING asked a WHERE f.domain = a.domain AND f.day = first
        RETURNING f.domain, f.doubtful, f.profiles, f.profile_at, f.source_ips, f.days
    )
    SELECT array_agg(g.domain), array_agg(g.doubtful), array_agg(g.profiles[r.profile_at]), array_agg(r.source_ip), array_agg(r.days)
    INTO kept_domains, kept_doubts, kept_profiles, kept_ips, kept_days
    FROM gone g CROSS JOIN LATERAL (SELECT unnest(g.profile_at) AS profile_at, unnest(g.source_ips) AS source_ip, unnest(g.days) AS days) r;

    WITH asked AS MATERIALIZED (
        SELECT u.domain, u.day, u.report, u.doubtful FROM unnest(domains, taken, reports, doubts) u (domain, day, report, doubtful)
    ), grouped AS MATERIALIZED (
        SELECT o.domain, u.doubtful, o.source_ip, o.evidence, bit_or(1 << (extract(day FROM o.day)::int - 1)) AS days
        FROM asked u
        JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.report
        WHERE o.day BETWEEN first AND last AND o.source_ip IS NOT NULL
        GROUP BY o.domain, u.doubtful, o.source_ip, o.evidence
    ), seen AS MATERIALIZED (
        SELECT e.domain, g.source_ip, e.profile, g.doubtful, g.days
        FROM grouped g
        JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
    ), united AS (
        SELECT x.domain, x.doubtful, x.profile, x.source_ip, bit_or(x.days) AS days
        FROM (SELECT s.domain, s.doubtful, s.profile, s.source_ip, s.days FROM seen s
              UNION ALL
              SELECT k.domain, k.doubtful, k.profile, k.source_ip, k.days
              FROM unnest(kept_domains, kept_doubts, kept_profiles, kept_ips, kept_days) k (domain, doubtful, profile, source_ip, days)) x
        GROUP BY x.domain, x.doubtful, x.profile, x.source_ip
    )
    SELECT array_agg(x.domain), array_agg(x.doubtful), array_agg(x.profile), array_agg(x.source_ip), array_agg(x.days)
    INTO kept_domains, kept_doubts, kept_profiles, kept_ips, kept_days
    FROM united x;
    INSERT INTO dmarc_store.folded (day, doubtful, domain, profiles, profile_at, source_ips, days)
    SELECT p.day, p.doubtful, p.domain, p.profiles, p.profile_at, p.source_ips, p.days
    FROM dmarc_store.packed_sources(first, kept_domains, kept_doubts, kept_profiles, kept_ips, kept_days) p;
    RETURN cardinality(taken);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.fold(bigint, boolean) IS 'Puts the addresses of reports that wait for it into dmarc_store.folded: of one month, for about so many records, where that is worth it or whatever waits; how many reports';

-- Addresses of records that are not folded yet.
CREATE OR REPLACE VIEW dmarc_store.fresh_source AS
SELECT o.domain, o.day, o.source_ip, e.profile, u.doubtful, o.row_ips
FROM dmarc_store.unfolded u
JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.report
JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
WHERE o.source_ip IS NOT NULL;
COMMENT ON VIEW dmarc_store.fresh_source IS 'The addresses of records that are not in profile_source yet';
COMMENT ON COLUMN dmarc_store.fresh_source.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.fresh_source.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc_store.fresh_source.source_ip IS 'address that sent the messages';
COMMENT ON COLUMN dmarc_store.fresh_source.profile IS 'hash of dmarc_store.profile, together with domain';
COMMENT ON COLUMN dmarc_store.fresh_source.doubtful IS 'by a report that nobody vouches for';
COMMENT ON COLUMN dmarc_store.fresh_source.row_ips IS 'the addresses of the records that are stored beside it: for conditions that pass most rows by';

-- The addresses of each profile in a period, folded or not, for the reports: side by side in arrays, as they are stored. An address
-- counts if one of its days is wanted: (days & wanted) IS DISTINCT FROM 0. What need not be taken apart is NULL, since that takes most of
-- the time: profile_at where all are of the first profile, days where the whole month is wanted. Evidence and profiles are looked up by
-- key, one by one, and all else is joined by hashing: the planner takes what is left of a period for far less than it is.
CREATE OR REPLACE FUNCTION dmarc_store.sources_of(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (domain text, profiles uuid[], profile_at smallint[], source_ips inet[], days int[], wanted int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp STABLE ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off
SET enable_sort = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    distributed boolean := dmarc_store.is_distributed();
BEGIN
    RETURN QUERY
    SELECT f.domain, f.profiles, CASE WHEN cardinality(f.profiles) > 1 THEN f.profile_at END, f.source_ips,
           CASE WHEN since > f.day OR until < f.day + interval '1 month' THEN f.days END,
           dmarc.days_of(f.day, coalesce(since, '-infinity'), coalesce(until, 'infinity'))
    FROM dmarc_store.folded f
    WHERE (policy_domain IS NULL OR f.domain = lower(policy_domain)) AND (mine IS NULL OR f.domain = ANY (mine))
      AND f.day >= coalesce(date_trunc('month', since::timestamp)::date, '-infinity') AND f.day < coalesce(until, 'infinity')
      AND NOT (only_trusted AND f.doubtful);
    IF distributed THEN
        -- Each node joins what it has.
        RETURN QUERY
        WITH fresh AS MATERIALIZED (
            SELECT f.domain, f.profile, f.source_ip
            FROM dmarc_store.fresh_source f
            WHERE (policy_domain IS NULL OR f.domain = lower(policy_domain)) AND (mine IS NULL OR f.domain = ANY (mine))
              AND f.day >= coalesce(since, '-infinity') AND f.day < coalesce(until, 'infinity') AND NOT (only_trusted AND f.doubtful)
            GROUP BY f.domain, f.profile, f.source_ip
        )
        SELECT f.domain, ARRAY[f.profile], NULL::smallint[], array_agg(f.source_ip), NULL::int[], 1
        FROM fresh f
        GROUP BY f.domain, f.profile;
        RETURN;
    END IF;
    RETURN QUERY
    WITH fresh AS MATERIALIZED (
        SELECT o.domain, o.evidence, o.source_ip
        FROM dmarc_store.observation o
        JOIN dmarc_store.unfolded u ON u.domain = o.domain AND u.day = o.day AND u.report = o.report
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain)) AND (mine IS NULL OR o.domain = ANY (mine))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (policy_domain IS NULL OR u.domain = lower(policy_domain))
          AND u.day >= coalesce(since, '-infinity') AND u.day < coalesce(until, 'infinity')
          AND NOT (only_trusted AND u.doubtful) AND o.source_ip IS NOT NULL
        GROUP BY o.domain, o.evidence, o.source_ip
    ), meant AS MATERIALIZED (
        SELECT d.domain, d.evidence, (SELECT e.profile FROM dmarc_store.evidence e WHERE e.domain = d.domain AND e.hash = d.evidence) AS profile
        FROM (SELECT DISTINCT f.domain, f.evidence FROM fresh f) d
    )
    SELECT f.domain, ARRAY[m.profile], NULL::smallint[], array_agg(f.source_ip), NULL::int[], 1
    FROM fresh f
    JOIN meant m ON m.domain = f.domain AND m.evidence = f.evidence
    GROUP BY f.domain, m.profile;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sources_of(text, text[], date, date, boolean) IS 'Which addresses sent which profile in a period: those with (days & wanted) IS DISTINCT FROM 0; one may come twice';

-- Addresses are told apart by sorting them: those of IPv4 as numbers, which takes two thirds of the time, and all others as they are.
-- How many there are is count(DISTINCT dmarc_store.v4(a)) + count(DISTINCT dmarc_store.v6(a)).
CREATE OR REPLACE FUNCTION dmarc_store.v4(source_ip inet) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN family($1) = 4 THEN $1 - '0.0.0.0'::inet END
$fn$;
COMMENT ON FUNCTION dmarc_store.v4(inet) IS 'An address of IPv4 as a number; NULL for IPv6';

CREATE OR REPLACE FUNCTION dmarc_store.v6(source_ip inet) RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN family($1) = 6 THEN $1 END
$fn$;
COMMENT ON FUNCTION dmarc_store.v6(inet) IS 'An address of IPv6; NULL for IPv4';

-- Of profiles in order, and the lines of a report that they are in.
CREATE OR REPLACE FUNCTION dmarc_store.line_of(profile uuid, profiles uuid[], lines bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN profiles[width_bucket(profile, profiles)] = profile THEN lines[width_bucket(profile, profiles)] END
$fn$;
COMMENT ON FUNCTION dmarc_store.line_of(uuid, uuid[], bigint[]) IS 'The line of a profile, of profiles in ascending order and the line of each; NULL when it is none of them';

-- The addresses of a month of a policy domain wait to be folded again, all of them: what one report had cannot be told from what others
-- had.
CREATE OR REPLACE FUNCTION dmarc_store.unfold(of_domain text, of_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
    month date := date_trunc('month', of_day::timestamp)::date;
    next  date := (month + interval '1 month')::date;
BEGIN
    -- Whoever does the same waits here, and then finds nothing to do.
    DELETE FROM dmarc_store.folded f WHERE f.domain = of_domain AND f.day = month;
    IF FOUND THEN
        INSERT INTO dmarc_store.unfolded (domain, day, report, records, doubtful)
        SELECT r.domain, r.day, r.id, r.record_count, r.trusted IS FALSE OR r.foreign_domain
        FROM dmarc_store.report r
        WHERE r.domain = of_domain AND r.day >= month AND r.day < next AND NOT r.replaced
        ON CONFLICT DO NOTHING;
        -- Of one that was replaced meanwhile, for whose end that waited.
        WITH replaced AS MATERIALIZED (
            SELECT r.domain, r.day, r.id FROM dmarc_store.report r WHERE r.domain = of_domain AND r.day >= month AND r.day < next AND r.replaced
        )
        DELETE FROM dmarc_store.unfolded u USING replaced r WHERE u.domain = r.domain AND u.day = r.day AND u.report = r.id AND u.domain = of_domain;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.unfold(text, date) IS 'Lets the addresses of the month of a day wait to be folded anew, of one policy domain';
