-- Keys of the ledger in the order in which mails come. Hashes are spread over all of an index, so that each mail touched a page of
-- its own in three of them, and with many mails stored none of these was in memory. Now one goes by the hash.
ALTER TABLE dmarc_store.message DROP CONSTRAINT message_pk;
ALTER TABLE dmarc_store.message ADD CONSTRAINT message_pk PRIMARY KEY (id, sha256);
ALTER TABLE dmarc_store.document DROP CONSTRAINT document_pk;
ALTER TABLE dmarc_store.document ADD CONSTRAINT document_pk PRIMARY KEY (message, mail_sha256, ordinal);

-- Of all mails now, not only of those whose source tells them apart: mails are looked up by it, too.
DROP INDEX dmarc_store.message_source_uq;
CREATE UNIQUE INDEX message_source_uq ON dmarc_store.message (sha256, identity, (CASE WHEN identity THEN hashtextextended(source, 0) ELSE id END));
