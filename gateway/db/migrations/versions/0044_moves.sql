-- A tenant's move from another provider: what it sent there, its senders, and the share that comes from here.

CREATE TABLE moves (
    tenant_id UUID NOT NULL,
    provider TEXT DEFAULT '' NOT NULL,
    volumes JSONB DEFAULT '{}' NOT NULL,
    numbers JSONB DEFAULT '{}' NOT NULL,
    shares JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_moves PRIMARY KEY (tenant_id)
);
SELECT tollgate_fence('moves');
GRANT SELECT ON moves TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON moves TO tollgate_worker;
