-- The tenant in whose own AWS account an event was published, whom alone it may concern; NULL for the operator's.

ALTER TABLE parked_receipts ADD COLUMN owner_id UUID;
GRANT SELECT (account_id) ON firehose_keys TO tollgate_ingest;
