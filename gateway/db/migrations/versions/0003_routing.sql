-- Senders: what they can do, and a state for one that is kept ready to take another's place.

ALTER TABLE senders
    ADD COLUMN channels TEXT[] DEFAULT '{sms}' NOT NULL,
    ADD COLUMN two_way BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN use_cases TEXT[] DEFAULT '{}' NOT NULL,
    DROP CONSTRAINT ck_senders_type,
    DROP CONSTRAINT ck_senders_state,
    ADD CONSTRAINT ck_senders_type CHECK (type IN ('SHORT_CODE', 'TEN_DLC', 'LONG_CODE', 'TOLL_FREE', 'SENDER_ID', 'SHARED', 'SIMULATOR')),
    ADD CONSTRAINT ck_senders_state CHECK (state IN ('pending', 'active', 'standby', 'disabled', 'released'));

-- Routes: whose account it is, whether shared routes may be used, and each tenant's order.

ALTER TABLE aws_accounts
    ADD COLUMN shared_routes BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN owner_id UUID;
GRANT SELECT (shared_routes, owner_id) ON aws_accounts TO tollgate_app;

CREATE TABLE tenant_routes (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_tenant_routes PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT fk_tenant_routes_account_id FOREIGN KEY(account_id) REFERENCES aws_accounts (id)
);
SELECT tollgate_fence('tenant_routes');
SELECT tollgate_watch('tenant_routes');
GRANT SELECT ON tenant_routes TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_routes TO tollgate_worker;

-- Health of senders and routes; a subject is the id of either. Counts in buckets of five seconds.

CREATE TABLE health_tallies (
    subject_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered INTEGER DEFAULT 0 NOT NULL,
    throttled INTEGER DEFAULT 0 NOT NULL,
    failed INTEGER DEFAULT 0 NOT NULL,
    unknown INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_health_tallies PRIMARY KEY (subject_id, at)
);
CREATE INDEX ix_health_tallies_at ON health_tallies (at);

CREATE TABLE health_states (
    subject_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    hold_seconds INTEGER NOT NULL,
    CONSTRAINT pk_health_states PRIMARY KEY (subject_id),
    CONSTRAINT ck_health_states_kind CHECK (kind IN ('sender', 'route')),
    CONSTRAINT ck_health_states_state CHECK (state IN ('healthy', 'unhealthy', 'probing', 'disabled'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON health_tallies, health_states TO tollgate_worker;

-- The queue row says what a message asks of its sender, and which were tried; empty for nearly all.

ALTER TABLE dispatch_queue
    ADD COLUMN need JSONB,
    ADD COLUMN trail JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN failures SMALLINT DEFAULT 0 NOT NULL;

-- Senders whose queued messages have to go to others; worked off in the order of message ids.

CREATE TABLE relane_orders (
    tenant_id UUID NOT NULL,
    sender_id UUID NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    done_up_to UUID,
    CONSTRAINT pk_relane_orders PRIMARY KEY (tenant_id, sender_id)
);
SELECT tollgate_fence('relane_orders');
GRANT SELECT, INSERT, UPDATE, DELETE ON relane_orders TO tollgate_worker;
