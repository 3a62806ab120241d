-- Nothing that is stored has another form.
INSERT INTO dmarc_store.mailbox (mailbox, uidvalidity, uid) VALUES ('INBOX', 1, 1);
-- then
SELECT count(*) FROM dmarc_store.mailbox;
--= 1
