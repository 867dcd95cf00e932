-- A message is written four times in its life. In full pages nearly each time is a new row elsewhere with an
-- entry in every index: 1 % of the updates were HOT. With 30 % of each page free: 19 % (all that change no
-- indexed column), a quarter less WAL and a third less table and indexes for the same messages.

CREATE FUNCTION tollgate_leave_room() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    child regclass;
BEGIN
    FOR child IN
        SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'messages'::regclass AND NOT coalesce(c.reloptions @> ARRAY['fillfactor=70'], false)
    LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 70)', child);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION tollgate_leave_room() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tollgate_leave_room() TO tollgate_worker; -- after each new partition
SELECT tollgate_leave_room();
