-- How the tables behind the views are kept: the months' partitions, what evidence means, and the sums. The writer calls these
-- functions in the transaction that stores a batch; whatever changes what is stored calls them, too.
--
-- What several writers change is locked last and in ascending order of its keys by all of them: domain_day; summed is only
-- added to. Who changes what stored evidence means (a catalogue, reading mail again) does so alone, see dmarc_store.alone().
--
-- Stored rows are found by inner joins with a list of keys in a CTE of its own, everything else (lists, outer joins, counting) is
-- done with what came of that: so the statements run on many nodes, too, see sql/nodes.sql. For the same reason no row of a table
-- is handed on as a whole.

-- The tables that go by months.
CREATE OR REPLACE FUNCTION dmarc_store.month_tables() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT ARRAY['report', 'observed', 'summed', 'folded', 'domain_day']
$fn$;
COMMENT ON FUNCTION dmarc_store.month_tables() IS 'The tables that have a partition for each month';

-- Whether a month, by its first day, is worth a partition: three years back, one year ahead of now.
CREATE OR REPLACE FUNCTION dmarc_store.month_in_reach(month date) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $fn$
    SELECT month >= (now() - interval '3 years')::date AND month <= (now() + interval '1 year')::date
$fn$;
COMMENT ON FUNCTION dmarc_store.month_in_reach(date) IS 'Whether the month that begins with this day gets a partition of its own';

-- Names of other tables may end in a number, too: what is none of a month is NULL.
CREATE OR REPLACE FUNCTION dmarc_store.month_named(relation text) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN relation ~ '^[a-z_]+_[12][0-9]{3}(0[1-9]|1[0-2])$' THEN to_date(right(relation, 6), 'YYYYMM') END
$fn$;
COMMENT ON FUNCTION dmarc_store.month_named(text) IS 'The first day of the month whose partition has this name';

-- Locks the parents of month tables before a partition of them is made, taken away or exchanged. Readers lock several of them
-- in whatever order their query has, so this never waits long with some of them in hand: it gives all back, and tries again.
DROP FUNCTION IF EXISTS dmarc_store.lock_months(text[]);
CREATE OR REPLACE FUNCTION dmarc_store.lock_months(parents text[], tries int DEFAULT 60) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    tables text := (SELECT string_agg(format('ONLY dmarc_store.%I', p), ', ') FROM unnest(parents) p);
    before text := current_setting('lock_timeout');
    -- The server, which looks for deadlocks when it is time, is not to end anybody.
    little text := ceil(least(400, 500 * extract(epoch FROM current_setting('deadlock_timeout')::interval))) || 'ms';
    many   boolean := dmarc_store.is_distributed(); -- other nodes are not told of lock_timeout
BEGIN
    -- Many nodes: what follows mixes changes of tables with changes of rows.
    PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
    FOR try IN 1..tries LOOP
        BEGIN
            PERFORM set_config('lock_timeout', little, true);
            EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS EXCLUSIVE MODE' || CASE WHEN many THEN ' NOWAIT' ELSE '' END;
            PERFORM set_config('lock_timeout', before, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(CASE WHEN many THEN 0.5 ELSE 0.1 END);
        END;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = 'a query has been reading for long, and a partition waits for it',
        HINT = 'run it again later';
END
$fn$;
COMMENT ON FUNCTION dmarc_store.lock_months(text[], int) IS 'Locks tables that go by months alone, without standing in the way of readers for long; tries twice a second';

-- Makes the month's partition of one of these tables, unless the month is not worth one or rows of it are in the default
-- partition already. Safe to call from many sessions.
-- One table a transaction: the new partition locks its parent, and who held both could be in the way of a query that wants
-- them in the other order. The parent before its partitions, as all do; and where somebody reads for long, nobody is kept waiting: rows go
-- to the default partition then, and "whosends maintain" moves them.
CREATE OR REPLACE FUNCTION dmarc_store.make_month(d date, parent text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    first  date := date_trunc('month', d::timestamp)::date;
    last   date := (first + interval '1 month')::date;
    child  text := parent || '_' || to_char(first, 'YYYYMM');
    filled boolean;
BEGIN
    IF parent <> ALL (dmarc_store.month_tables()) THEN
        RAISE EXCEPTION 'no table of months: %', parent;
    END IF;
    IF NOT dmarc_store.month_in_reach(first) OR to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.ensure_month.' || parent));
    IF to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM dmarc_store.lock_months(ARRAY[parent], 5);
    EXECUTE format('SELECT count(*) > 0 FROM (SELECT 1 FROM dmarc_store.%I o WHERE o.day >= %L AND o.day < %L LIMIT 1) o', parent || '_other', first, last)
        INTO filled;
    IF filled THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.%I FOR VALUES FROM (%L) TO (%L)', child, parent, first, last);
    RETURN true;
EXCEPTION WHEN check_violation OR duplicate_table OR lock_not_available THEN
    -- Filled or made since we looked, or in use: a name that was looked up is remembered as missing until a lock on a table brings the news.
    RETURN false;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.make_month(date, text) IS 'Makes the partition of the month of a day in one of the tables that go by months, unless that lies far off; whether it did';

-- For whoever writes reports, and may not make tables. On many nodes only "whosends maintain" makes partitions.
CREATE OR REPLACE FUNCTION dmarc_store.ensure_month(d date, parent text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    RETURN NOT dmarc_store.is_distributed() AND dmarc_store.make_month(d, parent);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.ensure_month(date, text) IS 'The same as its owner, where partitions need not be made on another node; whether it did';

-- One look instead of one for each table; the tables are then made one by one. Who adds reports writes no folded addresses.
CREATE OR REPLACE FUNCTION dmarc_store.missing_months(days date[]) RETURNS TABLE (month date, parent text) LANGUAGE sql STABLE AS $fn$
    SELECT m.month, t.parent
    FROM (SELECT DISTINCT date_trunc('month', d::timestamp)::date AS month FROM unnest(days) d) m
    CROSS JOIN unnest(dmarc_store.month_tables()) WITH ORDINALITY AS t (parent, n)
    WHERE NOT dmarc_store.is_distributed() AND dmarc_store.month_in_reach(m.month) AND t.parent <> 'folded'
      AND to_regclass(format('dmarc_store.%I', t.parent || '_' || to_char(m.month, 'YYYYMM'))) IS NULL
    ORDER BY m.month, t.n
$fn$;
COMMENT ON FUNCTION dmarc_store.missing_months(date[]) IS 'The months of these days, and the tables, for which ensure_month() has something to do before reports of these days come';

-- ---- what evidence means ----

-- A text so that no two lists of texts give the same.
CREATE OR REPLACE FUNCTION dmarc_store.framed(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT coalesce(octet_length(value) || ':' || value, '-') || ';'
$fn$;
COMMENT ON FUNCTION dmarc_store.framed(text) IS 'A text with its length in front; NULL has a form of its own';

-- The part of a piece of evidence that class and name depend on: what passed, each once and in a fixed order. A selector says
-- something only in a signature of the domain itself; that of a stranger is left out, since some of them change it daily. Of what
-- failed only this counts, where nothing aligns: whether a signature of the domain itself was there.
-- The writer makes the same profile, with the same hash, for what comes in (db/profile.c): this is for what was stored before,
-- and for who checks.
CREATE OR REPLACE FUNCTION dmarc_store.profiles_of(evidence dmarc_store.evidence[]) RETURNS SETOF dmarc_store.profile
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '16MB' IMMUTABLE PARALLEL SAFE AS $fn$
BEGIN
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT e.*, row_number() OVER () AS n FROM unnest(evidence) e
    ), dkim AS (
        SELECT d.n, array_agg(d.name ORDER BY d.name, d.selector) AS names,
               CASE WHEN count(d.selector) > 0 THEN array_agg(d.selector ORDER BY d.name, d.selector) END AS selectors,
               count(*) || '[' || string_agg(dmarc_store.framed(d.name) || dmarc_store.framed(d.selector), '' ORDER BY d.name, d.selector) AS said
        FROM (SELECT DISTINCT s.n, u.name COLLATE "C" AS name,
                     CASE WHEN dmarc_store.is_ours(u.name, s.header_from, s.domain, s.dkim_aligned_domain) THEN u.selector COLLATE "C" END AS selector
              FROM seen s CROSS JOIN LATERAL unnest(s.dkim_domains, s.dkim_selectors, s.dkim_results) u (name, selector, result)
              WHERE u.result = 'pass' AND dmarc.is_name(u.name)) d
        GROUP BY d.n
    ), spf AS (
        SELECT f.n, array_agg(f.name ORDER BY f.name, f.scope) AS names,
               CASE WHEN count(f.scope) > 0 THEN array_agg(f.scope ORDER BY f.name, f.scope) END AS scopes,
               count(*) || '[' || string_agg(dmarc_store.framed(f.name) || dmarc_store.framed(f.scope), '' ORDER BY f.name, f.scope) AS said
        FROM (SELECT DISTINCT s.n, u.name COLLATE "C" AS name, u.scope COLLATE "C" AS scope
              FROM seen s CROSS JOIN LATERAL unnest(s.spf_domains, s.spf_scopes, s.spf_results) u (name, scope, result)
              WHERE u.result = 'pass' AND dmarc.is_name(u.name)) f
        GROUP BY f.n
    ), signed AS (
        SELECT DISTINCT s.n
        FROM seen s CROSS JOIN LATERAL unnest(s.dkim_domains) u (name)
        WHERE NOT s.dkim_aligned AND NOT s.spf_aligned AND dmarc.is_name(u.name)
          AND dmarc_store.is_ours(u.name, s.header_from, s.domain, s.dkim_aligned_domain)
    ), reasons AS (
        SELECT r.n, array_agg(r.type ORDER BY r.type) AS types,
               count(*) || '[' || string_agg(dmarc_store.framed(r.type), '' ORDER BY r.type) AS said
        FROM (SELECT DISTINCT s.n, u.type COLLATE "C" AS type FROM seen s CROSS JOIN LATERAL unnest(s.reason_types) u (type)
              WHERE u.type IS NOT NULL) r
        GROUP BY r.n
    )
    SELECT s.domain, encode(substring(sha256(convert_to(dmarc_store.framed(s.header_from) || s.dkim_aligned::int || s.spf_aligned::int
               || (g.n IS NOT NULL)::int || dmarc_store.framed(s.dkim_aligned_domain) || dmarc_store.framed(s.dkim_aligned_selector)
               || dmarc_store.framed(s.spf_aligned_domain) || coalesce(d.said, '0[') || coalesce(f.said, '0[') || coalesce(r.said, '0['),
               'UTF8')) FOR 16), 'hex')::uuid,
           s.header_from, s.dkim_aligned, s.spf_aligned, s.dkim_aligned_domain, s.dkim_aligned_selector, s.spf_aligned_domain,
           d.names::text[], d.selectors::text[], f.names::text[], f.scopes::text[], r.types::text[],
           NULL::text, NULL::text, NULL::text, NULL::text, NULL::boolean, NULL::text, NULL::text, NULL::text, NULL::text, g.n IS NOT NULL
    FROM seen s
    LEFT JOIN signed g ON g.n = s.n
    LEFT JOIN dkim d ON d.n = s.n
    LEFT JOIN spf f ON f.n = s.n
    LEFT JOIN reasons r ON r.n = s.n
    ORDER BY s.n;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.profiles_of(dmarc_store.evidence[]) IS 'The profiles of pieces of evidence in their order, without class and name: what authenticated, and the hash over it';

CREATE OR REPLACE FUNCTION dmarc_store.profile_of(e dmarc_store.evidence) RETURNS dmarc_store.profile
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT p FROM dmarc_store.profiles_of(ARRAY[e]) p
$fn$;
COMMENT ON FUNCTION dmarc_store.profile_of(dmarc_store.evidence) IS 'The profile of one piece of evidence';

-- Stores the profiles that are not there yet, with class and name.
CREATE OR REPLACE FUNCTION dmarc_store.take_profiles(profiles dmarc_store.profile[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
DECLARE
    domains text[];
    hashes  uuid[];
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT p.domain, p.hash FROM unnest(profiles) p
    ), known AS MATERIALIZED (
        SELECT k.domain, k.hash FROM asked a JOIN dmarc_store.profile k ON k.domain = a.domain AND k.hash = a.hash
    )
    SELECT array_agg(k.domain), array_agg(k.hash) INTO domains, hashes FROM known k;
    SELECT array_agg(a.whole) INTO profiles
    FROM (SELECT DISTINCT ON (p.domain, p.hash) p AS whole, p.domain, p.hash FROM unnest(profiles) p) a
    WHERE NOT EXISTS (SELECT FROM unnest(domains, hashes) k (domain, hash) WHERE k.domain = a.domain AND k.hash = a.hash);
    IF profiles IS NOT NULL THEN
        INSERT INTO dmarc_store.profile SELECT j.* FROM dmarc_store.judge(profiles) j ORDER BY j.domain, j.hash ON CONFLICT DO NOTHING;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_profiles(dmarc_store.profile[]) IS 'Stores profiles that are not there yet, with class and name';

-- The profiles of staged evidence. As take_profiles(), which would look once more for what is there.
CREATE OR REPLACE FUNCTION dmarc_store.take_staged_profiles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1 SET jit = off AS $fn$
DECLARE
    profiles dmarc_store.profile[];
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT e.domain, e.profile FROM pg_temp.stage_evidence e
    ), known AS MATERIALIZED (
        SELECT k.domain, k.hash FROM asked a JOIN dmarc_store.profile k ON k.domain = a.domain AND k.hash = a.profile
    ), fresh AS MATERIALIZED (
        SELECT a.domain, a.profile FROM asked a WHERE NOT EXISTS (SELECT FROM known k WHERE k.domain = a.domain AND k.hash = a.profile)
    )
    SELECT array_agg(ROW(s.domain, s.profile, s.header_from, s.dkim_aligned, s.spf_aligned, s.dkim_aligned_domain,
        s.dkim_aligned_selector, s.spf_aligned_domain, s.passed_dkim, s.passed_selectors, s.passed_spf, s.passed_scopes, s.reasons,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.own_signed)::dmarc_store.profile)
    INTO profiles
    FROM (SELECT DISTINCT ON (e.domain, e.profile) e.*
          FROM pg_temp.stage_evidence e JOIN fresh f ON f.domain = e.domain AND f.profile = e.profile) s;
    IF profiles IS NOT NULL THEN
        INSERT INTO dmarc_store.profile SELECT j.* FROM dmarc_store.judge(profiles) j ORDER BY j.domain, j.hash ON CONFLICT DO NOTHING;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_staged_profiles() IS 'Stores the profiles of pg_temp.stage_evidence that are not there yet, with class and name';

-- ---- the sums ----

-- Rows of `summed` as few as can be, of such as may be longer than those that are stored: the sums of one profile and day added up,
-- without what comes to nothing, in the order of profiles and 32 in a row.
CREATE OR REPLACE FUNCTION dmarc_store.pack(sums dmarc_store.summed[]) RETURNS dmarc_store.summed[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
-- Sorted once, for both groupings.
SET enable_hashagg = off SET jit = off SET work_mem = '32MB' AS $fn$
BEGIN
    RETURN (
        SELECT array_agg(ROW(c.day, c.doubtful, c.domain, c.profiles[c.first:c.first + 31], c.records[c.first:c.first + 31], c.messages[c.first:c.first + 31],
                             CASE WHEN 0 <> ANY (c.quarantined[c.first:c.first + 31]) THEN c.quarantined[c.first:c.first + 31] END,
                             CASE WHEN 0 <> ANY (c.rejected[c.first:c.first + 31]) THEN c.rejected[c.first:c.first + 31] END)::dmarc_store.summed)
        FROM (SELECT g.*, generate_series(1, cardinality(g.profiles), 32) AS first
              FROM (SELECT a.day, a.doubtful, a.domain, array_agg(a.profile) AS profiles, array_agg(a.records) AS records,
                           array_agg(a.messages) AS messages, array_agg(a.quarantined) AS quarantined, array_agg(a.rejected) AS rejected
                    FROM (SELECT e.domain, e.day, e.doubtful, e.profile, sum(e.records)::int AS records, sum(e.messages) AS messages,
                                 coalesce(sum(e.quarantined), 0) AS quarantined, coalesce(sum(e.rejected), 0) AS rejected
                          FROM (SELECT s.domain, s.day, s.doubtful, unnest(s.profiles) AS profile, unnest(s.records) AS records,
                                       unnest(s.messages) AS messages, unnest(s.quarantined) AS quarantined, unnest(s.rejected) AS rejected
                                FROM unnest(sums) s) e
                          GROUP BY e.domain, e.day, e.doubtful, e.profile
                          HAVING sum(e.records) <> 0 OR sum(e.messages) <> 0
                          ORDER BY e.domain, e.day, e.doubtful, e.profile) a
                    GROUP BY a.domain, a.day, a.doubtful) g) c);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.pack(dmarc_store.summed[]) IS 'As few rows of dmarc_store.summed as say the same: each profile of a day once, 32 in a row';

-- What the records of these reports come to, as rows of `summed`; with sign -1 to be taken out of it.
CREATE OR REPLACE FUNCTION dmarc_store.sums_of(domains text[], days date[], ids bigint[], doubts boolean[], sign int)
RETURNS dmarc_store.summed[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_sort = off
SET enable_incremental_sort = off SET enable_material = off SET enable_hashjoin = off SET jit = off SET work_mem = '32MB' AS $fn$
DECLARE
    first date := (SELECT min(d) FROM unnest(days) d);
    last  date := (SELECT max(d) FROM unnest(days) d);
    sums  dmarc_store.summed[];
BEGIN
    -- Whatever the planner makes of it, the evidence is looked up by both of its keys, and those come from one relation.
    WITH asked AS MATERIALIZED (
        SELECT u.domain, u.day, u.id, u.doubtful FROM unnest(domains, days, ids, doubts) u (domain, day, id, doubtful)
    ), grouped AS MATERIALIZED (
        SELECT o.domain, o.day, u.doubtful, o.evidence, count(*) AS records, sum(o.message_count) AS messages
        FROM asked u
        JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.id
        WHERE o.day BETWEEN first AND last
        GROUP BY o.domain, o.day, u.doubtful, o.evidence
    ), meant AS MATERIALIZED (
        SELECT g.day, g.doubtful, e.domain, array_agg(e.profile) AS profiles, array_agg((sign * g.records)::int) AS records,
               array_agg(sign * g.messages) AS messages,
               array_agg(CASE WHEN e.disposition = 'quarantine' THEN sign * g.messages ELSE 0 END) AS quarantined,
               array_agg(CASE WHEN e.disposition = 'reject' THEN sign * g.messages ELSE 0 END) AS rejected
        FROM grouped g
        JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
        GROUP BY e.domain, g.day, g.doubtful
    )
    SELECT array_agg(ROW(m.day, m.doubtful, m.domain, m.profiles, m.records, m.messages, m.quarantined, m.rejected)::dmarc_store.summed)
    INTO sums
    FROM meant m;
    RETURN dmarc_store.pack(sums);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sums_of(text[], date[], bigint[], boolean[], int) IS 'What the records of reports come to, times sign, as rows of dmarc_store.summed';

-- Makes as few rows as can be of those that the days of one month have for a policy domain. Rows that are added meanwhile stay as
-- they are. How many rows went.
CREATE OR REPLACE FUNCTION dmarc_store.compact_days(of_domain text, first date, last date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
DECLARE
    sums   dmarc_store.summed[];
    before bigint;
BEGIN
    PERFORM dmarc_store.share();
    WITH gone AS (
        DELETE FROM dmarc_store.summed t WHERE t.domain = of_domain AND t.day >= first AND t.day < last
        RETURNING t.day, t.doubtful, t.domain, t.profiles, t.records, t.messages, t.quarantined, t.rejected
    )
    SELECT array_agg(ROW(g.day, g.doubtful, g.domain, g.profiles, g.records, g.messages, g.quarantined, g.rejected)::dmarc_store.summed), count(*)
    INTO sums, before FROM gone g;
    sums := dmarc_store.pack(sums);
    INSERT INTO dmarc_store.summed (day, doubtful, domain, profiles, records, messages, quarantined, rejected)
    SELECT s.day, s.doubtful, s.domain, s.profiles, s.records, s.messages, s.quarantined, s.rejected
    FROM unnest(sums) s;
    RETURN before - coalesce(cardinality(sums), 0);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.compact_days(text, date, date) IS 'Makes as few rows of daily sums as can be of some days of a policy domain, up to the one before the last; how many rows went';

CREATE OR REPLACE FUNCTION dmarc_store.compact(of_domain text, of_month date) RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT dmarc_store.compact_days(of_domain, of_month, (of_month + interval '1 month')::date)
$fn$;
COMMENT ON FUNCTION dmarc_store.compact(text, date) IS 'Makes as few rows of daily sums as can be, in one month of a policy domain; how many rows went';

-- Adds reports with these sums, packed, and so many records to summed and domain_day (sign 1), or takes them out (-1). The reports
-- count, too.
CREATE OR REPLACE FUNCTION dmarc_store.add_sums(domains text[], days date[], ids bigint[], counts bigint[], doubts boolean[],
                                                sums dmarc_store.summed[], sign int)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1 SET jit = off
-- Profiles are looked up by key: read as a whole they cost more with each that is stored.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_material = off AS $fn$
BEGIN
    INSERT INTO dmarc_store.summed (day, doubtful, domain, profiles, records, messages, quarantined, rejected)
    SELECT s.day, s.doubtful, s.domain, s.profiles, s.records, s.messages, s.quarantined, s.rejected
    FROM unnest(sums) s;

    IF sign > 0 THEN
        INSERT INTO dmarc_store.unfolded (domain, day, report, records, doubtful)
        SELECT u.domain, u.day, u.id, u.records, u.doubtful FROM unnest(domains, days, ids, counts, doubts) u (domain, day, id, records, doubtful);
    END IF;

    INSERT INTO dmarc_store.domain_day AS t (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured,
                                             forwarded, unknown, dkim_aligned, spf_aligned, quarantined, rejected)
    WITH asked AS MATERIALIZED (
        SELECT s.domain, s.day, s.doubtful, unnest(s.profiles) AS profile, unnest(s.records) AS records, unnest(s.messages) AS messages,
               unnest(s.quarantined) AS quarantined, unnest(s.rejected) AS rejected
        FROM unnest(sums) s
    ), classed AS MATERIALIZED (
        SELECT s.domain, s.day, s.doubtful, s.records, s.messages, p.class, p.dkim_aligned, p.spf_aligned, s.quarantined, s.rejected
        FROM asked s JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
    )
    SELECT x.domain, x.day, x.doubtful, sum(x.reports)::bigint, sum(x.records)::bigint, sum(x.messages),
           coalesce(sum(x.messages) FILTER (WHERE x.dkim_aligned OR x.spf_aligned), 0),
           coalesce(sum(x.messages) FILTER (WHERE x.class = 'authorised'), 0),
           coalesce(sum(x.messages) FILTER (WHERE x.class = 'misconfigured'), 0),
           coalesce(sum(x.messages) FILTER (WHERE x.class = 'forwarded'), 0),
           coalesce(sum(x.messages) FILTER (WHERE x.class = 'unknown'), 0),
           coalesce(sum(x.messages) FILTER (WHERE x.dkim_aligned), 0), coalesce(sum(x.messages) FILTER (WHERE x.spf_aligned), 0),
           coalesce(sum(x.quarantined), 0), coalesce(sum(x.rejected), 0)
    FROM (
        -- A report without records is one, too.
        SELECT u.domain COLLATE "C" AS domain, u.day, u.doubtful, sign AS reports, 0 AS records, 0 AS messages, NULL AS class,
               false AS dkim_aligned, false AS spf_aligned, 0 AS quarantined, 0 AS rejected
        FROM unnest(domains, days, doubts) u (domain, day, doubtful)
        UNION ALL
        SELECT c.domain, c.day, c.doubtful, 0, c.records, c.messages, c.class, c.dkim_aligned, c.spf_aligned, c.quarantined, c.rejected
        FROM classed c
    ) x
    GROUP BY x.domain, x.day, x.doubtful
    ORDER BY x.domain, x.day, x.doubtful
    ON CONFLICT (domain, day, doubtful) DO UPDATE
    SET reports = t.reports + excluded.reports, records = t.records + excluded.records, messages = t.messages + excluded.messages,
        passed = t.passed + excluded.passed, authorised = t.authorised + excluded.authorised,
        misconfigured = t.misconfigured + excluded.misconfigured, forwarded = t.forwarded + excluded.forwarded,
        unknown = t.unknown + excluded.unknown, dkim_aligned = t.dkim_aligned + excluded.dkim_aligned,
        spf_aligned = t.spf_aligned + excluded.spf_aligned, quarantined = t.quarantined + excluded.quarantined,
        rejected = t.rejected + excluded.rejected;

    IF sign < 0 THEN
        -- Sums that come to nothing would be found as days of mail.
        PERFORM dmarc_store.compact_days(u.domain, u.day, u.day + 1)
        FROM (SELECT DISTINCT d.domain, d.day FROM unnest(domains, days) d (domain, day) ORDER BY d.domain, d.day) u;
        WITH asked AS MATERIALIZED (
            SELECT DISTINCT u.domain, u.day, u.doubtful FROM unnest(domains, days, doubts) u (domain, day, doubtful)
        )
        DELETE FROM dmarc_store.domain_day t USING asked u
        WHERE t.domain = u.domain AND t.day = u.day AND t.doubtful = u.doubtful AND t.reports = 0 AND t.records = 0;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.add_sums(text[], date[], bigint[], bigint[], boolean[], dmarc_store.summed[], int) IS 'Adds reports, how many records each has, and their sums to the daily sums (sign 1), or takes them out (-1)';

-- For records that are stored already. In the other direction, while they are still there.
CREATE OR REPLACE FUNCTION dmarc_store.count_reports(domains text[], days date[], ids bigint[], counts bigint[], doubts boolean[], sign int)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT dmarc_store.add_sums(domains, days, ids, counts, doubts, dmarc_store.sums_of(domains, days, ids, doubts, sign), sign)
    WHERE cardinality(ids) > 0
$fn$;
COMMENT ON FUNCTION dmarc_store.count_reports(text[], date[], bigint[], bigint[], boolean[], int) IS 'Adds reports, and how many records each has, to the sums (sign 1), or takes them out (-1) while their records are still there';

-- The staged reports that turned out to be new, and the sums that the writer made of these, and only these, while it read them. Stored
-- rows are not asked.
CREATE OR REPLACE FUNCTION dmarc_store.count_staged(ids bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET jit = off SET work_mem = '32MB' AS $fn$
DECLARE
    domains text[];
    days    date[];
    counts  bigint[];
    doubts  boolean[];
    sums    dmarc_store.summed[];
    long    boolean;
BEGIN
    SELECT array_agg(s.domain), array_agg(s.day), array_agg(s.id), array_agg(s.record_count), array_agg(s.trusted IS FALSE OR s.foreign_domain)
    INTO domains, days, ids, counts, doubts
    FROM pg_temp.stage_report s WHERE s.id = ANY (ids);
    SELECT array_agg(ROW(x.day, x.doubtful, x.domain, x.profiles, x.records, x.messages, CASE WHEN 0 <> ANY (x.quarantined) THEN x.quarantined END,
                         CASE WHEN 0 <> ANY (x.rejected) THEN x.rejected END)::dmarc_store.summed), max(cardinality(x.profiles)) > 32
    INTO sums, long
    FROM (SELECT r.day, r.trusted IS FALSE OR r.foreign_domain AS doubtful, r.domain, array_agg(s.profile) AS profiles,
                 array_agg(s.records) AS records, array_agg(s.messages::numeric) AS messages,
                 array_agg(s.quarantined::numeric) AS quarantined, array_agg(s.rejected::numeric) AS rejected
          FROM pg_temp.stage_sum s JOIN pg_temp.stage_report r ON r.id = s.report
          GROUP BY r.domain, r.day, r.trusted IS FALSE OR r.foreign_domain) x;
    -- The rest stay as they came: seldom two reports of one day come together.
    IF long THEN
        sums := ARRAY(SELECT s FROM unnest(sums) s WHERE cardinality(s.profiles) <= 32)
                || dmarc_store.pack(ARRAY(SELECT s FROM unnest(sums) s WHERE cardinality(s.profiles) > 32));
    END IF;
    PERFORM dmarc_store.add_sums(domains, days, ids, counts, doubts, sums, 1);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.count_staged(bigint[]) IS 'Adds these reports of pg_temp.stage_report, which were stored, to the sums, by pg_temp.stage_sum';


-- Where that is worth it: a fifth at least would go, of the rows or of the sums in them. Only where a day has several rows, these are
-- looked into.
CREATE OR REPLACE FUNCTION dmarc_store.compactable() RETURNS TABLE (domain text, month date, rows bigint, more bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' AS $fn$
    WITH days AS MATERIALIZED (
        SELECT s.domain, s.day, s.doubtful, count(*) AS rows, sum(cardinality(s.profiles)) AS sums
        FROM dmarc_store.summed s
        GROUP BY s.domain, s.day, s.doubtful
    ), several AS MATERIALIZED (
        SELECT d.domain, d.day, d.doubtful FROM days d WHERE d.rows > 1
    ), sums AS MATERIALIZED (
        SELECT s.domain, s.day, s.doubtful, unnest(s.profiles) AS profile
        FROM several v JOIN dmarc_store.summed s ON s.domain = v.domain AND s.day = v.day AND s.doubtful = v.doubtful
    ), needed AS (
        SELECT n.domain, n.day, n.doubtful, count(DISTINCT n.profile) AS sums FROM sums n GROUP BY n.domain, n.day, n.doubtful
    )
    SELECT k.domain, date_trunc('month', k.day::timestamp)::date, sum(k.rows)::bigint, sum(k.rows - (k.needed + 31) / 32)::bigint
    FROM (SELECT d.domain, d.day, d.rows, d.sums, coalesce(n.sums, d.sums) AS needed
          FROM days d LEFT JOIN needed n ON n.domain = d.domain AND n.day = d.day AND n.doubtful = d.doubtful) k
    GROUP BY k.domain, date_trunc('month', k.day::timestamp)::date
    HAVING sum(k.rows) >= 1.25 * sum((k.needed + 31) / 32) OR sum(k.sums) >= 1.25 * sum(k.needed)
$fn$;
COMMENT ON FUNCTION dmarc_store.compactable() IS 'Policy domains and months with more rows of daily sums, or more sums in them, than there need be: how many rows, and how many too many';

-- Takes a report and its records out of the sums, and the records away; or, when it turned out to be trusted, moves it from what
-- --trusted leaves out to the rest. The report itself is there, with the trust that it has now.
CREATE OR REPLACE FUNCTION dmarc_store.uncount_report(of_domain text, of_day date, of_report bigint, gone boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    counted   bigint;
    doubt     boolean;
BEGIN
    SELECT r.record_count, CASE WHEN gone THEN r.trusted IS FALSE OR r.foreign_domain ELSE true END INTO counted, doubt
    FROM dmarc_store.report r
    WHERE r.domain = of_domain AND r.day = of_day AND r.id = of_report;
    PERFORM dmarc_store.count_reports(ARRAY[of_domain], ARRAY[of_day], ARRAY[of_report], NULL, ARRAY[doubt], -1);
    IF NOT EXISTS (SELECT FROM dmarc_store.unfolded u WHERE u.domain = of_domain AND u.day = of_day AND u.report = of_report) THEN
        PERFORM dmarc_store.unfold(of_domain, of_day);
    END IF;
    DELETE FROM dmarc_store.unfolded u WHERE u.domain = of_domain AND u.day = of_day AND u.report = of_report;
    IF gone THEN
        DELETE FROM dmarc_store.observed o WHERE o.domain = of_domain AND o.day = of_day AND o.report = of_report;
    ELSE
        PERFORM dmarc_store.count_reports(ARRAY[of_domain], ARRAY[of_day], ARRAY[of_report], ARRAY[counted], ARRAY[false], 1);
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.uncount_report(text, date, bigint, boolean) IS 'Takes the records of a report away and out of the sums (gone), or counts it among those that nobody doubts any more';

-- Makes the sums of whole months anew, from the records. NULL stands for all. Only for who holds the lock alone.
CREATE OR REPLACE FUNCTION dmarc_store.rebuild(of_domain text, since date, until date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $fn$
DECLARE
    first date := date_trunc('month', since::timestamp)::date;
    last  date := (date_trunc('month', until::timestamp) + interval '1 month')::date;
    portion pg_catalog.record;
BEGIN
    DELETE FROM dmarc_store.summed t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.folded t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.domain_day t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.unfolded t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    -- In portions, so that memory is bounded.
    FOR portion IN
        SELECT array_agg(r.domain) AS domains, array_agg(r.day) AS days, array_agg(r.id) AS ids, array_agg(r.record_count) AS counts,
               array_agg(r.trusted IS FALSE OR r.foreign_domain) AS doubts
        FROM (SELECT n.domain, n.day, n.id, n.record_count, n.trusted, n.foreign_domain,
                     sum(n.record_count) OVER (ORDER BY n.day, n.domain, n.id) AS reached
              FROM dmarc_store.report n
              WHERE n.domain = coalesce(of_domain, n.domain) AND n.day >= coalesce(first, '-infinity') AND n.day < coalesce(last, 'infinity')
                AND NOT n.replaced) r
        GROUP BY date_trunc('month', r.day::timestamp), (r.reached / 200000)::bigint
    LOOP
        PERFORM dmarc_store.count_reports(portion.domains, portion.days, portion.ids, portion.counts, portion.doubts, 1);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.rebuild(text, date, date) IS 'Makes the sums of a policy domain (NULL: of all) anew from its records, for the months from one day to another (NULL: all)';

-- Staged evidence that is understood in another way than when it was stored gets its new profile, and the months that it was seen
-- in their sums anew. Only for who holds the lock alone.
CREATE OR REPLACE FUNCTION dmarc_store.change_profiles() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    domains text[];
    hashes  uuid[];
    one     pg_catalog.record;
BEGIN
    WITH stored AS MATERIALIZED (
        SELECT DISTINCT e.domain, e.hash, s.profile
        FROM pg_temp.stage_evidence s JOIN dmarc_store.evidence e ON e.domain = s.domain AND e.hash = s.hash
        WHERE s.profile <> e.profile
    ), done AS (
        UPDATE dmarc_store.evidence e SET profile = s.profile
        FROM stored s WHERE e.domain = s.domain AND e.hash = s.hash
        RETURNING e.domain, e.hash
    )
    SELECT array_agg(d.domain), array_agg(d.hash) INTO domains, hashes FROM done d;
    FOR one IN
        SELECT o.domain, min(o.day) AS since, max(o.day) AS until
        FROM dmarc_store.observed o
        WHERE o.domain = ANY (domains) AND o.evidence && hashes
        GROUP BY o.domain
    LOOP
        PERFORM dmarc_store.rebuild(one.domain, one.since, one.until);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.change_profiles() IS 'Evidence of pg_temp.stage_evidence whose meaning has changed gets its new profile, and what was summed up by it is made anew';
