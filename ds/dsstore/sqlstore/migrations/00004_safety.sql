-- +goose Up
-- Deletions of a device that are not carried out yet, because its changes have not all come, or because they are so many that somebody has
-- to look at them.
CREATE TABLE deletions (
  device TEXT NOT NULL, collection BIGINT NOT NULL, guid TEXT NOT NULL, rev BIGINT NOT NULL, at BIGINT NOT NULL, held INTEGER NOT NULL,
  PRIMARY KEY (device, collection, guid)
);
CREATE INDEX history_kept ON history (kept);

-- +goose Down
DROP INDEX history_kept;
DROP TABLE deletions;
