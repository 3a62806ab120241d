-- What differs where the tables are spread over many nodes by Citus, see sql/citus.sql. There, partitions are made on
-- one node alone, advisory locks hold on one node alone, and a query over stored rows cannot look something up for each row of a
-- temporary table, of an array or of another such query. What such rows are joined with by an outer join is a CTE that is materialized: to
-- join them on all nodes is new in Citus 13.2, and gave no rows at all where such joins are nested.

CREATE OR REPLACE FUNCTION dmarc_store.is_distributed() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $fn$
    SELECT pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL
$fn$;
COMMENT ON FUNCTION dmarc_store.is_distributed() IS 'Whether the database is one for many nodes';

-- All who add reports share lock 7710422; who changes what stored evidence means, or takes reports away, holds it alone. Where there
-- are many nodes, a lock of the table of reports stands for it as well: taken on the own node by who adds reports, on all nodes by who
-- wants to be alone.
CREATE OR REPLACE FUNCTION dmarc_store.share() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7710422);
    IF dmarc_store.is_distributed() THEN
        DELETE FROM dmarc_store.report WHERE false;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.share() IS 'Until the end of the transaction nobody is alone with what is stored';

CREATE OR REPLACE FUNCTION dmarc_store.alone() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM pg_advisory_xact_lock(7710422);
    IF dmarc_store.is_distributed() THEN
        LOCK TABLE dmarc_store.report IN EXCLUSIVE MODE;
    END IF;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.alone() IS 'Until the end of the transaction nobody else adds reports or changes what is stored';

-- Where each table goes: by which column, together with which other table; without a column, all of it to every node. What has to do
-- with a policy domain goes by that, and the ledger by the hash of the mail. In the order in which it is done. What may not be read by
-- who may read everything is marked.
CREATE OR REPLACE FUNCTION dmarc_store.placements()
RETURNS TABLE (place int, relation regclass, key text, beside regclass, hidden boolean) LANGUAGE sql STABLE AS $fn$
    SELECT p.place, p.relation::regclass, p.key, p.beside::regclass, p.hidden
    FROM (VALUES
        (1, 'dmarc.schema_version', NULL, NULL, false),
        (2, 'dmarc.repeatable', NULL, NULL, false),
        (3, 'dmarc_store.sender', NULL, NULL, false),
        (4, 'dmarc_store.sender_rule', NULL, NULL, false),
        (5, 'dmarc_store.domain_grant', NULL, NULL, true),
        (6, 'dmarc_store.approval', NULL, NULL, false),
        (7, 'dmarc_store.domain_group', NULL, NULL, false),
        (8, 'dmarc_store.mailbox', NULL, NULL, false),
        (9, 'dmarc_store.address', NULL, NULL, false),
        (10, 'dmarc_store.pruning', NULL, NULL, false),
        (11, 'dmarc_store.message', 'sha256', NULL, false),
        (12, 'dmarc_store.document', 'mail_sha256', 'dmarc_store.message', false),
        (13, 'dmarc_store.reading', 'mail_sha256', 'dmarc_store.message', false),
        (14, 'dmarc_store.original', 'mail_sha256', 'dmarc_store.message', true),
        (15, 'dmarc_store.report', 'domain', NULL, false),
        (16, 'dmarc_store.observed', 'domain', 'dmarc_store.report', false),
        (17, 'dmarc_store.evidence', 'domain', 'dmarc_store.report', false),
        (18, 'dmarc_store.profile', 'domain', 'dmarc_store.report', false),
        (19, 'dmarc_store.summed', 'domain', 'dmarc_store.report', false),
        (20, 'dmarc_store.folded', 'domain', 'dmarc_store.report', false),
        (21, 'dmarc_store.unfolded', 'domain', 'dmarc_store.report', false),
        (22, 'dmarc_store.domain_day', 'domain', 'dmarc_store.report', false),
        (23, 'dmarc_store.failure_report', 'domain', 'dmarc_store.report', false),
        (24, 'dmarc_store.tls_report', 'domain', 'dmarc_store.report', false),
        (25, 'dmarc_store.tls_policy', 'domain', 'dmarc_store.report', false),
        (26, 'dmarc_store.tls_failure', 'domain', 'dmarc_store.report', false),
        (27, 'dmarc_store.group_grant', NULL, NULL, true),
        (28, 'dmarc_store.cname', NULL, NULL, false)
    ) p (place, relation, key, beside, hidden)
$fn$;
COMMENT ON FUNCTION dmarc_store.placements() IS 'Which table goes to which node when the database is distributed, for sql/citus.sql';
