-- Provisioning runs with their steps as they happen, for who watches.

CREATE TABLE provision_runs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL,
    steps JSONB DEFAULT '[]' NOT NULL,
    detail TEXT,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_provision_runs PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_provision_runs_state CHECK (state IN ('running', 'done', 'refused', 'failed', 'interrupted'))
);
SELECT tollgate_fence('provision_runs');
GRANT SELECT, INSERT, UPDATE ON provision_runs TO tollgate_worker;
