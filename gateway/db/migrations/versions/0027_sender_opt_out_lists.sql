-- The list on which AWS keeps a sender's STOPs: a pool takes only senders that share its own.

ALTER TABLE senders ADD COLUMN opt_out_list TEXT;
GRANT SELECT (opt_out_list) ON senders TO tollgate_app;

-- Pools are the operator's to take away, too.

GRANT DELETE ON pools, pool_senders TO tollgate_worker;
