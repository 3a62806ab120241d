-- One record: how it was judged, step by step. It looks at what is stored, and asks the same functions as the judging does.

CREATE OR REPLACE FUNCTION dmarc_store.rule_said(rule text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE rule
        WHEN 'spf_aligned' THEN 'SPF passed and aligns'
        WHEN 'reason' THEN 'the reporter says that it was forwarded, or went through a list'
        WHEN 'survived' THEN 'DKIM passed and aligns, but the mail was brought by somebody who relays and did not sign as the domain'
        WHEN 'dkim_aligned' THEN 'DKIM passed and aligns'
        WHEN 'approved' THEN 'a sender that is approved passed as itself'
        WHEN 'known' THEN 'a known sender passed as itself'
        WHEN 'unaligned' THEN 'a name of the domain itself passed, but does not align'
        WHEN 'relay' THEN 'somebody who relays passed as himself, and the domain had signed it'
        WHEN 'disowned' THEN 'a sender that is disowned passed as itself'
        WHEN 'stranger' THEN 'what passed is nobody''s whom the domain is known to have'
        WHEN 'nothing' THEN 'nothing passed'
    END
$fn$;
COMMENT ON FUNCTION dmarc_store.rule_said(text) IS 'A rule of dmarc.class_rule in words';

-- What becomes of one result: `what` is dkim or spf.
CREATE OR REPLACE FUNCTION dmarc_store.result_said(what text, name text, scope text, result text, header_from text, domain text, aligned text, strict boolean)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE
        WHEN result IS DISTINCT FROM 'pass' THEN 'did not pass: counts for nothing'
        WHEN dmarc.is_name(name) IS NOT TRUE THEN 'cannot be the name of a domain: counts for nothing'
        WHEN what = 'spf' AND scope = 'helo' THEN 'HELO never aligns'
        WHEN name = header_from THEN 'aligns: the very name of From:'
        WHEN name = aligned THEN 'aligns: of the same organizational domain as From:'
        WHEN dmarc_store.is_ours(name, header_from, domain, aligned) AND strict THEN 'of the domain itself, but alignment is strict: it does not align'
        WHEN dmarc_store.is_ours(name, header_from, domain, aligned) AND NOT dmarc_store.is_inside(header_from, domain) THEN 'of the policy domain, and From: is outside of that'
        WHEN dmarc_store.is_ours(name, header_from, domain, aligned) THEN 'of the domain itself; another one was found to align'
        ELSE 'another domain: does not align' END
$fn$;
COMMENT ON FUNCTION dmarc_store.result_said(text, text, text, text, text, text, text, boolean) IS 'Whether a result of DKIM or SPF aligns, and why, in words';

-- What is known of an address apart from reports; NULL where that is nothing.
CREATE OR REPLACE FUNCTION dmarc_store.address_said(a dmarc_store.address) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT nullif(concat_ws('; ',
        CASE WHEN a.name IS NOT NULL THEN 'reverse name ' || a.name || ', confirmed'
             WHEN a.name_status = 'unconfirmed' THEN 'a reverse name that does not point back, so that it counts for nothing'
             WHEN a.name_status = 'none' THEN 'no reverse name' END
        || CASE WHEN a.name_expires < statement_timestamp() THEN ', to be asked for again since ' ELSE ', which holds until ' END
        || to_char(a.name_expires AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC',
        nullif(concat_ws(', ', 'network ' || a.network, 'country ' || a.country, nullif(concat_ws(' ', 'AS' || a.as_number, a.as_name), '')), '')), '')
$fn$;
COMMENT ON FUNCTION dmarc_store.address_said(dmarc_store.address) IS 'Reverse name of an address, whether it is confirmed and until when that holds, and its network, in words';

CREATE OR REPLACE FUNCTION dmarc.explain(domain text, day date, report bigint, ordinal int)
RETURNS TABLE (
    step int,
    what text,
    found text,
    so text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    mine   text[] := dmarc.visible();
    of_domain text := lower($1);
    o      dmarc_store.observation;
    e      dmarc_store.evidence;
    p      dmarc_store.profile;
    h      dmarc_store.report;
    known  dmarc_store.address;
    whose  text;
    passes boolean;
    inside boolean;
    own_from text;
BEGIN
    IF NOT (mine IS NULL OR of_domain = ANY (mine)) THEN
        RETURN;
    END IF;
    SELECT x.* INTO o FROM dmarc_store.observation x WHERE x.domain = of_domain AND x.day = $2 AND x.report = $3 AND x.ordinal = $4;
    SELECT x.* INTO h FROM dmarc_store.report x WHERE x.domain = of_domain AND x.day = $2 AND x.id = $3;
    IF o.evidence IS NULL OR h.id IS NULL THEN
        RETURN;
    END IF;
    SELECT x.* INTO e FROM dmarc_store.evidence x WHERE x.domain = of_domain AND x.hash = o.evidence;
    SELECT x.* INTO p FROM dmarc_store.profile x WHERE x.domain = of_domain AND x.hash = e.profile;
    SELECT x.* INTO known FROM dmarc_store.address x WHERE x.source_ip = o.source_ip;
    IF known.name IS NOT NULL THEN
        whose := coalesce('of ' || (dmarc_store.sender_by_name(known.name)).name || ' by the catalogue', 'of nobody that is known') || '; ';
    END IF;
    passes := e.dkim_aligned OR e.spf_aligned;
    inside := dmarc_store.is_inside(e.header_from, of_domain);
    own_from := CASE WHEN inside THEN e.header_from ELSE of_domain END;
    RETURN QUERY
    WITH signatures AS (
        SELECT d.n, d.name, d.selector, d.result, d.human
        FROM unnest(e.dkim_domains, e.dkim_selectors, e.dkim_results, e.dkim_human) WITH ORDINALITY d (name, selector, result, human, n)
    ), envelopes AS (
        SELECT s.n, s.name, s.scope, s.result, s.human
        FROM unnest(e.spf_domains, e.spf_scopes, e.spf_results, e.spf_human) WITH ORDINALITY s (name, scope, result, human, n)
    ), passed AS (
        SELECT 'dkim_domain' AS kind, s.name, CASE WHEN dmarc_store.is_ours(s.name, own_from, of_domain, CASE WHEN inside THEN e.dkim_aligned_domain END) THEN s.selector END AS word
        FROM signatures s WHERE s.result = 'pass' AND dmarc.is_name(s.name)
        UNION
        SELECT 'spf_domain', s.name,
               CASE WHEN s.scope IS DISTINCT FROM 'helo' AND right(s.name, length(of_domain) + 1) = '.' || of_domain
                    THEN split_part(s.name, '.', 1) END
        FROM envelopes s WHERE s.result = 'pass' AND dmarc.is_name(s.name)
    ), asked AS (
        SELECT x.kind, x.name AS word, dmarc.suffixes(string_to_array(x.name, '.')) AS patterns FROM passed x
        UNION
        SELECT CASE x.kind WHEN 'dkim_domain' THEN 'dkim_selector' ELSE 'spf_host' END, x.word, ARRAY[x.word, regexp_replace(x.word, '[0-9]+', '#', 'g')]
        FROM passed x WHERE x.word IS NOT NULL
        UNION
        SELECT 'cname', t.target, dmarc.suffixes(string_to_array(t.target, '.'))
        FROM (SELECT unnest(c.targets) AS target
              FROM passed x
              JOIN dmarc_store.cname c ON c.name = CASE x.kind WHEN 'dkim_domain' THEN dmarc_store.key_name(x.word, x.name) ELSE x.name END COLLATE "C"
              WHERE x.word IS NOT NULL) t
        UNION
        -- Host and selector together.
        SELECT r.kind, r.pattern, ARRAY[r.pattern]
        FROM dmarc_store.sender_rule r
        JOIN passed x ON split_part(r.pattern, '/', 1) IN (split_part(x.name, '.', 1), dmarc_store.host_kind(x.name))
                     AND r.kind = CASE x.kind WHEN 'dkim_domain' THEN 'dkim_selector' ELSE 'spf_host' END
        JOIN passed d ON d.kind = 'dkim_domain' AND d.word = split_part(r.pattern, '/', 2) AND (x.kind = 'spf_domain' OR d.name = x.name)
        WHERE position('/' IN r.pattern) > 0 AND x.word IS NOT NULL AND right(x.name, length(of_domain) + 1) = '.' || of_domain
    ), answered AS (
        SELECT DISTINCT ON (a.kind, a.word) a.kind, a.word, c.key,
               r.pattern || ' is ' || c.name || CASE WHEN c.kind IN ('mailbox', 'gateway', 'forwarder', 'list') THEN ', who relays' ELSE '' END AS said
        FROM asked a
        LEFT JOIN dmarc_store.sender_rule r ON (r.kind = a.kind OR a.kind = 'cname' AND r.kind IN ('dkim_domain', 'spf_domain')) AND r.pattern = ANY (a.patterns)
        LEFT JOIN dmarc_store.sender c ON c.key = r.sender
        ORDER BY a.kind, a.word, r.origin = 'user' DESC, length(r.pattern) DESC, r.pattern
    ), steps AS (
        SELECT 1 AS place, 0::bigint AS n, 'record' AS what,
               dmarc_store.amount(o.message_count) || ' from ' || coalesce(host(o.source_ip), o.source_raw, 'nowhere') || ', From: ' || e.header_from
               || coalesce(', MAIL FROM ' || CASE e.envelope_from WHEN '' THEN '<>' ELSE e.envelope_from END, '') || coalesce(', to ' || e.envelope_to, '') AS found,
               'record ' || o.ordinal || ' of report ' || h.report_id || ' by ' || h.reporter || ', of ' || o.day AS so
        UNION ALL
        SELECT 2, 0, 'policy', concat_ws(' ', 'p=' || h.p, 'sp=' || h.sp, 'np=' || h.np, 'adkim=' || h.adkim, 'aspf=' || h.aspf, 'pct=' || h.pct, 't=' || h.testing),
               CASE WHEN NOT dmarc_store.is_inside(e.header_from, of_domain) THEN 'From: is outside of the policy domain: nothing makes it mail of that'
                    WHEN e.header_from = of_domain THEN 'p decides: ' || coalesce(h.p, 'unknown')
                    ELSE 'From: is not the policy domain: sp decides: ' || coalesce(h.sp, h.p, 'unknown')
                         || CASE WHEN h.np <> coalesce(h.sp, h.p) THEN ', or np where it does not exist: ' || h.np ELSE '' END END
        UNION ALL
        SELECT 3, s.n, 'DKIM signature', concat_ws(' ', 'd=' || coalesce(s.name, '?'), 's=' || s.selector, coalesce(s.result, 'unknown result'), '(' || s.human || ')'),
               dmarc_store.result_said('dkim', s.name, NULL, s.result, e.header_from, of_domain, e.dkim_aligned_domain, h.adkim = 's')
        FROM signatures s
        UNION ALL
        SELECT 3, 0, 'DKIM signature', 'none', 'nothing to align' WHERE NOT EXISTS (SELECT FROM signatures)
        UNION ALL
        SELECT 4, s.n, CASE s.scope WHEN 'helo' THEN 'SPF of HELO' ELSE 'SPF of MAIL FROM' END,
               concat_ws(' ', coalesce(s.name, '?'), coalesce(s.result, 'unknown result'), '(' || s.human || ')'),
               dmarc_store.result_said('spf', s.name, s.scope, s.result, e.header_from, of_domain, e.spf_aligned_domain, h.aspf = 's')
        FROM envelopes s
        UNION ALL
        SELECT 4, 0, 'SPF', 'no result', 'nothing to align' WHERE NOT EXISTS (SELECT FROM envelopes)
        UNION ALL
        SELECT 5, 0, 'DMARC', 'DKIM ' || CASE WHEN e.dkim_aligned THEN 'aligns' ELSE 'does not align' END || ', SPF ' || CASE WHEN e.spf_aligned THEN 'aligns' ELSE 'does not align' END,
               CASE WHEN passes THEN 'it passes' ELSE 'it does not pass' END
        UNION ALL
        SELECT 6, 0, 'reporter''s verdict', CASE WHEN e.verdict_computed THEN 'none' ELSE 'dkim=' || e.dkim_verdict || ' spf=' || e.spf_verdict END
               || ', disposition ' || coalesce(e.disposition, 'unknown'),
               CASE WHEN e.verdict_computed THEN 'its results alone were taken'
                    WHEN e.disagree THEN 'differs from what its own results say, which were taken' ELSE 'the same as its results say' END
        UNION ALL
        SELECT 7, r.n, 'override', concat_ws(': ', coalesce(r.type, r.raw), r.comment), CASE WHEN r.type IN ('forwarded', 'trusted_forwarder', 'mailing_list')
               THEN 'the reporter takes it for forwarded' ELSE 'says nothing of forwarding' END
        FROM unnest(e.reason_types, e.reason_raw, e.reason_comments) WITH ORDINALITY r (type, raw, comment, n)
        UNION ALL
        SELECT 8, row_number() OVER (ORDER BY a.kind COLLATE "C", a.word COLLATE "C"), 'catalogue: ' || CASE WHEN position('/' IN a.word) > 0 THEN 'host and selector' WHEN a.kind = 'dkim_domain' THEN 'd=' WHEN a.kind = 'dkim_selector' THEN 'selector'
                    WHEN a.kind = 'spf_host' THEN 'host below the domain' WHEN a.kind = 'cname' THEN 'CNAME to' ELSE 'SPF domain' END,
               a.word, coalesce(a.said, 'nobody that is known')
        FROM answered a
        UNION ALL
        SELECT 9, row_number() OVER (ORDER BY a.sender), 'owner''s word', CASE WHEN a.approved THEN 'approved ' ELSE 'disowned ' END || a.sender || coalesce(' (' || a.note || ')', ''),
               CASE WHEN passes THEN 'it passes, so that changes nothing' ELSE 'on ' || a.decided_at::date END
        FROM dmarc_store.approval a
        WHERE a.domain = of_domain
          AND (a.sender = p.sender_key OR a.sender IN (SELECT w.key FROM answered w) OR EXISTS (SELECT FROM passed x WHERE x.name = a.sender OR right(x.name, length(a.sender) + 1) = '.' || a.sender))
        UNION ALL
        SELECT 10, 0, 'sender', p.sender || ' (' || p.evidence_said || ')', 'confidence: ' || p.confidence
        UNION ALL
        SELECT 11, 0, 'class', 'rule ' || p.rule || ': ' || dmarc_store.rule_said(p.rule), p.class
        UNION ALL
        SELECT 12, 0, 'advice', p.advice, NULL WHERE p.advice IS NOT NULL
        UNION ALL
        SELECT 13, 0, 'address', dmarc_store.address_said(known), concat(whose, 'no reason for class or verdict')
        WHERE dmarc_store.address_said(known) IS NOT NULL
    )
    SELECT row_number() OVER (ORDER BY s.place, s.n)::int, s.what, s.found, s.so FROM steps s ORDER BY s.place, s.n;
END
$fn$;
COMMENT ON FUNCTION dmarc.explain(text, date, bigint, int) IS 'How one record was judged, step by step: what the reporter saw, what aligns and why, whom the catalogue knows, and which rule decided; last what is known of its address, which decides nothing. Arguments: domain, day, report and ordinal, as in dmarc.record';
