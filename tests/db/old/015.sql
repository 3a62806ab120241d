-- What was granted stays granted.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'whosends_test_old') THEN
        CREATE ROLE whosends_test_old;
    END IF;
END
$do$;
INSERT INTO dmarc_store.domain_grant (domain, role) VALUES ('a.example', 'whosends_test_old');
INSERT INTO dmarc_store.domain_group (domain, name) VALUES ('a.example', 'shops'), ('b.example', 'shops');
-- then
SELECT role, domain, domain_group FROM dmarc.grants() WHERE role = 'whosends_test_old';
--= whosends_test_old|a.example|
SELECT dmarc_store.grant_reading('whosends_test_old', NULL, '{shops}');
--= {a.example,"a.example (group shops)","b.example (group shops)"}
SELECT dmarc_store.revoke_reading('whosends_test_old', NULL, NULL) IS NULL;
--= t
