-- Events are dated by Postgres's clock alone, after their transaction has its number (docs/adr/0018).

CREATE FUNCTION tollgate_event_ms() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
END
$$;

CREATE FUNCTION tollgate_event_id(tail uuid, ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(overlay(uuid_send(tail) PLACING substring(int8send(ms) FROM 3) FROM 1 FOR 6), 'hex')::uuid
$$;
