-- What the rules added to a message at its accept, and a wording's id in India's registry. Neither rewrites a row.

ALTER TABLE messages ADD COLUMN rulings JSONB;

ALTER TABLE template_versions ADD COLUMN dlt_template_id TEXT;
