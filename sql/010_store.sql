-- From here on schema dmarc holds what users may build on, views and functions, and dmarc_store the tables behind them, which
-- may change with any version. What a reporter saw is summed up as mail comes in, so that the usual questions read sums:
--
--   profile         what of a message authenticated, without address, count, recipient and what failed: all that its class and
--                   the name of its sender depend on, and both of these. One row for each policy domain and difference.
--   profile_day     messages for each profile and day: a row for each batch, which "whosends maintain" makes one of.
--   profile_source  which addresses sent a profile on which days of a month. Telling the addresses of a report apart costs more
--                   than all else of storing it, so "whosends maintain" does that later, where a domain has many; until then the
--                   report is in `unfolded`, and who asks for addresses reads its records.
--   domain_day      messages for each policy domain and day, by class.
--
-- `doubtful` stands for what --trusted leaves out. The sums are kept by sql/sums.sql.

LOCK TABLE dmarc.report, dmarc.evidence, dmarc.observation, dmarc.failure_report, dmarc.tls_report, dmarc.tls_policy, dmarc.tls_failure,
    dmarc.message, dmarc.document, dmarc.original, dmarc.reading, dmarc.mailbox, dmarc.sender, dmarc.sender_rule IN ACCESS EXCLUSIVE MODE;

DROP VIEW IF EXISTS dmarc.problem, dmarc.classification, dmarc.override_reason, dmarc.spf_result, dmarc.dkim_result, dmarc.record;
DROP FUNCTION IF EXISTS dmarc.authenticated(text, text, text, text, text[], text[], text[], text[], text[], text[]),
    dmarc.senders(text, date, date, boolean), dmarc.sources(text, date, date, boolean),
    dmarc.reporters(text, date, date, boolean), dmarc.disagreements(text, date, date, boolean),
    dmarc.timeline(text, date, date, boolean), dmarc.failures(text, date, date, boolean), dmarc.summary(text, date, date, boolean),
    dmarc.status(), dmarc.problems(), dmarc.find_mail(text), dmarc.untrusted(), dmarc.rereadable(text, text, boolean, text, date),
    dmarc.problem_list(text), dmarc.failure_samples(text, date, date), dmarc.tls(text, date, date),
    dmarc.ensure_month(date), dmarc.ensure_month(date, text), dmarc.load_sender(), dmarc.load_sender_rule();

CREATE SCHEMA dmarc_store;
DO $do$
DECLARE
    one text;
BEGIN
    FOR one IN
        SELECT c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname NOT IN ('schema_version', 'repeatable')
    LOOP
        EXECUTE format('ALTER TABLE dmarc.%I SET SCHEMA dmarc_store', one);
    END LOOP;
END
$do$;
ALTER SEQUENCE dmarc.message_id SET SCHEMA dmarc_store;
ALTER SEQUENCE dmarc.report_no SET SCHEMA dmarc_store;

-- Messages of the report by what we found, so that nobody has to add up its records.
ALTER TABLE dmarc_store.report ADD COLUMN dkim_aligned_count numeric NOT NULL DEFAULT 0;
ALTER TABLE dmarc_store.report ADD COLUMN spf_aligned_count numeric NOT NULL DEFAULT 0;
ALTER TABLE dmarc_store.report ADD COLUMN disagree_count numeric NOT NULL DEFAULT 0;
UPDATE dmarc_store.report r
SET dkim_aligned_count = s.dkim_aligned, spf_aligned_count = s.spf_aligned, disagree_count = s.disagree
FROM (SELECT o.domain, o.day, o.report,
             coalesce(sum(o.message_count) FILTER (WHERE e.dkim_aligned), 0) AS dkim_aligned,
             coalesce(sum(o.message_count) FILTER (WHERE e.spf_aligned), 0) AS spf_aligned,
             coalesce(sum(o.message_count) FILTER (WHERE e.disagree), 0) AS disagree
      FROM dmarc_store.observation o JOIN dmarc_store.evidence e ON e.domain = o.domain AND e.hash = o.evidence
      GROUP BY o.domain, o.day, o.report) s
WHERE r.domain = s.domain AND r.day = s.day AND r.id = s.report;

CREATE TABLE dmarc_store.profile (
    domain      text COLLATE "C" NOT NULL,
    hash        uuid NOT NULL,
    header_from text COLLATE "C" NOT NULL,
    dkim_aligned boolean NOT NULL,
    spf_aligned boolean NOT NULL,
    dkim_aligned_domain text COLLATE "C",
    dkim_aligned_selector text,
    spf_aligned_domain text COLLATE "C",
    dkim_domains text[],
    dkim_selectors text[],
    spf_domains text[],
    spf_scopes  text[],
    reason_types text[],
    class       text NOT NULL,
    rule        text NOT NULL,
    sender_key  text COLLATE "C",
    sender      text NOT NULL,
    known       boolean NOT NULL,
    kind        text,
    confidence  text NOT NULL,
    evidence_said text NOT NULL,
    advice      text,
    CONSTRAINT profile_pk PRIMARY KEY (domain, hash)
);

-- The profile of old evidence is filled in when the functions that know it are there. New rows have one.
ALTER TABLE dmarc_store.evidence ADD COLUMN profile uuid;
ALTER TABLE dmarc_store.evidence ADD CONSTRAINT evidence_profile_ck CHECK (profile IS NOT NULL) NOT VALID;
CREATE INDEX evidence_dkim_ix ON dmarc_store.evidence USING gin (dkim_domains);

-- In an order that leaves no gaps between columns.
CREATE TABLE dmarc_store.profile_day (
    profile     uuid NOT NULL,
    records     bigint NOT NULL,
    day         date NOT NULL,
    doubtful    boolean NOT NULL,
    domain      text COLLATE "C" NOT NULL,
    messages    numeric NOT NULL,
    quarantined numeric NOT NULL,
    rejected    numeric NOT NULL
) PARTITION BY RANGE (day);
CREATE INDEX profile_day_ix ON dmarc_store.profile_day (domain, day);
CREATE TABLE dmarc_store.profile_day_other PARTITION OF dmarc_store.profile_day DEFAULT;

-- day: the first of the month; days: bit 0 stands for it.
CREATE TABLE dmarc_store.profile_source (
    domain      text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    source_ip   inet NOT NULL,
    profile     uuid NOT NULL,
    doubtful    boolean NOT NULL,
    days        int NOT NULL,
    CONSTRAINT profile_source_pk PRIMARY KEY (domain, day, source_ip, profile, doubtful)
) PARTITION BY RANGE (day);
CREATE TABLE dmarc_store.profile_source_other PARTITION OF dmarc_store.profile_source DEFAULT;
CREATE INDEX profile_source_ip_ix ON dmarc_store.profile_source (source_ip);

CREATE TABLE dmarc_store.unfolded (
    domain      text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    report      bigint NOT NULL,
    records     bigint NOT NULL,
    doubtful    boolean NOT NULL,
    CONSTRAINT unfolded_pk PRIMARY KEY (domain, day, report)
);

CREATE TABLE dmarc_store.domain_day (
    domain      text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    doubtful    boolean NOT NULL,
    reports     bigint NOT NULL,
    records     bigint NOT NULL,
    messages    numeric NOT NULL,
    passed      numeric NOT NULL,
    authorised  numeric NOT NULL,
    misconfigured numeric NOT NULL,
    forwarded   numeric NOT NULL,
    unknown     numeric NOT NULL,
    dkim_aligned numeric NOT NULL,
    spf_aligned numeric NOT NULL,
    quarantined numeric NOT NULL,
    rejected    numeric NOT NULL,
    CONSTRAINT domain_day_pk PRIMARY KEY (domain, day, doubtful)
) PARTITION BY RANGE (day);
CREATE TABLE dmarc_store.domain_day_other PARTITION OF dmarc_store.domain_day DEFAULT;

-- Which roles, beside those that may read everything, may read about which policy domains.
CREATE TABLE dmarc_store.domain_grant (
    domain      text COLLATE "C" NOT NULL,
    role        name NOT NULL,
    granted_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT domain_grant_pk PRIMARY KEY (domain, role)
);
