-- +goose Up
CREATE TABLE users (
  name TEXT PRIMARY KEY, password TEXT NOT NULL, admin INTEGER NOT NULL
);
CREATE TABLE devices (
  id TEXT PRIMARY KEY, user_name TEXT NOT NULL, credential TEXT NOT NULL, former TEXT NOT NULL, changed_at BIGINT NOT NULL,
  nonce TEXT NOT NULL, former_nonce TEXT NOT NULL, devinf BLOB, seen BIGINT NOT NULL
);
CREATE INDEX devices_user ON devices (user_name);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, device TEXT NOT NULL, opened BIGINT NOT NULL, renewed BIGINT NOT NULL, lease BIGINT NOT NULL,
  ending TEXT NOT NULL, ended BIGINT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX sessions_device ON sessions (device, opened);
CREATE TABLE collections (
  id INTEGER PRIMARY KEY, user_name TEXT NOT NULL, store TEXT NOT NULL, rev BIGINT NOT NULL, UNIQUE (user_name, store)
);
CREATE TABLE bodies (
  hash BLOB PRIMARY KEY, body BLOB NOT NULL
);
CREATE TABLE items (
  collection BIGINT NOT NULL, guid TEXT NOT NULL, rev BIGINT NOT NULL, deleted INTEGER NOT NULL, type TEXT NOT NULL,
  folder TEXT NOT NULL, name TEXT NOT NULL, flags TEXT NOT NULL, hash BLOB NOT NULL, size BIGINT NOT NULL,
  uid TEXT NOT NULL, modified BIGINT NOT NULL, written_by TEXT NOT NULL,
  PRIMARY KEY (collection, guid)
);
CREATE UNIQUE INDEX items_rev ON items (collection, rev);
CREATE INDEX items_uid ON items (collection, uid);
CREATE INDEX items_hash ON items (collection, hash);
CREATE TABLE history (
  id INTEGER PRIMARY KEY, collection BIGINT NOT NULL, guid TEXT NOT NULL, rev BIGINT NOT NULL, type TEXT NOT NULL, folder TEXT NOT NULL,
  name TEXT NOT NULL, flags TEXT NOT NULL, hash BLOB NOT NULL, size BIGINT NOT NULL, uid TEXT NOT NULL,
  modified BIGINT NOT NULL, written_by TEXT NOT NULL, kept BIGINT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX history_guid ON history (collection, guid);
CREATE TABLE links (
  device TEXT NOT NULL, collection BIGINT NOT NULL, client_last TEXT NOT NULL, client_next TEXT NOT NULL,
  server_last TEXT NOT NULL, server_next TEXT NOT NULL, done BIGINT NOT NULL,
  PRIMARY KEY (device, collection)
);
CREATE TABLE mappings (
  device TEXT NOT NULL, collection BIGINT NOT NULL, guid TEXT NOT NULL, luid TEXT NOT NULL, rev BIGINT NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY (device, collection, guid)
);
CREATE INDEX mappings_luid ON mappings (device, collection, luid);

-- +goose Down
DROP TABLE mappings;
DROP TABLE links;
DROP TABLE history;
DROP TABLE items;
DROP TABLE bodies;
DROP TABLE collections;
DROP TABLE sessions;
DROP TABLE devices;
DROP TABLE users;
