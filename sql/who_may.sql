-- Three roles without login, to be granted to people and programs: whosends_ingest writes reports, whosends_read queries all views
-- and functions, whosends_customer the functions that tell of policy domains, and the views of schema dmarc_own, which have only
-- what was granted to it (see "whosends grant"). They are made when they are missing and the installing role may make roles; else this says so, and all else
-- works without them.

-- The reports do as their owner.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dmarc, dmarc_store FROM PUBLIC;

DO $do$
DECLARE
    wanted text;
    may    boolean := (SELECT r.rolcreaterole OR r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user);
BEGIN
    FOREACH wanted IN ARRAY ARRAY['whosends_ingest', 'whosends_read', 'whosends_customer'] LOOP
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
        -- A function in a view is called by who asks.
        GRANT EXECUTE ON FUNCTION dmarc_store.places(int), dmarc_store.counts(int[], bigint[]) TO whosends_read;
        -- What changes something, what is about reading mail again, and what reads the tables.
        REVOKE EXECUTE ON FUNCTION dmarc.reclassify(text), dmarc.rereadable(text, text, boolean, text, date), dmarc.fsck(),
            dmarc.approve(text, text, text), dmarc.disown(text, text, text), dmarc.undecide(text, text) FROM whosends_read;
        -- Once, these were the tables.
        REVOKE ALL ON ALL TABLES IN SCHEMA dmarc_store FROM whosends_read;
        ALTER DEFAULT PRIVILEGES IN SCHEMA dmarc REVOKE SELECT ON TABLES FROM whosends_read;
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'whosends_customer') THEN
        GRANT USAGE ON SCHEMA dmarc, dmarc_own TO whosends_customer;
        -- Through the views of schema dmarc, EXPLAIN tells of others.
        REVOKE ALL ON ALL TABLES IN SCHEMA dmarc FROM whosends_customer;
        GRANT SELECT ON dmarc.schema_version, dmarc.repeatable TO whosends_customer;
        GRANT SELECT ON ALL TABLES IN SCHEMA dmarc_own TO whosends_customer;
        GRANT EXECUTE ON FUNCTION dmarc_store.own_document(), dmarc_store.own_report(), dmarc_store.own_record(), dmarc_store.own_dkim_result(),
            dmarc_store.own_spf_result(), dmarc_store.own_override_reason(), dmarc_store.own_classification(), dmarc_store.own_daily(),
            dmarc_store.own_source(), dmarc_store.own_failure_report(), dmarc_store.own_tls_report(), dmarc_store.own_tls_policy(),
            dmarc_store.own_tls_failure(), dmarc_store.own_sender(), dmarc_store.own_sender_rule() TO whosends_customer;
        GRANT EXECUTE ON FUNCTION dmarc.reader(), dmarc.visible(), dmarc.first_of(date, int), dmarc.last_of(date, int),
            dmarc.senders(text, date, date, boolean), dmarc.sources(text, date, date, boolean), dmarc.reporters(text, date, date, boolean),
            dmarc.disagreements(text, date, date, boolean), dmarc.timeline(text, date, date, boolean),
            dmarc.failures(text, date, date, boolean), dmarc.summary(text, date, date, boolean), dmarc.addresses(inet, date, date),
            dmarc.find_records(inet, text, text, date, date),
            dmarc.failure_samples(text, date, date), dmarc.tls(text, date, date), dmarc.networks(text, date, date, boolean),
            dmarc.policies(text, date, date, boolean), dmarc.approvals(text, date, date, boolean), dmarc.use_group(text), dmarc.verdict(text, date, date, boolean),
            dmarc.verdict_line(text, date, date, boolean), dmarc.overrides(text, date, date, boolean),
            dmarc.coverage(text, date, date, boolean), dmarc.changes(text, date, date, boolean),
            dmarc.subdomains(text, date, date, boolean), dmarc.senders_new(text, date, date, boolean),
            dmarc.explain(text, date, bigint, int) TO whosends_customer;
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'whosends_ingest') THEN
        GRANT USAGE ON SCHEMA dmarc, dmarc_store TO whosends_ingest;
        GRANT SELECT ON ALL TABLES IN SCHEMA dmarc, dmarc_store TO whosends_ingest;
        GRANT INSERT, UPDATE, DELETE ON dmarc_store.message, dmarc_store.document, dmarc_store.original, dmarc_store.reading, dmarc_store.mailbox,
            dmarc_store.report, dmarc_store.evidence, dmarc_store.observed, dmarc_store.profile, dmarc_store.summed,
            dmarc_store.folded, dmarc_store.unfolded, dmarc_store.domain_day, dmarc_store.approval, dmarc_store.domain_group,
            dmarc_store.address, dmarc_store.cname,
            dmarc_store.failure_report, dmarc_store.tls_report, dmarc_store.tls_policy, dmarc_store.tls_failure TO whosends_ingest;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA dmarc_store TO whosends_ingest;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dmarc, dmarc_store TO whosends_ingest;
        ALTER DEFAULT PRIVILEGES IN SCHEMA dmarc REVOKE SELECT ON TABLES FROM whosends_ingest;
    END IF;
END
$do$;

-- What does as its owner shall not tell its caller how it is planned (debug_print_plan), which is told by messages of less weight than these.
DO $do$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN
        SELECT f.oid FROM pg_catalog.pg_proc f WHERE f.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND f.prosecdef
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET client_min_messages = warning', one);
    END LOOP;
END
$do$;
