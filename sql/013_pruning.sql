-- Up to which day reports were taken away: a document may name a report that is gone when it lies before that, and who
-- reads such a report again is told.

CREATE TABLE dmarc_store.pruning (
    before      date NOT NULL,
    pruned_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pruning_pk PRIMARY KEY (before)
);
