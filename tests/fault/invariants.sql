-- What always holds of the database, whatever was killed, cut off or full: one row for each thing that does not, with how often.
WITH wrong (what, times) AS (
    SELECT 'a mail that the ledger has twice', count(*)
    FROM (SELECT FROM dmarc_store.message WHERE identity GROUP BY sha256, source HAVING count(*) > 1) x
    UNION ALL
    SELECT 'a stored mail without anything stored', count(*) FROM dmarc_store.message m
    WHERE (m.outcome = 'stored') <> EXISTS (SELECT FROM dmarc_store.document d
        WHERE d.mail_sha256 = m.sha256 AND d.message = m.id AND d.outcome = 'stored')
    UNION ALL
    SELECT 'a document without its mail', count(*) FROM dmarc_store.document d
    WHERE NOT EXISTS (SELECT FROM dmarc_store.message m WHERE m.sha256 = d.mail_sha256 AND m.id = d.message)
    UNION ALL
    SELECT 'a document without its report', count(*) FROM dmarc_store.document d
    WHERE d.report IS NOT NULL
      AND NOT EXISTS (SELECT FROM dmarc_store.report r WHERE r.domain = d.domain AND r.day = d.day AND r.id = d.report)
      AND NOT EXISTS (SELECT FROM dmarc_store.tls_report t WHERE t.domain = d.domain AND t.day = d.day AND t.id = d.report)
      AND NOT EXISTS (SELECT FROM dmarc_store.failure_report f WHERE f.domain = d.domain AND f.day = d.day AND f.id = d.report)
    UNION ALL
    SELECT 'a report that not exactly one document brought', count(*) FROM (
        SELECT id, domain, day FROM dmarc_store.report UNION ALL SELECT id, domain, day FROM dmarc_store.tls_report
        UNION ALL SELECT id, domain, day FROM dmarc_store.failure_report) r
    WHERE 1 <> (SELECT count(*) FROM dmarc_store.document d
        WHERE d.report = r.id AND d.domain = r.domain AND d.day = r.day AND d.outcome = 'stored')
    UNION ALL
    SELECT 'a report stored twice', count(*)
    FROM (SELECT FROM dmarc_store.report GROUP BY domain, identity, content HAVING count(*) > 1) x
    UNION ALL
    SELECT 'a report without all of its records', count(*)
    FROM dmarc_store.report r LEFT JOIN (SELECT domain, day, report, count(*) AS records, sum(message_count) AS messages
        FROM dmarc_store.observation GROUP BY 1, 2, 3) o ON o.domain = r.domain AND o.day = r.day AND o.report = r.id
    WHERE r.record_count <> coalesce(o.records, 0) OR r.message_count <> coalesce(o.messages, 0)
    UNION ALL
    SELECT 'a record without its report', count(*) FROM dmarc_store.observation o
    WHERE NOT EXISTS (SELECT FROM dmarc_store.report r WHERE r.domain = o.domain AND r.day = o.day AND r.id = o.report)
    UNION ALL
    SELECT 'a record without its evidence', count(*) FROM dmarc_store.observation o
    WHERE NOT EXISTS (SELECT FROM dmarc_store.evidence e WHERE e.domain = o.domain AND e.hash = o.evidence)
)
SELECT what, times FROM wrong WHERE times > 0
