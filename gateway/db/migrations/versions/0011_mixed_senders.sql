-- Whether the operator let a sender carry promotional messages beside others. A constant default rewrites no row.

ALTER TABLE senders ADD COLUMN allow_mixed BOOLEAN DEFAULT false NOT NULL;
