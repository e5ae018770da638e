-- +goose Up
-- The rules of custom roles, in order. Those of default roles are in the
-- program.
CREATE TABLE role_permissions (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    role_id CHAR(36) NOT NULL,
    position INTEGER NOT NULL,
    pattern VARCHAR(100) NOT NULL,
    allow BOOLEAN NOT NULL,
    description VARCHAR(255) NOT NULL
){{.Table}};

CREATE INDEX role_permissions_role ON role_permissions (role_id, position);
CREATE INDEX accounts_role ON accounts (role_id);
