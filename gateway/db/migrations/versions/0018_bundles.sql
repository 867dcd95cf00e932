-- A monthly allowance of message parts or messages: drawn at the accept, proven by the ledger.

-- What the message drew at the accept; its counter is `spend_counters` under the name `bundle`.
ALTER TABLE messages ADD COLUMN included INTEGER DEFAULT 0 NOT NULL;

-- What a settlement used of it: no money, and so no part of the sum.
ALTER TABLE ledger_transfers ADD COLUMN included BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE usage_batches ADD COLUMN included BIGINT[] DEFAULT '{}' NOT NULL;
ALTER TABLE usage_days ADD COLUMN included BIGINT DEFAULT 0 NOT NULL;
