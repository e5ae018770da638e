-- +goose Up
CREATE TABLE disk_offerings (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(4096) NOT NULL,
    bytes BIGINT NOT NULL,
    customized BOOLEAN NOT NULL,
    storage_type VARCHAR(16) NOT NULL,
    provisioning VARCHAR(16) NOT NULL,
    tags VARCHAR(255) NOT NULL DEFAULT '',
    state VARCHAR(16) NOT NULL,
    display BOOLEAN NOT NULL,
    domain_ids {{.LongText}} NOT NULL,
    zone_ids {{.LongText}} NOT NULL,
    sort_key INTEGER NOT NULL DEFAULT 0
){{.Table}};

CREATE TABLE volumes (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    type VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    pool_id CHAR(36) NOT NULL DEFAULT '',
    vm_id CHAR(36) NOT NULL DEFAULT '',
    device INTEGER NOT NULL DEFAULT 0,
    attached_at {{.DateTime}} NULL,
    template_id CHAR(36) NOT NULL DEFAULT '',
    disk_offering_id CHAR(36) NOT NULL DEFAULT '',
    service_offering_id CHAR(36) NOT NULL DEFAULT '',
    bytes BIGINT NOT NULL,
    delete_protection BOOLEAN NOT NULL DEFAULT FALSE,
    why VARCHAR(1000) NOT NULL DEFAULT ''
){{.Table}};
CREATE INDEX volumes_vm ON volumes (vm_id);
CREATE INDEX volumes_account ON volumes (account_id);
CREATE INDEX volumes_pool ON volumes (pool_id);
