-- The variable of the process's environment that names a credential; null for one that was added otherwise.

ALTER TABLE credentials ADD COLUMN managed_by TEXT;
