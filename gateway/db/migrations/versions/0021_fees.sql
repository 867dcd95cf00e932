-- Fees that are named, waived, prorated and given back; one-time ones beside the monthly.

ALTER TABLE monthly_fees
    ADD COLUMN id UUID DEFAULT tollgate_uuid7() NOT NULL,
    ADD COLUMN until DATE,
    ADD COLUMN waived_why TEXT,
    DROP CONSTRAINT ck_monthly_fees_amount,
    ADD CONSTRAINT ck_monthly_fees_amount CHECK (amount > 0 OR (amount < 0 AND item = 'lease_end')),
    ADD CONSTRAINT ck_monthly_fees_item CHECK (item IN ('lease', 'lease_end', 'platform', 'registration')),
    ADD CONSTRAINT ck_monthly_fees_charged_or_waived CHECK (NOT charged OR waived_why IS NULL);
CREATE UNIQUE INDEX ix_monthly_fees_id ON monthly_fees (tenant_id, id);
CREATE UNIQUE INDEX ix_monthly_fees_once ON monthly_fees (tenant_id, subject_id) WHERE item = 'registration';

-- Whoever releases a sender, and however: from then on it is leased no more.
ALTER TABLE senders ADD COLUMN released_at TIMESTAMP WITH TIME ZONE;
UPDATE senders SET released_at = now() WHERE state = 'released';
CREATE FUNCTION tollgate_note_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'released' THEN
        NEW.released_at := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.state <> 'released' THEN
        NEW.released_at := coalesce(NEW.released_at, now());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER note_release BEFORE INSERT OR UPDATE OF state ON senders
    FOR EACH ROW EXECUTE FUNCTION tollgate_note_release();
