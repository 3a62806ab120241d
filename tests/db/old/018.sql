-- Mails whose source tells them apart, and some whose does not.
SET search_path = dmarc_store, pg_catalog;
INSERT INTO message (id, sha256, source, identity, size, outcome)
VALUES (1, decode(repeat('01', 32), 'hex'), 'file:a', true, 10, 'no_report'), (2, decode(repeat('01', 32), 'hex'), 'file:b', true, 10, 'duplicate'),
       (3, decode(repeat('01', 32), 'hex'), 'stdin', false, 10, 'duplicate'), (4, decode(repeat('01', 32), 'hex'), 'stdin', false, 10, 'duplicate');
INSERT INTO document (mail_sha256, message, ordinal, path, kind, outcome)
VALUES (decode(repeat('01', 32), 'hex'), 1, 1, 'part 1', 'other', 'no_report'), (decode(repeat('01', 32), 'hex'), 1, 2, 'part 2', 'other', 'no_report');

-- then

-- all are there
SELECT count(*) FROM dmarc_store.message;
--= 4

-- one that came again from the same source is none
INSERT INTO dmarc_store.message (id, sha256, source, identity, size, outcome) VALUES (9, decode(repeat('01', 32), 'hex'), 'file:a', true, 10, 'no_report')
ON CONFLICT DO NOTHING RETURNING id;

-- one whose source says nothing is
INSERT INTO dmarc_store.message (id, sha256, source, identity, size, outcome) VALUES (9, decode(repeat('01', 32), 'hex'), 'stdin', false, 10, 'duplicate')
ON CONFLICT DO NOTHING RETURNING id;
--= 9
DELETE FROM dmarc_store.message WHERE id = 9;

-- keys are in the order of time
SELECT pg_get_indexdef('dmarc_store.message_pk'::regclass) ~ '\(id, sha256\)$', pg_get_indexdef('dmarc_store.document_pk'::regclass) ~ '\(message, mail_sha256, ordinal\)$';
--= t|t
