-- +goose Up
-- One value of a pool (an address, a VLAN, a port) belongs to one owner, and an
-- owner holds one value of a pool for one purpose: claiming twice is claiming once.
CREATE TABLE allocations (
    pool VARCHAR(64) NOT NULL,
    value BIGINT NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    owner CHAR(36) NOT NULL,
    created_at {{.DateTime}} NOT NULL,
    PRIMARY KEY (pool, value),
    UNIQUE (pool, purpose, owner)
){{.Table}};
CREATE INDEX allocations_owner ON allocations (owner);

-- What an entity takes of a host.
CREATE TABLE claims (
    entity CHAR(36) NOT NULL PRIMARY KEY,
    host_id CHAR(36) NOT NULL,
    mhz BIGINT NOT NULL,
    mib BIGINT NOT NULL,
    created_at {{.DateTime}} NOT NULL
){{.Table}};
CREATE INDEX claims_host ON claims (host_id);
