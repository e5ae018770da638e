-- +goose Up
-- How groups within groups are found.
ALTER TABLE ldap_servers ADD COLUMN nesting VARCHAR(16) NOT NULL DEFAULT 'search';

-- Which account a group's or unit's people belong to. name_key is a digest of
-- the DN, which is too long for an index.
CREATE TABLE ldap_account_links (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    domain_id CHAR(36) NOT NULL,
    account_id CHAR(36) NOT NULL UNIQUE,
    type VARCHAR(16) NOT NULL,
    name VARCHAR(500) NOT NULL,
    name_key CHAR(64) NOT NULL,
    UNIQUE (domain_id, name_key)
){{.Table}};

-- A second factor, and the session that set it up. last_step is the latest code that was used.
CREATE TABLE second_factors (
    user_id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    session_id CHAR(64) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    secret VARCHAR(512) NOT NULL,
    confirmed_at {{.DateTime}} NULL,
    last_step BIGINT NOT NULL
){{.Table}};

-- id is a digest; a code is deleted when it is used.
CREATE TABLE recovery_codes (
    id CHAR(64) NOT NULL PRIMARY KEY,
    user_id CHAR(36) NOT NULL,
    created_at {{.DateTime}} NOT NULL
){{.Table}};
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);

-- two_factor is the provider of a factor that is confirmed.
ALTER TABLE users ADD COLUMN two_factor VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN two_factor_must BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN verified_at {{.DateTime}} NULL;

-- id is a digest of a token that was mailed.
CREATE TABLE password_resets (
    id CHAR(64) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    user_id CHAR(36) NOT NULL,
    expires_at {{.DateTime}} NOT NULL
){{.Table}};
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_expires ON password_resets (expires_at);

-- A sign-in that is under way elsewhere, and what must not come twice: id is a
-- digest of what the browser brings back, data is sealed.
CREATE TABLE sign_ins (
    id CHAR(64) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    expires_at {{.DateTime}} NOT NULL,
    kind VARCHAR(16) NOT NULL,
    data {{.LongText}} NULL
){{.Table}};
CREATE INDEX sign_ins_expires ON sign_ins (expires_at);

-- OpenID Connect providers; domain_id is empty for all domains.
CREATE TABLE oauth_providers (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    domain_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL,
    description VARCHAR(255) NOT NULL,
    issuer VARCHAR(500) NOT NULL,
    client_id VARCHAR(255) NOT NULL,
    client_secret VARCHAR(1024) NOT NULL,
    redirect_uri VARCHAR(500) NOT NULL,
    scopes VARCHAR(255) NOT NULL,
    enabled BOOLEAN NOT NULL,
    link_email BOOLEAN NOT NULL,
    auto_import BOOLEAN NOT NULL,
    internal BOOLEAN NOT NULL,
    UNIQUE (domain_id, name_key)
){{.Table}};

-- Who of a provider is which user. id is a digest of issuer and subject.
CREATE TABLE oauth_identities (
    id CHAR(64) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    user_id CHAR(36) NOT NULL,
    issuer VARCHAR(500) NOT NULL,
    subject VARCHAR(255) NOT NULL
){{.Table}};
CREATE INDEX oauth_identities_user ON oauth_identities (user_id);

CREATE TABLE saml_providers (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    entity_id VARCHAR(1024) NOT NULL,
    entity_key CHAR(64) NOT NULL UNIQUE,
    name VARCHAR(255) NOT NULL,
    url VARCHAR(1024) NOT NULL,
    metadata {{.LongText}} NOT NULL
){{.Table}};

-- Who may sign in by which provider.
CREATE TABLE saml_authorizations (
    user_id CHAR(36) NOT NULL,
    entity_key CHAR(64) NOT NULL,
    created_at {{.DateTime}} NOT NULL,
    entity_id VARCHAR(1024) NOT NULL,
    PRIMARY KEY (user_id, entity_key)
){{.Table}};

-- The certificate that this service shows to providers; there is one.
CREATE TABLE saml_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    certificate {{.LongText}} NOT NULL,
    private_key {{.LongText}} NOT NULL
){{.Table}};

CREATE TABLE webhooks (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL,
    description VARCHAR(4095) NOT NULL,
    state VARCHAR(16) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    payload_url VARCHAR(2000) NOT NULL,
    secret_key VARCHAR(1024) NOT NULL,
    ssl_verification BOOLEAN NOT NULL,
    UNIQUE (account_id, name_key)
){{.Table}};
CREATE INDEX webhooks_path ON webhooks (domain_path, name);

CREATE TABLE webhook_deliveries (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    webhook_id CHAR(36) NOT NULL,
    event_id VARCHAR(36) NOT NULL,
    event_type VARCHAR(64) NOT NULL,
    payload {{.LongText}} NOT NULL,
    headers {{.LongText}} NOT NULL,
    response VARCHAR(255) NOT NULL,
    success BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    server VARCHAR(255) NOT NULL,
    started_at {{.DateTime}} NULL,
    ended_at {{.DateTime}} NULL
){{.Table}};
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_path ON webhook_deliveries (domain_path, webhook_id);

-- +goose Down
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
DROP TABLE saml_keys;
DROP TABLE saml_authorizations;
DROP TABLE saml_providers;
DROP TABLE oauth_identities;
DROP TABLE oauth_providers;
DROP TABLE sign_ins;
DROP TABLE password_resets;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE ldap_account_links;
