-- Takes over the catalogue that comes with the program. The installer has loaded sender.csv and sender_rule.csv into
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
