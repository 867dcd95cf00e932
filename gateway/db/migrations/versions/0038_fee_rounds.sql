-- Until when monthly fees are written down, so that a month in which nobody wrote them is made up for.

CREATE TABLE fee_rounds (
    name TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_fee_rounds PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE ON fee_rounds TO tollgate_worker;
