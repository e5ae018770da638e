-- +goose Up
-- Every change of a setting. What is NULL was, or is, not set there.
CREATE TABLE setting_changes (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    name VARCHAR(190) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    scope_id VARCHAR(36) NOT NULL,
    was {{.LongText}} NULL,
    now {{.LongText}} NULL,
    user_id VARCHAR(36) NOT NULL
){{.Table}};
CREATE INDEX setting_changes_name ON setting_changes (name, id);
