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

-- What was written beside the amounts of the books goes with their tenant, the amounts stay. A step may concern
-- some of its table's rows only, so that a ledger of millions is not written anew for a few notes.

ALTER TABLE erasure_steps ADD COLUMN concerned TEXT;
INSERT INTO erasure_steps (place, name, walked, blanks, concerned)
    SELECT max(place) + 1, 'ledger_transfers', 'subject_id', 'note = ''erased''', 'subject_id = id AND note IS NOT NULL'
    FROM erasure_steps;
INSERT INTO erasure_steps (place, name, walked, blanks)
    SELECT max(place) + 1, 'monthly_fees', 'id',
        'note = ''erased'', waived_why = CASE WHEN waived_why IS NOT NULL THEN ''erased'' END'
    FROM erasure_steps;
CREATE POLICY erasure_owner ON ledger_transfers TO CURRENT_USER
    USING (tenant_id = (SELECT tollgate_erasing())) WITH CHECK (tenant_id = (SELECT tollgate_erasing()));
CREATE POLICY erasure_owner ON monthly_fees TO CURRENT_USER
    USING (tenant_id = (SELECT tollgate_erasing())) WITH CHECK (tenant_id = (SELECT tollgate_erasing()));

CREATE OR REPLACE FUNCTION tollgate_erase_batch(erased uuid, at_most integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    at tenant_erasures;
    step record;
    upto uuid;
    done bigint;
    finished boolean;
BEGIN
    PERFORM set_config('app.erasing', erased::text, true);
    IF (SELECT octet_length(data_key) FROM tenants WHERE id = erased) > 0 THEN
        RAISE EXCEPTION 'the tenant has its key: it was not asked to be erased'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO at FROM tenant_erasures e
        WHERE e.tenant_id = erased AND e.finished_at IS NULL FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN NULL; END IF;
    SELECT p.*, coalesce(s.concerned, 'true') AS concerned INTO step
        FROM tollgate_erasure_plan() p JOIN erasure_steps s ON s.name = p.name WHERE p.place = at.place;
    IF NOT FOUND THEN RETURN false; END IF;
    IF step.blanks IS NULL THEN
        EXECUTE format(
            'DELETE FROM %1$I WHERE tenant_id = $1 AND ctid = ANY(ARRAY(SELECT ctid FROM %1$I WHERE tenant_id = $1 LIMIT $2))',
            step.name) USING erased, at_most;
        GET DIAGNOSTICS done = ROW_COUNT;
        finished := done = 0;
    ELSE
        EXECUTE format(
            'SELECT %1$I FROM (SELECT DISTINCT %1$I FROM %2$I WHERE tenant_id = $1 AND %1$I > $2 AND (%3$s) ORDER BY 1 LIMIT $3) AS batch ORDER BY 1 DESC LIMIT 1',
            step.walked, step.name, step.concerned)
            INTO upto USING erased, coalesce(at.after_id, '00000000-0000-0000-0000-000000000000'), at_most;
        EXECUTE format(
            'UPDATE %1$I SET %2$s WHERE tenant_id = $1 AND %3$I > $2 AND %3$I <= $4 AND (%4$s)',
            step.name, step.blanks, step.walked, step.concerned)
            USING erased, coalesce(at.after_id, '00000000-0000-0000-0000-000000000000'), at_most, upto;
        GET DIAGNOSTICS done = ROW_COUNT;
        finished := upto IS NULL;
    END IF;
    UPDATE tenant_erasures e SET
        counts = jsonb_set(e.counts, ARRAY[step.name], to_jsonb(coalesce((e.counts ->> step.name)::bigint, 0) + done)),
        place = CASE WHEN finished THEN e.place + 1 ELSE e.place END,
        after_id = CASE WHEN finished THEN NULL ELSE upto END
        WHERE e.tenant_id = erased;
    RETURN true;
END $$;

-- Erasures that were done are so again once these steps are, which come last; the scheduler sees to it.
ALTER TABLE tenant_erasures NO FORCE ROW LEVEL SECURITY;
UPDATE tenant_erasures SET finished_at = NULL;
ALTER TABLE tenant_erasures FORCE ROW LEVEL SECURITY;

-- Whoever writes an event looks whether its tenant was erased.
GRANT SELECT ON tenant_erasures TO tollgate_app, tollgate_ingest;

-- A last top-up of dollars says nothing of credits.
ALTER TABLE balance_marks
    DROP CONSTRAINT ck_balance_marks_last_top_up,
    ADD CONSTRAINT ck_balance_marks_last_top_up CHECK (last_top_up >= 0);
