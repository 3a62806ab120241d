-- They have more columns now.
DROP FUNCTION IF EXISTS dmarc.senders(text, date, date, boolean), dmarc.senders_new(text, date, date, boolean),
    dmarc.summary(text, date, date, boolean);
