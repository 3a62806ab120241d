-- The reports: one function each, so that shell, pages and SQL users get the same figures. All take the same four
-- arguments: a policy domain (NULL: all), the first day, the day after the last one (NULL: open), and whether to leave out
-- reports that somebody else sent in the reporter's name, or that are about a domain that is not ours. A day is the UTC day
-- on which the period of a report begins. What a better copy took the place of (`replaced`) counts nowhere.
--
-- Each reads the observations of the period first, sums them up by what was seen, and only then asks who that was: once for
-- each piece of evidence instead of once for each record. PL/pgSQL with custom plans, so that the days given choose the
-- partitions; the planner's cost of a page is set for a catalogue that lies in memory. The joins to `judged` are outer ones
-- and it is materialized, because the planner takes a pair of keys for far rarer than it is and would loop over the
-- whole of it for each row.

DROP FUNCTION IF EXISTS dmarc.senders(text, date, date), dmarc.senders(text, date, date, boolean);
CREATE FUNCTION dmarc.senders(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
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
    advice text
)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS (
        SELECT o.domain, o.evidence, o.source_ip, sum(o.message_count) AS messages, min(o.day) AS first_seen, max(o.day) AS last_seen
        FROM dmarc.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.evidence, o.source_ip
    ), judged AS MATERIALIZED (
        SELECT c.*, e.dkim_aligned, e.spf_aligned
        FROM (SELECT DISTINCT s.domain, s.evidence FROM seen s) s
        LEFT JOIN dmarc.evidence e ON e.domain = s.domain AND e.hash = s.evidence
        LEFT JOIN dmarc.classification c ON c.domain = s.domain AND c.evidence = s.evidence
    )
    SELECT s.domain, j.sender, j.class, sum(s.messages),
           round(sum(s.messages) / nullif(sum(sum(s.messages)) OVER (PARTITION BY s.domain), 0), 4),
           coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned), 0), coalesce(sum(s.messages) FILTER (WHERE j.spf_aligned), 0),
           count(DISTINCT s.source_ip), min(s.first_seen), max(s.last_seen),
           (array_agg(j.confidence ORDER BY s.messages DESC, j.evidence_said))[1],
           (array_agg(j.evidence_said ORDER BY s.messages DESC, j.evidence_said))[1],
           j.known, j.kind, j.sender_key,
           (array_agg(j.advice ORDER BY s.messages DESC, j.evidence_said))[1]
    FROM seen s
    LEFT JOIN judged j ON j.domain = s.domain AND j.evidence = s.evidence
    GROUP BY s.domain, j.sender, j.class, j.known, j.kind, j.sender_key
    ORDER BY s.domain, sum(s.messages) DESC, j.sender, j.class;
END
$fn$;
COMMENT ON FUNCTION dmarc.senders(text, date, date, boolean) IS 'Who sends as the domain: sender, class, messages, how many authenticate as the domain, and the evidence with most messages. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.sources(text, date, date), dmarc.sources(text, date, date, boolean);
CREATE FUNCTION dmarc.sources(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                              only_trusted boolean DEFAULT false)
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
    sender_key text
)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS (
        SELECT o.domain, o.evidence, o.source_ip, sum(o.message_count) AS messages, min(o.day) AS first_seen, max(o.day) AS last_seen
        FROM dmarc.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.evidence, o.source_ip
    ), judged AS MATERIALIZED (
        SELECT c.*, e.dkim_aligned, e.spf_aligned
        FROM (SELECT DISTINCT s.domain, s.evidence FROM seen s) s
        LEFT JOIN dmarc.evidence e ON e.domain = s.domain AND e.hash = s.evidence
        LEFT JOIN dmarc.classification c ON c.domain = s.domain AND c.evidence = s.evidence
    )
    SELECT s.domain, s.source_ip, j.sender, j.class, sum(s.messages),
           round(sum(s.messages) / nullif(sum(sum(s.messages)) OVER (PARTITION BY s.domain), 0), 4),
           coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned), 0), coalesce(sum(s.messages) FILTER (WHERE j.spf_aligned), 0),
           min(s.first_seen), max(s.last_seen),
           (array_agg(j.confidence ORDER BY s.messages DESC, j.evidence_said))[1],
           (array_agg(j.evidence_said ORDER BY s.messages DESC, j.evidence_said))[1], j.sender_key
    FROM seen s
    LEFT JOIN judged j ON j.domain = s.domain AND j.evidence = s.evidence
    GROUP BY s.domain, s.source_ip, j.sender, j.class, j.sender_key
    ORDER BY s.domain, sum(s.messages) DESC, s.source_ip, j.sender, j.class;
END
$fn$;
COMMENT ON FUNCTION dmarc.sources(text, date, date, boolean) IS 'The addresses that send as the domain, and who is behind each. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.reporters(text, date, date), dmarc.reporters(text, date, date, boolean);
CREATE FUNCTION dmarc.reporters(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
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
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH heads AS (
        SELECT h.*
        FROM dmarc.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
    ), mail AS (
        SELECT o.domain, o.day, o.report, count(*) AS records, sum(o.message_count) AS messages,
               sum(o.message_count) FILTER (WHERE e.dkim_aligned) AS dkim_aligned,
               sum(o.message_count) FILTER (WHERE e.spf_aligned) AS spf_aligned,
               sum(o.message_count) FILTER (WHERE e.disagree) AS disagree
        FROM dmarc.observation o
        JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.day, o.report
    ), warned AS (
        SELECT w.domain, w.reporter, array_agg(w.code || '=' || w.reports ORDER BY w.reports DESC, w.code) AS codes
        FROM (SELECT c.domain, c.reporter, c.code, count(*) AS reports
              FROM (SELECT h.domain, h.reporter, h.day, h.id, u.code
                    FROM heads h CROSS JOIN LATERAL unnest(h.warnings) u (code)
                    UNION
                    -- What it came in: once for a report, however often it came.
                    SELECT h.domain, h.reporter, h.day, h.id, u.code
                    FROM heads h JOIN dmarc.document d ON d.domain = h.domain AND d.day = h.day AND d.report = h.id
                    CROSS JOIN LATERAL unnest(d.warnings) u (code)
                    WHERE d.kind = 'aggregate' AND d.warnings IS NOT NULL AND d.report IS NOT NULL) c
              GROUP BY c.domain, c.reporter, c.code) w
        GROUP BY w.domain, w.reporter
    )
    SELECT h.domain, h.reporter, (array_agg(h.org_name ORDER BY h.period_end DESC, h.org_name))[1], count(*),
           coalesce(sum(m.records), 0), coalesce(sum(m.messages), 0), coalesce(sum(m.dkim_aligned), 0),
           coalesce(sum(m.spf_aligned), 0), coalesce(sum(m.disagree), 0), count(*) FILTER (WHERE h.incomplete),
           w.codes, min(h.day), max(h.day)
    FROM heads h
    LEFT JOIN mail m ON m.domain = h.domain AND m.day = h.day AND m.report = h.id
    LEFT JOIN warned w ON w.domain = h.domain AND w.reporter = h.reporter
    GROUP BY h.domain, h.reporter, w.codes
    ORDER BY h.domain, coalesce(sum(m.messages), 0) DESC, h.reporter;
END
$fn$;
COMMENT ON FUNCTION dmarc.reporters(text, date, date, boolean) IS 'Who reports about the domain, how much, how often its verdicts differ from its own results, and which warnings how many of its reports carry (code=reports). Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.disagreements(text, date, date, boolean);
CREATE FUNCTION dmarc.disagreements(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
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
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mail AS (
        SELECT o.domain, o.day, o.report, sum(o.message_count) AS all_messages, count(*) FILTER (WHERE e.disagree) AS records,
               sum(o.message_count) FILTER (WHERE e.disagree) AS messages, max(o.message_count) FILTER (WHERE e.disagree) AS most
        FROM dmarc.observation o
        JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.day, o.report
    ), heads AS MATERIALIZED (
        SELECT h.domain, h.day, h.id, h.reporter
        FROM dmarc.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
    ), who AS MATERIALIZED (
        SELECT m.domain, h.reporter, sum(m.records)::bigint AS records, sum(m.messages) AS messages,
               round(sum(m.messages) / nullif(sum(m.all_messages), 0), 4) AS share, count(m.most) AS reports,
               min(m.day) FILTER (WHERE m.records > 0) AS first_seen, max(m.day) FILTER (WHERE m.records > 0) AS last_seen,
               (array_agg(m.day ORDER BY m.most DESC NULLS LAST, m.day DESC, m.report))[1] AS example_day,
               (array_agg(m.report ORDER BY m.most DESC NULLS LAST, m.day DESC, m.report))[1] AS example_report
        FROM mail m
        LEFT JOIN heads h ON h.domain = m.domain AND h.day = m.day AND h.id = m.report
        GROUP BY m.domain, h.reporter
        HAVING count(m.most) > 0
    )
    SELECT w.domain, w.reporter, w.records, w.messages, w.share, w.reports, w.first_seen, w.last_seen, x.example
    FROM who w
    CROSS JOIN LATERAL (
        SELECT concat_ws(' ', host(o.source_ip), 'From: ' || e.header_from, 'said dkim=' || e.dkim_verdict || ' spf=' || e.spf_verdict || ',',
                         'its results say dkim=' || CASE WHEN e.dkim_aligned THEN 'pass' ELSE 'fail' END
                         || ' spf=' || CASE WHEN e.spf_aligned THEN 'pass' ELSE 'fail' END) AS example
        FROM dmarc.observation o
        JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
        WHERE o.domain = w.domain AND o.day = w.example_day AND o.report = w.example_report AND e.disagree
        ORDER BY o.message_count DESC, o.ordinal
        LIMIT 1
    ) x
    ORDER BY w.domain, w.messages DESC, w.reporter;
END
$fn$;
COMMENT ON FUNCTION dmarc.disagreements(text, date, date, boolean) IS 'Reporters whose verdicts differ from their own results: how often, for which share of the messages they tell of, and the example with most messages. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.timeline(text, date, date), dmarc.timeline(text, date, date, boolean);
CREATE FUNCTION dmarc.timeline(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
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
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS (
        SELECT o.domain, o.evidence, o.day, sum(o.message_count) AS messages, min(o.day) AS first_seen, max(o.day) AS last_seen
        FROM dmarc.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.evidence, o.day
    ), judged AS MATERIALIZED (
        SELECT c.*, e.dkim_aligned, e.spf_aligned, e.disposition
        FROM (SELECT DISTINCT s.domain, s.evidence FROM seen s) s
        LEFT JOIN dmarc.evidence e ON e.domain = s.domain AND e.hash = s.evidence
        LEFT JOIN dmarc.classification c ON c.domain = s.domain AND c.evidence = s.evidence
    ), mail AS (
        SELECT s.domain, s.day, sum(s.messages) AS messages,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'authorised'), 0) AS authorised,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'misconfigured'), 0) AS misconfigured,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'forwarded'), 0) AS forwarded,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'unknown'), 0) AS unknown,
               coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned OR j.spf_aligned), 0) AS passed,
               coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(s.messages) FILTER (WHERE j.spf_aligned), 0) AS spf_aligned,
               coalesce(sum(s.messages) FILTER (WHERE j.disposition = 'quarantine'), 0) AS quarantined,
               coalesce(sum(s.messages) FILTER (WHERE j.disposition = 'reject'), 0) AS rejected
        FROM seen s
        LEFT JOIN judged j ON j.domain = s.domain AND j.evidence = s.evidence
        GROUP BY s.domain, s.day
    ), heads AS (
        SELECT h.domain, h.day, count(*) AS reports
        FROM dmarc.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
        GROUP BY h.domain, h.day
    )
    SELECT h.domain, h.day, coalesce(m.messages, 0), coalesce(m.passed, 0), round(m.passed / nullif(m.messages, 0), 4),
           coalesce(m.authorised, 0), coalesce(m.misconfigured, 0), coalesce(m.forwarded, 0), coalesce(m.unknown, 0),
           coalesce(m.dkim_aligned, 0), coalesce(m.spf_aligned, 0), coalesce(m.quarantined, 0), coalesce(m.rejected, 0), h.reports
    FROM heads h
    LEFT JOIN mail m ON m.domain = h.domain AND m.day = h.day
    ORDER BY h.domain, h.day;
END
$fn$;
COMMENT ON FUNCTION dmarc.timeline(text, date, date, boolean) IS 'One row for each domain and day with a report: messages, how many passed DMARC, and the four classes. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.failures(text, date, date), dmarc.failures(text, date, date, boolean);
CREATE FUNCTION dmarc.failures(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                               only_trusted boolean DEFAULT false)
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
    advice text
)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS (
        SELECT o.domain, o.evidence, o.source_ip, sum(o.message_count) AS messages, min(o.day) AS first_seen, max(o.day) AS last_seen
        FROM dmarc.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.evidence, o.source_ip
    ), judged AS MATERIALIZED (
        SELECT c.*, e.header_from, e.disposition, e.reason_types AS overrides, e.disagree, true AS failed,
               dmarc.dkim_failure(e.header_from, e.domain, e.dkim_domains, e.dkim_selectors, e.dkim_results) AS dkim,
               dmarc.spf_failure(e.header_from, e.domain, e.spf_domains, e.spf_scopes, e.spf_results) AS spf
        FROM (SELECT DISTINCT s.domain, s.evidence FROM seen s) s
        LEFT JOIN dmarc.evidence e ON e.domain = s.domain AND e.hash = s.evidence
        LEFT JOIN dmarc.classification c ON c.domain = s.domain AND c.evidence = s.evidence
        WHERE NOT e.dkim_aligned AND NOT e.spf_aligned
    )
    SELECT s.domain, j.sender, j.class, j.header_from, j.dkim, j.spf, j.disposition, j.overrides, sum(s.messages),
           count(DISTINCT s.source_ip), j.disagree, min(s.first_seen), max(s.last_seen), j.sender_key, min(j.advice)
    FROM seen s
    LEFT JOIN judged j ON j.domain = s.domain AND j.evidence = s.evidence
    WHERE coalesce(j.failed, false)
    GROUP BY s.domain, j.sender, j.class, j.header_from, j.dkim, j.spf, j.disposition, j.overrides, j.disagree, j.sender_key
    ORDER BY s.domain, sum(s.messages) DESC, j.sender, j.class, j.header_from, j.dkim, j.spf;
END
$fn$;
COMMENT ON FUNCTION dmarc.failures(text, date, date, boolean) IS 'Mail that does not pass DMARC, and why: what DKIM and SPF found, what was done, and which reason the reporter gave. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

DROP FUNCTION IF EXISTS dmarc.summary(text, date, date), dmarc.summary(text, date, date, boolean);
CREATE FUNCTION dmarc.summary(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                              only_trusted boolean DEFAULT false)
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
    last_seen date
)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off SET random_page_cost = 1.1 AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS (
        SELECT o.domain, o.evidence, o.source_ip, sum(o.message_count) AS messages, min(o.day) AS first_seen, max(o.day) AS last_seen
        FROM dmarc.observation o
        WHERE (policy_domain IS NULL OR o.domain = lower(policy_domain))
          AND o.day >= coalesce(since, '-infinity') AND o.day < coalesce(until, 'infinity')
          AND (NOT only_trusted OR NOT EXISTS (SELECT FROM dmarc.report t WHERE t.domain = o.domain AND t.day = o.day AND t.id = o.report
                                                                          AND (t.trusted IS FALSE OR t.foreign_domain)))
        GROUP BY o.domain, o.evidence, o.source_ip
    ), judged AS MATERIALIZED (
        SELECT c.*, e.dkim_aligned, e.spf_aligned, e.disposition
        FROM (SELECT DISTINCT s.domain, s.evidence FROM seen s) s
        LEFT JOIN dmarc.evidence e ON e.domain = s.domain AND e.hash = s.evidence
        LEFT JOIN dmarc.classification c ON c.domain = s.domain AND c.evidence = s.evidence
    ), mail AS (
        SELECT s.domain, sum(s.messages) AS messages,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'authorised'), 0) AS authorised,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'misconfigured'), 0) AS misconfigured,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'forwarded'), 0) AS forwarded,
               coalesce(sum(s.messages) FILTER (WHERE j.class = 'unknown'), 0) AS unknown,
               coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned OR j.spf_aligned), 0) AS passed,
               coalesce(sum(s.messages) FILTER (WHERE j.dkim_aligned), 0) AS dkim_aligned,
               coalesce(sum(s.messages) FILTER (WHERE j.spf_aligned), 0) AS spf_aligned,
               coalesce(sum(s.messages) FILTER (WHERE j.disposition = 'quarantine'), 0) AS quarantined,
               coalesce(sum(s.messages) FILTER (WHERE j.disposition = 'reject'), 0) AS rejected,
               count(DISTINCT j.sender) AS senders, count(DISTINCT s.source_ip) AS sources
        FROM seen s
        LEFT JOIN judged j ON j.domain = s.domain AND j.evidence = s.evidence
        GROUP BY s.domain
    ), heads AS (
        SELECT h.domain, count(*) AS reports, count(DISTINCT h.reporter) AS reporters, min(h.day) AS first_seen, max(h.day) AS last_seen,
               (array_agg(h.p ORDER BY h.period_end DESC, h.id DESC) FILTER (WHERE h.p IS NOT NULL))[1] AS policy
        FROM dmarc.report h
        WHERE (policy_domain IS NULL OR h.domain = lower(policy_domain))
          AND h.day >= coalesce(since, '-infinity') AND h.day < coalesce(until, 'infinity')
          AND NOT h.replaced AND NOT (only_trusted AND (h.trusted IS FALSE OR h.foreign_domain))
        GROUP BY h.domain
    )
    SELECT h.domain, coalesce(m.messages, 0), coalesce(m.passed, 0), round(m.passed / nullif(m.messages, 0), 4),
           coalesce(m.authorised, 0), coalesce(m.misconfigured, 0), coalesce(m.forwarded, 0), coalesce(m.unknown, 0),
           coalesce(m.dkim_aligned, 0), coalesce(m.spf_aligned, 0), coalesce(m.quarantined, 0), coalesce(m.rejected, 0),
           h.policy, coalesce(m.senders, 0), coalesce(m.sources, 0), h.reporters, h.reports, h.first_seen, h.last_seen
    FROM heads h
    LEFT JOIN mail m ON m.domain = h.domain
    ORDER BY coalesce(m.messages, 0) DESC, h.domain;
END
$fn$;
COMMENT ON FUNCTION dmarc.summary(text, date, date, boolean) IS 'One row for each domain: messages, how many passed DMARC, the four classes, what was done, the policy last seen. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- The ledger. Every mail has exactly one outcome: mails = stored + duplicate + no_report + problem.
DROP FUNCTION IF EXISTS dmarc.status();
CREATE FUNCTION dmarc.status()
RETURNS TABLE (
    mails bigint,
    stored bigint,
    duplicate bigint,
    no_report bigint,
    problem bigint,
    documents bigint,
    problem_documents bigint,
    domains bigint,
    reports bigint,
    records numeric,
    messages numeric,
    failure_reports bigint,
    tls_reports bigint,
    first_day date,
    last_day date,
    last_mail timestamptz,
    database_size bigint
)
LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.*, d.*, r.domains, r.reports, r.records, r.messages, f.failure_reports, t.tls_reports, r.first_day, r.last_day, l.last_mail,
            pg_catalog.pg_database_size(pg_catalog.current_database())
    FROM (SELECT count(*), count(*) FILTER (WHERE outcome = 'stored'), count(*) FILTER (WHERE outcome = 'duplicate'),
                 count(*) FILTER (WHERE outcome = 'no_report'), count(*) FILTER (WHERE outcome = 'problem')
          FROM dmarc.message) m,
         (SELECT count(*), count(*) FILTER (WHERE outcome = 'problem') FROM dmarc.document) d,
         (SELECT count(DISTINCT domain) AS domains, count(*) AS reports, coalesce(sum(record_count), 0) AS records,
                 coalesce(sum(message_count), 0) AS messages, min(day) AS first_day, max(day) AS last_day
          FROM dmarc.report WHERE NOT replaced) r,
         (SELECT count(*) AS failure_reports FROM dmarc.failure_report) f,
         (SELECT count(*) AS tls_reports FROM dmarc.tls_report) t,
         (SELECT max(ingested_at) AS last_mail FROM dmarc.message) l;
END
$fn$;
COMMENT ON FUNCTION dmarc.status() IS 'The ledger in one row: what came in, what became of it, what is stored. mails = stored + duplicate + no_report + problem';

DROP FUNCTION IF EXISTS dmarc.problems();
CREATE FUNCTION dmarc.problems()
RETURNS TABLE (
    code text,
    what text,
    problems bigint,
    first_seen timestamptz,
    last_seen timestamptz,
    detail text,
    source text,
    subject text,
    message bigint
)
LANGUAGE plpgsql STABLE AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.code, p.what, count(*), min(p.ingested_at), max(p.ingested_at),
           (array_agg(p.detail ORDER BY p.ingested_at DESC, p.message DESC, p.path))[1],
           (array_agg(p.source ORDER BY p.ingested_at DESC, p.message DESC, p.path))[1],
           (array_agg(p.subject ORDER BY p.ingested_at DESC, p.message DESC, p.path))[1],
           (array_agg(p.message ORDER BY p.ingested_at DESC, p.message DESC, p.path))[1]
    FROM dmarc.problem p
    GROUP BY p.code, p.what
    ORDER BY count(*) DESC, p.code, p.what;
END
$fn$;
COMMENT ON FUNCTION dmarc.problems() IS 'Why mails and documents could not be stored: each reason, how often, and the latest example. dmarc.problem lists them one by one';
