-- Mails from before their originals were kept.
INSERT INTO message (id, sha256, source, identity, size, outcome, code) VALUES
    (1, sha256('one'), 'file:one', false, 99, 'problem', 'db_refused'),
    (2, sha256('two'), 'file:two', false, 99, 'no_report', NULL);
INSERT INTO document (mail_sha256, message, ordinal, path, kind, outcome, warnings) VALUES
    (sha256('two'), 2, 1, 'part 1', 'text', 'no_report', '{zip_extra,ctype}');

-- then

-- there is none, and nobody has read them again
SELECT id, outcome, original, reread_at FROM dmarc.message ORDER BY id;
--= 1|problem||
--= 2|no_report||
SELECT kept, count(*) FROM dmarc.rereadable(NULL, NULL, true, NULL, NULL) GROUP BY kept;
--= f|1
SELECT warnings FROM dmarc.document;
--= {zip_extra,ctype}
