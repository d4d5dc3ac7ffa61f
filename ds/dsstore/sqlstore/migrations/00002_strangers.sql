-- +goose Up
-- What peers of others need: items that lost their UID are found by what they have in common, the mappings before a slow sync help to
-- match, and an exchange that was cut off can be resumed.
ALTER TABLE items ADD COLUMN alike TEXT NOT NULL DEFAULT '';
CREATE INDEX items_alike ON items (collection, alike);
ALTER TABLE mappings ADD COLUMN former INTEGER NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN running INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE links DROP COLUMN running;
ALTER TABLE mappings DROP COLUMN former;
DROP INDEX items_alike;
ALTER TABLE items DROP COLUMN alike;
