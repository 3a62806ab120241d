-- Which roles may read about which policy domains: "whosends grant" and "whosends revoke". What they see then is up to
-- dmarc.visible(). For who owns the database.

-- Whether a role sees all domains, whatever is granted to it.
CREATE OR REPLACE FUNCTION dmarc_store.reads_all(who name) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
    SELECT coalesce(bool_or(pg_has_role(w.oid, r.oid, 'USAGE')), false)
    FROM pg_roles w, pg_roles r
    WHERE w.rolname = who
      AND (r.oid = (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'dmarc_store') OR r.rolname IN ('whosends_read', 'whosends_ingest'))
$fn$;
COMMENT ON FUNCTION dmarc_store.reads_all(name) IS 'Whether a role may read about all policy domains';

-- Grants policy domains to a role. All that it may read about then.
CREATE OR REPLACE FUNCTION dmarc_store.grant_domains(who name, domains text[]) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    INSERT INTO dmarc_store.domain_grant (domain, role)
    SELECT DISTINCT d COLLATE "C", who FROM unnest(domains) d ORDER BY 1
    ON CONFLICT DO NOTHING;
    IF NOT pg_has_role(who, 'whosends_customer', 'MEMBER') THEN
        EXECUTE format('GRANT whosends_customer TO %I', who);
    END IF;
    RETURN ARRAY(SELECT g.domain FROM dmarc_store.domain_grant g WHERE g.role = who ORDER BY g.domain);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.grant_domains(name, text[]) IS 'Grants policy domains to a role, which becomes a member of whosends_customer; all that are granted to it then';

-- Takes them back, all with NULL. All that are left.
CREATE OR REPLACE FUNCTION dmarc_store.revoke_domains(who name, domains text[]) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    rest text[];
BEGIN
    DELETE FROM dmarc_store.domain_grant g WHERE g.role = who AND (domains IS NULL OR g.domain = ANY (domains));
    rest := ARRAY(SELECT g.domain FROM dmarc_store.domain_grant g WHERE g.role = who ORDER BY g.domain);
    IF rest = '{}' AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
                               WHERE c.rolname = 'whosends_customer' AND r.rolname = who) THEN
        EXECUTE format('REVOKE whosends_customer FROM %I', who);
    END IF;
    RETURN rest;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.revoke_domains(name, text[]) IS 'Takes policy domains back from a role (NULL: all), and the membership in whosends_customer with the last one; what is left';

-- Of older programs.
DROP FUNCTION IF EXISTS dmarc_store.nearest_grant(text);

CREATE OR REPLACE FUNCTION dmarc.grants() RETURNS TABLE (role text, domain text, granted_at timestamptz, there boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    RETURN QUERY
    SELECT g.role::text, g.domain, g.granted_at, EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.role)
    FROM dmarc_store.domain_grant g
    WHERE mine IS NULL OR g.domain = ANY (mine)
    ORDER BY g.role, g.domain;
END
$fn$;
COMMENT ON FUNCTION dmarc.grants() IS 'Which roles may read about which policy domains, since when, and whether the role is there';
