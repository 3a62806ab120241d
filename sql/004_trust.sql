-- Who brought a report, and reports that a better copy took the place of.

ALTER TABLE dmarc.message ADD COLUMN auth_result text;
ALTER TABLE dmarc.message ADD COLUMN auth_domain text COLLATE "C";
ALTER TABLE dmarc.message ADD CONSTRAINT message_auth_ck CHECK (auth_result IN ('pass', 'fail', 'none'));

ALTER TABLE dmarc.report ADD COLUMN trusted boolean;
ALTER TABLE dmarc.report ADD COLUMN foreign_domain boolean NOT NULL DEFAULT false;
ALTER TABLE dmarc.report ADD COLUMN replaced boolean NOT NULL DEFAULT false;

-- Few, and asked for by whoever leaves them out.
CREATE INDEX report_untrusted_ix ON dmarc.report (domain, day, id) WHERE trusted IS FALSE OR foreign_domain;
