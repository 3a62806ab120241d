-- Spreads an initialised database, empty or filled, over the nodes of a Citus cluster, by policy domain. See whosends-citus(7).
--
--   psql -X -d DATABASE -f sql/citus.sql                  on the coordinator, as the owner of the schemas, with no ingester running
--   psql -X -d DATABASE -v shards=64 -f sql/citus.sql     with another number of shards than 32
--
-- May be run again: what is done already is left alone. It is run again after each "whosends init" of a newer version.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\if :{?shards}
\else
    \set shards 32
\endif
SET client_min_messages = warning;
SET search_path = pg_catalog, pg_temp;

\echo '-- looking whether it can be done'
DO $do$
DECLARE
    bad text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'citus') THEN
        RAISE EXCEPTION 'this database has no extension citus' USING HINT = 'CREATE EXTENSION citus on every node, then citus_add_node().';
    END IF;
    IF to_regproc('dmarc_store.placements') IS NULL THEN
        RAISE EXCEPTION 'this database was not made by this version of whosends' USING HINT = 'Run "whosends init" first.';
    END IF;
    IF NOT citus_is_coordinator() THEN
        RAISE EXCEPTION 'this node is not the coordinator';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_dist_node n WHERE n.groupid = 0) THEN
        RAISE EXCEPTION 'the coordinator is not in its own list of nodes' USING HINT = 'SELECT citus_set_coordinator_host(''its name'');';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_dist_node n WHERE n.groupid <> 0) THEN
        RAISE EXCEPTION 'there is no worker' USING HINT = 'SELECT citus_add_node(''name'', port);';
    END IF;
    SELECT string_agg(n.nodename || ':' || n.nodeport, ', ') INTO bad
    FROM run_command_on_all_nodes('SHOW max_prepared_transactions') c JOIN pg_dist_node n ON n.nodeid = c.nodeid
    WHERE NOT c.success OR c.result = '0';
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'max_prepared_transactions is 0, or cannot be asked for, on %', bad
            USING HINT = 'A batch of an ingester is committed in two phases. Set it to max_connections at least.';
    END IF;
    IF EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.application_name = 'whosends' AND a.pid <> pg_backend_pid()) THEN
        RAISE EXCEPTION 'whosends is connected to this database' USING HINT = 'Stop all ingesters first.';
    END IF;
END
$do$;

\echo '-- what there is'
SELECT format('%s: %s', p.relation, pg_size_pretty(coalesce((SELECT sum(pg_total_relation_size(t.relid)) FROM pg_partition_tree(p.relation) t), pg_total_relation_size(p.relation))))
FROM dmarc_store.placements() p
WHERE NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = p.relation)
ORDER BY p.place;

-- Ingesters do not make partitions here. Each in a transaction of its own, as there.
\echo '-- partitions for the months around today'
SELECT format('SELECT %L WHERE dmarc_store.make_month(%L, %L)', t.parent || ' ' || to_char(m.first, 'YYYY-MM'), m.first::date, t.parent)
FROM generate_series(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '2 months', date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months',
                     interval '1 month') m (first),
     unnest(dmarc_store.month_tables()) t (parent)
ORDER BY m.first, t.parent
\gexec

-- One table a transaction: a run that was broken off is taken up where it was.
\echo '-- distributing'
SELECT format('SELECT %L FROM %s',
              p.relation || CASE WHEN p.key IS NULL THEN ': to every node' ELSE ': by ' || p.key END,
              CASE WHEN p.key IS NULL THEN format('create_reference_table(%L)', p.relation)
                   WHEN p.beside IS NULL
                   THEN format('create_distributed_table(%L, %L, colocate_with := %L, shard_count := %s)', p.relation, p.key, 'none', :'shards')
                   ELSE format('create_distributed_table(%L, %L, colocate_with := %L)', p.relation, p.key, p.beside) END)
FROM dmarc_store.placements() p
WHERE NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = p.relation)
ORDER BY p.place
\gexec
-- A copy of what was in a table stays behind in its old place.
SELECT format('SELECT %L FROM truncate_local_data_after_distributing_table(%L)', p.relation || ': the old copy is gone', p.relation)
FROM dmarc_store.placements() p
WHERE coalesce((SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(p.relation) t), pg_relation_size(p.relation)) > 0
ORDER BY p.place
\gexec

-- What was made before its tables were distributed is on the coordinator alone. Functions first, views in the order of their making,
-- since one may be made of another, and before all others those that came in place of a table.
\echo '-- functions to every node'
SELECT pg_get_functiondef(f.oid)
FROM pg_proc f
WHERE f.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND f.prokind = 'f'
ORDER BY f.pronamespace DESC, f.oid
\gexec
\echo '-- views to every node'
SELECT format('CREATE OR REPLACE VIEW %s %s AS %s', v.oid::regclass, 'WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
FROM pg_class v
WHERE v.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace, 'dmarc_own'::regnamespace) AND v.relkind = 'v'
ORDER BY v.relnamespace = 'dmarc_own'::regnamespace, v.relname NOT IN ('observation', 'profile_day', 'profile_source'), v.relnamespace DESC, v.oid
\gexec

-- These look at tables and are asked inside of statements about others, which go to the node that has the domain: that one may have to ask
-- other nodes. Only what does not depend on who asks may be among them, but for visible(), which views have in them: on the other node
-- the owner seems to ask.
ALTER FUNCTION dmarc.visible() SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.sources_of(text, text[], date, date, boolean) SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.policy_spans(text, text[], date, date, boolean) SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.let_through(text, date, date, boolean) SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.word_on(text, text, text) SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.hosts_of(inet[]) SET citus.allow_nested_distributed_execution = on;
ALTER FUNCTION dmarc_store.sender_by_name(text) SET citus.allow_nested_distributed_execution = on;

-- A node asks another one for rows as the user who asked, not as the owner of the view: who may read everything needs the tables. The
-- rest of the rights as they are here.
\echo '-- rights on every node'
SELECT format('GRANT USAGE ON SCHEMA dmarc_store TO whosends_read; GRANT SELECT ON %s TO whosends_read', string_agg(p.relation::text, ', ' ORDER BY p.place))
FROM dmarc_store.placements() p
WHERE NOT p.hidden AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'whosends_read')
HAVING count(*) > 0
\gexec
SELECT format('DO $rights$ BEGIN SET LOCAL citus.enable_ddl_propagation = off; %s; END $rights$', string_agg(o.what, '; ' ORDER BY o.what DESC)) AS rights
FROM (SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f.oid::regprocedure)
      FROM pg_proc f
      WHERE f.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace)
      UNION ALL
      SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', f.oid::regprocedure, a.grantee::regrole)
      FROM pg_proc f CROSS JOIN LATERAL aclexplode(f.proacl) a
      WHERE f.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND a.grantee NOT IN (0, f.proowner)
      UNION ALL
      SELECT format('GRANT %s ON %s %s TO %s', a.privilege_type, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass, a.grantee::regrole)
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
      WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace, 'dmarc_own'::regnamespace) AND c.relkind IN ('v', 'S') AND a.grantee NOT IN (0, c.relowner)
      UNION ALL
      SELECT format('GRANT %s ON SCHEMA %I TO %s', a.privilege_type, n.nspname, a.grantee::regrole)
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
      WHERE n.nspname IN ('dmarc', 'dmarc_store', 'dmarc_own') AND a.grantee NOT IN (0, n.nspowner)) o (what)
\gset
SELECT format('worker %s:%s: %s', c.nodename, c.nodeport, c.result) FROM run_command_on_workers(:'rights') c WHERE NOT c.success;

-- Many tasks of one statement over one connection to each node: so an upgrade may do with tables of both kinds what it has to in one
-- transaction. Two ingesters on different nodes may still wait for each other in a circle; Citus ends that, and the one that it
-- stopped stores its batch again.
\echo '-- settings of the database on every node'
SELECT format('ALTER DATABASE %I SET citus.multi_shard_modify_mode = %L', current_database(), 'sequential') AS setting
\gset
:setting;
SELECT format('worker %s:%s: %s', c.nodename, c.nodeport, c.result) FROM run_command_on_workers(:'setting') c WHERE NOT c.success;

\echo '-- looking whether every node has everything'
DO $do$
DECLARE
    counting text := $sql$
        SELECT (SELECT count(*) FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname IN ('dmarc', 'dmarc_store'))
               || ' functions, ' ||
               (SELECT count(*) FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace WHERE n.nspname IN ('dmarc', 'dmarc_store', 'dmarc_own') AND v.relkind = 'v')
               || ' views'
    $sql$;
    here text;
    bad  text;
BEGIN
    EXECUTE counting INTO here;
    SELECT string_agg(format('%s:%s has %s', c.nodename, c.nodeport, c.result), '; ') INTO bad
    FROM run_command_on_workers(counting) c WHERE NOT c.success OR c.result <> here;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'the coordinator has %, but %', here, bad;
    END IF;
    SELECT string_agg(p.relation::text, ', ') INTO bad FROM dmarc_store.placements() p
    WHERE NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = p.relation);
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'not distributed: %', bad;
    END IF;
END
$do$;
\echo '-- done'
