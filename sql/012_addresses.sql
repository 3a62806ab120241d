-- What is known of addresses apart from reports: their confirmed reverse names, and the networks that they are in.

CREATE TABLE dmarc_store.address (
    source_ip    inet NOT NULL,
    name         text COLLATE "C",
    name_status  text,
    name_expires timestamptz,
    network      cidr,
    country      text,
    as_number    bigint,
    as_name      text,
    network_at   timestamptz,
    CONSTRAINT address_pk PRIMARY KEY (source_ip),
    CONSTRAINT address_status_ck CHECK (name_status IN ('confirmed', 'unconfirmed', 'none', 'failed'))
);

-- It has more columns now.
DROP FUNCTION IF EXISTS dmarc.sources(text, date, date, boolean);
