-- Nothing was pruned before.
INSERT INTO dmarc_store.mailbox (mailbox, uidvalidity, uid) VALUES ('INBOX', 1, 1);
-- then
SELECT count(*) FROM dmarc_store.pruning;
--= 0
SELECT count(*) FROM dmarc_store.mailbox;
--= 1
