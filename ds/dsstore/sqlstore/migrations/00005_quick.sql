-- +goose Up
-- An id of a device belongs to one item: the database sees to that itself, in the statement that binds it. What is left of the mappings before
-- a slow sync, usually nothing, is found without looking at all of them at the end of each exchange.
DROP INDEX mappings_luid;
DELETE FROM mappings WHERE luid <> '' AND rowid NOT IN (SELECT MAX(rowid) FROM mappings WHERE luid <> '' GROUP BY device, collection, luid);
CREATE UNIQUE INDEX mappings_luid ON mappings (device, collection, luid) WHERE luid <> '';
CREATE INDEX mappings_former ON mappings (device, collection) WHERE former = 1;

-- +goose Down
DROP INDEX mappings_former;
DROP INDEX mappings_luid;
CREATE INDEX mappings_luid ON mappings (device, collection, luid);
