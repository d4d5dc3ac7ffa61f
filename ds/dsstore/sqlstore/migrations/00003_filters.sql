-- +goose Up
-- Filters: what a device wants of a collection, what filters look at of an item, under which filter a device got what it has, and in
-- which form.
CREATE TABLE filters (
  device TEXT NOT NULL, collection BIGINT NOT NULL, filter TEXT NOT NULL, set_by TEXT NOT NULL, set_at BIGINT NOT NULL,
  travel TEXT NOT NULL, travel_until BIGINT NOT NULL,
  PRIMARY KEY (device, collection)
);
CREATE INDEX filters_set_at ON filters (set_at);
ALTER TABLE items ADD COLUMN facts BLOB;
ALTER TABLE mappings ADD COLUMN variant TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN roll BIGINT NOT NULL DEFAULT 0;
CREATE INDEX links_roll ON links (roll);

-- +goose Down
DROP INDEX links_roll;
ALTER TABLE links DROP COLUMN roll;
ALTER TABLE links DROP COLUMN scope;
ALTER TABLE mappings DROP COLUMN variant;
ALTER TABLE items DROP COLUMN facts;
DROP TABLE filters;
