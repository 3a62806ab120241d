-- What was mended on the way to a document, and what its packing pretended to be.

ALTER TABLE dmarc.document ADD COLUMN warnings text[];
