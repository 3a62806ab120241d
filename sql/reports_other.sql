-- The reports about failure reports and TLS reports, with the same arguments as those in reports.sql; and what became of all mails.

CREATE OR REPLACE FUNCTION dmarc.failure_samples(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL)
RETURNS TABLE (
    domain text,
    arrived timestamptz,
    reporter text,
    source_ip inet,
    header_from text,
    mail_from text,
    auth_failures text[],
    alignment_failed text,
    delivery_result text,
    dkim_domain text,
    dkim_selector text,
    subject text,
    incidents bigint,
    from_text text,
    rcpt_domain text,
    message_id text,
    authentication_results text[],
    subject_hash uuid,
    day date,
    id bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
DECLARE
    mine   text[] := dmarc.visible();
    others text[] := ARRAY(SELECT g.domain FROM dmarc_store.domain_grant g WHERE g.domain <> ALL (mine)
                           UNION
                           SELECT m.domain FROM dmarc_store.group_grant r JOIN dmarc_store.domain_group m ON m.name = r.name
                           WHERE m.domain <> ALL (mine));
BEGIN
    -- A subdomain has its own name here, but mostly the policy of the domain above it. It may be somebody else's. No row is looked up for
    -- another one, so that the pages read do not tell whether there is such a domain.
    RETURN QUERY
    SELECT f.domain, f.arrived, f.reporter, f.source_ip, f.header_from, f.mail_from, f.auth_failures, f.alignment_failed,
           f.delivery_result, coalesce(f.dkim_domain, f.signature_domains[1]),
           CASE WHEN f.dkim_domain IS NULL THEN f.signature_selectors[1] ELSE f.dkim_selector END, f.subject, f.incidents, f.from_text,
           f.rcpt_domain, f.message_id, f.authentication_results, f.subject_hash, f.day, f.id
    FROM dmarc_store.failure_report f
    WHERE (policy_domain IS NULL OR f.domain = lower(policy_domain)
           OR right(f.domain, length(policy_domain) + 1) = '.' || lower(policy_domain))
      AND (mine IS NULL
           OR (SELECT max(length(m)) FROM unnest(mine) m WHERE m = f.domain OR right(f.domain, length(m) + 1) = '.' || m)
              > (SELECT coalesce(max(length(o)), 0) FROM unnest(others) o WHERE o = f.domain OR right(f.domain, length(o) + 1) = '.' || o))
      AND f.day >= coalesce(since, '-infinity') AND f.day < coalesce(until, 'infinity')
    ORDER BY f.arrived DESC, f.domain, f.id DESC;
END
$fn$;
COMMENT ON FUNCTION dmarc.failure_samples(text, date, date) IS 'The failure reports one by one, the latest first: which message failed, where it came from, what failed, what was done; of the domain and of all below it. Without a reported DKIM identity the first signature of the message. Arguments: policy domain, first day, day after the last';

CREATE OR REPLACE FUNCTION dmarc.tls(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL)
RETURNS TABLE (
    domain text,
    policy_type text,
    reporters bigint,
    reports bigint,
    successful numeric,
    failed numeric,
    failed_share numeric,
    result_types text[],
    first_seen date,
    last_seen date
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    IF lower(policy_domain) <> ALL (mine) THEN
        RETURN; -- nor does the time that it takes tell whether there is such a domain
    END IF;
    RETURN QUERY
    WITH policies AS (
        SELECT p.domain, p.day, p.report, p.ordinal, p.policy_type, coalesce(p.successful, 0) AS successful, coalesce(p.failed, 0) AS failed
        FROM dmarc_store.tls_policy p
        WHERE (policy_domain IS NULL OR p.domain = lower(policy_domain)) AND (mine IS NULL OR p.domain = ANY (mine))
          AND p.day >= coalesce(since, '-infinity') AND p.day < coalesce(until, 'infinity')
    ), sums AS (
        SELECT p.domain, p.policy_type, count(DISTINCT r.reporter) AS reporters, count(DISTINCT p.report) AS reports,
               sum(p.successful) AS successful, sum(p.failed) AS failed, min(p.day) AS first_seen, max(p.day) AS last_seen
        FROM policies p
        JOIN dmarc_store.tls_report r ON r.domain = p.domain AND r.day = p.day AND r.id = p.report
        GROUP BY p.domain, p.policy_type
    ), kinds AS (
        SELECT p.domain, p.policy_type, f.result_type, sum(coalesce(f.failed, 0)) AS failed
        FROM policies p
        JOIN dmarc_store.tls_failure f ON f.domain = p.domain AND f.day = p.day AND f.report = p.report AND f.policy = p.ordinal
        GROUP BY p.domain, p.policy_type, f.result_type
    ), lists AS (
        SELECT k.domain, k.policy_type, array_agg(k.result_type || ' ' || k.failed ORDER BY k.failed DESC, k.result_type) AS result_types
        FROM kinds k
        GROUP BY k.domain, k.policy_type
    )
    SELECT s.domain, s.policy_type, s.reporters, s.reports, s.successful, s.failed, round(s.failed / nullif(s.successful + s.failed, 0), 6),
           l.result_types, s.first_seen, s.last_seen
    FROM sums s
    LEFT JOIN lists l ON l.domain = s.domain AND l.policy_type = s.policy_type
    ORDER BY s.domain, s.successful + s.failed DESC, s.policy_type;
END
$fn$;
COMMENT ON FUNCTION dmarc.tls(text, date, date) IS 'Whether mail servers that send to the domain find TLS as its policy wants it: one row for each domain and kind of policy, with sessions, how many failed and of what, as the reports'' failure details count it. Arguments: policy domain, first day, day after the last';

-- The ledger. Every mail has exactly one outcome: mails = stored + duplicate + no_report + problem.
CREATE OR REPLACE FUNCTION dmarc.status()
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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.*, d.*, r.domains, r.reports, r.records, r.messages, f.failure_reports, t.tls_reports, r.first_day, r.last_day, l.last_mail,
            pg_database_size(current_database())
    FROM (SELECT count(*), count(*) FILTER (WHERE outcome = 'stored'), count(*) FILTER (WHERE outcome = 'duplicate'),
                 count(*) FILTER (WHERE outcome = 'no_report'), count(*) FILTER (WHERE outcome = 'problem')
          FROM dmarc_store.message) m,
         (SELECT count(*), count(*) FILTER (WHERE outcome = 'problem') FROM dmarc_store.document) d,
         (SELECT count(DISTINCT domain) AS domains, count(*) AS reports, coalesce(sum(record_count), 0) AS records,
                 coalesce(sum(message_count), 0) AS messages, min(day) AS first_day, max(day) AS last_day
          FROM dmarc_store.report WHERE NOT replaced) r,
         (SELECT count(*) AS failure_reports FROM dmarc_store.failure_report) f,
         (SELECT count(*) AS tls_reports FROM dmarc_store.tls_report) t,
         (SELECT max(ingested_at) AS last_mail FROM dmarc_store.message) l;
END
$fn$;
COMMENT ON FUNCTION dmarc.status() IS 'The ledger in one row: what came in, what became of it, what is stored. mails = stored + duplicate + no_report + problem';

CREATE OR REPLACE FUNCTION dmarc.problems()
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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
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
