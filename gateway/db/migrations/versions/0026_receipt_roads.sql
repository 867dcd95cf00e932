-- The operator's, not tenants': an account's queues, and the access keys of its Firehose streams.

CREATE TABLE receipt_queues (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    url TEXT NOT NULL,
    signed_only BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_receipt_queues PRIMARY KEY (id),
    CONSTRAINT uq_receipt_queues_url UNIQUE (url),
    CONSTRAINT fk_receipt_queues_account_id FOREIGN KEY (account_id) REFERENCES aws_accounts (id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON receipt_queues TO tollgate_worker;

CREATE TABLE firehose_keys (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    secret_hash BYTEA NOT NULL,
    hint TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_firehose_keys PRIMARY KEY (id),
    CONSTRAINT fk_firehose_keys_account_id FOREIGN KEY (account_id) REFERENCES aws_accounts (id)
);
GRANT SELECT, INSERT, UPDATE ON firehose_keys TO tollgate_worker;
GRANT SELECT (id, secret_hash, revoked_at) ON firehose_keys TO tollgate_ingest;

-- What AWS says it sent and charged for, beside what was held for it.

ALTER TABLE messages ADD COLUMN provider_parts SMALLINT;
ALTER TABLE messages ADD COLUMN provider_encoding TEXT;

-- What the operator looks at, by why it is there.

CREATE INDEX ix_parked_receipts_reason ON parked_receipts (reason, received_at);
