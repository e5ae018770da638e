-- +goose Up
-- One row: a word that only the key of this database's secrets opens.
CREATE TABLE secret_check (
    id INTEGER NOT NULL PRIMARY KEY,
    sealed VARCHAR(255) NOT NULL
){{.Table}};
