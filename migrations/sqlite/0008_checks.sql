-- Health checks of credentials: what the last one said, how many failed in a row, who switched a credential off, and
-- the history. What a vendor says of an account's windows and balance is kept with it.

ALTER TABLE credentials ADD COLUMN check_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN checked_at INTEGER;
ALTER TABLE credentials ADD COLUMN check_result TEXT;
ALTER TABLE credentials ADD COLUMN check_message TEXT;
-- `admin` or `health_check` while it is switched off; null if nobody knows any more.
ALTER TABLE credentials ADD COLUMN disabled_by TEXT;
ALTER TABLE credentials ADD COLUMN disabled_at INTEGER;
ALTER TABLE credentials ADD COLUMN disabled_reason TEXT;
ALTER TABLE credentials ADD COLUMN allowance TEXT;
ALTER TABLE credentials ADD COLUMN allowance_at INTEGER;

-- Ids are no foreign keys: a row outlives what it points at.
CREATE TABLE credential_checks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credential_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    probe TEXT NOT NULL,
    result TEXT NOT NULL,
    status INTEGER,
    latency_ms INTEGER NOT NULL,
    message TEXT
) STRICT;
CREATE INDEX credential_checks_credential ON credential_checks (credential_id, id);
CREATE INDEX credential_checks_at ON credential_checks (at);
