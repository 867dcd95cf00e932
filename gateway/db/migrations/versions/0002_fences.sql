-- One call fences a table that carries tenant_id: row-level security with FORCE and the three roles' policies.

CREATE FUNCTION tollgate_fence(fenced regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
    EXECUTE format(
        'CREATE POLICY tenant ON %s TO tollgate_app USING (tenant_id = (SELECT tollgate_current_tenant())) WITH CHECK (tenant_id = (SELECT tollgate_current_tenant()))',
        fenced);
    EXECUTE format('CREATE POLICY worker ON %s TO tollgate_worker USING (true) WITH CHECK (true)', fenced);
    EXECUTE format('CREATE POLICY ingest ON %s TO tollgate_ingest USING (true) WITH CHECK (true)', fenced);
END $$;
REVOKE ALL ON FUNCTION tollgate_fence(regclass) FROM PUBLIC;

-- One call makes a table raise its tenant's policy_version with every change, for what admission must see.

CREATE FUNCTION tollgate_watch(watched regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER policy_version AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version()',
        watched);
END $$;
REVOKE ALL ON FUNCTION tollgate_watch(regclass) FROM PUBLIC;

-- Partitions are made for every partitioned table there is, not for a list that a later revision could forget.

CREATE OR REPLACE FUNCTION tollgate_make_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    month_start timestamptz;
    child text;
    made integer := 0;
BEGIN
    FOR parent IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'p' ORDER BY c.relname
    LOOP
        FOR step IN -1..months_ahead LOOP
            month_start := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step)) AT TIME ZONE 'UTC';
            child := parent || to_char(month_start AT TIME ZONE 'UTC', '"_"YYYYMM');
            IF to_regclass('public.' || child) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    child, parent, month_start, ((month_start AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC');
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
                EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
