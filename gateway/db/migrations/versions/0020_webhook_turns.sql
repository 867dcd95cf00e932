-- An endpoint that cannot take more holds its deliveries: they leave the line of what is due (next_attempt_at is
-- NULL) and wait for the endpoint's turn, so that nobody else's delivery waits behind them.

ALTER TABLE webhook_endpoints
    ADD COLUMN failures SMALLINT DEFAULT '0' NOT NULL,
    ADD COLUMN paused_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN pause_reason TEXT,
    ADD COLUMN holding BOOLEAN DEFAULT false NOT NULL,
    ADD CONSTRAINT ck_webhook_endpoints_pause_reason CHECK (pause_reason IN ('asked', 'failing'));
CREATE INDEX ix_webhook_endpoints_holding ON webhook_endpoints (paused_until) WHERE holding;

ALTER TABLE webhook_deliveries ALTER COLUMN next_attempt_at DROP NOT NULL;
CREATE INDEX ix_webhook_deliveries_held ON webhook_deliveries (endpoint_id, id)
    WHERE state = 'pending' AND next_attempt_at IS NULL;

-- What receivers say may quote what was sent to them: it is sealed with the tenant's key from now on, and the
-- replies that lay in clear are dropped.

ALTER TABLE webhook_deliveries DROP COLUMN response_excerpt;

CREATE TABLE webhook_attempts (
    tenant_id UUID NOT NULL,
    delivery_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    number SMALLINT NOT NULL,
    duration_ms INTEGER NOT NULL,
    response_status SMALLINT,
    response_sealed BYTEA,
    error TEXT,
    CONSTRAINT pk_webhook_attempts PRIMARY KEY (tenant_id, delivery_id, at)
)
 PARTITION BY RANGE (at);
SELECT tollgate_fence('webhook_attempts');
GRANT SELECT ON webhook_attempts TO tollgate_app;
GRANT SELECT, INSERT ON webhook_attempts TO tollgate_worker;
SELECT tollgate_make_partitions(3);
