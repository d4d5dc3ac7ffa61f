-- +goose Up
-- What a device made its version of a conflict from, so that it is known by what it says next whether it has heard of the conflict.
ALTER TABLE mappings ADD COLUMN base TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE mappings DROP COLUMN base;
