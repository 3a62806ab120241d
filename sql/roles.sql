-- Two roles without login, to be granted to people and programs: whosends_ingest writes reports, whosends_read queries. They are
-- made when they are missing and the installing role may make roles; else this says so, and all else works without them.
DO $do$
DECLARE
    wanted text;
    may    boolean := (SELECT r.rolcreaterole OR r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user);
BEGIN
    FOREACH wanted IN ARRAY ARRAY['whosends_ingest', 'whosends_read'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = wanted);
        IF NOT may THEN
            RAISE NOTICE 'role % is missing and % may not make roles: skipped', wanted, current_user;
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of this server was faster.
        END;
    END LOOP;

    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'whosends_read') THEN
        GRANT USAGE ON SCHEMA dmarc TO whosends_read;
        GRANT SELECT ON ALL TABLES IN SCHEMA dmarc TO whosends_read;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dmarc TO whosends_read;
        -- The one function that changes something, in its owner's name.
        REVOKE EXECUTE ON FUNCTION dmarc.ensure_month(date, text) FROM whosends_read;
        -- The mails themselves are for those who may read the mailbox.
        REVOKE ALL ON dmarc.original FROM whosends_read;
        -- For what is made later: views that are replaced, partitions of new months.
        ALTER DEFAULT PRIVILEGES IN SCHEMA dmarc GRANT SELECT ON TABLES TO whosends_read;
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'whosends_ingest') THEN
        GRANT USAGE ON SCHEMA dmarc TO whosends_ingest;
        GRANT SELECT ON ALL TABLES IN SCHEMA dmarc TO whosends_ingest;
        GRANT INSERT, UPDATE, DELETE ON dmarc.message, dmarc.document, dmarc.original, dmarc.reading, dmarc.mailbox, dmarc.report, dmarc.evidence, dmarc.observation,
            dmarc.failure_report, dmarc.tls_report, dmarc.tls_policy, dmarc.tls_failure TO whosends_ingest;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA dmarc TO whosends_ingest;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dmarc TO whosends_ingest;
        ALTER DEFAULT PRIVILEGES IN SCHEMA dmarc GRANT SELECT ON TABLES TO whosends_ingest;
    END IF;
END
$do$;
