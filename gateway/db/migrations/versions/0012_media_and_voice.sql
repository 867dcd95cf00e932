-- What an MMS or a call has beside its body, and how long the call lasted. Null for every SMS.

ALTER TABLE messages ADD COLUMN content JSONB;
ALTER TABLE messages ADD COLUMN call_seconds INTEGER;

-- Each account has its own requests per second of each action, and a bucket for media in its own Region.

ALTER TABLE aws_accounts ADD COLUMN media_bucket TEXT;
ALTER TABLE aws_accounts ADD COLUMN media_per_second DOUBLE PRECISION DEFAULT '1' NOT NULL;
ALTER TABLE aws_accounts ADD COLUMN voice_per_second DOUBLE PRECISION DEFAULT '1' NOT NULL;

-- Files for MMS. The bytes are in S3 under a random key; the row says whose they are and where they lie.

CREATE TABLE media (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    test BOOLEAN NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BYTEA NOT NULL,
    object_key TEXT NOT NULL,
    staged JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_media PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_media_size_bytes CHECK (size_bytes > 0)
);
CREATE INDEX ix_media_expires_at ON media (expires_at);
SELECT tollgate_fence('media');
GRANT SELECT, INSERT ON media TO tollgate_app;
GRANT SELECT, DELETE ON media TO tollgate_worker;
GRANT SELECT (media_per_second, voice_per_second) ON aws_accounts TO tollgate_app;
