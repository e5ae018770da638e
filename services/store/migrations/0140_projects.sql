-- +goose Up
-- A project's id is its account's, so that what the project owns names it.
CREATE TABLE projects (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL,
    display_text VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL,
    UNIQUE (domain_id, name_key)
){{.Table}};
CREATE INDEX projects_path ON projects (domain_path, name);

-- user_id is empty when the whole account is a member.
CREATE TABLE project_members (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    project_id CHAR(36) NOT NULL,
    account_id CHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    role VARCHAR(16) NOT NULL,
    role_id VARCHAR(36) NOT NULL,
    UNIQUE (project_id, account_id, user_id)
){{.Table}};
CREATE INDEX project_members_account ON project_members (account_id, user_id);
CREATE INDEX project_members_role ON project_members (role_id);

-- Whom an invitation is for: an account, a user of it, or whoever has the token
-- that was sent to an address. token is a digest.
CREATE TABLE project_invitations (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    project_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    account_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    email VARCHAR(255) NOT NULL,
    role VARCHAR(16) NOT NULL,
    role_id VARCHAR(36) NOT NULL,
    token CHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    expires_at {{.DateTime}} NOT NULL
){{.Table}};
CREATE INDEX project_invitations_project ON project_invitations (project_id, state);
CREATE INDEX project_invitations_account ON project_invitations (account_id, state);
CREATE INDEX project_invitations_token ON project_invitations (token);

CREATE TABLE project_roles (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    project_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL,
    description VARCHAR(255) NOT NULL,
    UNIQUE (project_id, name_key)
){{.Table}};

CREATE TABLE project_rules (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    project_id CHAR(36) NOT NULL,
    role_id CHAR(36) NOT NULL,
    position INTEGER NOT NULL,
    pattern VARCHAR(100) NOT NULL,
    allow BOOLEAN NOT NULL,
    description VARCHAR(255) NOT NULL,
    UNIQUE (role_id, pattern)
){{.Table}};
CREATE INDEX project_rules_project ON project_rules (project_id);

-- Whether the default limits are those of projects.
ALTER TABLE quotas ADD COLUMN project BOOLEAN NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE quotas DROP COLUMN project;
DROP TABLE project_rules;
DROP TABLE project_roles;
DROP TABLE project_invitations;
DROP TABLE project_members;
DROP TABLE projects;
