-- Who is it: the catalogue of known senders and the names by which they are recognised.
-- Both tables are small and the same for every policy domain. Rows of origin 'builtin' come from senders.csv and
-- sender_rules.csv and are replaced with them; rows of origin 'user' are never touched, and win.

CREATE TABLE dmarc.sender (
    key     text COLLATE "C" NOT NULL,
    name    text NOT NULL,
    kind    text NOT NULL,
    carrier boolean NOT NULL DEFAULT false,
    advice  text,
    origin  text NOT NULL DEFAULT 'user',
    CONSTRAINT sender_pk PRIMARY KEY (key),
    CONSTRAINT sender_kind_ck CHECK (kind IN ('transactional', 'marketing', 'crm', 'desk', 'shop', 'saas', 'hoster', 'own',
                                              'mailbox', 'gateway', 'forwarder', 'list')),
    CONSTRAINT sender_origin_ck CHECK (origin IN ('builtin', 'user'))
);
COMMENT ON TABLE dmarc.sender IS 'The known senders: services, hosters, mailbox providers, forwarders. Users add their own rows, which stay.';
COMMENT ON COLUMN dmarc.sender.key IS 'short name, for scripts';
COMMENT ON COLUMN dmarc.sender.name IS 'the name that reports show';
COMMENT ON COLUMN dmarc.sender.kind IS 'what it is; mailbox, gateway, forwarder and list relay mail of others, own is a server of the domain''s owner';
COMMENT ON COLUMN dmarc.sender.carrier IS 'carries mail for other products: a product that is recognised in the same mail gives the name';
COMMENT ON COLUMN dmarc.sender.advice IS 'what makes it authenticate as the domain; {domain} stands for the policy domain';
COMMENT ON COLUMN dmarc.sender.origin IS 'builtin: from the catalogue that comes with the program; user: one''s own';

CREATE TABLE dmarc.sender_rule (
    kind    text COLLATE "C" NOT NULL,
    pattern text COLLATE "C" NOT NULL,
    sender  text COLLATE "C" NOT NULL,
    tenant  boolean NOT NULL DEFAULT false,
    origin  text COLLATE "C" NOT NULL DEFAULT 'user',
    CONSTRAINT sender_rule_pk PRIMARY KEY (kind, pattern, origin),
    CONSTRAINT sender_rule_kind_ck CHECK (kind IN ('dkim_domain', 'dkim_selector', 'spf_domain', 'ptr_domain')),
    CONSTRAINT sender_rule_origin_ck CHECK (origin IN ('builtin', 'user')),
    -- Only the last two to six labels of a name are looked up.
    CONSTRAINT sender_rule_pattern_ck CHECK (
        CASE WHEN kind = 'dkim_selector' THEN pattern ~ '^[a-z0-9_.#-]{1,63}$'
             ELSE pattern ~ '^[a-z0-9_-]+([.][a-z0-9_-]+){1,5}$' AND length(pattern) <= 253 END)
);
COMMENT ON TABLE dmarc.sender_rule IS 'By what a sender is recognised. Only names that passed are ever asked for.';
COMMENT ON COLUMN dmarc.sender_rule.kind IS 'dkim_domain: d= of a signature; dkim_selector: selector of a signature of the domain itself; spf_domain: MAIL FROM or HELO domain; ptr_domain: reverse name of the address';
COMMENT ON COLUMN dmarc.sender_rule.pattern IS 'domains: the name itself and all below it, the longest wins; selectors: the whole selector, where # stands for a run of digits';
COMMENT ON COLUMN dmarc.sender_rule.sender IS 'key in dmarc.sender; a rule without its sender names nobody';
COMMENT ON COLUMN dmarc.sender_rule.tenant IS 'the first label of the name belongs to a customer of the sender (his own, when it resembles the domain)';
COMMENT ON COLUMN dmarc.sender_rule.origin IS 'builtin or user; user wins';
