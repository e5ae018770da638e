-- +goose Up
-- *_key columns hold the name in lower case while the row lives and NULL once it
-- is removed, so that a name is unique among the living and free afterwards.
CREATE TABLE domains (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    number BIGINT NOT NULL UNIQUE,
    parent_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    path VARCHAR(255) NOT NULL,
    full_name VARCHAR(700) NOT NULL,
    full_key VARCHAR(700) NULL UNIQUE,
    level INTEGER NOT NULL,
    network_domain VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL
){{.Table}};
CREATE INDEX domains_path ON domains (path);
CREATE INDEX domains_parent ON domains (parent_id);

CREATE TABLE roles (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL UNIQUE,
    type VARCHAR(16) NOT NULL,
    level INTEGER NOT NULL,
    description VARCHAR(255) NOT NULL,
    is_default BOOLEAN NOT NULL,
    is_public BOOLEAN NOT NULL,
    state VARCHAR(16) NOT NULL
){{.Table}};

CREATE TABLE accounts (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    number BIGINT NOT NULL UNIQUE,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    type INTEGER NOT NULL,
    role_id CHAR(36) NOT NULL,
    state VARCHAR(16) NOT NULL,
    network_domain VARCHAR(255) NOT NULL,
    api_key_access VARCHAR(16) NOT NULL,
    details {{.LongText}} NULL,
    is_default BOOLEAN NOT NULL,
    UNIQUE (domain_id, name_key)
){{.Table}};
CREATE INDEX accounts_path ON accounts (domain_path, name);

CREATE TABLE users (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    username VARCHAR(255) NOT NULL,
    login_key VARCHAR(255) NULL,
    password VARCHAR(255) NOT NULL,
    source VARCHAR(16) NOT NULL,
    first_name VARCHAR(255) NOT NULL,
    last_name VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    language VARCHAR(16) NOT NULL,
    theme VARCHAR(32) NOT NULL,
    state VARCHAR(16) NOT NULL,
    api_key VARCHAR(128) NULL UNIQUE,
    secret_key VARCHAR(512) NOT NULL,
    api_key_access VARCHAR(16) NOT NULL,
    is_default BOOLEAN NOT NULL,
    UNIQUE (domain_id, login_key)
){{.Table}};
CREATE INDEX users_account ON users (account_id);
CREATE INDEX users_path ON users (domain_path, username);

-- owner is an account's id or a domain's path.
CREATE TABLE quotas (
    owner VARCHAR(255) NOT NULL,
    kind INTEGER NOT NULL,
    used BIGINT NOT NULL,
    ceiling BIGINT NULL,
    PRIMARY KEY (owner, kind)
){{.Table}};

CREATE TABLE sessions (
    id CHAR(64) NOT NULL PRIMARY KEY,
    user_id CHAR(36) NOT NULL,
    created_at {{.DateTime}} NOT NULL,
    seen_at {{.DateTime}} NOT NULL,
    expires_at {{.DateTime}} NOT NULL,
    revoked_at {{.DateTime}} NULL,
    remote VARCHAR(64) NOT NULL,
    agent VARCHAR(255) NOT NULL,
    data {{.LongText}} NULL
){{.Table}};
CREATE INDEX sessions_user ON sessions (user_id, revoked_at);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- One row a user name, an address, and a name from an address.
CREATE TABLE login_delays (
    id CHAR(64) NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    last_at {{.DateTime}} NOT NULL,
    wait_until {{.DateTime}} NOT NULL,
    trusted_until {{.DateTime}} NULL
){{.Table}};
CREATE INDEX login_delays_last ON login_delays (last_at);

CREATE TABLE ldap_servers (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    domain_id VARCHAR(36) NOT NULL,
    position INTEGER NOT NULL,
    host VARCHAR(255) NOT NULL,
    port INTEGER NOT NULL,
    security VARCHAR(16) NOT NULL,
    ca_pem {{.LongText}} NULL,
    bind_dn VARCHAR(500) NOT NULL,
    bind_password VARCHAR(700) NOT NULL,
    base_dn VARCHAR(500) NOT NULL,
    user_class VARCHAR(64) NOT NULL,
    user_filter VARCHAR(500) NOT NULL,
    group_dn VARCHAR(500) NOT NULL,
    attr_username VARCHAR(64) NOT NULL,
    attr_email VARCHAR(64) NOT NULL,
    attr_first_name VARCHAR(64) NOT NULL,
    attr_last_name VARCHAR(64) NOT NULL,
    attr_member VARCHAR(64) NOT NULL
){{.Table}};
CREATE INDEX ldap_servers_domain ON ldap_servers (domain_id, position);

CREATE TABLE ldap_links (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    domain_id CHAR(36) NOT NULL UNIQUE,
    type VARCHAR(16) NOT NULL,
    name VARCHAR(500) NOT NULL,
    account_type INTEGER NOT NULL,
    role_id CHAR(36) NOT NULL
){{.Table}};

INSERT INTO roles (id, created_at, removed_at, name, name_key, type, level, description, is_default, is_public, state) VALUES
    ('0a000000-0000-7000-8000-000000000001', '2026-01-01 00:00:00', NULL, 'Root Admin', 'root admin', 'Admin', 100, 'Everything, everywhere', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000002', '2026-01-01 00:00:00', NULL, 'Resource Admin', 'resource admin', 'ResourceAdmin', 70, 'Resources of a domain', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000003', '2026-01-01 00:00:00', NULL, 'Domain Admin', 'domain admin', 'DomainAdmin', 60, 'A domain and all below it', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000004', '2026-01-01 00:00:00', NULL, 'User', 'user', 'User', 40, 'The resources of one account', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000005', '2026-01-01 00:00:00', NULL, 'Read-Only Admin', 'read-only admin', 'Admin', 80, 'Sees everything, changes nothing', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000006', '2026-01-01 00:00:00', NULL, 'Read-Only User', 'read-only user', 'User', 20, 'Sees one account, changes nothing', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000007', '2026-01-01 00:00:00', NULL, 'Support Admin', 'support admin', 'Admin', 90, 'Sees everything, helps with instances', 1, 1, 'enabled'),
    ('0a000000-0000-7000-8000-000000000008', '2026-01-01 00:00:00', NULL, 'Support User', 'support user', 'User', 30, 'Sees one account, helps with instances', 1, 1, 'enabled');

-- +goose Down
DROP TABLE ldap_links;
DROP TABLE ldap_servers;
DROP TABLE login_delays;
DROP TABLE sessions;
DROP TABLE quotas;
DROP TABLE users;
DROP TABLE accounts;
DROP TABLE roles;
DROP TABLE domains;
