-- How far a mailbox was read, and months that the function of before made.
INSERT INTO mailbox (mailbox, uidvalidity, uid, read_at) VALUES ('imaps://u@mx/INBOX', 4294967295, 17, '2026-09-11 08:00Z');
SELECT ensure_month(current_date);
SELECT ensure_month('2001-02-03');

-- then

-- the mailbox goes on from there
SELECT mailbox, uidvalidity, uid FROM dmarc.mailbox;
--= imaps://u@mx/INBOX|4294967295|17

-- the month is there, and is not made twice
SELECT count(*) FROM pg_inherits WHERE inhparent = 'dmarc_store.report'::regclass;
--= 2
SELECT dmarc_store.make_month(current_date, 'report'), dmarc_store.make_month(current_date, 'domain_day');
--= f|t
