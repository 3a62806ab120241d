-- The views for whosends_customer: schema dmarc_own has those of schema dmarc that tell of policy domains, under the same names and with the
-- same columns, and only the domains that are granted to who asks.
--
-- The views of schema dmarc leave out as much, but EXPLAIN tells how many rows of what domain the planner expects and how many a
-- filter removed, so that whoever may query them can count his neighbour's mail. Here the rows come out of functions that
-- the planner cannot look into: all that a customer writes into a query is looked at afterwards, and costs the same whether a
-- domain is there or not. A function reads all rows of his domains; for a period of a large domain, the functions of schema
-- dmarc are quicker.
DO $do$
BEGIN
    IF to_regnamespace('dmarc_own') IS NULL THEN
        CREATE SCHEMA dmarc_own;
    END IF;
END
$do$;
COMMENT ON SCHEMA dmarc_own IS 'The views of schema dmarc for who may read about some policy domains only';

DO $do$
DECLARE
    one    text;
    body   text;
    result text;
    shown  text;
    col    pg_catalog.record;
BEGIN
    FOREACH one IN ARRAY ARRAY['document', 'report', 'record', 'dkim_result', 'spf_result', 'override_reason', 'classification', 'daily', 'source',
                               'failure_report', 'tls_report', 'tls_policy', 'tls_failure', 'sender', 'sender_rule'] LOOP
        -- What was added to the catalogue by hand may be about anybody.
        body := CASE WHEN one IN ('sender', 'sender_rule')
                     THEN format('RETURN QUERY SELECT v.* FROM dmarc.%I v WHERE v.origin = ''builtin'' OR own_domains IS NULL;', one)
                     ELSE format('IF own_domains IS NULL THEN RETURN QUERY SELECT v.* FROM dmarc.%1$I v; END IF; '
                                 'FOREACH own_domain IN ARRAY coalesce(own_domains, ''{}'') LOOP '
                                 'RETURN QUERY SELECT v.* FROM dmarc.%1$I v WHERE v.domain = own_domain; END LOOP;', one) END;
        -- The columns are written out, so that nothing hangs on the view of schema dmarc and stands in the way of its next form.
        SELECT 'TABLE(' || string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) || ')',
               string_agg(format('v.%I', a.attname) || CASE WHEN l.collname = 'C' THEN format(' COLLATE "C" AS %I', a.attname) ELSE '' END, ', ' ORDER BY a.attnum)
        INTO result, shown
        FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
        WHERE a.attrelid = format('dmarc.%I', one)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
        IF pg_get_function_result(to_regproc('dmarc_store.own_' || one)) <> result THEN
            EXECUTE format('DROP VIEW IF EXISTS dmarc_own.%I', one);
            EXECUTE format('DROP FUNCTION dmarc_store.%I()', 'own_' || one);
        END IF;
        EXECUTE format('CREATE OR REPLACE FUNCTION dmarc_store.%I() RETURNS %s LANGUAGE plpgsql STABLE SECURITY DEFINER '
                       'SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS %L', 'own_' || one, result,
                       E'#variable_conflict use_column\nDECLARE own_domains text[] := dmarc.visible(); own_domain text; BEGIN ' || body || ' END');
        EXECUTE format('COMMENT ON FUNCTION dmarc_store.%I() IS %L', 'own_' || one, 'The rows of dmarc.' || one || ' that who asks may see');
        EXECUTE format('CREATE OR REPLACE VIEW dmarc_own.%I AS SELECT %s FROM dmarc_store.%I() v', one, shown, 'own_' || one);
        EXECUTE format('COMMENT ON VIEW dmarc_own.%I IS %L', one, obj_description(format('dmarc.%I', one)::regclass, 'pg_class'));
        FOR col IN
            SELECT a.attname, col_description(a.attrelid, a.attnum) AS said FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = format('dmarc.%I', one)::regclass AND a.attnum > 0 AND NOT a.attisdropped
        LOOP
            EXECUTE format('COMMENT ON COLUMN dmarc_own.%I.%I IS %L', one, col.attname, col.said);
        END LOOP;
    END LOOP;
END
$do$;
