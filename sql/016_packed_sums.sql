-- The daily sums of profiles are stored up to 32 a row, as arrays: most of what a row of its own took was not the sum but the row.
-- dmarc_store.profile_day is a view of the same name now, with a row for each sum.
--
-- Rows stay below 2 kB, so that arrays are neither compressed nor stored elsewhere.

-- The old table stays until no view needs it any more, see dmarc_store.settle().
DROP FUNCTION IF EXISTS dmarc_store.sums_of(text[], date[], bigint[], boolean[], int),
    dmarc_store.add_sums(text[], date[], bigint[], bigint[], boolean[], dmarc_store.profile_day[], int);
ALTER TABLE dmarc_store.profile_day RENAME TO profile_day_before;

-- In an order that leaves no gaps between columns. What is nothing but zeros is NULL.
CREATE TABLE dmarc_store.summed (
    day         date NOT NULL,
    doubtful    boolean NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    profiles    uuid[] NOT NULL,
    records     bigint[] NOT NULL,
    messages    numeric[] NOT NULL,
    quarantined numeric[],
    rejected    numeric[],
    CONSTRAINT summed_ck CHECK (cardinality(profiles) BETWEEN 1 AND 32 AND cardinality(records) = cardinality(profiles)
                                AND cardinality(messages) = cardinality(profiles) AND cardinality(quarantined) = cardinality(profiles)
                                AND cardinality(rejected) = cardinality(profiles))
) PARTITION BY RANGE (day);
CREATE INDEX summed_ix ON dmarc_store.summed (domain, day);
CREATE TABLE dmarc_store.summed_other PARTITION OF dmarc_store.summed DEFAULT;

DO $do$
DECLARE
    month date;
BEGIN
    FOR month IN
        SELECT to_date(right(c.relname, 6), 'YYYYMM')
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'dmarc_store.profile_day_before'::regclass AND c.relname ~ '^profile_day_[0-9]{6}$'
    LOOP
        EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.summed FOR VALUES FROM (%L) TO (%L)',
                       'summed_' || to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date);
    END LOOP;
END
$do$;

INSERT INTO dmarc_store.summed (day, doubtful, domain, profiles, records, messages, quarantined, rejected)
SELECT c.day, c.doubtful, c.domain, c.profiles[c.first:c.first + 31], c.records[c.first:c.first + 31], c.messages[c.first:c.first + 31],
       CASE WHEN 0 <> ANY (c.quarantined[c.first:c.first + 31]) THEN c.quarantined[c.first:c.first + 31] END,
       CASE WHEN 0 <> ANY (c.rejected[c.first:c.first + 31]) THEN c.rejected[c.first:c.first + 31] END
FROM (SELECT g.*, generate_series(1, cardinality(g.profiles), 32) AS first
      FROM (SELECT a.day, a.doubtful, a.domain, array_agg(a.profile) AS profiles, array_agg(a.records) AS records,
                   array_agg(a.messages) AS messages, array_agg(a.quarantined) AS quarantined, array_agg(a.rejected) AS rejected
            FROM (SELECT d.domain, d.day, d.doubtful, d.profile, sum(d.records)::bigint AS records, sum(d.messages) AS messages,
                         sum(d.quarantined) AS quarantined, sum(d.rejected) AS rejected
                  FROM dmarc_store.profile_day_before d
                  GROUP BY d.domain, d.day, d.doubtful, d.profile
                  HAVING sum(d.records) <> 0 OR sum(d.messages) <> 0
                  ORDER BY d.domain, d.day, d.doubtful, d.profile) a
            GROUP BY a.domain, a.day, a.doubtful) g) c;

-- As in dmarc_store.observation: arrays in a list of columns are taken apart side by side.
CREATE VIEW dmarc_store.profile_day AS
SELECT e.profile, e.records, s.day, s.doubtful, s.domain, e.messages, coalesce(e.quarantined, 0) AS quarantined, coalesce(e.rejected, 0) AS rejected
FROM dmarc_store.summed s
CROSS JOIN LATERAL (
    SELECT unnest(s.profiles) AS profile, unnest(s.records) AS records, unnest(s.messages) AS messages,
           unnest(s.quarantined) AS quarantined, unnest(s.rejected) AS rejected
) e;
