-- The other two kinds of reports that come to the same mailbox. Few rows compared with aggregate reports: plain tables, keyed
-- with domain and day as all others. Their ids come from the sequence of dmarc.report, so that dmarc.document.report names one
-- report of whatever kind.

CREATE TABLE dmarc.failure_report (
    id               bigint NOT NULL DEFAULT nextval('dmarc.report_no'),
    domain           text COLLATE "C" NOT NULL,
    day              date NOT NULL,
    identity         uuid NOT NULL,
    content          uuid NOT NULL,
    reporter         text COLLATE "C" NOT NULL,
    reporting_mta    text,
    user_agent       text,
    arrived          timestamptz NOT NULL,
    incidents        bigint NOT NULL,
    source_ip        inet,
    source_raw       text,
    auth_failures    text[],
    alignment_failed text,
    delivery_result  text,
    header_from      text COLLATE "C",
    from_text        text,
    mail_from        text,
    rcpt_domain      text COLLATE "C",
    message_id       text,
    envelope_id      text,
    subject          text,
    subject_hash     uuid,
    dkim_domain      text COLLATE "C",
    dkim_selector    text,
    signature_domains   text[],
    signature_selectors text[],
    authentication_results text[],
    raw              text[],
    warnings         text[],
    warning_notes    text[],
    ingested_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT failure_report_pk PRIMARY KEY (domain, day, id),
    CONSTRAINT failure_report_uq UNIQUE (domain, day, identity, content)
);
CREATE INDEX failure_report_day_ix ON dmarc.failure_report (day);

CREATE TABLE dmarc.tls_report (
    id            bigint NOT NULL DEFAULT nextval('dmarc.report_no'),
    domain        text COLLATE "C" NOT NULL,
    day           date NOT NULL,
    identity      uuid NOT NULL,
    content       uuid NOT NULL,
    reporter      text COLLATE "C" NOT NULL,
    organization  text,
    contact       text,
    report_id     text NOT NULL,
    period_begin  timestamptz NOT NULL,
    period_end    timestamptz NOT NULL,
    policy_count  int NOT NULL,
    failure_count bigint NOT NULL,
    id_collision  boolean NOT NULL,
    warnings      text[],
    warning_notes text[],
    ingested_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tls_report_pk PRIMARY KEY (domain, day, id),
    CONSTRAINT tls_report_uq UNIQUE (domain, day, identity, content)
);
CREATE INDEX tls_report_day_ix ON dmarc.tls_report (day);

CREATE TABLE dmarc.tls_policy (
    domain        text COLLATE "C" NOT NULL,
    day           date NOT NULL,
    report        bigint NOT NULL,
    ordinal       int NOT NULL,
    policy_type   text NOT NULL,
    policy_string text[],
    mx_hosts      text[],
    successful    bigint,
    failed        bigint,
    CONSTRAINT tls_policy_pk PRIMARY KEY (domain, day, report, ordinal)
);

CREATE TABLE dmarc.tls_failure (
    domain         text COLLATE "C" NOT NULL,
    day            date NOT NULL,
    report         bigint NOT NULL,
    policy         int NOT NULL,
    ordinal        int NOT NULL,
    result_type    text NOT NULL,
    sending_ip     inet,
    sending_raw    text,
    receiving_ip   inet,
    receiving_raw  text,
    mx_hostname    text,
    mx_helo        text,
    failed         bigint,
    reason_code    text,
    information    text,
    CONSTRAINT tls_failure_pk PRIMARY KEY (domain, day, report, policy, ordinal)
);

COMMENT ON TABLE dmarc.failure_report IS 'One row for each failure report (RFC 6591, RFC 9991): a message that failed authentication. What it says is in the aggregate reports, too, and is never added to their figures. Of the message only what stands in these columns is kept, never its body';
COMMENT ON COLUMN dmarc.failure_report.id IS 'number of the report; unique over all kinds of reports';
COMMENT ON COLUMN dmarc.failure_report.domain IS 'domain that the message claims to be from, as reported: the policy domain or one below it';
COMMENT ON COLUMN dmarc.failure_report.day IS 'UTC day of arrived';
COMMENT ON COLUMN dmarc.failure_report.identity IS 'hash over reporter, domain, arrival and the ids of the message';
COMMENT ON COLUMN dmarc.failure_report.content IS 'hash over all that the report says, the subject and the recipient included; the same identity with the same content is a duplicate and is not stored again';
COMMENT ON COLUMN dmarc.failure_report.reporter IS 'domain of the mail that brought it, else of the reporting server; may be empty';
COMMENT ON COLUMN dmarc.failure_report.reporting_mta IS 'server that reports, as it says';
COMMENT ON COLUMN dmarc.failure_report.user_agent IS 'software that reports, as it says';
COMMENT ON COLUMN dmarc.failure_report.arrived IS 'when the message arrived, else when the report was sent';
COMMENT ON COLUMN dmarc.failure_report.incidents IS 'messages that the report stands for';
COMMENT ON COLUMN dmarc.failure_report.source_ip IS 'address that the message came from';
COMMENT ON COLUMN dmarc.failure_report.source_raw IS 'what stood there, when it is no address';
COMMENT ON COLUMN dmarc.failure_report.auth_failures IS 'what failed: adsp, bodyhash, revoked, signature, spf, dmarc';
COMMENT ON COLUMN dmarc.failure_report.alignment_failed IS 'which gave no aligned identity: dkim, spf, "dkim spf", or none; NULL when it is not said';
COMMENT ON COLUMN dmarc.failure_report.delivery_result IS 'delivered, spam, policy, reject, other; NULL when it is not said';
COMMENT ON COLUMN dmarc.failure_report.header_from IS 'domain of From: of the message';
COMMENT ON COLUMN dmarc.failure_report.from_text IS 'From: of the message';
COMMENT ON COLUMN dmarc.failure_report.mail_from IS 'MAIL FROM; empty for the null reverse-path';
COMMENT ON COLUMN dmarc.failure_report.rcpt_domain IS 'domain of the recipient';
COMMENT ON COLUMN dmarc.failure_report.message_id IS 'Message-ID of the message';
COMMENT ON COLUMN dmarc.failure_report.envelope_id IS 'Original-Envelope-Id';
COMMENT ON COLUMN dmarc.failure_report.subject IS 'Subject of the message, when keep_subject is kept';
COMMENT ON COLUMN dmarc.failure_report.subject_hash IS 'first half of the SHA-256 of the subject, unless keep_subject is dropped: the same for the same subject';
COMMENT ON COLUMN dmarc.failure_report.dkim_domain IS 'd= of the signature that failed, as reported';
COMMENT ON COLUMN dmarc.failure_report.dkim_selector IS 's= of the signature that failed, as reported';
COMMENT ON COLUMN dmarc.failure_report.signature_domains IS 'd= of the signatures in the header of the message';
COMMENT ON COLUMN dmarc.failure_report.signature_selectors IS 's= of the same signatures';
COMMENT ON COLUMN dmarc.failure_report.authentication_results IS 'Authentication-Results of the report, else the topmost one of the message';
COMMENT ON COLUMN dmarc.failure_report.raw IS 'field=text for each word that had to be normalised';
COMMENT ON COLUMN dmarc.failure_report.warnings IS 'codes of what was odd';
COMMENT ON COLUMN dmarc.failure_report.warning_notes IS 'the first case of each warning in words';
COMMENT ON COLUMN dmarc.failure_report.ingested_at IS 'when it was stored';

COMMENT ON TABLE dmarc.tls_report IS 'One row for each TLS report (RFC 8460) and each policy domain that it is about';
COMMENT ON COLUMN dmarc.tls_report.id IS 'number of the report; unique over all kinds of reports';
COMMENT ON COLUMN dmarc.tls_report.domain IS 'policy domain: whose mail servers were connected to';
COMMENT ON COLUMN dmarc.tls_report.day IS 'UTC day on which the period begins';
COMMENT ON COLUMN dmarc.tls_report.identity IS 'hash over reporter, report_id, domain, begin and end';
COMMENT ON COLUMN dmarc.tls_report.content IS 'hash over all that the report says of the domain; the same identity with the same content is a duplicate and is not stored again';
COMMENT ON COLUMN dmarc.tls_report.reporter IS 'domain of contact-info, else organization-name in lower case';
COMMENT ON COLUMN dmarc.tls_report.organization IS 'organization-name';
COMMENT ON COLUMN dmarc.tls_report.contact IS 'contact-info';
COMMENT ON COLUMN dmarc.tls_report.report_id IS 'report-id';
COMMENT ON COLUMN dmarc.tls_report.period_begin IS 'begin of the period';
COMMENT ON COLUMN dmarc.tls_report.period_end IS 'end of the period';
COMMENT ON COLUMN dmarc.tls_report.policy_count IS 'rows in dmarc.tls_policy';
COMMENT ON COLUMN dmarc.tls_report.failure_count IS 'rows in dmarc.tls_failure';
COMMENT ON COLUMN dmarc.tls_report.id_collision IS 'another report has the same identity and other content';
COMMENT ON COLUMN dmarc.tls_report.warnings IS 'codes of what was odd and could be mended';
COMMENT ON COLUMN dmarc.tls_report.warning_notes IS 'the first case of each warning in words';
COMMENT ON COLUMN dmarc.tls_report.ingested_at IS 'when it was stored';

COMMENT ON TABLE dmarc.tls_policy IS 'One row for each policy of a TLS report: how many sessions, and how many failed';
COMMENT ON COLUMN dmarc.tls_policy.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.tls_policy.day IS 'UTC day on which the period begins';
COMMENT ON COLUMN dmarc.tls_policy.report IS 'id of dmarc.tls_report';
COMMENT ON COLUMN dmarc.tls_policy.ordinal IS 'place in the report, from 1';
COMMENT ON COLUMN dmarc.tls_policy.policy_type IS 'sts, tlsa, no-policy-found, or another word as reported; empty when there is none';
COMMENT ON COLUMN dmarc.tls_policy.policy_string IS 'the policy, line by line';
COMMENT ON COLUMN dmarc.tls_policy.mx_hosts IS 'mail servers that the policy allows';
COMMENT ON COLUMN dmarc.tls_policy.successful IS 'sessions that were established; NULL when it is not said';
COMMENT ON COLUMN dmarc.tls_policy.failed IS 'sessions that were not, by the summary of the report; NULL when it is not said';

COMMENT ON TABLE dmarc.tls_failure IS 'Why sessions failed: one row for each entry of failure-details. They need not add up to tls_policy.failed';
COMMENT ON COLUMN dmarc.tls_failure.domain IS 'policy domain';
COMMENT ON COLUMN dmarc.tls_failure.day IS 'UTC day on which the period begins';
COMMENT ON COLUMN dmarc.tls_failure.report IS 'id of dmarc.tls_report';
COMMENT ON COLUMN dmarc.tls_failure.policy IS 'ordinal in dmarc.tls_policy';
COMMENT ON COLUMN dmarc.tls_failure.ordinal IS 'place among the details of the policy, from 1';
COMMENT ON COLUMN dmarc.tls_failure.result_type IS 'word of RFC 8460 section 4.3, or another one as reported; empty when there is none';
COMMENT ON COLUMN dmarc.tls_failure.sending_ip IS 'address of the sending server';
COMMENT ON COLUMN dmarc.tls_failure.sending_raw IS 'what stood there, when it is no address';
COMMENT ON COLUMN dmarc.tls_failure.receiving_ip IS 'address that it connected to';
COMMENT ON COLUMN dmarc.tls_failure.receiving_raw IS 'what stood there, when it is no address';
COMMENT ON COLUMN dmarc.tls_failure.mx_hostname IS 'name of the receiving server';
COMMENT ON COLUMN dmarc.tls_failure.mx_helo IS 'name by which it greeted';
COMMENT ON COLUMN dmarc.tls_failure.failed IS 'sessions that failed so; NULL when it is not said';
COMMENT ON COLUMN dmarc.tls_failure.reason_code IS 'failure-reason-code';
COMMENT ON COLUMN dmarc.tls_failure.information IS 'additional-information, a link or text';
