-- A process that listens anew catches up with the last minutes: by ranges of pages, which cost inserts nothing.

CREATE INDEX ix_opt_outs_created_at ON opt_outs USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ix_opt_out_changes_at ON opt_out_changes USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
