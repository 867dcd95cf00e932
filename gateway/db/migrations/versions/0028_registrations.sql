-- Forms are AWS's and the same for every tenant; what is filled in is the tenant's, and the gateway's workers
-- carry it to AWS. History is added to and never changed.

CREATE TABLE registration_forms (
    type TEXT NOT NULL,
    definition JSONB NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_registration_forms PRIMARY KEY (type)
);
GRANT SELECT, INSERT, UPDATE ON registration_forms TO tollgate_worker;

CREATE TABLE registrations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    reference TEXT,
    status TEXT DEFAULT 'draft' NOT NULL,
    goal TEXT DEFAULT 'review' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    account_id UUID,
    aws_id TEXT,
    aws_arn TEXT,
    aws_status TEXT,
    parent_id UUID,
    number_terms JSONB DEFAULT '{}' NOT NULL,
    number_id TEXT,
    number_arn TEXT,
    number TEXT,
    number_price TEXT,
    associated JSONB DEFAULT '[]' NOT NULL,
    cost_confirmed_at TIMESTAMP WITH TIME ZONE,
    cost_confirmed_by TEXT,
    begun TEXT,
    fault JSONB,
    tries INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    submitted_at TIMESTAMP WITH TIME ZONE,
    stale_told_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_registrations PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_registrations_tenant_id FOREIGN KEY (tenant_id, parent_id) REFERENCES registrations (tenant_id, id),
    CONSTRAINT ck_registrations_status CHECK (status IN ('draft', 'preparing', 'ready', 'submitting', 'submitted', 'aws_reviewing', 'reviewing', 'requires_authentication', 'provisioning', 'complete', 'requires_updates', 'closed', 'deleted')),
    CONSTRAINT ck_registrations_goal CHECK (goal IN ('review', 'submit'))
);
CREATE UNIQUE INDEX ix_registrations_reference ON registrations (tenant_id, reference);
CREATE INDEX ix_registrations_due_at ON registrations (due_at) WHERE due_at IS NOT NULL;
SELECT tollgate_fence('registrations');
GRANT SELECT, INSERT, UPDATE ON registrations TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON registrations TO tollgate_worker;

CREATE TABLE registration_versions (
    tenant_id UUID NOT NULL,
    registration_id UUID NOT NULL,
    version INTEGER NOT NULL,
    status TEXT DEFAULT 'draft' NOT NULL,
    aws_version INTEGER,
    filled JSONB DEFAULT '{}' NOT NULL,
    put JSONB DEFAULT '{}' NOT NULL,
    denials JSONB DEFAULT '[]' NOT NULL,
    feedback TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_registration_versions PRIMARY KEY (tenant_id, registration_id, version),
    CONSTRAINT fk_registration_versions_tenant_id FOREIGN KEY (tenant_id, registration_id) REFERENCES registrations (tenant_id, id)
);
SELECT tollgate_fence('registration_versions');
GRANT SELECT, INSERT, UPDATE ON registration_versions TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON registration_versions TO tollgate_worker;

CREATE TABLE registration_moves (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    registration_id UUID NOT NULL,
    version INTEGER NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    by TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_registration_moves PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_registration_moves_registration_id ON registration_moves (tenant_id, registration_id);
SELECT tollgate_fence('registration_moves');
GRANT SELECT, INSERT ON registration_moves TO tollgate_app;
GRANT SELECT, INSERT ON registration_moves TO tollgate_worker;

CREATE TABLE registration_attachments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BYTEA NOT NULL,
    content BYTEA NOT NULL,
    aws_ids JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_registration_attachments PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_registration_attachments_sha256 ON registration_attachments (tenant_id, sha256);
SELECT tollgate_fence('registration_attachments');
GRANT SELECT, INSERT ON registration_attachments TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON registration_attachments TO tollgate_worker;
