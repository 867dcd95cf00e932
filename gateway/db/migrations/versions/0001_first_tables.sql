-- The first tables, made by revision 0001. Written once; later changes are later revisions.
-- The tables come first, then partitions, roles, row-level security, grants and the policy triggers.

CREATE TABLE audit_rows (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_audit_rows PRIMARY KEY (tenant_id, id)
);

CREATE TABLE aws_accounts (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    region TEXT NOT NULL,
    endpoint_url TEXT,
    role_arn TEXT,
    external_id TEXT,
    sends_per_second DOUBLE PRECISION NOT NULL,
    topic_arn TEXT,
    subscription_arn TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_aws_accounts PRIMARY KEY (id),
    CONSTRAINT uq_aws_accounts_name UNIQUE (name)
);

CREATE TABLE configuration_sets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    arn TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_configuration_sets PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_configuration_sets_tenant_id_account_id UNIQUE (tenant_id, account_id)
);

CREATE TABLE dispatch_queue (
    message_id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    route TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt SMALLINT DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    worker UUID,
    lane JSONB NOT NULL,
    CONSTRAINT pk_dispatch_queue PRIMARY KEY (message_id),
    CONSTRAINT ck_dispatch_queue_state CHECK (state IN ('scheduled', 'queued', 'dispatching', 'unknown'))
);
CREATE INDEX ix_dispatch_queue_due_at ON dispatch_queue (due_at) WHERE state <> 'queued';

CREATE TABLE events (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    type TEXT NOT NULL,
    message_id UUID,
    sequence INTEGER DEFAULT '1' NOT NULL,
    data JSONB NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (tenant_id, id, created_at)
)
 PARTITION BY RANGE (created_at);
CREATE INDEX ix_events_message ON events (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status SMALLINT NOT NULL,
    body BYTEA,
    message_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, key)
);
CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE ledger_transfers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    subject_id UUID NOT NULL,
    subject_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER DEFAULT '0' NOT NULL,
    available BIGINT DEFAULT '0' NOT NULL,
    held BIGINT DEFAULT '0' NOT NULL,
    revenue BIGINT DEFAULT '0' NOT NULL,
    funding BIGINT DEFAULT '0' NOT NULL,
    adjustment BIGINT DEFAULT '0' NOT NULL,
    unit TEXT NOT NULL,
    note TEXT,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_ledger_transfers PRIMARY KEY (tenant_id, subject_id, kind, revision, subject_at),
    CONSTRAINT ck_ledger_transfers_balanced CHECK (available + held + revenue + funding + adjustment = 0),
    CONSTRAINT ck_ledger_transfers_kind CHECK (kind IN ('top_up', 'adjust', 'hold', 'capture', 'release', 'recapture'))
)
 PARTITION BY RANGE (subject_at);

CREATE TABLE messages (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    test BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    reason_code TEXT,
    reason_detail TEXT,
    channel TEXT NOT NULL,
    type TEXT NOT NULL,
    country TEXT NOT NULL,
    recipient_hash BYTEA NOT NULL,
    to_sealed BYTEA NOT NULL,
    body_sealed BYTEA,
    template_id UUID,
    template_version INTEGER,
    encoding TEXT NOT NULL,
    parts SMALLINT NOT NULL,
    unit TEXT NOT NULL,
    price_estimated BIGINT NOT NULL,
    price_final BIGINT,
    price_excess BIGINT DEFAULT '0' NOT NULL,
    max_price_micros BIGINT NOT NULL,
    account_id UUID,
    sender_id UUID,
    sender_value TEXT NOT NULL,
    sender_arn TEXT,
    configuration_set TEXT,
    send_at TIMESTAMP WITH TIME ZONE,
    estimated_dispatch_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    dispatched_at TIMESTAMP WITH TIME ZONE,
    final_at TIMESTAMP WITH TIME ZONE,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    sequence SMALLINT DEFAULT '1' NOT NULL,
    context JSONB,
    client_reference TEXT,
    feedback TEXT,
    provider_message_id TEXT,
    provider_status TEXT,
    carrier TEXT,
    mcc TEXT,
    mnc TEXT,
    provider_price_micros BIGINT,
    provider_fee_micros BIGINT,
    receipt_rank SMALLINT DEFAULT '0' NOT NULL,
    receipt_at TIMESTAMP WITH TIME ZONE,
    receipt_name TEXT,
    resend_of_unknown BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (tenant_id, id, created_at),
    CONSTRAINT ck_messages_status CHECK (status IN ('scheduled', 'queued', 'dispatching', 'sent', 'delivered', 'undelivered', 'failed', 'expired', 'canceled', 'unknown')),
    CONSTRAINT ck_messages_type CHECK (type IN ('otp', 'transactional', 'promotional')),
    CONSTRAINT ck_messages_parts CHECK (parts > 0)
)
 PARTITION BY RANGE (created_at);
CREATE INDEX ix_messages_id ON messages (id);
CREATE INDEX ix_messages_provider_message_id ON messages (provider_message_id) WHERE provider_message_id IS NOT NULL;
CREATE INDEX ix_messages_silent ON messages (created_at) WHERE status = 'sent';

CREATE TABLE opt_outs (
    tenant_id UUID NOT NULL,
    list_name TEXT NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    source TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_opt_outs PRIMARY KEY (tenant_id, list_name, recipient_hash),
    CONSTRAINT ck_opt_outs_source CHECK (source IN ('api', 'csv', 'keyword', 'carrier', 'operator', 'web'))
);

CREATE TABLE outbox_batches (
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    message_ids UUID[] NOT NULL,
    CONSTRAINT pk_outbox_batches PRIMARY KEY (id)
);

CREATE TABLE parked_receipts (
    event_key BYTEA NOT NULL,
    provider_message_id TEXT,
    reason TEXT NOT NULL,
    body_sealed BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_parked_receipts PRIMARY KEY (event_key)
);
CREATE INDEX ix_parked_receipts_provider_message_id ON parked_receipts (provider_message_id);

CREATE TABLE pools (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    account_id UUID NOT NULL,
    message_types TEXT[] NOT NULL,
    aws_pool_arn TEXT,
    opt_out_list TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pools PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_pools_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE prices (
    country TEXT NOT NULL,
    channel TEXT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    sell_micros BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    credits INTEGER NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_prices PRIMARY KEY (country, channel, valid_from),
    CONSTRAINT ck_prices_not_negative CHECK (sell_micros >= 0 AND cost_micros >= 0 AND credits >= 0)
);

CREATE TABLE receipts (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    message_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event_key BYTEA NOT NULL,
    event_type TEXT NOT NULL,
    event_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    detail JSONB NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (tenant_id, message_id, event_key, message_at)
)
 PARTITION BY RANGE (message_at);

CREATE TABLE sandbox_receipts (
    message_id UUID NOT NULL,
    ordinal SMALLINT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event JSONB NOT NULL,
    CONSTRAINT pk_sandbox_receipts PRIMARY KEY (message_id, ordinal)
);
CREATE INDEX ix_sandbox_receipts_due_at ON sandbox_receipts (due_at);

CREATE TABLE senders (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    country TEXT NOT NULL,
    arn TEXT NOT NULL,
    message_types TEXT[] NOT NULL,
    parts_per_second DOUBLE PRECISION NOT NULL,
    state TEXT DEFAULT 'active' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_senders PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_senders_tenant_id_arn UNIQUE (tenant_id, arn),
    CONSTRAINT ck_senders_type CHECK (type IN ('SHORT_CODE', 'TEN_DLC', 'LONG_CODE', 'TOLL_FREE', 'SENDER_ID', 'SIMULATOR')),
    CONSTRAINT ck_senders_state CHECK (state IN ('pending', 'active', 'disabled', 'released'))
);

CREATE TABLE templates (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_templates PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_templates_tenant_id_name UNIQUE (tenant_id, name)
);

CREATE TABLE tenants (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    model INTEGER NOT NULL,
    state TEXT DEFAULT 'active' NOT NULL,
    live BOOLEAN DEFAULT false NOT NULL,
    countries TEXT[] NOT NULL,
    plan JSONB NOT NULL,
    policy_version INTEGER DEFAULT '1' NOT NULL,
    data_key BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tenants PRIMARY KEY (id),
    CONSTRAINT ck_tenants_model CHECK (model BETWEEN 1 AND 6),
    CONSTRAINT ck_tenants_state CHECK (state IN ('active', 'suspended', 'closed')),
    CONSTRAINT uq_tenants_slug UNIQUE (slug)
);

CREATE TABLE webhook_deliveries (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    endpoint_id UUID NOT NULL,
    event_id UUID NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    response_status SMALLINT,
    response_excerpt TEXT,
    error TEXT,
    delivered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (tenant_id, id, created_at),
    CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'failed'))
)
 PARTITION BY RANGE (created_at);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';

CREATE TABLE webhook_endpoints (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    url TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    events TEXT[] NOT NULL,
    secret_sealed BYTEA NOT NULL,
    old_secret_sealed BYTEA,
    old_secret_until TIMESTAMP WITH TIME ZONE,
    state TEXT DEFAULT 'enabled' NOT NULL,
    disabled_reason TEXT,
    failing_since TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_webhook_endpoints_state CHECK (state IN ('enabled', 'disabled'))
);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    mode TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    scopes TEXT[] NOT NULL,
    secret_hash BYTEA NOT NULL,
    hint TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_api_keys_mode CHECK (mode IN ('live', 'test')),
    CONSTRAINT fk_api_keys_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id)
);
CREATE INDEX ix_api_keys_id ON api_keys (id);

CREATE TABLE balances (
    tenant_id UUID NOT NULL,
    unit TEXT NOT NULL,
    posted BIGINT DEFAULT '0' NOT NULL,
    held BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_balances PRIMARY KEY (tenant_id),
    CONSTRAINT ck_balances_never_overspent CHECK (posted - held >= 0),
    CONSTRAINT ck_balances_held CHECK (held >= 0),
    CONSTRAINT ck_balances_unit CHECK (unit IN ('micros', 'credits')),
    CONSTRAINT fk_balances_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id)
);

CREATE TABLE pool_senders (
    tenant_id UUID NOT NULL,
    pool_id UUID NOT NULL,
    sender_id UUID NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_pool_senders PRIMARY KEY (tenant_id, pool_id, sender_id),
    CONSTRAINT fk_pool_senders_tenant_id_pool_id FOREIGN KEY(tenant_id, pool_id) REFERENCES pools (tenant_id, id),
    CONSTRAINT fk_pool_senders_tenant_id_sender_id FOREIGN KEY(tenant_id, sender_id) REFERENCES senders (tenant_id, id)
);

CREATE TABLE template_versions (
    tenant_id UUID NOT NULL,
    template_id UUID NOT NULL,
    version INTEGER NOT NULL,
    state TEXT DEFAULT 'draft' NOT NULL,
    body TEXT NOT NULL,
    type TEXT NOT NULL,
    variables JSONB NOT NULL,
    countries TEXT[] NOT NULL,
    rejection_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_template_versions PRIMARY KEY (tenant_id, template_id, version),
    CONSTRAINT fk_template_versions_tenant_id_template_id FOREIGN KEY(tenant_id, template_id) REFERENCES templates (tenant_id, id),
    CONSTRAINT ck_template_versions_state CHECK (state IN ('draft', 'submitted', 'approved', 'rejected', 'retired')),
    CONSTRAINT ck_template_versions_type CHECK (type IN ('otp', 'transactional', 'promotional'))
);

-- ------------------------------------------------------------------ ids made by the database
-- A UUIDv7 as the application makes them: 48 bits of milliseconds, then random bits, version 7.

CREATE FUNCTION tollgate_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- ------------------------------------------------------------------ partitions
-- A month each, made ahead by the scheduler. The owner's function, because a worker may not create tables.

CREATE FUNCTION tollgate_make_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    month_start timestamptz;
    child text;
    made integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY['messages', 'events', 'receipts', 'ledger_transfers', 'webhook_deliveries'] LOOP
        FOR step IN -1..months_ahead LOOP
            month_start := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step)) AT TIME ZONE 'UTC';
            child := parent || to_char(month_start AT TIME ZONE 'UTC', '"_"YYYYMM');
            IF to_regclass('public.' || child) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    child, parent, month_start, ((month_start AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC');
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
                EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

SELECT tollgate_make_partitions(3);

-- ------------------------------------------------------------------ roles
-- app: a tenant's own reads and writes. worker: the message's road and the operator. ingest: receipts only.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tollgate_app', 'tollgate_worker', 'tollgate_ingest'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
        END IF;
        EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION tollgate_make_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tollgate_make_partitions(integer) TO tollgate_worker;

-- ------------------------------------------------------------------ row-level security
-- FORCE makes the owner a subject too. The setting is '' (not NULL) after a SET LOCAL ended: hence NULLIF.

CREATE FUNCTION tollgate_current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid $$;

DO $$
DECLARE
    fenced record;
BEGIN
    FOR fenced IN
        SELECT c.relname AS name, CASE WHEN c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END AS tenant_column
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND (c.relname = 'tenants' OR EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', fenced.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', fenced.name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO tollgate_app USING (%I = (SELECT tollgate_current_tenant())) WITH CHECK (%I = (SELECT tollgate_current_tenant()))',
            fenced.name, fenced.tenant_column, fenced.tenant_column);
        EXECUTE format('CREATE POLICY worker ON %I TO tollgate_worker USING (true) WITH CHECK (true)', fenced.name);
        EXECUTE format('CREATE POLICY ingest ON %I TO tollgate_ingest USING (true) WITH CHECK (true)', fenced.name);
    END LOOP;
END $$;

-- ------------------------------------------------------------------ grants
-- No role may change or delete a ledger row, a receipt, an event or an audit row.

GRANT SELECT ON tenants, api_keys, balances, ledger_transfers, prices, messages, events, receipts,
    webhook_deliveries, senders, pools, pool_senders, configuration_sets, templates, template_versions,
    webhook_endpoints, opt_outs, audit_rows, idempotency_keys TO tollgate_app;
GRANT SELECT (id, name, region) ON aws_accounts TO tollgate_app;
GRANT INSERT, UPDATE ON api_keys, templates, template_versions, webhook_endpoints, opt_outs, idempotency_keys,
    webhook_deliveries TO tollgate_app;
GRANT INSERT ON audit_rows, events TO tollgate_app;
GRANT DELETE ON opt_outs, webhook_endpoints, idempotency_keys TO tollgate_app;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO tollgate_worker;
-- ALL TABLES names the partitions, too; they are reached through their parents, where the policies hang.
DO $$
DECLARE
    child regclass;
BEGIN
    FOR child IN SELECT oid FROM pg_class WHERE relispartition AND relkind = 'r' LOOP
        EXECUTE format('REVOKE ALL ON %s FROM tollgate_worker', child);
    END LOOP;
END $$;
GRANT INSERT, UPDATE ON tenants, api_keys, balances, prices, messages, dispatch_queue, outbox_batches,
    webhook_deliveries, senders, pools, pool_senders, configuration_sets, templates, template_versions,
    webhook_endpoints, opt_outs, aws_accounts, idempotency_keys, parked_receipts, sandbox_receipts TO tollgate_worker;
GRANT INSERT ON ledger_transfers, events, receipts, audit_rows TO tollgate_worker;
GRANT DELETE ON dispatch_queue, outbox_batches, idempotency_keys, opt_outs, webhook_endpoints, parked_receipts,
    sandbox_receipts, pool_senders TO tollgate_worker;

GRANT SELECT ON messages, tenants, balances, ledger_transfers, receipts, events, webhook_endpoints,
    parked_receipts, sandbox_receipts, aws_accounts, dispatch_queue TO tollgate_ingest;
GRANT INSERT ON ledger_transfers, receipts, events, webhook_deliveries, parked_receipts TO tollgate_ingest;
GRANT UPDATE ON messages, balances TO tollgate_ingest;
GRANT DELETE ON parked_receipts, sandbox_receipts, dispatch_queue TO tollgate_ingest;

-- ------------------------------------------------------------------ policy versions
-- Whatever admission must see raises the tenant's policy_version in the same transaction.

CREATE FUNCTION tollgate_raise_policy_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched uuid;
BEGIN
    IF TG_OP = 'DELETE' THEN touched := OLD.tenant_id; ELSE touched := NEW.tenant_id; END IF;
    PERFORM set_config('app.raising_policy', 'on', true);
    UPDATE tenants SET policy_version = policy_version + 1 WHERE id = touched;
    RETURN NULL;
END $$;

CREATE FUNCTION tollgate_tenant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.model, NEW.state, NEW.live, NEW.countries, NEW.plan)
        IS DISTINCT FROM (OLD.model, OLD.state, OLD.live, OLD.countries, OLD.plan) THEN
        NEW.policy_version := OLD.policy_version + 1;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER policy_version BEFORE UPDATE ON tenants
    FOR EACH ROW EXECUTE FUNCTION tollgate_tenant_changed();

CREATE FUNCTION tollgate_notify_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tollgate_policy', NEW.id::text);
    RETURN NULL;
END $$;

CREATE TRIGGER policy_notice AFTER INSERT OR UPDATE OF policy_version, model, state, live, countries, plan ON tenants
    FOR EACH ROW EXECUTE FUNCTION tollgate_notify_policy();

DO $$
DECLARE
    watched text;
BEGIN
    FOREACH watched IN ARRAY ARRAY['template_versions', 'senders', 'pools', 'pool_senders', 'configuration_sets'] LOOP
        EXECUTE format(
            'CREATE TRIGGER policy_version AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version()',
            watched);
    END LOOP;
END $$;

-- A new opt-out must reach Redis even if the process that stored it dies before it can tell.

CREATE FUNCTION tollgate_notify_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('tollgate_opt_out', '-' || OLD.tenant_id || ' ' || OLD.list_name || ' ' || encode(OLD.recipient_hash, 'hex'));
    ELSE
        PERFORM pg_notify('tollgate_opt_out', '+' || NEW.tenant_id || ' ' || NEW.list_name || ' ' || encode(NEW.recipient_hash, 'hex'));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER opt_out_notice AFTER INSERT OR DELETE ON opt_outs
    FOR EACH ROW EXECUTE FUNCTION tollgate_notify_opt_out();

-- The trigger runs as its owner, who is under FORCE: this lets it reach the one row it raises.
CREATE POLICY policy_version_owner ON tenants TO CURRENT_USER
    USING (current_setting('app.raising_policy', true) = 'on')
    WITH CHECK (current_setting('app.raising_policy', true) = 'on');
