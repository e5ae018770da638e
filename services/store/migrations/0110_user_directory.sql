-- +goose Up
-- The entry of a directory that a user was imported from; empty until the first
-- login, and for users of Aerie's own.
ALTER TABLE users ADD COLUMN directory_entry VARCHAR(128) NOT NULL DEFAULT '';
