-- +goose Up
CREATE TABLE templates (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(4096) NOT NULL DEFAULT '',
    url VARCHAR(2048) NOT NULL,
    format VARCHAR(16) NOT NULL,
    hypervisor VARCHAR(32) NOT NULL,
    type VARCHAR(16) NOT NULL,
    arch VARCHAR(16) NOT NULL,
    os_type VARCHAR(255) NOT NULL DEFAULT '',
    bits INTEGER NOT NULL,
    checksum VARCHAR(160) NOT NULL DEFAULT '',
    public BOOLEAN NOT NULL,
    featured BOOLEAN NOT NULL,
    extractable BOOLEAN NOT NULL,
    password_enabled BOOLEAN NOT NULL,
    ssh_key_enabled BOOLEAN NOT NULL,
    scalable BOOLEAN NOT NULL,
    requires_hvm BOOLEAN NOT NULL,
    tag VARCHAR(255) NOT NULL DEFAULT '',
    details {{.LongText}} NOT NULL,
    bytes BIGINT NOT NULL DEFAULT 0,
    file_bytes BIGINT NOT NULL DEFAULT 0
){{.Table}};
CREATE INDEX templates_account ON templates (account_id);

-- Where a template is: in the image store of a zone, and in primary pools.
CREATE TABLE template_copies (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    template_id CHAR(36) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    store_id CHAR(36) NOT NULL,
    state VARCHAR(24) NOT NULL,
    percent INTEGER NOT NULL DEFAULT 0,
    path VARCHAR(1000) NOT NULL DEFAULT '',
    file_bytes BIGINT NOT NULL DEFAULT 0,
    why VARCHAR(1000) NOT NULL DEFAULT '',
    UNIQUE (template_id, store_id)
){{.Table}};
CREATE INDEX template_copies_zone ON template_copies (zone_id, state);

CREATE TABLE template_bases (
    template_id CHAR(36) NOT NULL,
    pool_id CHAR(36) NOT NULL,
    created_at {{.DateTime}} NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (template_id, pool_id)
){{.Table}};
