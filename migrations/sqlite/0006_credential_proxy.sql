-- The outbound proxy of one credential, in place of its provider's: sealed, and as views show it.

ALTER TABLE credentials ADD COLUMN proxy_sealed BLOB;
ALTER TABLE credentials ADD COLUMN proxy_hint TEXT;
