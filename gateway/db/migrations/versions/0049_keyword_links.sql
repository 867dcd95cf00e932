-- What AWS has been told that STOP and HELP answer, beside what it says itself.

CREATE TABLE keyword_links (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    arn TEXT NOT NULL,
    told JSONB DEFAULT '{}' NOT NULL,
    compared_at TIMESTAMP WITH TIME ZONE,
    retry_at TIMESTAMP WITH TIME ZONE,
    drift JSONB DEFAULT '[]' NOT NULL,
    fault TEXT,
    CONSTRAINT pk_keyword_links PRIMARY KEY (tenant_id, account_id, arn)
);
SELECT tollgate_fence('keyword_links');
GRANT SELECT, INSERT, UPDATE, DELETE ON keyword_links TO tollgate_worker;
