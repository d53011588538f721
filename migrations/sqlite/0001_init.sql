-- Everything that version 0.1 stores. Times are milliseconds since 1970 (UTC), lists and objects JSON text.

CREATE TABLE providers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    group_tags TEXT NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    models TEXT NOT NULL,
    model_redirects TEXT NOT NULL,
    timeouts TEXT NOT NULL,
    proxy_sealed BLOB,
    proxy_hint TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX providers_unique_name ON providers (name) WHERE deleted_at IS NULL;

CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider_id INTEGER NOT NULL REFERENCES providers (id),
    name TEXT NOT NULL,
    tier TEXT NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    max_concurrency INTEGER,
    enabled INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    hint TEXT NOT NULL,
    rejected_at INTEGER,
    rejected_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX credentials_unique_name ON credentials (provider_id, name) WHERE deleted_at IS NULL;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    group_tags TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    expires_at INTEGER,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_unique_name ON users (name) WHERE deleted_at IS NULL;

-- Of a key only a keyed hash and its first characters are kept.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    group_tags TEXT NOT NULL,
    models TEXT NOT NULL,
    clients TEXT NOT NULL,
    ip_allow TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    expires_at INTEGER,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL,
    pepper_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_unique_hash ON api_keys (hash);
CREATE INDEX api_keys_user ON api_keys (user_id);

-- How often a key was used; apart from api_keys, so that bookkeeping never touches configuration.
CREATE TABLE key_usage (
    key_id INTEGER NOT NULL PRIMARY KEY,
    request_count INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row. Each change of configuration adds one to it in its own transaction.
CREATE TABLE config_revision (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO config_revision (id, revision) VALUES (1, 0);

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    client_ip TEXT,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    before_json TEXT,
    after_json TEXT
) STRICT;
CREATE INDEX audit_log_object ON audit_log (object, object_id, id);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TABLE dashboard_sessions (
    id_hash BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER,
    body TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dashboard_sessions_user ON dashboard_sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX dashboard_sessions_expires ON dashboard_sessions (expires_at);

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The request log. Ids are UUIDs of version 7 as text, so their order is that of arrival. Ids of users, keys and
-- providers are no foreign keys: a row outlives what it points at.
CREATE TABLE requests (
    id TEXT NOT NULL PRIMARY KEY,
    client_request_id TEXT,
    created_at INTEGER NOT NULL,
    user_id INTEGER,
    key_id INTEGER,
    provider_id INTEGER,
    credential_id INTEGER,
    session_id TEXT,
    endpoint TEXT NOT NULL,
    dialect TEXT NOT NULL,
    upstream_dialect TEXT,
    model TEXT,
    upstream_model TEXT,
    streaming INTEGER NOT NULL,
    status_code INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    is_error INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    first_byte_ms INTEGER,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    client_ip TEXT,
    user_agent TEXT,
    idempotency_key TEXT,
    attempts TEXT NOT NULL
) STRICT;
CREATE INDEX requests_created ON requests (created_at);
CREATE INDEX requests_user ON requests (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX requests_key ON requests (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX requests_provider ON requests (provider_id, id) WHERE provider_id IS NOT NULL;
CREATE INDEX requests_client ON requests (client_request_id) WHERE client_request_id IS NOT NULL;
CREATE INDEX requests_idempotency ON requests (created_at) WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_errors ON requests (id) WHERE is_error;

-- Apart from requests, so that lists stay narrow.
CREATE TABLE request_decision (
    id TEXT NOT NULL PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

-- Sums by UTC hour. 0 stands for an unknown user, key or provider, the empty text for an unknown model.
CREATE TABLE usage_hour (
    bucket INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    PRIMARY KEY (bucket, user_id, key_id, provider_id, model)
) STRICT, WITHOUT ROWID;

-- Histogram of the time to the first byte, by UTC hour.
CREATE TABLE latency_hour (
    bucket INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (bucket, provider_id, bin)
) STRICT, WITHOUT ROWID;

-- How far each node's journal has been applied.
CREATE TABLE ledger_position (
    node TEXT NOT NULL PRIMARY KEY,
    segment INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
