-- Feedback is the one thing that a tenant itself writes on a message; `sequence` numbers the event of it.

GRANT UPDATE (feedback, sequence) ON messages TO tollgate_app;
CREATE INDEX ix_messages_feedback ON messages (tenant_id, created_at) WHERE feedback IS NOT NULL;
CREATE INDEX ix_messages_feedback_pending ON messages (created_at) WHERE feedback = 'pending';

-- What AWS is still to be told; a row is gone when it has heard, or will not hear.

CREATE TABLE feedback_orders (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    account_id UUID NOT NULL,
    provider_message_id TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_feedback_orders PRIMARY KEY (tenant_id, message_id),
    CONSTRAINT ck_feedback_orders_status CHECK (status IN ('received', 'failed'))
);
CREATE INDEX ix_feedback_orders_due_at ON feedback_orders (due_at);
SELECT tollgate_fence('feedback_orders');
GRANT INSERT ON feedback_orders TO tollgate_app;
GRANT SELECT, UPDATE, DELETE ON feedback_orders TO tollgate_worker;
