-- Senders of a user's own, one under a key that the catalogue has, too, and one of an older catalogue.
INSERT INTO sender (key, name, kind, advice, origin) VALUES
    ('newsletter', 'Our newsletter', 'own', NULL, 'user'),
    ('sendgrid', 'SendGrid as we call it', 'transactional', 'ask Anna', 'user'),
    ('gone', 'No longer there', 'crm', NULL, 'builtin');
INSERT INTO sender_rule (kind, pattern, sender, origin) VALUES
    ('dkim_selector', 'news2026', 'newsletter', 'user'),
    ('dkim_domain', 'gone.example', 'gone', 'builtin');

-- then

-- a user's stay, also under a key of the catalogue
SELECT key, name, advice FROM dmarc.sender WHERE origin = 'user' ORDER BY key;
--= newsletter|Our newsletter|
--= sendgrid|SendGrid as we call it|ask Anna
SELECT kind, pattern, sender FROM dmarc.sender_rule WHERE origin = 'user';
--= dkim_selector|news2026|newsletter

-- and the catalogue is the new one
SELECT count(*) FROM dmarc.sender WHERE key = 'gone';
--= 0
SELECT count(*) FROM dmarc.sender_rule WHERE sender = 'gone';
--= 0
SELECT count(*) > 0 FROM dmarc.sender_rule WHERE sender = 'sendgrid' AND origin = 'builtin';
--= t
