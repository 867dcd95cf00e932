-- Public pages: what they are written from, how often their forms were used, codes that prove a phone.

CREATE TABLE hosted_pages (
    tenant_id UUID NOT NULL,
    settings JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_hosted_pages PRIMARY KEY (tenant_id)
);
SELECT tollgate_fence('hosted_pages');
GRANT SELECT, INSERT, UPDATE ON hosted_pages TO tollgate_app;
GRANT SELECT ON hosted_pages TO tollgate_worker;

CREATE TABLE form_hits (
    tenant_id UUID NOT NULL,
    bucket BYTEA NOT NULL,
    hits INTEGER NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_form_hits PRIMARY KEY (tenant_id, bucket)
);
CREATE INDEX ix_form_hits_began_at ON form_hits (tenant_id, began_at);
SELECT tollgate_fence('form_hits');
GRANT SELECT, INSERT, UPDATE, DELETE ON form_hits TO tollgate_app;
GRANT SELECT, DELETE ON form_hits TO tollgate_worker;

CREATE TABLE page_codes (
    tenant_id UUID NOT NULL,
    recipient_hash BYTEA NOT NULL,
    code_hash BYTEA NOT NULL,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_page_codes PRIMARY KEY (tenant_id, recipient_hash)
);
SELECT tollgate_fence('page_codes');
GRANT SELECT, INSERT, UPDATE, DELETE ON page_codes TO tollgate_app;
GRANT SELECT, DELETE ON page_codes TO tollgate_worker;
