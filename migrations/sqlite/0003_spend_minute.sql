-- What every budget was charged in each of the last minutes, so that a start need not add up a day's requests one by
-- one. Kinds and names are those of usage_day; providers and credentials are charged what they cost, the others what
-- callers pay. Nothing stands here for a minute in which nothing was charged.
CREATE TABLE spend_minute (
    minute INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    amount_nano INTEGER NOT NULL,
    PRIMARY KEY (minute, kind, id, name)
) STRICT, WITHOUT ROWID;
-- It is whole from here on; what came before is older than any window that is told in minutes.
INSERT INTO meta (name, value)
SELECT 'spend_minutes_since', CAST(MAX(created_at) / 3600000 * 3600000 - 93600000 AS TEXT)
FROM requests HAVING COUNT(*) > 0;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'all', 0, '', SUM(r.cost_nano)
FROM requests r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.cost_nano > 0
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'user', r.user_id, '', SUM(r.cost_nano)
FROM requests r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.cost_nano > 0 AND r.user_id IS NOT NULL
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'key', r.key_id, '', SUM(r.cost_nano)
FROM requests r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.cost_nano > 0 AND r.key_id IS NOT NULL
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'package', r.grant_id, '', SUM(r.cost_nano)
FROM requests r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.cost_nano > 0 AND r.grant_id IS NOT NULL
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'group', 0, r.group_name, SUM(r.cost_nano)
FROM requests r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.cost_nano > 0 AND r.group_name IS NOT NULL
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'provider', r.provider_id, '', SUM(r.provider_cost_nano)
FROM (
    SELECT created_at, provider_id, provider_cost_nano FROM requests
    UNION ALL SELECT created_at, provider_id, provider_cost_nano FROM request_loss
) r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.provider_cost_nano > 0 AND r.provider_id IS NOT NULL
GROUP BY 1, 3, 4;
INSERT INTO spend_minute
SELECT r.created_at - r.created_at % 60000, 'credential', r.credential_id, '', SUM(r.provider_cost_nano)
FROM (
    SELECT created_at, credential_id, provider_cost_nano FROM requests
    UNION ALL SELECT created_at, credential_id, provider_cost_nano FROM request_loss
) r
WHERE r.created_at >= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'spend_minutes_since')
    AND r.provider_cost_nano > 0 AND r.credential_id IS NOT NULL
GROUP BY 1, 3, 4;
