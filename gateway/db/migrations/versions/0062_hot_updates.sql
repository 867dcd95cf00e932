-- A message is written three times after its accept, and each time was a new entry in all of its indexes, because
-- `status` and `provider_message_id` stood in three of them. Without them these updates are HOT: no index is
-- touched, and what is left of the old row goes when its page is next written.

-- AWS's ids. A row is written once, when an id is known. The ids are random: of a btree each would write another page.
CREATE TABLE provider_messages (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    message_at TIMESTAMP WITH TIME ZONE NOT NULL,
    provider_message_id TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL
) PARTITION BY RANGE (message_at);
CREATE INDEX ix_provider_messages_provider_message_id ON provider_messages USING hash (provider_message_id);
CREATE INDEX ix_provider_messages_known_at ON provider_messages (known_at);
-- For each month that messages have.
DO $$
DECLARE
    month record;
BEGIN
    FOR month IN
        SELECT replace(c.relname, 'messages_', 'provider_messages_') AS name, pg_get_expr(c.relpartbound, c.oid) AS span
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'messages'::regclass
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF provider_messages %s', month.name, month.span);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', month.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', month.name);
    END LOOP;
END $$;

ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
INSERT INTO provider_messages (tenant_id, message_id, message_at, provider_message_id, known_at)
SELECT tenant_id, id, created_at, provider_message_id, coalesce(dispatched_at, created_at)
FROM messages WHERE provider_message_id IS NOT NULL;

SELECT tollgate_fence('provider_messages');
SELECT tollgate_keep('provider_messages'); -- an id says nothing of anybody, and a late receipt is found by it
GRANT SELECT ON provider_messages TO tollgate_app;
GRANT SELECT, INSERT ON provider_messages TO tollgate_worker, tollgate_ingest;

-- How far the sweep has come that closes messages of which nothing is heard.
CREATE TABLE sweeps (
    name TEXT NOT NULL,
    reached TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sweeps PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE ON sweeps TO tollgate_worker;

-- The bad end of a message, which nearly none has.
ALTER TABLE messages ADD COLUMN bad_end TEXT;
UPDATE messages SET bad_end = status WHERE status IN ('undelivered', 'failed', 'expired', 'canceled', 'unknown');
ALTER TABLE messages FORCE ROW LEVEL SECURITY;

-- Both follow from the row, whoever writes it: processes of the version before go on while this one comes.
CREATE FUNCTION tollgate_bad_end() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.bad_end := CASE WHEN NEW.status IN ('undelivered', 'failed', 'expired', 'canceled', 'unknown') THEN NEW.status END;
    RETURN NEW;
END $$;
CREATE TRIGGER bad_end BEFORE INSERT OR UPDATE OF status, bad_end ON messages FOR EACH ROW
    WHEN (NEW.bad_end IS DISTINCT FROM
        CASE WHEN NEW.status IN ('undelivered', 'failed', 'expired', 'canceled', 'unknown') THEN NEW.status END)
    EXECUTE FUNCTION tollgate_bad_end();

CREATE FUNCTION tollgate_provider_message() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO provider_messages (tenant_id, message_id, message_at, provider_message_id, known_at)
    VALUES (NEW.tenant_id, NEW.id, NEW.created_at, NEW.provider_message_id, now());
    RETURN NULL;
END $$;
CREATE TRIGGER provider_message AFTER UPDATE OF provider_message_id ON messages FOR EACH ROW
    WHEN (NEW.provider_message_id IS DISTINCT FROM OLD.provider_message_id AND NEW.provider_message_id IS NOT NULL)
    EXECUTE FUNCTION tollgate_provider_message();

DROP INDEX ix_messages_bad_end;
CREATE INDEX ix_messages_bad_end ON messages (tenant_id, bad_end, id) WHERE bad_end IS NOT NULL;
DROP INDEX ix_messages_silent;
DROP INDEX ix_messages_provider_message_id;
