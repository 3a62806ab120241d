-- The base of schema dmarc: ledger, reports, what reporters saw.
-- Rules kept everywhere: every table that grows with reports carries the policy domain and the UTC day and
-- has both in its keys; domain is lower-case A-label text COLLATE "C"; no triggers; no foreign keys from
-- children to a partitioned parent (measured: six times the load); identity columns are bigint.

CREATE TABLE dmarc.schema_version (
    version    int PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- What the views, functions and catalogues were last installed from: one row.
CREATE TABLE dmarc.repeatable (
    one        boolean PRIMARY KEY DEFAULT true,
    hash       text NOT NULL,
    version    int NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT repeatable_one_ck CHECK (one)
);

CREATE SEQUENCE dmarc.message_id AS bigint;

CREATE TABLE dmarc.message (
    id          bigint NOT NULL DEFAULT nextval('dmarc.message_id'),
    sha256      bytea NOT NULL,
    source      text NOT NULL,
    identity    boolean NOT NULL,
    message_id  text,
    mail_from   text,
    from_domain text COLLATE "C",
    subject     text,
    mail_date   timestamptz,
    size        bigint NOT NULL,
    outcome     text NOT NULL,
    code        text,
    detail      text,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT message_pk PRIMARY KEY (sha256, id),
    CONSTRAINT message_outcome_ck CHECK (outcome IN ('stored', 'duplicate', 'no_report', 'problem'))
);
-- A path may be longer than an index entry.
CREATE UNIQUE INDEX message_source_uq ON dmarc.message (sha256, hashtextextended(source, 0)) WHERE identity;
CREATE INDEX message_ingested_ix ON dmarc.message USING brin (ingested_at);
CREATE INDEX message_unsolved_ix ON dmarc.message (outcome, id) WHERE outcome = 'problem';

CREATE TABLE dmarc.document (
    mail_sha256 bytea NOT NULL,
    message     bigint NOT NULL,
    ordinal     int NOT NULL,
    path        text NOT NULL,
    kind        text NOT NULL,
    size        bigint,
    sha256      bytea,
    outcome     text NOT NULL,
    code        text,
    detail      text,
    domain      text COLLATE "C",
    day         date,
    report      bigint,
    CONSTRAINT document_pk PRIMARY KEY (mail_sha256, message, ordinal),
    CONSTRAINT document_outcome_ck CHECK (outcome IN ('stored', 'duplicate', 'no_report', 'problem'))
);
CREATE INDEX document_report_ix ON dmarc.document (report) WHERE report IS NOT NULL;
CREATE INDEX document_problem_ix ON dmarc.document (code) WHERE outcome = 'problem';

CREATE SEQUENCE dmarc.report_no AS bigint;

CREATE TABLE dmarc.report (
    id            bigint NOT NULL DEFAULT nextval('dmarc.report_no'),
    domain        text COLLATE "C" NOT NULL,
    day           date NOT NULL,
    identity      uuid NOT NULL,
    content       uuid NOT NULL,
    reporter      text COLLATE "C" NOT NULL,
    org_name      text,
    email         text,
    extra_contact_info text,
    report_id     text NOT NULL,
    period_begin  timestamptz NOT NULL,
    period_end    timestamptz NOT NULL,
    generation    text,
    namespace_uri text,
    version       text,
    generator     text,
    error         text,
    p             text,
    sp            text,
    np            text,
    adkim         text,
    aspf          text,
    pct           int,
    fo            text,
    testing       text,
    discovery_method text,
    extensions    text,
    raw           text[],
    record_count  bigint NOT NULL,
    records_seen  bigint NOT NULL,
    message_count numeric NOT NULL,
    incomplete    boolean NOT NULL,
    id_collision  boolean NOT NULL,
    warnings      text[],
    warning_notes text[],
    ingested_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT report_pk PRIMARY KEY (domain, day, id),
    CONSTRAINT report_uq UNIQUE (domain, day, identity, content)
) PARTITION BY RANGE (day);
CREATE TABLE dmarc.report_other PARTITION OF dmarc.report DEFAULT;

CREATE TABLE dmarc.evidence (
    domain           text COLLATE "C" NOT NULL,
    hash             uuid NOT NULL,
    header_from      text COLLATE "C" NOT NULL,
    envelope_from    text COLLATE "C",
    envelope_to      text COLLATE "C",
    disposition      text,
    dkim_verdict     text NOT NULL,
    spf_verdict      text NOT NULL,
    verdict_computed boolean NOT NULL,
    dkim_aligned     boolean NOT NULL,
    spf_aligned      boolean NOT NULL,
    dkim_aligned_domain   text COLLATE "C",
    dkim_aligned_selector text,
    spf_aligned_domain    text COLLATE "C",
    disagree         boolean NOT NULL,
    dkim_domains     text[],
    dkim_selectors   text[],
    dkim_results     text[],
    dkim_raw         text[],
    dkim_human       text[],
    spf_domains      text[],
    spf_scopes       text[],
    spf_results      text[],
    spf_raw          text[],
    spf_human        text[],
    reason_types     text[],
    reason_raw       text[],
    reason_comments  text[],
    extensions       text,
    raw              text[],
    CONSTRAINT evidence_pk PRIMARY KEY (domain, hash)
);

CREATE TABLE dmarc.observation (
    domain        text COLLATE "C" NOT NULL,
    day           date NOT NULL,
    report        bigint NOT NULL,
    ordinal       int NOT NULL,
    source_ip     inet,
    message_count bigint NOT NULL,
    evidence      uuid NOT NULL,
    source_raw    text
) PARTITION BY RANGE (day);
CREATE INDEX observation_report_ix ON dmarc.observation (domain, day, report);
-- Small ranges: the first one of a table is kept up to date row by row, which costs as much as all else while it fills.
CREATE INDEX observation_ip_ix ON dmarc.observation USING brin (source_ip inet_bloom_ops) WITH (pages_per_range = 32);
CREATE TABLE dmarc.observation_other PARTITION OF dmarc.observation DEFAULT;

-- Makes the month's partition of one of the two tables, unless the day lies outside of what is worth a partition
-- (three years back, two months ahead of now) or rows of that month are in the default partition already. Safe to call from
-- many sessions. One table a transaction: the new partition locks its parent, and who held both could be in the way
-- of a query that wants them in the other order.
CREATE FUNCTION dmarc.ensure_month(d date, parent text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    first  date := date_trunc('month', d::timestamp)::date;
    last   date := (first + interval '1 month')::date;
    child  text := parent || '_' || to_char(first, 'YYYYMM');
    filled boolean;
BEGIN
    IF parent NOT IN ('report', 'observation') THEN
        RAISE EXCEPTION 'no table of months: %', parent;
    END IF;
    IF first < (now() - interval '3 years')::date OR first > (now() + interval '2 months')::date
       OR to_regclass(format('dmarc.%I', child)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('dmarc.ensure_month.' || parent));
    IF to_regclass(format('dmarc.%I', child)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM dmarc.%I WHERE day >= %L AND day < %L)', parent || '_other', first, last) INTO filled;
    IF NOT filled THEN
        EXECUTE format('CREATE TABLE dmarc.%I PARTITION OF dmarc.%I FOR VALUES FROM (%L) TO (%L)', child, parent, first, last);
    END IF;
EXCEPTION WHEN check_violation THEN
    NULL; -- filled since we looked
END
$fn$;
-- It does as its owner what only the owner may; whoever writes reports is granted it.
REVOKE EXECUTE ON FUNCTION dmarc.ensure_month(date, text) FROM PUBLIC;

-- Both tables at once, for hands.
CREATE FUNCTION dmarc.ensure_month(d date) RETURNS void LANGUAGE sql AS $fn$
    SELECT dmarc.ensure_month(d, 'report'), dmarc.ensure_month(d, 'observation');
$fn$;
