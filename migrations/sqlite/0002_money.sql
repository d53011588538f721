-- Money: prices, multipliers, limits, packages, and what every request cost. Amounts are whole nano-USD (1e-9 USD),
-- multipliers whole millionths.

ALTER TABLE providers ADD COLUMN cost_multiplier INTEGER NOT NULL DEFAULT 1000000;
ALTER TABLE providers ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE providers ADD COLUMN usage_reset_at INTEGER;
ALTER TABLE credentials ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credentials ADD COLUMN usage_reset_at INTEGER;
ALTER TABLE users ADD COLUMN price_rate INTEGER NOT NULL DEFAULT 1000000;
ALTER TABLE users ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN usage_reset_at INTEGER;
ALTER TABLE api_keys ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_keys ADD COLUMN grant_id INTEGER;
ALTER TABLE api_keys ADD COLUMN usage_reset_at INTEGER;
ALTER TABLE key_usage ADD COLUMN cost_nano INTEGER NOT NULL DEFAULT 0;

-- Prices that differ from the table that comes with the program.
CREATE TABLE prices (
    model TEXT NOT NULL PRIMARY KEY,
    spec TEXT NOT NULL,
    source TEXT NOT NULL,
    origin TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Rates and limits of groups. A group itself is no row: it is a tag on providers, users and keys.
CREATE TABLE provider_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    price_rate INTEGER NOT NULL,
    limits TEXT NOT NULL,
    usage_reset_at INTEGER,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX provider_groups_unique_name ON provider_groups (name);

CREATE TABLE packages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX packages_unique_name ON packages (name) WHERE deleted_at IS NULL;

-- What a user was granted: the package as it was then, because changes of a template do not reach it.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    package_id INTEGER REFERENCES packages (id),
    spec TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER,
    disabled_at INTEGER,
    usage_reset_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX grants_user ON grants (user_id, id);
CREATE INDEX grants_package ON grants (package_id) WHERE package_id IS NOT NULL;

ALTER TABLE requests ADD COLUMN audio_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN audio_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN image_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN image_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN images INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN web_searches INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN service_tier TEXT;
ALTER TABLE requests ADD COLUMN cost_nano INTEGER NOT NULL DEFAULT 0 CHECK (cost_nano >= 0);
ALTER TABLE requests ADD COLUMN base_cost_nano INTEGER NOT NULL DEFAULT 0 CHECK (base_cost_nano >= 0);
ALTER TABLE requests ADD COLUMN provider_cost_nano INTEGER NOT NULL DEFAULT 0 CHECK (provider_cost_nano >= 0);
ALTER TABLE requests ADD COLUMN held_nano INTEGER NOT NULL DEFAULT 0 CHECK (held_nano >= 0);
ALTER TABLE requests ADD COLUMN price_state TEXT NOT NULL DEFAULT 'none';
ALTER TABLE requests ADD COLUMN group_name TEXT;
ALTER TABLE requests ADD COLUMN grant_id INTEGER;

-- Requests from before this version were never priced; those that reached an upstream wait for a price.
UPDATE requests SET price_state = 'unpriced' WHERE upstream_dialect IS NOT NULL;

-- Holds all that the spending of the last hours is summed from, so that the rows themselves are not read.
DROP INDEX requests_created;
CREATE INDEX requests_created ON requests (created_at, user_id, key_id, provider_id, credential_id, group_name,
    grant_id, cost_nano, provider_cost_nano);
CREATE INDEX requests_credential ON requests (credential_id, id) WHERE credential_id IS NOT NULL;
CREATE INDEX requests_model ON requests (model, id) WHERE model IS NOT NULL;
CREATE INDEX requests_session ON requests (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX requests_grant ON requests (grant_id, id) WHERE grant_id IS NOT NULL;
CREATE INDEX requests_code ON requests (error_code, id) WHERE error_code IS NOT NULL;
CREATE INDEX requests_failed ON requests (id) WHERE status_code >= 400;
CREATE INDEX requests_unpriced ON requests (id) WHERE price_state = 'unpriced';

-- The cost of a request taken apart; apart from requests, so that lists stay narrow.
CREATE TABLE request_bill (
    id TEXT NOT NULL PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

-- What attempts before the last cost their providers; most requests have none.
CREATE TABLE request_loss (
    request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    provider_cost_nano INTEGER NOT NULL CHECK (provider_cost_nano >= 0),
    PRIMARY KEY (request_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_loss_created ON request_loss (created_at);

-- Sums by UTC hour, now with costs, by credential, group and grant too. 0 and the empty text stand for unknown or none.
ALTER TABLE usage_hour RENAME TO usage_hour_1;
CREATE TABLE usage_hour (
    bucket INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    group_name TEXT NOT NULL,
    grant_id INTEGER NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL CHECK (cost_nano >= 0),
    base_cost_nano INTEGER NOT NULL CHECK (base_cost_nano >= 0),
    provider_cost_nano INTEGER NOT NULL CHECK (provider_cost_nano >= 0),
    PRIMARY KEY (bucket, user_id, key_id, provider_id, credential_id, group_name, grant_id, model)
) STRICT, WITHOUT ROWID;
-- What the request log still holds is summed anew, because only there the credentials are known …
INSERT INTO usage_hour
SELECT r.created_at - r.created_at % 3600000, COALESCE(r.user_id, 0), COALESCE(r.key_id, 0),
    COALESCE(r.provider_id, 0), COALESCE(r.credential_id, 0), '', 0, COALESCE(r.model, ''), COUNT(*),
    SUM(CASE WHEN r.is_error THEN 1 ELSE 0 END), SUM(CASE WHEN r.outcome = 'refused' THEN 1 ELSE 0 END),
    SUM(r.input_tokens), SUM(r.output_tokens), SUM(r.cache_read_tokens), SUM(r.cache_write_tokens),
    SUM(CASE WHEN r.price_state = 'unpriced' THEN 1 ELSE 0 END), 0, 0, 0
FROM requests r
GROUP BY 1, 2, 3, 4, 5, 8;
-- … up to here rows were pruned, so that rows and sums cannot be compared …
INSERT INTO meta (name, value)
SELECT 'requests_pruned_before', CAST(MAX(h.bucket) + 3600000 AS TEXT)
FROM (SELECT bucket, SUM(requests) AS requests FROM usage_hour_1 GROUP BY bucket) h
LEFT JOIN (SELECT bucket, SUM(requests) AS requests FROM usage_hour GROUP BY bucket) n ON n.bucket = h.bucket
WHERE h.requests > COALESCE(n.requests, 0)
HAVING COUNT(*) > 0;
-- … and what was pruned stays as it was summed then.
INSERT INTO usage_hour
SELECT h.bucket, h.user_id, h.key_id, h.provider_id, 0, '', 0, h.model,
    h.requests - COALESCE(n.requests, 0), h.errors - COALESCE(n.errors, 0), h.refused - COALESCE(n.refused, 0),
    h.input_tokens - COALESCE(n.input_tokens, 0), h.output_tokens - COALESCE(n.output_tokens, 0),
    h.cache_read_tokens - COALESCE(n.cache_read_tokens, 0),
    h.cache_write_tokens - COALESCE(n.cache_write_tokens, 0), 0, 0, 0, 0
FROM usage_hour_1 h
LEFT JOIN (
    SELECT bucket, user_id, key_id, provider_id, model, SUM(requests) AS requests, SUM(errors) AS errors,
        SUM(refused) AS refused, SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
        SUM(cache_read_tokens) AS cache_read_tokens, SUM(cache_write_tokens) AS cache_write_tokens
    FROM usage_hour GROUP BY bucket, user_id, key_id, provider_id, model
) n ON n.bucket = h.bucket AND n.user_id = h.user_id AND n.key_id = h.key_id AND n.provider_id = h.provider_id
    AND n.model = h.model
WHERE h.requests > COALESCE(n.requests, 0)
ON CONFLICT (bucket, user_id, key_id, provider_id, credential_id, group_name, grant_id, model) DO UPDATE SET
    requests = usage_hour.requests + excluded.requests,
    errors = usage_hour.errors + excluded.errors,
    refused = usage_hour.refused + excluded.refused,
    input_tokens = usage_hour.input_tokens + excluded.input_tokens,
    output_tokens = usage_hour.output_tokens + excluded.output_tokens,
    cache_read_tokens = usage_hour.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = usage_hour.cache_write_tokens + excluded.cache_write_tokens;
DROP TABLE usage_hour_1;
CREATE INDEX usage_hour_user ON usage_hour (user_id, bucket);
CREATE INDEX usage_hour_key ON usage_hour (key_id, bucket);

-- The same by UTC day and by one thing at a time, so that long spans are read quickly: everything, a user, a key, a
-- provider, a credential, a grant, a group or a model. Things without an identity have a name.
CREATE TABLE usage_day (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    day INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL CHECK (cost_nano >= 0),
    base_cost_nano INTEGER NOT NULL CHECK (base_cost_nano >= 0),
    provider_cost_nano INTEGER NOT NULL CHECK (provider_cost_nano >= 0),
    PRIMARY KEY (kind, id, name, day)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_day
SELECT 'all', 0, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'user', user_id, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'key', key_id, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'provider', provider_id, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'credential', credential_id, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'package', grant_id, '', bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'group', 0, group_name, bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;
INSERT INTO usage_day
SELECT 'model', 0, model, bucket - bucket % 86400000, SUM(requests), SUM(errors), SUM(refused), SUM(input_tokens),
    SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(unpriced), SUM(cost_nano),
    SUM(base_cost_nano), SUM(provider_cost_nano)
FROM usage_hour GROUP BY 2, 3, 4;

-- Corrections of costs: which rows, from what, to what. They stay for ever, also when the rows are pruned.
CREATE TABLE adjustments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed INTEGER NOT NULL,
    before_nano INTEGER NOT NULL,
    after_nano INTEGER NOT NULL
) STRICT;
CREATE TABLE adjustment_rows (
    adjustment_id INTEGER NOT NULL REFERENCES adjustments (id),
    request_id TEXT NOT NULL,
    state_before TEXT NOT NULL,
    cost_before INTEGER NOT NULL,
    base_cost_before INTEGER NOT NULL,
    provider_cost_before INTEGER NOT NULL,
    state_after TEXT NOT NULL,
    cost_after INTEGER NOT NULL,
    base_cost_after INTEGER NOT NULL,
    provider_cost_after INTEGER NOT NULL,
    PRIMARY KEY (adjustment_id, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX adjustment_rows_request ON adjustment_rows (request_id);

-- When the running window of five hours began, of limits whose window begins with the first use.
CREATE TABLE budget_anchor (
    scope TEXT NOT NULL,
    scope_id INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (scope, scope_id)
) STRICT, WITHOUT ROWID;

-- What each of several instances may spend of a budget that they share; both amounts only grow.
CREATE TABLE budget_share (
    scope TEXT NOT NULL,
    scope_id INTEGER NOT NULL,
    node TEXT NOT NULL,
    granted_nano INTEGER NOT NULL CHECK (granted_nano >= 0),
    consumed_nano INTEGER NOT NULL CHECK (consumed_nano >= 0),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, scope_id, node)
) STRICT, WITHOUT ROWID;
