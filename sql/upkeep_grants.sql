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

-- What a role may read about by what is granted to itself, in words.
CREATE OR REPLACE FUNCTION dmarc_store.reading_of(who name) RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    RETURN (SELECT array_agg(r.said ORDER BY r.domain NULLS LAST, r.said)
            FROM (SELECT g.domain, g.domain AS said FROM dmarc_store.domain_grant g WHERE g.role = who
                  UNION ALL
                  SELECT m.domain, CASE WHEN m.domain IS NULL THEN 'no domain of group ' || g.name ELSE m.domain || ' (group ' || g.name || ')' END
                  FROM dmarc_store.group_grant g LEFT JOIN dmarc_store.domain_group m ON m.name = g.name WHERE g.role = who) r);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.reading_of(name) IS 'The policy domains that are granted to a role, by themselves or by a group; NULL: none';

-- Grants policy domains and groups of them to a role.
CREATE OR REPLACE FUNCTION dmarc_store.grant_reading(who name, domains text[], groups text[]) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    INSERT INTO dmarc_store.domain_grant (domain, role)
    SELECT DISTINCT d COLLATE "C", who FROM unnest(domains) d ORDER BY 1
    ON CONFLICT DO NOTHING;
    INSERT INTO dmarc_store.group_grant (name, role)
    SELECT DISTINCT n COLLATE "C", who FROM unnest(groups) n ORDER BY 1
    ON CONFLICT DO NOTHING;
    IF NOT pg_has_role(who, 'whosends_customer', 'MEMBER') THEN
        EXECUTE format('GRANT whosends_customer TO %I', who);
    END IF;
    RETURN dmarc_store.reading_of(who);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.grant_reading(name, text[], text[]) IS 'Grants policy domains and groups to a role, which becomes a member of whosends_customer; all that it may read about then';

-- Takes them back; NULL stands for all.
CREATE OR REPLACE FUNCTION dmarc_store.revoke_reading(who name, domains text[], groups text[]) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    rest text[];
BEGIN
    DELETE FROM dmarc_store.domain_grant g WHERE g.role = who AND (domains IS NULL OR g.domain = ANY (domains));
    DELETE FROM dmarc_store.group_grant g WHERE g.role = who AND (groups IS NULL OR g.name = ANY (groups));
    rest := dmarc_store.reading_of(who);
    IF rest IS NULL AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
                                WHERE c.rolname = 'whosends_customer' AND r.rolname = who) THEN
        EXECUTE format('REVOKE whosends_customer FROM %I', who);
    END IF;
    RETURN rest;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.revoke_reading(name, text[], text[]) IS 'Takes policy domains and groups back from a role (NULL: all), and the membership in whosends_customer with the last one; what is left';

CREATE OR REPLACE FUNCTION dmarc.grants() RETURNS TABLE (role text, domain text, granted_at timestamptz, there boolean, domain_group text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
    roles name[] := ARRAY(SELECT r.rolname FROM pg_roles r); -- by itself: of many nodes, each would read the table behind that view
BEGIN
    RETURN QUERY
    SELECT g.role::text, g.domain, g.granted_at, g.role = ANY (roles), g.name
    FROM (SELECT d.role, d.domain, d.granted_at, NULL::text AS name FROM dmarc_store.domain_grant d
          UNION ALL
          SELECT r.role, m.domain, r.granted_at, r.name
          FROM dmarc_store.group_grant r LEFT JOIN dmarc_store.domain_group m ON m.name = r.name) g
    WHERE mine IS NULL OR g.domain = ANY (mine)
    ORDER BY g.role, g.domain, g.name NULLS FIRST;
END
$fn$;
COMMENT ON FUNCTION dmarc.grants() IS 'Which roles may read about which policy domains, since when, whether the role is there, and by which group that is (NULL: the domain itself is granted; a group without domains is a row without one)';
