-- +goose Up
-- Whom an administrator looks at the portal as, and until when.
ALTER TABLE sessions ADD COLUMN view_as CHAR(36) NULL;
ALTER TABLE sessions ADD COLUMN view_until {{.DateTime}} NULL;
