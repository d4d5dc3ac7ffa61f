-- +goose Up
-- What administrators want devices to be set to. Of each device and key the row with the largest version holds; the others are its history.
CREATE TABLE settings (
  version INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, by_whom TEXT NOT NULL, at BIGINT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL, settled BIGINT NOT NULL, holds INTEGER NOT NULL
);
CREATE INDEX settings_device ON settings (device, version);
-- What the sessions of device management leave to the next one.
CREATE TABLE management (
  device TEXT PRIMARY KEY, own_nonce TEXT NOT NULL, device_nonce TEXT NOT NULL, session BIGINT NOT NULL
);
CREATE INDEX settings_unsettled ON settings (device) WHERE holds = 1 AND state = 'pending';

-- +goose Down
DROP TABLE management;
DROP TABLE settings;
