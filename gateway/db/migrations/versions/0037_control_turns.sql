-- When an account's control action may be called next: AWS counts each action, whichever process calls it.

CREATE TABLE control_turns (
    account_id UUID NOT NULL,
    action TEXT NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_control_turns PRIMARY KEY (account_id, action)
);
GRANT SELECT, INSERT, UPDATE ON control_turns TO tollgate_worker;
