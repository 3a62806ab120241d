-- Which roles may read about the policy domains of a group, whichever these are when they ask.
CREATE TABLE dmarc_store.group_grant (
    name        text COLLATE "C" NOT NULL,
    role        name NOT NULL,
    granted_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT group_grant_pk PRIMARY KEY (name, role)
);

-- They have more columns or arguments now.
DROP FUNCTION IF EXISTS dmarc.senders(text, date, date, boolean), dmarc.senders_new(text, date, date, boolean),
    dmarc.summary(text, date, date, boolean), dmarc.grants(), dmarc_store.grant_domains(name, text[]),
    dmarc_store.revoke_domains(name, text[]), dmarc_store.nearest_grant(text);
