-- Platforms that hand in their customers' data by signed posts, and which tenants those became.

CREATE TABLE intakes (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    model INTEGER NOT NULL,
    secret_sealed BYTEA NOT NULL,
    previous_sealed BYTEA,
    previous_until TIMESTAMP WITH TIME ZONE,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_intakes PRIMARY KEY (id),
    CONSTRAINT uq_intakes_name UNIQUE (name),
    CONSTRAINT ck_intakes_model CHECK (model BETWEEN 1 AND 6)
);
GRANT SELECT, INSERT, UPDATE ON intakes TO tollgate_worker;

CREATE TABLE intake_customers (
    tenant_id UUID NOT NULL,
    intake_id UUID NOT NULL,
    reference TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_intake_customers PRIMARY KEY (tenant_id),
    CONSTRAINT uq_intake_customers_intake_id_reference UNIQUE (intake_id, reference)
);
SELECT tollgate_fence('intake_customers');
GRANT SELECT, INSERT ON intake_customers TO tollgate_worker;
