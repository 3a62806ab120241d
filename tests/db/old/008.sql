-- A mail that was read again, and its original.
INSERT INTO message (id, sha256, source, identity, size, outcome, original, reread_at) VALUES
    (1, sha256('one'), 'file:one', false, 99, 'problem', 'kept', '2026-09-12 08:00Z');
INSERT INTO original (mail_sha256, size, data, kept_at) VALUES (sha256('one'), 99, '\x1f8b00ff', '2026-09-11 08:00Z');
INSERT INTO reading (mail_sha256, message, ordinal, read_until, command, outcome, problems) VALUES
    (sha256('one'), 1, 1, '2026-09-12 08:00Z', 'retry', 'problem', '{xml: line 3}');

-- then

-- both are there
SELECT m.original, m.reread_at, o.size, o.data, o.kept_at FROM dmarc.message m JOIN dmarc_store.original o ON o.mail_sha256 = m.sha256;
--= kept|2026-09-12 08:00:00+00|99|\x1f8b00ff|2026-09-11 08:00:00+00
SELECT command, outcome, problems FROM dmarc.reading;
--= retry|problem|{"xml: line 3"}
SELECT kept FROM dmarc.rereadable('1', NULL, true, NULL, NULL);
--= t
