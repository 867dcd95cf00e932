-- Whether an operator enabled the route in the middle of the event: it is shown, and has no effect any more.

ALTER TABLE route_notices ADD COLUMN overruled BOOLEAN DEFAULT false NOT NULL;
