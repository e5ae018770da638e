-- +goose Up
CREATE TABLE service_offerings (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(4096) NOT NULL,
    cpus INTEGER NOT NULL,
    mhz INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    customized BOOLEAN NOT NULL,
    min_cpus INTEGER NOT NULL DEFAULT 0,
    max_cpus INTEGER NOT NULL DEFAULT 0,
    min_memory INTEGER NOT NULL DEFAULT 0,
    max_memory INTEGER NOT NULL DEFAULT 0,
    root_gib BIGINT NOT NULL DEFAULT 0,
    ha BOOLEAN NOT NULL,
    limit_cpu BOOLEAN NOT NULL,
    volatile BOOLEAN NOT NULL,
    dynamic BOOLEAN NOT NULL,
    storage_type VARCHAR(16) NOT NULL,
    provisioning VARCHAR(16) NOT NULL,
    host_tags VARCHAR(255) NOT NULL DEFAULT '',
    storage_tags VARCHAR(255) NOT NULL DEFAULT '',
    network_rate INTEGER NOT NULL DEFAULT 0,
    planner VARCHAR(64) NOT NULL DEFAULT '',
    state VARCHAR(16) NOT NULL,
    domain_ids {{.LongText}} NOT NULL,
    zone_ids {{.LongText}} NOT NULL,
    sort_key INTEGER NOT NULL DEFAULT 0
){{.Table}};

CREATE TABLE vms (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(63) NOT NULL,
    display_name VARCHAR(255) NOT NULL,
    instance_name VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    host_id CHAR(36) NOT NULL DEFAULT '',
    last_host_id CHAR(36) NOT NULL DEFAULT '',
    offering_id CHAR(36) NOT NULL,
    template_id CHAR(36) NOT NULL,
    hypervisor VARCHAR(32) NOT NULL,
    cpus INTEGER NOT NULL,
    mhz INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    ha BOOLEAN NOT NULL,
    display BOOLEAN NOT NULL,
    dynamic BOOLEAN NOT NULL,
    delete_protection BOOLEAN NOT NULL DEFAULT FALSE,
    password_enabled BOOLEAN NOT NULL,
    password VARCHAR(1000) NOT NULL DEFAULT '',
    password_id VARCHAR(36) NOT NULL DEFAULT '',
    key_pairs VARCHAR(1000) NOT NULL DEFAULT '',
    public_keys {{.LongText}} NOT NULL,
    user_data {{.LongText}} NOT NULL,
    details {{.LongText}} NOT NULL,
    os_type VARCHAR(255) NOT NULL DEFAULT '',
    user_id CHAR(36) NOT NULL DEFAULT '',
    why VARCHAR(2000) NOT NULL DEFAULT '',
    updated_at {{.DateTime}} NULL,
    started_at {{.DateTime}} NULL,
    stopped_at {{.DateTime}} NULL,
    destroyed_at {{.DateTime}} NULL
){{.Table}};
CREATE INDEX vms_account ON vms (account_id, created_at);
CREATE INDEX vms_host ON vms (host_id);
CREATE INDEX vms_state ON vms (state);
CREATE INDEX vms_domain ON vms (domain_path);
CREATE INDEX vms_name ON vms (name);

CREATE TABLE ssh_keys (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    fingerprint VARCHAR(128) NOT NULL,
    public_key {{.LongText}} NOT NULL,
    UNIQUE (account_id, name)
){{.Table}};

CREATE TABLE console_tickets (
    hash CHAR(64) NOT NULL PRIMARY KEY,
    vm_id CHAR(36) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    user_id CHAR(36) NOT NULL,
    session_id VARCHAR(64) NOT NULL DEFAULT '',
    expires_at {{.DateTime}} NOT NULL,
    used_at {{.DateTime}} NULL
){{.Table}};
