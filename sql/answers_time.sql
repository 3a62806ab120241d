-- Reports about what is missing, what has changed and who is new: coverage, changes and senders_new.

-- Reports of a day come on the next one or the one after it, so the day before yesterday is the last that can be missed. A habit is
-- learned from the period and eight weeks before it.
CREATE OR REPLACE FUNCTION dmarc.coverage(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                          only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    reporter text,
    usual_per_week numeric,
    last_seen date,
    silent_days int,
    missing_days date[],
    messages_share numeric,
    note text,
    missing int
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    most_listed CONSTANT int := 100;
    today date := current_date; -- of this session's time zone, on whatever node
BEGIN
    RETURN QUERY
    WITH heads AS MATERIALIZED (
        SELECT h.domain, h.reporter, h.day, sum(h.message_count) AS messages
        FROM dmarc_store.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain)) AND (mine IS NULL OR h.domain = ANY (mine))
          AND h.day >= coalesce(since - 56, '-infinity') AND h.day < least(coalesce(until, 'infinity'), today + 1)
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
        GROUP BY h.domain, h.reporter, h.day
    ), bounds AS MATERIALIZED (
        SELECT h.domain, coalesce(since, min(h.day)) AS lo,
               least(until, today - 1) AS hi,
               min(h.day) AS first_day, max(h.day) AS last_day, sum(h.messages) AS messages
        FROM heads h
        GROUP BY h.domain
    ), parties AS MATERIALIZED (
        -- Each reporter, and without a name all of them together.
        SELECT h.domain, h.reporter, h.day, h.messages FROM heads h
        UNION ALL
        SELECT h.domain, NULL, h.day, sum(h.messages) FROM heads h GROUP BY h.domain, h.day
    ), habits AS MATERIALIZED (
        SELECT p.domain, p.reporter, count(*) AS days, min(p.day) AS first_seen, max(p.day) AS last_seen, sum(p.messages) AS messages,
               -- By what lies between two of them; a few days are taken for a week.
               round(CASE WHEN max(p.day) > min(p.day) THEN (count(*) - 1) * 7.0 / greatest(max(p.day) - min(p.day), 6) ELSE 1 END, 1) AS per_week
        FROM parties p
        GROUP BY p.domain, p.reporter
    ), usual AS MATERIALIZED (
        SELECT h.*, b.lo, b.hi, b.hi - 1 - h.last_seen AS silent, round(h.messages / nullif(b.messages, 0), 6) AS share
        FROM habits h
        JOIN bounds b ON b.domain = h.domain
        WHERE h.reporter IS NULL OR (h.days >= 4 AND h.per_week >= 1)
    ), gaps AS (
        -- Of who reports on most days: the days of the period that are missing, since it began to.
        SELECT u.domain, u.reporter, g.day::date AS day
        FROM usual u
        CROSS JOIN LATERAL generate_series(greatest(u.lo, u.first_seen)::timestamp, (u.hi - 1)::timestamp, interval '1 day') g (day)
        WHERE u.per_week >= 5
        EXCEPT
        SELECT p.domain, p.reporter, p.day FROM parties p
    ), missed AS (
        SELECT g.domain, g.reporter, count(*)::int AS n, array_agg(g.day ORDER BY g.day DESC) AS days,
               count(*) FILTER (WHERE g.day < u.last_seen)::int AS between
        FROM gaps g
        JOIN usual u ON u.domain = g.domain AND u.reporter IS NOT DISTINCT FROM g.reporter
        GROUP BY g.domain, g.reporter
    ), told AS MATERIALIZED (
        -- Weeks that end with the last day: the 0th is the last one.
        SELECT p.domain, (b.hi - 1 - p.day) / 7 AS ago, sum(p.messages) AS messages
        FROM parties p
        JOIN bounds b ON b.domain = p.domain
        WHERE p.reporter IS NULL AND p.day < b.hi
        GROUP BY p.domain, (b.hi - 1 - p.day) / 7
    ), weeks AS MATERIALIZED (
        SELECT b.domain, g.ago, b.hi - 7 * (g.ago + 1) AS first, coalesce(t.messages, 0) AS messages,
               -- The last one, and whole ones of the period; that nobody reports any more is told as silence.
               b.hi - 7 * (g.ago + 1) <= b.last_day AND (g.ago = 0 OR b.hi - 7 * (g.ago + 1) >= greatest(b.lo, b.first_day)) AS asked
        FROM bounds b
        CROSS JOIN LATERAL generate_series(0, (b.hi - 1 - b.first_day) / 7) g (ago)
        LEFT JOIN told t ON t.domain = b.domain AND t.ago = g.ago
    ), near AS (
        SELECT w.*, max(w.messages) OVER (PARTITION BY w.domain ORDER BY w.ago RANGE BETWEEN 8 PRECEDING AND 8 FOLLOWING) AS most FROM weeks w
    ), compared AS (
        SELECT n.domain, n.ago, n.first, n.messages, count(*) AS around, count(*) FILTER (WHERE w.ago > n.ago) AS before,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY w.messages::float8) AS usual_around,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY w.messages::float8) FILTER (WHERE w.ago > n.ago) AS usual_before,
               max(w.messages) FILTER (WHERE w.ago > n.ago) AS most_before
        FROM near n
        JOIN told w ON w.domain = n.domain AND w.ago <> n.ago AND w.ago BETWEEN n.ago - 8 AND n.ago + 8
        WHERE n.asked AND n.messages * 4 < n.most
        GROUP BY n.domain, n.ago, n.first, n.messages
    ), volumes AS (
        -- By the weeks before, or where few of these are known, those after it, too: but none is quiet while a domain begins to send.
        SELECT q.domain, string_agg('a quiet week from ' || q.first || ': ' || dmarc_store.amount(q.messages) || ', usually '
                                    || to_char(q.usually, 'FM999,999,999,990'), '; ' ORDER BY q.ago) FILTER (WHERE q.place <= 3)
                         || CASE count(*) FILTER (WHERE q.place > 3) WHEN 0 THEN '' WHEN 1 THEN '; 1 more quiet week before'
                                 ELSE '; ' || count(*) FILTER (WHERE q.place > 3) || ' more quiet weeks before' END AS said
        FROM (SELECT c.*, u.usually, row_number() OVER (PARTITION BY c.domain ORDER BY c.ago) AS place
              FROM compared c
              CROSS JOIN LATERAL (SELECT CASE WHEN c.before >= 4 THEN c.usual_before WHEN c.around >= 4 THEN c.usual_around END AS usually) u
              WHERE u.usually >= 20 AND c.messages * 4 < u.usually AND c.most_before * 4 >= u.usually) q
        GROUP BY q.domain
    ), judged AS (
        SELECT u.*, coalesce(m.n, 0) AS n, coalesce(m.between, 0) AS between, m.days AS missed,
               u.silent >= 3 AND u.silent * greatest(u.per_week, 0.1) > 14 AS is_silent
        FROM usual u
        LEFT JOIN missed m ON m.domain = u.domain AND m.reporter IS NOT DISTINCT FROM u.reporter
    ), quiet AS (
        SELECT j.domain, sum(j.share) AS share FROM judged j WHERE j.reporter IS NOT NULL AND j.is_silent GROUP BY j.domain
    )
    SELECT j.domain, j.reporter, j.per_week, j.last_seen, greatest(j.silent, 0),
           ARRAY(SELECT d FROM unnest(j.missed[:most_listed]) d ORDER BY d), j.share,
           nullif(concat_ws('; ',
               CASE WHEN j.is_silent AND j.reporter IS NULL THEN 'no report at all for ' || j.silent || ' days'
                    WHEN j.is_silent THEN 'silent for ' || j.silent || ' days' END,
               CASE WHEN j.between > 0 THEN CASE WHEN j.reporter IS NULL THEN 'no report at all of ' ELSE 'no report of ' END || j.between
                                            || CASE WHEN j.between = 1 THEN ' day' ELSE ' days' END || ' between' END,
               CASE WHEN j.reporter IS NULL THEN v.said END,
               CASE WHEN j.reporter IS NULL AND NOT j.is_silent AND q.share > 0
                    THEN 'reporters of ' || dmarc_store.percent(q.share) || ' of the messages are silent' END), ''),
           j.n
    FROM judged j
    LEFT JOIN volumes v ON v.domain = j.domain
    LEFT JOIN quiet q ON q.domain = j.domain
    ORDER BY j.domain, j.reporter IS NOT NULL, j.is_silent DESC, j.share DESC NULLS LAST, j.reporter;
END
$fn$;
COMMENT ON FUNCTION dmarc.coverage(text, date, date, boolean) IS 'What is missing: first a row for the domain (reporter NULL), then one for each reporter that usually reports: on how many days a week, since when it is silent, and, of those that report on most days, which days of the period are missing (the last hundred); in the first row, weeks of the period with less than a quarter of the usual messages. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- The period against the one before it, of the same length. What is small is left out: below ten messages, or a hundredth of the domain's
-- mail without that of class unknown, which a forger can make as large as he likes; for senders of this class, of all.
CREATE OR REPLACE FUNCTION dmarc.changes(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                         only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    what text,
    sender text,
    class text,
    before numeric,
    after numeric,
    factor numeric,
    note text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_mergejoin = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    today date := current_date; -- of this session's time zone, on whatever node
    hi   date := coalesce(until, (SELECT max(t.day) + 1 FROM dmarc_store.domain_day t
                                  WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                                    AND t.day <= today AND NOT (only_trusted AND t.doubtful)));
    lo   date := coalesce(since, hi - 30);
    old  date := lo - (hi - lo);
BEGIN
    IF hi IS NULL OR lo >= hi THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH mail AS (
        SELECT d.domain, d.profile, coalesce(sum(d.messages) FILTER (WHERE d.day < lo), 0) AS before,
               coalesce(sum(d.messages) FILTER (WHERE d.day >= lo), 0) AS after
        FROM (SELECT t.domain, t.day, unnest(t.profiles) AS profile, unnest(t.messages) AS messages
              FROM dmarc_store.summed t
              WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                AND t.day >= old AND t.day < hi AND NOT (only_trusted AND t.doubtful)) d
        GROUP BY d.domain, d.profile
    ), known AS (
        SELECT m.domain, m.before, m.after, p.sender, p.class, p.dkim_aligned OR p.spf_aligned AS passes
        FROM mail m
        LEFT JOIN dmarc_store.profile p ON p.domain = m.domain AND p.hash = m.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    ), sums AS (
        SELECT k.domain, k.sender, (array_agg(k.class ORDER BY k.after DESC, k.before DESC, k.class))[1] AS class,
               sum(k.before) AS before, sum(k.after) AS after, coalesce(sum(k.before) FILTER (WHERE k.class <> 'unknown'), 0) AS may_before,
               coalesce(sum(k.after) FILTER (WHERE k.class <> 'unknown'), 0) AS may_after, coalesce(sum(k.before) FILTER (WHERE k.passes), 0) AS passed_before,
               coalesce(sum(k.after) FILTER (WHERE k.passes), 0) AS passed_after
        FROM known k
        GROUP BY k.domain, k.sender
    ), sized AS MATERIALIZED (
        SELECT s.*, sum(s.before) OVER w AS whole_before,
               greatest(10, 0.01 * CASE WHEN s.class = 'unknown' THEN greatest(sum(s.before) OVER w, sum(s.after) OVER w)
                                        ELSE greatest(sum(s.may_before) OVER w, sum(s.may_after) OVER w) END) AS floor,
               round(s.passed_before / nullif(s.before, 0), 6) AS share_before, round(s.passed_after / nullif(s.after, 0), 6) AS share_after
        FROM sums s
        WINDOW w AS (PARTITION BY s.domain)
    ), compared AS MATERIALIZED (
        -- Without mail before there is nothing to compare with.
        SELECT s.* FROM sized s WHERE s.whole_before > 0
    ), fresh AS MATERIALIZED (
        SELECT c.* FROM compared c WHERE c.before = 0 AND c.after > 0 AND (c.class IN ('authorised', 'misconfigured') OR c.after >= c.floor)
    ), earlier AS MATERIALIZED (
        SELECT f.domain, f.sender, max(d.day) AS last_seen
        FROM fresh f
        JOIN dmarc_store.profile p ON p.domain = f.domain AND p.sender = f.sender
        JOIN dmarc_store.profile_day d ON d.domain = p.domain AND d.profile = p.hash
        WHERE d.day < old AND (policy_domain IS NULL OR d.domain = lower(policy_domain)) AND NOT (only_trusted AND d.doubtful)
        GROUP BY f.domain, f.sender
    ), policies AS (
        SELECT p.domain, p.first_seen, n.said, lag(n.said) OVER (PARTITION BY p.domain ORDER BY p.first_seen) AS was
        FROM dmarc_store.policy_spans(policy_domain, mine, old, hi, only_trusted) p
        CROSS JOIN LATERAL (SELECT concat_ws(' ', 'p=' || p.p, CASE WHEN p.sp <> p.p THEN 'sp=' || p.sp END,
                                             CASE WHEN p.np <> p.sp THEN 'np=' || p.np END, CASE WHEN p.adkim = 's' THEN 'adkim=s' END,
                                             CASE WHEN p.aspf = 's' THEN 'aspf=s' END, CASE WHEN p.pct < 100 THEN 'pct=' || p.pct END,
                                             CASE WHEN p.testing = 'y' THEN 't=y' END) AS said) n
    ), found AS (
        SELECT f.domain, 1 AS place, 'new sender' AS what, f.sender, f.class, f.before, f.after, NULL::numeric AS factor,
               CASE WHEN e.last_seen IS NULL THEN 'never seen before' ELSE 'seen before, last on ' || e.last_seen END AS note
        FROM fresh f
        LEFT JOIN earlier e ON e.domain = f.domain AND e.sender = f.sender
        UNION ALL
        SELECT c.domain, 2, CASE WHEN c.share_after < c.share_before THEN 'lost alignment' ELSE 'gained alignment' END, c.sender, c.class,
               c.share_before, c.share_after, NULL,
               dmarc_store.percent(c.share_after) || ' of ' || dmarc_store.amount(c.after) || ' pass, before ' || dmarc_store.percent(c.share_before)
        FROM compared c
        WHERE c.before >= 10 AND c.after >= 10 AND abs(c.share_after - c.share_before) >= 0.1
        UNION ALL
        SELECT c.domain, 3, 'gone', c.sender, c.class, c.before, c.after, NULL, NULL
        FROM compared c
        WHERE c.after = 0 AND c.before >= c.floor
        UNION ALL
        SELECT c.domain, 4, CASE WHEN c.after > c.before THEN 'more' ELSE 'less' END, c.sender, c.class, c.before, c.after,
               round(c.after / c.before, 2), NULL
        FROM compared c
        WHERE c.before > 0 AND c.after > 0 AND abs(c.after - c.before) >= c.floor AND (c.after >= 2 * c.before OR c.before >= 2 * c.after)
        UNION ALL
        SELECT p.domain, 0, 'new policy', NULL, NULL, NULL, NULL, NULL, p.said || ' since ' || p.first_seen || ', before ' || p.was
        FROM policies p
        WHERE p.first_seen >= lo AND p.was <> p.said
    )
    SELECT f.domain, f.what, f.sender, f.class, f.before, f.after, f.factor, f.note
    FROM found f
    ORDER BY f.domain, f.place, f.after DESC NULLS LAST, f.before DESC, f.sender, f.note;
END
$fn$;
COMMENT ON FUNCTION dmarc.changes(text, date, date, boolean) IS 'What is different from the period of the same length before it: new sender, gone, lost alignment and gained alignment (before and after are shares that pass), more and less (twice or half the messages), new policy. Without a first day: 30 days; without a last: up to the last report. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- Those of senders() of whom nothing was seen before the first day.
CREATE OR REPLACE FUNCTION dmarc.senders_new(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                             only_trusted boolean DEFAULT false)
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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    known_domains text[];
    known_senders text[];
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    -- By itself: a statement that asks a table of one domain may be answered by another node, which does not know who asks.
    WITH old AS (
        SELECT DISTINCT t.domain, unnest(t.profiles) AS profile
        FROM dmarc_store.summed t
        WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
          AND t.day < since AND NOT (only_trusted AND t.doubtful)
    ), known AS MATERIALIZED (
        SELECT DISTINCT o.domain, p.sender
        FROM old o
        JOIN dmarc_store.profile p ON p.domain = o.domain AND p.hash = o.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    )
    SELECT array_agg(k.domain), array_agg(k.sender) INTO known_domains, known_senders FROM known k;
    RETURN QUERY
    SELECT s.*
    FROM dmarc.senders(policy_domain, since, until, only_trusted) s
    WHERE NOT EXISTS (SELECT FROM unnest(known_domains, known_senders) k (domain, sender) WHERE k.domain = s.domain AND k.sender = s.sender)
    ORDER BY s.domain, s.messages DESC, s.sender, s.class;
END
$fn$;
COMMENT ON FUNCTION dmarc.senders_new(text, date, date, boolean) IS 'Those of senders() that were not seen before the period. Arguments: policy domain, first day, day after the last, without what nobody vouches for';
