-- Every change of an opt-out, for good: who asked, by which way, when.

ALTER TABLE opt_outs DROP CONSTRAINT ck_opt_outs_source;
ALTER TABLE opt_outs ADD CONSTRAINT ck_opt_outs_source CHECK (source IN ('api', 'csv', 'keyword', 'page', 'call_centre', 'aws_list', 'carrier', 'operator', 'web'));

CREATE TABLE opt_out_changes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    list_name TEXT NOT NULL,
    recipient_hash BYTEA NOT NULL,
    number_sealed BYTEA NOT NULL,
    change TEXT NOT NULL,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    inbound_id UUID,
    note TEXT,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_opt_out_changes PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_opt_out_changes_change CHECK (change IN ('opted_out', 'opted_in')),
    CONSTRAINT ck_opt_out_changes_source CHECK (source IN ('api', 'csv', 'keyword', 'page', 'call_centre', 'aws_list', 'carrier', 'operator', 'web'))
);
CREATE INDEX ix_opt_out_changes_recipient ON opt_out_changes (tenant_id, recipient_hash);
SELECT tollgate_fence('opt_out_changes');
GRANT SELECT, INSERT ON opt_out_changes TO tollgate_app, tollgate_worker;

-- The inbox: the ingest role parks a text as it came, a worker takes it from there. The notice wakes the worker.

ALTER TABLE parked_receipts ADD COLUMN tries SMALLINT DEFAULT '0' NOT NULL;
CREATE INDEX ix_parked_receipts_inbound ON parked_receipts (received_at) WHERE reason IN ('inbound', 'no_such_number');

CREATE FUNCTION tollgate_notify_inbound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tollgate_inbound', '');
    RETURN NULL;
END $$;
CREATE TRIGGER inbound_notice AFTER INSERT ON parked_receipts
    FOR EACH ROW WHEN (NEW.reason = 'inbound') EXECUTE FUNCTION tollgate_notify_inbound();

CREATE TABLE inbound_seen (
    provider_message_id TEXT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_inbound_seen PRIMARY KEY (provider_message_id)
);
CREATE INDEX ix_inbound_seen_seen_at ON inbound_seen (seen_at);
GRANT SELECT, INSERT, DELETE ON inbound_seen TO tollgate_worker;

CREATE TABLE inbound_messages (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    provider_message_id TEXT NOT NULL,
    sender_id UUID NOT NULL,
    sender_value TEXT NOT NULL,
    country TEXT,
    recipient_hash BYTEA NOT NULL,
    from_sealed BYTEA NOT NULL,
    body_sealed BYTEA,
    keyword TEXT,
    action TEXT,
    lists TEXT[] DEFAULT '{}' NOT NULL,
    previous_message_id UUID,
    reply TEXT NOT NULL,
    reply_detail TEXT,
    reply_at TIMESTAMP WITH TIME ZONE,
    reply_message_id UUID,
    CONSTRAINT pk_inbound_messages PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_inbound_messages_action CHECK (action IN ('opt_out', 'opt_in', 'help', 'reply')),
    CONSTRAINT ck_inbound_messages_reply CHECK (reply IN ('none', 'due', 'sent', 'refused', 'withheld', 'by_aws', 'by_carrier'))
);
CREATE INDEX ix_inbound_messages_recipient ON inbound_messages (tenant_id, recipient_hash, created_at);
CREATE INDEX ix_inbound_messages_created_at ON inbound_messages (created_at);
SELECT tollgate_fence('inbound_messages');
GRANT SELECT ON inbound_messages TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbound_messages TO tollgate_worker;

CREATE TABLE inbound_replies (
    tenant_id UUID NOT NULL,
    inbound_id UUID NOT NULL,
    kind TEXT NOT NULL,
    lists TEXT[] DEFAULT '{}' NOT NULL,
    text_sealed BYTEA NOT NULL,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbound_replies PRIMARY KEY (tenant_id, inbound_id),
    CONSTRAINT ck_inbound_replies_kind CHECK (kind IN ('stop', 'help', 'join', 'own'))
);
CREATE INDEX ix_inbound_replies_due_at ON inbound_replies (due_at);
SELECT tollgate_fence('inbound_replies');
GRANT SELECT, INSERT, UPDATE, DELETE ON inbound_replies TO tollgate_worker;

-- Words of the tenant's own, and what the built-in ones answer, language by language.

CREATE TABLE keywords (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    word TEXT NOT NULL,
    folded TEXT NOT NULL,
    country TEXT DEFAULT '' NOT NULL,
    action TEXT NOT NULL,
    list_name TEXT,
    reply TEXT,
    registered BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_keywords PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_keywords_tenant_id_folded_country UNIQUE (tenant_id, folded, country),
    CONSTRAINT ck_keywords_action CHECK (action IN ('reply', 'opt_out', 'opt_in', 'help'))
);
SELECT tollgate_fence('keywords');
GRANT SELECT, INSERT, UPDATE, DELETE ON keywords TO tollgate_app, tollgate_worker;

CREATE TABLE keyword_texts (
    tenant_id UUID NOT NULL,
    keyword TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_keyword_texts PRIMARY KEY (tenant_id, keyword, language),
    CONSTRAINT ck_keyword_texts_keyword CHECK (keyword IN ('STOP', 'HELP', 'JOIN'))
);
SELECT tollgate_fence('keyword_texts');
GRANT SELECT, INSERT, UPDATE, DELETE ON keyword_texts TO tollgate_app, tollgate_worker;

-- Who answers STOP and HELP on a number, and what a STOP there stops.

CREATE TABLE two_way_settings (
    tenant_id UUID NOT NULL,
    sender_id UUID NOT NULL,
    opt_outs TEXT NOT NULL,
    stop_scope TEXT NOT NULL,
    confirmed_by TEXT,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_two_way_settings PRIMARY KEY (tenant_id, sender_id),
    CONSTRAINT fk_two_way_settings_tenant_id_sender_id FOREIGN KEY(tenant_id, sender_id) REFERENCES senders (tenant_id, id),
    CONSTRAINT ck_two_way_settings_opt_outs CHECK (opt_outs IN ('managed', 'self_managed', 'carrier')),
    CONSTRAINT ck_two_way_settings_stop_scope CHECK (stop_scope IN ('everything', 'use_case'))
);
SELECT tollgate_fence('two_way_settings');
GRANT SELECT ON two_way_settings TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON two_way_settings TO tollgate_worker;

-- AWS's opt-out lists beside ours: how far each was followed, and what differed.

CREATE TABLE opt_out_links (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    aws_list TEXT NOT NULL,
    followed UUID,
    compared_at TIMESTAMP WITH TIME ZONE,
    drift JSONB DEFAULT '[]' NOT NULL,
    fault TEXT,
    CONSTRAINT pk_opt_out_links PRIMARY KEY (tenant_id, account_id, aws_list)
);
SELECT tollgate_fence('opt_out_links');
GRANT SELECT, INSERT, UPDATE, DELETE ON opt_out_links TO tollgate_worker;

-- A number of a text that came in is looked up by what it shows.

CREATE INDEX ix_senders_value ON senders (value) WHERE state <> 'released';
