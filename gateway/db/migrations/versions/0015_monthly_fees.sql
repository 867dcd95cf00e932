-- What a tenant owes for a month beside its messages, and whether it is in the ledger.

CREATE TABLE monthly_fees (
    tenant_id UUID NOT NULL,
    month DATE NOT NULL,
    item TEXT NOT NULL,
    subject_id UUID NOT NULL,
    amount BIGINT NOT NULL,
    unit TEXT NOT NULL,
    note TEXT NOT NULL,
    charged BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_monthly_fees PRIMARY KEY (tenant_id, month, item, subject_id),
    CONSTRAINT ck_monthly_fees_amount CHECK (amount > 0)
);
SELECT tollgate_fence('monthly_fees');
GRANT SELECT ON monthly_fees TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON monthly_fees TO tollgate_worker;
