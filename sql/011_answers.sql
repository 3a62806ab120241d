-- What the owner of a domain says of its senders, and domains that belong together.

CREATE TABLE dmarc_store.approval (
    domain      text COLLATE "C" NOT NULL,
    sender      text COLLATE "C" NOT NULL,
    approved    boolean NOT NULL,
    note        text,
    decided_at  timestamptz NOT NULL DEFAULT now(),
    decided_by  name NOT NULL DEFAULT session_user,
    CONSTRAINT approval_pk PRIMARY KEY (domain, sender)
);

CREATE TABLE dmarc_store.domain_group (
    domain      text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    CONSTRAINT domain_group_pk PRIMARY KEY (domain, name)
);

-- Senders are also recognised by the first label of a MAIL FROM host below the domain, which their set-up asks for.
ALTER TABLE dmarc_store.sender_rule DROP CONSTRAINT sender_rule_kind_ck;
ALTER TABLE dmarc_store.sender_rule ADD CONSTRAINT sender_rule_kind_ck
    CHECK (kind IN ('dkim_domain', 'dkim_selector', 'spf_domain', 'spf_host', 'ptr_domain'));
ALTER TABLE dmarc_store.sender_rule DROP CONSTRAINT sender_rule_pattern_ck;
ALTER TABLE dmarc_store.sender_rule ADD CONSTRAINT sender_rule_pattern_ck CHECK (
    CASE kind WHEN 'dkim_selector' THEN pattern ~ '^[a-z0-9_.#-]{1,63}$'
              WHEN 'spf_host' THEN pattern ~ '^[a-z0-9_#-]{1,63}$'
              ELSE pattern ~ '^[a-z0-9_-]+([.][a-z0-9_-]+){1,5}$' AND length(pattern) <= 253 END);

-- A class depends on whether the domain itself signed what does not align, so profiles tell it. All profiles are made anew, and the
-- sums by them, at the end of the upgrade.
ALTER TABLE dmarc_store.profile ADD COLUMN own_signed boolean NOT NULL DEFAULT false;
ALTER TABLE dmarc_store.evidence DROP CONSTRAINT evidence_profile_ck;
UPDATE dmarc_store.evidence SET profile = NULL WHERE profile IS NOT NULL;
DELETE FROM dmarc_store.profile;
ALTER TABLE dmarc_store.evidence ADD CONSTRAINT evidence_profile_ck CHECK (profile IS NOT NULL) NOT VALID;

-- These get more columns or arguments.
DROP FUNCTION IF EXISTS dmarc.senders(text, date, date, boolean), dmarc.failures(text, date, date, boolean),
    dmarc.class_rule(boolean, boolean, text[], boolean, boolean, boolean, boolean, boolean);

-- Few have a reason.
CREATE INDEX evidence_reason_ix ON dmarc_store.evidence (domain) WHERE reason_types IS NOT NULL OR reason_raw IS NOT NULL;
