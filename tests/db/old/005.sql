-- A document from before its packing was looked at, a mail that says who sent it, and reports that were doubted or replaced.
INSERT INTO message (id, sha256, source, identity, size, outcome, mail_from, auth_result, auth_domain) VALUES
    (1, sha256('one'), 'file:one', false, 99, 'stored', 'a@b.example', 'fail', 'b.example');
INSERT INTO document (mail_sha256, message, ordinal, path, kind, outcome, code, detail, domain, day, report) VALUES
    (sha256('one'), 1, 1, 'part 1', 'aggregate', 'stored', NULL, NULL, 'example.com', '2026-09-10', 1),
    (sha256('one'), 1, 2, 'part 2', 'other', 'problem', 'xml', 'line 3', NULL, NULL, NULL);
INSERT INTO report (id, domain, day, identity, content, reporter, report_id, period_begin, period_end, record_count, records_seen,
                    message_count, incomplete, id_collision, trusted, foreign_domain, replaced) VALUES
    (1, 'example.com', '2026-09-10', md5('i')::uuid, md5('c')::uuid, 'reporter.example', 'one', '2026-09-10', '2026-09-11', 0, 0, 0, false, false, false, true, false),
    (2, 'example.com', '2026-09-10', md5('i')::uuid, md5('d')::uuid, 'reporter.example', 'one', '2026-09-10', '2026-09-11', 0, 0, 0, true, false, true, false, true);

-- then

-- documents have no warnings
SELECT ordinal, kind, outcome, code, detail, report, warnings FROM dmarc.document ORDER BY ordinal;
--= 1|aggregate|stored|||1|
--= 2|other|problem|xml|line 3||
SELECT what, code, detail, path FROM dmarc.problem;
--= document|xml|line 3|part 2

-- doubts stay
SELECT code, report_id, auth_result, auth_domain FROM dmarc.untrusted() ORDER BY code;
--= foreign_domain|one|fail|b.example
--= reporter_mismatch|one|fail|b.example
SELECT domain, reports, messages FROM dmarc.summary();
--= example.com|1|0
