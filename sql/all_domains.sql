-- Reports about all policy domains, made by several processes at once.
--
-- Such a report is a function dmarc_store.NAME_among(policy_domain, mine, since, until, only_trusted), with whose domains may be told of
-- (mine; NULL: all) as an argument; one that draws trends also takes the days that these are over. publish() makes dmarc.NAME of it,
-- which finds out who asks, and does as its owner. Nothing of one domain depends on another, so that of many records dmarc.NAME asks for
-- portions of the domains and lets the server put them together: parallel workers take one after the other (Parallel Append). Where the
-- server has no workers to spare, it is one after the other.

-- Portions of about as much work each; NULL where that is not worth it: of few records, where one domain has most of them, and of so many
-- domains that to look for them takes what would be won. A day of a domain takes about as long as five records.
CREATE OR REPLACE FUNCTION dmarc_store.portions(policy_domain text, mine text[], since date, until date, OUT domains text[], OUT ends int[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
DECLARE
    least_records CONSTANT int := 300000;
    most_domains  CONSTANT int := 50000;
    records numeric;
    largest numeric; -- part of the work
BEGIN
    IF policy_domain IS NOT NULL OR dmarc_store.is_distributed() THEN
        RETURN;
    END IF;
    SELECT array_agg(p.domain ORDER BY p.domain), sum(p.records), max(p.part),
           ARRAY[0, count(*) FILTER (WHERE p.n < 1), count(*) FILTER (WHERE p.n < 2), count(*) FILTER (WHERE p.n < 3), count(*) FILTER (WHERE p.n < 4),
                 count(*) FILTER (WHERE p.n < 5), count(*)]
    INTO domains, records, largest, ends
    FROM (SELECT w.domain, w.records, w.work / sum(w.work) OVER () AS part, 6 * (sum(w.work) OVER (ORDER BY w.domain) - w.work / 2) / sum(w.work) OVER () AS n
          FROM (SELECT t.domain, sum(t.records) AS records, sum(t.records + 5) AS work
                FROM dmarc_store.domain_day t
                WHERE (mine IS NULL OR t.domain = ANY (mine)) AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                GROUP BY t.domain) w) p;
    IF records < least_records OR largest > 0.5 OR cardinality(domains) > most_domains THEN
        domains := NULL;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.portions(text, text[], date, date) IS 'The domains of a period in their order, and the places before which six portions of them begin and the last ends; NULL where a report does better without';

CREATE OR REPLACE FUNCTION dmarc_store.publish(report text, ordered_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    made_by pg_catalog.record;
    call    text;
BEGIN
    SELECT p.oid, pg_get_function_result(p.oid) AS result, 'span_days' = ANY (p.proargnames) AS trends INTO made_by
    FROM pg_proc p WHERE p.pronamespace = 'dmarc_store'::regnamespace AND p.proname = report || '_among';
    call := format('SELECT * FROM dmarc_store.%I(policy_domain, %%s, since, until, only_trusted%s)', report || '_among',
                   CASE WHEN made_by.trends THEN ', span.first, span.days, span.parts' END);
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', made_by.oid::regprocedure, 'See dmarc.' || report || '()');
    -- A cost at which workers are always worth it.
    EXECUTE format('ALTER FUNCTION %s PARALLEL SAFE COST 100000000', made_by.oid::regprocedure);
    -- PostgreSQL 16 would sort lines and addresses together, which takes longer than to sort the addresses of each line.
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE format('ALTER FUNCTION %s SET enable_presorted_aggregate = off', made_by.oid::regprocedure);
    END IF;
    EXECUTE format($make$
        CREATE OR REPLACE FUNCTION dmarc.%I(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                            only_trusted boolean DEFAULT false)
        RETURNS %s
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
        SET jit = off SET work_mem = '64MB' AS $body$
        #variable_conflict use_column
        DECLARE
            mine text[] := dmarc.visible();
            portions pg_catalog.record;
            span pg_catalog.record;
        BEGIN
            IF lower(policy_domain) <> ALL (mine) THEN
                RETURN; -- nor does the time that it takes tell whether there is such a domain
            END IF;
            %s
            portions := dmarc_store.portions(policy_domain, mine, since, until);
            IF portions.domains IS NULL THEN
                RETURN QUERY %s;
                RETURN;
            END IF;
            mine := portions.domains;
            RETURN QUERY SELECT * FROM (%s) u ORDER BY %s;
        END
        $body$ $make$,
        report, made_by.result,
        CASE WHEN made_by.trends THEN 'span := dmarc_store.trend_over(policy_domain, mine, since, until, only_trusted);' END,
        format(call, 'mine'),
        (SELECT string_agg(format(call, format('mine[portions.ends[%s] + 1:portions.ends[%s]]', n, n + 1)), ' UNION ALL ') FROM generate_series(1, 6) n),
        ordered_by);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.publish(text, text) IS 'Makes dmarc.NAME of dmarc_store.NAME_among, for whoever asks; what is made in portions is put into this order';
