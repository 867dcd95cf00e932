-- What a tenant that left had said and who it had said it to is taken away; what it paid stays in the books.
-- No role may delete from the ledgers of what happened, so it is the owner's function that does, for a tenant
-- whose data key is gone already, a batch at a time: a batch that is cut short is done again.

CREATE TABLE tenant_erasures (
    tenant_id UUID NOT NULL,
    place INTEGER DEFAULT '1' NOT NULL,
    after_id UUID,
    counts JSONB DEFAULT '{}' NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tenant_erasures PRIMARY KEY (tenant_id),
    CONSTRAINT fk_tenant_erasures_tenant_id_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id)
);
CREATE INDEX ix_tenant_erasures_unfinished ON tenant_erasures (asked_at) WHERE finished_at IS NULL;
SELECT tollgate_fence('tenant_erasures');
GRANT SELECT, INSERT, UPDATE ON tenant_erasures TO tollgate_worker;

-- In this order: who may speak first, then what refers to other rows before those. A row without `blanks` is
-- deleted; one with them stays for the books, and `walked` is the column by whose order its rows are visited.

CREATE FUNCTION tollgate_erasure_plan() RETURNS TABLE (place bigint, name text, walked text, blanks text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT row_number() OVER (), * FROM (VALUES
        ('api_keys', NULL, NULL), ('console_sessions', NULL, NULL), ('console_people', NULL, NULL),
        ('console_invitations', NULL, NULL), ('idempotency_keys', NULL, NULL),
        ('webhook_attempts', NULL, NULL), ('webhook_deliveries', NULL, NULL), ('webhook_endpoints', NULL, NULL),
        ('messages', 'id',
            'recipient_hash = '''', to_sealed = '''', body_sealed = NULL, content = NULL, context = NULL, '
            'client_reference = NULL, reason_detail = NULL, rulings = NULL, carrier = NULL, mcc = NULL, '
            'mnc = NULL'),
        ('receipts', 'message_id', 'detail = ''{}'''),
        ('events', NULL, NULL), ('media', NULL, NULL),
        ('inbound_replies', NULL, NULL), ('inbound_messages', NULL, NULL),
        ('opt_outs', NULL, NULL), ('opt_out_changes', NULL, NULL),
        ('consent_asks', NULL, NULL), ('consent_records', NULL, NULL), ('consents', NULL, NULL),
        ('consent_texts', NULL, NULL), ('page_codes', NULL, NULL), ('form_hits', NULL, NULL),
        ('verified_numbers', NULL, NULL), ('protect_overrides', NULL, NULL), ('protect_findings', NULL, NULL),
        ('pumping_holds', NULL, NULL), ('pumping_suspicions', NULL, NULL),
        ('quarantined_messages', NULL, NULL), ('dispatch_queue', NULL, NULL), ('relane_orders', NULL, NULL),
        ('feedback_orders', NULL, NULL), ('insight_marks', NULL, NULL), ('alarms', NULL, NULL),
        ('template_versions', NULL, NULL), ('templates', NULL, NULL),
        ('keyword_texts', NULL, NULL), ('keywords', NULL, NULL), ('hosted_pages', NULL, NULL),
        ('onboardings', NULL, NULL), ('moves', NULL, NULL), ('registration_attachments', NULL, NULL),
        ('registration_moves', NULL, NULL), ('registration_versions', NULL, NULL), ('registrations', NULL, NULL),
        ('short_codes', NULL, NULL), ('bulk_sender_ids', NULL, NULL), ('inbox_items', NULL, NULL),
        ('audit_rows', 'id',
            'detail = ''{}'', subject = CASE WHEN subject LIKE ''ten\_%'' THEN subject ELSE ''erased'' END')
    ) AS steps (name, walked, blanks)
$$;
REVOKE ALL ON FUNCTION tollgate_erasure_plan() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tollgate_erasure_plan() TO tollgate_worker;

CREATE FUNCTION tollgate_erasing() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT NULLIF(current_setting('app.erasing', true), '')::uuid $$;

-- The function runs as its owner, who is under FORCE: this lets it reach the one tenant's rows.
DO $$
DECLARE
    reached text;
BEGIN
    FOR reached IN SELECT name FROM tollgate_erasure_plan() UNION ALL SELECT 'tenant_erasures' LOOP
        EXECUTE format(
            'CREATE POLICY erasure_owner ON %I TO CURRENT_USER USING (tenant_id = (SELECT tollgate_erasing())) WITH CHECK (tenant_id = (SELECT tollgate_erasing()))',
            reached);
    END LOOP;
END $$;
CREATE POLICY erasure_owner ON tenants FOR SELECT TO CURRENT_USER USING (id = (SELECT tollgate_erasing()));

-- True: there is more. False: nothing is left. NULL: nothing was asked, or another process is at it.
-- Rows to delete are found by ctid, which other partitions have too: those of the same tenant go with them.

CREATE FUNCTION tollgate_erase_batch(erased uuid, at_most integer) RETURNS boolean
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
    SELECT * INTO step FROM tollgate_erasure_plan() p WHERE p.place = at.place;
    IF NOT FOUND THEN RETURN false; END IF;
    IF step.blanks IS NULL THEN
        EXECUTE format(
            'DELETE FROM %1$I WHERE tenant_id = $1 AND ctid = ANY(ARRAY(SELECT ctid FROM %1$I WHERE tenant_id = $1 LIMIT $2))',
            step.name) USING erased, at_most;
        GET DIAGNOSTICS done = ROW_COUNT;
        finished := done = 0;
    ELSE
        EXECUTE format(
            'SELECT %1$I FROM (SELECT DISTINCT %1$I FROM %2$I WHERE tenant_id = $1 AND %1$I > $2 ORDER BY 1 LIMIT $3) AS batch ORDER BY 1 DESC LIMIT 1',
            step.walked, step.name)
            INTO upto USING erased, coalesce(at.after_id, '00000000-0000-0000-0000-000000000000'), at_most;
        EXECUTE format(
            'UPDATE %1$I SET %2$s WHERE tenant_id = $1 AND %3$I > $2 AND %3$I <= $4', step.name, step.blanks, step.walked)
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
REVOKE ALL ON FUNCTION tollgate_erase_batch(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tollgate_erase_batch(uuid, integer) TO tollgate_worker;
