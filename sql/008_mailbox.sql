-- How far mailboxes were read whose mails are left in them.

CREATE TABLE dmarc.mailbox (
    mailbox     text COLLATE "C" NOT NULL,
    uidvalidity bigint NOT NULL,
    uid         bigint NOT NULL,
    read_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mailbox_pk PRIMARY KEY (mailbox),
    CONSTRAINT mailbox_uidvalidity_ck CHECK (uidvalidity BETWEEN 1 AND 4294967295),
    CONSTRAINT mailbox_uid_ck CHECK (uid BETWEEN 0 AND 4294967295)
);
