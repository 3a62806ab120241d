-- The addresses of folded reports are stored side by side, as records are: most of what an address took was not the address but its
-- row and two indexes. What was dmarc_store.profile_source is a view of the same name now.

-- The old table stays until no view needs it any more, see dmarc_store.settle().
ALTER TABLE dmarc_store.profile_source RENAME TO profile_source_before;
DROP FUNCTION IF EXISTS dmarc_store.fold_next(bigint, bigint), dmarc_store.fold(bigint, bigint), dmarc_store.forget_sources(text, date, boolean, inet[]),
    dmarc_store.sources_of(text, text[], date, date, boolean);

-- A row has up to 48 addresses, so that it stays below 2 kB but where many profiles of IPv6 come together, and arrays are neither
-- compressed nor stored elsewhere. day: the first of the month; days: bit 0 stands for it. In an order that leaves no gaps between
-- columns.
CREATE TABLE dmarc_store.folded (
    day         date NOT NULL,
    doubtful    boolean NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    profiles    uuid[] NOT NULL,
    profile_at  smallint[] NOT NULL,
    source_ips  inet[] NOT NULL,
    days        int[] NOT NULL,
    CONSTRAINT folded_ck CHECK (cardinality(source_ips) BETWEEN 1 AND 48 AND cardinality(profile_at) = cardinality(source_ips)
                                AND cardinality(days) = cardinality(source_ips))
) PARTITION BY RANGE (day);
CREATE INDEX folded_ix ON dmarc_store.folded (domain, day);
CREATE TABLE dmarc_store.folded_other PARTITION OF dmarc_store.folded DEFAULT;

DO $do$
DECLARE
    month date;
BEGIN
    FOR month IN
        SELECT to_date(right(c.relname, 6), 'YYYYMM')
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'dmarc_store.profile_source_before'::regclass AND c.relname ~ '^profile_source_[0-9]{6}$'
    LOOP
        EXECUTE format('CREATE TABLE dmarc_store.%I PARTITION OF dmarc_store.folded FOR VALUES FROM (%L) TO (%L)',
                       'folded_' || to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date);
    END LOOP;
END
$do$;

INSERT INTO dmarc_store.folded (day, doubtful, domain, profiles, profile_at, source_ips, days)
SELECT p.day, p.doubtful, p.domain, array_agg(DISTINCT p.profile ORDER BY p.profile),
       array_agg(p.profile_at::smallint ORDER BY p.profile, p.source_ip), array_agg(p.source_ip ORDER BY p.profile, p.source_ip),
       array_agg(p.days ORDER BY p.profile, p.source_ip)
FROM (SELECT n.*, dense_rank() OVER (PARTITION BY n.domain, n.day, n.doubtful, n.pack ORDER BY n.profile) AS profile_at
      FROM (SELECT b.*, (row_number() OVER (PARTITION BY b.domain, b.day, b.doubtful ORDER BY b.profile, b.source_ip) - 1) / 48 AS pack
            FROM dmarc_store.profile_source_before b) n) p
GROUP BY p.domain, p.day, p.doubtful, p.pack
ORDER BY p.domain, p.day, p.doubtful, p.pack;

-- A condition on row_ips is looked at before a row is taken apart.
CREATE VIEW dmarc_store.profile_source AS
SELECT f.domain, f.day, r.source_ip, f.profiles[r.profile_at] AS profile, f.doubtful, r.days, f.source_ips AS row_ips
FROM dmarc_store.folded f
CROSS JOIN LATERAL (SELECT unnest(f.source_ips) AS source_ip, unnest(f.profile_at) AS profile_at, unnest(f.days) AS days) r;
