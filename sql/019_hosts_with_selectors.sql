-- Some hosts and some selectors are what several senders ask for, and only both together name one: em#/s1.
ALTER TABLE dmarc_store.sender_rule DROP CONSTRAINT sender_rule_pattern_ck;
ALTER TABLE dmarc_store.sender_rule ADD CONSTRAINT sender_rule_pattern_ck CHECK (
    CASE kind WHEN 'dkim_selector' THEN pattern ~ '^([a-z0-9_#-]{1,63}/)?[a-z0-9_.#-]{1,63}$'
              WHEN 'spf_host' THEN pattern ~ '^[a-z0-9_#-]{1,63}(/[a-z0-9_.#-]{1,63})?$'
              ELSE pattern ~ '^[a-z0-9_-]+([.][a-z0-9_-]+){1,5}$' AND length(pattern) <= 253 END);

-- A signature of a name beside the From:, below the policy domain of both, is one of the domain itself: its selector counts, and that it was
-- there. What saw one gets its profile anew at the end of the upgrade, and its domain the sums.
ALTER TABLE dmarc_store.evidence DROP CONSTRAINT evidence_profile_ck;
UPDATE dmarc_store.evidence e SET profile = NULL
WHERE EXISTS (SELECT d.name FROM unnest(e.dkim_domains) d (name)
              WHERE right(d.name, length(e.domain) + 1) = '.' || e.domain AND d.name <> e.header_from
                AND right(d.name, length(e.header_from) + 1) <> '.' || e.header_from);
ALTER TABLE dmarc_store.evidence ADD CONSTRAINT evidence_profile_ck CHECK (profile IS NOT NULL) NOT VALID;
