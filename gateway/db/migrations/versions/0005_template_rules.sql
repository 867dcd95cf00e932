-- What a template is for, its languages, what the linter said of it and who decided. The defaults are
-- constants, so no row is rewritten.

ALTER TABLE template_versions
    ADD COLUMN use_case TEXT,
    ADD COLUMN locale TEXT,
    ADD COLUMN variants JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN findings JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN decided_by TEXT,
    ADD CONSTRAINT ck_template_versions_decided_by CHECK (decided_by IN ('operator', 'linter', 'tenant'));
