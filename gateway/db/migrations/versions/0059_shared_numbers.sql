-- Tenants that share a number have a row each, by its ARN. What its lanes and gates are named by is the same in all of
-- them: the id of the first. It stays where the first is released or erased. Of two rows that are added at once, the
-- second waits for the first.

CREATE INDEX ix_senders_arn ON senders (arn);
ALTER TABLE senders ADD COLUMN identity UUID;
ALTER TABLE senders NO FORCE ROW LEVEL SECURITY;
UPDATE senders s SET identity = (SELECT f.id FROM senders f WHERE f.arn = s.arn ORDER BY f.id LIMIT 1);
ALTER TABLE senders FORCE ROW LEVEL SECURITY;
ALTER TABLE senders ALTER COLUMN identity SET NOT NULL;

CREATE FUNCTION tollgate_name_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.identity IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(NEW.arn, 0));
        NEW.identity := coalesce((SELECT s.identity FROM senders s WHERE s.arn = NEW.arn ORDER BY s.id LIMIT 1), NEW.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER name_identity BEFORE INSERT ON senders
    FOR EACH ROW EXECUTE FUNCTION tollgate_name_identity();
