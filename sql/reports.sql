-- The reports: one function of schema dmarc each, so that shell, pages and SQL users get the same figures. All take the same four
-- arguments: a policy domain (NULL: all), the first day, the day after the last one (NULL: open), and whether to leave out
-- reports that somebody else sent in the reporter's name, or that are about a domain that is not ours. A day is the UTC day
-- on which the period of a report begins. What a better copy took the place of (`replaced`) counts nowhere.
--
-- summary, senders, timeline and reporters read sums alone, see sums.sql and sources.sql. Those that list addresses or tell of what
-- failed ask first what the evidence means, once for each piece (all of it, or that of the period, where more than its profile is
-- asked for), and then add up the records to the lines that this makes. PL/pgSQL with custom plans, so that the days given choose the
-- partitions; the planner's cost of a page is set for a catalogue that lies in memory. Merging and loops are off, because the planner
-- takes a pair of keys for far rarer than it is and would loop over the whole of what is meant for each row; so is Memoize, which keeps
-- what is taken apart only once.
--
-- They do as their owner and leave out, by themselves, what dmarc.visible() leaves out. Those that take long over all domains are made
-- of functions dmarc_store.NAME_among, which are told whose domains these are, see all_domains.sql.

-- What a trend is over: the days from the first to the last that was reported in the period, in equal parts of whole days, twelve at
-- most. A day that is still to come is a reporter's error, and would make all others small.
CREATE OR REPLACE FUNCTION dmarc_store.trend_over(policy_domain text, mine text[], since date, until date, only_trusted boolean,
                                                  OUT first date, OUT days int, OUT parts int)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
DECLARE
    today date := current_date; -- of this session's time zone, on whatever node
BEGIN
    SELECT min(t.day), max(t.day) - min(t.day) + 1 INTO first, days
    FROM dmarc_store.domain_day t
    WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
      AND t.day >= coalesce(since, '-infinity') AND t.day < least(until, today + 1) AND NOT (only_trusted AND t.doubtful);
    first := coalesce(first, today);
    days := coalesce(days, 1);
    parts := least(days, 12);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.trend_over(text, text[], date, date, boolean) IS 'The days that a trend is over: the first, how many, and in how many parts';

CREATE OR REPLACE FUNCTION dmarc_store.trend_part(day date, first date, days int, parts int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT least(greatest((day - first) * parts / days, 0), parts - 1)
$fn$;
COMMENT ON FUNCTION dmarc_store.trend_part(date, date, int, int) IS 'In which part of a trend a day lies, from 0';

-- A part may have a day more than another one, so the messages of a day are told.
CREATE OR REPLACE FUNCTION dmarc_store.trend_of(messages numeric[], days int, parts int) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    rates numeric[];
BEGIN
    FOR part IN 0..parts - 1 LOOP
        rates[part + 1] := coalesce(trim_scale(round(messages[part + 1] / (((part + 1) * days + parts - 1) / parts
                                                                           - (part * days + parts - 1) / parts), 3)), 0);
    END LOOP;
    RETURN rates;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.trend_of(numeric[], int, int) IS 'Messages a day in each part of a trend, by the messages of each; NULL: none';

CREATE OR REPLACE FUNCTION dmarc_store.senders_among(policy_domain text, mine text[], since date, until date, only_trusted boolean,
    span_first date, span_days int, span_parts int)
RETURNS TABLE (
    domain text,
    sender text,
    class text,
    messages numeric,
    share numeric,
    dkim_aligned numeric,
    spf_aligned numeric,
    sources bigint,
    first_seen date,
    last_seen date,
    confidence text,
    evidence text,
    known boolean,
    kind text,
    sender_key text,
    advice text,
    approved boolean,
    trend numeric[],
    hosts text[]
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_incremental_sort = off SET work_mem = '64MB'
AS $fn$
#variable_conflict use_column
DECLARE
    looked_up boolean := EXISTS (SELECT FROM dmarc_store.address a WHERE a.name IS NOT NULL);
    talked text[] := ARRAY(SELECT DISTINCT a.domain FROM dmarc_store.approval a); -- domains with a word of their owners
BEGIN
    RETURN QUERY
    WITH mail AS (
        SELECT d.domain, d.profile, sum(d.messages) AS messages, min(d.day) AS first_seen, max(d.day) AS last_seen,
               sum(d.messages) FILTER (WHERE d.part = 0) AS m0, sum(d.messages) FILTER (WHERE d.part = 1) AS m1, sum(d.messages) FILTER (WHERE d.part = 2) AS m2, sum(d.messages) FILTER (WHERE d.part = 3) AS m3,
               sum(d.messages) FILTER (WHERE d.part = 4) AS m4, sum(d.messages) FILTER (WHERE d.part = 5) AS m5, sum(d.messages) FILTER (WHERE d.part = 6) AS m6, sum(d.messages) FILTER (WHERE d.part = 7) AS m7,
               sum(d.messages) FILTER (WHERE d.part = 8) AS m8, sum(d.messages) FILTER (WHERE d.part = 9) AS m9, sum(d.messages) FILTER (WHERE d.part = 10) AS m10, sum(d.messages) FILTER (WHERE d.part = 11) AS m11
        FROM (SELECT t.domain, t.day, dmarc_store.trend_part(t.day, span_first, span_days, span_parts) AS part, unnest(t.profiles) AS profile,
                     unnest(t.records) AS records, unnest(t.messages) AS messages
              FROM dmarc_store.summed t
              WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                AND NOT (only_trusted AND t.doubtful)) d
        GROUP BY d.domain, d.profile
        HAVING sum(d.records) <> 0
    ), who AS MATERIALIZED (
        SELECT m.*, p.sender, p.class, p.known, p.kind, p.sender_key, p.dkim_aligned, p.spf_aligned, p.confidence, p.evidence_said, p.advice,
               p.header_from IS DISTINCT FROM m.domain AS subdomain,
               dense_rank() OVER (ORDER BY m.domain, p.sender, p.class, p.known, p.kind, p.sender_key) AS line
        FROM mail m
        LEFT JOIN dmarc_store.profile p ON p.domain = m.domain AND p.hash = m.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    ), maps AS MATERIALIZED (
        SELECT w.domain, array_agg(w.profile ORDER BY w.profile) AS profiles, array_agg(w.line ORDER BY w.profile) AS lines FROM who w GROUP BY w.domain
    ), packs AS MATERIALIZED (
        -- The line of each profile of a row, so that this is not looked up for each address.
        SELECT CASE WHEN s.profile_at IS NULL THEN dmarc_store.line_of(s.profiles[1], m.profiles, m.lines) END AS line,
               CASE WHEN s.profile_at IS NOT NULL
                    THEN ARRAY(SELECT dmarc_store.line_of(u.profile, m.profiles, m.lines) FROM unnest(s.profiles) u (profile)) END AS lines,
               s.profile_at, s.source_ips, s.days, s.wanted
        FROM dmarc_store.sources_of(policy_domain, mine, since, until, only_trusted) s
        JOIN maps m ON m.domain = s.domain
    ), located AS NOT MATERIALIZED (
        SELECT coalesce(r.line, r.lines[r.profile_at]) AS line, r.source_ip
        FROM (SELECT p.line, p.lines, p.wanted, unnest(p.profile_at) AS profile_at, unnest(p.source_ips) AS source_ip, unnest(p.days) AS days FROM packs p) r
        WHERE r.days & r.wanted IS DISTINCT FROM 0
    ), addresses AS (
        -- Told apart in arrays, one a line: to put rows of many lines into order takes longer.
        SELECT t.line, (SELECT count(DISTINCT u.v4) FROM (SELECT unnest(t.v4) AS v4) u) + (SELECT count(DISTINCT u.v6) FROM (SELECT unnest(t.v6) AS v6) u) AS sources
        FROM (SELECT l.line, array_agg(l.source_ip - '0.0.0.0') FILTER (WHERE family(l.source_ip) = 4) AS v4, array_agg(l.source_ip) FILTER (WHERE family(l.source_ip) = 6) AS v6 FROM located l GROUP BY l.line) t
    ), unnamed AS MATERIALIZED (
        SELECT DISTINCT l.line, l.source_ip FROM located l JOIN (SELECT DISTINCT w.line FROM who w WHERE NOT w.known) k ON k.line = l.line WHERE looked_up
    ), hosts AS (
        -- Whose machines these are, where nothing that passed names a sender of the catalogue. It says nothing about who may: anybody can
        -- rent one, and a provider sends for all its customers.
        SELECT h.line, array_agg(h.host ORDER BY h.n DESC, h.host) AS hosts, array_agg(h.n ORDER BY h.n DESC, h.host) AS counts,
               array_agg(h.host || '=' || h.n ORDER BY h.n DESC, h.host) AS said
        FROM (SELECT l.line, o.host, count(*) AS n
              FROM unnamed l
              JOIN dmarc_store.hosts_of((SELECT array_agg(DISTINCT x.source_ip) FROM unnamed x)) o ON o.source_ip = l.source_ip
              GROUP BY l.line, o.host) h
        GROUP BY h.line
    ), sums AS (
        SELECT w.line, w.domain, w.sender, w.class, w.known, w.kind, w.sender_key, sum(w.messages) AS messages,
               coalesce(sum(w.messages) FILTER (WHERE w.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(w.messages) FILTER (WHERE w.spf_aligned), 0) AS spf_aligned,
               min(w.first_seen) AS first_seen, max(w.last_seen) AS last_seen,
               (array_agg(w.confidence ORDER BY array_position(ARRAY['high', 'medium', 'low'], w.confidence), w.messages DESC, w.evidence_said))[1] AS confidence,
               (array_agg(w.evidence_said ORDER BY array_position(ARRAY['high', 'medium', 'low'], w.confidence), w.messages DESC, w.evidence_said))[1] AS evidence,
               -- Of several names in From: for the domain itself, whatever a forger sends more of.
               (array_agg(w.advice ORDER BY w.subdomain, w.messages DESC, w.evidence_said, w.advice))[1] AS advice,
               dmarc_store.trend_of(ARRAY[sum(w.m0), sum(w.m1), sum(w.m2), sum(w.m3), sum(w.m4), sum(w.m5), sum(w.m6), sum(w.m7), sum(w.m8), sum(w.m9), sum(w.m10), sum(w.m11)],
                                    span_days, span_parts) AS trend
        FROM who w
        GROUP BY w.line, w.domain, w.sender, w.class, w.known, w.kind, w.sender_key
    )
    SELECT s.domain, s.sender, s.class, s.messages, round(s.messages / nullif(sum(s.messages) OVER (PARTITION BY s.domain), 0), 6),
           s.dkim_aligned, s.spf_aligned, coalesce(a.sources, 0), s.first_seen, s.last_seen,
           CASE WHEN s.confidence = 'none' AND h.line IS NOT NULL THEN 'low' ELSE s.confidence END,
           s.evidence || coalesce('; ' || dmarc_store.hosts_said(h.hosts, h.counts, a.sources), ''), s.known, s.kind,
           s.sender_key, CASE WHEN s.class = 'authorised' AND w.approved IS FALSE
                              THEN 'it is disowned, and passes DMARC: take its keys and its SPF include out of the DNS of ' || s.domain
                              ELSE s.advice END, w.approved, s.trend, h.said
    FROM sums s
    CROSS JOIN LATERAL (SELECT CASE WHEN s.domain = ANY (talked) THEN dmarc_store.word_on(s.domain, s.sender_key, s.sender) END AS approved) w
    LEFT JOIN addresses a ON a.line = s.line
    LEFT JOIN hosts h ON h.line = s.line
    ORDER BY s.domain, s.messages DESC, s.sender, s.class;
END
$fn$;
SELECT dmarc_store.publish('senders', 'u.domain COLLATE "C", u.messages DESC, u.sender, u.class');
COMMENT ON FUNCTION dmarc.senders(text, date, date, boolean) IS 'Who sends as the domain: sender, class, messages, how many authenticate as the domain, the best evidence, and the trend: messages a day in up to twelve equal parts of the time from the first to the last report. Where nothing that passed names a sender of the catalogue: to whom how many of the addresses belong by confirmed reverse names (hosts, sender=addresses), which is in the evidence, too. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- Of pieces of evidence, each with a place below 2^24, the one with most messages, of equals the one with the greatest place: that of the
-- greatest of these numbers. More than 2^38 messages are as many.
CREATE OR REPLACE FUNCTION dmarc_store.best_of(messages bigint, place bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT (least($1, 1::bigint << 38) << 24) + $2
$fn$;
COMMENT ON FUNCTION dmarc_store.best_of(bigint, bigint) IS 'A number that grows with messages, and then with place: to find the place with most messages by max()';

CREATE OR REPLACE FUNCTION dmarc_store.place_in(best bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT $1 & ((1 << 24) - 1)
$fn$;
COMMENT ON FUNCTION dmarc_store.place_in(bigint) IS 'The place in what dmarc_store.best_of() made';

-- To sort many rows by messages, first by the one and then by the other: numbers of eight bytes sort in a fraction of the time that
-- numeric takes, and nearly all are.
CREATE OR REPLACE FUNCTION dmarc_store.sortable(messages numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT least(messages, 4611686018427387904)::bigint
$fn$;
COMMENT ON FUNCTION dmarc_store.sortable(numeric) IS 'Messages as a number that is quick to sort by, 2^62 at most';

CREATE OR REPLACE FUNCTION dmarc_store.beyond(messages numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN messages > 4611686018427387904 THEN messages END
$fn$;
COMMENT ON FUNCTION dmarc_store.beyond(numeric) IS 'Messages where dmarc_store.sortable() cannot tell how many; else NULL';

CREATE OR REPLACE FUNCTION dmarc_store.sources_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    source_ip inet,
    sender text,
    class text,
    messages numeric,
    share numeric,
    dkim_aligned numeric,
    spf_aligned numeric,
    first_seen date,
    last_seen date,
    confidence text,
    evidence text,
    sender_key text,
    reverse_name text,
    network cidr,
    country text,
    as_number bigint,
    as_name text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_mergejoin = off SET enable_nestloop = off SET enable_sort = off
SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH judged AS MATERIALIZED (
        -- What there is evidence for, whenever it was seen. place: the evidence of a line is that of the record with most messages, of equals
        -- the first by its text.
        SELECT c.domain, c.hash, c.sender, c.class, c.sender_key, c.confidence, c.evidence_said, c.rule, c.dkim_aligned, c.spf_aligned,
               row_number() OVER (ORDER BY c.evidence_said DESC) AS place, dense_rank() OVER (ORDER BY c.domain) AS nth,
               dense_rank() OVER (ORDER BY c.domain, c.sender, c.class, c.sender_key) AS line
        FROM dmarc_store.profile c
        WHERE (policy_domain IS NULL OR c.domain = lower(policy_domain)) AND (mine IS NULL OR c.domain = ANY (mine))
    ), meant AS MATERIALIZED (
        SELECT e.domain, e.hash, j.line, j.place, j.rule, j.dkim_aligned, j.spf_aligned
        FROM dmarc_store.evidence e
        JOIN judged j ON j.domain = e.domain AND j.hash = e.profile
        WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine))
    ), sums AS (
        -- Records are taken apart before they are joined: in the view, the planner may do that for each piece of evidence.
        SELECT j.line, o.source_ip, sum(o.message_count) AS messages,
               coalesce(sum(o.message_count) FILTER (WHERE j.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(o.message_count) FILTER (WHERE j.spf_aligned), 0) AS spf_aligned,
               min(o.day) AS first_seen, max(o.day) AS last_seen, dmarc_store.place_in(max(dmarc_store.best_of(o.message_count, j.place))) AS place,
               bool_and(j.rule = 'nothing') AS nameless
        FROM (SELECT r.domain, r.day, r.evidence, unnest(r.evidence_at) AS evidence_at, unnest(r.source_ips) AS source_ip,
                     unnest(dmarc_store.counts(r.message_counts, r.great_counts)) AS message_count
              FROM dmarc_store.observed r
              WHERE (policy_domain IS NULL OR r.domain = lower(policy_domain)) AND (mine IS NULL OR r.domain = ANY (mine))
                AND r.day >= coalesce(since, '-infinity') AND r.day < coalesce(until, 'infinity')
                AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc_store.report t WHERE t.domain = r.domain AND t.day = r.day AND t.id = r.report
                                                                                AND (t.trusted IS FALSE OR t.foreign_domain)))) o
        JOIN meant j ON j.domain = o.domain AND j.hash = o.evidence[o.evidence_at]
        GROUP BY j.line, o.source_ip
    ), lines AS MATERIALIZED (
        SELECT s.*, row_number() OVER (ORDER BY dmarc_store.sortable(s.messages) DESC, dmarc_store.beyond(s.messages) DESC NULLS LAST, s.source_ip,
                                                  s.nameless, s.line) AS rank
        FROM sums s
    ), wholes AS MATERIALIZED (
        SELECT t.domain, sum(t.messages) AS messages
        FROM dmarc_store.domain_day t
        WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
          AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity') AND NOT (only_trusted AND t.doubtful)
        GROUP BY t.domain
    )
    -- Where nothing passed, a confirmed reverse name that the catalogue knows gives the name, and never changes the class: anybody
    -- may rent a machine. What rows are sorted by is ranked before the texts are joined to them: rows with these are too many bytes for
    -- the processor's cache.
    SELECT b.domain, l.source_ip, CASE WHEN n.named AND l.nameless THEN (n.who).name ELSE b.sender END, b.class, l.messages,
           round(l.messages / nullif(w.messages, 0), 6), l.dkim_aligned, l.spf_aligned,
           l.first_seen, l.last_seen, CASE WHEN n.named AND l.nameless THEN 'low' ELSE b.confidence END,
           CASE WHEN n.named AND l.nameless THEN b.evidence_said || '; reverse name ' || n.name || ', confirmed' ELSE b.evidence_said END,
           CASE WHEN n.named AND l.nameless THEN (n.who).key ELSE b.sender_key END, n.name, n.network, n.country, n.as_number, n.as_name
    FROM lines l
    JOIN judged b ON b.place = l.place
    LEFT JOIN wholes w ON w.domain = b.domain
    LEFT JOIN (
        SELECT m.*, m.nameless AND (m.who).key IS NOT NULL AS named
        FROM (SELECT a.source_ip, a.name, a.network, a.country, a.as_number, a.as_name, w.nameless,
                     CASE WHEN w.nameless AND a.name IS NOT NULL THEN dmarc_store.sender_by_name(a.name) END AS who
              FROM (SELECT x.source_ip, bool_or(x.nameless) AS nameless FROM lines x GROUP BY x.source_ip) w
              JOIN dmarc_store.address a ON a.source_ip = w.source_ip) m
    ) n ON n.source_ip = l.source_ip
    WHERE policy_domain IS NULL OR b.domain = lower(policy_domain) -- which all are; but then it need not be sorted by
    ORDER BY (b.nth << 40) + l.rank;
END
$fn$;
SELECT dmarc_store.publish('sources', 'u.domain COLLATE "C", u.messages DESC, u.source_ip, u.class = ''unknown'' AND u.evidence LIKE ''nothing passed%'',
                             u.sender, u.class, u.sender_key COLLATE "C"');
COMMENT ON FUNCTION dmarc.sources(text, date, date, boolean) IS 'The addresses that send as the domain, and who is behind each. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc.reporters(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    reporter text,
    org_name text,
    reports bigint,
    records numeric,
    messages numeric,
    dkim_aligned numeric,
    spf_aligned numeric,
    disagree numeric,
    incomplete bigint,
    warnings text[],
    first_seen date,
    last_seen date
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    RETURN QUERY
    WITH heads AS (
        SELECT h.*
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
    ), warned AS (
        SELECT w.domain, w.reporter, array_agg(w.code || '=' || w.reports ORDER BY w.reports DESC, w.code) AS codes
        FROM (SELECT c.domain, c.reporter, c.code, count(*) AS reports
              FROM (SELECT h.domain, h.reporter, h.day, h.id, u.code
                    FROM heads h CROSS JOIN LATERAL unnest(h.warnings) u (code)
                    UNION
                    -- What it came in: once for a report, however often it came.
                    SELECT h.domain, h.reporter, h.day, h.id, u.code
                    FROM heads h JOIN dmarc_store.document d ON d.domain = h.domain AND d.day = h.day AND d.report = h.id
                    CROSS JOIN LATERAL unnest(d.warnings) u (code)
                    WHERE d.kind = 'aggregate' AND d.warnings IS NOT NULL AND d.report IS NOT NULL) c
              GROUP BY c.domain, c.reporter, c.code) w
        GROUP BY w.domain, w.reporter
    )
    SELECT h.domain, h.reporter, (array_agg(h.org_name ORDER BY h.period_end DESC, h.org_name))[1], count(*),
           coalesce(sum(h.record_count), 0), coalesce(sum(h.message_count), 0), coalesce(sum(h.dkim_aligned_count), 0),
           coalesce(sum(h.spf_aligned_count), 0), coalesce(sum(h.disagree_count), 0), count(*) FILTER (WHERE h.incomplete),
           w.codes, min(h.day), max(h.day)
    FROM heads h
    LEFT JOIN warned w ON w.domain = h.domain AND w.reporter = h.reporter
    GROUP BY h.domain, h.reporter, w.codes
    ORDER BY h.domain, coalesce(sum(h.message_count), 0) DESC, h.reporter;
END
$fn$;
COMMENT ON FUNCTION dmarc.reporters(text, date, date, boolean) IS 'Who reports about the domain, how much, how often its verdicts differ from its own results, and which warnings how many of its reports carry (code=reports). Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc.disagreements(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                    only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    reporter text,
    records bigint,
    messages numeric,
    share numeric,
    reports bigint,
    first_seen date,
    last_seen date,
    example text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_mergejoin = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    RETURN QUERY
    WITH bad AS MATERIALIZED (
        SELECT e.domain, e.hash
        FROM dmarc_store.evidence e
        WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine)) AND e.disagree
    ), found AS MATERIALIZED (
        SELECT o.domain, o.day, o.report, count(*) AS records, sum(o.message_count) AS messages, max(o.message_count) AS most
        FROM (SELECT r.domain, r.day, r.report, r.evidence, unnest(r.evidence_at) AS evidence_at, unnest(dmarc_store.counts(r.message_counts, r.great_counts)) AS message_count
              FROM dmarc_store.observed r
              WHERE (policy_domain IS NULL OR r.domain = lower(policy_domain)) AND (mine IS NULL OR r.domain = ANY (mine))
                AND r.day >= coalesce(since, '-infinity') AND r.day < coalesce(until, 'infinity')) o
        JOIN bad b ON b.domain = o.domain AND b.hash = o.evidence[o.evidence_at]
        GROUP BY o.domain, o.day, o.report
    ), heads AS MATERIALIZED (
        SELECT h.domain, h.day, h.id, h.reporter, h.message_count
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
    ), who AS MATERIALIZED (
        SELECT h.domain, h.reporter, sum(f.records)::bigint AS records, sum(f.messages) AS messages,
               round(sum(f.messages) / nullif(sum(h.message_count), 0), 6) AS share, count(f.most) AS reports, max(f.most) AS most,
               min(f.day) AS first_seen, max(f.day) AS last_seen,
               (array_agg(f.day ORDER BY f.most DESC NULLS LAST, f.day DESC, f.report))[1] AS example_day,
               (array_agg(f.report ORDER BY f.most DESC NULLS LAST, f.day DESC, f.report))[1] AS example_report
        FROM heads h
        LEFT JOIN found f ON f.domain = h.domain AND f.day = h.day AND f.report = h.id
        GROUP BY h.domain, h.reporter
        HAVING count(f.most) > 0
    ), examples AS MATERIALIZED (
        SELECT o.domain, o.day, o.report, o.ordinal,
               concat_ws(' ', host(o.source_ip), 'From: ' || e.header_from, 'said dkim=' || e.dkim_verdict || ' spf=' || e.spf_verdict || ',',
                         'its results say dkim=' || CASE WHEN e.dkim_aligned THEN 'pass' ELSE 'fail' END
                         || ' spf=' || CASE WHEN e.spf_aligned THEN 'pass' ELSE 'fail' END) AS example
        FROM who w
        JOIN dmarc_store.observation o ON o.domain = w.domain AND o.day = w.example_day AND o.report = w.example_report
        JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
        WHERE e.disagree AND o.message_count = w.most
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
    ), shown AS (
        SELECT DISTINCT ON (x.domain, x.day, x.report) x.domain, x.day, x.report, x.example
        FROM examples x
        ORDER BY x.domain, x.day, x.report, x.ordinal
    )
    SELECT w.domain, w.reporter, w.records, w.messages, w.share, w.reports, w.first_seen, w.last_seen, x.example
    FROM who w
    JOIN shown x ON x.domain = w.domain AND x.day = w.example_day AND x.report = w.example_report
    ORDER BY w.domain, w.messages DESC, w.reporter;
END
$fn$;
COMMENT ON FUNCTION dmarc.disagreements(text, date, date, boolean) IS 'Reporters whose verdicts differ from their own results: how often, for which share of the messages they tell of, and the example with most messages. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc.timeline(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                          only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    day date,
    messages numeric,
    passed numeric,
    pass_share numeric,
    authorised numeric,
    misconfigured numeric,
    forwarded numeric,
    unknown numeric,
    dkim_aligned numeric,
    spf_aligned numeric,
    quarantined numeric,
    rejected numeric,
    reports bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    RETURN QUERY
    SELECT lower(policy_domain), t.day, sum(t.messages), sum(t.passed), round(sum(t.passed) / nullif(sum(t.messages), 0), 6),
           sum(t.authorised), sum(t.misconfigured), sum(t.forwarded), sum(t.unknown), sum(t.dkim_aligned), sum(t.spf_aligned),
           sum(t.quarantined), sum(t.rejected), sum(t.reports)::bigint
    FROM dmarc_store.domain_day t
    WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
      AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
      AND NOT (only_trusted AND t.doubtful)
    GROUP BY t.day
    ORDER BY t.day;
END
$fn$;
COMMENT ON FUNCTION dmarc.timeline(text, date, date, boolean) IS 'One row for each day with a report, of one domain or of all together: messages, how many passed DMARC, and the four classes. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc_store.failures_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    sender text,
    class text,
    header_from text,
    dkim text,
    spf text,
    disposition text,
    overrides text[],
    messages numeric,
    sources bigint,
    disagree boolean,
    first_seen date,
    last_seen date,
    sender_key text,
    advice text,
    dkim_why text,
    dkim_selector text,
    spf_why text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_mergejoin = off SET enable_nestloop = off SET enable_sort = off
SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    -- Whether there are so many records that to judge all evidence, whenever it was seen, takes less time than to find out which was.
    many boolean := (SELECT coalesce(sum(t.records), 0) FROM dmarc_store.domain_day t
                     WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                       AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity'))
                    > 30 * (SELECT count(*) FROM dmarc_store.evidence e
                            WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine)));
BEGIN
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT DISTINCT o.domain, unnest(o.evidence) AS evidence
        FROM dmarc_store.observed o
        WHERE NOT many AND (policy_domain IS NULL OR o.domain = lower(policy_domain)) AND (mine IS NULL OR o.domain = ANY (mine))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
    ), told AS MATERIALIZED (
        SELECT e.domain, e.hash AS evidence, c.sender, c.class, c.sender_key, c.advice, e.header_from, e.disposition, e.reason_types AS overrides, e.disagree,
               e.dkim_domains, e.dkim_selectors, e.dkim_results, e.spf_domains, e.spf_scopes, e.spf_results,
               dmarc_store.telling_dkim(e.header_from, e.domain, e.dkim_domains, e.dkim_results) AS dkim_at,
               dmarc_store.telling_spf(e.header_from, e.domain, e.spf_domains, e.spf_scopes, e.spf_results) AS spf_at
        FROM dmarc_store.evidence e
        LEFT JOIN seen s ON s.domain = e.domain AND s.evidence = e.hash
        LEFT JOIN dmarc_store.profile c ON c.domain = e.domain AND c.hash = e.profile AND (policy_domain IS NULL OR c.domain = lower(policy_domain))
        WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine))
          AND NOT e.dkim_aligned AND NOT e.spf_aligned AND (many OR s.evidence IS NOT NULL)
    ), advices AS MATERIALIZED (
        SELECT d.advice, row_number() OVER (ORDER BY d.advice) AS advice_no FROM (SELECT DISTINCT t.advice FROM told t WHERE t.advice IS NOT NULL) d
    ), judged AS (
        SELECT t.domain, t.evidence, t.sender, t.class, t.sender_key, a.advice_no, t.header_from, t.disposition, t.overrides, t.disagree,
               dmarc_store.dkim_said(t.dkim_at, t.dkim_domains, t.dkim_selectors, t.dkim_results) AS dkim,
               dmarc_store.spf_said(t.spf_at, t.spf_domains, t.spf_scopes, t.spf_results) AS spf,
               dmarc_store.why_not(t.dkim_at, t.header_from, t.domain, t.dkim_domains, NULL, t.dkim_results) AS dkim_why,
               t.dkim_selectors[t.dkim_at] AS dkim_selector,
               dmarc_store.why_not(t.spf_at, t.header_from, t.domain, t.spf_domains, t.spf_scopes, t.spf_results) AS spf_why
        FROM told t
        LEFT JOIN advices a ON a.advice = t.advice
    ), kinds AS MATERIALIZED (
        SELECT row_number() OVER () AS line, j.domain, j.sender, j.class, j.header_from, j.dkim, j.spf, j.disposition, j.overrides, j.disagree, j.sender_key,
               j.dkim_why, j.dkim_selector, j.spf_why, array_agg(j.evidence) AS evidence, array_agg(j.advice_no) AS advice_nos
        FROM judged j
        GROUP BY j.domain, j.sender, j.class, j.header_from, j.dkim, j.spf, j.disposition, j.overrides, j.disagree, j.sender_key, j.dkim_why, j.dkim_selector,
                 j.spf_why
    ), meant AS MATERIALIZED (
        SELECT k.domain, k.line, unnest(k.evidence) AS evidence, unnest(k.advice_nos) AS advice_no FROM kinds k
    ), lines AS MATERIALIZED (
        -- Records are taken apart before they are joined: in the view, the planner may do that for each piece of evidence.
        SELECT m.line, sum(o.message_count) AS messages, count(DISTINCT dmarc_store.v4(o.source_ip)) + count(DISTINCT dmarc_store.v6(o.source_ip)) AS sources,
               min(o.day) AS first_seen, max(o.day) AS last_seen, min(m.advice_no) AS advice_no
        FROM (SELECT r.domain, r.day, r.evidence, unnest(r.evidence_at) AS evidence_at, unnest(r.source_ips) AS source_ip,
                     unnest(dmarc_store.counts(r.message_counts, r.great_counts)) AS message_count
              FROM dmarc_store.observed r
              WHERE (policy_domain IS NULL OR r.domain = lower(policy_domain)) AND (mine IS NULL OR r.domain = ANY (mine))
                AND r.day >= coalesce(since, '-infinity') AND r.day < coalesce(until, 'infinity')
                AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc_store.report t WHERE t.domain = r.domain AND t.day = r.day AND t.id = r.report
                                                                                AND (t.trusted IS FALSE OR t.foreign_domain)))) o
        JOIN meant m ON m.domain = o.domain AND m.evidence = o.evidence[o.evidence_at]
        GROUP BY m.line
    )
    SELECT k.domain, k.sender, k.class, k.header_from, k.dkim, k.spf, k.disposition, k.overrides, l.messages, l.sources, k.disagree, l.first_seen,
           l.last_seen, k.sender_key, a.advice, k.dkim_why, k.dkim_selector, k.spf_why
    FROM lines l
    JOIN kinds k ON k.line = l.line
    LEFT JOIN advices a ON a.advice_no = l.advice_no
    WHERE policy_domain IS NULL OR k.domain = lower(policy_domain)
    ORDER BY k.domain, l.messages DESC, k.sender, k.class, k.header_from, k.dkim, k.spf, k.disposition, k.overrides, k.disagree;
END
$fn$;
SELECT dmarc_store.publish('failures', 'u.domain COLLATE "C", u.messages DESC, u.sender, u.class, u.header_from COLLATE "C", u.dkim, u.spf, u.disposition, u.overrides, u.disagree');
COMMENT ON FUNCTION dmarc.failures(text, date, date, boolean) IS 'Mail that does not pass DMARC, and why: what DKIM and SPF found, what was done, and which reason the reporter gave. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc_store.summary_among(policy_domain text, mine text[], since date, until date, only_trusted boolean,
    span_first date, span_days int, span_parts int)
RETURNS TABLE (
    domain text,
    messages numeric,
    passed numeric,
    pass_share numeric,
    authorised numeric,
    misconfigured numeric,
    forwarded numeric,
    unknown numeric,
    dkim_aligned numeric,
    spf_aligned numeric,
    quarantined numeric,
    rejected numeric,
    policy text,
    senders bigint,
    sources bigint,
    reporters bigint,
    reports bigint,
    first_seen date,
    last_seen date,
    trend numeric[]
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_incremental_sort = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mail AS (
        SELECT t.domain, sum(t.messages) AS messages, sum(t.passed) AS passed, sum(t.authorised) AS authorised,
               sum(t.misconfigured) AS misconfigured, sum(t.forwarded) AS forwarded, sum(t.unknown) AS unknown,
               sum(t.dkim_aligned) AS dkim_aligned, sum(t.spf_aligned) AS spf_aligned, sum(t.quarantined) AS quarantined,
               sum(t.rejected) AS rejected,
               dmarc_store.trend_of(ARRAY[sum(t.messages) FILTER (WHERE t.part = 0), sum(t.messages) FILTER (WHERE t.part = 1), sum(t.messages) FILTER (WHERE t.part = 2),
                                          sum(t.messages) FILTER (WHERE t.part = 3), sum(t.messages) FILTER (WHERE t.part = 4), sum(t.messages) FILTER (WHERE t.part = 5),
                                          sum(t.messages) FILTER (WHERE t.part = 6), sum(t.messages) FILTER (WHERE t.part = 7), sum(t.messages) FILTER (WHERE t.part = 8),
                                          sum(t.messages) FILTER (WHERE t.part = 9), sum(t.messages) FILTER (WHERE t.part = 10), sum(t.messages) FILTER (WHERE t.part = 11)],
                                    span_days, span_parts) AS trend
        FROM (SELECT d.domain, dmarc_store.trend_part(d.day, span_first, span_days, span_parts) AS part, d.messages, d.passed, d.authorised,
                     d.misconfigured, d.forwarded, d.unknown, d.dkim_aligned, d.spf_aligned, d.quarantined, d.rejected
              FROM dmarc_store.domain_day d
              WHERE (policy_domain IS NULL OR d.domain = lower(policy_domain)) AND (mine IS NULL OR d.domain = ANY (mine))
                AND d.day >= coalesce(since, '-infinity') AND d.day < coalesce(until, 'infinity')
                AND NOT (only_trusted AND d.doubtful)) t
        GROUP BY t.domain
    ), names AS (
        SELECT n.domain, count(*) AS senders
        FROM (SELECT DISTINCT d.domain, p.sender
              FROM (SELECT e.domain, e.profile
                    FROM (SELECT t.domain, unnest(t.profiles) AS profile, unnest(t.records) AS records
                          FROM dmarc_store.summed t
                          WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                            AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                            AND NOT (only_trusted AND t.doubtful)) e
                    GROUP BY e.domain, e.profile
                    HAVING sum(e.records) <> 0) d
              LEFT JOIN dmarc_store.profile p ON p.domain = d.domain AND p.hash = d.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))) n
        GROUP BY n.domain
    ), addresses AS (
        SELECT r.domain, count(DISTINCT dmarc_store.v4(r.source_ip)) + count(DISTINCT dmarc_store.v6(r.source_ip)) AS sources
        FROM (SELECT p.domain, p.wanted, unnest(p.source_ips) AS source_ip, unnest(p.days) AS days
              FROM dmarc_store.sources_of(policy_domain, mine, since, until, only_trusted) p
              ORDER BY p.domain) r
        WHERE r.days & r.wanted IS DISTINCT FROM 0
        GROUP BY r.domain
    ), heads AS (
        SELECT h.domain, count(*) AS reports, count(DISTINCT h.reporter) AS reporters, min(h.day) AS first_seen, max(h.day) AS last_seen,
               (array_agg(h.p ORDER BY h.period_end DESC, h.id DESC) FILTER (WHERE h.p IS NOT NULL))[1] AS policy
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
        GROUP BY h.domain
    )
    SELECT h.domain, coalesce(m.messages, 0), coalesce(m.passed, 0), round(m.passed / nullif(m.messages, 0), 6),
           coalesce(m.authorised, 0), coalesce(m.misconfigured, 0), coalesce(m.forwarded, 0), coalesce(m.unknown, 0),
           coalesce(m.dkim_aligned, 0), coalesce(m.spf_aligned, 0), coalesce(m.quarantined, 0), coalesce(m.rejected, 0),
           h.policy, coalesce(n.senders, 0), coalesce(a.sources, 0), h.reporters, h.reports, h.first_seen, h.last_seen, m.trend
    FROM heads h
    LEFT JOIN mail m ON m.domain = h.domain
    LEFT JOIN names n ON n.domain = h.domain
    LEFT JOIN addresses a ON a.domain = h.domain
    ORDER BY coalesce(m.messages, 0) DESC, h.domain;
END
$fn$;
SELECT dmarc_store.publish('summary', 'u.messages DESC, u.domain COLLATE "C"');
COMMENT ON FUNCTION dmarc.summary(text, date, date, boolean) IS 'One row for each domain: messages, how many passed DMARC, the four classes, what was done, the policy last seen, and the trend: messages a day in up to twelve equal parts of the time from the first to the last report. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- One address or network over all time, for all policy domains.
CREATE OR REPLACE FUNCTION dmarc.addresses(network inet, since date DEFAULT NULL, until date DEFAULT NULL)
RETURNS TABLE (
    source_ip inet,
    domain text,
    sender text,
    class text,
    days bigint,
    first_seen date,
    last_seen date,
    evidence text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    RETURN QUERY
    WITH sent AS (
        SELECT x.source_ip, x.domain, p.sender, p.class, p.evidence_said, x.day, x.days
        FROM (SELECT s.source_ip, s.domain, s.profile, s.day,
                     s.days & dmarc.days_of(s.day, coalesce(since, '-infinity'), coalesce(until, 'infinity')) AS days
              FROM dmarc_store.profile_source s
              WHERE network >>= ANY (s.row_ips) AND s.source_ip <<= network AND (mine IS NULL OR s.domain = ANY (mine))
                AND s.day >= coalesce(date_trunc('month', since::timestamp)::date, '-infinity') AND s.day < coalesce(until, 'infinity')
              UNION ALL
              SELECT s.source_ip, s.domain, s.profile, date_trunc('month', s.day::timestamp)::date,
                     1 << (extract(day FROM s.day)::int - 1)
              FROM dmarc_store.fresh_source s
              WHERE network >>= ANY (s.row_ips) AND s.source_ip <<= network AND (mine IS NULL OR s.domain = ANY (mine))
                AND s.day >= coalesce(since, '-infinity') AND s.day < coalesce(until, 'infinity')) x
        JOIN dmarc_store.profile p ON p.domain = x.domain AND p.hash = x.profile
    ), months AS (
        SELECT t.source_ip, t.domain, t.sender, t.class, t.day, bit_or(t.days) AS days, min(t.evidence_said) AS evidence
        FROM sent t
        WHERE t.days <> 0
        GROUP BY t.source_ip, t.domain, t.sender, t.class, t.day
    )
    SELECT m.source_ip, m.domain, m.sender, m.class, sum(length(replace(m.days::bit(31)::text, '0', ''))),
           min(dmarc.first_of(m.day, m.days)), max(dmarc.last_of(m.day, m.days)), min(m.evidence)
    FROM months m
    GROUP BY m.source_ip, m.domain, m.sender, m.class
    ORDER BY m.source_ip, m.domain, m.sender, m.class;
END
$fn$;
COMMENT ON FUNCTION dmarc.addresses(inet, date, date) IS 'As which policy domains an address, or the addresses of a network, sent, as whom, and on how many days. Arguments: address or network, first day, day after the last';
