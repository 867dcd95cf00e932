-- Holds of pumping.lua, kept so that a Redis that lost them gets them back; they end by themselves.

CREATE TABLE pumping_holds (
    tenant_id UUID NOT NULL,
    workflow TEXT NOT NULL,
    prefix TEXT NOT NULL,
    rule TEXT NOT NULL,
    country TEXT NOT NULL,
    enforced BOOLEAN NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pumping_holds PRIMARY KEY (tenant_id, workflow, prefix),
    CONSTRAINT ck_pumping_holds_rule CHECK (rule IN ('sequence', 'prefix', 'few_prefixes'))
);
CREATE INDEX ix_pumping_holds_until ON pumping_holds (until);
SELECT tollgate_fence('pumping_holds');
GRANT SELECT, DELETE ON pumping_holds TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON pumping_holds TO tollgate_worker;

-- What is unusual about a tenant's traffic to a country; admission watches it more closely.

CREATE TABLE pumping_suspicions (
    tenant_id UUID NOT NULL,
    country TEXT NOT NULL,
    reasons TEXT[] NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pumping_suspicions PRIMARY KEY (tenant_id, country)
);
SELECT tollgate_fence('pumping_suspicions');
SELECT tollgate_watch('pumping_suspicions');
GRANT SELECT ON pumping_suspicions TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON pumping_suspicions TO tollgate_worker;

CREATE INDEX ix_messages_feedback_given ON messages (created_at) WHERE feedback IN ('received', 'failed');
