-- A bundle that is given in the month in which another one was taken away goes on with its counter, so what that counted
-- is kept.

ALTER TABLE spend_counters ADD COLUMN counts TEXT;
