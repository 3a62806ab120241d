-- What a stricter policy would have done to the mail of a period, and whether it is time for one. The rules are in whosends(1), VERDICT.

-- Whether what authenticated would align strictly: DKIM or MAIL FROM with the very name of From:.
CREATE OR REPLACE FUNCTION dmarc_store.is_strict(header_from text, dkim_domains text[], spf_domains text[], spf_scopes text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT coalesce(header_from = ANY (dkim_domains), false)
        OR EXISTS (SELECT FROM unnest(spf_domains, spf_scopes) s (name, scope) WHERE s.name = header_from AND s.scope IS DISTINCT FROM 'helo')
$fn$;
COMMENT ON FUNCTION dmarc_store.is_strict(text, text[], text[], text[]) IS 'Whether one of the names that passed is that of From: itself';

CREATE OR REPLACE FUNCTION dmarc_store.verdict_among(policy_domain text, mine text[], since date, until date, only_trusted boolean)
RETURNS TABLE (
    domain text,
    sender text,
    class text,
    approved boolean,
    known boolean,
    messages numeric,
    passing numeric,
    lost_quarantine numeric,
    lost_reject numeric,
    lost_strict numeric,
    subdomain boolean,
    kind text,
    advice text,
    share numeric,
    spf_alone numeric,
    last_seen date,
    sender_key text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '64MB' AS $fn$
#variable_conflict use_column
DECLARE
    talked text[] := ARRAY(SELECT DISTINCT a.domain FROM dmarc_store.approval a); -- domains with a word of their owners
BEGIN
    RETURN QUERY
    WITH mail AS (
        SELECT d.domain, d.profile, sum(d.messages) AS messages, max(d.day) AS last_seen
        FROM (SELECT t.domain, t.day, unnest(t.profiles) AS profile, unnest(t.messages) AS messages
              FROM dmarc_store.summed t
              WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
                AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                AND NOT (only_trusted AND t.doubtful)) d
        GROUP BY d.domain, d.profile
    ), replayed AS (
        SELECT m.domain, p.sender, p.class, p.known, p.sender_key, p.advice, p.evidence_said, m.messages, m.last_seen,
               right(p.header_from, length(m.domain) + 1) = '.' || m.domain AS subdomain,
               p.dkim_aligned OR p.spf_aligned AS passes, p.spf_aligned AND NOT p.dkim_aligned AS spf_alone,
               dmarc_store.is_strict(p.header_from, p.dkim_domains, p.spf_domains, p.spf_scopes) AS strict
        FROM mail m
        LEFT JOIN dmarc_store.profile p ON p.domain = m.domain AND p.hash = m.profile AND (policy_domain IS NULL OR p.domain = lower(policy_domain))
    ), sums AS MATERIALIZED (
        SELECT r.domain, r.sender, r.class, r.known, r.sender_key, r.subdomain, sum(r.messages) AS messages,
               coalesce(sum(r.messages) FILTER (WHERE r.passes), 0) AS passing,
               coalesce(sum(r.messages) FILTER (WHERE r.passes AND NOT r.strict), 0) AS lost_strict,
               coalesce(sum(r.messages) FILTER (WHERE r.spf_alone), 0) AS spf_alone, max(r.last_seen) AS last_seen,
               (array_agg(r.advice ORDER BY r.messages DESC, r.evidence_said, r.advice))[1] AS advice,
               CASE WHEN r.domain = ANY (talked) THEN dmarc_store.word_on(r.domain, r.sender_key, r.sender) END AS approved
        FROM replayed r
        GROUP BY r.domain, r.sender, r.class, r.known, r.sender_key, r.subdomain
    )
    SELECT s.domain, s.sender, s.class, s.approved, s.known, s.messages, s.passing, s.messages - s.passing, s.messages - s.passing,
           s.lost_strict, s.subdomain, w.kind,
           CASE WHEN w.kind = 'keep' AND s.approved IS FALSE
                THEN 'it is disowned, and passes DMARC: take its keys and its SPF include out of the DNS of ' || s.domain
                WHEN w.kind = 'keep' AND s.spf_alone * 2 > s.passing
                THEN 'it passes by SPF alone, which does not outlive forwarding: let it sign with DKIM as ' || s.domain
                ELSE s.advice END,
           round(s.messages / nullif(sum(s.messages) OVER (PARTITION BY s.domain), 0), 6), s.spf_alone, s.last_seen, s.sender_key
    FROM sums s
    CROSS JOIN LATERAL (SELECT CASE s.class WHEN 'authorised' THEN 'keep' WHEN 'misconfigured' THEN 'fix' WHEN 'forwarded' THEN 'forwarded'
                                            ELSE 'stop' END AS kind) w
    ORDER BY s.domain, array_position(ARRAY['fix', 'keep', 'forwarded', 'stop'], w.kind), s.messages DESC, s.sender, s.subdomain;
END
$fn$;
SELECT dmarc_store.publish('verdict', 'u.domain COLLATE "C", array_position(ARRAY[''fix'', ''keep'', ''forwarded'', ''stop''], u.kind), u.messages DESC, u.sender, u.subdomain');
COMMENT ON FUNCTION dmarc.verdict(text, date, date, boolean) IS 'What p=quarantine and p=reject would have done, to whose mail: messages that would go to spam (lost_quarantine) or be refused (lost_reject), and which more would be lost with strict alignment. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

CREATE OR REPLACE FUNCTION dmarc_store.policy_said(p text, sp text, np text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT 'p=' || p || CASE WHEN sp <> p THEN ' sp=' || sp ELSE '' END || CASE WHEN np <> sp THEN ' np=' || np ELSE '' END
$fn$;
COMMENT ON FUNCTION dmarc_store.policy_said(text, text, text) IS 'A policy in words; np may be NULL';

-- The policy as it is, and what would be the next step; apart: the one that leaves sub-domains at none. itself and below are what that
-- makes of the policy for mail of the domain itself and of its sub-domains, itself_now and below_now what is done today: t=y and a pct
-- below 100 take a level away. weak: np, where it is less than sp.
DROP FUNCTION IF EXISTS dmarc_store.next_policy(text, text, text, int);
CREATE OR REPLACE FUNCTION dmarc_store.next_policy(p text, sp text, np text, testing text, pct int, OUT now text, OUT next text, OUT apart text,
                                                   OUT stay boolean, OUT weak text, OUT itself text, OUT below text, OUT itself_now text, OUT below_now text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    words   CONSTANT text[] := '{none,quarantine,reject}';
    partial CONSTANT text := CASE WHEN testing = 'y' THEN ' t=y' ELSE '' END || CASE WHEN pct < 100 AND p <> 'none' THEN ' pct=' || pct ELSE '' END;
    less    CONSTANT int := CASE WHEN partial = '' THEN 0 ELSE 1 END;
BEGIN
    now := dmarc_store.policy_said(p, sp, np) || partial;
    weak := CASE WHEN array_position(words, np) < array_position(words, sp) THEN np END;
    itself_now := words[greatest(array_position(words, p) - less, 1)];
    below_now := words[greatest(array_position(words, sp) - less, 1)];
    itself := p;
    below := sp;
    stay := false;
    IF weak IS NOT NULL OR partial <> '' AND (p <> 'none' OR sp <> 'none') THEN
        NULL; -- that is to go
    ELSIF p <> 'reject' THEN
        itself := words[array_position(words, p) + 1];
        below := CASE WHEN sp = p THEN itself ELSE sp END;
        apart := CASE WHEN sp = p AND p = 'none' THEN dmarc_store.policy_said(itself, sp, np) END;
    ELSIF sp <> 'reject' THEN
        below := words[array_position(words, sp) + 1];
    ELSE
        stay := true;
    END IF;
    next := dmarc_store.policy_said(itself, below, words[greatest(array_position(words, np), array_position(words, below))]);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.next_policy(text, text, text, text, int) IS 'The policy in words, the step after it (apart: the one that leaves sub-domains at none; stay: there is none; weak: np that is less than sp, which the step takes away), and what mail of the domain itself and of sub-domains is under then, and now';

-- A name exists when it passed itself, in whatever mail, or one below it did.
CREATE OR REPLACE FUNCTION dmarc_store.let_through(policy_domain text, since date, until date, only_trusted boolean) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
DECLARE
    ending  CONSTANT text := '.' || policy_domain;
    there   text[]; -- names below the domain that exist
    through numeric;
BEGIN
    SELECT coalesce(array_agg(DISTINCT array_to_string(n.labels[g.i:], '.')), '{}') INTO there
    FROM (SELECT DISTINCT string_to_array(u.name, '.') AS labels
          FROM dmarc_store.profile p
          CROSS JOIN LATERAL unnest(p.dkim_domains || p.spf_domains) u (name)
          WHERE p.domain = policy_domain AND right(u.name, length(ending)) = ending) n
    CROSS JOIN LATERAL generate_series(1, cardinality(n.labels) - cardinality(string_to_array(policy_domain, '.'))) g (i);
    SELECT sum(m.messages) INTO through
    FROM (SELECT d.profile, sum(d.messages) AS messages
          FROM (SELECT unnest(t.profiles) AS profile, unnest(t.messages) AS messages
                FROM dmarc_store.summed t
                WHERE t.domain = policy_domain AND t.day >= coalesce(since, '-infinity') AND t.day < coalesce(until, 'infinity')
                  AND NOT (only_trusted AND t.doubtful)) d
          GROUP BY d.profile) m
    JOIN dmarc_store.profile p ON p.domain = policy_domain AND p.hash = m.profile
    WHERE p.class = 'unknown' AND NOT p.dkim_aligned AND NOT p.spf_aligned AND right(p.header_from, length(ending)) = ending
      AND p.header_from <> ALL (there);
    RETURN coalesce(through, 0);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.let_through(text, date, date, boolean) IS 'Messages of unknown senders from sub-domains that may not exist, since nothing ever authenticated as them or below them: np decides on these if they do not';

CREATE OR REPLACE FUNCTION dmarc_store.number(n numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT to_char(n, 'FM999,999,999,999,999,999,999,999,999,990')
$fn$;
COMMENT ON FUNCTION dmarc_store.number(numeric) IS 'A number in words';

CREATE OR REPLACE FUNCTION dmarc_store.amount(n numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc_store.number(n) || CASE WHEN n = 1 THEN ' message' ELSE ' messages' END
$fn$;
COMMENT ON FUNCTION dmarc_store.amount(numeric) IS 'Messages in words';

CREATE OR REPLACE FUNCTION dmarc_store.percent(share numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN share > 0 AND share < 0.001 THEN 'less than 0.1%' ELSE to_char(100 * share, 'FM990.0') || '%' END
$fn$;
COMMENT ON FUNCTION dmarc_store.percent(numeric) IS 'A share in words';

CREATE OR REPLACE FUNCTION dmarc_store.more_said(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN n > 0 THEN ' and ' || n || ' more' ELSE '' END
$fn$;
COMMENT ON FUNCTION dmarc_store.more_said(bigint) IS 'That so many more were left out, in words';

CREATE OR REPLACE FUNCTION dmarc_store.disown_said(senders bigint, perhaps_not_ours boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN perhaps_not_ours IS NOT TRUE THEN '' WHEN senders = 1 THEN ' (disown it if it is not yours)' ELSE ' (disown what is not yours)' END
$fn$;
COMMENT ON FUNCTION dmarc_store.disown_said(bigint, boolean) IS 'What else can be done of senders that lose mail, in words';

CREATE OR REPLACE FUNCTION dmarc.verdict_line(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                              only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    ready boolean,
    now text,
    next text,
    sentence text,
    lost numeric,
    lost_share numeric,
    stopped numeric,
    forwarded numeric,
    days int,
    reports bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET enable_memoize = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    today date := current_date; -- of this session's time zone, on whatever node
    least_days    CONSTANT int := 14;
    least_reports CONSTANT int := 10;
    most_sender   CONSTANT numeric := 0.005; -- of its own mail, when it is approved; else of all that may be sent
    most_all      CONSTANT numeric := 0.01;
    long_ago      CONSTANT int := 30; -- days
    reported text[];
    report_counts bigint[];
    day_counts int[];
    last_days date[];
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    -- By itself: a statement that asks a table of one domain may be answered by another node, which does not know who asks.
    SELECT array_agg(h.domain), array_agg(h.reports), array_agg(h.days), array_agg(h.last_day) INTO reported, report_counts, day_counts, last_days
    FROM (SELECT t.domain, count(*) AS reports, max(t.day) - min(t.day) + 1 AS days, max(t.day) AS last_day
          FROM dmarc_store.report t
          WHERE (policy_domain IS NULL OR t.domain = lower(policy_domain)) AND (mine IS NULL OR t.domain = ANY (mine))
            AND t.day >= coalesce(since, '-infinity') AND t.day < least(coalesce(until, 'infinity'), today + 1)
            AND NOT t.replaced AND NOT (only_trusted AND (t.trusted IS FALSE OR t.foreign_domain))
          GROUP BY t.domain) h;
    RETURN QUERY
    WITH mail AS MATERIALIZED (
        SELECT v.*, v.kind IN ('keep', 'fix') AS may FROM dmarc.verdict(policy_domain, since, least(until, today + 1), only_trusted) v
    ), heads AS (
        SELECT u.domain, u.reports, u.days, u.last_day FROM unnest(reported, report_counts, day_counts, last_days) u (domain, reports, days, last_day)
    ), published AS (
        SELECT DISTINCT ON (p.domain) p.*
        FROM dmarc_store.policy_spans(policy_domain, mine, since, until, only_trusted) p
        ORDER BY p.domain, p.first_seen DESC
    ), steps AS MATERIALIZED (
        SELECT h.domain, h.reports, h.days, h.last_day, n.*,
               CASE WHEN n.weak IS NULL THEN 0 ELSE dmarc_store.let_through(h.domain, since, least(until, today + 1), only_trusted) END AS through
        FROM heads h
        JOIN published p ON p.domain = h.domain
        CROSS JOIN LATERAL dmarc_store.next_policy(p.p, p.sp, p.np, p.testing, p.pct) n
    ), counted AS (
        -- Mail that is under quarantine or reject after the next step, whether that step does it or it is so already (hit).
        SELECT m.*, s.last_day, CASE WHEN m.subdomain THEN s.below ELSE s.itself END <> 'none' AS touched,
               CASE WHEN m.subdomain THEN s.below ELSE s.itself END = 'reject' AS refused,
               CASE WHEN m.subdomain THEN s.below_now ELSE s.itself_now END <> 'none' AS hit
        FROM mail m
        JOIN steps s ON s.domain = m.domain
    ), totals AS MATERIALIZED (
        SELECT c.domain, coalesce(sum(c.messages) FILTER (WHERE c.may AND c.touched), 0) AS may,
               coalesce(sum(c.messages) FILTER (WHERE c.may AND c.touched AND NOT c.subdomain), 0) AS may_itself,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.may AND c.touched), 0) AS lost,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.may AND c.touched AND NOT c.subdomain), 0) AS lost_itself,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.may AND c.hit), 0) AS lost_now,
               coalesce(sum(c.spf_alone) FILTER (WHERE c.kind = 'keep' AND c.refused AND c.spf_alone * 2 > c.passing), 0) AS by_spf,
               coalesce(sum(c.messages) FILTER (WHERE c.may AND c.refused), 0) AS may_refused,
               coalesce(sum(c.passing) FILTER (WHERE c.kind = 'forwarded'), 0) AS carried,
               coalesce(sum(c.messages) FILTER (WHERE c.may), 0) AS may_anywhere,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.kind = 'stop'), 0) AS stoppable,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.kind = 'stop' AND c.touched), 0) AS stopped,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.kind = 'stop' AND c.touched AND NOT c.subdomain), 0) AS stopped_itself,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.kind = 'forwarded'), 0) AS forwarded
        FROM counted c
        GROUP BY c.domain
    ), losers AS (
        SELECT c.domain, c.sender, bool_or(c.approved) AS approved, bool_or(c.known) AS known, sum(c.lost_reject) AS lost, sum(c.messages) AS messages,
               CASE WHEN max(c.last_seen) FILTER (WHERE c.lost_reject > 0) < max(c.last_day) - long_ago THEN max(c.last_seen) FILTER (WHERE c.lost_reject > 0) END AS ended,
               coalesce(sum(c.lost_reject) FILTER (WHERE c.hit), 0) AS lost_now,
               coalesce(sum(c.lost_reject) FILTER (WHERE NOT c.subdomain), 0) AS lost_itself,
               coalesce(sum(c.messages) FILTER (WHERE NOT c.subdomain), 0) AS messages_itself
        FROM counted c
        WHERE c.may AND c.touched
        GROUP BY c.domain, c.sender
    ), blockers AS (
        -- below: what the step that leaves sub-domains as they are would not lose.
        SELECT l.domain, l.sender, CASE WHEN l.lost_now = l.lost THEN ' loses ' ELSE ' would lose ' END || dmarc_store.amount(l.lost)
                   || coalesce(' (the last on ' || l.ended || ')', '') AS loses, l.lost - l.lost_itself AS below,
               l.known AND l.approved IS NULL AS perhaps_not_ours, -- own mail cannot be disowned
               l.lost_itself > 0 AND (l.lost_itself > most_sender * t.may_itself OR l.approved IS TRUE AND l.lost_itself > most_sender * l.messages_itself
                                      OR t.lost_itself > most_all * t.may_itself) AS itself,
               row_number() OVER (PARTITION BY l.domain ORDER BY l.lost DESC, l.sender) AS place,
               row_number() OVER (PARTITION BY l.domain ORDER BY l.lost - l.lost_itself DESC, l.sender) AS place_below
        FROM losers l
        JOIN totals t ON t.domain = l.domain
        WHERE l.lost > 0 AND (l.lost > most_sender * t.may OR l.approved AND l.lost > most_sender * l.messages OR t.lost > most_all * t.may)
    ), blocked AS (
        SELECT b.domain, bool_or(b.itself) AS itself,
               string_agg(b.sender || b.loses, ', ' ORDER BY b.place) FILTER (WHERE b.place <= 3)
                   || dmarc_store.more_said(count(*) FILTER (WHERE b.place > 3)) AS who,
               dmarc_store.disown_said(count(*), bool_or(b.perhaps_not_ours)) AS unless,
               string_agg(b.sender || ' would lose ' || dmarc_store.amount(b.below), ', ' ORDER BY b.place_below)
                   FILTER (WHERE b.below > 0 AND b.place_below <= 3)
                   || dmarc_store.more_said(count(*) FILTER (WHERE b.below > 0 AND b.place_below > 3))
                   || dmarc_store.disown_said(count(*) FILTER (WHERE b.below > 0), bool_or(b.perhaps_not_ours) FILTER (WHERE b.below > 0)) AS who_below
        FROM blockers b
        GROUP BY b.domain
    ), known AS (
        SELECT s.domain, s.reports, s.days, s.now, s.next, s.stay, s.apart, s.weak, s.through, coalesce(t.may, 0) AS may, coalesce(t.lost, 0) AS lost,
               coalesce(t.may_itself, 0) AS may_itself, coalesce(t.lost_itself, 0) AS lost_itself, coalesce(t.lost_now, 0) AS lost_now,
               coalesce(t.may_anywhere, 0) AS may_anywhere, coalesce(t.by_spf, 0) AS by_spf,
               coalesce(t.may_refused, 0) AS may_refused, coalesce(t.carried, 0) AS carried, coalesce(t.stoppable, 0) AS stoppable,
               coalesce(t.stopped, 0) AS stopped, coalesce(t.stopped_itself, 0) AS stopped_itself, coalesce(t.forwarded, 0) AS forwarded,
               b.who, b.unless, b.who_below,
               s.days >= least_days AND s.reports >= least_reports AS enough,
               s.apart IS NOT NULL AND b.domain IS NOT NULL AND NOT b.itself AS is_apart
        FROM steps s
        LEFT JOIN totals t ON t.domain = s.domain
        LEFT JOIN blocked b ON b.domain = s.domain
    ), looked_at AS (
        SELECT k.*, CASE WHEN k.is_apart THEN k.lost_itself ELSE k.lost END AS loses, CASE WHEN k.is_apart THEN k.may_itself ELSE k.may END AS of_them,
               k.may_anywhere = 0 AND k.carried = 0 AS nothing -- that forwarders carry shows that somebody signs
        FROM known k
    ), decided AS (
        SELECT l.*, d.how, CASE WHEN d.how = 'silent' THEN l.stoppable WHEN l.is_apart THEN l.stopped_itself ELSE l.stopped END AS stops,
               s.step, CASE WHEN l.stay THEN ' has ' || l.now || ', and it is ' || CASE WHEN d.how = 'ready' THEN '' ELSE 'not ' END || 'fine: '
                            ELSE ' is ' || CASE WHEN d.how = 'ready' THEN '' ELSE 'not ' END || 'ready for ' || s.step || ': ' END AS begins
        FROM looked_at l
        CROSS JOIN LATERAL (SELECT CASE WHEN NOT l.enough THEN 'little'
                                        WHEN l.nothing AND NOT l.stay THEN 'silent'
                                        WHEN l.who IS NOT NULL AND NOT l.is_apart THEN 'blocked'
                                        WHEN l.by_spf > most_all * l.may_refused THEN 'spf'
                                        ELSE 'ready' END AS how) d
        CROSS JOIN LATERAL (SELECT CASE WHEN l.nothing AND l.enough THEN 'p=reject' WHEN l.is_apart THEN l.apart ELSE l.next END AS step) s
    ), worded AS (
        SELECT d.*, CASE WHEN d.stops > 0 THEN dmarc_store.amount(d.stops) || ' of others '
                              || CASE WHEN NOT d.stay THEN 'would be' WHEN d.stops = 1 THEN 'is' ELSE 'are' END || ' stopped' END AS stopping,
               CASE WHEN d.loses = 0 THEN CASE WHEN d.stay THEN 'none is lost' ELSE 'none would be lost' END
                    ELSE dmarc_store.number(d.loses) || ' (' || dmarc_store.percent(d.loses / d.of_them) || ') '
                         || CASE WHEN d.lost_now < d.loses THEN 'would be lost' WHEN d.loses = 1 THEN 'is lost already' ELSE 'are lost already' END
                         || CASE WHEN d.lost_now > 0 AND d.lost_now < d.loses THEN ', ' || dmarc_store.number(d.lost_now) || ' of these already' ELSE '' END
                    END AS losing
        FROM decided d
    )
    SELECT d.domain, d.how IN ('ready', 'silent'), d.now, d.step,
           d.domain || CASE d.how
               WHEN 'little' THEN ': too little is known to say: ' || d.reports || CASE WHEN d.reports = 1 THEN ' report' ELSE ' reports' END || ' of '
                   || d.days || CASE WHEN d.days = 1 THEN ' day' ELSE ' days' END || ', and it takes ' || least_reports || ' reports and ' || least_days || ' days'
                   || coalesce('; so far ' || d.who || d.unless, '')
               WHEN 'silent' THEN ' sends no mail of its own, and is ready for p=reject: ' || coalesce(d.stopping, 'there is nothing to stop')
               WHEN 'blocked' THEN d.begins || d.who || ', ' || dmarc_store.percent(d.loses / nullif(d.of_them, 0)) || ' of what may be sent' || d.unless
                   || CASE WHEN d.lost_now > 0 AND d.lost_now < d.loses THEN '; ' || dmarc_store.number(d.lost_now) || ' of these '
                                || CASE WHEN d.lost_now = 1 THEN 'is' ELSE 'are' END || ' lost already' ELSE '' END
                   || coalesce('; ' || d.stopping, '')
               WHEN 'spf' THEN d.begins || dmarc_store.amount(d.by_spf)
                   || ' that may be sent pass by SPF alone, which does not outlive forwarding: they are to be signed with DKIM'
                   || CASE WHEN d.stay THEN '' ELSE ' first' END
               ELSE d.begins || CASE WHEN d.of_them > 0 THEN 'of ' || dmarc_store.amount(d.of_them) || ' that may be sent, ' || d.losing || ', and ' ELSE '' END
                   || coalesce(d.stopping, 'there is nothing to stop')
                   || CASE WHEN d.is_apart THEN '; sub-domains stay at none, where ' || d.who_below ELSE '' END END
           || CASE WHEN d.how <> 'little' AND d.through > 0
                   THEN '; np=' || d.weak || CASE WHEN d.weak = 'none' THEN ' lets through ' ELSE ' does not refuse ' END || dmarc_store.amount(d.through)
                        || ' of others if the sub-domains in their From: do not exist: nothing ever authenticated as these' ELSE '' END
           || CASE WHEN d.how = 'little' OR d.forwarded = 0 THEN ''
                   WHEN d.forwarded = 1 THEN '; receivers decide on 1 forwarded message that does not pass'
                   ELSE '; receivers decide on ' || dmarc_store.number(d.forwarded) || ' forwarded messages that do not pass' END
           || '.',
           d.loses, round(d.loses / nullif(d.of_them, 0), 6), d.stops, d.forwarded, d.days, d.reports
    FROM worded d
    UNION ALL
    SELECT h.domain, false, NULL, NULL, h.domain || ': no report tells which policy it publishes.', NULL, NULL, NULL, NULL, h.days, h.reports
    FROM heads h
    WHERE NOT EXISTS (SELECT FROM steps s WHERE s.domain = h.domain)
    ORDER BY 1;
END
$fn$;
COMMENT ON FUNCTION dmarc.verdict_line(text, date, date, boolean) IS 'Whether it is time for a stricter policy, in a sentence for each domain: the policy as it is, the next step, what of the mail that may be sent is lost then, or is lost already, and what would be stopped. Arguments: policy domain, first day, day after the last, without what nobody vouches for';
