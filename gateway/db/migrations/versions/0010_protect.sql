-- A tenant's named country rules; one configuration is its default.

CREATE TABLE protect_configurations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    locked BOOLEAN DEFAULT false NOT NULL,
    rules JSONB DEFAULT '{}' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_protect_configurations PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_protect_configurations_tenant_id_name UNIQUE (tenant_id, name)
);
CREATE UNIQUE INDEX ux_protect_configurations_default ON protect_configurations (tenant_id) WHERE is_default;
SELECT tollgate_fence('protect_configurations');
GRANT SELECT, INSERT, UPDATE, DELETE ON protect_configurations TO tollgate_app, tollgate_worker;

-- Only what admission judges by raises the policy: a version that an override moved is AWS's matter.

CREATE TRIGGER policy_version_of_rows AFTER INSERT OR DELETE ON protect_configurations
    FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version();
CREATE TRIGGER policy_version_of_rules AFTER UPDATE OF name, is_default, rules ON protect_configurations
    FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version();

CREATE TABLE protect_associations (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    configuration_id UUID NOT NULL,
    CONSTRAINT pk_protect_associations PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT fk_protect_associations_tenant_id_protect_configurations FOREIGN KEY(tenant_id, configuration_id) REFERENCES protect_configurations (tenant_id, id)
);
SELECT tollgate_fence('protect_associations');
SELECT tollgate_watch('protect_associations');
GRANT SELECT ON protect_associations TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON protect_associations TO tollgate_worker;

-- Numbers treated otherwise than their country. They go to Redis one by one, as opt-outs do.

CREATE TABLE protect_overrides (
    tenant_id UUID NOT NULL,
    configuration_id UUID NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    country TEXT NOT NULL,
    action TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_protect_overrides PRIMARY KEY (tenant_id, configuration_id, recipient_hash),
    CONSTRAINT fk_protect_overrides_tenant_id_protect_configurations FOREIGN KEY(tenant_id, configuration_id) REFERENCES protect_configurations (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_protect_overrides_action CHECK (action IN ('ALWAYS_ALLOW', 'ALWAYS_BLOCK'))
);
CREATE INDEX ix_protect_overrides_updated_at ON protect_overrides (updated_at);
SELECT tollgate_fence('protect_overrides');
GRANT SELECT, INSERT, UPDATE, DELETE ON protect_overrides TO tollgate_app, tollgate_worker;

CREATE FUNCTION tollgate_notify_override() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed protect_overrides;
    value text := '-';
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD;
    ELSE
        changed := NEW;
        value := CASE NEW.action WHEN 'ALWAYS_ALLOW' THEN 'A' ELSE 'B' END
            || coalesce(floor(extract(epoch FROM NEW.expires_at) * 1000)::bigint, 0);
    END IF;
    PERFORM pg_notify('tollgate_override', changed.tenant_id || ' ' || changed.configuration_id || ' '
        || encode(changed.recipient_hash, 'hex') || ' ' || value);
    RETURN NULL;
END $$;

CREATE TRIGGER override_notice AFTER INSERT OR UPDATE OR DELETE ON protect_overrides
    FOR EACH ROW EXECUTE FUNCTION tollgate_notify_override();

-- The operator's own; a change is a change of every tenant's policy.

CREATE TABLE account_protect_configurations (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    rules JSONB DEFAULT '{}' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_account_protect_configurations PRIMARY KEY (id),
    CONSTRAINT uq_account_protect_configurations_name UNIQUE (name)
);
CREATE UNIQUE INDEX ux_account_protect_configurations_default ON account_protect_configurations (is_default) WHERE is_default;
GRANT SELECT ON account_protect_configurations TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON account_protect_configurations TO tollgate_worker;

CREATE FUNCTION tollgate_raise_every_policy_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('app.raising_policy', 'on', true);
    UPDATE tenants SET policy_version = policy_version + 1 WHERE state <> 'closed';
    RETURN NULL;
END $$;

CREATE TRIGGER policy_version AFTER INSERT OR UPDATE OR DELETE ON account_protect_configurations
    FOR EACH STATEMENT EXECUTE FUNCTION tollgate_raise_every_policy_version();

-- What stands at AWS; the dispatcher reads which id to name.

CREATE TABLE protect_links (
    configuration_id UUID NOT NULL,
    account_id UUID NOT NULL,
    aws_id TEXT,
    state TEXT NOT NULL,
    synced_version INTEGER DEFAULT '0' NOT NULL,
    drift JSONB DEFAULT '[]' NOT NULL,
    fault TEXT,
    checked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_protect_links PRIMARY KEY (configuration_id, account_id),
    CONSTRAINT ck_protect_links_state CHECK (state IN ('own', 'shared', 'leaving'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON protect_links TO tollgate_worker;

-- What protect rules stopped: at AWS by message, here by day.

CREATE TABLE protect_findings (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    kind TEXT NOT NULL,
    configuration_id UUID,
    channel TEXT NOT NULL,
    country TEXT NOT NULL,
    reason TEXT,
    false_positive BOOLEAN DEFAULT false NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_protect_findings PRIMARY KEY (tenant_id, message_id, kind),
    CONSTRAINT ck_protect_findings_kind CHECK (kind IN ('blocked', 'recommended'))
);
CREATE INDEX ix_protect_findings_at ON protect_findings (tenant_id, at);
SELECT tollgate_fence('protect_findings');
GRANT SELECT ON protect_findings TO tollgate_app, tollgate_worker, tollgate_ingest;
GRANT UPDATE (false_positive) ON protect_findings TO tollgate_app;
GRANT INSERT ON protect_findings TO tollgate_ingest, tollgate_worker;

CREATE TABLE protect_refusals (
    tenant_id UUID NOT NULL,
    day DATE NOT NULL,
    configuration_id UUID NOT NULL,
    channel TEXT NOT NULL,
    country TEXT NOT NULL,
    rule TEXT NOT NULL,
    count BIGINT NOT NULL,
    CONSTRAINT pk_protect_refusals PRIMARY KEY (tenant_id, day, configuration_id, channel, country, rule),
    CONSTRAINT ck_protect_refusals_channel CHECK (channel IN ('sms', 'mms', 'voice')),
    CONSTRAINT ck_protect_refusals_rule CHECK (rule IN ('country_rule', 'number_override'))
);
SELECT tollgate_fence('protect_refusals');
GRANT SELECT ON protect_refusals TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON protect_refusals TO tollgate_worker;

-- Which configuration a message was judged by; the dispatcher names its copy at AWS.

ALTER TABLE messages ADD COLUMN protect_configuration_id UUID;
-- AWS's copies close what a tenant did not declare: they follow its countries.

CREATE FUNCTION tollgate_touch_protect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE protect_configurations SET version = version + 1 WHERE tenant_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER protect_countries AFTER UPDATE OF countries ON tenants
    FOR EACH ROW WHEN (OLD.countries IS DISTINCT FROM NEW.countries) EXECUTE FUNCTION tollgate_touch_protect();
