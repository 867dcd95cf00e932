-- Caps per calendar month. The nil UUID owns the platform's.

CREATE TABLE budgets (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    cap BIGINT NOT NULL,
    counted BOOLEAN DEFAULT false NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_budgets PRIMARY KEY (tenant_id, name),
    CONSTRAINT ck_budgets_cap CHECK (cap >= 0)
);
SELECT tollgate_fence('budgets');
-- Not tollgate_watch: the column `counted` is no policy.
CREATE TRIGGER policy_version_of_caps AFTER INSERT OR DELETE OR UPDATE OF cap ON budgets
    FOR EACH ROW EXECUTE FUNCTION tollgate_raise_policy_version();
GRANT SELECT ON budgets TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON budgets TO tollgate_worker;

-- What was counted against them; a counter that would pass its cap is written as -1 and breaks the CHECK.

CREATE TABLE spend_counters (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    month DATE NOT NULL,
    used BIGINT NOT NULL,
    cap BIGINT NOT NULL,
    told SMALLINT DEFAULT 0 NOT NULL,
    stopped BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_spend_counters PRIMARY KEY (tenant_id, name, month),
    CONSTRAINT ck_spend_counters_used CHECK (used >= 0)
);
SELECT tollgate_fence('spend_counters');
GRANT SELECT ON spend_counters TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON spend_counters TO tollgate_worker;
GRANT SELECT, UPDATE ON spend_counters TO tollgate_ingest;

-- What AWS is expected to charge for a message: the platform's budgets count it, the drift report compares it.

ALTER TABLE messages ADD COLUMN cost_estimated BIGINT DEFAULT 0 NOT NULL;

-- What a tenant was told of its balance.

CREATE TABLE balance_marks (
    tenant_id UUID NOT NULL,
    last_top_up BIGINT NOT NULL,
    told SMALLINT DEFAULT 100 NOT NULL,
    refused BOOLEAN DEFAULT false NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE,
    requested_day DATE,
    requested_today SMALLINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_balance_marks PRIMARY KEY (tenant_id),
    CONSTRAINT ck_balance_marks_last_top_up CHECK (last_top_up > 0)
);
SELECT tollgate_fence('balance_marks');
GRANT SELECT ON balance_marks TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON balance_marks TO tollgate_worker;
