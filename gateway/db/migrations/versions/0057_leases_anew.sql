-- A sender that is released and taken again within a month pays for each of its leases, so it may have several
-- fees in one, and the instants of the break are kept.

ALTER TABLE senders ADD COLUMN let_go_at TIMESTAMP WITH TIME ZONE, ADD COLUMN retaken_at TIMESTAMP WITH TIME ZONE;
CREATE OR REPLACE FUNCTION tollgate_note_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'released' THEN
        IF TG_OP = 'UPDATE' AND OLD.state = 'released' THEN
            NEW.let_go_at := OLD.released_at;
            NEW.retaken_at := now();
        END IF;
        NEW.released_at := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.state <> 'released' THEN
        NEW.released_at := coalesce(NEW.released_at, now());
    END IF;
    RETURN NEW;
END $$;

ALTER TABLE monthly_fees
    ADD COLUMN leg SMALLINT DEFAULT '0' NOT NULL,
    ADD COLUMN since DATE,
    DROP CONSTRAINT pk_monthly_fees,
    ADD CONSTRAINT pk_monthly_fees PRIMARY KEY (tenant_id, month, item, subject_id, leg);
