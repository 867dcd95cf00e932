-- The queue row counts the claims that ended without an outcome, and says what an unsent message waits for.

ALTER TABLE dispatch_queue
    ADD COLUMN claims SMALLINT DEFAULT '0' NOT NULL,
    ADD COLUMN waits_for TEXT,
    DROP CONSTRAINT ck_dispatch_queue_state,
    ADD CONSTRAINT ck_dispatch_queue_state CHECK (state IN ('scheduled', 'queued', 'dispatching', 'unknown', 'quarantined'));

-- What was taken out of the queue because it kept ending whoever held it.

CREATE TABLE quarantined_messages (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    route TEXT NOT NULL,
    reason TEXT NOT NULL,
    claims SMALLINT NOT NULL,
    attempts SMALLINT NOT NULL,
    quarantined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_quarantined_messages PRIMARY KEY (tenant_id, message_id)
);
SELECT tollgate_fence('quarantined_messages');
GRANT SELECT, INSERT, DELETE ON quarantined_messages TO tollgate_worker;

-- Who dispatches a route at this moment, and whether by the lanes or, with Redis away, at a static share.

CREATE TABLE dispatchers (
    route TEXT NOT NULL,
    worker UUID NOT NULL,
    mode TEXT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_dispatchers PRIMARY KEY (route, worker),
    CONSTRAINT ck_dispatchers_mode CHECK (mode IN ('lanes', 'static'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON dispatchers TO tollgate_worker;
