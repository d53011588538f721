-- Routing and resilience: rules per provider, strategies per group, the states of credentials and their history, model
-- aliases, error rules.

ALTER TABLE providers ADD COLUMN routing TEXT NOT NULL DEFAULT '{}';
ALTER TABLE provider_groups ADD COLUMN strategy TEXT;

-- state_version grows with each change of the state; a change names the one that it saw.
ALTER TABLE credentials ADD COLUMN state TEXT NOT NULL DEFAULT 'valid';
ALTER TABLE credentials ADD COLUMN state_until INTEGER;
ALTER TABLE credentials ADD COLUMN state_reason TEXT;
ALTER TABLE credentials ADD COLUMN state_since INTEGER;
ALTER TABLE credentials ADD COLUMN state_version INTEGER NOT NULL DEFAULT 0;
UPDATE credentials SET state = 'invalid', state_reason = rejected_reason, state_since = rejected_at
WHERE rejected_at IS NOT NULL;
ALTER TABLE credentials DROP COLUMN rejected_at;
ALTER TABLE credentials DROP COLUMN rejected_reason;

-- Ids in both histories are no foreign keys: a row outlives what it points at.
CREATE TABLE credential_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credential_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    until INTEGER,
    reason TEXT,
    cause TEXT NOT NULL,
    request_id TEXT
) STRICT;
CREATE INDEX credential_events_credential ON credential_events (credential_id, id);
CREATE INDEX credential_events_at ON credential_events (at);

CREATE TABLE breaker_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    model TEXT,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX breaker_events_provider ON breaker_events (provider_id, id);
CREATE INDEX breaker_events_at ON breaker_events (at);

-- Names that callers use, and the models that stand for them, best first.
CREATE TABLE aliases (
    name TEXT NOT NULL PRIMARY KEY,
    targets TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- What upstreams' errors mean, where the built-in reading is not enough.
CREATE TABLE error_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    status INTEGER,
    kind TEXT,
    contains TEXT,
    class TEXT NOT NULL,
    cooldown_s INTEGER,
    answer_status INTEGER,
    answer_message TEXT,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX error_rules_unique_name ON error_rules (name);
