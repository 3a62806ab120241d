-- The installer loads a CSV file into a temporary table load_<name of the file>, all columns text and empty fields NULL,
-- and calls dmarc.load_<name of the file>(). The order of the calls does not matter.

-- Replaces the senders that come with the program; those of users stay, also where they have the same key.
CREATE OR REPLACE FUNCTION dmarc.load_senders() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM dmarc.sender s WHERE s.origin = 'builtin';
    INSERT INTO dmarc.sender (key, name, kind, carrier, advice, origin)
        SELECT l.key, l.name, l.kind, coalesce(l.carrier = 'yes', false), l.advice, 'builtin'
        FROM pg_temp.load_senders l
        ORDER BY l.key
        ON CONFLICT (key) DO NOTHING;
END
$fn$;
COMMENT ON FUNCTION dmarc.load_senders() IS 'Takes over the senders of the catalogue from the temporary table load_senders; for the installer';

-- Replaces the rules that come with the program; those of users stay, and win.
CREATE OR REPLACE FUNCTION dmarc.load_sender_rules() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM dmarc.sender_rule r WHERE r.origin = 'builtin';
    INSERT INTO dmarc.sender_rule (kind, pattern, sender, tenant, origin)
        SELECT l.kind, l.pattern, l.sender, coalesce(l.tenant = 'yes', false), 'builtin'
        FROM pg_temp.load_sender_rules l
        ORDER BY l.kind, l.pattern;
END
$fn$;
COMMENT ON FUNCTION dmarc.load_sender_rules() IS 'Takes over the rules of the catalogue from the temporary table load_sender_rules; for the installer';
