-- Who of a tenant may use the console. Read and written by the worker's role alone: it is what proves a tenant.

CREATE TABLE console_invitations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email_sealed BYTEA NOT NULL,
    email_hash BYTEA NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_console_invitations PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_console_invitations_tenant_id_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    CONSTRAINT uq_console_invitations_token_hash UNIQUE (token_hash)
);
SELECT tollgate_fence('console_invitations');
GRANT SELECT, INSERT, UPDATE ON console_invitations TO tollgate_worker;

CREATE TABLE console_people (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    email_sealed BYTEA NOT NULL,
    email_hash BYTEA NOT NULL,
    password_hash TEXT NOT NULL,
    totp_sealed BYTEA NOT NULL,
    totp_step BIGINT DEFAULT '0' NOT NULL,
    recovery_hashes TEXT[] DEFAULT '{}' NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_console_people PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_console_people_tenant_id_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    CONSTRAINT uq_console_people_email_hash UNIQUE (email_hash)
);
SELECT tollgate_fence('console_people');
GRANT SELECT, INSERT, UPDATE ON console_people TO tollgate_worker;

CREATE TABLE console_sessions (
    token_hash BYTEA NOT NULL,
    tenant_id UUID,
    person_id UUID,
    stage TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_console_sessions PRIMARY KEY (token_hash),
    CONSTRAINT fk_console_sessions_tenant_id_console_people FOREIGN KEY(tenant_id, person_id) REFERENCES console_people (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_console_sessions_stage CHECK (stage IN ('enrolling', 'second_factor', 'open')),
    CONSTRAINT ck_console_sessions_owner CHECK ((tenant_id IS NULL) = (person_id IS NULL))
);
SELECT tollgate_fence('console_sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON console_sessions TO tollgate_worker;

CREATE TABLE login_brakes (
    key BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_login_brakes PRIMARY KEY (key)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON login_brakes TO tollgate_worker;
