-- The ledger's platform side: what AWS charged and is owed, corrections, and holds that lapse.

ALTER TABLE ledger_transfers
    ADD COLUMN cogs BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN payable BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN about_id UUID,
    DROP CONSTRAINT ck_ledger_transfers_balanced,
    ADD CONSTRAINT ck_ledger_transfers_balanced CHECK (available + held + revenue + funding + adjustment + cogs + payable = 0),
    DROP CONSTRAINT ck_ledger_transfers_kind,
    ADD CONSTRAINT ck_ledger_transfers_kind CHECK (kind IN ('top_up', 'adjust', 'correction', 'fee', 'hold', 'capture', 'release', 'expire', 'recapture', 'cost', 'reconcile')),
    ADD CONSTRAINT ck_ledger_transfers_cost_apart CHECK ((cogs = 0 AND payable = 0) OR (kind IN ('cost', 'reconcile') AND unit = 'micros' AND available = 0 AND held = 0 AND revenue = 0 AND funding = 0 AND adjustment = 0)),
    ADD CONSTRAINT ck_ledger_transfers_corrections_say_why CHECK (note IS NOT NULL OR kind NOT IN ('correction', 'reconcile'));

-- Statements read what was moved by hand in a month, which is little among many messages.
CREATE INDEX ix_ledger_transfers_by_hand ON ledger_transfers (tenant_id, at) WHERE subject_id = id;

-- What AWS charged for a message as the ledger has it, and how often that was booked.

ALTER TABLE messages
    ADD COLUMN cost_micros BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN cost_revision SMALLINT DEFAULT '0' NOT NULL;

-- A message that was sent twice has two ids at AWS and two prices.

ALTER TABLE receipts
    ADD COLUMN provider_message_id TEXT,
    ADD COLUMN price_micros BIGINT,
    ADD COLUMN fee_micros BIGINT;

-- Settled messages that no day of usage has counted yet: a row per commit and tenant, written with the ledger.

CREATE TABLE usage_batches (
    tenant_id UUID NOT NULL,
    id UUID DEFAULT tollgate_uuid7() NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    message_ids UUID[] NOT NULL,
    message_ats TIMESTAMP WITH TIME ZONE[] NOT NULL,
    first BOOLEAN[] NOT NULL,
    charged BIGINT[] NOT NULL,
    cost_micros BIGINT[] NOT NULL,
    CONSTRAINT pk_usage_batches PRIMARY KEY (tenant_id, id)
);
SELECT tollgate_fence('usage_batches');
GRANT SELECT ON usage_batches TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_batches TO tollgate_worker;
GRANT INSERT ON usage_batches TO tollgate_ingest;

CREATE TABLE usage_days (
    tenant_id UUID NOT NULL,
    day DATE NOT NULL,
    country TEXT NOT NULL,
    channel TEXT NOT NULL,
    type TEXT NOT NULL,
    template_id UUID NOT NULL,
    sender TEXT NOT NULL,
    unit TEXT NOT NULL,
    messages BIGINT NOT NULL,
    parts BIGINT NOT NULL,
    charged BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    CONSTRAINT pk_usage_days PRIMARY KEY (tenant_id, day, country, channel, type, template_id, sender, unit)
);
SELECT tollgate_fence('usage_days');
GRANT SELECT ON usage_days TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON usage_days TO tollgate_worker;

-- What the proof of the books said, each time it was made; the newest is shown to the operator.

CREATE TABLE reconciliations (
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    tenants BIGINT NOT NULL,
    transfers BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    differences BIGINT NOT NULL,
    sample JSONB NOT NULL,
    CONSTRAINT pk_reconciliations PRIMARY KEY (id)
);
GRANT SELECT, INSERT, DELETE ON reconciliations TO tollgate_worker;
