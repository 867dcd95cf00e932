-- What waits for a person at the operator's. The nil UUID owns what concerns no single tenant.

CREATE TABLE inbox_items (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    summary TEXT NOT NULL,
    detail JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by TEXT,
    note TEXT,
    CONSTRAINT pk_inbox_items PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX uq_inbox_items_open ON inbox_items (tenant_id, kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX ix_inbox_items_id ON inbox_items (id);
SELECT tollgate_fence('inbox_items');

-- A tenant's own doings may post and settle, and never read: the inbox is the operator's.
GRANT INSERT ON inbox_items TO tollgate_app, tollgate_ingest;
GRANT SELECT (tenant_id, kind, subject, resolved_at) ON inbox_items TO tollgate_app, tollgate_ingest;
GRANT UPDATE (resolved_at, resolved_by, note) ON inbox_items TO tollgate_app, tollgate_ingest;
GRANT SELECT, INSERT, UPDATE ON inbox_items TO tollgate_worker;
