-- What AWS Health says of a route: an operator's or EventBridge's notice, which degrades or disables it until it ends.

CREATE TABLE route_notices (
    account_id UUID NOT NULL,
    event TEXT NOT NULL,
    status TEXT NOT NULL,
    effect TEXT NOT NULL,
    reason TEXT NOT NULL,
    said_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_route_notices PRIMARY KEY (account_id, event),
    CONSTRAINT fk_route_notices_account_id_aws_accounts FOREIGN KEY(account_id) REFERENCES aws_accounts (id) ON DELETE CASCADE,
    CONSTRAINT ck_route_notices_status CHECK (status IN ('upcoming', 'open', 'closed')),
    CONSTRAINT ck_route_notices_effect CHECK (effect IN ('degrade', 'disable'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON route_notices TO tollgate_worker;
