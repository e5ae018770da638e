-- +goose Up
-- Whether the pool's folder bears its mark, so that an absent mount is known.
ALTER TABLE storage_pools ADD COLUMN marked BOOLEAN NOT NULL DEFAULT FALSE;
