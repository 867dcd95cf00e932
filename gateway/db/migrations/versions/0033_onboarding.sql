-- What a tenant answers on its way to the first live message; the steps are computed.

CREATE TABLE onboardings (
    tenant_id UUID NOT NULL,
    answers_sealed BYTEA,
    version INTEGER DEFAULT 0 NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    approved_at TIMESTAMP WITH TIME ZONE,
    sent_back TEXT,
    decided TEXT,
    live_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_onboardings PRIMARY KEY (tenant_id)
);
SELECT tollgate_fence('onboardings');
GRANT SELECT, INSERT, UPDATE ON onboardings TO tollgate_app, tollgate_worker;
