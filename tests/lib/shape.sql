-- The schema as lines of text, without the partitions of months: two databases have the same one when these are the same.
WITH things AS (
    SELECT c.oid, c.relname, c.relkind, c.relacl, c.reloptions, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('dmarc', 'dmarc_store') AND c.relname !~ '_[0-9]{6}(_|$)'
)
SELECT concat_ws(' ', t.nspname, t.relname, t.relkind, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(t.relacl) a), t.reloptions, obj_description(t.oid, 'pg_class'),
                 CASE t.relkind WHEN 'v' THEN md5(pg_get_viewdef(t.oid)) WHEN 'i' THEN pg_get_indexdef(t.oid) WHEN 'I' THEN pg_get_indexdef(t.oid) END)
FROM things t
UNION ALL
SELECT concat_ws(' ', t.nspname, t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, a.attnotnull, a.attstorage,
                 pg_get_expr(d.adbin, d.adrelid), col_description(t.oid, a.attnum))
FROM things t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
WHERE t.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT concat_ws(' ', t.nspname, t.relname, k.conname, pg_get_constraintdef(k.oid)) FROM things t JOIN pg_constraint k ON k.conrelid = t.oid
UNION ALL
SELECT concat_ws(' ', p.oid::regprocedure, md5(pg_get_functiondef(p.oid)), (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.proacl) a),
                 obj_description(p.oid, 'pg_proc'))
FROM pg_proc p WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace)
UNION ALL
SELECT concat_ws(' ', n.nspname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(n.nspacl) a)) FROM pg_namespace n WHERE n.nspname IN ('dmarc', 'dmarc_store')
UNION ALL
SELECT concat_ws(' ', v.version, v.name) FROM dmarc.schema_version v
UNION ALL
SELECT concat_ws(' ', r.hash, r.version) FROM dmarc.repeatable r
ORDER BY 1;
