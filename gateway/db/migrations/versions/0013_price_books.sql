-- Several named books, and lines by item and sender type.

CREATE TABLE price_books (
    name TEXT NOT NULL,
    example BOOLEAN DEFAULT false NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_price_books PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE ON price_books TO tollgate_worker;

ALTER TABLE prices
    ADD COLUMN book TEXT DEFAULT 'default' NOT NULL,
    ADD COLUMN item TEXT DEFAULT 'part' NOT NULL,
    ADD COLUMN sender_type TEXT DEFAULT '*' NOT NULL,
    DROP CONSTRAINT pk_prices,
    ADD CONSTRAINT pk_prices PRIMARY KEY (book, item, country, sender_type, channel, valid_from),
    ADD CONSTRAINT ck_prices_item CHECK (item IN ('part', 'carrier_fee', 'protect_fee', 'lease', 'registration'));
INSERT INTO price_books (name, example) SELECT 'default', min(valid_from) = '2000-01-01Z' AND max(valid_from) = '2000-01-01Z'
    FROM prices HAVING count(*) > 0;
