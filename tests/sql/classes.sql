-- Each rule of the four classes, and each way to a name. One policy domain a case.
\ir support.sql
SELECT plan(143);

CREATE TEMP TABLE wanted (domain text, class text, rule text, sender text, confidence text, what text);
CREATE FUNCTION pg_temp.expect(domain text, class text, rule text, sender text, confidence text, what text) RETURNS void LANGUAGE sql AS $fn$
    INSERT INTO wanted VALUES (domain, class, rule, sender, confidence, what)
$fn$;
CREATE FUNCTION pg_temp.see(domain text, dkim text[] DEFAULT NULL, spf text[] DEFAULT NULL, dkim_by text DEFAULT NULL,
                            spf_by text DEFAULT NULL, reasons text[] DEFAULT NULL, header_from text DEFAULT NULL) RETURNS void LANGUAGE sql AS $fn$
    SELECT pg_temp.record(1, domain, '2026-10-01', '192.0.2.1', 1, dkim, spf, dkim_by, spf_by, reasons, header_from)
$fn$;
\o /dev/null

-- The rules, in their order.
SELECT pg_temp.see('r1.example', spf => '{r1.example|mfrom|pass}', spf_by => 'r1.example', reasons => '{mailing_list}');
SELECT pg_temp.expect('r1.example', 'authorised', 'spf_aligned', 'own mail (spf r1.example)', 'high', 'SPF aligned, whatever the reporter''s reason');
SELECT pg_temp.see('r2.example', '{r2.example|s2026|pass}', dkim_by => 'r2.example|s2026', reasons => '{forwarded}');
SELECT pg_temp.expect('r2.example', 'forwarded', 'reason', 'own mail (selector s2026)', 'high', 'the reporter says forwarded');
SELECT pg_temp.see('r2b.example', reasons => '{local_policy,mailing_list}');
SELECT pg_temp.expect('r2b.example', 'forwarded', 'reason', 'nothing authenticates', 'none', 'the reporter says mailing list');
SELECT pg_temp.see('r2c.example', '{other.example|a|pass}', reasons => '{trusted_forwarder}');
SELECT pg_temp.expect('r2c.example', 'forwarded', 'reason', 'other.example (not known)', 'medium', 'the reporter says trusted forwarder');
SELECT pg_temp.see('r2d.example', reasons => '{local_policy,sampled_out,other}');
SELECT pg_temp.expect('r2d.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'other reasons say nothing of forwarding');
SELECT pg_temp.see('r3.example', '{r3.example|s1|pass}', '{gmail.com|mfrom|pass}', 'r3.example|s1');
SELECT pg_temp.expect('r3.example', 'forwarded', 'survived', 'Google Workspace / Gmail', 'medium', 'the signature survived a mailbox provider');
SELECT pg_temp.see('r3b.example', '{r3b.example|fm1|pass}', '{messagingengine.com|mfrom|pass}', 'r3b.example|fm1');
SELECT pg_temp.expect('r3b.example', 'authorised', 'dkim_aligned', 'Fastmail', 'medium', 'a provider that signed itself is no relay');
SELECT pg_temp.see('r3c.example', '{r3c.example|s1|pass}', '{mail.google.com|helo|pass}', 'r3c.example|s1');
SELECT pg_temp.expect('r3c.example', 'authorised', 'dkim_aligned', 'Google Workspace / Gmail', 'low', 'HELO alone makes no relay of a signer');
SELECT pg_temp.see('r3d.example', '{r3d.example|s1|pass}', '{r3d.onmicrosoft.com|mfrom|pass}', 'r3d.example|s1');
SELECT pg_temp.expect('r3d.example', 'authorised', 'dkim_aligned', 'Microsoft 365 / Outlook', 'medium', 'nor does the domain''s own account');
SELECT pg_temp.see('r3e.example', '{neighbour.onmicrosoft.com|selector1|pass,r3e.example|s1|pass}', '{neighbour.test|mfrom|pass}', 'r3e.example|s1');
SELECT pg_temp.expect('r3e.example', 'forwarded', 'survived', 'Microsoft 365 / Outlook', 'high', 'somebody else''s account signed it on its way');
SELECT pg_temp.see('r3f.example', '{r3f.example|s1|pass,forwardemail.net|x|pass}', '{r3f.example|mfrom|fail}', 'r3f.example|s1');
SELECT pg_temp.expect('r3f.example', 'forwarded', 'survived', 'Forward Email', 'high', 'a forwarder signed it on its way');
SELECT pg_temp.see('r3g.example', '{r3g.example|google|pass,google.com|20230601|pass}', '{r3g.example|mfrom|none}', 'r3g.example|google');
SELECT pg_temp.expect('r3g.example', 'authorised', 'dkim_aligned', 'Google Workspace / Gmail', 'high', 'a provider''s second signature makes no relay of it');
SELECT pg_temp.see('r3h.example', '{r3h.example|dkimprovmx1|pass,improvmx.com|x|pass}', '{improvmx.com|mfrom|pass}', 'r3h.example|dkimprovmx1');
SELECT pg_temp.expect('r3h.example', 'authorised', 'dkim_aligned', 'ImprovMX', 'high', 'a forwarder that signs as the domain sends for it');
SELECT pg_temp.see('r4.example', '{r4.example|s2026|pass}', '{r4.example|mfrom|fail}', 'r4.example|s2026');
SELECT pg_temp.expect('r4.example', 'authorised', 'dkim_aligned', 'own mail (selector s2026)', 'high', 'DKIM aligned');
SELECT pg_temp.see('r5.example', '{amazonses.com|x|pass}', '{r5.example|mfrom|softfail}');
SELECT pg_temp.expect('r5.example', 'misconfigured', 'known', 'Amazon SES', 'high', 'a known sender signs as itself');
SELECT pg_temp.see('r5b.example', '{r5b.example|k1|fail}', '{mail12.atl.mcsv.net|mfrom|pass}');
SELECT pg_temp.expect('r5b.example', 'misconfigured', 'known', 'Mailchimp', 'medium', 'a known sender passes SPF as itself');
SELECT pg_temp.see('r5c.example', '{r5c-example.20230601.gappssmtp.com|20230601|pass}');
SELECT pg_temp.expect('r5c.example', 'misconfigured', 'known', 'Google Workspace / Gmail', 'high', 'Workspace of the domain itself, without its key');
SELECT pg_temp.see('r5d.example', '{r5d.onmicrosoft.com|selector1|pass}');
SELECT pg_temp.expect('r5d.example', 'misconfigured', 'known', 'Microsoft 365 / Outlook', 'high', 'Microsoft 365 of the domain itself');
SELECT pg_temp.see('r5e.example', '{mandrillapp.com|x|pass}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.expect('r5e.example', 'misconfigured', 'known', 'Mailchimp Transactional (Mandrill)', 'high', 'forwarded on the way, but never right');
SELECT pg_temp.see('r6.example', '{mail.r6.example|k|pass}');
SELECT pg_temp.expect('r6.example', 'misconfigured', 'unaligned', 'own mail (mail.r6.example)', 'medium', 'the own name passes, alignment is strict');
SELECT pg_temp.see('r6b.example', '{r6b.example|k|pass}', header_from => 'news.r6b.example');
SELECT pg_temp.expect('r6b.example', 'misconfigured', 'unaligned', 'own mail (r6b.example)', 'medium', 'the policy domain signs for a sub-domain');
SELECT pg_temp.see('r6c.example', spf => '{bounce.r6c.example|mfrom|pass}');
SELECT pg_temp.expect('r6c.example', 'misconfigured', 'unaligned', 'own mail (bounce.r6c.example)', 'medium', 'the same by SPF');
SELECT pg_temp.see('r6d.example', '{mail.r6d.example|k|pass}', '{bounce.r6d.example|mfrom|pass}', header_from => 'lists.r6d.example');
SELECT pg_temp.expect('r6d.example', 'misconfigured', 'unaligned', 'own mail (mail.r6d.example)', 'medium', 'a name beside the From:, below the policy domain');
SELECT pg_temp.see('r6e.example', spf => '{r6e.example|mfrom|fail,mail.r6e.example|helo|pass}');
SELECT pg_temp.expect('r6e.example', 'misconfigured', 'unaligned', 'own mail (mail.r6e.example)', 'medium', 'HELO of the domain itself never aligns');
SELECT pg_temp.see('r6f.example', '{send.r6f.example|kl|pass}', '{send.r6f.example|mfrom|pass}', header_from => 'news.r6f.example');
SELECT pg_temp.expect('r6f.example', 'misconfigured', 'known', 'Klaviyo', 'medium', 'a selector counts in the signature of a name beside the From:, too');
SELECT pg_temp.see('r8g.example', '{mandrillapp.com|mte1|pass}', header_from => 'out.test');
SELECT pg_temp.expect('r8g.example', 'unknown', 'stranger', 'Mailchimp Transactional (Mandrill)', 'high', 'a known sender, and a From: outside of the policy domain');
SELECT pg_temp.see('r8h.example', '{r8h.example|a|pass}', header_from => 'example');
SELECT pg_temp.expect('r8h.example', 'unknown', 'stranger', 'own mail (r8h.example, From: outside)', 'medium', 'the same, signed by the domain itself');
SELECT pg_temp.see('r8a.example', '{evil.test|a|pass}', dkim_by => 'evil.test|a', header_from => 'evil.test');
SELECT pg_temp.expect('r8a.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'a From: outside of the policy domain, which aligns with itself');
SELECT pg_temp.see('r8b.example', '{evil.test|k1|pass}', '{evil.test|mfrom|pass}', 'evil.test|k1', 'evil.test', header_from => 'evil.test,r8b.example');
SELECT pg_temp.expect('r8b.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'two addresses in one From:, and the selector of a sender');
SELECT pg_temp.see('r8f.example', '{evil.test|a|fail}', '{gmail.com|mfrom|pass}', header_from => 'evil.test');
SELECT pg_temp.expect('r8f.example', 'unknown', 'stranger', 'Google Workspace / Gmail', 'medium', 'its own broken signature makes no forwarding of it');
SELECT pg_temp.see('r8c.example', '{evil.onmicrosoft.com|selector1|pass}', header_from => 'evil.r8c.example');
SELECT pg_temp.expect('r8c.example', 'unknown', 'stranger', 'Microsoft 365 / Outlook', 'high', 'an account like the sub-domain that a forger chose');
SELECT pg_temp.see('r8d.example', '{evil-com.20230601.gappssmtp.com|20230601|pass}', header_from => 'evil-com.r8d.example');
SELECT pg_temp.expect('r8d.example', 'unknown', 'stranger', 'Google Workspace / Gmail', 'high', 'the same at Google');
SELECT pg_temp.see('r8e.co.test', '{co.onmicrosoft.com|selector1|pass}');
SELECT pg_temp.expect('r8e.co.test', 'unknown', 'stranger', 'Microsoft 365 / Outlook', 'high', 'or like a later label of the domain');
SELECT pg_temp.see('r7.example', '{r7.example|a|fail}', '{srs.outlook.com|mfrom|pass}');
SELECT pg_temp.expect('r7.example', 'forwarded', 'relay', 'Microsoft 365 / Outlook', 'medium', 'a mailbox provider relays');
SELECT pg_temp.see('r7b.example', '{other-example.20230601.gappssmtp.com|20230601|pass,r7b.example|a|temperror}');
SELECT pg_temp.expect('r7b.example', 'forwarded', 'relay', 'Google Workspace / Gmail', 'high', 'somebody else''s Workspace relays');
SELECT pg_temp.see('r7c.example', '{news.r7c.example|a|none}', '{x.cloudflare-email.net|mfrom|pass}');
SELECT pg_temp.expect('r7c.example', 'forwarded', 'relay', 'Cloudflare Email Routing', 'medium', 'a forwarder relays');
SELECT pg_temp.see('r7d.example', '{r7d.example||fail}', '{lists.lsoft.com|mfrom|pass}');
SELECT pg_temp.expect('r7d.example', 'forwarded', 'relay', 'LISTSERV (L-Soft)', 'medium', 'a list host relays');
SELECT pg_temp.see('r7e.example', '{r7e.example|a|permerror}', '{eu.pphosted.com|helo|pass}');
SELECT pg_temp.expect('r7e.example', 'forwarded', 'relay', 'Proofpoint', 'low', 'a gateway relays');
-- Anybody can have an account there.
SELECT pg_temp.see('r7f.example', spf => '{gmail.com|mfrom|pass}');
SELECT pg_temp.expect('r7f.example', 'unknown', 'stranger', 'Google Workspace / Gmail', 'medium', 'a mailbox provider, and the domain did not sign');
SELECT pg_temp.see('r7g.example', '{evil.onmicrosoft.com|selector1|pass,otherr7g.example|a|fail}', '{r7g.example|mfrom|softfail}');
SELECT pg_temp.expect('r7g.example', 'unknown', 'stranger', 'Microsoft 365 / Outlook', 'high', 'somebody else''s account there, and a broken signature of another domain');
SELECT pg_temp.see('r7h.example', '{x.cloudflare-email.net|cf2024-1|pass}', reasons => '{forwarded}');
SELECT pg_temp.expect('r7h.example', 'forwarded', 'reason', 'Cloudflare Email Routing', 'high', 'unless the reporter says that it was forwarded');
SELECT pg_temp.see('r8.example', '{evil.test|s|pass}', '{evil.test|mfrom|pass}');
SELECT pg_temp.expect('r8.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'something passes that nobody knows');
SELECT pg_temp.see('r9.example', '{r9.example|s|fail}', '{r9.example|mfrom|fail}');
SELECT pg_temp.expect('r9.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'nothing passes');
SELECT pg_temp.see('r9b.example');
SELECT pg_temp.expect('r9b.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'no result at all');

-- Nobody chooses a name for himself.
SELECT pg_temp.see('n1.example', '{amazonses.com|x|fail,mandrillapp.com|x|permerror}', '{mcsv.net|mfrom|softfail,google.com|helo|neutral}');
SELECT pg_temp.expect('n1.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'a name that did not pass names nobody');
SELECT pg_temp.see('n2.example', '{evil.test|mte1|pass}');
SELECT pg_temp.expect('n2.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'a product''s selector in a stranger''s signature names nobody');
SELECT pg_temp.see('n3.example', '{n3.example|mte1|fail}');
SELECT pg_temp.expect('n3.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'nor in a signature of the domain that failed');
SELECT pg_temp.see('n4.example', '{amazonses.com.evil.test|x|pass}', '{mcsv.net.evil.test|mfrom|pass}');
SELECT pg_temp.expect('n4.example', 'unknown', 'stranger', 'amazonses.com.evil.test (not known)', 'medium', 'a name in front of one''s own is not the name');
SELECT pg_temp.see('n5.example', '{evilamazonses.com|x|pass}');
SELECT pg_temp.expect('n5.example', 'unknown', 'stranger', 'evilamazonses.com (not known)', 'medium', 'names end at the dot');
SELECT pg_temp.see('n6.example', ARRAY['own mail (selector ceo)|x|pass', E'\033[32mAmazon SES|x|pass', 'com|x|pass', '|x|pass'], ARRAY['Amazon SES|mfrom|pass', '..|mfrom|pass']);
SELECT pg_temp.expect('n6.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'what is no domain is never shown as a sender');
SELECT pg_temp.see('n7.example', '{notn7.example|s|pass}');
SELECT pg_temp.expect('n7.example', 'unknown', 'stranger', 'notn7.example (not known)', 'medium', 'a name that only ends alike is not the domain''s own');
SELECT pg_temp.see('n8.example', spf => ARRAY[repeat('a.', 126) || 'amazonses.com|mfrom|pass']);
SELECT pg_temp.expect('n8.example', 'unknown', 'nothing', 'nothing authenticates', 'none', 'a name that is too long is no name');
SELECT pg_temp.see('n9.example', '{n9.example.evil.test|mte1|pass}');
SELECT pg_temp.expect('n9.example', 'unknown', 'stranger', 'n9.example.evil.test (not known)', 'medium', 'the domain in front of a stranger''s name is a stranger');

-- Which of several names.
SELECT pg_temp.see('o1.example', '{amazonses.com|x|pass,o1.example|resend|pass}', '{eu-west-1.amazonses.com|mfrom|pass}', 'o1.example|resend');
SELECT pg_temp.expect('o1.example', 'authorised', 'dkim_aligned', 'Resend', 'medium', 'the product, not the carrier');
SELECT pg_temp.see('o2.example', '{o2.example|mte1|pass}', '{mail.mandrillapp.com|mfrom|pass}', 'o2.example|mte1');
SELECT pg_temp.expect('o2.example', 'authorised', 'dkim_aligned', 'Mailchimp Transactional (Mandrill)', 'medium', 'a selector of the product');
SELECT pg_temp.see('o3.example', '{o3.example|hs1-1234567|pass}', dkim_by => 'o3.example|hs1-1234567');
SELECT pg_temp.expect('o3.example', 'authorised', 'dkim_aligned', 'HubSpot', 'medium', 'a selector with numbers in it');
SELECT pg_temp.see('o4.example', spf => '{x.spf.em.secureserver.net|mfrom|pass}');
SELECT pg_temp.expect('o4.example', 'misconfigured', 'known', 'GoDaddy Email Marketing', 'medium', 'the longest pattern wins');
SELECT pg_temp.see('o5.example', spf => '{x.secureserver.net|mfrom|pass}');
SELECT pg_temp.expect('o5.example', 'misconfigured', 'known', 'GoDaddy', 'medium', '... and only where it matches');
SELECT pg_temp.see('o6.example', '{o6.example|key001|pass}', dkim_by => 'o6.example|key001');
SELECT pg_temp.expect('o6.example', 'authorised', 'dkim_aligned', 'SpinOffice CRM', 'medium', 'SpinOffice by its selector');
SELECT pg_temp.see('o7.example', '{o7.example|dkim|pass}', '{o7.example|mfrom|pass}', 'o7.example|dkim', 'o7.example');
SELECT pg_temp.expect('o7.example', 'authorised', 'spf_aligned', 'own mail (selector dkim)', 'high', 'a server of one''s own with a selector that many share');
SELECT pg_temp.see('o8.example', '{o8.example|s1|pass,sendgrid.net|smtpapi|pass}', '{em123.o8.example|mfrom|pass}', 'o8.example|s1', 'em123.o8.example');
SELECT pg_temp.expect('o8.example', 'authorised', 'spf_aligned', 'Twilio SendGrid', 'high', 'SendGrid by its second signature');
SELECT pg_temp.see('o9.example', '{ourshop.test|x|pass,amazonses.com|y|pass}');
SELECT pg_temp.expect('o9.example', 'misconfigured', 'known', 'Our shop', 'high', 'a user''s own rule wins');
SELECT pg_temp.see('o10.test', '{sibling.o10.test|mte2|pass}', dkim_by => 'sibling.o10.test|mte2', header_from => 'news.o10.test');
SELECT pg_temp.expect('o10.test', 'authorised', 'dkim_aligned', 'Mailchimp Transactional (Mandrill)', 'medium', 'a name beside it that aligned is the domain''s own');

-- The host of MAIL FROM names the sender that asks for it, where it is below the domain and passed.
SELECT pg_temp.see('h1.example', spf => '{em4711.h1.example|mfrom|pass}', spf_by => 'em4711.h1.example');
SELECT pg_temp.expect('h1.example', 'authorised', 'spf_aligned', 'own mail (spf em4711.h1.example)', 'high', 'a host that several senders ask for names none');
SELECT pg_temp.see('h1b.example', '{h1b.example|s1|pass}', '{em4711.h1b.example|mfrom|pass}', 'h1b.example|s1', 'em4711.h1b.example');
SELECT pg_temp.expect('h1b.example', 'authorised', 'spf_aligned', 'Twilio SendGrid', 'medium', '... but beside a selector that only one of them has');
SELECT pg_temp.see('h1c.example', '{h1c.example|s123456|pass}', '{em123456.h1c.example|mfrom|pass,e2i480.smtp2go.com|helo|pass}', 'h1c.example|s123456', 'em123456.h1c.example');
SELECT pg_temp.expect('h1c.example', 'authorised', 'spf_aligned', 'SMTP2GO', 'low', '... or beside HELO');
SELECT pg_temp.see('h1d.example', '{h1d.example|s1|fail}', '{em4711.h1d.example|mfrom|pass}', spf_by => 'em4711.h1d.example');
SELECT pg_temp.expect('h1d.example', 'authorised', 'spf_aligned', 'own mail (spf em4711.h1d.example)', 'high', '... which has to pass, too');
SELECT pg_temp.see('h7.example', '{cio123456.h7.example|krs|pass}', dkim_by => 'cio123456.h7.example|krs');
SELECT pg_temp.expect('h7.example', 'authorised', 'dkim_aligned', 'Customer.io', 'medium', 'a selector of the carrier on the product''s host is the product');
SELECT pg_temp.see('h8.example', spf => '{bounce12.h8.example|mfrom|pass}', spf_by => 'bounce12.h8.example');
SELECT pg_temp.expect('h8.example', 'authorised', 'spf_aligned', 'own mail (spf bounce12.h8.example)', 'high', 'a host with a number in it that nobody asks for');
SELECT pg_temp.see('h2.example', spf => '{eploymail.h2.example|mfrom|pass}');
SELECT pg_temp.expect('h2.example', 'misconfigured', 'known', 'Eploy', 'medium', 'below the domain, alignment is strict');
SELECT pg_temp.see('h3.example', spf => '{pm-bounces.mail.h3.example|mfrom|pass}', header_from => 'mail.h3.example', spf_by => 'pm-bounces.mail.h3.example');
SELECT pg_temp.expect('h3.example', 'authorised', 'spf_aligned', 'Postmark', 'medium', 'below a sub-domain');
SELECT pg_temp.see('h4.example', spf => '{pm-bounces.evil.test|mfrom|pass}');
SELECT pg_temp.expect('h4.example', 'unknown', 'stranger', 'pm-bounces.evil.test (not known)', 'medium', 'below another domain it says nothing');
SELECT pg_temp.see('h5.example', spf => '{pm-bounces.h5.example|mfrom|fail,pm-bounces.h5.example|helo|pass}');
SELECT pg_temp.expect('h5.example', 'misconfigured', 'unaligned', 'own mail (pm-bounces.h5.example)', 'medium', 'nor in HELO');
SELECT pg_temp.see('eploymail.example', spf => '{eploymail.example|mfrom|pass}', spf_by => 'eploymail.example');
SELECT pg_temp.expect('eploymail.example', 'authorised', 'spf_aligned', 'own mail (spf eploymail.example)', 'high', 'nor the domain itself');
SELECT pg_temp.see('h6.example', '{h6.example|s|pass}', '{fe-bounces.h6.example|mfrom|pass}', 'h6.example|s');
SELECT pg_temp.expect('h6.example', 'authorised', 'dkim_aligned', 'Forward Email', 'medium', 'a forwarder that the domain has set up sends for it');

-- The word of the owner.
SELECT pg_temp.see('a1.example', '{shop.test|s|pass}');
SELECT pg_temp.expect('a1.example', 'misconfigured', 'approved', 'shop.test (approved)', 'medium', 'a stranger that is approved');
SELECT pg_temp.see('a2.example', '{mail.shop.test|s|pass}', '{bounce.other.test|mfrom|pass}');
SELECT pg_temp.expect('a2.example', 'misconfigured', 'approved', 'shop.test (approved)', 'medium', 'with all that is below it');
SELECT pg_temp.see('a3.example', '{myshop.test|s|pass}');
SELECT pg_temp.expect('a3.example', 'unknown', 'stranger', 'myshop.test (not known)', 'medium', 'and nothing that only ends alike');
SELECT pg_temp.see('a4.example', '{bad.shop.test|s|pass}');
SELECT pg_temp.expect('a4.example', 'unknown', 'disowned', 'bad.shop.test (not known)', 'medium', 'a part of it that is disowned');
SELECT pg_temp.see('a5.example', spf => '{gmail.com|mfrom|pass}');
SELECT pg_temp.expect('a5.example', 'misconfigured', 'approved', 'Google Workspace / Gmail', 'medium', 'a mailbox provider that is approved');
SELECT pg_temp.see('a6.example', '{sendgrid.net|s|pass}');
SELECT pg_temp.expect('a6.example', 'unknown', 'disowned', 'Twilio SendGrid', 'high', 'a known sender that is disowned');
SELECT pg_temp.see('a7.example', '{a7.example|s1|pass,sendgrid.net|s|pass}', dkim_by => 'a7.example|s1');
SELECT pg_temp.expect('a7.example', 'authorised', 'dkim_aligned', 'Twilio SendGrid', 'high', 'what aligns passes, disowned or not');
SELECT pg_temp.see('a8.example', '{sendgrid.net|s|pass}', '{bounce.mcsv.net|mfrom|pass}');
SELECT pg_temp.expect('a8.example', 'misconfigured', 'known', 'Mailchimp', 'medium', 'of two, the one that is not disowned');
SELECT pg_temp.see('a9.example', '{sendgrid.net|s|pass,shop.test|s|pass}');
SELECT pg_temp.expect('a9.example', 'misconfigured', 'approved', 'shop.test (approved)', 'medium', 'a stranger that is approved comes before a sender that is only known');
SELECT pg_temp.see('a10.example', '{a10.example|s|fail}', '{gmail.com|mfrom|pass}');
SELECT pg_temp.expect('a10.example', 'forwarded', 'relay', 'Google Workspace / Gmail', 'medium', 'forwarding by a provider that is disowned is forwarding');
SELECT pg_temp.see('a11.example', '{shop.test|s|pass}');
SELECT pg_temp.expect('a11.example', 'unknown', 'stranger', 'shop.test (not known)', 'medium', 'the word is of one domain');
SELECT pg_temp.see('a12.example', '{a12-ltd.onmicrosoft.com|s|pass}');
SELECT pg_temp.expect('a12.example', 'misconfigured', 'approved', 'a12-ltd.onmicrosoft.com (approved)', 'medium', 'one account at a provider that is approved');
SELECT pg_temp.see('a13.example', '{forger.onmicrosoft.com|s|pass}');
SELECT pg_temp.expect('a13.example', 'unknown', 'stranger', 'Microsoft 365 / Outlook', 'high', '... and no other one');
SELECT pg_temp.see('a15.example', '{evil.onmicrosoft.com|s|pass}');
SELECT pg_temp.expect('a15.example', 'unknown', 'disowned', 'evil.onmicrosoft.com (not known)', 'medium', 'one that is disowned, at a provider that is approved');
SELECT pg_temp.see('a16.example', '{evil.onmicrosoft.com|s|pass,a16.example|s|fail}');
SELECT pg_temp.expect('a16.example', 'unknown', 'disowned', 'evil.onmicrosoft.com (not known)', 'medium', '... which relays nothing');
SELECT pg_temp.see('a17.example', '{good.onmicrosoft.com|s|pass}');
SELECT pg_temp.expect('a17.example', 'misconfigured', 'approved', 'good.onmicrosoft.com (approved)', 'medium', 'one that is approved, at a provider that is disowned');
SELECT pg_temp.see('a18.example', '{shop.test|s|pass}', header_from => 'out.test');
SELECT pg_temp.expect('a18.example', 'unknown', 'stranger', 'shop.test (not known)', 'medium', 'no word makes a From: outside of the domain its mail');
SELECT pg_temp.see('r8i.example', '{evil.test|a|pass}', reasons => '{forwarded}', header_from => 'evil.test');
SELECT pg_temp.expect('r8i.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'nor does what a reporter says');
SELECT pg_temp.see('h9.example', '{mkt7.h9.example|k1|pass}', '{mkt7.h9.example|mfrom|pass}', 'mkt7.h9.example|k1', 'mkt7.h9.example');
SELECT pg_temp.expect('h9.example', 'authorised', 'spf_aligned', 'Our shop', 'medium', 'a user''s rule of host and selector, the number in it told');
SELECT pg_temp.see('h10.example', '{mkt8.h10.example|k1|pass}', '{mkt8.h10.example|mfrom|pass}', 'mkt8.h10.example|k1', 'mkt8.h10.example');
SELECT pg_temp.expect('h10.example', 'authorised', 'spf_aligned', 'own mail (selector k1)', 'high', '... and no other number');
SELECT pg_temp.see('a14.example', '{a14.onmicrosoft.com|s|pass}');
SELECT pg_temp.expect('a14.example', 'unknown', 'disowned', 'a14.onmicrosoft.com (not known)', 'medium', 'one that is called like the domain, and disowned');
-- Somebody's account at a carrier: what else passed tells whose.
SELECT pg_temp.see('b1.example', '{evil.test|pic|pass,mailgun.org|mg|pass}', '{mg.evil.test|mfrom|pass}');
SELECT pg_temp.expect('b1.example', 'misconfigured', 'known', 'Mailgun', 'high', 'a carrier, for somebody of whom nothing was said');
SELECT pg_temp.see('b2.example', '{evil.test|pic|pass,mailgun.org|mg|pass}', '{mg.evil.test|mfrom|pass}');
SELECT pg_temp.expect('b2.example', 'unknown', 'disowned', 'evil.test (not known)', 'medium', '... who is disowned');
SELECT pg_temp.see('b3.example', '{mailgun.org|mg|pass}', '{mg.evil.test|mfrom|pass}');
SELECT pg_temp.expect('b3.example', 'unknown', 'disowned', 'mg.evil.test (not known)', 'medium', '... where the carrier is approved');
SELECT pg_temp.see('b4.example', '{mailgun.org|mg|pass}', '{mg.mailgun.org|mfrom|pass}');
SELECT pg_temp.expect('b4.example', 'misconfigured', 'approved', 'Mailgun', 'high', '... and an approved carrier without anybody beside it');
SELECT pg_temp.see('b5.example', '{mandrillapp.com|x|pass,evil.test|x|pass}');
SELECT pg_temp.expect('b5.example', 'misconfigured', 'known', 'Mailchimp Transactional (Mandrill)', 'high', 'what carries nothing for others is who sends, whoever passed it on');
SELECT pg_temp.see('b6.example', '{mailgun.org|mg|pass,shop.test|x|pass}');
SELECT pg_temp.expect('b6.example', 'misconfigured', 'approved', 'shop.test (approved)', 'medium', 'a carrier, for somebody who is approved');
SELECT pg_temp.see('b7.example', '{agency.test|x|pass}', '{evil.test|mfrom|pass}');
SELECT pg_temp.expect('b7.example', 'unknown', 'disowned', 'evil.test (not known)', 'medium', 'of two strangers the one that is disowned');
SELECT pg_temp.see('b8.example', '{b8.example|pic|pass,mailgun.org|mg|pass}', '{evil.test|mfrom|pass}', 'b8.example|pic');
SELECT pg_temp.expect('b8.example', 'authorised', 'dkim_aligned', 'Mailgun', 'high', 'what aligns passes, whoever passed it on');
INSERT INTO dmarc_store.approval (domain, sender, approved)
SELECT u.domain, v.sender, v.approved
FROM (VALUES ('a1 a2 a3 a4 a9', 'shop.test', true), ('a4', 'bad.shop.test', false), ('a5', 'google', true), ('a6 a7 a8', 'sendgrid', false),
             ('a10', 'google', false), ('a12 a13', 'a12-ltd.onmicrosoft.com', true), ('a14', 'a14.onmicrosoft.com', false),
             ('a15 a16', 'm365', true), ('a15 a16', 'evil.onmicrosoft.com', false), ('a17', 'm365', false), ('a17', 'good.onmicrosoft.com', true),
             ('a18 b6', 'shop.test', true), ('b2 b3 b5 b7 b8', 'evil.test', false), ('b3 b4', 'mailgun', true)) v (domains, sender, approved)
CROSS JOIN LATERAL (SELECT w || '.example' AS domain FROM regexp_split_to_table(v.domains, ' ') w) u;
INSERT INTO dmarc_store.sender (key, name, kind) VALUES ('ourshop', 'Our shop', 'own');
INSERT INTO dmarc_store.sender_rule (kind, pattern, sender) VALUES ('dkim_domain', 'ourshop.test', 'ourshop'), ('spf_host', 'mkt7/k1', 'ourshop');

-- Where names of the domain itself point to.
INSERT INTO dmarc_store.cname (name, targets, status, expires)
SELECT n, t::text[], 'found', now() FROM (VALUES
    ('x1._domainkey.c1.example', '{x1.domainkey.u1.wl.sendgrid.net}'), ('x1._domainkey.evil.test', '{x1.domainkey.u1.wl.sendgrid.net}'),
    ('bounce.c3.example', '{u1.wl.sendgrid.net}'), ('k._domainkey.c4.example', '{relay.agency.test,selector1-c4._domainkey.c4example.onmicrosoft.com}'),
    ('mte1._domainkey.c5.example', '{x.dkim.amazonses.com}'), ('krs._domainkey.c6.example', '{dkim2.mcsv.net}'), ('k._domainkey.c7.example', '{k.nowhere.test}'),
    ('k._domainkey.mail.c8.example', '{dkim2.mcsv.net}'), ('k._domainkey.c9.example', '{dkim2.mcsv.net}'),
    ('pdk1._domainkey.mailerf4q.c10.example', '{dkim3.b5c40c92.p719.email.myshopify.com,pdk1._domainkey.f5d8b.dkim1.eu.mgsend.org}'),
    ('x._domainkey.c11.example', '{selector1-c11-example._domainkey.contoso.n-v1.dkim.mail.microsoft}')) c (n, t);
SELECT pg_temp.see('c1.example', '{c1.example|X1|pass}', dkim_by => 'c1.example|X1');
SELECT pg_temp.expect('c1.example', 'authorised', 'dkim_aligned', 'Twilio SendGrid', 'high', 'the key of its signature is at a sender''s');
SELECT pg_temp.see('c2.example', '{evil.test|x1|pass,c2.example|x1|fail}');
SELECT pg_temp.expect('c2.example', 'unknown', 'stranger', 'evil.test (not known)', 'medium', 'nobody else''s key names anybody');
SELECT pg_temp.see('c3.example', spf => '{bounce.c3.example|mfrom|pass}', spf_by => 'bounce.c3.example');
SELECT pg_temp.expect('c3.example', 'authorised', 'spf_aligned', 'Twilio SendGrid', 'high', 'its return path is at a sender''s');
SELECT pg_temp.see('c3b.example', spf => '{bounce.c3b.example|helo|pass}');
SELECT pg_temp.expect('c3b.example', 'misconfigured', 'unaligned', 'own mail (bounce.c3b.example)', 'medium', 'HELO is no return path');
SELECT pg_temp.see('c4.example', '{c4.example|k|pass}', '{c4example.onmicrosoft.com|mfrom|pass}', 'c4.example|k');
SELECT pg_temp.expect('c4.example', 'authorised', 'dkim_aligned', 'Microsoft 365 / Outlook', 'high', 'behind a name of somebody else''s; who holds the key is no relay');
SELECT pg_temp.see('c5.example', '{c5.example|mte1|pass}', dkim_by => 'c5.example|mte1');
SELECT pg_temp.expect('c5.example', 'authorised', 'dkim_aligned', 'Mailchimp Transactional (Mandrill)', 'medium', 'a product before the carrier that holds its key');
SELECT pg_temp.see('c6.example', '{c6.example|krs|pass}', dkim_by => 'c6.example|krs');
SELECT pg_temp.expect('c6.example', 'authorised', 'dkim_aligned', 'Mailchimp', 'high', 'where a key is tells more than its selector');
SELECT pg_temp.see('c7.example', '{c7.example|k|pass}', dkim_by => 'c7.example|k');
SELECT pg_temp.expect('c7.example', 'authorised', 'dkim_aligned', 'own mail (selector k)', 'high', 'a CNAME to nobody that is known');
SELECT pg_temp.see('c8.example', '{mail.c8.example|k|pass}');
SELECT pg_temp.expect('c8.example', 'misconfigured', 'known', 'Mailchimp', 'high', 'a key that does not align: alignment is strict');
SELECT pg_temp.see('c9.example', '{c9.example|k|pass}', '{gmail.com|mfrom|pass}', 'c9.example|k');
SELECT pg_temp.expect('c9.example', 'forwarded', 'survived', 'Google Workspace / Gmail', 'medium', 'a signature with a sender''s key survived a mailbox provider');
SELECT pg_temp.see('c10.example', '{mailerf4q.c10.example|pdk1|pass}', '{mailerf4q.c10.example|mfrom|pass}', 'mailerf4q.c10.example|pdk1', 'mailerf4q.c10.example');
SELECT pg_temp.expect('c10.example', 'authorised', 'spf_aligned', 'Shopify', 'high', 'a product holds the key, and a carrier''s holds it for the product');
SELECT pg_temp.see('c11.example', '{c11.example|x|pass}', '{c11.example|mfrom|fail}', 'c11.example|x');
SELECT pg_temp.expect('c11.example', 'authorised', 'dkim_aligned', 'Microsoft 365 / Outlook', 'high', 'a tenant''s key, in the form of today');
-- HELO is what any machine on the way may be called.
SELECT pg_temp.see('e1.example', '{sendgrid.net|a|pass}', '{box1.bluehost.com|helo|pass}');
SELECT pg_temp.expect('e1.example', 'misconfigured', 'known', 'Twilio SendGrid', 'high', 'a carrier''s signature before a product''s HELO');
SELECT pg_temp.see('e2.example', '{e2.onmicrosoft.com|a|pass}', '{box1.bluehost.com|helo|pass}');
SELECT pg_temp.expect('e2.example', 'misconfigured', 'known', 'Microsoft 365 / Outlook', 'high', 'a provider''s signature before a product''s HELO');
SELECT pg_temp.see('bank-example.com', '{bank-example.20230601.gappssmtp.com|a|pass}');
SELECT pg_temp.expect('bank-example.com', 'unknown', 'stranger', 'Google Workspace / Gmail', 'high', 'Google writes the whole domain: that is bank.example');
SELECT pg_temp.sum_up();
\o

SELECT is((SELECT c.class || ' / ' || c.rule || ' / ' || c.sender || ' / ' || c.confidence FROM dmarc.classification c WHERE c.domain = w.domain),
          w.class || ' / ' || w.rule || ' / ' || w.sender || ' / ' || w.confidence, w.domain || ': ' || w.what)
FROM wanted w ORDER BY w.domain COLLATE "C";

-- The evidence that a name rests on, and the advice.
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'r5.example'), 'dkim d=amazonses.com, passed', 'evidence: the signature');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'o2.example'), 'dkim d=o2.example s=mte1, passed', 'evidence: the selector');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'r5b.example'), 'spf mail12.atl.mcsv.net, passed', 'evidence: MAIL FROM');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'r7e.example'), 'spf eu.pphosted.com (helo), passed', 'evidence: HELO');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'r2.example'),
          'dkim d=r2.example s=s2026, passed; reporter says: forwarded', 'evidence: the reporter''s reason');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'r9.example'), 'nothing passed', 'evidence: none');
SELECT matches((SELECT advice FROM dmarc.classification WHERE domain = 'r5e.example'), 'mte1[.]_domainkey[.]r5e[.]example -> dkim1[.]mandrillapp[.]com',
               'advice names the records of the domain');
SELECT is((SELECT advice FROM dmarc.classification WHERE domain = 'r6.example'), 'alignment is strict: sign with d=r6.example exactly, or publish adkim=r', 'advice for strict alignment');
SELECT is((SELECT advice FROM dmarc.classification WHERE domain = 'r6c.example'), 'alignment is strict: sign with d=r6c.example exactly, or publish aspf=r', '... of SPF');
SELECT matches((SELECT advice FROM dmarc.classification WHERE domain = 'h2.example'), '^alignment is strict.*publish aspf=r; to sign: .*_domainkey[.]h2[.]example', '... of a known sender, with the records that it takes to sign');
SELECT matches((SELECT advice FROM dmarc.classification WHERE domain = 'b1.example'), '^add b1[.]example .*; but if evil[.]test sends it, whose name passed, too: let that sign with DKIM as b1[.]example, or disown evil[.]test$',
               'advice tells whose account at a carrier it may be');
SELECT unalike((SELECT advice FROM dmarc.classification WHERE domain = 'b4.example'), '%disown%', '... where somebody passed beside it');
SELECT unalike((SELECT advice FROM dmarc.classification WHERE domain = 'b5.example'), '%disown%', '... and it is a carrier');
SELECT matches((SELECT advice FROM dmarc.classification WHERE domain = 'c8.example'), '^alignment is strict', '... also for a sender that has all its records');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'c1.example'), 'dkim d=c1.example s=X1, passed; its key is at x1.domainkey.u1.wl.sendgrid.net', 'evidence: where a key is');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'c3.example'), 'spf bounce.c3.example, passed; a CNAME of u1.wl.sendgrid.net', 'evidence: where a return path points to');
SELECT matches((SELECT advice FROM dmarc.classification WHERE domain = 'r6e.example'), '^HELO alone passed', 'advice where HELO alone passed');
SELECT is((SELECT evidence_said FROM dmarc.classification WHERE domain = 'h1b.example'), 'spf em4711.h1b.example and dkim d=h1b.example s=s1, passed', 'evidence: host and selector');
SELECT is((SELECT advice FROM dmarc.classification WHERE domain = 'a2.example'), 'let it sign with DKIM as a2.example, or send with a MAIL FROM below a2.example', 'advice for a stranger that is approved');
SELECT is((SELECT advice FROM dmarc.classification WHERE domain = 'o9.example'), 'set it up to sign with DKIM as o9.example', 'advice for a sender without any');
SELECT is_empty($$ SELECT domain FROM dmarc.classification WHERE (class = 'misconfigured') <> (advice IS NOT NULL) $$,
                'advice for all that are misconfigured, and never to add a forwarder or a stranger');
SELECT is_empty($$ SELECT domain FROM dmarc.classification WHERE known <> (sender_key IS NOT NULL) OR NOT known AND sender !~ '^(own mail|nothing|.*[(](not known|approved)[)]$)' $$,
                'what is not in the catalogue is marked');
SELECT is((SELECT count(*)::int FROM dmarc.classification), (SELECT count(*)::int FROM dmarc_store.evidence), 'each piece of evidence has one class');
SELECT is_empty($$ SELECT domain FROM dmarc.classification WHERE class IS NULL OR rule IS NULL OR sender IS NULL OR confidence IS NULL OR evidence_said IS NULL OR known IS NULL $$,
                'nothing is left open');

SELECT finish();
ROLLBACK;
