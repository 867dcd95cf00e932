-- What messages are looked for by. Only the recipient's index holds every message; the others hold those with
-- something to find, so that a plain send writes one entry more.

CREATE INDEX ix_messages_recipient ON messages (tenant_id, recipient_hash, id);
CREATE INDEX ix_messages_reason ON messages (tenant_id, reason_code, id) WHERE reason_code IS NOT NULL;
CREATE INDEX ix_messages_bad_end ON messages (tenant_id, status, id)
    WHERE status IN ('undelivered', 'failed', 'expired', 'canceled', 'unknown');
CREATE INDEX ix_messages_client_reference ON messages (tenant_id, client_reference, id)
    WHERE client_reference IS NOT NULL;
