-- Numbers that a tenant has shown to be in its hands. What counts for a send is the state, so only that raises
-- the policy: attempts and codes are nobody's matter but the confirmation's.

CREATE TABLE verified_numbers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    test BOOLEAN NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    country TEXT NOT NULL,
    account_id UUID,
    aws_id TEXT,
    state TEXT DEFAULT 'pending' NOT NULL,
    code_hash BYTEA,
    code_expires_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT '0' NOT NULL,
    codes_sent INTEGER DEFAULT '0' NOT NULL,
    codes_since TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_verified_numbers PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_verified_numbers_tenant_id_test_recipient_hash UNIQUE (tenant_id, test, recipient_hash),
    CONSTRAINT ck_verified_numbers_state CHECK (state IN ('pending', 'verified', 'removed'))
);
CREATE UNIQUE INDEX ux_verified_numbers_aws_id ON verified_numbers (account_id, aws_id) WHERE aws_id IS NOT NULL;
SELECT tollgate_fence('verified_numbers');
CREATE TRIGGER policy_version_of_state AFTER UPDATE OF state ON verified_numbers
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tollgate_raise_policy_version();
CREATE TRIGGER policy_version_of_rows AFTER DELETE ON verified_numbers
    FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version();
GRANT SELECT, INSERT, UPDATE, DELETE ON verified_numbers TO tollgate_app;
GRANT SELECT ON verified_numbers TO tollgate_worker;

-- An account in AWS's sandbox reaches verified numbers and simulators only.

ALTER TABLE aws_accounts ADD COLUMN sandbox BOOLEAN DEFAULT false NOT NULL;
GRANT SELECT (sandbox) ON aws_accounts TO tollgate_app;
CREATE TRIGGER policy_version_of_tier AFTER UPDATE OF sandbox ON aws_accounts
    FOR EACH ROW WHEN (OLD.sandbox IS DISTINCT FROM NEW.sandbox)
    EXECUTE FUNCTION tollgate_raise_every_policy_version();
