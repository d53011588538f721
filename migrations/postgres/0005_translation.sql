-- Translation between dialects: whether a key's requests may be answered by models that speak another dialect.

ALTER TABLE api_keys ADD COLUMN translation TEXT NOT NULL DEFAULT 'allow';
