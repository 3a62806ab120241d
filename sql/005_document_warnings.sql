-- What was mended on the way to a document, and what its packing pretended to be.

ALTER TABLE dmarc.document ADD COLUMN warnings text[];

-- Few, and asked for by report.
CREATE INDEX document_warned_ix ON dmarc.document (domain, day, report) WHERE warnings IS NOT NULL AND report IS NOT NULL;
