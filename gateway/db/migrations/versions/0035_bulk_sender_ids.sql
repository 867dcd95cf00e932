-- One row for each country in which a tenant's sender id was asked for, and what AWS said.

CREATE TABLE bulk_sender_ids (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    value TEXT NOT NULL,
    country TEXT NOT NULL,
    message_types TEXT[] NOT NULL,
    state TEXT NOT NULL,
    arn TEXT,
    monthly_usd TEXT,
    code TEXT,
    detail TEXT,
    tries INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_bulk_sender_ids PRIMARY KEY (tenant_id, account_id, value, country),
    CONSTRAINT ck_bulk_sender_ids_state CHECK (state IN ('waiting', 'created', 'adopted', 'registration_required', 'failed'))
);
CREATE INDEX ix_bulk_sender_ids_due_at ON bulk_sender_ids (due_at) WHERE due_at IS NOT NULL;
SELECT tollgate_fence('bulk_sender_ids');
GRANT SELECT, INSERT, UPDATE ON bulk_sender_ids TO tollgate_worker;
