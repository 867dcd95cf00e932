-- Consents: the words, every event for good, where each person stands, and texts still to be sent.

CREATE TABLE consent_texts (
    tenant_id UUID NOT NULL,
    text_hash BYTEA NOT NULL,
    text TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_consent_texts PRIMARY KEY (tenant_id, text_hash)
);
SELECT tollgate_fence('consent_texts');
GRANT SELECT, INSERT ON consent_texts TO tollgate_app, tollgate_worker;

CREATE TABLE consent_records (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    test BOOLEAN NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    use_case TEXT NOT NULL,
    message_type TEXT NOT NULL,
    event TEXT NOT NULL,
    method TEXT NOT NULL,
    text_hash BYTEA,
    proof_sealed BYTEA,
    actor TEXT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_consent_records PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_consent_records_event CHECK (event IN ('asked', 'granted', 'confirmed', 'withdrawn')),
    CONSTRAINT ck_consent_records_method CHECK (method IN ('web', 'widget', 'keyword', 'verbal', 'paper', 'api', 'import')),
    CONSTRAINT ck_consent_records_message_type CHECK (message_type IN ('otp', 'transactional', 'promotional'))
);
CREATE INDEX ix_consent_records_recipient ON consent_records (tenant_id, recipient_hash);
SELECT tollgate_fence('consent_records');
GRANT SELECT, INSERT ON consent_records TO tollgate_app, tollgate_worker;

CREATE TABLE consents (
    tenant_id UUID NOT NULL,
    test BOOLEAN NOT NULL,
    recipient_hash BYTEA NOT NULL,
    use_case TEXT NOT NULL,
    id UUID NOT NULL,
    number_sealed BYTEA NOT NULL,
    message_type TEXT NOT NULL,
    state TEXT NOT NULL,
    method TEXT NOT NULL,
    text_hash BYTEA,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_consents PRIMARY KEY (tenant_id, test, recipient_hash, use_case),
    CONSTRAINT ck_consents_state CHECK (state IN ('pending', 'granted', 'withdrawn')),
    CONSTRAINT ck_consents_method CHECK (method IN ('web', 'widget', 'keyword', 'verbal', 'paper', 'api', 'import')),
    CONSTRAINT ck_consents_message_type CHECK (message_type IN ('otp', 'transactional', 'promotional'))
);
CREATE UNIQUE INDEX ux_consents_id ON consents (tenant_id, id);
SELECT tollgate_fence('consents');
GRANT SELECT, INSERT, UPDATE ON consents TO tollgate_app, tollgate_worker;

CREATE TABLE consent_asks (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    test BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    text_sealed BYTEA NOT NULL,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consent_asks PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_consent_asks_kind CHECK (kind IN ('confirm', 'code'))
);
CREATE INDEX ix_consent_asks_due_at ON consent_asks (due_at);
SELECT tollgate_fence('consent_asks');
GRANT SELECT, INSERT ON consent_asks TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_asks TO tollgate_worker;
