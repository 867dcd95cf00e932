-- A person is proven by a password and a second factor, or by an OpenID provider.

ALTER TABLE console_people ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE console_people ADD COLUMN identity_hash BYTEA;
ALTER TABLE console_people ADD CONSTRAINT uq_console_people_identity_hash UNIQUE (identity_hash);
ALTER TABLE console_people
    ADD CONSTRAINT ck_console_people_proof CHECK ((password_hash IS NULL) <> (identity_hash IS NULL));
