-- Texts are taken out of messages when they have been kept long enough. The messages are walked in the order
-- of their ids, which is that of their accept, without an index that every message would have to be written
-- into; the few whose time is not told by their accept wait in a list of their own.

CREATE TABLE body_purges (
    kind TEXT NOT NULL,
    after_id UUID NOT NULL,
    CONSTRAINT pk_body_purges PRIMARY KEY (kind)
);
GRANT SELECT, INSERT, UPDATE ON body_purges TO tollgate_worker;

CREATE TABLE late_bodies (
    message_id UUID NOT NULL,
    message_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_late_bodies PRIMARY KEY (message_id)
);
CREATE INDEX ix_late_bodies_due_at ON late_bodies (kind, due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON late_bodies TO tollgate_worker;
