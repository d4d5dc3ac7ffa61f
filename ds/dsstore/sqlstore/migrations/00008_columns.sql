-- +goose Up
-- What filters look at of many items lies together, column by column, so that a change of filters over a fleet is judged without reading its items.
CREATE TABLE blocks (
  collection BIGINT NOT NULL, after BIGINT NOT NULL, upto BIGINT NOT NULL, items BIGINT NOT NULL, form BIGINT NOT NULL,
  PRIMARY KEY (collection, upto)
);
CREATE TABLE columns (
  collection BIGINT NOT NULL, upto BIGINT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (collection, upto, name)
);

-- +goose Down
DROP TABLE columns;
DROP TABLE blocks;
