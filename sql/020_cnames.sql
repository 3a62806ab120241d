-- Where the domains' own keys and return paths point to: the owner of a domain lets a sender sign and send in its name by a CNAME.

CREATE TABLE dmarc_store.cname (
    name    text COLLATE "C" NOT NULL,
    targets text[] COLLATE "C" NOT NULL,
    status  text NOT NULL,
    expires timestamptz NOT NULL,
    CONSTRAINT cname_pk PRIMARY KEY (name),
    CONSTRAINT cname_status_ck CHECK (status IN ('found', 'none', 'failed'))
);
