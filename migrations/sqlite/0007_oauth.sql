-- Accounts: how a credential authenticates and how fresh its token is; the vendors to connect with; sign-ins under way.

ALTER TABLE credentials ADD COLUMN auth TEXT NOT NULL DEFAULT 'api_key';
ALTER TABLE credentials ADD COLUMN oauth_vendor TEXT;
ALTER TABLE credentials ADD COLUMN account TEXT;
ALTER TABLE credentials ADD COLUMN scopes TEXT;
ALTER TABLE credentials ADD COLUMN token_expires_at INTEGER;
ALTER TABLE credentials ADD COLUMN token_refreshed_at INTEGER;
ALTER TABLE credentials ADD COLUMN token_error TEXT;
ALTER TABLE credentials ADD COLUMN token_error_at INTEGER;
ALTER TABLE credentials ADD COLUMN token_fault TEXT;
ALTER TABLE credentials ADD COLUMN token_failures INTEGER NOT NULL DEFAULT 0;
-- Grows with each stored token: a refresh replaces only the token that it started from.
ALTER TABLE credentials ADD COLUMN token_version INTEGER NOT NULL DEFAULT 0;
-- The instance that refreshes it right now, and until when others leave it alone.
ALTER TABLE credentials ADD COLUMN refresh_by TEXT;
ALTER TABLE credentials ADD COLUMN refresh_until INTEGER;

-- Only what the operator changed or added: presets are part of the program.
CREATE TABLE oauth_vendors (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    spec          TEXT NOT NULL,
    client_id     TEXT NOT NULL DEFAULT '',
    client_secret BLOB,
    secret_hint   TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX oauth_vendors_unique_name ON oauth_vendors (name);

CREATE TABLE oauth_flows (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    state_hash    BLOB NOT NULL,
    session_hash  BLOB NOT NULL,
    vendor        TEXT NOT NULL,
    provider_id   INTEGER NOT NULL REFERENCES providers (id),
    credential_id INTEGER REFERENCES credentials (id),
    way           TEXT NOT NULL,
    phase         TEXT NOT NULL,
    body          TEXT NOT NULL,
    sealed        BLOB NOT NULL,
    error_code    TEXT,
    error         TEXT,
    request_id    TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX oauth_flows_unique_state ON oauth_flows (state_hash);
CREATE INDEX oauth_flows_expires_at ON oauth_flows (expires_at);
