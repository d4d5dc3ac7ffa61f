-- +goose Up
-- Why each device was notified or not, and what came of its exchanges; and whether it is connected to the broker.
CREATE TABLE events (
  id INTEGER PRIMARY KEY, device TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL, outcome TEXT NOT NULL,
  first BIGINT NOT NULL, at BIGINT NOT NULL, times BIGINT NOT NULL
);
CREATE INDEX events_device ON events (device, id);
CREATE TABLE presence (
  device TEXT PRIMARY KEY, online INTEGER NOT NULL, since BIGINT NOT NULL
);

-- +goose Down
DROP TABLE presence;
DROP TABLE events;
