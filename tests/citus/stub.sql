-- Stands for Citus in a plain database: its tables and functions by name. What is to be distributed is noted, and nothing moves.
SET client_min_messages = warning;
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char" NOT NULL, partkey text, colocationid int NOT NULL);
CREATE TABLE pg_catalog.pg_dist_node (nodeid int PRIMARY KEY, groupid int NOT NULL, nodename text NOT NULL, nodeport int NOT NULL);
INSERT INTO pg_catalog.pg_dist_node VALUES (1, 0, 'coordinator', 5432), (2, 1, 'one', 5432), (3, 2, 'two', 5432);
CREATE TABLE pg_catalog.citus_told (n serial, what text NOT NULL);
GRANT SELECT ON pg_catalog.pg_dist_partition, pg_catalog.pg_dist_node TO PUBLIC;

CREATE FUNCTION pg_catalog.citus_is_coordinator() RETURNS boolean LANGUAGE sql AS 'SELECT true';

CREATE FUNCTION pg_catalog.note_distributed(table_name regclass, method "char", key text, beside text) RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = table_name) THEN
        RAISE EXCEPTION 'table "%" is already distributed', table_name;
    END IF;
    IF EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = table_name AND k.contype = 'f') OR
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = table_name AND NOT t.tgisinternal) THEN
        RAISE EXCEPTION 'cannot distribute relation "%"', table_name;
    END IF;
    INSERT INTO pg_dist_partition
    SELECT table_name, method, key,
           CASE WHEN method = 'n' THEN 0
                WHEN beside = 'none' THEN (SELECT coalesce(max(p.colocationid), 0) + 1 FROM pg_dist_partition p)
                ELSE (SELECT p.colocationid FROM pg_dist_partition p WHERE p.logicalrelid = beside::regclass) END;
END
$fn$;
CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $fn$
    SELECT note_distributed(table_name, 'n', NULL, NULL)
$fn$;
CREATE FUNCTION pg_catalog.create_distributed_table(table_name regclass, distribution_column text, colocate_with text DEFAULT 'default',
                                                    shard_count int DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    IF shard_count IS NOT NULL AND colocate_with <> 'none' THEN
        RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time';
    END IF;
    -- Each unique key holds the column.
    IF EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = distribution_column
               WHERE i.indrelid = table_name AND i.indisunique AND NOT a.attnum = ANY (i.indkey::int2[])) THEN
        RAISE EXCEPTION 'cannot create constraint on "%"', table_name;
    END IF;
    PERFORM note_distributed(table_name, 'h', distribution_column, colocate_with);
END
$fn$;
CREATE FUNCTION pg_catalog.truncate_local_data_after_distributing_table(table_name regclass) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO citus_told (what) SELECT 'truncated ' || table_name WHERE EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = table_name)
$fn$;
CREATE FUNCTION pg_catalog.run_command_on_all_nodes(command text, OUT nodeid int, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE sql AS $fn$
    SELECT n.nodeid, true, '100' FROM pg_dist_node n
$fn$;
-- A worker is this database.
CREATE FUNCTION pg_catalog.run_command_on_workers(command text, OUT nodename text, OUT nodeport int, OUT success boolean, OUT result text)
RETURNS SETOF record LANGUAGE plpgsql AS $fn$
DECLARE
    said text;
BEGIN
    INSERT INTO citus_told (what) VALUES (command);
    IF ltrim(command, E' \n') LIKE 'SELECT %' THEN
        EXECUTE command INTO said;
    ELSIF command NOT LIKE 'ALTER DATABASE %' THEN
        EXECUTE command;
    END IF;
    RETURN QUERY SELECT n.nodename, n.nodeport, true, coalesce(said, 'done') FROM pg_dist_node n WHERE n.groupid <> 0;
END
$fn$;
INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (16000, 'citus', 10, 'pg_catalog'::regnamespace, false, 'stub');
