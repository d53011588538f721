-- What to do about what a check found, beside what was said; null if all was well, or if nobody knows any more.

ALTER TABLE credentials ADD COLUMN check_remedy TEXT;
ALTER TABLE credential_checks ADD COLUMN remedy TEXT;
