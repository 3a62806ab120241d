-- Everything has a comment, and the catalogue of senders keeps its laws.
\ir support.sql
SELECT plan(35);

SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_own'::regnamespace, 'dmarc_store'::regnamespace)
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND obj_description(c.oid, 'pg_class') IS NULL
$$, 'every table and view has a comment');
SELECT is_empty($$
    SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_own'::regnamespace, 'dmarc_store'::regnamespace)
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
$$, 'every column has a comment');
SELECT is_empty($$
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND obj_description(p.oid, 'pg_proc') IS NULL
$$, 'every function has a comment');
SELECT is_empty($$
    SELECT d.objoid::regclass || ' ' || d.objsubid FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    WHERE c.relnamespace IN ('dmarc'::regnamespace, 'dmarc_own'::regnamespace, 'dmarc_store'::regnamespace) AND d.description LIKE '%.'
    UNION ALL
    SELECT d.objoid::regprocedure::text FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid AND d.classoid = 'pg_proc'::regclass
    WHERE p.pronamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND d.description LIKE '%.'
$$, 'no comment ends with a full stop: the manual page adds it');
SELECT is((SELECT count(*)::int FROM pg_class c WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind = 'v'), 23, 'the views were found');

SELECT cmp_ok((SELECT count(*) FROM dmarc_store.sender), '>=', 200::bigint, 'the catalogue is there');

-- The laws of the catalogue. Each is proven below to find what it is made for.
CREATE TEMP TABLE suffix (name text COLLATE "C", wild boolean);
\o /dev/null
\copy suffix (name) FROM '/usr/share/publicsuffix/public_suffix_list.dat' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
\o
DELETE FROM suffix WHERE name !~ '^[^/ !]';
UPDATE suffix SET wild = name LIKE '*.%', name = regexp_replace(split_part(name, ' ', 1), '^[*][.]', '');

-- Public suffixes where customers get web sites or forms, but neither signatures, MAIL FROM nor HELO of their own.
CREATE TEMP TABLE harmless_suffix (name text, reverse boolean);
INSERT INTO harmless_suffix VALUES ('activetrail.biz', true), ('typeform.com', true), ('salesforce.com', true), ('firebaseapp.com', false), ('ik-server.com', false),
    ('ovh.net', false);

-- Where anybody can have a mailbox: who passes as one of these is a mailbox provider, and never a product.
CREATE TEMP TABLE free_mail (name text);
INSERT INTO free_mail SELECT unnest(ARRAY[
    '126.com', '163.com', 'aol.com', 'att.net', 'bluewin.ch', 'btinternet.com', 'comcast.net', 'fastmail.com', 'free.fr', 'gmail.com',
    'gmx.at', 'gmx.ch', 'gmx.com', 'gmx.de', 'gmx.net', 'googlemail.com', 'hotmail.com', 'hushmail.com', 'icloud.com', 'laposte.net',
    'libero.it', 'live.com', 'mac.com', 'mail.com', 'mail.ru', 'mailbox.org', 'me.com', 'msn.com', 'naver.com', 'online.de', 'orange.fr',
    'outlook.com', 'pm.me', 'posteo.de', 'proton.me', 'protonmail.com', 'qq.com', 'rediffmail.com', 'runbox.com', 'seznam.cz', 'sina.com',
    't-online.de', 'tuta.com', 'tutanota.com', 'virginmedia.com', 'wanadoo.fr', 'web.de', 'wp.pl', 'ya.ru', 'yahoo.com', 'yandex.com',
    'yandex.ru', 'ymail.com', 'ziggo.nl', 'zoho.com', 'zohomail.com']);

-- Where anybody can have a machine, and with it a reverse name that is confirmed forward; in the clouds any name at all.
CREATE TEMP TABLE rented (name text, cloud boolean);
INSERT INTO rented SELECT unnest(ARRAY['amazonaws.com', 'azure.com', 'bc.googleusercontent.com', 'cloudapp.net', 'contaboserver.net', 'digitalocean.com',
    'hetzner.cloud', 'hstgr.cloud', 'kimsufi.com', 'leaseweb.net', 'linode.com', 'linodeusercontent.com', 'onlinehome-server.info', 'oraclecloud.com',
    'poneytelecom.eu', 'scw.cloud', 'stratoserver.net', 'vultr.com', 'vultrusercontent.com', 'windows.net']), true;
INSERT INTO rented SELECT unnest(ARRAY['abo.wanadoo.fr', 'att.net', 'btcentralplus.com', 'cable.virginm.net', 'clients.your-server.de', 'colo.transip.net',
    'dynamic.ziggo.nl', 'hsd1.comcast.net', 'ip.secureserver.net', 'mobile.orange.fr', 'residential.as9143.net', 'rev.poneytelecom.eu',
    'ov-ad3410.infomaniak.ch', 'serverdedicati.aruba.it', 't-ipconnect.de', 'user.fm', 'virginmedia.com', 'vps.ovh.net', 'hosting.ovh.net',
    'web.hetzner.com']), false;

-- The words of an advice, with something for each placeholder.
CREATE FUNCTION pg_temp.words(advice text) RETURNS TABLE (n bigint, word text, before text) LANGUAGE sql AS $fn$
    SELECT w.n, w.word, lag(w.word) OVER (ORDER BY w.n)
    FROM (SELECT u.n, regexp_replace(u.word, '^[(]|[,;:)]+$', '', 'g') AS word
          FROM regexp_split_to_table(regexp_replace(replace(advice, '{domain}', 'domain.example'), '<[a-z-]+>', 'x', 'g'), ' ')
               WITH ORDINALITY u (word, n)) w
$fn$;
-- The names of hosts: labels of letters, digits, hyphens and underscores, the last one of letters.
CREATE FUNCTION pg_temp.is_host(name text) RETURNS boolean LANGUAGE sql AS $fn$
    SELECT name ~ '^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?[.])+[a-z]{2,63}$' AND length(name) <= 253
$fn$;

CREATE TYPE pg_temp.breach AS (law text, what text);
CREATE FUNCTION pg_temp.breaches() RETURNS SETOF pg_temp.breach LANGUAGE sql AS $fn$
    SELECT 'every rule has its sender', r.pattern FROM dmarc_store.sender_rule r WHERE NOT EXISTS (SELECT FROM dmarc_store.sender s WHERE s.key = r.sender)
    UNION
    SELECT 'every sender can be recognised by something that passes', s.key FROM dmarc_store.sender s
    WHERE NOT EXISTS (SELECT FROM dmarc_store.sender_rule r WHERE r.sender = s.key AND r.kind <> 'ptr_domain')
    UNION
    SELECT 'no two senders have one name', min(s.key) FROM dmarc_store.sender s GROUP BY lower(s.name) HAVING count(*) > 1
    UNION
    -- What the reports put in place of a name, or beside it, is theirs alone.
    SELECT 'a name is plain text, and none of the reports'' own words', s.key FROM dmarc_store.sender s
    WHERE s.name !~ '^[!-~]+( [!-~]+)*$' OR s.name ~* 'own mail|nothing authenticates|not known' OR s.key !~ '^[a-z0-9]+(-[a-z0-9]+)*$'
    UNION

    SELECT 'no selector that many share names anybody', r.pattern FROM dmarc_store.sender_rule r
    WHERE r.kind = 'dkim_selector'
      AND (r.pattern ~ '^(s|k|m|e|x|d|dk|sel|selector|default|mail|email|mailer|google|dkim|smtp|key|mx|mg|mta|pm|api|news|newsletter|sig|rsa|ed|vip|sender|server|test|mkt)[-_]?([0-9]{0,2}|#)$'
               AND r.pattern <> 'sig1'
           OR length(r.pattern) < 2 OR r.pattern !~ '[a-z].*[a-z]')
    UNION
    SELECT 'no host that many share names anybody', r.pattern FROM dmarc_store.sender_rule r
    WHERE r.kind = 'spf_host'
      AND (r.pattern ~ '^(b|e|em|m|s|mail|email|mailer|bounce|bounces|return|returns|rp|send|sender|sg|mg|mta|mx|smtp|news|newsletter|info|reply|go|t|url|track|click|link|app|mkt|marketing|crm|notify)[-_]?([0-9]{0,2}|#)$'
           OR length(r.pattern) < 2 OR r.pattern !~ '[a-z].*[a-z]')
    UNION
    -- Asked are host and selector as they are and with a # for each run of digits; of both together, the host with a #.
    SELECT 'a host and a selector can be some', r.pattern FROM dmarc_store.sender_rule r
    WHERE r.kind = 'spf_host' AND (split_part(r.pattern, '/', 1) ~ '#.*[0-9]|[0-9].*#|##' OR r.pattern !~ '^[a-z0-9#]([a-z0-9_#-]*[a-z0-9#])?(/[a-z0-9]([a-z0-9_.-]*[a-z0-9])?)?$')
       OR r.pattern ~ '/' AND (r.pattern ~ '^[^/]*[0-9]|/.*#' OR r.kind NOT IN ('dkim_selector', 'spf_host'))
    UNION
    SELECT 'a selector can be one', r.pattern FROM dmarc_store.sender_rule r
    WHERE r.kind = 'dkim_selector' AND r.pattern !~ '/' AND (r.pattern ~ '#.*[0-9]|[0-9].*#|##' OR r.pattern !~ '^[a-z0-9#]([a-z0-9_.#-]*[a-z0-9#])?$')
    UNION
    SELECT 'no selector has two rules', a.pattern FROM dmarc_store.sender_rule a
    JOIN dmarc_store.sender_rule b ON b.kind = a.kind AND b.origin = a.origin AND b.pattern = regexp_replace(a.pattern, '[0-9]+', '#', 'g')
    WHERE a.kind = 'dkim_selector' AND a.pattern !~ '/' AND a.pattern <> b.pattern
    UNION
    SELECT 'no name belongs to two senders', a.pattern FROM dmarc_store.sender_rule a
    JOIN dmarc_store.sender_rule b ON b.pattern = a.pattern AND b.sender <> a.sender AND b.origin = a.origin
    UNION
    SELECT 'no rule says what a shorter one says', a.pattern FROM dmarc_store.sender_rule a
    JOIN dmarc_store.sender_rule b ON b.kind = a.kind AND b.sender = a.sender AND b.origin = a.origin AND b.tenant = a.tenant
                            AND right(a.pattern, length(b.pattern) + 1) = '.' || b.pattern
    WHERE a.kind <> 'dkim_selector'
    UNION
    SELECT 'a domain can be one', r.pattern FROM dmarc_store.sender_rule r WHERE r.kind NOT IN ('dkim_selector', 'spf_host') AND NOT pg_temp.is_host(r.pattern)
    UNION
    SELECT 'only domains that sign or pass SPF have tenants', r.pattern FROM dmarc_store.sender_rule r WHERE r.tenant AND r.kind NOT IN ('dkim_domain', 'spf_domain')
    UNION

    SELECT 'no public suffix names anybody, nor what has one below it', r.pattern FROM dmarc_store.sender_rule r
    JOIN suffix s ON s.name = r.pattern OR right(s.name, length(r.pattern) + 1) = '.' || r.pattern
                  OR s.wild AND s.name = regexp_replace(r.pattern, '^[^.]*[.]', '')
    WHERE r.kind <> 'dkim_selector'
      AND NOT EXISTS (SELECT FROM harmless_suffix h WHERE h.name = r.pattern AND (h.reverse OR r.kind <> 'ptr_domain'))
    UNION
    SELECT 'free mail is the provider''s, never a product''s', r.pattern FROM dmarc_store.sender_rule r
    JOIN dmarc_store.sender n ON n.key = r.sender
    JOIN free_mail f ON f.name = r.pattern OR right(f.name, length(r.pattern) + 1) = '.' || r.pattern
                     OR right(r.pattern, length(f.name) + 1) = '.' || f.name
    WHERE r.kind IN ('dkim_domain', 'spf_domain') AND n.kind <> 'mailbox'
    UNION
    SELECT 'a rented machine names nobody', r.pattern FROM dmarc_store.sender_rule r
    JOIN rented m ON m.name = r.pattern OR right(m.name, length(r.pattern) + 1) = '.' || r.pattern
                  OR right(r.pattern, length(m.name) + 1) = '.' || m.name
    WHERE r.kind = 'ptr_domain' OR m.cloud AND r.kind <> 'dkim_selector'
    UNION

    SELECT 'advice has no other placeholder than {domain} and <words>', s.key FROM dmarc_store.sender s
    WHERE s.advice ~ '[^ -~]|<d>|`' OR regexp_replace(replace(s.advice, '{domain}', ''), '<[a-z-]+>|->', '', 'g') ~ '[{}<>]'
    UNION
    SELECT 'advice is one line of words with one blank between them', s.key FROM dmarc_store.sender s WHERE s.advice !~ '^[^ ]+( [^ ]+)*[^ .;,]$'
    UNION
    SELECT 'each host in advice can be one', s.key || ': ' || w.word FROM dmarc_store.sender s CROSS JOIN pg_temp.words(s.advice) w
    WHERE (w.word ~ '[.]|_domainkey' OR w.before = '->' OR w.word LIKE 'include:%')
      AND NOT pg_temp.is_host(lower(regexp_replace(w.word, '^include:', '')))
    UNION
    SELECT 'each DKIM record in advice has its whole name', s.key || ': ' || w.word FROM dmarc_store.sender s CROSS JOIN pg_temp.words(s.advice) w
    WHERE w.word ~ '_domainkey' AND w.before <> '->' AND w.word !~* '^[a-z0-9_-]+[.]_domainkey[.]([a-z0-9-]+[.])?domain[.]example$'
    UNION
    -- The domain itself has MX, SPF and SOA, so that it cannot be a CNAME.
    SELECT 'a CNAME is below the domain', s.key FROM dmarc_store.sender s CROSS JOIN pg_temp.words(s.advice) w
    WHERE w.word = '->' AND w.before <> 'CNAME' AND w.before !~* '^[a-z0-9_.-]+[.]domain[.]example$' OR w.before = 'CNAME' AND w.word = 'domain.example'
    UNION
    SELECT 'an include is a name of the sender, or of Amazon SES', s.key || ': ' || w.word FROM dmarc_store.sender s CROSS JOIN pg_temp.words(s.advice) w
    WHERE w.word LIKE 'include:%' AND w.word <> 'include:amazonses.com'
      AND NOT EXISTS (SELECT FROM dmarc_store.sender_rule r WHERE r.sender = s.key AND r.kind = 'spf_domain'
                                                        AND right('.' || substr(w.word, 9), length(r.pattern) + 1) = '.' || r.pattern)
    UNION
    -- Of two SPF records none counts: an include is a part of the one that is there, and no use where the return path is another domain's.
    SELECT 'an include is told to go into the one SPF record, or when it aligns', s.key FROM dmarc_store.sender s
    WHERE s.advice ~ 'SPF include:[^ ]+( (?!aligns only |which )|$)'
       OR s.advice ~ 'include:' AND s.advice !~ 'SPF record|aligns only|does not align|never aligns|remove include|are not needed|is not needed'
    UNION
    -- Else who did as he was told would not be called by the sender's name once "whosends names" has looked.
    SELECT 'a CNAME points to a name of the sender, or of what carries its mail', s.key || ': ' || w.word
    FROM dmarc_store.sender s CROSS JOIN pg_temp.words(s.advice) w
    WHERE w.before = '->' AND pg_temp.is_host(lower(w.word))
      AND NOT EXISTS (SELECT FROM dmarc_store.sender_rule r JOIN dmarc_store.sender o ON o.key = r.sender
                      WHERE (r.sender = s.key OR o.carrier) AND r.kind IN ('dkim_domain', 'spf_domain')
                        AND right('.' || lower(w.word), length(r.pattern) + 1) = '.' || r.pattern)
$fn$;
CREATE TEMP TABLE law (n serial, law text);
INSERT INTO law (law) SELECT (regexp_matches(prosrc, $$SELECT '((?:[^']|'')+)', $$, 'g'))[1] FROM pg_proc WHERE oid = 'pg_temp.breaches()'::regprocedure;
UPDATE law SET law = replace(law, $$''$$, $$'$$);
SELECT is((SELECT string_agg(b.what, ', ' ORDER BY b.what) FROM pg_temp.breaches() b WHERE b.law = l.law), NULL, l.law) FROM law l ORDER BY l.n;

-- Each law finds what breaks it: bad rows, and which law is to find which.
INSERT INTO dmarc_store.sender (key, name, kind, advice, origin) VALUES
    ('bad-nowhere', 'Bad nowhere', 'saas', NULL, 'builtin'), ('bad-twin', 'amazon ses', 'saas', NULL, 'builtin'),
    ('bad-name', 'Own mail (selector x)', 'saas', NULL, 'builtin'), ('bad', 'Bad', 'saas', NULL, 'builtin'), ('bad-2', 'Bad 2', 'saas', NULL, 'builtin'),
    ('bad-place', 'Bad place', 'saas', 'the records of {customer}', 'builtin'),
    ('bad-line', 'Bad line', 'saas', 'two  blanks', 'builtin'),
    ('bad-host', 'Bad host', 'saas', 'CNAME a._domainkey.{domain} -> -x.bad.example', 'builtin'),
    ('bad-dot', 'Bad dot', 'saas', 'CNAME a._domainkey.{domain} -> a.bad.example. and more', 'builtin'),
    ('bad-half', 'Bad half', 'saas', 'CNAME a._domainkey.bad.example as shown', 'builtin'),
    ('bad-apex', 'Bad apex', 'saas', 'CNAME {domain} -> a.bad.example', 'builtin'), ('bad-apex-2', 'Bad apex 2', 'saas', 'CNAME {domain} as shown', 'builtin'),
    ('bad-include', 'Bad include', 'saas', 'SPF include:spf.other.example', 'builtin'),
    ('bad-target', 'Bad target', 'saas', 'CNAME a._domainkey.{domain} -> a.other.example and b._domainkey.{domain} -> b.bad-target.example', 'builtin'),
    ('bad-spf', 'Bad SPF', 'saas', 'SPF include:spf.bad-spf.example, and its DKIM record', 'builtin'),
    ('bad-spf-2', 'Bad SPF 2', 'saas', 'its DKIM record and include:spf.bad-spf-2.example', 'builtin');
INSERT INTO dmarc_store.sender_rule (kind, pattern, sender, tenant, origin) VALUES
    ('dkim_domain', 'nobody.example', 'bad-nobody', false, 'builtin'), ('ptr_domain', 'nowhere.example', 'bad-nowhere', false, 'builtin'),
    ('dkim_selector', 'selector1', 'bad', false, 'builtin'), ('dkim_selector', 'mail#', 'bad', false, 'builtin'), ('dkim_selector', '2024-#', 'bad', false, 'builtin'),
    ('spf_host', 'em#', 'bad', false, 'builtin'), ('spf_host', 'em1/s1', 'bad', false, 'builtin'), ('spf_host', 'em#/s#', 'bad', false, 'builtin'),
    ('dkim_selector', 'bad1-#', 'bad', false, 'builtin'), ('dkim_selector', 'mte#', 'bad', false, 'builtin'), ('dkim_selector', 'bad9', 'bad', false, 'builtin'),
    ('dkim_selector', 'bad#', 'bad', false, 'builtin'), ('spf_domain', 'two.example', 'bad', false, 'builtin'), ('dkim_domain', 'two.example', 'bad-2', false, 'builtin'),
    ('spf_domain', 'eu.amazonses.com', 'ses', false, 'builtin'), ('spf_domain', '-bad.example', 'bad', false, 'builtin'), ('spf_domain', '192.0.2.1', 'bad', false, 'builtin'),
    ('ptr_domain', 'tenant.example', 'bad', true, 'builtin'), ('spf_domain', 'co.uk', 'bad', false, 'builtin'), ('dkim_domain', 'bad.ck', 'bad', false, 'builtin'),
    ('spf_domain', 'github.io', 'bad', false, 'builtin'),
    ('ptr_domain', 'user.fm', 'fastmail', false, 'builtin'), ('ptr_domain', 'ovh.net', 'ovh', false, 'builtin'), ('spf_domain', 'mx.t-online.de', 'bad', false, 'builtin'),
    ('ptr_domain', 'transip.net', 'transip', false, 'builtin'), ('dkim_domain', 'eu.vultr.com', 'bad', false, 'builtin');
INSERT INTO dmarc_store.sender_rule (kind, pattern, sender, origin) SELECT 'spf_domain', s.key || '.example', s.key, 'builtin'
FROM dmarc_store.sender s WHERE s.key LIKE 'bad-%' AND s.key <> 'bad-nowhere';
SELECT set_eq('SELECT law, what FROM pg_temp.breaches()', $$ VALUES
    ('every rule has its sender', 'nobody.example'), ('every sender can be recognised by something that passes', 'bad-nowhere'),
    ('no two senders have one name', 'bad-twin'), ('a name is plain text, and none of the reports'' own words', 'bad-name'),
    ('no selector that many share names anybody', 'selector1'), ('no selector that many share names anybody', 'mail#'),
    ('no selector that many share names anybody', '2024-#'), ('a selector can be one', '2024-#'), ('a selector can be one', 'bad1-#'),
    ('no host that many share names anybody', 'em#'), ('a host and a selector can be some', 'em1/s1'), ('a host and a selector can be some', 'em#/s#'),
    ('no selector has two rules', 'mte1'), ('no selector has two rules', 'mte2'), ('no selector has two rules', 'bad9'),
    ('no name belongs to two senders', 'two.example'), ('no rule says what a shorter one says', 'eu.amazonses.com'),
    ('a domain can be one', '-bad.example'), ('a domain can be one', '192.0.2.1'), ('only domains that sign or pass SPF have tenants', 'tenant.example'),
    ('no public suffix names anybody, nor what has one below it', 'co.uk'), ('no public suffix names anybody, nor what has one below it', 'bad.ck'),
    ('no public suffix names anybody, nor what has one below it', 'user.fm'), ('no public suffix names anybody, nor what has one below it', 'ovh.net'),
    ('no public suffix names anybody, nor what has one below it', 'github.io'), ('free mail is the provider''s, never a product''s', 'mx.t-online.de'),
    ('a rented machine names nobody', 'user.fm'), ('a rented machine names nobody', 'ovh.net'), ('a rented machine names nobody', 'transip.net'),
    ('a rented machine names nobody', 'eu.vultr.com'), ('advice has no other placeholder than {domain} and <words>', 'bad-place'),
    ('advice is one line of words with one blank between them', 'bad-line'), ('each host in advice can be one', 'bad-host: -x.bad.example'),
    ('each host in advice can be one', 'bad-dot: a.bad.example.'), ('each DKIM record in advice has its whole name', 'bad-half: a._domainkey.bad.example'),
    ('a CNAME is below the domain', 'bad-apex'), ('a CNAME is below the domain', 'bad-apex-2'),
    ('an include is a name of the sender, or of Amazon SES', 'bad-include: include:spf.other.example'),
    ('an include is told to go into the one SPF record, or when it aligns', 'bad-include'),
    ('an include is told to go into the one SPF record, or when it aligns', 'bad-spf'),
    ('an include is told to go into the one SPF record, or when it aligns', 'bad-spf-2'),
    ('a CNAME points to a name of the sender, or of what carries its mail', 'bad-target: a.other.example'),
    ('a CNAME points to a name of the sender, or of what carries its mail', 'bad-apex: a.bad.example')
$$, 'each law finds what breaks it');
SELECT is_empty($$ SELECT l.law FROM law l WHERE NOT EXISTS (SELECT FROM pg_temp.breaches() b WHERE b.law = l.law) $$, 'and no law finds nothing');

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
