-- Counts of messages and of records are stored as numbers of four bytes: nearly all are small, and with records side by side their counts
-- were a fifth of what they took.

-- The old tables stay until no view needs them any more, see dmarc_store.settle().
DROP FUNCTION IF EXISTS dmarc_store.pack(dmarc_store.summed[]), dmarc_store.sums_of(text[], date[], bigint[], boolean[], int),
    dmarc_store.add_sums(text[], date[], bigint[], bigint[], boolean[], dmarc_store.summed[], int);
DROP INDEX dmarc_store.observed_ix, dmarc_store.summed_ix;
ALTER TABLE dmarc_store.observed RENAME TO observed_before;
ALTER TABLE dmarc_store.summed RENAME TO summed_before;
DO $do$
DECLARE
    child text;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('dmarc_store.observed_before'::regclass, 'dmarc_store.summed_before'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE dmarc_store.%I RENAME TO %I', child, child || '_before');
    END LOOP;
END
$do$;

-- In an order that leaves no gaps between columns. Where one count of a row is larger than an int, all of its counts are in
-- great_counts, and message_counts is NULL.
CREATE TABLE dmarc_store.observed (
    report      bigint NOT NULL,
    day         date NOT NULL,
    first_ordinal int NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    evidence    uuid[] NOT NULL,
    evidence_at smallint[] NOT NULL,
    message_counts int[],
    source_ips  inet[] NOT NULL,
    sources_raw text[],
    great_counts bigint[],
    CONSTRAINT observed_ck CHECK (cardinality(source_ips) BETWEEN 1 AND 64 AND cardinality(evidence_at) = cardinality(source_ips)
                                  AND num_nonnulls(message_counts, great_counts) = 1
                                  AND cardinality(message_counts) = cardinality(source_ips)
                                  AND cardinality(great_counts) = cardinality(source_ips))
) PARTITION BY RANGE (day);
CREATE INDEX observed_ix ON dmarc_store.observed (domain, day, report);
CREATE TABLE dmarc_store.observed_other PARTITION OF dmarc_store.observed DEFAULT;

CREATE TABLE dmarc_store.summed (
    day         date NOT NULL,
    doubtful    boolean NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    profiles    uuid[] NOT NULL,
    records     int[] NOT NULL,
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
    parent text;
    month  date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['observed', 'summed'] LOOP
        FOR month IN
            SELECT to_date(substring(c.relname FROM '([0-9]{6})_before$'), 'YYYYMM')
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('dmarc_store.%I', parent || '_before')::regclass AND c.relname ~ '_[0-9]{6}_before$'
        LOOP
            EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.%I FOR VALUES FROM (%L) TO (%L)',
                           parent || '_' || to_char(month, 'YYYYMM'), parent, month, (month + interval '1 month')::date);
        END LOOP;
    END LOOP;
END
$do$;

INSERT INTO dmarc_store.observed (report, day, first_ordinal, domain, evidence, evidence_at, message_counts, source_ips, sources_raw, great_counts)
SELECT o.report, o.day, o.first_ordinal, o.domain, o.evidence, o.evidence_at, CASE WHEN NOT g.great THEN o.message_counts::int[] END, o.source_ips,
       o.sources_raw, CASE WHEN g.great THEN o.message_counts END
FROM dmarc_store.observed_before o
CROSS JOIN LATERAL (SELECT 2147483647 < ANY (o.message_counts) AS great) g;

INSERT INTO dmarc_store.summed (day, doubtful, domain, profiles, records, messages, quarantined, rejected)
SELECT s.day, s.doubtful, s.domain, s.profiles, s.records::int[], s.messages, s.quarantined, s.rejected
FROM dmarc_store.summed_before s;

-- What a row's counts are, wherever they are.
CREATE FUNCTION dmarc_store.counts(message_counts int[], great_counts bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT coalesce($2, $1::bigint[])
$fn$;

CREATE OR REPLACE VIEW dmarc_store.observation AS
SELECT o.domain, o.day, o.report, o.first_ordinal + r.place - 1 AS ordinal, r.source_ip, r.message_count, o.evidence[r.evidence_at] AS evidence, r.source_raw,
       o.source_ips AS row_ips
FROM dmarc_store.observed o
CROSS JOIN LATERAL (
    SELECT unnest(dmarc_store.places(cardinality(o.source_ips))) AS place, unnest(o.source_ips) AS source_ip,
           unnest(dmarc_store.counts(o.message_counts, o.great_counts)) AS message_count, unnest(o.evidence_at) AS evidence_at,
           unnest(o.sources_raw) AS source_raw
) r;

CREATE OR REPLACE VIEW dmarc_store.profile_day AS
SELECT e.profile, e.records, s.day, s.doubtful, s.domain, e.messages, coalesce(e.quarantined, 0) AS quarantined, coalesce(e.rejected, 0) AS rejected
FROM dmarc_store.summed s
CROSS JOIN LATERAL (
    SELECT unnest(s.profiles) AS profile, unnest(s.records)::bigint AS records, unnest(s.messages) AS messages,
           unnest(s.quarantined) AS quarantined, unnest(s.rejected) AS rejected
) e;
