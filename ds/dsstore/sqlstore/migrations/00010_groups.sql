-- +goose Up
-- Groups of devices, and what is wanted of devices together: what follows for each of them is in settings. A device that nobody wants to be set to anything
-- any more returns to its own configuration (own). What is secret is sealed.
CREATE TABLE device_groups (
  name TEXT PRIMARY KEY, by_whom TEXT NOT NULL, at BIGINT NOT NULL
);
CREATE TABLE members (
  of_group TEXT NOT NULL, device TEXT NOT NULL, by_whom TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (of_group, device)
);
CREATE INDEX members_device ON members (device);
CREATE TABLE wishes (
  kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, secret INTEGER NOT NULL, by_whom TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (kind, name, key)
);
ALTER TABLE settings ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN secret INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE settings DROP COLUMN secret;
ALTER TABLE settings DROP COLUMN own;
DROP TABLE wishes;
DROP TABLE members;
DROP TABLE device_groups;
