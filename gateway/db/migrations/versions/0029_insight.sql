-- The instant inside a UUIDv7, to the millisecond; a message's hour follows from its id.

CREATE FUNCTION tollgate_uuid7_at(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'epoch'::timestamptz + make_interval(
        secs => ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

-- What became of the messages that were accepted in an hour; recounted while they change.

CREATE TABLE insight_hours (
    tenant_id UUID NOT NULL,
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    country TEXT NOT NULL,
    type TEXT NOT NULL,
    unit TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    dispatched INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    undelivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    canceled INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    feedback_received INTEGER NOT NULL,
    feedback_failed INTEGER NOT NULL,
    spent BIGINT NOT NULL,
    receipt_p50_ms BIGINT,
    receipt_p95_ms BIGINT,
    CONSTRAINT pk_insight_hours PRIMARY KEY (tenant_id, hour, country, type, unit)
);
CREATE INDEX ix_insight_hours_hour ON insight_hours (hour);
SELECT tollgate_fence('insight_hours');
GRANT SELECT ON insight_hours TO tollgate_app;
GRANT SELECT, INSERT, DELETE ON insight_hours TO tollgate_worker;

-- Which hours are to be counted again, and when.

CREATE TABLE insight_marks (
    tenant_id UUID NOT NULL,
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    counted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_insight_marks PRIMARY KEY (tenant_id, hour)
);
CREATE INDEX ix_insight_marks_due_at ON insight_marks (due_at) WHERE due_at IS NOT NULL;
SELECT tollgate_fence('insight_marks');
GRANT SELECT, INSERT, UPDATE, DELETE ON insight_marks TO tollgate_worker;

-- How far the events have been looked through for changed hours.

CREATE TABLE insight_progress (
    name TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_insight_progress PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE ON insight_progress TO tollgate_worker;

CREATE TABLE alarms (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    metric TEXT NOT NULL,
    country TEXT,
    type TEXT,
    against TEXT NOT NULL,
    raise_at DOUBLE PRECISION NOT NULL,
    clear_at DOUBLE PRECISION NOT NULL,
    window_s INTEGER NOT NULL,
    minimum INTEGER NOT NULL,
    rounds_to_raise SMALLINT NOT NULL,
    rounds_to_clear SMALLINT NOT NULL,
    after_s INTEGER,
    enabled BOOLEAN DEFAULT true NOT NULL,
    raised BOOLEAN DEFAULT false NOT NULL,
    streak SMALLINT DEFAULT '0' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE,
    value DOUBLE PRECISION,
    usual DOUBLE PRECISION,
    measured_at TIMESTAMP WITH TIME ZONE,
    judged_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_alarms PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_alarms_tenant_id_name UNIQUE (tenant_id, name),
    CONSTRAINT ck_alarms_metric CHECK (metric IN ('conversion', 'delivery_rate', 'failure_rate', 'block_rate', 'pending_rate', 'spend_pace')),
    CONSTRAINT ck_alarms_against CHECK (against IN ('static', 'baseline')),
    CONSTRAINT ck_alarms_window_s CHECK (window_s BETWEEN 300 AND 86400)
);
CREATE INDEX ix_alarms_due_at ON alarms (due_at) WHERE enabled;
SELECT tollgate_fence('alarms');
GRANT SELECT, INSERT, UPDATE, DELETE ON alarms TO tollgate_app, tollgate_worker;
