-- An event's millisecond is never before the instant at which it was stored: rounded up, not to the nearest.

CREATE OR REPLACE FUNCTION tollgate_event_ms() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN ceil(extract(epoch FROM clock_timestamp()) * 1000)::bigint;
END
$$;
