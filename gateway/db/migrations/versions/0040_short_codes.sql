-- A tenant's application for a short code in a country, and the stage it is in.

CREATE TABLE short_codes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    country TEXT NOT NULL,
    name TEXT NOT NULL,
    stage TEXT DEFAULT 'requested' NOT NULL,
    stage_since TIMESTAMP WITH TIME ZONE NOT NULL,
    answers JSONB DEFAULT '{}' NOT NULL,
    history JSONB DEFAULT '[]' NOT NULL,
    support_case TEXT,
    code TEXT,
    billing_started_at TIMESTAMP WITH TIME ZONE,
    stale_told_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_short_codes PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_short_codes_stage CHECK (stage IN ('requested', 'form_received', 'form_filled', 'completeness_check', 'submitted', 'registrar_review', 'vetting', 'carrier_review', 'number_confirmed', 'carriers_provisioning', 'reported_active', 'active'))
);
SELECT tollgate_fence('short_codes');
GRANT SELECT ON short_codes TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON short_codes TO tollgate_worker;
