-- 10DLC campaigns: their ceiling is shared by all of their numbers.

CREATE TABLE campaigns (
    tenant_id UUID NOT NULL,
    campaign_id TEXT NOT NULL,
    brand_id TEXT NOT NULL,
    vetting_score INTEGER,
    use_case TEXT NOT NULL,
    parts_per_second DOUBLE PRECISION,
    parts_per_day INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_campaigns PRIMARY KEY (tenant_id, campaign_id),
    CONSTRAINT ck_campaigns_vetting_score CHECK (vetting_score BETWEEN 0 AND 100),
    CONSTRAINT ck_campaigns_parts_per_second CHECK (parts_per_second > 0),
    CONSTRAINT ck_campaigns_parts_per_day CHECK (parts_per_day > 0)
);
SELECT tollgate_fence('campaigns');
SELECT tollgate_watch('campaigns');
GRANT SELECT ON campaigns TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON campaigns TO tollgate_worker;

-- What differs from the facts for one sender.

CREATE TABLE sender_quotas (
    tenant_id UUID NOT NULL,
    sender_id UUID NOT NULL,
    campaign_id TEXT,
    parts_per_second DOUBLE PRECISION,
    country_parts_per_second JSONB DEFAULT '{}' NOT NULL,
    parts_per_day INTEGER,
    CONSTRAINT pk_sender_quotas PRIMARY KEY (tenant_id, sender_id),
    CONSTRAINT ck_sender_quotas_parts_per_second CHECK (parts_per_second > 0),
    CONSTRAINT ck_sender_quotas_parts_per_day CHECK (parts_per_day > 0),
    CONSTRAINT fk_sender_quotas_tenant_id_senders FOREIGN KEY(tenant_id, sender_id) REFERENCES senders (tenant_id, id),
    CONSTRAINT fk_sender_quotas_tenant_id_campaigns FOREIGN KEY(tenant_id, campaign_id) REFERENCES campaigns (tenant_id, campaign_id)
);
SELECT tollgate_fence('sender_quotas');
SELECT tollgate_watch('sender_quotas');
GRANT SELECT ON sender_quotas TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON sender_quotas TO tollgate_worker;

-- Increases that were asked for at AWS; the quota changes when one is approved.

CREATE TABLE mps_increases (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    sender_id UUID NOT NULL,
    country TEXT,
    requested_parts_per_second DOUBLE PRECISION NOT NULL,
    granted_parts_per_second DOUBLE PRECISION,
    state TEXT DEFAULT 'requested' NOT NULL,
    case_id TEXT,
    note TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mps_increases PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_mps_increases_state CHECK (state IN ('requested', 'approved', 'denied')),
    CONSTRAINT ck_mps_increases_requested_parts_per_second CHECK (requested_parts_per_second > 0),
    CONSTRAINT fk_mps_increases_tenant_id_senders FOREIGN KEY(tenant_id, sender_id) REFERENCES senders (tenant_id, id)
);
SELECT tollgate_fence('mps_increases');
GRANT SELECT ON mps_increases TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON mps_increases TO tollgate_worker;
