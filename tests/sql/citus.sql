-- What a distributed database asks of the schema, checked on a plain one: keys hold the policy domain, its type is the same
-- everywhere, nothing that cannot be distributed.
\ir support.sql
SELECT plan(16);

-- The same on every node: small lists. Of the ledger: by the hash of the mail, in the keys instead of the domain.
CREATE TEMP TABLE shared (relname) AS VALUES ('sender'), ('sender_rule'), ('schema_version'), ('repeatable'), ('mailbox'), ('pruning');
CREATE TEMP TABLE by_mail (relname, key) AS VALUES ('message', 'sha256'), ('document', 'mail_sha256'), ('original', 'mail_sha256'), ('reading', 'mail_sha256');

CREATE TEMP VIEW tab AS
SELECT c.oid, c.relname::text, c.relkind, a.attnum, a.atttypid::regtype::text AS typ, a.attnotnull, a.attgenerated, co.collname
FROM pg_class c
LEFT JOIN by_mail m ON m.relname = c.relname
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = coalesce(m.key, 'domain') AND NOT a.attisdropped
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname NOT IN (SELECT s.relname FROM shared s);
CREATE TEMP VIEW grows AS SELECT t.* FROM tab t WHERE t.relname NOT IN (SELECT m.relname FROM by_mail m);

SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM tab), 'document domain_day domain_grant evidence failure_report message observation original profile profile_day profile_source reading report tls_failure tls_policy tls_report unfolded', 'the tables were found');
SELECT is_empty('SELECT relname FROM tab WHERE attnum IS NULL', 'every table has its key column');
SELECT is_empty('SELECT relname FROM tab WHERE NOT attnotnull', 'the key column is never NULL');
SELECT is_empty($$ SELECT relname, typ, collname FROM grows WHERE typ <> 'text' OR collname <> 'C' OR attgenerated <> '' $$,
                'the domain is text COLLATE "C" everywhere');
SELECT is_empty($$
    SELECT i.indexrelid::regclass FROM tab t JOIN pg_index i ON i.indrelid = t.oid
    WHERE (i.indisunique OR i.indisexclusion) AND NOT t.attnum = ANY (i.indkey::int2[])
$$, 'unique keys hold it as a plain column');
SELECT is_empty($$
    SELECT i.indexrelid::regclass FROM tab t JOIN pg_index i ON i.indrelid = t.oid
    JOIN pg_attribute d ON d.attrelid = t.oid AND d.attname = 'day'
    WHERE t.relkind = 'p' AND i.indisunique AND NOT d.attnum = ANY (i.indkey::int2[])
$$, 'unique keys of partitioned tables hold the day');
SELECT is_empty($$
    SELECT t.relname FROM tab t JOIN pg_partitioned_table p ON p.partrelid = t.oid
    JOIN pg_attribute d ON d.attrelid = t.oid AND d.attnum = ANY (p.partattrs::int2[])
    WHERE p.partstrat <> 'r' OR d.attname <> 'day' OR d.atttypid <> 'date'::regtype
$$, 'partitions go by day, which is a date');
SELECT is_empty($$
    SELECT k.conname FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
$$, 'no foreign key slows the load');
SELECT is_empty($$
    SELECT tg.tgname FROM pg_trigger tg JOIN pg_class c ON c.oid = tg.tgrelid
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND NOT tg.tgisinternal
$$, 'no triggers');
SELECT is_empty($$
    SELECT r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind <> 'v'
$$, 'no rules');
SELECT is_empty($$ SELECT t.relname FROM tab t JOIN pg_inherits h ON h.inhparent = t.oid WHERE t.relkind = 'r' $$, 'no inheritance');
SELECT is_empty($$
    SELECT s.seqrelid::regclass FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND s.seqtypid <> 'int8'::regtype
$$, 'sequences are bigint');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND octet_length(c.relname) > 55
$$, 'names leave room for the number of a shard');
SELECT is_empty($$
    SELECT c.relname FROM pg_class c WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind IN ('m', 'f')
$$, 'no materialized views, no foreign tables');
SELECT is_empty($$
    SELECT c.relname, k.conname FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE c.relname IN (SELECT relname FROM tab) AND k.contype IN ('p', 'u') AND k.conname !~ '_(pk|uq)$'
$$, 'keys have names of their own');
SELECT is_empty($$
    SELECT n.what FROM (
        SELECT p.oid::regprocedure::text AS what, p.prosrc AS body FROM pg_proc p WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace)
        UNION ALL
        SELECT c.relname, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND c.relkind = 'v'
    ) n
    WHERE n.body ~* '\m(grouping +sets|rollup|cube|with +recursive|merge +into|for +update|for +share|ctid)\M'
$$, 'nothing that is refused across nodes');

SELECT finish();
ROLLBACK;
