-- The ledger, asked for one mail, and for what nobody vouches for.

-- Which mails a text of the user's means: the number of the mail, the beginning of its SHA-256, where it came from or its
-- Message-ID, or the report_id of a report in it. The first of these that finds something decides; a number that is no
-- mail's may be a report_id.
CREATE OR REPLACE FUNCTION dmarc.find_mail(ref text)
RETURNS TABLE (
    mail_sha256 bytea,
    message bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
BEGIN
    IF ref ~ '^[0-9]{1,18}$' THEN
        RETURN QUERY SELECT m.sha256, m.id FROM dmarc_store.message m WHERE m.id = ref::bigint ORDER BY m.sha256;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF ref ~* '^[0-9a-f]{6,64}$' THEN
        RETURN QUERY SELECT m.sha256, m.id FROM dmarc_store.message m
                     WHERE m.sha256 BETWEEN decode(rpad(ref, 64, '0'), 'hex') AND decode(rpad(ref, 64, 'f'), 'hex')
                     ORDER BY m.id;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT m.sha256, m.id FROM dmarc_store.message m WHERE m.source = ref OR m.message_id = btrim(ref, '<>') ORDER BY m.id;
    IF FOUND THEN
        RETURN;
    END IF;
    -- Mails and reports need not be on the same node: one first, then the other.
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT r.domain, r.day, r.id FROM dmarc_store.report r WHERE r.report_id = ref
        UNION ALL
        SELECT t.domain, t.day, t.id FROM dmarc_store.tls_report t WHERE t.report_id = ref
    )
    SELECT DISTINCT d.mail_sha256, d.message
    FROM found f JOIN dmarc_store.document d ON d.report = f.id AND d.domain = f.domain AND d.day = f.day
    WHERE d.report IS NOT NULL
    ORDER BY d.message;
END
$fn$;
COMMENT ON FUNCTION dmarc.find_mail(text) IS 'The mails that a text means: number of the mail, beginning of its SHA-256 (six digits at least), source, Message-ID, or the report_id of a report in it';

-- A report may be flagged twice, then it is listed twice.
CREATE OR REPLACE FUNCTION dmarc.untrusted()
RETURNS TABLE (
    code text,
    domain text,
    reporter text,
    report_id text,
    day date,
    records bigint,
    messages numeric,
    mail_from text,
    auth_result text,
    auth_domain text,
    message bigint,
    source text,
    subject text,
    ingested_at timestamptz
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH flagged AS MATERIALIZED (
        SELECT r.domain, r.day, r.id, r.reporter, r.report_id, r.record_count, r.message_count, r.trusted, r.foreign_domain, r.ingested_at
        FROM dmarc_store.report r
        WHERE (r.trusted IS FALSE OR r.foreign_domain) AND NOT r.replaced
    ), brought AS MATERIALIZED (
        SELECT r.domain, r.day, r.id, d.mail_sha256, d.message, d.ordinal
        FROM flagged r JOIN dmarc_store.document d ON d.report = r.id AND d.domain = r.domain AND d.day = r.day
        WHERE d.report IS NOT NULL
    ), first AS MATERIALIZED (
        -- The mail that brought it first.
        SELECT DISTINCT ON (b.domain, b.day, b.id) b.domain, b.day, b.id, b.mail_sha256, b.message
        FROM brought b
        ORDER BY b.domain, b.day, b.id, b.message, b.ordinal
    ), mails AS MATERIALIZED (
        SELECT f.domain, f.day, f.id, g.id AS message, g.mail_from, g.auth_result, g.auth_domain, g.source, g.subject
        FROM first f JOIN dmarc_store.message g ON g.sha256 = f.mail_sha256 AND g.id = f.message
    )
    SELECT f.code, r.domain, r.reporter, r.report_id, r.day, r.record_count, r.message_count,
           m.mail_from, m.auth_result, m.auth_domain, m.message, m.source, m.subject, r.ingested_at
    FROM flagged r
    CROSS JOIN LATERAL (VALUES ('reporter_mismatch', r.trusted IS FALSE), ('foreign_domain', r.foreign_domain)) f (code, flagged)
    LEFT JOIN mails m ON m.domain = r.domain AND m.day = r.day AND m.id = r.id
    WHERE f.flagged
    ORDER BY r.message_count DESC, r.domain, r.day, r.id, f.code;
END
$fn$;
COMMENT ON FUNCTION dmarc.untrusted() IS 'Reports that --trusted leaves out: reporter_mismatch (the mail did not come from the reporter) and foreign_domain (about a domain that is not ours), with the mail that brought each first';

-- What may be read again: mails that have something to look into, and whose originals are kept. A row that only says that the
-- same bytes came again has nothing.
CREATE OR REPLACE FUNCTION dmarc.rereadable(ref text, code text, problems boolean, domain text, since date)
RETURNS TABLE (
    mail_sha256 bytea,
    message bigint,
    source text,
    identity boolean,
    kept boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $fn$
#variable_conflict use_column
DECLARE
    hashes  bytea[];
    numbers bigint[];
BEGIN
    IF $1 IS NOT NULL THEN
        SELECT array_agg(f.mail_sha256), array_agg(f.message) INTO hashes, numbers FROM dmarc.find_mail($1) f;
    END IF;
    RETURN QUERY
    SELECT m.sha256, m.id, m.source, m.identity, EXISTS (SELECT FROM dmarc_store.original o WHERE o.mail_sha256 = m.sha256)
    FROM dmarc_store.message m
    WHERE ($1 IS NULL OR (m.sha256 = ANY (hashes) AND m.id = ANY (numbers)))
      AND ($3 IS NOT TRUE OR (m.outcome = 'problem' AND ($2 IS NULL OR m.code = $2))
           OR (m.sha256, m.id) IN (SELECT d.mail_sha256, d.message FROM dmarc_store.document d
                                   WHERE d.outcome = 'problem' AND ($2 IS NULL OR d.code = $2)))
      AND (m.outcome = 'problem' OR EXISTS (SELECT FROM dmarc_store.document d WHERE d.mail_sha256 = m.sha256 AND d.message = m.id))
      AND (($4 IS NULL AND $5 IS NULL)
           OR EXISTS (SELECT FROM dmarc_store.document d WHERE d.mail_sha256 = m.sha256 AND d.message = m.id
                      AND ($4 IS NULL OR d.domain = $4) AND ($5 IS NULL OR d.day >= $5)));
END
$fn$;
COMMENT ON FUNCTION dmarc.rereadable(text, text, boolean, text, date) IS 'The mails that "whosends retry" (problems: true) and "whosends reparse" read again, and whether their originals are kept. Arguments: as find_mail, code of a problem, only problems, policy domain, first day; NULL leaves one out';

-- Problems one by one, of one reason or of all.
CREATE OR REPLACE FUNCTION dmarc.problem_list(reason text)
RETURNS TABLE (
    code text,
    what text,
    message bigint,
    ingested_at timestamptz,
    detail text,
    path text,
    source text,
    mail_from text,
    subject text,
    original text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.code, p.what, p.message, p.ingested_at, p.detail, p.path, p.source, p.mail_from, p.subject, m.original
    FROM dmarc.problem p JOIN dmarc_store.message m ON m.sha256 = p.mail_sha256 AND m.id = p.message
    WHERE $1 IS NULL OR p.code = $1
    ORDER BY p.message DESC, p.path;
END
$fn$;
COMMENT ON FUNCTION dmarc.problem_list(text) IS 'Problems one by one, the latest first, with the number of the mail for "whosends show". Argument: code of the reason, NULL for all';
