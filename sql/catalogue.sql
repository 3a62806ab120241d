-- Takes over the catalogue that comes with the program. The installer has loaded senders.csv and sender_rules.csv into
-- temporary tables load_sender and load_sender_rule; the order of the two calls does not matter.

-- Replaces the senders that come with the program; those of users stay, also where they have the same key.
CREATE OR REPLACE FUNCTION dmarc_store.load_sender() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM dmarc_store.sender s WHERE s.origin = 'builtin';
    INSERT INTO dmarc_store.sender (key, name, kind, carrier, advice, origin)
        SELECT l.key, l.name, l.kind, l.carrier, l.advice, 'builtin'
        FROM pg_temp.load_sender l
        ORDER BY l.key
        ON CONFLICT (key) DO NOTHING;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.load_sender() IS 'Takes over the senders of the catalogue from the temporary table load_sender; for the installer';

-- Replaces the rules that come with the program; those of users stay, and win.
CREATE OR REPLACE FUNCTION dmarc_store.load_sender_rule() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM dmarc_store.sender_rule r WHERE r.origin = 'builtin';
    INSERT INTO dmarc_store.sender_rule (kind, pattern, sender, tenant, origin)
        SELECT l.kind, l.pattern, l.sender, l.tenant, 'builtin'
        FROM pg_temp.load_sender_rule l
        ORDER BY l.kind, l.pattern;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.load_sender_rule() IS 'Takes over the rules of the catalogue from the temporary table load_sender_rule; for the installer';

-- ---- one's own senders and rules, as a file has them ----

-- All of these are in one transaction, begun by this.
CREATE OR REPLACE FUNCTION dmarc_store.forget_own() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM dmarc_store.alone();
    DELETE FROM dmarc_store.sender_rule r WHERE r.origin = 'user';
    DELETE FROM dmarc_store.sender s WHERE s.origin = 'user';
END
$fn$;
COMMENT ON FUNCTION dmarc_store.forget_own() IS 'Takes away all senders and rules of one''s own, up to those that "whosends catalogue" loads next in the same transaction';

-- Empty cells are NULL. What names the sender need not be said again behind the first row of its key, nor of one that comes with the program.
CREATE OR REPLACE FUNCTION dmarc_store.take_own(of_key text, of_name text, of_kind text, of_advice text, is_carrier boolean,
                                                rule text, of_pattern text, is_tenant boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    known dmarc_store.sender;
    bound text;
BEGIN
    SELECT s.* INTO known FROM dmarc_store.sender s WHERE s.key = of_key;
    IF of_key IS NULL THEN
        RETURN 'the key of the sender is missing';
    ELSIF (rule IS NULL) <> (of_pattern IS NULL) THEN
        RETURN 'rule and pattern belong together';
    ELSIF known.key IS NULL AND (of_name IS NULL OR of_kind IS NULL) THEN
        RETURN format(E'no sender has the key ''%s''\nhint: a sender of one''s own needs a name and a kind', of_key);
    ELSIF of_name ~* 'own mail|nothing authenticates|[(](not known|approved)[)]' THEN
        RETURN format('a sender cannot be called ''%s'': reports say that of others', of_name);
    ELSIF known.key IS NULL THEN
        INSERT INTO dmarc_store.sender (key, name, kind, advice, carrier) VALUES (of_key, of_name, of_kind, of_advice, coalesce(is_carrier, false));
    ELSIF (coalesce(of_name, known.name), coalesce(of_kind, known.kind), coalesce(of_advice, known.advice), coalesce(is_carrier, known.carrier))
          IS DISTINCT FROM (known.name, known.kind, known.advice, known.carrier) THEN
        RETURN CASE known.origin
            WHEN 'user' THEN format('something else is said of ''%s'' in a line above', of_key)
            ELSE format(E'''%s'' comes with the program as %s\nhint: leave its name, kind and advice empty, or take another key', of_key, known.name) END;
    ELSIF known.origin = 'builtin' AND rule IS NULL THEN
        RETURN 'rule and pattern are missing';
    END IF;
    IF rule IS NOT NULL THEN
        INSERT INTO dmarc_store.sender_rule (kind, pattern, sender, tenant) VALUES (rule, lower(of_pattern), of_key, coalesce(is_tenant, false));
    END IF;
    RETURN NULL;
EXCEPTION WHEN check_violation OR unique_violation THEN
    GET STACKED DIAGNOSTICS bound = CONSTRAINT_NAME;
    RETURN CASE bound
        WHEN 'sender_kind_ck' THEN format(E'there is no kind of sender ''%s''\nhint: transactional, marketing, crm, desk, shop, saas, hoster, own, mailbox, gateway, '
                                          'forwarder or list', of_kind)
        WHEN 'sender_rule_kind_ck' THEN format(E'there is no kind of rule ''%s''\nhint: dkim_domain, dkim_selector, spf_domain, spf_host or ptr_domain', rule)
        WHEN 'sender_rule_pattern_ck' THEN format('''%s'' cannot be the pattern of a rule of kind %s', of_pattern, rule)
        WHEN 'sender_rule_pk' THEN format('there is a rule %s %s in a line above', rule, of_pattern)
        ELSE 'it breaks ' || bound END;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_own(text, text, text, text, boolean, text, text, boolean) IS 'Takes one row of a file of "whosends catalogue": sender and rule; why it cannot be, or NULL';

-- Where the own row of a sender stood in the way of that of the program, this is gone.
CREATE OR REPLACE FUNCTION dmarc_store.lost_sender() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT min(r.sender) FROM dmarc_store.sender_rule r WHERE NOT EXISTS (SELECT FROM dmarc_store.sender s WHERE s.key = r.sender)
$fn$;
COMMENT ON FUNCTION dmarc_store.lost_sender() IS 'The key in a rule whose sender is not there, or NULL';
