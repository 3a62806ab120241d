-- How the tables behind the views are kept: the months' partitions, what evidence means, and the sums. The writer calls these
-- functions in the transaction that stores a batch; whatever changes what is stored calls them, too.
--
-- Sums are locked last and in ascending order of their keys by all writers: profile_day, unfolded, domain_day. Who
-- changes what stored evidence means (a catalogue, reading mail again) holds advisory lock 7710422 alone, which all
-- who add reports share.

-- The tables that go by months.
CREATE OR REPLACE FUNCTION dmarc_store.month_tables() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT ARRAY['report', 'observation', 'profile_day', 'profile_source', 'domain_day']
$fn$;
COMMENT ON FUNCTION dmarc_store.month_tables() IS 'The tables that have a partition for each month';

-- Makes the month's partition of one of these tables, unless the day lies outside of what is worth a partition (three years
-- back, one year ahead of now) or rows of that month are in the default partition already. Safe to call from many sessions.
-- One table a transaction: the new partition locks its parent, and who held both could be in the way of a query that wants
-- them in the other order.
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
    IF first < (now() - interval '3 years')::date OR first > (now() + interval '1 year')::date
       OR to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.ensure_month.' || parent));
    IF to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM dmarc_store.%I WHERE day >= %L AND day < %L)', parent || '_other', first, last) INTO filled;
    IF filled THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.%I FOR VALUES FROM (%L) TO (%L)', child, parent, first, last);
    RETURN true;
EXCEPTION WHEN check_violation OR duplicate_table THEN
    -- Filled or made since we looked: a name that was looked up is remembered as missing until a lock on a table brings the news.
    RETURN false;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.make_month(date, text) IS 'Makes the partition of the month of a day in one of the tables that go by months, unless that lies far off; whether it did';

-- For whoever writes reports, and may not make tables. On many nodes only "whosends maintain" makes partitions.
CREATE OR REPLACE FUNCTION dmarc_store.ensure_month(d date, parent text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    RETURN to_regclass('pg_catalog.pg_dist_partition') IS NULL AND dmarc_store.make_month(d, parent);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.ensure_month(date, text) IS 'The same as its owner, where partitions need not be made on another node; whether it did';

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
CREATE OR REPLACE FUNCTION dmarc_store.profile_of(e dmarc_store.evidence) RETURNS dmarc_store.profile
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp IMMUTABLE PARALLEL SAFE AS $fn$
DECLARE
    p dmarc_store.profile;
    dkim text;
    spf  text;
    why  text;
BEGIN
    p.domain := e.domain;
    p.header_from := e.header_from;
    p.dkim_aligned := e.dkim_aligned;
    p.spf_aligned := e.spf_aligned;
    p.dkim_aligned_domain := e.dkim_aligned_domain;
    p.dkim_aligned_selector := e.dkim_aligned_selector;
    p.spf_aligned_domain := e.spf_aligned_domain;
    p.own_signed := NOT e.dkim_aligned AND NOT e.spf_aligned
        AND EXISTS (SELECT FROM unnest(e.dkim_domains) u (name)
                    WHERE dmarc.is_name(u.name) AND dmarc.is_own(u.name, e.header_from, e.domain, e.dkim_aligned_domain));
    SELECT array_agg(d.name ORDER BY d.name, d.selector), array_agg(d.selector ORDER BY d.name, d.selector),
           count(*) || '[' || coalesce(string_agg(dmarc_store.framed(d.name) || dmarc_store.framed(d.selector), '' ORDER BY d.name, d.selector), '')
    INTO p.dkim_domains, p.dkim_selectors, dkim
    FROM (SELECT DISTINCT u.name COLLATE "C" AS name,
                 CASE WHEN dmarc.is_own(u.name, e.header_from, e.domain, e.dkim_aligned_domain) THEN u.selector COLLATE "C" END AS selector
          FROM unnest(e.dkim_domains, e.dkim_selectors, e.dkim_results) u (name, selector, result)
          WHERE u.result = 'pass' AND dmarc.is_name(u.name)) d;
    SELECT array_agg(s.name ORDER BY s.name, s.scope), array_agg(s.scope ORDER BY s.name, s.scope),
           count(*) || '[' || coalesce(string_agg(dmarc_store.framed(s.name) || dmarc_store.framed(s.scope), '' ORDER BY s.name, s.scope), '')
    INTO p.spf_domains, p.spf_scopes, spf
    FROM (SELECT DISTINCT u.name COLLATE "C" AS name, u.scope COLLATE "C" AS scope
          FROM unnest(e.spf_domains, e.spf_scopes, e.spf_results) u (name, scope, result)
          WHERE u.result = 'pass' AND dmarc.is_name(u.name)) s;
    SELECT array_agg(r.type ORDER BY r.type), count(*) || '[' || coalesce(string_agg(dmarc_store.framed(r.type), '' ORDER BY r.type), '')
    INTO p.reason_types, why
    FROM (SELECT DISTINCT u.type COLLATE "C" AS type FROM unnest(e.reason_types) u (type) WHERE u.type IS NOT NULL) r;
    -- A list of nothing but NULL is none.
    p.dkim_selectors := CASE WHEN cardinality(array_remove(p.dkim_selectors, NULL)) > 0 THEN p.dkim_selectors END;
    p.spf_scopes := CASE WHEN cardinality(array_remove(p.spf_scopes, NULL)) > 0 THEN p.spf_scopes END;
    p.hash := encode(substring(sha256(convert_to(dmarc_store.framed(p.header_from) || p.dkim_aligned::int || p.spf_aligned::int || p.own_signed::int
        || dmarc_store.framed(p.dkim_aligned_domain) || dmarc_store.framed(p.dkim_aligned_selector) || dmarc_store.framed(p.spf_aligned_domain)
        || dkim || spf || why, 'UTF8')) FOR 16), 'hex')::uuid;
    RETURN p;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.profile_of(dmarc_store.evidence) IS 'The profile of a piece of evidence, without class and name: what authenticated, and the hash over it';

-- Stores the profiles that are not there yet, with class and name.
CREATE OR REPLACE FUNCTION dmarc_store.take_profiles(profiles dmarc_store.profile[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT ON (p.domain, p.hash) p AS whole, p.domain, p.hash FROM unnest(profiles) p
    ), known AS MATERIALIZED (
        SELECT k.domain, k.hash FROM asked a JOIN dmarc_store.profile k ON k.domain = a.domain AND k.hash = a.hash
    )
    SELECT array_agg(a.whole) INTO profiles
    FROM asked a WHERE NOT EXISTS (SELECT FROM known k WHERE k.domain = a.domain AND k.hash = a.hash);
    IF profiles IS NOT NULL THEN
        INSERT INTO dmarc_store.profile SELECT j.* FROM dmarc_store.judge(profiles) j ORDER BY j.domain, j.hash ON CONFLICT DO NOTHING;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_profiles(dmarc_store.profile[]) IS 'Stores profiles that are not there yet, with class and name';

-- The profiles of staged evidence.
CREATE OR REPLACE FUNCTION dmarc_store.take_staged_profiles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM dmarc_store.take_profiles(array_agg(ROW(s.domain, s.profile, s.header_from, s.dkim_aligned, s.spf_aligned, s.dkim_aligned_domain,
        s.dkim_aligned_selector, s.spf_aligned_domain, s.passed_dkim, s.passed_selectors, s.passed_spf, s.passed_scopes, s.reasons,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.own_signed)::dmarc_store.profile))
    FROM (SELECT DISTINCT ON (e.domain, e.profile) e.* FROM pg_temp.stage_evidence e) s;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_staged_profiles() IS 'Stores the profiles of pg_temp.stage_evidence that are not there yet, with class and name';

-- ---- the sums ----

-- Adds the records of these reports to the sums, or with sign -1 takes them out of profile_day and domain_day again, while they
-- are still there. The reports count, too.
CREATE OR REPLACE FUNCTION dmarc_store.count_reports(domains text[], days date[], ids bigint[], doubts boolean[], sign int)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_sort = off
SET enable_incremental_sort = off SET jit = off SET work_mem = '32MB' AS $fn$
DECLARE
    first date := (SELECT min(d) FROM unnest(days) d);
    last  date := (SELECT max(d) FROM unnest(days) d);
    sums  dmarc_store.profile_day[];
BEGIN
    IF first IS NULL THEN
        RETURN;
    END IF;
    -- Whatever the planner makes of it, the evidence is looked up by both of its keys, and those come from one relation.
    WITH grouped AS MATERIALIZED (
        SELECT o.domain, o.day, u.doubtful, o.evidence, count(*) AS records, sum(o.message_count) AS messages
        FROM unnest(domains, days, ids, doubts) u (domain, day, id, doubtful)
        JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.id
        WHERE o.day BETWEEN first AND last
        GROUP BY o.domain, o.day, u.doubtful, o.evidence
    )
    SELECT array_agg(ROW(x.domain, x.day, x.profile, x.doubtful, x.records, x.messages, x.quarantined, x.rejected)::dmarc_store.profile_day
                     ORDER BY x.domain, x.day, x.profile, x.doubtful)
    INTO sums
    FROM (
        SELECT g.domain, g.day, e.profile, g.doubtful, sign * sum(g.records)::bigint AS records, sign * sum(g.messages) AS messages,
               sign * coalesce(sum(g.messages) FILTER (WHERE e.disposition = 'quarantine'), 0) AS quarantined,
               sign * coalesce(sum(g.messages) FILTER (WHERE e.disposition = 'reject'), 0) AS rejected
        FROM grouped g
        JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
        GROUP BY g.domain, g.day, e.profile, g.doubtful
    ) x;

    INSERT INTO dmarc_store.profile_day AS t (domain, day, profile, doubtful, records, messages, quarantined, rejected)
    SELECT s.domain, s.day, s.profile, s.doubtful, s.records, s.messages, s.quarantined, s.rejected
    FROM unnest(sums) s
    ON CONFLICT (domain, day, profile, doubtful) DO UPDATE
    SET records = t.records + excluded.records, messages = t.messages + excluded.messages,
        quarantined = t.quarantined + excluded.quarantined, rejected = t.rejected + excluded.rejected;

    IF sign > 0 THEN
        INSERT INTO dmarc_store.unfolded (domain, day, report, doubtful)
        SELECT u.domain, u.day, u.id, u.doubtful FROM unnest(domains, days, ids, doubts) u (domain, day, id, doubtful);
    END IF;

    INSERT INTO dmarc_store.domain_day AS t (domain, day, doubtful, reports, records, messages, passed, authorised, misconfigured,
                                             forwarded, unknown, dkim_aligned, spf_aligned, quarantined, rejected)
    SELECT r.domain, r.day, r.doubtful, sign * r.reports, coalesce(m.records, 0), coalesce(m.messages, 0), coalesce(m.passed, 0),
           coalesce(m.authorised, 0), coalesce(m.misconfigured, 0), coalesce(m.forwarded, 0), coalesce(m.unknown, 0),
           coalesce(m.dkim_aligned, 0), coalesce(m.spf_aligned, 0), coalesce(m.quarantined, 0), coalesce(m.rejected, 0)
    FROM (SELECT u.domain COLLATE "C" AS domain, u.day, u.doubtful, count(*) AS reports
          FROM unnest(domains, days, doubts) u (domain, day, doubtful) GROUP BY 1, 2, 3) r
    LEFT JOIN (
        SELECT s.domain, s.day, s.doubtful, sum(s.records)::bigint AS records, sum(s.messages) AS messages,
               sum(s.messages) FILTER (WHERE p.dkim_aligned OR p.spf_aligned) AS passed,
               sum(s.messages) FILTER (WHERE p.class = 'authorised') AS authorised,
               sum(s.messages) FILTER (WHERE p.class = 'misconfigured') AS misconfigured,
               sum(s.messages) FILTER (WHERE p.class = 'forwarded') AS forwarded,
               sum(s.messages) FILTER (WHERE p.class = 'unknown') AS unknown,
               sum(s.messages) FILTER (WHERE p.dkim_aligned) AS dkim_aligned,
               sum(s.messages) FILTER (WHERE p.spf_aligned) AS spf_aligned,
               sum(s.quarantined) AS quarantined, sum(s.rejected) AS rejected
        FROM unnest(sums) s JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
        GROUP BY s.domain, s.day, s.doubtful
    ) m ON m.domain = r.domain AND m.day = r.day AND m.doubtful = r.doubtful
    ORDER BY r.domain, r.day, r.doubtful
    ON CONFLICT (domain, day, doubtful) DO UPDATE
    SET reports = t.reports + excluded.reports, records = t.records + excluded.records, messages = t.messages + excluded.messages,
        passed = t.passed + excluded.passed, authorised = t.authorised + excluded.authorised,
        misconfigured = t.misconfigured + excluded.misconfigured, forwarded = t.forwarded + excluded.forwarded,
        unknown = t.unknown + excluded.unknown, dkim_aligned = t.dkim_aligned + excluded.dkim_aligned,
        spf_aligned = t.spf_aligned + excluded.spf_aligned, quarantined = t.quarantined + excluded.quarantined,
        rejected = t.rejected + excluded.rejected;

    IF sign < 0 THEN
        DELETE FROM dmarc_store.profile_day t USING unnest(sums) s
        WHERE t.domain = s.domain AND t.day = s.day AND t.profile = s.profile AND t.doubtful = s.doubtful AND t.records = 0;
        DELETE FROM dmarc_store.domain_day t USING unnest(domains, days, doubts) u (domain, day, doubtful)
        WHERE t.domain = u.domain AND t.day = u.day AND t.doubtful = u.doubtful AND t.reports = 0 AND t.records = 0;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.count_reports(text[], date[], bigint[], boolean[], int) IS 'Adds reports to the sums (sign 1), or takes them out (-1) while their records are still there';

-- The reports of this session's batch that turned out to be new.
CREATE OR REPLACE FUNCTION dmarc_store.count_staged() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
    first date := (SELECT min(s.day) FROM pg_temp.stage_report s);
    last  date := (SELECT max(s.day) FROM pg_temp.stage_report s);
BEGIN
    PERFORM dmarc_store.count_reports(array_agg(r.domain), array_agg(r.day), array_agg(r.id),
                                      array_agg(r.trusted IS FALSE OR r.foreign_domain), 1)
    FROM pg_temp.stage_report s
    JOIN dmarc_store.report r ON r.domain = s.domain AND r.day = s.day AND r.id = s.id
    WHERE r.day BETWEEN first AND last;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.count_staged() IS 'Adds the reports of pg_temp.stage_report that were stored to the sums';

-- Puts the addresses of reports that are not folded yet into profile_source, the records of so many reports at most (of one at least).
-- How many reports; 0 when none is left.
CREATE OR REPLACE FUNCTION dmarc_store.fold(most bigint DEFAULT 200000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_sort = off
SET enable_incremental_sort = off SET jit = off SET work_mem = '64MB' AS $fn$
DECLARE
    taken dmarc_store.unfolded[];
    first date;
    last  date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7710422);
    -- Of one month at a time, so that few partitions are read.
    first := (SELECT min(u.day) FROM dmarc_store.unfolded u);
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    last := (date_trunc('month', first::timestamp) + interval '1 month')::date - 1;
    WITH picked AS MATERIALIZED (
        SELECT p.domain, p.day, p.report
        FROM (SELECT u.domain, u.day, u.report, sum(r.record_count) OVER (ORDER BY u.domain, u.day, u.report) - r.record_count AS before
              FROM (SELECT x.* FROM dmarc_store.unfolded x WHERE x.day BETWEEN first AND last ORDER BY x.domain, x.day, x.report LIMIT 50000) u
              JOIN dmarc_store.report r ON r.domain = u.domain AND r.day = u.day AND r.id = u.report
              WHERE r.day BETWEEN first AND last) p
        WHERE p.before < most
    ), gone AS (
        DELETE FROM dmarc_store.unfolded u USING picked p
        WHERE u.domain = p.domain AND u.day = p.day AND u.report = p.report
        RETURNING u AS whole
    )
    SELECT array_agg(g.whole) INTO taken FROM gone g;

    INSERT INTO dmarc_store.profile_source AS t (domain, day, source_ip, profile, doubtful, days)
    WITH grouped AS MATERIALIZED (
        SELECT o.domain, u.doubtful, o.source_ip, o.evidence, bit_or(1 << (extract(day FROM u.day)::int - 1)) AS days
        FROM unnest(taken) u
        JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.report
        WHERE o.day BETWEEN first AND last AND o.source_ip IS NOT NULL
        GROUP BY o.domain, u.doubtful, o.source_ip, o.evidence
    )
    SELECT s.domain, s.month, s.source_ip, s.profile, s.doubtful, s.days
    FROM (SELECT g.domain, date_trunc('month', first::timestamp)::date AS month, g.source_ip, e.profile, g.doubtful, bit_or(g.days) AS days
          FROM grouped g
          JOIN dmarc_store.evidence e ON e.domain = g.domain AND e.hash = g.evidence
          GROUP BY g.domain, g.source_ip, e.profile, g.doubtful) s
    ORDER BY s.domain, s.source_ip, s.profile, s.doubtful
    ON CONFLICT (domain, day, source_ip, profile, doubtful) DO UPDATE
    SET days = t.days | excluded.days WHERE t.days & excluded.days <> excluded.days;
    RETURN coalesce(cardinality(taken), 0);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.fold(bigint) IS 'Puts the addresses of reports that wait for it into profile_source, for about so many records; how many reports';

-- Addresses of records that are not folded yet.
CREATE OR REPLACE VIEW dmarc_store.fresh_source AS
SELECT o.domain, o.day, o.source_ip, e.profile, u.doubtful
FROM dmarc_store.unfolded u
JOIN dmarc_store.observation o ON o.domain = u.domain AND o.day = u.day AND o.report = u.report
JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
WHERE o.source_ip IS NOT NULL;
COMMENT ON VIEW dmarc_store.fresh_source IS 'The addresses of records that are not in profile_source yet';

-- The addresses of each profile in a period, folded or not: for the reports. Evidence and profiles are looked up by key, one by one,
-- and all else is joined by hashing: the planner takes what is left of a period for far less than it is.
CREATE OR REPLACE FUNCTION dmarc_store.sources_of(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (domain text, profile uuid, source_ip inet) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp STABLE ROWS 10000
SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off
SET work_mem = '16MB' AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.domain, s.profile, s.source_ip
    FROM dmarc_store.profile_source s
    WHERE (policy_domain IS NULL OR s.domain = lower(policy_domain)) AND (mine IS NULL OR s.domain = ANY (mine))
      AND s.day >= coalesce(date_trunc('month', since::timestamp)::date, '-infinity') AND s.day < coalesce(until, 'infinity')
      AND s.days & dmarc.days_of(s.day, coalesce(since, '-infinity'), coalesce(until, 'infinity')) <> 0
      AND NOT (only_trusted AND s.doubtful);
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
    SELECT f.domain, m.profile, f.source_ip
    FROM fresh f
    JOIN meant m ON m.domain = f.domain AND m.evidence = f.evidence;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sources_of(text, text[], date, date, boolean) IS 'Which addresses sent which profile in a period; a pair may come twice';

-- Looks again on which days the addresses of one report that goes, or whose trust changes, sent: what is left of them is what the
-- other folded records of the month say. The rows are locked first, so that whoever adds a day meanwhile waits.
CREATE OR REPLACE FUNCTION dmarc_store.forget_sources(of_domain text, of_day date, doubt boolean, addresses inet[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $fn$
DECLARE
    month date := date_trunc('month', of_day::timestamp)::date;
    next  date := (month + interval '1 month')::date;
BEGIN
    UPDATE dmarc_store.profile_source t SET days = t.days
    WHERE t.domain = of_domain AND t.day = month AND t.source_ip = ANY (addresses) AND t.doubtful = doubt;

    WITH sent AS MATERIALIZED (
        SELECT o.source_ip, e.profile, bit_or(1 << (extract(day FROM o.day)::int - 1)) AS days
        FROM dmarc_store.observation o
        JOIN dmarc_store.report r ON r.domain = o.domain AND r.day = o.day AND r.id = o.report
        JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
        WHERE o.domain = of_domain AND o.day >= month AND o.day < next AND o.source_ip = ANY (addresses)
          AND r.domain = of_domain AND r.day >= month AND r.day < next AND e.domain = of_domain
          AND (r.trusted IS FALSE OR r.foreign_domain) = doubt
          AND NOT EXISTS (SELECT FROM dmarc_store.unfolded u WHERE u.domain = o.domain AND u.day = o.day AND u.report = o.report)
        GROUP BY o.source_ip, e.profile
    )
    UPDATE dmarc_store.profile_source t SET days = coalesce((SELECT s.days FROM sent s WHERE s.source_ip = t.source_ip AND s.profile = t.profile), 0)
    WHERE t.domain = of_domain AND t.day = month AND t.source_ip = ANY (addresses) AND t.doubtful = doubt;

    DELETE FROM dmarc_store.profile_source t
    WHERE t.domain = of_domain AND t.day = month AND t.source_ip = ANY (addresses) AND t.doubtful = doubt AND t.days = 0;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.forget_sources(text, date, boolean, inet[]) IS 'Works out again on which days of a month these addresses sent';

-- Takes a report and its records out of the sums, and the records away; or, when it turned out to be trusted, moves it from what
-- --trusted leaves out to the rest. The report itself is there, with the trust that it has now.
CREATE OR REPLACE FUNCTION dmarc_store.uncount_report(of_domain text, of_day date, of_report bigint, gone boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    addresses inet[];
    folded    boolean;
    doubt     boolean := CASE WHEN gone THEN (SELECT r.trusted IS FALSE OR r.foreign_domain FROM dmarc_store.report r
                                              WHERE r.domain = of_domain AND r.day = of_day AND r.id = of_report) ELSE true END;
BEGIN
    addresses := (SELECT array_agg(DISTINCT o.source_ip) FROM dmarc_store.observation o
                  WHERE o.domain = of_domain AND o.day = of_day AND o.report = of_report AND o.source_ip IS NOT NULL);
    PERFORM dmarc_store.count_reports(ARRAY[of_domain], ARRAY[of_day], ARRAY[of_report], ARRAY[doubt], -1);
    DELETE FROM dmarc_store.unfolded u WHERE u.domain = of_domain AND u.day = of_day AND u.report = of_report;
    folded := NOT FOUND;
    IF gone THEN
        DELETE FROM dmarc_store.observation o WHERE o.domain = of_domain AND o.day = of_day AND o.report = of_report;
    ELSE
        PERFORM dmarc_store.count_reports(ARRAY[of_domain], ARRAY[of_day], ARRAY[of_report], ARRAY[false], 1);
    END IF;
    IF folded AND addresses IS NOT NULL THEN
        PERFORM dmarc_store.forget_sources(of_domain, of_day, doubt, addresses);
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
    DELETE FROM dmarc_store.profile_day t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.profile_source t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.domain_day t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    DELETE FROM dmarc_store.unfolded t
    WHERE t.domain = coalesce(of_domain, t.domain) AND t.day >= coalesce(first, '-infinity') AND t.day < coalesce(last, 'infinity');
    -- In portions, so that memory is bounded.
    FOR portion IN
        SELECT array_agg(r.domain) AS domains, array_agg(r.day) AS days, array_agg(r.id) AS ids,
               array_agg(r.trusted IS FALSE OR r.foreign_domain) AS doubts
        FROM (SELECT n.domain, n.day, n.id, n.trusted, n.foreign_domain,
                     sum(n.record_count) OVER (ORDER BY n.day, n.domain, n.id) AS reached
              FROM dmarc_store.report n
              WHERE n.domain = coalesce(of_domain, n.domain) AND n.day >= coalesce(first, '-infinity') AND n.day < coalesce(last, 'infinity')
                AND NOT n.replaced) r
        GROUP BY date_trunc('month', r.day::timestamp), (r.reached / 200000)::bigint
    LOOP
        PERFORM dmarc_store.count_reports(portion.domains, portion.days, portion.ids, portion.doubts, 1);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.rebuild(text, date, date) IS 'Makes the sums of a policy domain (NULL: of all) anew from its records, for the months from one day to another (NULL: all)';

-- Staged evidence that is understood in another way than when it was stored gets its new profile, and the months that it was seen
-- in their sums anew. Only for who holds the lock alone.
CREATE OR REPLACE FUNCTION dmarc_store.change_profiles() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    changed dmarc_store.evidence[];
    one     pg_catalog.record;
BEGIN
    WITH stored AS MATERIALIZED (
        SELECT DISTINCT e.domain, e.hash, s.profile
        FROM pg_temp.stage_evidence s JOIN dmarc_store.evidence e ON e.domain = s.domain AND e.hash = s.hash
        WHERE s.profile <> e.profile
    ), done AS (
        UPDATE dmarc_store.evidence e SET profile = s.profile
        FROM stored s WHERE e.domain = s.domain AND e.hash = s.hash
        RETURNING e AS whole
    )
    SELECT array_agg(d.whole) INTO changed FROM done d;
    FOR one IN
        SELECT o.domain, min(o.day) AS since, max(o.day) AS until
        FROM dmarc_store.observation o
        WHERE o.domain IN (SELECT c.domain FROM unnest(changed) c) AND o.evidence IN (SELECT c.hash FROM unnest(changed) c)
        GROUP BY o.domain
    LOOP
        PERFORM dmarc_store.rebuild(one.domain, one.since, one.until);
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.change_profiles() IS 'Evidence of pg_temp.stage_evidence whose meaning has changed gets its new profile, and what was summed up by it is made anew';

-- ---- when the catalogue changes ----

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
    reached dmarc_store.profile;
    changed text[];
    these   bigint;
    touched text[] := '{}';
    total   bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7710422);
    LOOP
        SELECT array_agg(p.whole ORDER BY p.domain, p.hash) INTO chunk
        FROM (SELECT k AS whole, k.domain, k.hash FROM dmarc_store.profile k
              WHERE k.domain = coalesce(of_domain, k.domain)
                AND (reached.domain IS NULL OR (k.domain, k.hash) > (reached.domain, reached.hash))
              ORDER BY k.domain, k.hash LIMIT 5000) p;
        EXIT WHEN chunk IS NULL;
        WITH different AS MATERIALIZED (
            SELECT j.* FROM dmarc_store.judge(chunk) j JOIN unnest(chunk) k ON k.domain = j.domain AND k.hash = j.hash
            WHERE (j.class, j.rule, j.sender_key, j.sender, j.known, j.kind, j.confidence, j.evidence_said, j.advice)
                  IS DISTINCT FROM (k.class, k.rule, k.sender_key, k.sender, k.known, k.kind, k.confidence, k.evidence_said, k.advice)
        ), stored AS (
            INSERT INTO dmarc_store.profile AS t SELECT d.* FROM different d ORDER BY d.domain, d.hash
            ON CONFLICT (domain, hash) DO UPDATE
            SET class = excluded.class, rule = excluded.rule, sender_key = excluded.sender_key, sender = excluded.sender,
                known = excluded.known, kind = excluded.kind, confidence = excluded.confidence,
                evidence_said = excluded.evidence_said, advice = excluded.advice
            RETURNING t.domain
        )
        SELECT array_agg(DISTINCT s.domain), count(*) INTO changed, these FROM stored s;
        touched := touched || coalesce(changed, '{}');
        total := total + these;
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
    chunk dmarc_store.profile[];
    old   boolean := false;
BEGIN
    PERFORM pg_advisory_xact_lock(7710422);
    LOOP
        WITH unfilled AS MATERIALIZED (
            SELECT e.domain, e.hash,
                   dmarc_store.profile_of(e) AS profile
            FROM dmarc_store.evidence e WHERE e.profile IS NULL ORDER BY e.domain, e.hash LIMIT 20000
        ), filled AS (
            UPDATE dmarc_store.evidence e SET profile = (s.profile).hash FROM unfilled s WHERE e.domain = s.domain AND e.hash = s.hash
        )
        SELECT array_agg(s.profile) INTO chunk FROM unfilled s;
        EXIT WHEN chunk IS NULL;
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
