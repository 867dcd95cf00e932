-- A state of its own: a tenant that is closed while it is suspended stays held, and another one's last messages leave.
ALTER TABLE tenants ADD COLUMN sends_held BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
UPDATE tenants SET sends_held = true WHERE state = 'suspended';
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
