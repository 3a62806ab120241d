-- What users query: records as reporters wrote them, their results one by one, and who they are from. Everything that
-- belongs to a report carries domain, day and report; join on all three, so that only the days in question are read.

DROP VIEW IF EXISTS dmarc.problem;
DROP VIEW IF EXISTS dmarc.classification;
DROP VIEW IF EXISTS dmarc.override_reason;
DROP VIEW IF EXISTS dmarc.spf_result;
DROP VIEW IF EXISTS dmarc.dkim_result;
DROP VIEW IF EXISTS dmarc.record;

CREATE VIEW dmarc.record AS
SELECT o.domain, o.report, o.day, o.ordinal, o.source_ip, o.source_raw, o.message_count,
       e.header_from, e.envelope_from, e.envelope_to, e.disposition,
       e.dkim_verdict, e.spf_verdict, e.verdict_computed, e.dkim_aligned, e.spf_aligned,
       e.dkim_aligned_domain, e.dkim_aligned_selector, e.spf_aligned_domain, e.disagree,
       e.extensions, e.raw, o.evidence
FROM dmarc.observation o
JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence;

COMMENT ON VIEW dmarc.record IS 'One row for each record of an aggregate report: an address, how many messages, and what the reporter found';
COMMENT ON COLUMN dmarc.record.domain IS 'policy domain: the domain whose DMARC policy was applied';
COMMENT ON COLUMN dmarc.record.report IS 'id in dmarc.report, together with domain and day';
COMMENT ON COLUMN dmarc.record.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc.record.ordinal IS 'place of the record in its report, from 1';
COMMENT ON COLUMN dmarc.record.source_ip IS 'address that sent the messages; NULL when the report holds none that can be read';
COMMENT ON COLUMN dmarc.record.source_raw IS 'what stood in place of the address, when it could not be read';
COMMENT ON COLUMN dmarc.record.message_count IS 'messages that this record stands for';
COMMENT ON COLUMN dmarc.record.header_from IS 'domain of the From: header';
COMMENT ON COLUMN dmarc.record.envelope_from IS 'domain of MAIL FROM; empty for the null reverse-path, NULL when not reported';
COMMENT ON COLUMN dmarc.record.envelope_to IS 'domain of the recipient; NULL when not reported';
COMMENT ON COLUMN dmarc.record.disposition IS 'what the reporter did: none, pass, quarantine, reject; NULL when the word is unknown';
COMMENT ON COLUMN dmarc.record.dkim_verdict IS 'the reporter''s own verdict on DKIM with alignment: pass or fail';
COMMENT ON COLUMN dmarc.record.spf_verdict IS 'the reporter''s own verdict on SPF with alignment: pass or fail';
COMMENT ON COLUMN dmarc.record.verdict_computed IS 'the report had no verdicts; those here were worked out from its results';
COMMENT ON COLUMN dmarc.record.dkim_aligned IS 'worked out again: a DKIM signature passed and aligns with header_from';
COMMENT ON COLUMN dmarc.record.spf_aligned IS 'worked out again: SPF passed for a MAIL FROM domain that aligns with header_from';
COMMENT ON COLUMN dmarc.record.dkim_aligned_domain IS 'd= of the signature that aligned';
COMMENT ON COLUMN dmarc.record.dkim_aligned_selector IS 'selector of the signature that aligned';
COMMENT ON COLUMN dmarc.record.spf_aligned_domain IS 'MAIL FROM domain that aligned';
COMMENT ON COLUMN dmarc.record.disagree IS 'the reporter''s verdicts differ from what its own results say';
COMMENT ON COLUMN dmarc.record.extensions IS 'extensions of the record as XML text';
COMMENT ON COLUMN dmarc.record.raw IS 'element=word for each word that had to be normalised';
COMMENT ON COLUMN dmarc.record.evidence IS 'hash in dmarc.evidence and evidence in dmarc.classification, together with domain';

CREATE VIEW dmarc.dkim_result AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position,
       r.signing_domain COLLATE "C" AS signing_domain, r.selector COLLATE "C" AS selector, r.result, r.raw, r.human_result
FROM dmarc.observation o
JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.dkim_domains, e.dkim_selectors, e.dkim_results, e.dkim_raw, e.dkim_human)
    WITH ORDINALITY AS r (signing_domain, selector, result, raw, human_result, n);

COMMENT ON VIEW dmarc.dkim_result IS 'The DKIM results of each record, in order; a record has none, one or many';
COMMENT ON COLUMN dmarc.dkim_result.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.dkim_result.report IS 'id in dmarc.report, together with domain and day';
COMMENT ON COLUMN dmarc.dkim_result.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc.dkim_result.ordinal IS 'record of the report, as in dmarc.record';
COMMENT ON COLUMN dmarc.dkim_result.position IS 'place of the result in its record, from 1';
COMMENT ON COLUMN dmarc.dkim_result.signing_domain IS 'd= of the signature';
COMMENT ON COLUMN dmarc.dkim_result.selector IS 's= of the signature';
COMMENT ON COLUMN dmarc.dkim_result.result IS 'none, pass, fail, policy, neutral, temperror, permerror; NULL when the word is unknown';
COMMENT ON COLUMN dmarc.dkim_result.raw IS 'the word as sent, where it differs';
COMMENT ON COLUMN dmarc.dkim_result.human_result IS 'the reporter''s remark';

CREATE VIEW dmarc.spf_result AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position,
       r.spf_domain COLLATE "C" AS spf_domain, r.scope, r.result, r.raw, r.human_result
FROM dmarc.observation o
JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.spf_domains, e.spf_scopes, e.spf_results, e.spf_raw, e.spf_human)
    WITH ORDINALITY AS r (spf_domain, scope, result, raw, human_result, n);

COMMENT ON VIEW dmarc.spf_result IS 'The SPF results of each record, in order';
COMMENT ON COLUMN dmarc.spf_result.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.spf_result.report IS 'id in dmarc.report, together with domain and day';
COMMENT ON COLUMN dmarc.spf_result.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc.spf_result.ordinal IS 'record of the report, as in dmarc.record';
COMMENT ON COLUMN dmarc.spf_result.position IS 'place of the result in its record, from 1';
COMMENT ON COLUMN dmarc.spf_result.spf_domain IS 'domain that SPF was checked for';
COMMENT ON COLUMN dmarc.spf_result.scope IS 'mfrom or helo; NULL when not reported';
COMMENT ON COLUMN dmarc.spf_result.result IS 'none, neutral, pass, fail, softfail, policy, temperror, permerror; NULL when the word is unknown';
COMMENT ON COLUMN dmarc.spf_result.raw IS 'the word as sent, where it differs';
COMMENT ON COLUMN dmarc.spf_result.human_result IS 'the reporter''s remark';

CREATE VIEW dmarc.override_reason AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position, r.type, r.raw, r.comment
FROM dmarc.observation o
JOIN dmarc.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.reason_types, e.reason_raw, e.reason_comments) WITH ORDINALITY AS r (type, raw, comment, n);

COMMENT ON VIEW dmarc.override_reason IS 'Why reporters did not do what the policy asked for, for each record, in order';
COMMENT ON COLUMN dmarc.override_reason.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.override_reason.report IS 'id in dmarc.report, together with domain and day';
COMMENT ON COLUMN dmarc.override_reason.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc.override_reason.ordinal IS 'record of the report, as in dmarc.record';
COMMENT ON COLUMN dmarc.override_reason.position IS 'place of the reason in its record, from 1';
COMMENT ON COLUMN dmarc.override_reason.type IS 'forwarded, mailing_list, trusted_forwarder, local_policy, sampled_out, policy_test_mode, other';
COMMENT ON COLUMN dmarc.override_reason.raw IS 'the type as sent, where it differs';
COMMENT ON COLUMN dmarc.override_reason.comment IS 'the reporter''s remark';

-- Once for each piece of evidence: who, which class, by which rule, and what says so. The rules are in classes.sql.
-- Of several names that the catalogue knows, this order decides: a user's rule; one that does not relay; a product before
-- the carrier that it sends through; DKIM d=, selector, MAIL FROM, HELO; the longest pattern; the first in the report.
CREATE VIEW dmarc.classification AS
SELECT j.domain, j.evidence, dmarc.class_of(j.rule) AS class, j.rule,
       CASE WHEN j.by_relay THEN j.relay_key ELSE j.who_key END AS sender_key,
       CASE WHEN j.by_relay THEN j.relay_name
            WHEN j.who_key IS NOT NULL THEN j.who_name
            WHEN j.dkim_aligned THEN 'own mail (' || coalesce('selector ' || j.dkim_aligned_selector, 'd=' || j.dkim_aligned_domain) || ')'
            WHEN j.spf_aligned THEN 'own mail (spf ' || j.spf_aligned_domain || ')'
            WHEN j.own_name IS NOT NULL THEN 'own mail (' || j.own_name || ')'
            WHEN j.stranger IS NOT NULL THEN j.stranger || ' (not known)'
            ELSE 'nothing authenticates' END AS sender,
       j.by_relay OR j.who_key IS NOT NULL AS known,
       CASE WHEN j.by_relay THEN j.relay_kind ELSE j.who_kind END AS kind,
       CASE WHEN j.by_relay THEN j.relay_confidence
            WHEN j.who_key IS NOT NULL THEN j.who_confidence
            WHEN j.dkim_aligned OR j.spf_aligned THEN 'high'
            WHEN j.own_name IS NOT NULL OR j.stranger IS NOT NULL THEN 'medium'
            ELSE 'none' END AS confidence,
       CASE WHEN j.by_relay THEN j.relay_said
            WHEN j.who_key IS NOT NULL THEN j.who_said
            WHEN j.dkim_aligned THEN 'dkim d=' || j.dkim_aligned_domain || coalesce(' s=' || j.dkim_aligned_selector, '') || ', passed'
            WHEN j.spf_aligned THEN 'spf ' || j.spf_aligned_domain || ', passed'
            WHEN j.own_name IS NOT NULL THEN j.own_said
            WHEN j.stranger IS NOT NULL THEN j.stranger_said
            ELSE 'nothing passed' END
       || CASE WHEN j.rule = 'reason' THEN '; reporter says: ' || array_to_string(j.reason_types, ', ') ELSE '' END AS evidence_said,
       CASE WHEN dmarc.class_of(j.rule) = 'misconfigured' THEN replace(CASE
            WHEN j.who_key IS NULL THEN 'alignment is strict: sign with d=' || j.header_from || ' exactly, or publish adkim=r and aspf=r'
            ELSE coalesce(j.who_advice, 'set it up to sign with DKIM as {domain}') END, '{domain}', j.header_from) END AS advice
FROM (
    SELECT e.domain, e.hash AS evidence, e.header_from, e.dkim_aligned, e.spf_aligned, e.dkim_aligned_domain,
           e.dkim_aligned_selector, e.spf_aligned_domain, e.reason_types, a.*, k.*, s.survived,
           r.rule, r.rule IN ('reason', 'survived', 'relay') AND k.relay_key IS NOT NULL AS by_relay
    FROM dmarc.evidence e
    -- What authenticated, apart from the catalogue.
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS passed,
               (array_agg(i.name ORDER BY i.strength) FILTER (WHERE i.own))[1] AS own_name,
               (array_agg(i.said ORDER BY i.strength) FILTER (WHERE i.own))[1] AS own_said,
               (array_agg(i.name ORDER BY i.strength) FILTER (WHERE NOT i.own))[1] AS stranger,
               (array_agg(i.said ORDER BY i.strength) FILTER (WHERE NOT i.own))[1] AS stranger_said
        FROM dmarc.authenticated(e.header_from, e.domain, e.dkim_aligned_domain, e.spf_aligned_domain, e.dkim_domains,
                                 e.dkim_selectors, e.dkim_results, e.spf_domains, e.spf_scopes, e.spf_results) i
    ) a
    -- What the catalogue knows of it.
    CROSS JOIN LATERAL (
        SELECT (array_agg(m.key ORDER BY m.rank))[1] AS who_key,
               (array_agg(m.name ORDER BY m.rank))[1] AS who_name,
               (array_agg(m.kind ORDER BY m.rank))[1] AS who_kind,
               (array_agg(m.advice ORDER BY m.rank))[1] AS who_advice,
               (array_agg(m.said ORDER BY m.rank))[1] AS who_said,
               (array_agg(m.confidence ORDER BY m.rank))[1] AS who_confidence,
               coalesce(bool_or(NOT m.relays), false) AS known_sender,
               (array_agg(m.key ORDER BY m.hop, m.rank) FILTER (WHERE m.relays))[1] AS relay_key,
               (array_agg(m.name ORDER BY m.hop, m.rank) FILTER (WHERE m.relays))[1] AS relay_name,
               (array_agg(m.kind ORDER BY m.hop, m.rank) FILTER (WHERE m.relays))[1] AS relay_kind,
               (array_agg(m.said ORDER BY m.hop, m.rank) FILTER (WHERE m.relays))[1] AS relay_said,
               (array_agg(m.confidence ORDER BY m.hop, m.rank) FILTER (WHERE m.relays))[1] AS relay_confidence,
               array_agg(m.key) FILTER (WHERE m.relays AND (m.hop = 1 OR m.signs_on)) AS brought_by,
               coalesce(array_agg(m.key) FILTER (WHERE m.rule_kind = 'dkim_selector'), '{}') AS signed_by
        FROM (
            SELECT n.key, n.name, n.kind, n.advice, p.said, p.rule_kind,
                   -- Who brought it: best seen in MAIL FROM, then in HELO, then in a signature.
                   CASE p.strength WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END AS hop,
                   p.rule_kind = 'dkim_domain' AND (c.tenant OR n.kind IN ('forwarder', 'list')) AS signs_on,
                   CASE WHEN p.rule_kind = 'dkim_domain' THEN 'high' WHEN p.strength = 3 THEN 'low' ELSE 'medium' END AS confidence,
                   n.kind IN ('mailbox', 'gateway', 'forwarder', 'list')
                       AND NOT (c.tenant AND dmarc.is_own_tenant(p.name, e.header_from, e.domain)) AS relays,
                   row_number() OVER (ORDER BY c.origin = 'user' DESC,
                       n.kind IN ('mailbox', 'gateway', 'forwarder', 'list'), n.carrier,
                       p.strength, p.rule_kind, length(c.pattern) DESC, p.said, n.key) AS rank
            FROM (
                SELECT i.name, i.said, i.strength, i.method || '_domain' AS rule_kind,
                       dmarc.suffixes(string_to_array(i.name, '.')) AS patterns
                FROM dmarc.authenticated(e.header_from, e.domain, e.dkim_aligned_domain, e.spf_aligned_domain, e.dkim_domains,
                                         e.dkim_selectors, e.dkim_results, e.spf_domains, e.spf_scopes, e.spf_results) i
                UNION ALL
                -- A selector says something only in a signature of the domain itself: anybody may choose any selector
                -- for his own.
                SELECT i.name, i.said, i.strength, 'dkim_selector',
                       ARRAY[i.selector, regexp_replace(i.selector, '[0-9]+', '#', 'g')]
                FROM dmarc.authenticated(e.header_from, e.domain, e.dkim_aligned_domain, e.spf_aligned_domain, e.dkim_domains,
                                         e.dkim_selectors, e.dkim_results, e.spf_domains, e.spf_scopes, e.spf_results) i
                WHERE i.method = 'dkim' AND i.own
            ) p
            -- OFFSET 0 keeps this a look-up by key for each name; joined freely, the planner reads the whole catalogue
            -- for each piece of evidence.
            CROSS JOIN LATERAL (
                SELECT q.* FROM dmarc.sender_rule q WHERE q.kind = p.rule_kind AND q.pattern = ANY (p.patterns) OFFSET 0
            ) c
            JOIN dmarc.sender n ON n.key = c.sender
        ) m
    ) k
    CROSS JOIN LATERAL (SELECT coalesce(NOT k.brought_by && k.signed_by, false) AS survived) s
    CROSS JOIN LATERAL (SELECT dmarc.class_rule(e.spf_aligned, e.dkim_aligned, e.reason_types, s.survived, k.known_sender,
                                                a.own_name IS NOT NULL, k.relay_key IS NOT NULL, a.passed) AS rule) r
) j;

COMMENT ON VIEW dmarc.classification IS 'Who sent and whether he may, for each piece of evidence: join with dmarc.record on domain and evidence';
COMMENT ON COLUMN dmarc.classification.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.classification.evidence IS 'hash in dmarc.evidence, evidence in dmarc.record';
COMMENT ON COLUMN dmarc.classification.class IS 'authorised, misconfigured, forwarded, unknown';
COMMENT ON COLUMN dmarc.classification.rule IS 'the rule that decided the class, see dmarc.class_rule';
COMMENT ON COLUMN dmarc.classification.sender_key IS 'key in dmarc.sender; NULL when the catalogue does not know it';
COMMENT ON COLUMN dmarc.classification.sender IS 'name for people: of the catalogue, or own mail, or the plain domain with the mark (not known)';
COMMENT ON COLUMN dmarc.classification.known IS 'the name is from the catalogue';
COMMENT ON COLUMN dmarc.classification.kind IS 'kind of the sender, see dmarc.sender';
COMMENT ON COLUMN dmarc.classification.confidence IS 'high: DKIM d=, or the domain''s own alignment; medium: selector or MAIL FROM; low: HELO; none: nothing passed';
COMMENT ON COLUMN dmarc.classification.evidence_said IS 'what the name and class rest on, in words';
COMMENT ON COLUMN dmarc.classification.advice IS 'for misconfigured senders: what makes them authenticate as the domain';

CREATE VIEW dmarc.problem AS
SELECT p.what, p.code, p.detail, p.path, p.source, p.subject, p.mail_from, p.ingested_at,
       p.message, p.mail_sha256, count(*) OVER (PARTITION BY p.code) AS alike
FROM (
    SELECT 'document' AS what, d.code, d.detail, d.path, m.source, m.subject, m.mail_from, m.ingested_at, m.id AS message, m.sha256 AS mail_sha256
    FROM dmarc.document d
    JOIN dmarc.message m ON m.sha256 = d.mail_sha256 AND m.id = d.message
    WHERE d.outcome = 'problem'
    UNION ALL
    -- The mail as a whole, and any mail of that outcome that has no document to blame.
    SELECT 'mail', m.code, m.detail, NULL, m.source, m.subject, m.mail_from, m.ingested_at, m.id, m.sha256
    FROM dmarc.message m
    WHERE m.outcome = 'problem'
      AND (m.code IS NOT NULL OR NOT EXISTS (SELECT FROM dmarc.document d
                                             WHERE d.mail_sha256 = m.sha256 AND d.message = m.id AND d.outcome = 'problem'))
) p;

COMMENT ON VIEW dmarc.problem IS 'Mails and documents that a person should look at';
COMMENT ON COLUMN dmarc.problem.what IS 'mail, or document in a mail';
COMMENT ON COLUMN dmarc.problem.code IS 'short name of the reason';
COMMENT ON COLUMN dmarc.problem.detail IS 'the reason in words, with the place or the limit';
COMMENT ON COLUMN dmarc.problem.path IS 'where in the mail: part and members of archives';
COMMENT ON COLUMN dmarc.problem.source IS 'where the mail came from';
COMMENT ON COLUMN dmarc.problem.subject IS 'subject of the mail';
COMMENT ON COLUMN dmarc.problem.mail_from IS 'From: of the mail';
COMMENT ON COLUMN dmarc.problem.ingested_at IS 'when it was read';
COMMENT ON COLUMN dmarc.problem.message IS 'id in dmarc.message';
COMMENT ON COLUMN dmarc.problem.mail_sha256 IS 'SHA-256 of the mail';
COMMENT ON COLUMN dmarc.problem.alike IS 'how many problems have this code';
