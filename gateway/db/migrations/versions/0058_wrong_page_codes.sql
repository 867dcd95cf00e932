-- Wrong guesses at a phone's codes are counted over all of its codes; where there were many, its codes are longer.

ALTER TABLE page_codes ADD COLUMN digits SMALLINT DEFAULT 6 NOT NULL;
ALTER TABLE page_codes ADD COLUMN wrong INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE page_codes ADD COLUMN wrong_since TIMESTAMP WITH TIME ZONE;
