-- What a distributed database asks of the schema, checked on a plain one: what Citus refuses is nowhere. Each rule is seen to find
-- something once. The tables and their keys are those of dmarc_store.placements(), which sql/citus.sql goes by.
\ir support.sql

CREATE TEMP VIEW tab AS
SELECT c.oid, c.oid::regclass::text AS name, c.relkind, p.place, p.key, a.attnum, a.atttypid::regtype::text AS typ, a.attnotnull, a.attgenerated, co.collname
FROM pg_class c
LEFT JOIN dmarc_store.placements() p ON p.relation = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.key AND NOT a.attisdropped
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition;

-- What runs: functions, and views as they were understood.
CREATE TEMP VIEW code AS
SELECT p.oid::regprocedure::text AS name, p.proname::text AS short, p.prosrc AS body, l.lanname, p.pronargs FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace)
UNION ALL
SELECT c.oid::regclass::text, c.relname, pg_get_viewdef(c.oid), 'view', 0 FROM pg_class c
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('v', 'm');

CREATE TEMP VIEW broken AS
SELECT 'a table has its place' AS rule, t.name AS what FROM tab t WHERE t.place IS NULL
UNION ALL
SELECT 'it has its key column', t.name FROM tab t WHERE t.key IS NOT NULL AND t.attnum IS NULL
UNION ALL
SELECT 'the key column is never NULL', t.name FROM tab t WHERE t.attnum IS NOT NULL AND NOT t.attnotnull
UNION ALL
SELECT 'a domain is text COLLATE "C", not generated', t.name FROM tab t WHERE t.key = 'domain' AND (t.typ <> 'text' OR t.collname <> 'C' OR t.attgenerated <> '')
UNION ALL
SELECT 'what stands beside another table has a key of the same type', t.name FROM tab t
JOIN dmarc_store.placements() p ON p.relation = t.oid JOIN tab b ON b.oid = p.beside WHERE t.typ <> b.typ OR t.collname IS DISTINCT FROM b.collname
UNION ALL
SELECT 'unique keys hold the key as a plain column', i.indexrelid::regclass::text FROM tab t JOIN pg_index i ON i.indrelid = t.oid
WHERE (i.indisunique OR i.indisexclusion) AND NOT t.attnum = ANY (i.indkey::int2[])
UNION ALL
SELECT 'unique keys of partitioned tables hold the day', i.indexrelid::regclass::text FROM tab t JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_attribute d ON d.attrelid = t.oid AND d.attname = 'day'
WHERE t.relkind = 'p' AND i.indisunique AND NOT d.attnum = ANY (i.indkey::int2[])
UNION ALL
SELECT 'partitions go by day, which is a date', t.name FROM tab t JOIN pg_partitioned_table p ON p.partrelid = t.oid
JOIN pg_attribute d ON d.attrelid = t.oid AND d.attnum = ANY (p.partattrs::int2[])
WHERE p.partstrat <> 'r' OR d.attname <> 'day' OR d.atttypid <> 'date'::regtype
UNION ALL
SELECT 'no foreign key', k.conname FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
UNION ALL
SELECT 'no trigger', g.tgname FROM pg_trigger g JOIN tab t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'no rule', r.rulename FROM pg_rewrite r JOIN tab t ON t.oid = r.ev_class
UNION ALL
SELECT 'no inheritance', t.name FROM tab t JOIN pg_inherits h ON h.inhparent = t.oid WHERE t.relkind = 'r'
UNION ALL
SELECT 'sequences are bigint', s.seqrelid::regclass::text FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND s.seqtypid <> 'int8'::regtype
UNION ALL
-- Only so does it come to every node, with numbers of its own.
SELECT 'a sequence is the default of a column', c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind = 'S'
  AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid WHERE d.classid = 'pg_attrdef'::regclass AND d.refobjid = c.oid)
UNION ALL
SELECT 'names leave room for the number of a shard', c.relname FROM pg_class c
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND octet_length(c.relname) > 55
UNION ALL
SELECT 'keys have names of their own', k.conname FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid WHERE t.name LIKE 'dmarc_store.%' AND k.contype IN ('p', 'u') AND k.conname !~ '_(pk|uq)$'
UNION ALL
SELECT 'no materialized view, no foreign table', c.relname FROM pg_class c
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('m', 'f')
UNION ALL
SELECT 'no word that is refused across nodes', c.name FROM code c
WHERE c.body ~* '\m(grouping +sets|rollup|cube|with +recursive|merge +into|for +update|for +(no +key +)?update|for +(key +)?share|ctid|tableoid|tablesample|concurrently|offset)\M'
UNION ALL
SELECT 'an upsert sets what is immutable', c.name FROM code c
WHERE c.body ~* '\mdo +update +set[^;]*\m(now|random|clock_timestamp|statement_timestamp|transaction_timestamp|gen_random_uuid|nextval) *\('
   OR c.body ~* '\mdo +update +set[^;]*\m(current_timestamp|current_date|localtimestamp)\M'
UNION ALL
SELECT 'no look-up of stored rows for each row', c.name FROM code c WHERE c.body ~* '\mlateral *\([^;]{0,250}?\m(from|join) +dmarc(_store)?\.'
   OR c.body ~* '\mfrom +unnest *\([^;]{0,200}?\mwhere +(not +)?exists *\( *select[^;()]*\mfrom +dmarc(_store)?\.'
UNION ALL
-- It is fetched from all nodes, and has no column to be fetched.
SELECT 'EXISTS asks no table for any row at all', c.name FROM code c
WHERE c.lanname <> 'view' AND c.body ~* '\mexists *\( *select +from +dmarc(_store)?\.[%\w]+( +\w+)? *\)'
UNION ALL
SELECT 'RETURNING of many nodes tells what is immutable', c.name FROM code c
WHERE c.body ~* '\mreturning[^;]*\m(pg_column_size|now|random|clock_timestamp|nextval|to_char|date_trunc) *\('
UNION ALL
-- All nodes would call it, and none of them may ask the others.
SELECT 'a change takes no rows from a function', c.name FROM code c
WHERE c.body ~* '\m(update|delete +from) +dmarc(_store)?\.[^;]*?\m(from|using) +dmarc(_store)?\.\w+ *\('
UNION ALL
-- The table behind such a view would be read on behalf of who asks.
SELECT 'roles are looked up by themselves', c.name FROM code c
WHERE c.body ~* '\mfrom +dmarc(_store)?\.\w+\M(?! *\()[^;]*?\mpg_(roles|auth_members)\M' OR c.body ~* '\mpg_(roles|auth_members)\M[^;]*?\mfrom +dmarc(_store)?\.\w+\M(?! *\()'
UNION ALL
SELECT 'a subquery about a table stands beside no aggregate', c.name FROM code c
WHERE c.body ~* '\mselect +\(select[^();]*(\([^();]*\)[^();]*)*\), *(count|sum|min|max|array_agg|string_agg) *\('
UNION ALL
SELECT 'no function gets a whole row', c.name FROM code c WHERE c.body ~* '\mpg_column_size *\( *\w+ *\)'
UNION ALL
-- Nor does it go from there as one: it is of another type on each node.
SELECT 'no row of a table goes as a whole', c.name FROM code c WHERE c.body ~* '\m(\w+) +as +whole\M[^;]*?\mfrom +dmarc(_store)?\.\w+ +\1\M'
UNION ALL
SELECT 'the day is that of who asks', c.name FROM code c WHERE c.body ~* '\mcurrent_date\M' AND c.body !~ 'today date := current_date;'
UNION ALL
SELECT 'an SQL function with arguments asks no table', c.name FROM code c
WHERE c.lanname = 'sql' AND c.pronargs > 0 AND c.body ~* '\m(from|join|into|update) +dmarc(_store)?\.\w+(?! *\()\M(?! *\()'
UNION ALL
SELECT 'tables have their schema in front', c.name FROM code c JOIN dmarc_store.placements() p ON true
WHERE c.lanname <> 'view' AND c.body ~* ('\m(from|join|into|update|table) +' || split_part(p.relation::text, '.', 2) || '\M')
UNION ALL
SELECT 'only few functions make tables', c.name FROM code c
WHERE c.short NOT IN ('make_month', 'move_month', 'prune_month', 'settle') AND c.body ~* '\m(create|alter|drop|truncate) +(temp +)?(table|index|view|sequence|schema)\M'
UNION ALL
SELECT 'advisory locks are taken in few places', c.name FROM code c WHERE c.short NOT IN ('share', 'alone', 'make_month', 'move_month', 'lock_alone', 'fold_next') AND c.body ~* '\mpg_(try_)?advisory';

-- What each rule is to find: statements, and the name of what they make.
CREATE TEMP TABLE bad (rule text, sql text, what text);
INSERT INTO bad VALUES
('a table has its place', 'CREATE TABLE dmarc_store.stray (domain text)', 'dmarc_store.stray'),
('it has its key column', 'ALTER TABLE dmarc_store.unfolded DROP COLUMN domain CASCADE', 'dmarc_store.unfolded'),
('the key column is never NULL', 'ALTER TABLE dmarc_store.unfolded DROP CONSTRAINT unfolded_pk; ALTER TABLE dmarc_store.unfolded ALTER COLUMN domain DROP NOT NULL', 'dmarc_store.unfolded'),
('a domain is text COLLATE "C", not generated', 'ALTER TABLE dmarc_store.domain_day ALTER COLUMN domain TYPE varchar COLLATE "C" USING domain', 'dmarc_store.domain_day'),
('what stands beside another table has a key of the same type', 'ALTER TABLE dmarc_store.original ALTER COLUMN mail_sha256 TYPE text USING mail_sha256::text', 'dmarc_store.original'),
('unique keys hold the key as a plain column', 'CREATE UNIQUE INDEX odd_uq ON dmarc_store.tls_policy (lower(domain), day)', 'dmarc_store.odd_uq'),
('unique keys of partitioned tables hold the day', 'CREATE TABLE dmarc_store.gone (domain text, other int, day date) PARTITION BY RANGE (other); CREATE UNIQUE INDEX gone_uq ON dmarc_store.gone (domain, other)', 'dmarc_store.gone_uq'),
('partitions go by day, which is a date', 'CREATE TABLE dmarc_store.gone (domain text, day timestamptz) PARTITION BY RANGE (day)', 'dmarc_store.gone'),
('no foreign key', 'ALTER TABLE dmarc_store.sender_rule ADD CONSTRAINT odd_fk FOREIGN KEY (sender) REFERENCES dmarc_store.sender (key) NOT VALID', 'odd_fk'),
('no trigger', 'CREATE TRIGGER odd BEFORE UPDATE ON dmarc_store.evidence FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', 'odd'),
('no rule', 'CREATE RULE odd AS ON DELETE TO dmarc_store.original DO INSTEAD NOTHING', 'odd'),
('no inheritance', 'CREATE TABLE dmarc_store.heir () INHERITS (dmarc_store.evidence)', 'dmarc_store.evidence'),
('sequences are bigint', 'CREATE SEQUENCE dmarc_store.small AS int', 'dmarc_store.small'),
('a sequence is the default of a column', 'ALTER TABLE dmarc_store.message ALTER COLUMN id DROP DEFAULT', 'dmarc_store.message_id'),
('names leave room for the number of a shard', 'CREATE TABLE dmarc_store.' || repeat('a', 56) || ' (domain text)', repeat('a', 56)),
('keys have names of their own', 'ALTER TABLE dmarc_store.evidence ADD UNIQUE (domain, hash)', 'evidence_domain_hash_key'),
('no materialized view, no foreign table', 'CREATE MATERIALIZED VIEW dmarc.frozen AS SELECT 1 AS one', 'frozen'),
('no word that is refused across nodes', 'CREATE VIEW dmarc.odd AS SELECT r.domain, count(*) AS n FROM dmarc_store.report r GROUP BY ROLLUP (r.domain)', 'dmarc.odd'),
('an upsert sets what is immutable', 'CREATE FUNCTION dmarc_store.odd() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO dmarc_store.mailbox AS m VALUES ('''', 1, 1) ON CONFLICT (mailbox) DO UPDATE SET read_at = now(); END $$', 'dmarc_store.odd()'),
('no look-up of stored rows for each row', 'CREATE FUNCTION dmarc_store.odd(a text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT u.x FROM unnest(a) u (x) CROSS JOIN LATERAL (SELECT 1 FROM dmarc_store.report r WHERE r.domain = u.x LIMIT 1) l; END $$', 'dmarc_store.odd(text[])'),
('EXISTS asks no table for any row at all', 'CREATE FUNCTION dmarc_store.odd() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM dmarc_store.report); END $$', 'dmarc_store.odd()'),
('RETURNING of many nodes tells what is immutable', 'CREATE FUNCTION dmarc_store.odd() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY DELETE FROM dmarc_store.report r RETURNING pg_column_size(r); END $$', 'dmarc_store.odd()'),
('a change takes no rows from a function', 'CREATE FUNCTION dmarc_store.odd() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE dmarc_store.report r SET record_count = t.record_count FROM dmarc_store.true_totals(''2026-01-01'') t WHERE r.id = t.id; END $$', 'dmarc_store.odd()'),
('roles are looked up by themselves', 'CREATE FUNCTION dmarc_store.odd() RETURNS SETOF boolean LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.role) FROM dmarc_store.domain_grant g; END $$', 'dmarc_store.odd()'),
('a subquery about a table stands beside no aggregate', 'CREATE FUNCTION dmarc_store.odd() RETURNS SETOF bigint LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT (SELECT count(*) FROM dmarc_store.message), count(*) FROM dmarc_store.report; END $$', 'dmarc_store.odd()'),
('no row of a table goes as a whole', 'CREATE FUNCTION dmarc_store.odd() RETURNS SETOF dmarc_store.profile LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT (p.whole).* FROM (SELECT k AS whole FROM dmarc_store.profile k LIMIT 5) p; END $$', 'dmarc_store.odd()'),
('no function gets a whole row', 'CREATE FUNCTION dmarc_store.odd() RETURNS SETOF bigint LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT sum(pg_column_size(r)) FROM dmarc_store.report r; END $$', 'dmarc_store.odd()'),
('no look-up of stored rows for each row', 'CREATE FUNCTION dmarc_store.odd(a text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT d FROM unnest(a) d WHERE NOT EXISTS (SELECT r.domain FROM dmarc_store.report r WHERE r.domain = d); END $$', 'dmarc_store.odd(text[])'),
('the day is that of who asks', 'CREATE FUNCTION dmarc_store.odd() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM dmarc_store.report r WHERE r.day < current_date); END $$', 'dmarc_store.odd()'),
('an SQL function with arguments asks no table', 'CREATE FUNCTION dmarc_store.odd(a text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM dmarc_store.report r WHERE r.domain = a $$', 'dmarc_store.odd(text)'),
('tables have their schema in front', 'CREATE FUNCTION dmarc_store.odd() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM report); END $$', 'dmarc_store.odd()'),
('only few functions make tables', 'CREATE FUNCTION dmarc_store.odd() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE odd (); END $$', 'dmarc_store.odd()'),
('advisory locks are taken in few places', 'CREATE FUNCTION dmarc_store.odd() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(7710422); END $$', 'dmarc_store.odd()');

SELECT plan((SELECT 2 * count(*)::int + 2 FROM bad));

SELECT is((SELECT count(*) FROM tab), (SELECT count(*) FROM dmarc_store.placements()), 'all tables were found');
SELECT is((SELECT string_agg(DISTINCT p.key, ' ' ORDER BY p.key) FROM dmarc_store.placements() p), 'domain mail_sha256 sha256', 'a table goes by domain or by the hash of a mail');
SELECT is_empty(format('SELECT b.what FROM broken b WHERE b.rule = %L', b.rule), b.rule) FROM bad b;

-- Makes what is bad, and unmakes it.
CREATE FUNCTION pg_temp.found(bad_sql text, bad_rule text, bad_what text) RETURNS boolean LANGUAGE plpgsql AS $fn$
DECLARE
    seen boolean;
BEGIN
    BEGIN
        EXECUTE bad_sql;
        seen := EXISTS (SELECT FROM pg_temp.broken b WHERE b.rule = bad_rule AND b.what = bad_what);
        RAISE EXCEPTION 'unmade' USING ERRCODE = 'W0001';
    EXCEPTION WHEN SQLSTATE 'W0001' THEN
        RETURN seen;
    END;
END
$fn$;
SELECT ok(pg_temp.found(b.sql, b.rule, b.what), 'found: not ' || b.rule) FROM bad b;

SELECT finish();
ROLLBACK;
