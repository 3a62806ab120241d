-- What users query: the ledger, reports, records as reporters wrote them, their results one by one, who they are from, and the
-- daily sums. Everything that belongs to a report carries domain, day and report; join on all three, so that only the days in
-- question are read.
--
-- Each reader sees what dmarc.visible() lets him see. The views are security barriers: what a reader writes into a query is looked
-- at after that, unless it cannot tell anything of the rows that he may not see.

-- Who asks: SET ROLE counts, also inside of functions that do as their owner. Not in parallel workers, of which not every
-- version knows the role that was set.
CREATE OR REPLACE FUNCTION dmarc.reader() RETURNS name LANGUAGE sql STABLE PARALLEL RESTRICTED AS $fn$
    SELECT CASE WHEN pg_catalog.current_setting('role') = 'none' THEN session_user ELSE pg_catalog.current_setting('role')::name END
$fn$;
COMMENT ON FUNCTION dmarc.reader() IS 'The role that asks, also inside of functions that do as their owner';

-- A session that looks at a group of domains (SET dmarc.domain_group = 'name', see dmarc.use_group) sees no others: so each view and report
-- can be had of a group.
CREATE OR REPLACE FUNCTION dmarc.visible() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    who     oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = dmarc.reader());
    roles   name[];
    wanted  text := nullif(current_setting('dmarc.domain_group', true), '');
    members text[];
BEGIN
    -- Nobody asks: autovacuum computes an index's expressions as the owner of the table, but in the session of a superuser.
    IF current_query() IS NULL THEN
        RETURN '{}';
    END IF;
    IF wanted IS NOT NULL THEN
        SELECT coalesce(array_agg(g.domain), '{}') INTO members FROM dmarc_store.domain_group g WHERE g.name = wanted;
    END IF;
    IF EXISTS (SELECT FROM pg_roles r
               WHERE (r.oid = (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'dmarc_store')
                      OR r.rolname IN ('whosends_read', 'whosends_ingest')) AND pg_has_role(who, r.oid, 'USAGE')) THEN
        RETURN members;
    END IF;
    roles := ARRAY(SELECT r.rolname FROM pg_roles r WHERE pg_has_role(who, r.oid, 'USAGE'));
    RETURN ARRAY(SELECT g.domain FROM dmarc_store.domain_grant g
                 WHERE g.role = ANY (roles) AND (wanted IS NULL OR g.domain = ANY (members))
                 UNION
                 SELECT m.domain FROM dmarc_store.group_grant g JOIN dmarc_store.domain_group m ON m.name = g.name
                 WHERE g.role = ANY (roles) AND (wanted IS NULL OR m.domain = ANY (members)));
END
$fn$;
COMMENT ON FUNCTION dmarc.visible() IS 'The policy domains that the role which asks may read about, of those in the group that the session looks at; NULL: all';

-- Of a month and its days as bits, of which the lowest stands for the first.
CREATE OR REPLACE FUNCTION dmarc.first_of(month date, days int) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT month + position('1' IN reverse(days::bit(31)::text)) - 1
$fn$;
COMMENT ON FUNCTION dmarc.first_of(date, int) IS 'The first of the days of a month that are set';
CREATE OR REPLACE FUNCTION dmarc.last_of(month date, days int) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT month + 31 - position('1' IN days::bit(31)::text)
$fn$;
COMMENT ON FUNCTION dmarc.last_of(date, int) IS 'The last of the days of a month that are set';

-- The bits of the days of a month from one day up to another one, which is not in it.
CREATE OR REPLACE FUNCTION dmarc.days_of(month date, since date, until date) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN since < month + 31 AND until > month AND since < until
                THEN ((1::bigint << least(until, month + 31) - month) - (1::bigint << greatest(since, month) - month))::int ELSE 0 END
$fn$;
COMMENT ON FUNCTION dmarc.days_of(date, date, date) IS 'The bits of the days of a month from one day up to another one, which is not in it';

CREATE OR REPLACE VIEW dmarc.message AS
SELECT t.id, t.sha256, t.source, t.identity, t.message_id, t.mail_from, t.from_domain, t.subject, t.mail_date, t.size,
       t.outcome, t.code, t.detail, t.ingested_at, t.auth_result, t.auth_domain, t.original, t.reread_at
FROM dmarc_store.message t;

CREATE OR REPLACE VIEW dmarc.document WITH (security_barrier) AS
SELECT t.mail_sha256, t.message, t.ordinal, t.path, t.kind, t.size, t.sha256, t.outcome, t.code, t.detail, t.domain, t.day,
       t.report, t.warnings
FROM dmarc_store.document t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.reading AS
SELECT t.mail_sha256, t.message, t.ordinal, t.read_until, t.command, t.outcome, t.problems
FROM dmarc_store.reading t;

CREATE OR REPLACE VIEW dmarc.mailbox AS
SELECT t.mailbox, t.uidvalidity, t.uid, t.read_at
FROM dmarc_store.mailbox t;

CREATE OR REPLACE VIEW dmarc.report WITH (security_barrier) AS
SELECT t.id, t.domain, t.day, t.identity, t.content, t.reporter, t.org_name, t.email, t.extra_contact_info, t.report_id,
       t.period_begin, t.period_end, t.generation, t.namespace_uri, t.version, t.generator, t.error, t.p, t.sp, t.np,
       t.adkim, t.aspf, t.pct, t.fo, t.testing, t.discovery_method, t.extensions, t.raw, t.record_count, t.records_seen,
       t.message_count, t.dkim_aligned_count, t.spf_aligned_count, t.disagree_count, t.incomplete, t.id_collision, t.trusted,
       t.foreign_domain, t.replaced, t.warnings, t.warning_notes, t.ingested_at
FROM dmarc_store.report t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.failure_report WITH (security_barrier) AS
SELECT t.id, t.domain, t.day, t.identity, t.content, t.reporter, t.reporting_mta, t.user_agent, t.arrived, t.incidents,
       t.source_ip, t.source_raw, t.auth_failures, t.alignment_failed, t.delivery_result, t.header_from, t.from_text,
       t.mail_from, t.rcpt_domain, t.message_id, t.envelope_id, t.subject, t.subject_hash, t.dkim_domain, t.dkim_selector,
       t.signature_domains, t.signature_selectors, t.authentication_results, t.raw, t.warnings, t.warning_notes,
       t.ingested_at
FROM dmarc_store.failure_report t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.tls_report WITH (security_barrier) AS
SELECT t.id, t.domain, t.day, t.identity, t.content, t.reporter, t.organization, t.contact, t.report_id, t.period_begin,
       t.period_end, t.policy_count, t.failure_count, t.id_collision, t.warnings, t.warning_notes, t.ingested_at
FROM dmarc_store.tls_report t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.tls_policy WITH (security_barrier) AS
SELECT t.domain, t.day, t.report, t.ordinal, t.policy_type, t.policy_string, t.mx_hosts, t.successful, t.failed
FROM dmarc_store.tls_policy t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.tls_failure WITH (security_barrier) AS
SELECT t.domain, t.day, t.report, t.policy, t.ordinal, t.result_type, t.sending_ip, t.sending_raw, t.receiving_ip,
       t.receiving_raw, t.mx_hostname, t.mx_helo, t.failed, t.reason_code, t.information
FROM dmarc_store.tls_failure t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.sender AS
SELECT t.key, t.name, t.kind, t.carrier, t.advice, t.origin
FROM dmarc_store.sender t;

CREATE OR REPLACE VIEW dmarc.sender_rule AS
SELECT t.kind, t.pattern, t.sender, t.tenant, t.origin
FROM dmarc_store.sender_rule t;

CREATE OR REPLACE VIEW dmarc.approval WITH (security_barrier) AS
SELECT t.domain, t.sender, t.approved, t.note, t.decided_at, t.decided_by
FROM dmarc_store.approval t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

CREATE OR REPLACE VIEW dmarc.domain_group WITH (security_barrier) AS
SELECT t.domain, t.name
FROM dmarc_store.domain_group t
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE t.domain = ANY ((SELECT dmarc.visible())::text[]) END;

-- These say of each column what the table behind says.
DO $do$
DECLARE
    one pg_catalog.record;
BEGIN
    FOR one IN
        SELECT v.relname, a.attname, coalesce(col_description(t.oid, b.attnum), '') AS said, obj_description(t.oid, 'pg_class') AS whole
        FROM pg_catalog.pg_class v
        JOIN pg_catalog.pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
        JOIN pg_catalog.pg_class t ON t.relname = v.relname AND t.relnamespace = 'dmarc_store'::regnamespace
        JOIN pg_catalog.pg_attribute b ON b.attrelid = t.oid AND b.attname = a.attname
        WHERE v.relnamespace = 'dmarc'::regnamespace AND v.relkind = 'v'
    LOOP
        EXECUTE format('COMMENT ON COLUMN dmarc.%I.%I IS %L', one.relname, one.attname, one.said);
        EXECUTE format('COMMENT ON VIEW dmarc.%I IS %L', one.relname, one.whole);
    END LOOP;
END
$do$;

-- Each record has its evidence. These are outer joins so that the planner knows: by the statistics of the hashes it takes them for
-- hardly any rows, and joins two such views row by row.
CREATE OR REPLACE VIEW dmarc.record WITH (security_barrier) AS
SELECT o.domain, o.report, o.day, o.ordinal, o.source_ip, o.source_raw, o.message_count,
       e.header_from, e.envelope_from, e.envelope_to, e.disposition,
       e.dkim_verdict, e.spf_verdict, e.verdict_computed, e.dkim_aligned, e.spf_aligned,
       e.dkim_aligned_domain, e.dkim_aligned_selector, e.spf_aligned_domain, e.disagree,
       e.extensions, e.raw, o.evidence
FROM dmarc_store.observation o
LEFT JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE o.domain = ANY ((SELECT dmarc.visible())::text[]) END;

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

CREATE OR REPLACE VIEW dmarc.dkim_result WITH (security_barrier) AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position,
       r.signing_domain COLLATE "C" AS signing_domain, r.selector COLLATE "C" AS selector, r.result, r.raw, r.human_result
FROM dmarc_store.observation o
LEFT JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.dkim_domains, e.dkim_selectors, e.dkim_results, e.dkim_raw, e.dkim_human)
    WITH ORDINALITY AS r (signing_domain, selector, result, raw, human_result, n)
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE o.domain = ANY ((SELECT dmarc.visible())::text[]) END;

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

CREATE OR REPLACE VIEW dmarc.spf_result WITH (security_barrier) AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position,
       r.spf_domain COLLATE "C" AS spf_domain, r.scope, r.result, r.raw, r.human_result
FROM dmarc_store.observation o
LEFT JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.spf_domains, e.spf_scopes, e.spf_results, e.spf_raw, e.spf_human)
    WITH ORDINALITY AS r (spf_domain, scope, result, raw, human_result, n)
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE o.domain = ANY ((SELECT dmarc.visible())::text[]) END;

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

CREATE OR REPLACE VIEW dmarc.override_reason WITH (security_barrier) AS
SELECT o.domain, o.report, o.day, o.ordinal, r.n::int AS position, r.type, r.raw, r.comment
FROM dmarc_store.observation o
LEFT JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
CROSS JOIN LATERAL unnest(e.reason_types, e.reason_raw, e.reason_comments) WITH ORDINALITY AS r (type, raw, comment, n)
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE o.domain = ANY ((SELECT dmarc.visible())::text[]) END;

COMMENT ON VIEW dmarc.override_reason IS 'The reasons that reporters gave for an evaluation or a disposition other than the policy''s, for each record, in order';
COMMENT ON COLUMN dmarc.override_reason.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.override_reason.report IS 'id in dmarc.report, together with domain and day';
COMMENT ON COLUMN dmarc.override_reason.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc.override_reason.ordinal IS 'record of the report, as in dmarc.record';
COMMENT ON COLUMN dmarc.override_reason.position IS 'place of the reason in its record, from 1';
COMMENT ON COLUMN dmarc.override_reason.type IS 'forwarded, mailing_list, trusted_forwarder, local_policy, sampled_out, policy_test_mode, other';
COMMENT ON COLUMN dmarc.override_reason.raw IS 'the type as sent, where it differs';
COMMENT ON COLUMN dmarc.override_reason.comment IS 'the reporter''s remark';

CREATE OR REPLACE VIEW dmarc.classification WITH (security_barrier) AS
SELECT e.domain, e.hash AS evidence, p.class, p.rule, p.sender_key, p.sender, p.known, p.kind, p.confidence, p.evidence_said, p.advice,
       e.profile
FROM dmarc_store.evidence e
JOIN dmarc_store.profile p ON p.domain = e.domain AND p.hash = e.profile
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE e.domain = ANY ((SELECT dmarc.visible())::text[]) END;

COMMENT ON VIEW dmarc.classification IS 'Who sent and whether he may, for each piece of evidence: join with dmarc.record on domain and evidence';
COMMENT ON COLUMN dmarc.classification.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.classification.evidence IS 'hash in dmarc.evidence, evidence in dmarc.record';
COMMENT ON COLUMN dmarc.classification.class IS 'authorised, misconfigured, forwarded, unknown';
COMMENT ON COLUMN dmarc.classification.rule IS 'the rule that decided the class, see dmarc.class_rule';
COMMENT ON COLUMN dmarc.classification.sender_key IS 'key in dmarc.sender; NULL when the catalogue does not know it';
COMMENT ON COLUMN dmarc.classification.sender IS 'name for people: of the catalogue, or own mail, or the plain domain with the mark (not known) or (approved)';
COMMENT ON COLUMN dmarc.classification.known IS 'the name is from the catalogue';
COMMENT ON COLUMN dmarc.classification.kind IS 'kind of the sender, see dmarc.sender';
COMMENT ON COLUMN dmarc.classification.confidence IS 'high: DKIM d=, or the domain''s own alignment; medium: selector or MAIL FROM; low: HELO; none: nothing passed';
COMMENT ON COLUMN dmarc.classification.evidence_said IS 'what the name and class rest on, in words';
COMMENT ON COLUMN dmarc.classification.advice IS 'for misconfigured senders: what makes them authenticate as the domain';
COMMENT ON COLUMN dmarc.classification.profile IS 'profile in dmarc.daily and dmarc.source, together with domain';

CREATE OR REPLACE VIEW dmarc.daily WITH (security_barrier) AS
SELECT d.domain, d.day, p.sender, p.class, p.header_from, p.dkim_aligned, p.spf_aligned, d.records, d.messages, d.quarantined, d.rejected,
       d.doubtful, p.sender_key, p.known, p.kind, p.confidence, p.evidence_said, p.rule, p.dkim_domains, p.spf_domains, p.reason_types, d.profile
FROM (SELECT s.domain, s.day, s.profile, s.doubtful, sum(s.records)::bigint AS records, sum(s.messages) AS messages,
             sum(s.quarantined) AS quarantined, sum(s.rejected) AS rejected
      FROM dmarc_store.profile_day s
      GROUP BY s.domain, s.day, s.profile, s.doubtful
      HAVING sum(s.records) <> 0) d
JOIN dmarc_store.profile p ON p.domain = d.domain AND p.hash = d.profile
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE d.domain = ANY ((SELECT dmarc.visible())::text[]) END;

COMMENT ON VIEW dmarc.daily IS 'Messages by policy domain, UTC day, sender and what authenticated, summed up as reports come in';
COMMENT ON COLUMN dmarc.daily.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.daily.day IS 'UTC day on which the period of the reports begins';
COMMENT ON COLUMN dmarc.daily.sender IS 'name for people: of the catalogue, or own mail, or the plain domain with the mark (not known) or (approved)';
COMMENT ON COLUMN dmarc.daily.class IS 'authorised, misconfigured, forwarded, unknown';
COMMENT ON COLUMN dmarc.daily.header_from IS 'domain of the From: header';
COMMENT ON COLUMN dmarc.daily.dkim_aligned IS 'worked out again: a DKIM signature passed and aligns with header_from';
COMMENT ON COLUMN dmarc.daily.spf_aligned IS 'worked out again: SPF passed for a MAIL FROM domain that aligns with header_from';
COMMENT ON COLUMN dmarc.daily.records IS 'records of reports';
COMMENT ON COLUMN dmarc.daily.messages IS 'messages that these stand for';
COMMENT ON COLUMN dmarc.daily.quarantined IS 'messages of these that the reporters put into quarantine';
COMMENT ON COLUMN dmarc.daily.rejected IS 'messages of these that the reporters rejected';
COMMENT ON COLUMN dmarc.daily.doubtful IS 'by reports that somebody else sent in the reporters name, or about a domain that is not ours: what --trusted leaves out';
COMMENT ON COLUMN dmarc.daily.sender_key IS 'key in dmarc.sender; NULL when the catalogue does not know it';
COMMENT ON COLUMN dmarc.daily.known IS 'the name is from the catalogue';
COMMENT ON COLUMN dmarc.daily.kind IS 'kind of the sender, see dmarc.sender';
COMMENT ON COLUMN dmarc.daily.confidence IS 'high, medium, low, none: as in dmarc.classification';
COMMENT ON COLUMN dmarc.daily.evidence_said IS 'what the name and class rest on, in words';
COMMENT ON COLUMN dmarc.daily.rule IS 'the rule that decided the class, see dmarc.class_rule';
COMMENT ON COLUMN dmarc.daily.dkim_domains IS 'd= of the DKIM signatures that passed';
COMMENT ON COLUMN dmarc.daily.spf_domains IS 'domains for which SPF passed, of MAIL FROM and HELO';
COMMENT ON COLUMN dmarc.daily.reason_types IS 'types of the override reasons that reporters gave';
COMMENT ON COLUMN dmarc.daily.profile IS 'stands for all columns about what authenticated; together with domain';

CREATE OR REPLACE VIEW dmarc.source WITH (security_barrier) AS
SELECT s.domain, s.day AS month, s.source_ip, p.sender, p.class, dmarc.first_of(s.day, s.days) AS first_seen, dmarc.last_of(s.day, s.days) AS last_seen,
       length(replace(s.days::bit(31)::text, '0', '')) AS days, s.doubtful, p.sender_key, s.profile
FROM (SELECT f.domain, f.day, f.source_ip, f.profile, f.doubtful, bit_or(f.days) AS days
      FROM (SELECT o.domain, o.day, o.source_ip, o.profile, o.doubtful, o.days FROM dmarc_store.profile_source o
            UNION ALL
            SELECT n.domain, date_trunc('month', n.day::timestamp)::date, n.source_ip, n.profile, n.doubtful,
                   1 << (extract(day FROM n.day)::int - 1)
            FROM dmarc_store.fresh_source n) f
      GROUP BY f.domain, f.day, f.source_ip, f.profile, f.doubtful) s
JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
WHERE CASE WHEN (SELECT dmarc.visible()) IS NULL THEN true ELSE s.domain = ANY ((SELECT dmarc.visible())::text[]) END;

COMMENT ON VIEW dmarc.source IS 'Which addresses sent as a policy domain in which month: one row for each month, address and what authenticated';
COMMENT ON COLUMN dmarc.source.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.source.month IS 'first day of the month';
COMMENT ON COLUMN dmarc.source.source_ip IS 'address that sent the messages';
COMMENT ON COLUMN dmarc.source.sender IS 'name for people, as in dmarc.daily';
COMMENT ON COLUMN dmarc.source.class IS 'authorised, misconfigured, forwarded, unknown';
COMMENT ON COLUMN dmarc.source.first_seen IS 'first UTC day of the month on which it was reported';
COMMENT ON COLUMN dmarc.source.last_seen IS 'last UTC day of the month on which it was reported';
COMMENT ON COLUMN dmarc.source.days IS 'on how many days of the month it was reported';
COMMENT ON COLUMN dmarc.source.doubtful IS 'by reports that --trusted leaves out, as in dmarc.daily';
COMMENT ON COLUMN dmarc.source.sender_key IS 'key in dmarc.sender; NULL when the catalogue does not know it';
COMMENT ON COLUMN dmarc.source.profile IS 'as in dmarc.daily';

CREATE OR REPLACE VIEW dmarc.problem AS
SELECT p.what, p.code, p.detail, p.path, p.source, p.subject, p.mail_from, p.ingested_at,
       p.message, p.mail_sha256, count(*) OVER (PARTITION BY p.code) AS alike
FROM (
    SELECT 'document' AS what, d.code, d.detail, d.path, m.source, m.subject, m.mail_from, m.ingested_at, m.id AS message, m.sha256 AS mail_sha256
    FROM dmarc_store.document d
    JOIN dmarc_store.message m ON m.sha256 = d.mail_sha256 AND m.id = d.message
    WHERE d.outcome = 'problem'
    UNION ALL
    -- The mail as a whole, and any mail of that outcome that has no document to blame.
    SELECT 'mail', m.code, m.detail, NULL, m.source, m.subject, m.mail_from, m.ingested_at, m.id, m.sha256
    FROM dmarc_store.message m
    WHERE m.outcome = 'problem'
      AND (m.code IS NOT NULL OR NOT EXISTS (SELECT FROM dmarc_store.document d
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
