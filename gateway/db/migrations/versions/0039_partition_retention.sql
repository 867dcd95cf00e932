-- Months of events, deliveries and their attempts that nobody reads any more are dropped whole: a DELETE of
-- millions of rows would cost what writing them did. Nothing else may be dropped this way: messages, receipts
-- and the ledger are the books.
CREATE FUNCTION tollgate_drop_partitions(parent text, ended_before timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    child record;
    month_start timestamptz;
    dropped integer := 0;
BEGIN
    IF parent NOT IN ('events', 'webhook_deliveries', 'webhook_attempts') THEN
        RAISE EXCEPTION 'the partitions of % are kept', parent USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF ended_before > now() - interval '31 days' THEN
        RAISE EXCEPTION 'partitions are kept for 31 days at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR child IN
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = ('public.' || parent)::regclass AND c.relname ~ '_[0-9]{6}$' ORDER BY c.relname
    LOOP
        month_start := to_date(right(child.name, 6), 'YYYYMM')::timestamp AT TIME ZONE 'UTC';
        IF ((month_start AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' <= ended_before THEN
            EXECUTE format('DROP TABLE %I', child.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION tollgate_drop_partitions(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tollgate_drop_partitions(text, timestamptz) TO tollgate_worker;
