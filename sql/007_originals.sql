-- The mails themselves, so that they can be read again by a program that has learned something.

CREATE TABLE dmarc.original (
    mail_sha256 bytea NOT NULL,
    size        bigint NOT NULL,
    data        bytea NOT NULL,
    kept_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT original_pk PRIMARY KEY (mail_sha256)
);
-- It is packed already.
ALTER TABLE dmarc.original ALTER COLUMN data SET STORAGE EXTERNAL;

ALTER TABLE dmarc.message ADD COLUMN original text;
ALTER TABLE dmarc.message ADD CONSTRAINT message_original_ck CHECK (original IN ('kept', 'private', 'too_large'));

-- What was known of a mail before it was read again.
ALTER TABLE dmarc.message ADD COLUMN reread_at timestamptz;
CREATE TABLE dmarc.reading (
    mail_sha256 bytea NOT NULL,
    message     bigint NOT NULL,
    ordinal     int NOT NULL,
    read_until  timestamptz NOT NULL DEFAULT now(),
    command     text NOT NULL,
    outcome     text NOT NULL,
    problems    text[],
    CONSTRAINT reading_pk PRIMARY KEY (mail_sha256, message, ordinal),
    CONSTRAINT reading_command_ck CHECK (command IN ('retry', 'reparse')),
    CONSTRAINT reading_outcome_ck CHECK (outcome IN ('stored', 'duplicate', 'no_report', 'problem'))
);
