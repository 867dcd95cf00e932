-- What stands in `content` is sealed with the tenant's data key; the scheduler seals what was kept before.

ALTER TABLE registration_attachments ADD COLUMN sealed BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX ix_registration_attachments_plain ON registration_attachments (tenant_id, id) WHERE NOT sealed;
