-- How the sums of days are packed, and put together.
\ir support.sql
SELECT plan(16);

-- As text: how many sums and the first of them in each row, and what is NULL.
CREATE FUNCTION pg_temp.rows_of(sums dmarc_store.summed[]) RETURNS text LANGUAGE sql AS $fn$
    SELECT string_agg(concat_ws(' ', to_char(s.day, 'DD'), s.doubtful::int, cardinality(s.profiles), s.records[1], s.messages[1], s.quarantined[1], s.rejected[1]),
                      ', ' ORDER BY s.domain, s.day, s.doubtful, s.profiles)
    FROM unnest(sums) s
$fn$;
CREATE FUNCTION pg_temp.sums(first int, last int, messages numeric DEFAULT 1, records bigint DEFAULT 1, quarantined numeric DEFAULT NULL) RETURNS dmarc_store.summed
LANGUAGE sql AS $fn$
    SELECT ROW(date '2026-10-01', false, 'a.example', array_agg(lpad(to_hex(n), 32, '0')::uuid ORDER BY n DESC), array_agg(records), array_agg(messages),
               CASE WHEN quarantined IS NOT NULL THEN array_agg(quarantined) END, NULL)::dmarc_store.summed
    FROM generate_series(first, last) n
$fn$;

SELECT is(pg_temp.rows_of(dmarc_store.pack(ARRAY[pg_temp.sums(1, 70)])), '01 0 32 1 1, 01 0 32 1 1, 01 0 6 1 1', 'seventy profiles are three rows');
SELECT is((dmarc_store.pack(ARRAY[pg_temp.sums(1, 70)]))[2].profiles[1], '00000000-0000-0000-0000-000000000021'::uuid, 'in their order');
SELECT is(pg_temp.rows_of(dmarc_store.pack(ARRAY[pg_temp.sums(1, 2), pg_temp.sums(2, 3, 5)])), '01 0 3 1 1', 'two of one profile are one');
SELECT is((dmarc_store.pack(ARRAY[pg_temp.sums(1, 2), pg_temp.sums(2, 3, 5)]))[1].messages, '{1,6,5}', 'added up');
SELECT is(pg_temp.rows_of(dmarc_store.pack(ARRAY[pg_temp.sums(1, 2), pg_temp.sums(1, 1, -1, -1)])), '01 0 1 1 1', 'what is taken away is gone');
SELECT is(pg_temp.rows_of(dmarc_store.pack(ARRAY[pg_temp.sums(1, 2), pg_temp.sums(1, 2, -1, -1)])), NULL, 'and when nothing is left, all');
SELECT is(pg_temp.rows_of(dmarc_store.pack(ARRAY[pg_temp.sums(1, 32), pg_temp.sums(33, 40, 7, 1, 7)])), '01 0 32 1 1, 01 0 8 1 7 7', 'where nothing was quarantined it is not stored');
SELECT is(pg_temp.rows_of(dmarc_store.pack(NULL)), NULL, 'nothing comes of nothing');

-- ---- a batch ----

SELECT pg_temp.report(1, 'a.example', '2026-10-01'), pg_temp.report(2, 'a.example', '2026-10-01'), pg_temp.report(3, 'b.example', '2026-10-02') \g /dev/null
CREATE TEMP TABLE stage_report AS SELECT r.id, r.domain, r.day, r.record_count, r.trusted, r.foreign_domain FROM dmarc_store.report r;
CREATE TEMP TABLE stage_sum AS
SELECT 1::bigint AS report, md5(n::text)::uuid AS profile, 1::bigint AS records, n::text AS messages, '0'::text AS quarantined, '0'::text AS rejected FROM generate_series(1, 40) n
UNION ALL SELECT 2, md5(n::text)::uuid, 1, '1', '0', '1' FROM generate_series(1, 2) n
UNION ALL SELECT 3, md5(n::text)::uuid, 1, '1', '0', '0' FROM generate_series(1, 2) n;
SELECT dmarc_store.count_staged('{1,2,3}') \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', s.domain, cardinality(s.profiles), s.quarantined IS NULL), ', ' ORDER BY s.domain, cardinality(s.profiles)) FROM dmarc_store.summed s),
          'a.example 8 t, a.example 32 t, b.example 2 t', 'of a batch, what is too long for a row comes in several');
SELECT is((SELECT string_agg(concat_ws(' ', d.domain, d.messages, d.records, d.quarantined, d.rejected), ', ' ORDER BY d.domain)
           FROM (SELECT p.domain, sum(p.messages) AS messages, sum(p.records) AS records, sum(p.quarantined) AS quarantined, sum(p.rejected) AS rejected
                 FROM dmarc_store.profile_day p GROUP BY p.domain) d),
          'a.example 822 42 0 2, b.example 2 2 0 0', 'with all that was staged');

-- ---- putting together ----

SELECT is_empty($$ SELECT * FROM dmarc_store.compactable() $$, 'there is nothing to put together');
INSERT INTO dmarc_store.summed SELECT s.* FROM dmarc_store.summed s WHERE s.domain = 'b.example';
-- As many rows as there are to be, but most sums twice.
INSERT INTO dmarc_store.summed
SELECT s.day + 31, s.doubtful, s.domain, s.profiles, s.records, s.messages, s.quarantined, s.rejected
FROM unnest(ARRAY[pg_temp.sums(1, 30), pg_temp.sums(6, 35)]) s;
SELECT is(pg_temp.rows($$ SELECT * FROM dmarc_store.compactable() ORDER BY 1, 2 $$), E'(a.example,2026-11-01,2,0)\n(b.example,2026-10-01,2,1)',
          'where a day has more rows than it needs, or the same sums again and again');
SELECT is((SELECT sum(dmarc_store.compact(c.domain, c.month)) FROM dmarc_store.compactable() c), 1::numeric, 'the rows that go are counted');
SELECT is_empty($$ SELECT * FROM dmarc_store.compactable() $$, 'then nothing is left to do');
SELECT is((SELECT string_agg(concat_ws(' ', d.domain, d.day, d.messages, d.n), ', ' ORDER BY d.domain, d.day)
           FROM (SELECT p.domain, p.day, sum(p.messages) AS messages, count(*) AS n FROM dmarc_store.profile_day p GROUP BY p.domain, p.day) d),
          'a.example 2026-10-01 822 40, a.example 2026-11-01 60 35, b.example 2026-10-02 4 2', 'and the sums are what they were');

SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT matches(pg_temp.rows($$ EXPLAIN SELECT * FROM dmarc_store.profile_day d WHERE d.domain = 'a.example' AND d.day >= '2026-10-01' AND d.day < '2026-11-01' $$),
               'Index Cond: .*domain = .*day >= .*day <', 'who asks for a domain and days reads no other rows');

SELECT finish();
ROLLBACK;
