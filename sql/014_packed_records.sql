-- Records are stored up to 64 a row, as arrays: most of what a row of its own took was not the record but the row. What was
-- dmarc_store.observation is a view of the same name now, with a row for each record.
--
-- Each piece of evidence is named once a row; evidence_at says for each record which it is. Rows stay below 2 kB, so that arrays
-- are neither compressed nor stored elsewhere.

-- The old table stays until no view needs it any more, see dmarc_store.settle().
ALTER TABLE dmarc_store.observation RENAME TO observation_before;
DROP FUNCTION IF EXISTS dmarc_store.count_staged();

-- In an order that leaves no gaps between columns.
CREATE TABLE dmarc_store.observed (
    report      bigint NOT NULL,
    day         date NOT NULL,
    first_ordinal int NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    evidence    uuid[] NOT NULL,
    evidence_at smallint[] NOT NULL,
    message_counts bigint[] NOT NULL,
    source_ips  inet[] NOT NULL,
    sources_raw text[],
    CONSTRAINT observed_ck CHECK (cardinality(message_counts) BETWEEN 1 AND 64 AND cardinality(evidence_at) = cardinality(message_counts)
                                  AND cardinality(source_ips) = cardinality(message_counts))
) PARTITION BY RANGE (day);
CREATE INDEX observed_ix ON dmarc_store.observed (domain, day, report);
CREATE TABLE dmarc_store.observed_other PARTITION OF dmarc_store.observed DEFAULT;

DO $do$
DECLARE
    month date;
BEGIN
    FOR month IN
        SELECT to_date(right(c.relname, 6), 'YYYYMM')
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'dmarc_store.observation_before'::regclass AND c.relname ~ '^observation_[0-9]{6}$'
    LOOP
        EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.observed FOR VALUES FROM (%L) TO (%L)',
                       'observed_' || to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date);
    END LOOP;
END
$do$;

-- Records with a long text in place of an address are the exception, and their rows may be longer.
INSERT INTO dmarc_store.observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips, sources_raw)
SELECT p.domain, p.day, p.report, p.first_ordinal, p.names,
       (SELECT array_agg(array_position(p.names, e.hash)::smallint ORDER BY e.n) FROM unnest(p.evidence) WITH ORDINALITY e (hash, n)),
       p.message_counts, p.source_ips, p.sources_raw
FROM (SELECT o.domain, o.day, o.report, min(o.ordinal) AS first_ordinal, array_agg(o.evidence ORDER BY o.ordinal) AS evidence,
             array_agg(DISTINCT o.evidence) AS names, array_agg(o.message_count ORDER BY o.ordinal) AS message_counts,
             array_agg(o.source_ip ORDER BY o.ordinal) AS source_ips,
             CASE WHEN count(o.source_raw) > 0 THEN array_agg(o.source_raw ORDER BY o.ordinal) END AS sources_raw
      FROM (SELECT x.*, x.ordinal - row_number() OVER (PARTITION BY x.domain, x.day, x.report ORDER BY x.ordinal) AS gap
            FROM dmarc_store.observation_before x) o
      GROUP BY o.domain, o.day, o.report, o.gap, (o.ordinal - 1) / 32) p;

-- The numbers from 1 to n, at most 64, as an array, of which the planner does not think that it were long.
CREATE FUNCTION dmarc_store.places(n int) RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT ('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64}'::int[])[1:n]
$fn$;

-- Arrays in a list of columns are taken apart side by side, without a store for each, as there would be in FROM. A condition on
-- row_ips is looked at before a row is taken apart.
CREATE VIEW dmarc_store.observation AS
SELECT o.domain, o.day, o.report, o.first_ordinal + r.place - 1 AS ordinal, r.source_ip, r.message_count, o.evidence[r.evidence_at] AS evidence, r.source_raw,
       o.source_ips AS row_ips
FROM dmarc_store.observed o
CROSS JOIN LATERAL (
    SELECT unnest(dmarc_store.places(cardinality(o.message_counts))) AS place, unnest(o.source_ips) AS source_ip,
           unnest(o.message_counts) AS message_count, unnest(o.evidence_at) AS evidence_at, unnest(o.sources_raw) AS source_raw
) r;
