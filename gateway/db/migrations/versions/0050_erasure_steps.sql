-- What an erasure takes becomes a list, so that a table that comes later is added to it by one call, beside its
-- tollgate_fence: `SELECT tollgate_erase_too('t');`.

CREATE TABLE erasure_steps (
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    walked TEXT,
    blanks TEXT,
    CONSTRAINT pk_erasure_steps PRIMARY KEY (place),
    CONSTRAINT uq_erasure_steps_name UNIQUE (name)
);
INSERT INTO erasure_steps (place, name, walked, blanks) SELECT * FROM tollgate_erasure_plan();

CREATE OR REPLACE FUNCTION tollgate_erasure_plan() RETURNS TABLE (place bigint, name text, walked text, blanks text)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT s.place::bigint, s.name, s.walked, s.blanks FROM erasure_steps s ORDER BY s.place
$$;

CREATE FUNCTION tollgate_erase_too(erased regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO erasure_steps (place, name) SELECT max(s.place) + 1, erased::text FROM erasure_steps s;
    EXECUTE format(
        'CREATE POLICY erasure_owner ON %s TO CURRENT_USER USING (tenant_id = (SELECT tollgate_erasing())) WITH CHECK (tenant_id = (SELECT tollgate_erasing()))',
        erased);
END $$;
REVOKE ALL ON FUNCTION tollgate_erase_too(regclass) FROM PUBLIC;

SELECT tollgate_erase_too('intake_customers');
