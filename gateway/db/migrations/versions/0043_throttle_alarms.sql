-- Alarms may watch the share of calls that AWS throttles.

ALTER TABLE alarms DROP CONSTRAINT ck_alarms_metric;
ALTER TABLE alarms ADD CONSTRAINT ck_alarms_metric CHECK (metric IN ('conversion', 'delivery_rate', 'failure_rate', 'block_rate', 'pending_rate', 'spend_pace', 'throttle_rate'));
