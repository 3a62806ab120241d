-- More reports, made like those of reports.sql: networks, policies, overrides and sub-domains; and records by whom they are of.

CREATE OR REPLACE FUNCTION dmarc_store.networks_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    network cidr,
    sender text,
    class text,
    messages numeric,
    share numeric,
    sources bigint,
    dkim_aligned numeric,
    spf_aligned numeric,
    first_seen date,
    last_seen date,
    confidence text,
    evidence text,
    sender_key text
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
        SELECT c.domain, c.hash, c.sender, c.class, c.sender_key, c.confidence, c.evidence_said, c.dkim_aligned, c.spf_aligned,
               row_number() OVER (ORDER BY c.evidence_said DESC) AS place,
               dense_rank() OVER (ORDER BY c.domain, c.sender, c.class, c.sender_key) AS line
        FROM dmarc_store.profile c
        WHERE (policy_domain IS NULL OR c.domain = lower(policy_domain)) AND (mine IS NULL OR c.domain = ANY (mine))
    ), meant AS MATERIALIZED (
        SELECT e.domain, e.hash, j.line, j.place, j.dkim_aligned, j.spf_aligned
        FROM dmarc_store.evidence e
        JOIN judged j ON j.domain = e.domain AND j.hash = e.profile
        WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine))
    ), seen AS (
        -- Records are taken apart before they are joined: in the view, the planner may do that for each piece of evidence.
        SELECT j.line, o.source_ip, sum(o.message_count) AS messages,
               coalesce(sum(o.message_count) FILTER (WHERE j.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(o.message_count) FILTER (WHERE j.spf_aligned), 0) AS spf_aligned,
               min(o.day) AS first_seen, max(o.day) AS last_seen, max(dmarc_store.best_of(o.message_count, j.place)) AS best
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
        SELECT s.line, network(set_masklen(s.source_ip, CASE WHEN family(s.source_ip) = 4 THEN 24 ELSE 48 END))::cidr AS network,
               sum(s.messages) AS messages, count(s.source_ip) AS sources, sum(s.dkim_aligned) AS dkim_aligned, sum(s.spf_aligned) AS spf_aligned,
               min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen, dmarc_store.place_in(max(s.best)) AS place
        FROM seen s
        GROUP BY s.line, network(set_masklen(s.source_ip, CASE WHEN family(s.source_ip) = 4 THEN 24 ELSE 48 END))::cidr
    ), wholes AS MATERIALIZED (
        SELECT t.domain, sum(t.messages) AS messages
        FROM dmarc_store.domain_day t
        WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
          AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity') AND NOT (only_trusted AND t.doubtful)
        GROUP BY t.domain
    )
    SELECT b.domain, l.network, b.sender, b.class, l.messages, round(l.messages / nullif(w.messages, 0), 6), l.sources, l.dkim_aligned,
           l.spf_aligned, l.first_seen, l.last_seen, b.confidence, b.evidence_said, b.sender_key
    FROM lines l
    JOIN judged b ON b.place = l.place
    LEFT JOIN wholes w ON w.domain = b.domain
    WHERE policy_domain IS NULL OR b.domain = lower(policy_domain) -- which all are; but then it need not be sorted by
    ORDER BY b.domain, dmarc_store.sortable(l.messages) DESC, dmarc_store.beyond(l.messages) DESC NULLS LAST, l.network, b.sender, b.class;
END
$fn$;
SELECT dmarc_store.publish('networks', 'u.domain COLLATE "C", u.messages DESC, u.network, u.sender, u.class');
COMMENT ON FUNCTION dmarc.networks(text, date, date, boolean) IS 'The networks that send as the domain, of 256 addresses (/24) or a usual site of IPv6 (/48), who is behind each, and how many addresses. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- The policy as most reporters saw it on each day, by what all of them report: p, sp, adkim and aspf, with what the absence of one
-- stands for. Of those that agree, np, pct and t are taken where anybody tells them.
CREATE OR REPLACE FUNCTION dmarc_store.policy_spans(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (domain text, first_seen date, last_seen date, p text, sp text, np text, adkim text, aspf text, pct int, testing text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    today date := current_date; -- a day that is still to come is a reporter's error
BEGIN
    RETURN QUERY
    WITH heads AS MATERIALIZED (
        SELECT h.domain, h.day, h.reporter, (h.p || '/' || coalesce(h.sp, h.p) || '/' || coalesce(h.adkim, 'r') || '/' || coalesce(h.aspf, 'r'))
               COLLATE "C" AS policy, h.np, h.pct, h.testing, h.message_count, h.period_end
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < least(coalesce(until, 'infinity'), today + 1)
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain)) AND h.p IS NOT NULL
    ), days AS MATERIALIZED (
        SELECT h.domain, h.day, min(h.policy) AS policy, max(h.policy) AS policy_else, min(h.np) AS np, max(h.np) AS np_else,
               min(h.pct) AS pct, max(h.pct) AS pct_else, min(h.testing) AS testing, max(h.testing) AS testing_else
        FROM heads h
        GROUP BY h.domain, h.day
    ), votes AS (
        -- Where reporters differ, each has one vote.
        SELECT r.domain, r.day, r.policy, count(*) AS reporters, sum(r.messages) AS messages, max(r.latest) AS latest
        FROM (SELECT h.domain, h.day, h.reporter, h.policy, sum(h.message_count) AS messages, max(h.period_end) AS latest
              FROM days d JOIN heads h ON h.domain = d.domain AND h.day = d.day
              WHERE d.policy <> d.policy_else
              GROUP BY h.domain, h.day, h.reporter, h.policy) r
        GROUP BY r.domain, r.day, r.policy
    ), chosen AS (
        SELECT DISTINCT ON (v.domain, v.day) v.domain, v.day, v.policy
        FROM votes v
        ORDER BY v.domain, v.day, v.reporters DESC, v.messages DESC, v.latest DESC, v.policy
    ), mixed AS (
        SELECT m.domain, m.day, m.policy, mode() WITHIN GROUP (ORDER BY h.np) AS np, mode() WITHIN GROUP (ORDER BY h.pct) AS pct,
               mode() WITHIN GROUP (ORDER BY h.testing) AS testing
        FROM (SELECT d.domain, d.day, coalesce(c.policy, d.policy) AS policy
              FROM days d LEFT JOIN chosen c ON c.domain = d.domain AND c.day = d.day
              WHERE c.domain IS NOT NULL OR d.np <> d.np_else OR d.pct <> d.pct_else OR d.testing <> d.testing_else) m
        JOIN heads h ON h.domain = m.domain AND h.day = m.day AND h.policy = m.policy
        GROUP BY m.domain, m.day, m.policy
    ), seen AS (
        SELECT d.domain, d.day, CASE WHEN m.domain IS NULL THEN d.policy ELSE m.policy END AS policy, CASE WHEN m.domain IS NULL THEN d.np ELSE m.np END AS np,
               CASE WHEN m.domain IS NULL THEN d.pct ELSE m.pct END AS pct, CASE WHEN m.domain IS NULL THEN d.testing ELSE m.testing END AS testing
        FROM days d LEFT JOIN mixed m ON m.domain = d.domain AND m.day = d.day
    ), spanned AS MATERIALIZED (
        SELECT t.domain, t.day, t.policy, t.np, t.pct, t.testing, count(*) FILTER (WHERE t.turned) OVER (PARTITION BY t.domain ORDER BY t.day) AS span
        FROM (SELECT s.*, lag(s.policy) OVER (PARTITION BY s.domain ORDER BY s.day) IS DISTINCT FROM s.policy AS turned FROM seen s) t
    ), spans AS MATERIALIZED (
        SELECT s.domain, s.span, s.policy, min(s.day) AS first_seen, max(s.day) AS last_seen, min(s.np) AS np, min(s.pct) AS pct, min(s.testing) AS testing,
               coalesce(min(s.np) <> max(s.np), false) OR coalesce(min(s.pct) <> max(s.pct), false)
               OR coalesce(min(s.testing) <> max(s.testing), false) AS parted
        FROM spanned s
        GROUP BY s.domain, s.span, s.policy
    ), told AS (
        -- Which value of np, pct and t this is, counted from the first that was told: days that tell none have the last one.
        SELECT s.*, greatest(count(s.np) OVER w, 1) AS np_no, greatest(count(s.pct) OVER w, 1) AS pct_no,
               greatest(count(s.testing) OVER w, 1) AS testing_no
        FROM spanned s JOIN spans p ON p.domain = s.domain AND p.span = s.span
        WHERE p.parted
        WINDOW w AS (PARTITION BY s.domain, s.span ORDER BY s.day)
    ), carried AS (
        SELECT t.domain, t.day, t.span, t.policy, max(t.np) OVER (PARTITION BY t.domain, t.span, t.np_no) AS np,
               max(t.pct) OVER (PARTITION BY t.domain, t.span, t.pct_no) AS pct,
               max(t.testing) OVER (PARTITION BY t.domain, t.span, t.testing_no) AS testing
        FROM told t
    ), renewed AS (
        SELECT c.*, (lag(ROW(c.np, c.pct, c.testing)) OVER w IS DISTINCT FROM ROW(c.np, c.pct, c.testing))::int AS turned
        FROM carried c
        WINDOW w AS (PARTITION BY c.domain, c.span ORDER BY c.day)
    ), numbered AS (
        SELECT r.*, sum(r.turned) OVER (PARTITION BY r.domain, r.span ORDER BY r.day) AS part FROM renewed r
    )
    SELECT u.domain, u.first_seen, u.last_seen, split_part(u.policy, '/', 1), split_part(u.policy, '/', 2), u.np, split_part(u.policy, '/', 3),
           split_part(u.policy, '/', 4), coalesce(u.pct, 100), coalesce(u.testing, 'n')
    FROM (SELECT s.domain, s.first_seen, s.last_seen, s.policy, s.np, s.pct, s.testing FROM spans s WHERE NOT s.parted
          UNION ALL
          SELECT n.domain, min(n.day), max(n.day), n.policy, n.np, n.pct, n.testing
          FROM numbered n
          GROUP BY n.domain, n.span, n.part, n.policy, n.np, n.pct, n.testing) u
    ORDER BY u.domain, u.first_seen;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.policy_spans(text, text[], date, date, boolean) IS 'The published policy as most reporters saw it: a row for each span of days with the same one';

CREATE OR REPLACE FUNCTION dmarc.policies(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                          only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    first_seen date,
    last_seen date,
    p text,
    sp text,
    np text,
    adkim text,
    aspf text,
    pct int,
    testing text,
    reports bigint,
    reporters bigint,
    messages numeric,
    differing bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    RETURN QUERY
    WITH runs AS MATERIALIZED (
        SELECT s.* FROM dmarc_store.policy_spans(policy_domain, mine, since, until, only_trusted) s
    ), heads AS (
        SELECT h.domain, h.day, h.reporter, h.p, coalesce(h.sp, h.p) AS sp, coalesce(h.adkim, 'r') AS adkim, coalesce(h.aspf, 'r') AS aspf,
               h.message_count
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain)) AND h.p IS NOT NULL
    )
    SELECT u.domain, u.first_seen, u.last_seen, u.p, u.sp, u.np, u.adkim, u.aspf, u.pct, u.testing,
           count(*) FILTER (WHERE a.same), count(DISTINCT h.reporter) FILTER (WHERE a.same),
           coalesce(sum(h.message_count) FILTER (WHERE a.same), 0), count(*) FILTER (WHERE NOT a.same)
    FROM runs u
    JOIN heads h ON h.domain = u.domain AND h.day BETWEEN u.first_seen AND u.last_seen
    CROSS JOIN LATERAL (SELECT (h.p, h.sp, h.adkim, h.aspf) = (u.p, u.sp, u.adkim, u.aspf) AS same) a
    GROUP BY u.domain, u.first_seen, u.last_seen, u.p, u.sp, u.np, u.adkim, u.aspf, u.pct, u.testing
    ORDER BY u.domain, u.first_seen;
END
$fn$;
COMMENT ON FUNCTION dmarc.policies(text, date, date, boolean) IS 'The published policy as most reporters saw it: a row for each span of days with the same one, how many reports tell of it, and how many of something else (differing). Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc_store.overrides_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    type text,
    disposition text,
    messages numeric,
    share numeric,
    reporters bigint,
    sources bigint,
    example_comment text,
    first_seen date,
    last_seen date
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    marked_domains text[];
    marked_hashes  uuid[];
BEGIN
    -- As arrays, so that workers can tell which records it is about.
    SELECT array_agg(e.domain), array_agg(e.hash) INTO marked_domains, marked_hashes
    FROM dmarc_store.evidence e
    WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine))
      AND (e.reason_types IS NOT NULL OR e.reason_raw IS NOT NULL);
    RETURN QUERY
    WITH marked AS MATERIALIZED (
        -- A type counts once for a record, however often it is there.
        SELECT e.domain, e.hash, e.disposition, coalesce(r.type, r.raw) AS type, min(r.comment) AS comment
        FROM dmarc_store.evidence e
        CROSS JOIN LATERAL unnest(e.reason_types, e.reason_raw, e.reason_comments) r (type, raw, comment)
        WHERE (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine))
          AND (e.reason_types IS NOT NULL OR e.reason_raw IS NOT NULL) AND coalesce(r.type, r.raw) IS NOT NULL
        GROUP BY e.domain, e.hash, e.disposition, coalesce(r.type, r.raw)
    ), heads AS MATERIALIZED (
        SELECT h.domain, h.day, h.id, h.reporter
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
    ), found AS MATERIALIZED (
        SELECT s.domain, s.day, s.report, k.hash AS evidence, s.source_ip, s.message_count
        FROM (SELECT r.domain, r.day, r.report, r.evidence, unnest(r.evidence_at) AS evidence_at, unnest(r.source_ips) AS source_ip,
                     unnest(dmarc_store.counts(r.message_counts, r.great_counts)) AS message_count
              FROM dmarc_store.observed r
              WHERE (policy_domain IS NULL OR r.domain = lower(policy_domain)) AND (mine IS NULL OR r.domain = ANY (mine))
                AND r.day >= coalesce(since, '-infinity') AND r.day < coalesce(until, 'infinity')) s
        JOIN unnest(marked_domains, marked_hashes) k (domain, hash) ON k.domain = s.domain AND k.hash = s.evidence[s.evidence_at]
    ), sent AS (
        SELECT s.domain, s.evidence, s.source_ip, h.reporter, sum(s.message_count) AS messages, min(s.day) AS first_seen, max(s.day) AS last_seen
        FROM found s
        JOIN heads h ON h.domain = s.domain AND h.day = s.day AND h.id = s.report
        GROUP BY s.domain, s.evidence, s.source_ip, h.reporter
    ), whole AS MATERIALIZED (
        SELECT t.domain, sum(t.messages) AS messages
        FROM dmarc_store.domain_day t
        WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
          AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
          AND NOT (only_trusted AND t.doubtful)
        GROUP BY t.domain
    )
    SELECT s.domain, m.type, m.disposition, sum(s.messages), round(sum(s.messages) / nullif(w.messages, 0), 6),
           count(DISTINCT s.reporter), count(DISTINCT s.source_ip),
           (array_agg(m.comment ORDER BY s.messages DESC, m.comment) FILTER (WHERE m.comment IS NOT NULL))[1], min(s.first_seen), max(s.last_seen)
    FROM sent s
    JOIN marked m ON m.domain = s.domain AND m.hash = s.evidence
    LEFT JOIN whole w ON w.domain = s.domain
    GROUP BY s.domain, m.type, m.disposition, w.messages
    ORDER BY s.domain, sum(s.messages) DESC, m.type, m.disposition;
END
$fn$;
SELECT dmarc_store.publish('overrides', 'u.domain COLLATE "C", u.messages DESC, u.type, u.disposition');
COMMENT ON FUNCTION dmarc.overrides(text, date, date, boolean) IS 'The reasons that reporters gave for an evaluation or a disposition other than the policy''s: each type and what was done, with the share of all messages of the domain, and an example of their remarks. A message with two reasons is in two rows. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc_store.subdomains_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    header_from text,
    messages numeric,
    share numeric,
    passed numeric,
    pass_share numeric,
    senders bigint,
    sources bigint,
    authorised numeric,
    misconfigured numeric,
    forwarded numeric,
    unknown numeric,
    policy text,
    first_seen date,
    last_seen date
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off SET enable_sort = off
SET enable_incremental_sort = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH published AS (
        SELECT DISTINCT ON (p.domain) p.*
        FROM dmarc_store.policy_spans(policy_domain, mine, since, until, only_trusted) p
        ORDER BY p.domain, p.first_seen DESC
    ), mail AS (
        SELECT d.domain, d.profile, sum(d.messages) AS messages, min(d.day) AS first_seen, max(d.day) AS last_seen
        FROM (SELECT t.domain, t.day, unnest(t.profiles) AS profile, unnest(t.messages) AS messages
              FROM dmarc_store.summed t
              WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                AND NOT (only_trusted AND t.doubtful)) d
        GROUP BY d.domain, d.profile
    ), who AS MATERIALIZED (
        SELECT m.domain, m.profile, m.messages, m.first_seen, m.last_seen, p.header_from, p.sender, p.class,
               p.dkim_aligned OR p.spf_aligned AS passes, dense_rank() OVER (ORDER BY m.domain, p.header_from) AS line
        FROM mail m
        LEFT JOIN dmarc_store.profile p ON p.domain = m.domain AND p.hash = m.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    ), maps AS MATERIALIZED (
        SELECT w.domain, array_agg(w.profile ORDER BY w.profile) AS profiles, array_agg(w.line ORDER BY w.profile) AS lines FROM who w GROUP BY w.domain
    ), packs AS MATERIALIZED (
        -- The line of each profile of a row, so that this is not looked up for each address: mostly one and the same.
        SELECT ARRAY(SELECT dmarc_store.line_of(u.profile, m.profiles, m.lines) FROM unnest(s.profiles) u (profile)) AS lines,
               s.profile_at, s.source_ips, s.days, s.wanted
        FROM dmarc_store.sources_of(policy_domain, mine, since, until, only_trusted) s
        JOIN maps m ON m.domain = s.domain
    ), located AS (
        -- Rows of one line are sorted before they are taken apart.
        (SELECT o.line, o.source_ip
         FROM (SELECT p.lines[1] AS line, p.wanted, unnest(p.source_ips) AS source_ip, unnest(p.days) AS days
               FROM packs p WHERE p.lines[1] = ALL (p.lines) ORDER BY p.lines[1]) o
         WHERE o.days & o.wanted IS DISTINCT FROM 0
         ORDER BY o.line)
        UNION ALL
        (SELECT r.lines[r.profile_at] AS line, r.source_ip
         FROM (SELECT p.lines, p.wanted, unnest(p.profile_at) AS profile_at, unnest(p.source_ips) AS source_ip, unnest(p.days) AS days
               FROM packs p WHERE (p.lines[1] = ALL (p.lines)) IS NOT TRUE) r
         WHERE r.days & r.wanted IS DISTINCT FROM 0
         ORDER BY 1)
    ), addresses AS (
        SELECT l.line, count(DISTINCT dmarc_store.v4(l.source_ip)) + count(DISTINCT dmarc_store.v6(l.source_ip)) AS sources FROM located l GROUP BY l.line
    ), sums AS (
        SELECT w.line, w.domain, w.header_from, sum(w.messages) AS messages, coalesce(sum(w.messages) FILTER (WHERE w.passes), 0) AS passed,
               count(DISTINCT w.sender) AS senders,
               coalesce(sum(w.messages) FILTER (WHERE w.class = 'authorised'), 0) AS authorised,
               coalesce(sum(w.messages) FILTER (WHERE w.class = 'misconfigured'), 0) AS misconfigured,
               coalesce(sum(w.messages) FILTER (WHERE w.class = 'forwarded'), 0) AS forwarded,
               coalesce(sum(w.messages) FILTER (WHERE w.class = 'unknown'), 0) AS unknown,
               min(w.first_seen) AS first_seen, max(w.last_seen) AS last_seen
        FROM who w
        GROUP BY w.line, w.domain, w.header_from
    )
    SELECT s.domain, s.header_from, s.messages, round(s.messages / nullif(sum(s.messages) OVER (PARTITION BY s.domain), 0), 6), s.passed,
           round(s.passed / nullif(s.messages, 0), 6), s.senders, coalesce(a.sources, 0), s.authorised, s.misconfigured, s.forwarded, s.unknown,
           CASE WHEN NOT dmarc_store.is_inside(s.header_from, s.domain) THEN 'none, it is outside'
                WHEN s.header_from = s.domain THEN 'p=' || p.p
                WHEN p.np <> p.sp THEN 'sp=' || p.sp || ' np=' || p.np
                ELSE 'sp=' || p.sp END, s.first_seen, s.last_seen
    FROM sums s
    LEFT JOIN addresses a ON a.line = s.line
    LEFT JOIN published p ON p.domain = s.domain
    ORDER BY s.domain, s.messages DESC, s.header_from;
END
$fn$;
SELECT dmarc_store.publish('subdomains', 'u.domain COLLATE "C", u.messages DESC, u.header_from COLLATE "C"');
COMMENT ON FUNCTION dmarc.subdomains(text, date, date, boolean) IS 'The names in From: that the policy covers, the domain itself and what is below it: messages, how many passed, the classes, and which policy applies (of a sub-domain sp; np where it does not exist and that is another one; of a name outside of the domain, a reporter''s error, none). Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- Rows of records are looked into before they are taken apart, and what signed is asked of evidence first, by its index.
CREATE OR REPLACE FUNCTION dmarc.find_records(network inet DEFAULT NULL, signing_domain text DEFAULT NULL, policy_domain text DEFAULT NULL,
                                              since date DEFAULT NULL, until date DEFAULT NULL)
RETURNS TABLE (
    domain text,
    report bigint,
    day date,
    ordinal int,
    reporter text,
    source_ip inet,
    message_count bigint,
    header_from text,
    envelope_from text,
    disposition text,
    dkim_aligned boolean,
    spf_aligned boolean,
    sender text,
    class text,
    evidence uuid
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_mergejoin = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    signed text[]; -- the policy domain of each hash
    hashes uuid[];
    asked  text[]; -- each of these policy domains once
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    IF signing_domain IS NOT NULL THEN
        SELECT array_agg(e.domain), array_agg(e.hash) INTO signed, hashes
        FROM dmarc_store.evidence e
        WHERE e.dkim_domains @> ARRAY[lower(signing_domain)]
          AND (policy_domain IS NULL OR e.domain = lower(policy_domain)) AND (mine IS NULL OR e.domain = ANY (mine));
        asked := ARRAY(SELECT DISTINCT d FROM unnest(signed) d);
    END IF;
    RETURN QUERY
    WITH wanted AS MATERIALIZED (
        SELECT u.domain, u.hash FROM unnest(signed, hashes) u (domain, hash)
    ), found AS MATERIALIZED (
        SELECT o.domain, o.day, o.report, o.ordinal, o.source_ip, o.message_count, o.evidence
        FROM dmarc_store.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain)) AND (mine IS NULL OR o.domain = ANY (mine))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (network IS NULL OR network >>= ANY (o.row_ips) AND o.source_ip <<= network)
          AND (signing_domain IS NULL OR o.domain = ANY (asked) AND EXISTS (SELECT FROM wanted w WHERE w.domain = o.domain AND w.hash = o.evidence))
    )
    SELECT f.domain, f.report, f.day, f.ordinal, r.reporter, f.source_ip, f.message_count, e.header_from, e.envelope_from, e.disposition,
           e.dkim_aligned, e.spf_aligned, p.sender, p.class, f.evidence
    FROM found f
    JOIN dmarc_store.report r ON r.domain = f.domain AND r.day = f.day AND r.id = f.report
                             AND (policy_domain IS NULL OR r.domain = lower(policy_domain))
    JOIN dmarc_store.evidence e ON e.domain = f.domain AND e.hash = f.evidence AND (policy_domain IS NULL OR e.domain = lower(policy_domain))
    JOIN dmarc_store.profile p ON p.domain = e.domain AND p.hash = e.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    ORDER BY f.domain, f.day, f.report, f.ordinal;
END
$fn$;
COMMENT ON FUNCTION dmarc.find_records(inet, text, text, date, date) IS 'The records of an address or of the addresses of a network, or those with a DKIM result of a signing domain, or both, of all policy domains or of one, over all time or a period: much sooner than dmarc.record and dmarc.dkim_result by a condition. Arguments: address or network, signing domain, policy domain, first day, day after the last; NULL: any';
