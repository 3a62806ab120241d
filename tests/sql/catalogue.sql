-- Everything has a comment, and the catalogue of senders keeps its own rules.
\ir support.sql
SELECT plan(15);

SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND obj_description(c.oid, 'pg_class') IS NULL
$$, 'every table and view has a comment');
SELECT is_empty($$
    SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
$$, 'every column has a comment');
SELECT is_empty($$
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'dmarc'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
$$, 'every function has a comment');
SELECT is((SELECT count(*)::int FROM pg_class c WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind = 'v'), 21, 'the views were found');

SELECT cmp_ok((SELECT count(*) FROM dmarc_store.sender), '>=', 200::bigint, 'the catalogue is there');
SELECT is_empty($$
    SELECT r.kind, r.pattern FROM dmarc_store.sender_rule r WHERE NOT EXISTS (SELECT FROM dmarc_store.sender s WHERE s.key = r.sender)
$$, 'every rule has its sender');
SELECT is_empty($$
    SELECT s.key FROM dmarc_store.sender s WHERE NOT EXISTS (SELECT FROM dmarc_store.sender_rule r WHERE r.sender = s.key AND r.kind <> 'ptr_domain')
$$, 'every sender can be recognised by something that passes');
SELECT is_empty($$
    SELECT r.pattern FROM dmarc_store.sender_rule r
    WHERE r.kind = 'dkim_selector'
      AND (r.pattern IN ('s1', 's2', 's#', 'k1', 'k2', 'k3', 'k#', 'm1', 'm2', 'm#', 'selector1', 'selector2', 'selector#', 'default',
                         'mail', 'google', 'dkim', 'dkim1', 'dkim2', 'dkim#', 'smtp', 'key1', 'key2', 'key#', 'mx', 'mg', 'pm', 'x', 'api',
                         'e1', 'e2', 'sig', 'email', 'news', 'vip', '#', 'sender')
           OR length(r.pattern) < 2)
$$, 'no selector that many share names anybody');
SELECT is_empty($$
    SELECT a.pattern, b.pattern FROM dmarc_store.sender_rule a
    JOIN dmarc_store.sender_rule b ON b.kind = a.kind AND b.origin = a.origin AND b.pattern = regexp_replace(a.pattern, '[0-9]+', '#', 'g')
    WHERE a.kind = 'dkim_selector' AND a.pattern <> b.pattern AND a.sender <> b.sender
$$, 'no selector is claimed by two senders');
SELECT is_empty($$
    SELECT a.pattern, a.sender, b.sender FROM dmarc_store.sender_rule a
    JOIN dmarc_store.sender_rule b ON b.pattern = a.pattern AND b.sender <> a.sender AND b.origin = a.origin
$$, 'no name belongs to two senders');
SELECT is_empty($$
    SELECT s.name FROM dmarc_store.sender s GROUP BY s.name HAVING count(*) > 1
$$, 'no two senders have one name');
SELECT is_empty($$
    SELECT s.key FROM dmarc_store.sender s WHERE s.advice ~ '[<`]d[>`]' OR s.advice ~ '[^ -~]' OR replace(s.advice, '{domain}', '') ~ '[{}]'
$$, 'advice has no other placeholder than {domain}');
SELECT is_empty($$
    SELECT w.key FROM unnest(ARRAY['mandrill', 'spinoffice', 'eploy', 'ses', 'google', 'm365', 'mailchimp', 'sendgrid', 'mailgun', 'postmark',
                                   'salesforce', 'hubspot', 'zendesk', 'brevo', 'klaviyo', 'shopify']) w (key)
    WHERE NOT EXISTS (SELECT FROM dmarc_store.sender s WHERE s.key = w.key AND s.advice IS NOT NULL)
$$, 'the usual services are there, with advice');

-- A user's rows survive an upgrade, also where the catalogue has the same key.
INSERT INTO dmarc_store.sender_rule (kind, pattern, sender) VALUES ('dkim_domain', 'amazonses.com', 'shop');
DELETE FROM dmarc_store.sender WHERE key = 'ses';
INSERT INTO dmarc_store.sender (key, name, kind) VALUES ('shop', 'Our shop', 'own'), ('ses', 'SES as we call it', 'transactional');
CREATE TEMP TABLE load_sender (LIKE dmarc_store.sender INCLUDING DEFAULTS);
CREATE TEMP TABLE load_sender_rule (LIKE dmarc_store.sender_rule INCLUDING DEFAULTS);
INSERT INTO load_sender (key, name, kind) VALUES ('ses', 'Amazon SES', 'transactional'), ('new', 'New', 'saas');
INSERT INTO load_sender_rule (kind, pattern, sender) VALUES ('dkim_domain', 'amazonses.com', 'ses'), ('dkim_domain', 'new.example', 'new');
SELECT dmarc_store.load_sender_rule();
SELECT dmarc_store.load_sender();
SELECT is((SELECT string_agg(key || '=' || name || ':' || origin, ' | ' ORDER BY key) FROM dmarc_store.sender),
          'new=New:builtin | ses=SES as we call it:user | shop=Our shop:user', 'a new catalogue leaves the senders of users');
SELECT is((SELECT string_agg(pattern || '=' || sender || ':' || origin, ' | ' ORDER BY pattern, sender) FROM dmarc_store.sender_rule),
          'amazonses.com=ses:builtin | amazonses.com=shop:user | new.example=new:builtin', '... and their rules');

SELECT finish();
ROLLBACK;
