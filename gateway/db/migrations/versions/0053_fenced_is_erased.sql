-- A table that is fenced is erased with its tenant, so that one that comes later cannot be forgotten; one that
-- has to stay is taken off the list: `SELECT tollgate_keep('t');`. The latest are erased first, since what comes
-- later refers to what was there.

CREATE OR REPLACE FUNCTION tollgate_erasure_plan() RETURNS TABLE (place bigint, name text, walked text, blanks text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT row_number() OVER (ORDER BY s.place), s.name, s.walked, s.blanks FROM erasure_steps s ORDER BY s.place
$$;

CREATE OR REPLACE FUNCTION tollgate_erase_too(erased regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erasure_steps s WHERE s.name = erased::text) THEN RETURN; END IF;
    INSERT INTO erasure_steps (place, name) SELECT min(s.place) - 1, erased::text FROM erasure_steps s;
    EXECUTE format(
        'CREATE POLICY erasure_owner ON %s TO CURRENT_USER USING (tenant_id = (SELECT tollgate_erasing())) WITH CHECK (tenant_id = (SELECT tollgate_erasing()))',
        erased);
END $$;

CREATE FUNCTION tollgate_keep(kept regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM erasure_steps WHERE name = kept::text;
    EXECUTE format('DROP POLICY IF EXISTS erasure_owner ON %s', kept);
END $$;
REVOKE ALL ON FUNCTION tollgate_keep(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tollgate_fence(fenced regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
    EXECUTE format(
        'CREATE POLICY tenant ON %s TO tollgate_app USING (tenant_id = (SELECT tollgate_current_tenant())) WITH CHECK (tenant_id = (SELECT tollgate_current_tenant()))',
        fenced);
    EXECUTE format('CREATE POLICY worker ON %s TO tollgate_worker USING (true) WITH CHECK (true)', fenced);
    EXECUTE format('CREATE POLICY ingest ON %s TO tollgate_ingest USING (true) WITH CHECK (true)', fenced);
    PERFORM tollgate_erase_too(fenced);
END $$;

-- Those that were fenced since the list was made, and are not among those that stay.
DO $$
DECLARE
    fenced regclass;
BEGIN
    FOR fenced IN
        SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname NOT IN (
        'balance_marks', 'balances', 'budgets', 'campaigns', 'configuration_sets', 'insight_hours',
        'keyword_links', 'ledger_transfers', 'monthly_fees', 'mps_increases', 'opt_out_links',
        'pool_senders', 'pools', 'protect_associations', 'protect_configurations', 'protect_refusals',
        'sender_quotas', 'senders', 'spend_counters', 'tenant_erasures', 'tenant_routes',
        'two_way_settings', 'usage_batches', 'usage_days'
            )
        ORDER BY c.oid
    LOOP
        PERFORM tollgate_erase_too(fenced);
    END LOOP;
END $$;
