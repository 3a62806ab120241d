-- Two sessions that made the same month at once: the second one, which had found no such table, waited for the first one and
-- then found none again. A name that was looked up is remembered as missing until a lock on a table brings the news.

CREATE OR REPLACE FUNCTION dmarc.ensure_month(d date, parent text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    first  date := date_trunc('month', d::timestamp)::date;
    last   date := (first + interval '1 month')::date;
    child  text := parent || '_' || to_char(first, 'YYYYMM');
    filled boolean;
BEGIN
    IF parent NOT IN ('report', 'observation') THEN
        RAISE EXCEPTION 'no table of months: %', parent;
    END IF;
    IF first < (now() - interval '3 years')::date OR first > (now() + interval '2 months')::date
       OR to_regclass(format('dmarc.%I', child)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.ensure_month.' || parent));
    IF to_regclass(format('dmarc.%I', child)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM dmarc.%I WHERE day >= %L AND day < %L)', parent || '_other', first, last) INTO filled;
    IF NOT filled THEN
        EXECUTE format('CREATE TABLE dmarc.%I PARTITION OF dmarc.%I FOR VALUES FROM (%L) TO (%L)', child, parent, first, last);
    END IF;
EXCEPTION WHEN check_violation OR duplicate_table THEN
    NULL; -- filled or made since we looked
END
$fn$;
