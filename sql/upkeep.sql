-- What "whosends maintain" and "whosends prune" do, in pieces: each function is for a transaction of its own, so that either may
-- be killed at any time, and that nobody waits long for them.

-- The locks of who takes something away or makes it anew: no upgrade meanwhile (which every writer shares), and no ingester.
CREATE OR REPLACE FUNCTION dmarc_store.lock_alone() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7710423);
    PERFORM dmarc_store.alone();
END
$fn$;
COMMENT ON FUNCTION dmarc_store.lock_alone() IS 'Locks out upgrades and all who write reports, up to the end of the transaction';

-- The first day of the month of a day, and of the month behind that: also at the ends of the calendar, which reports may name.
CREATE OR REPLACE FUNCTION dmarc_store.month_of(d date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN d < date '4714-12-01 BC' THEN date '4714-11-24 BC'
                WHEN d > date '294276-12-31' THEN d - extract(day FROM d)::int + 1 ELSE date_trunc('month', d::timestamp)::date END
$fn$;
COMMENT ON FUNCTION dmarc_store.month_of(date) IS 'The first day of the month of a day, as far as there is one';
CREATE OR REPLACE FUNCTION dmarc_store.month_behind(d date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN dmarc_store.month_of(d) < date '4714-12-01 BC' THEN date '4714-12-01 BC'
                WHEN d >= date '294276-12-01' THEN dmarc_store.month_of(d) + 31 ELSE (dmarc_store.month_of(d) + interval '1 month')::date END
$fn$;
COMMENT ON FUNCTION dmarc_store.month_behind(date) IS 'The first day behind the month of a day';

-- ---- maintain ----

-- Months of which rows lie in a default partition, although months like these have partitions of their own: rows that came
-- before one was made.
CREATE OR REPLACE FUNCTION dmarc_store.stray_months() RETURNS TABLE (parent text, month date) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    FOREACH parent IN ARRAY dmarc_store.month_tables() LOOP
        FOR month IN EXECUTE format('SELECT DISTINCT dmarc_store.month_of(o.day) FROM dmarc_store.%I o ORDER BY 1', parent || '_other')
        LOOP
            CONTINUE WHEN NOT dmarc_store.month_in_reach(month);
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.stray_months() IS 'Months whose rows lie in a default partition, although a month like that gets a partition';

-- Moves the rows of a month out of the default partition of a table into a partition of their own. How many rows.
CREATE OR REPLACE FUNCTION dmarc_store.move_month(d date, parent text) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    first date := date_trunc('month', d::timestamp)::date;
    last  date := (first + interval '1 month')::date;
    child text := parent || '_' || to_char(first, 'YYYYMM');
    moved bigint;
BEGIN
    IF parent <> ALL (dmarc_store.month_tables()) THEN
        RAISE EXCEPTION 'no table of months: %', parent;
    END IF;
    PERFORM dmarc_store.lock_alone();
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.ensure_month.' || parent));
    PERFORM dmarc_store.lock_months(ARRAY[parent]);
    IF to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
        RETURN 0; -- somebody else was faster
    END IF;
    EXECUTE format('ALTER TABLE dmarc_store.%I DETACH PARTITION dmarc_store.%I', parent, parent || '_other');
    EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.%I FOR VALUES FROM (%L) TO (%L)', child, parent, first, last);
    EXECUTE format('INSERT INTO dmarc_store.%I SELECT o.* FROM dmarc_store.%I o WHERE o.day >= %L AND o.day < %L', parent, parent || '_other', first, last);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('DELETE FROM dmarc_store.%I WHERE day >= %L AND day < %L', parent || '_other', first, last);
    EXECUTE format('ALTER TABLE dmarc_store.%I ATTACH PARTITION dmarc_store.%I DEFAULT', parent, parent || '_other');
    RETURN moved;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.move_month(date, text) IS 'Moves the rows of a month out of the default partition of a table into a partition of their own; how many';

-- Folds the next reports, one caller at a time: two would take the same ones, and one of them would think that nothing is left.
CREATE OR REPLACE FUNCTION dmarc_store.fold_next() RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7710423);
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.fold'));
    RETURN dmarc_store.fold();
END
$fn$;
COMMENT ON FUNCTION dmarc_store.fold_next() IS 'Folds the addresses of the next reports that wait for it, as dmarc_store.fold; how many reports, 0 when none is left';

-- Which stored profiles the catalogue judges in another way now, by policy domain and in portions: a domain may come twice. Without
-- a lock: the answer is a hint for who is going to judge them again.
CREATE OR REPLACE FUNCTION dmarc_store.misjudged() RETURNS TABLE (domain text, looked_at bigint, wrong bigint, example text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
DECLARE
    chunk     dmarc_store.profile[];
    at_domain text := '';
    at_hash   uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        WITH next AS MATERIALIZED (
            SELECT k.* FROM dmarc_store.profile k
            WHERE (k.domain, k.hash) > (at_domain, at_hash)
            ORDER BY k.domain, k.hash LIMIT 5000
        )
        SELECT array_agg(ROW(n.*)::dmarc_store.profile ORDER BY n.domain, n.hash) INTO chunk FROM next n;
        EXIT WHEN chunk IS NULL;
        RETURN QUERY
        SELECT c.domain, count(*), count(*) FILTER (WHERE c.wrong),
               min(format('%s %s: %s, %s', c.domain, c.hash, c.class, c.sender)) FILTER (WHERE c.wrong)
        FROM (SELECT k.domain, k.hash, k.class, k.sender,
                     (j.class, j.rule, j.sender_key, j.sender, j.known, j.kind, j.confidence, j.evidence_said, j.advice)
                     IS DISTINCT FROM (k.class, k.rule, k.sender_key, k.sender, k.known, k.kind, k.confidence, k.evidence_said, k.advice) AS wrong
              FROM unnest(chunk) k LEFT JOIN dmarc_store.judge(chunk) j ON j.domain = k.domain AND j.hash = k.hash) c
        GROUP BY c.domain;
        at_domain := chunk[cardinality(chunk)].domain;
        at_hash := chunk[cardinality(chunk)].hash;
    END LOOP;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.misjudged() IS 'How many stored profiles of each policy domain the catalogue judges in another way now';

-- The tables of months that are over of whose sums and addresses a fifth is room that is free: putting them together freed it, and only
-- reports about that month would use it again, of which hardly any come. Their reports are among them for the sake of the indexes, which
-- grew in no order; records are not, since they are only added. And the list of what waits to be folded, when that has got short.
CREATE OR REPLACE FUNCTION dmarc_store.roomy() RETURNS SETOF text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    month  text;
    parent text;
    part   numeric;
    needed numeric;
    taken  numeric;
BEGIN
    FOR month IN
        SELECT right(c.relname, 6)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'dmarc_store.summed'::regclass
          AND dmarc_store.month_named(c.relname) < date_trunc('month', now() AT TIME ZONE 'UTC')
        ORDER BY 1
    LOOP
        taken := coalesce((SELECT sum(pg_relation_size(to_regclass(format('dmarc_store.%I', p || '_' || month)))) FROM unnest(ARRAY['summed', 'folded']) p), 0);
        CONTINUE WHEN taken < 262144; -- on many nodes, too, where there is nothing in the table itself
        needed := 0;
        FOREACH parent IN ARRAY ARRAY['summed', 'folded'] LOOP
            CONTINUE WHEN to_regclass(format('dmarc_store.%I', parent || '_' || month)) IS NULL;
            -- A row has a pointer of four bytes, and begins at a multiple of eight.
            EXECUTE format('SELECT coalesce(sum(pg_column_size(ROW(t.*)) + 8), 0) FROM dmarc_store.%I t', parent || '_' || month) INTO part;
            needed := needed + part;
        END LOOP;
        CONTINUE WHEN 0.8 * taken < needed;
        FOREACH parent IN ARRAY ARRAY['summed', 'folded', 'domain_day', 'report'] LOOP
            IF to_regclass(format('dmarc_store.%I', parent || '_' || month)) IS NOT NULL THEN
                RETURN NEXT format('dmarc_store.%I', parent || '_' || month);
            END IF;
        END LOOP;
    END LOOP;
    IF pg_total_relation_size('dmarc_store.unfolded') > 1048576 + 400 * (SELECT count(*) FROM dmarc_store.unfolded) THEN
        RETURN NEXT 'dmarc_store.unfolded';
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.roomy() IS 'Tables that are worth being written anew, since much of them is room that would hardly be used again';

-- ---- prune ----

-- The months of which anything is stored. As its owner: rights to a table are none to its partitions.
CREATE OR REPLACE FUNCTION dmarc_store.stored_months() RETURNS SETOF date LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    child  text;
    filled boolean;
    months date[] := '{}';
    parent text;
BEGIN
    -- Locks the parents before their partitions, as all do who change these.
    FOREACH parent IN ARRAY dmarc_store.month_tables() LOOP
        EXECUTE format('SELECT count(*) > 0 FROM (SELECT 1 FROM dmarc_store.%I LIMIT 0) o', parent) INTO filled;
    END LOOP;
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN (SELECT to_regclass(format('dmarc_store.%I', t)) FROM unnest(dmarc_store.month_tables()) t)
        UNION ALL VALUES ('unfolded'), ('failure_report'), ('tls_report'), ('tls_policy'), ('tls_failure')
    LOOP
        BEGIN
            IF dmarc_store.month_named(child) IS NOT NULL THEN
                EXECUTE format('SELECT count(*) > 0 FROM (SELECT 1 FROM dmarc_store.%I LIMIT 1) o', child) INTO filled;
                months := months || CASE WHEN filled THEN ARRAY[dmarc_store.month_named(child)] ELSE '{}' END;
            ELSE
                EXECUTE format('SELECT $1 || coalesce(array_agg(x.month), ''{}'') FROM (SELECT DISTINCT dmarc_store.month_of(o.day) AS month FROM dmarc_store.%I o) x', child)
                INTO months USING months;
            END IF;
        EXCEPTION WHEN undefined_table THEN
            NULL; -- pruned since we looked
        END;
    END LOOP;
    RETURN QUERY SELECT DISTINCT m FROM unnest(months) m ORDER BY m;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.stored_months() IS 'The months of which anything is stored';

-- What "whosends prune" would take away: reports of all kinds, and about how many bytes, the records' indexes included.
CREATE OR REPLACE FUNCTION dmarc_store.prune_plan(before date)
RETURNS TABLE (months bigint, reports bigint, records bigint, mails bigint, bytes numeric) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_nestloop = off
SET jit = off AS $fn$
DECLARE
    parent text;
    part   numeric;
BEGIN
    months := (SELECT count(*) FROM dmarc_store.stored_months() m WHERE m < before);
    reports := (SELECT count(*) FROM dmarc_store.report r WHERE r.day < before)
        + (SELECT count(*) FROM dmarc_store.failure_report f WHERE f.day < before)
        + (SELECT count(*) FROM dmarc_store.tls_report t WHERE t.day < before);
    records := (SELECT coalesce(sum(cardinality(o.source_ips)), 0) FROM dmarc_store.observed o WHERE o.day < before);
    bytes := coalesce((SELECT sum(pg_total_relation_size(c.oid))
                       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                       WHERE i.inhparent IN (SELECT to_regclass(format('dmarc_store.%I', t)) FROM unnest(dmarc_store.month_tables()) t)
                         AND dmarc_store.month_named(c.relname) < before), 0);
    FOREACH parent IN ARRAY dmarc_store.month_tables() LOOP
        EXECUTE format('SELECT coalesce(sum(pg_column_size(ROW(o.*))), 0) FROM dmarc_store.%I o WHERE o.day < $1', parent || '_other') INTO part USING before;
        bytes := bytes + part;
    END LOOP;
    -- Mails that came before, and have no report of that day or later; an original goes with the last mail that has its bytes.
    SELECT count(*), prune_plan.bytes + coalesce(sum(x.size), 0)
           + coalesce(sum(x.original) FILTER (WHERE x.id = x.last), 0)
    INTO mails, bytes
    FROM (SELECT m.id, l.last, 200 AS size, length(o.data) AS original
          FROM dmarc_store.message m
          JOIN (SELECT n.sha256, max(n.id) AS last FROM dmarc_store.message n GROUP BY n.sha256) l ON l.sha256 = m.sha256
          LEFT JOIN dmarc_store.original o ON o.mail_sha256 = m.sha256
          LEFT JOIN (SELECT d.mail_sha256, d.message FROM dmarc_store.document d WHERE d.day >= before AND d.report IS NOT NULL
                     GROUP BY d.mail_sha256, d.message) k ON k.mail_sha256 = m.sha256 AND k.message = m.id
          WHERE m.ingested_at < before::timestamp AT TIME ZONE 'UTC' AND k.message IS NULL) x;
    RETURN NEXT;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.prune_plan(date) IS 'What "whosends prune" would take away up to a day, which is the first of a month';

-- Takes a month away: its reports, records and sums, with the partitions that are nothing but that month.
CREATE OR REPLACE FUNCTION dmarc_store.prune_month(d date) RETURNS TABLE (reports bigint, records bigint, bytes numeric) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $fn$
DECLARE
    first  date := dmarc_store.month_of(d);
    last   date := dmarc_store.month_behind(d);
    parent text;
    child  text;
    part   numeric;
    dropped text[] := '{}';
BEGIN
    PERFORM dmarc_store.lock_alone();
    INSERT INTO dmarc_store.pruning (before) VALUES (last) ON CONFLICT DO NOTHING;
    PERFORM dmarc_store.lock_months(dmarc_store.month_tables());
    reports := (SELECT count(*) FROM dmarc_store.report r WHERE r.day >= first AND r.day < last)
        + (SELECT count(*) FROM dmarc_store.failure_report f WHERE f.day >= first AND f.day < last)
        + (SELECT count(*) FROM dmarc_store.tls_report t WHERE t.day >= first AND t.day < last);
    records := (SELECT coalesce(sum(cardinality(o.source_ips)), 0) FROM dmarc_store.observed o WHERE o.day >= first AND o.day < last);
    bytes := 0;
    FOREACH parent IN ARRAY dmarc_store.month_tables() LOOP
        child := parent || '_' || to_char(first, 'YYYYMM');
        IF to_regclass(format('dmarc_store.%I', child)) IS NOT NULL THEN
            bytes := bytes + pg_total_relation_size(format('dmarc_store.%I', child));
            EXECUTE format('DROP TABLE dmarc_store.%I', child);
        ELSE
            EXECUTE format('SELECT coalesce(sum(pg_column_size(ROW(o.*))), 0) FROM dmarc_store.%I o WHERE o.day >= $1 AND o.day < $2', parent)
            INTO part USING first, last;
            bytes := bytes + part;
            EXECUTE format('DELETE FROM dmarc_store.%I o WHERE o.day >= $1 AND o.day < $2', parent) USING first, last;
        END IF;
    END LOOP;
    DELETE FROM dmarc_store.unfolded t WHERE t.day >= first AND t.day < last;
    DELETE FROM dmarc_store.failure_report t WHERE t.day >= first AND t.day < last;
    DELETE FROM dmarc_store.tls_failure t WHERE t.day >= first AND t.day < last;
    DELETE FROM dmarc_store.tls_policy t WHERE t.day >= first AND t.day < last;
    DELETE FROM dmarc_store.tls_report t WHERE t.day >= first AND t.day < last;
    RETURN NEXT;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.prune_month(date) IS 'Takes away the reports, records and sums of a month; how many reports and records, and about how many bytes';

-- Looks at so many mails behind one, in the order of their hashes, and takes those out of the ledger that came before a day and
-- have no report of that day or later. The last one that it looked at; no row at the end.
CREATE OR REPLACE FUNCTION dmarc_store.prune_mails(before date, after_sha256 bytea, after_id bigint, most int DEFAULT 5000)
RETURNS TABLE (sha256 bytea, id bigint, looked_at bigint, mails bigint, bytes numeric) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET random_page_cost = 1.1 SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    hashes  bytea[];
    numbers bigint[];
    part    numeric;
BEGIN
    PERFORM dmarc_store.lock_alone();
    -- Those that came before, and where the portion ends.
    SELECT array_agg(x.sha256 ORDER BY x.sha256, x.id) FILTER (WHERE x.old), array_agg(x.id ORDER BY x.sha256, x.id) FILTER (WHERE x.old), count(*),
           (array_agg(x.sha256 ORDER BY x.sha256 DESC, x.id DESC))[1], (array_agg(x.id ORDER BY x.sha256 DESC, x.id DESC))[1]
    INTO hashes, numbers, looked_at, sha256, id
    FROM (SELECT m.sha256, m.id, m.ingested_at < before::timestamp AT TIME ZONE 'UTC' AS old FROM dmarc_store.message m
          WHERE (m.sha256, m.id) > (coalesce(after_sha256, ''), coalesce(after_id, 0))
          ORDER BY m.sha256, m.id LIMIT most) x;
    IF looked_at = 0 THEN
        RETURN;
    END IF;
    -- Without what a report keeps.
    WITH asked AS MATERIALIZED (
        SELECT u.sha256, u.id FROM unnest(hashes, numbers) u (sha256, id)
    ), kept AS MATERIALIZED (
        SELECT d.mail_sha256, d.message FROM asked a JOIN dmarc_store.document d ON d.mail_sha256 = a.sha256 AND d.message = a.id
        WHERE d.day >= before AND d.report IS NOT NULL
    )
    SELECT array_agg(a.sha256), array_agg(a.id) INTO hashes, numbers
    FROM asked a WHERE NOT EXISTS (SELECT FROM kept k WHERE k.mail_sha256 = a.sha256 AND k.message = a.id);
    mails := coalesce(cardinality(hashes), 0);
    bytes := 200 * mails;
    WITH asked AS MATERIALIZED (SELECT u.sha256, u.id FROM unnest(hashes, numbers) u (sha256, id))
    DELETE FROM dmarc_store.document t USING asked a WHERE t.mail_sha256 = a.sha256 AND t.message = a.id;
    WITH asked AS MATERIALIZED (SELECT u.sha256, u.id FROM unnest(hashes, numbers) u (sha256, id))
    DELETE FROM dmarc_store.reading t USING asked a WHERE t.mail_sha256 = a.sha256 AND t.message = a.id;
    WITH asked AS MATERIALIZED (SELECT u.sha256, u.id FROM unnest(hashes, numbers) u (sha256, id))
    DELETE FROM dmarc_store.message t USING asked a WHERE t.sha256 = a.sha256 AND t.id = a.id;
    -- Other mails may have the same bytes.
    WITH unwanted AS (
        DELETE FROM dmarc_store.original t
        WHERE t.mail_sha256 = ANY (hashes) AND NOT EXISTS (SELECT FROM dmarc_store.message m WHERE m.sha256 = t.mail_sha256)
        RETURNING length(t.data) AS size
    )
    SELECT coalesce(sum(u.size), 0) INTO part FROM unwanted u;
    bytes := bytes + part;
    RETURN NEXT;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.prune_mails(date, bytea, bigint, int) IS 'Takes mails that nothing keeps out of the ledger, a portion behind the mail that is given (NULL: the first); the last one looked at, how many were looked at and went, and about how many bytes';

-- Of the first policy domain behind one: takes away the evidence that no record has, and the profiles that no evidence has. The
-- domain; no row at the end.
CREATE OR REPLACE FUNCTION dmarc_store.prune_evidence(after_domain text) RETURNS TABLE (domain text, evidence bigint, profiles bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_nestloop = off SET jit = off
SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
BEGIN
    domain := (SELECT min(e.domain) FROM dmarc_store.evidence e WHERE after_domain IS NULL OR e.domain > after_domain);
    IF domain IS NULL THEN
        RETURN;
    END IF;
    PERFORM dmarc_store.lock_alone();
    DELETE FROM dmarc_store.evidence e
    WHERE e.domain = prune_evidence.domain
      AND NOT EXISTS (SELECT FROM dmarc_store.observation o WHERE o.domain = prune_evidence.domain AND o.domain = e.domain AND o.evidence = e.hash);
    GET DIAGNOSTICS evidence = ROW_COUNT;
    DELETE FROM dmarc_store.profile p
    WHERE p.domain = prune_evidence.domain
      AND NOT EXISTS (SELECT FROM dmarc_store.evidence e WHERE e.domain = prune_evidence.domain AND e.domain = p.domain AND e.profile = p.hash);
    GET DIAGNOSTICS profiles = ROW_COUNT;
    RETURN NEXT;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.prune_evidence(text) IS 'Takes away evidence and profiles that nothing refers to, of the policy domain that comes next; how many';

-- For who ingests: how many reports came again, since then, that lie before the day up to which was pruned.
CREATE OR REPLACE FUNCTION dmarc_store.came_again(since timestamptz) RETURNS TABLE (reports bigint, before date) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $fn$
BEGIN
    before := (SELECT max(p.before) FROM dmarc_store.pruning p);
    -- Deliveries of single mails come here, too: nothing else is planned where nothing was ever pruned.
    IF before IS NOT NULL THEN
        reports := (SELECT count(*) FROM dmarc_store.report r WHERE r.day < came_again.before AND r.ingested_at >= since);
        RETURN NEXT;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.came_again(timestamptz) IS 'How many reports that were stored since then are of months that were pruned, and up to which day was pruned';
