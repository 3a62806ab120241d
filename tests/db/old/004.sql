-- A mail and a report from before it was known who brought it, a failure report and a TLS report.
INSERT INTO message (id, sha256, source, identity, size, outcome, code, detail) VALUES
    (1, sha256('one'), 'file:one', false, 99, 'problem', 'mime', 'no end');
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, record_count, records_seen,
                    message_count, incomplete, id_collision) VALUES
    (1, 'example.com', '2026-09-10', md5('i')::uuid, md5('c')::uuid, 'reporter.example', 'one', '2026-09-10', '2026-09-11', 0, 0, 0, false, false),
    (2, 'example.com', '2026-09-10', md5('i')::uuid, md5('d')::uuid, 'reporter.example', 'one', '2026-09-10', '2026-09-11', 0, 0, 0, true, true);
INSERT INTO failure_report (id, domain, day, identity, content, reporter, arrived, incidents, source_ip, auth_failures, header_from) VALUES
    (3, 'example.com', '2026-09-11', md5('f')::uuid, md5('f')::uuid, 'reporter.example', '2026-09-11 01:02Z', 4, '192.0.2.7', '{dmarc}', 'example.com');
INSERT INTO tls_report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count, failure_count, id_collision) VALUES
    (4, 'example.com', '2026-09-12', md5('t')::uuid, md5('t')::uuid, 'tls.example', 'tls-one', '2026-09-12', '2026-09-13', 1, 1, false);
INSERT INTO tls_policy (domain, day, report, ordinal, policy_type, successful, failed) VALUES ('example.com', '2026-09-12', 4, 1, 'sts', 100, 2);
INSERT INTO tls_failure (domain, day, report, policy, ordinal, result_type, failed) VALUES
    ('example.com', '2026-09-12', 4, 1, 1, 'certificate-expired', 2);

-- then

-- nothing is known of who brought what, and nothing was replaced
SELECT auth_result, auth_domain, outcome, code FROM dmarc.message;
--= ||problem|mime
SELECT id, trusted, foreign_domain, replaced, incomplete, id_collision FROM dmarc.report ORDER BY id;
--= 1||f|f|f|f
--= 2||f|f|t|t
SELECT count(*) FROM dmarc.untrusted();
--= 0

-- the other two kinds are what they were
SELECT day, reporter, source_ip, incidents, auth_failures FROM dmarc.failure_samples('example.com');
--= 2026-09-11|reporter.example|192.0.2.7|4|{dmarc}
SELECT policy_type, successful, failed, result_types FROM dmarc.tls('example.com');
--= sts|100|2|{"certificate-expired 2"}
